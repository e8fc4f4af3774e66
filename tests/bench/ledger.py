"""Round trips and capacity units of the ledger's operations, on a real engine, with a short and with a long history."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from loyalty.programs.model import MAX_LOTS
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.history import write_history
from tests.bench.meter import Cost
from tests.bench.operations import MOST, Operations, bench_program
from tests.bench.peer import PowertoolsRecipe
from tests.engines.fixtures import dynamodb_client
from tests.ledgerkit.moves import Moves

SHORT, LONG = 10, 100_000
"""Entries of a member before anything is measured."""
AUDITED = 1_000
"""Entries of a history that is audited."""
MEASURES = {"round_trips": "round trips", "write_units": "write units", "read_units": "read units"}


class LedgerBench:
    """One table; each measurement has a member of its own."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._table = running.table("ledger")
        self._moves = Moves(self._table, of=bench_program())
        self.world = self._moves.world

    def figures(self) -> Iterator[Figure]:
        """Everything that is bounded, then what stands beside it."""
        short = self._costs(_ids("abc"))
        worst = list(self._worst(_ids("d")[0]))
        self._audit(_ids("e")[0])
        long = self._costs(_ids("fgh"), LONG)
        for name in MOST:
            yield from _of(name, short[name], long[name])
        yield from worst
        peer = PowertoolsRecipe(dynamodb_client(self._running.endpoint), self._table.name)
        cost = peer.measure(self._running.look, self._running.engine)
        yield Figure("peer.accrual.powertools_idempotency.round_trips", cost.round_trips, "round trips")
        yield Figure("peer.accrual.powertools_idempotency.write_units", cost.write_units, "write units")

    def _audit(self, member: str) -> None:
        """What was measured left the ledger right, and a history in bulk is one.

        Of a short one: for a page of a partition DynamoDB Local reads all of it, which takes more memory than it has.
        """
        self._moves.enroll(member)
        write_history(self._running, self.world, member, AUDITED)
        findings = self.world.audit()
        if findings:
            raise AssertionError(f"the bench left a ledger that is not right: {findings[:3]}")

    def _costs(self, members: list[str], history: int = 0) -> dict[str, Cost]:
        """What each operation costs the first of the members, who has ``history`` entries and some more."""
        world = self.world
        start = world.clock.now
        self._moves.enroll(*members)
        if history:
            write_history(self._running, world, members[0], history)
        costs = {name: self._cost(run) for name, run in Operations(self._moves, *members).each()}
        world.clock.now = start
        return costs

    def _cost(self, run: Callable[[], object]) -> Cost:
        return self._running.cost(self._table, run)

    def _worst(self, member: str) -> Iterator[Figure]:
        """A wallet with as many lots as it may have, and a redemption that takes from all of them."""
        self._moves.enroll(member)
        self._fill(member)
        accrual = self._cost(lambda: self.world.accrue("R-000000105", "105.00", member=member, channel="web"))
        hold = self._cost(lambda: self.world.hold("bench", "ten", 7, member=member))
        wallet = self._cost(lambda: self.world.wallet(member))
        yield Figure("full_wallet.accrual.write_units", accrual.write_units, "write units", 5)
        yield Figure("full_wallet.hold_timed.write_units", hold.write_units, "write units", 11)
        yield Figure("full_wallet.wallet_read.read_units", wallet.read_units, "read units", 1)

    def _fill(self, member: str) -> None:
        clock = self.world.clock
        start = clock.now
        for month in range(36):
            clock.now = start - timedelta(days=30.4 * (35 - month))
            self.world.occurred_at = clock.now
            self.world.accrue(f"R-{month:09}", "2.00", member=member)
        self.world.occurred_at = clock.now = start
        if len(self.world.wallet(member).lots) != MAX_LOTS:
            raise AssertionError("the wallet is not full")


def _ids(letters: str) -> list[str]:
    """Ids as long as the real ones: they are in every item's key."""
    return [f"mbr_01jd{'0' * 21}{letter}" for letter in letters]


def _of(name: str, short: Cost, long: Cost) -> Iterator[Figure]:
    """The figures of one operation, and how much they grow with the history: not at all."""
    growth = 0.0
    for measure, unit in MEASURES.items():
        value, later = getattr(short, measure), getattr(long, measure)
        yield Figure(f"{name}.{measure}", value, unit, getattr(MOST[name], measure))
        growth += abs(later - value)
    yield Figure(f"{name}.growth", growth, "units", 0)
