"""Round trips and capacity units of the ledger's operations, on a real engine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from infra.local.ministack import Ministack
from infra.local.processes import free_port
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger import movements
from loyalty.ledger.model import POINTS, Book, Entry, EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.store import book_put, entry_put
from loyalty.programs.earning import lot_for
from loyalty.programs.model import MAX_LOTS
from tests.bench.figures import Figure
from tests.bench.meter import Cost, Engine, metered
from tests.bench.peer import PowertoolsRecipe
from tests.engines.dynamodb_local import DynamoDbLocal, Unavailable
from tests.engines.fixtures import REGION, dynamodb_client
from tests.ledgerkit.programs import program
from tests.ledgerkit.tables import create_table, warm_up
from tests.ledgerkit.world import World

TABLE = "bench"
LONG_HISTORY = 5_000
BATCH = 25


@contextmanager
def running_engine(workdir: Path) -> Iterator[tuple[Engine, str, str]]:
    """DynamoDB Local, or ministack where it cannot run; its endpoint; and why it is not the first."""
    server: DynamoDbLocal | Ministack = DynamoDbLocal(workdir, free_port())
    engine, why = Engine.DYNAMODB_LOCAL, ""
    try:
        server.start()
    except Unavailable as missing:
        engine, why = Engine.MINISTACK, str(missing)
        server = Ministack(workdir, free_port(), REGION, persistent=False, enforce_iam=False, tied=True)
        server.start()
    try:
        yield engine, server.endpoint, why
    finally:
        server.stop()


class LedgerBench:
    """One table; each measurement has a member of its own."""

    def __init__(self, endpoint: str, engine: Engine) -> None:
        self._engine = engine
        self._client = dynamodb_client(endpoint)
        create_table(self._client, TABLE)
        warm_up(self._client, TABLE)
        # Ids as long as the real ones: they are in every item's key.
        self.program = program(id="aurora-sample", expiry={"policy": "rolling", "months": 35})
        self.world = World(Table(TABLE, endpoint=endpoint, region=REGION), of=self.program)
        self._peer = PowertoolsRecipe(dynamodb_client(endpoint), TABLE)

    def figures(self) -> list[Figure]:
        """Everything that is bounded, then what stands beside it."""
        fresh, old, full = (f"mbr_01jd{'0' * 21}{letter}" for letter in "abc")
        self.world.enroll(fresh, old, full)
        self._history(old, LONG_HISTORY)
        self._full(full)
        figures = [*self._of(fresh, ""), *self._of(old, f".history_{LONG_HISTORY}"), *self._worst(full)]
        findings = self.world.audit()
        if findings:
            raise AssertionError(f"the bench left a ledger that is not right: {findings[:3]}")
        peer = f"mbr_01jd{'0' * 21}p"
        self.world.enroll(peer)
        self.world.accrue("R-0", "100", member=peer)
        cost = self._peer.measure(peer, self._look, self._engine)
        return [
            *figures,
            Figure("peer.accrual.powertools_idempotency.round_trips", cost.round_trips, "round trips"),
            Figure("peer.accrual.powertools_idempotency.write_units", cost.write_units, "write units"),
        ]

    def _look(self, table: str, key: Any) -> dict[str, Any] | None:
        item: dict[str, Any] | None = self._client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return item

    def _cost(self, run: Callable[[], object]) -> Cost:
        with metered(self.world.table.client, self._look, self._engine) as cost:
            run()
        return cost

    def _of(self, member: str, suffix: str) -> Iterator[Figure]:
        world = self.world
        for number in range(10):
            world.accrue(f"R-{number:09}", "123.45", member=member, channel="web")
        accrual = self._cost(lambda: world.accrue("R-000000105", "105.00", member=member, channel="web"))
        replay = self._cost(lambda: world.accrue("R-000000104", "105.00", member=member, channel="web"))
        hold = self._cost(lambda: world.hold("bench", member=member))
        other, _ = world.hold("other", member=member)
        captured, _ = world.hold("bench", member=member)
        capture = self._cost(lambda: world.capture(captured.redemption_id, member=member))
        release = self._cost(lambda: world.release(other.redemption_id, member=member))
        refund = self._cost(lambda: world.refund("F-000000001", "R-000000105", "5.00", member=member))
        wallet = self._cost(lambda: world.wallet(member))
        bounds = {"accrual": (accrual, 6), "redemption": (hold, 8), "capture": (capture, 8), "release": (release, 8)}
        for name, (cost, most) in {**bounds, "reversal": (refund, 8)}.items():
            yield Figure(f"{name}.round_trips{suffix}", cost.round_trips, "round trips", 2)
            yield Figure(f"{name}.write_units{suffix}", cost.write_units, "write units", most)
        yield Figure(f"accrual_replay.round_trips{suffix}", replay.round_trips, "round trips", 2)
        yield Figure(f"wallet_read.round_trips{suffix}", wallet.round_trips, "round trips", 1)
        yield Figure(f"wallet_read.read_units{suffix}", wallet.read_units, "read units", 1)

    def _worst(self, member: str) -> Iterator[Figure]:
        """A wallet with as many lots as it may have, and a redemption that takes from all of them."""
        accrual = self._cost(lambda: self.world.accrue("R-000000105", "105.00", member=member, channel="web"))
        hold = self._cost(lambda: self.world.hold("bench", "ten", 7, member=member))
        wallet = self._cost(lambda: self.world.wallet(member))
        yield Figure("accrual.write_units.full_wallet", accrual.write_units, "write units", 6)
        yield Figure("redemption.write_units.full_wallet", hold.write_units, "write units")
        yield Figure("wallet_read.read_units.full_wallet", wallet.read_units, "read units", 1)

    def _full(self, member: str) -> None:
        clock = self.world.clock
        start = clock.now
        for month in range(36):
            clock.now = start - timedelta(days=30.4 * (35 - month))
            self.world.occurred_at = clock.now
            self.world.accrue(f"R-{month:09}", "2.00", member=member)
        self.world.occurred_at = clock.now = start
        if len(self.world.wallet(member).lots) != MAX_LOTS:
            raise AssertionError("the wallet is not full")

    def _history(self, member: str, entries: int) -> None:
        """Writes the entries that so many accruals would have left; an audit at the end confirms that it is one."""
        now, document = self.world.clock() - timedelta(days=1), self.program.document
        book = Book(document.id, member, document.tiers[0].id, opened_at=now)
        lot, year = lot_for(document.expiry, now.date()), str(now.year)
        requests: list[dict[str, Any]] = []
        for number in range(1, entries + 1):
            movement = Movement({POINTS: movements.accrue(book.wallet(), 1, lot=lot)}, qualifying={year: 1})
            book = movements.apply(book, movement, settled_to=now)
            requests.append({"PutRequest": {"Item": _raw(entry_put(_entry(book, movement, number, now)).item)}})
        requests.append({"PutRequest": {"Item": _raw(book_put(book, self.program.scope, read_at_seq=0).item)}})
        for place in range(0, len(requests), BATCH):
            left: dict[str, Any] = {TABLE: requests[place : place + BATCH]}
            while left:
                left = self._client.batch_write_item(RequestItems=left)["UnprocessedItems"]


def _entry(book: Book, movement: Movement, number: int, now: datetime) -> Entry:
    return Entry(
        program=book.program,
        member_id=book.member_id,
        key=EntryKey(EntryKind.ACCRUAL, "pos", f"H-{number:09}"),
        seq=book.seq,
        movement=movement,
        after={POINTS: book.wallet().balances},
        facts=Facts(now, 1, {POINTS: "shop"}, activity="purchase", channel="web", amount=Money.of("10", "USD")),
        posted_at=now,
        request_hash="0" * 32,
    )


def _raw(item: Any) -> dict[str, Any]:
    raw: dict[str, Any] = item.serialize()
    return raw
