"""Real purchases through the path of real events: told twice at times, out of order within a day, in the queue's batches.

The whole stream runs on the engine in memory (:mod:`tests.simulation.engine`, which is held against DynamoDB Local): there
the time that is spent is our own. Its beginning runs on the engine of the other figures as well. Whatever the engine,
every member's points, lots, tallies and tiers are those of :mod:`tests.bench.recount`.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import groupby
from time import perf_counter
from typing import Final

from loyalty.accruals.service import AccrualService
from loyalty.commerce.batch import WORKERS, BatchRunner, Message
from loyalty.commerce.buyers import Buyers
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.service import InboundService
from loyalty.commerce.store import CommerceStore
from loyalty.core.errors import Rejected
from loyalty.core.pii import Lookups
from loyalty.core.table import Table
from loyalty.ledger.items import book_of, new_book_put
from loyalty.ledger.model import Book
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.members.store import MemberStore
from loyalty.programs.store import ProgramStore
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import TierRun
from tests.apikit.keys import FakeKeys
from tests.bench.cdnow import Purchase, purchases
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.progress import bar
from tests.bench.recount import MONTHS, POINTS, RECENT_TIERS, WINDOW, Expected, recount
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import document
from tests.ledgerkit.tables import create_table
from tests.simulation.client import table_over
from tests.simulation.engine import MemoryDynamoDb

SEED: Final = 1997
TOLD_TWICE: Final = 0.05
"""Of all purchases."""
BATCH: Final = 100
"""Events that the queue hands over at once, at most."""
SLICE: Final = 5_000
"""Purchases of the beginning that run on a real engine too."""
ENROLLED_AT_ONCE: Final = 100
PROGRAM: Final = "cdnow"
OPENED: Final = datetime(1996, 12, 31, tzinfo=UTC)
NOON: Final = time(12, tzinfo=UTC)


@dataclass(frozen=True)
class Played:
    """What came of a stream."""

    events: int
    twice: int
    seconds: float
    wrong: int
    """Members who have something else than the recount says."""
    points: int
    tiers: int
    """Members who stand on another tier of either ladder than the recount says, once all were recalculated."""
    off: int
    """By how many points all members together differ from the recount."""


class Stream:
    """One table, the path of inbound events over it, and the members of some purchases."""

    def __init__(self, table: Table, workers: int) -> None:
        self._table = table
        self._clock = SettableClock(OPENED)
        self._programs = programs = ProgramStore(table, self._clock)
        programs.publish(
            document(
                id=PROGRAM,
                earn_rules=[{"id": "cds", "activity": "purchase", "rates": [_RATE]}],
                expiry={"policy": "rolling", "months": MONTHS},
                ladders=[_RECENT],
            ),
            expected_version=0,
            actor="bench",
        )
        service = InboundService(
            store=CommerceStore(table),
            programs=programs,
            members=MemberStore(table),
            buyers=Buyers(Lookups(FakeKeys())),
            accruals=AccrualService(Ledger(table, self._clock), self._clock),
            clock=self._clock,
        )
        self._runner = BatchRunner(service, _never, workers=workers)

    def play(self, what: str, bought: Sequence[Purchase]) -> Played:
        """Enrolls whoever bought, tells all purchases, and compares what everybody has then."""
        expected = recount(bought)
        self._enroll(list(expected))
        told = list(_told(bought))
        outcomes: Counter[Outcome] = Counter()
        with bar(what, len(told)) as step:
            start = perf_counter()
            for batch in _batches(told):
                self._clock.now = datetime.combine(batch[0].day, NOON)
                for result in self._runner.run([_message(purchase) for purchase in batch]):
                    if result.error is not None or len(result.outcomes) != 1:
                        raise AssertionError(f"an event of the stream came to nothing: {result}")
                    outcomes.update(result.outcomes)
                step(len(batch))
            seconds = perf_counter() - start
        if outcomes != {Outcome.ACCRUED: len(bought), Outcome.REPLAYED: len(told) - len(bought)}:
            raise AssertionError(f"each purchase counts once, and is recognized the second time: {outcomes}")
        found = {_customer(book): book for book in self._books()}
        points = sum(one.points for one in expected.values())
        return Played(
            events=len(told),
            twice=len(told) - len(bought),
            seconds=seconds,
            wrong=sum(not _is(found.get(name), expected.get(name)) for name in found.keys() | expected.keys()),
            points=points,
            tiers=self._wrong_tiers(expected),
            off=abs(points - sum(book.wallet().available for book in found.values())),
        )

    def _wrong_tiers(self, expected: Mapping[str, Expected]) -> int:
        today = self._clock().date()
        program = self._programs.current(PROGRAM)
        done = Recalculation(self._table, self._clock, workers=1).many(program, TierRun(PROGRAM, "stream"))
        if done.failed or done.members != len(expected):
            raise AssertionError(f"not every member was recalculated: {done}")
        first = program.scope.ladders["recent"].first
        found = {
            _customer(book): (book.tier, book.standings["recent"].tier if "recent" in book.standings else first)
            for book in self._books()
        }
        return sum(found.get(name) != one.tiers(today) for name, one in expected.items())

    def _enroll(self, customers: Sequence[str]) -> None:
        puts = [new_book_put(PROGRAM, _member(customer), "bronze", OPENED) for customer in customers]
        for start in range(0, len(puts), ENROLLED_AT_ONCE):
            self._table.write(puts[start : start + ENROLLED_AT_ONCE])

    def _books(self) -> Iterator[Book]:
        store = LedgerStore(self._table)
        for pk in store.partitions(PROGRAM):
            raw = self._table.read(pk, "WALLET")
            if raw is not None:
                yield book_of(raw)


def figures(running: Running) -> Iterator[Figure]:
    """Of the beginning on a real engine, then of the whole stream in memory.

    Raises:
        NotFetched: there are no purchases.
    """
    bought = purchases()
    beginning = sorted(bought, key=lambda purchase: (purchase.day, purchase.number))[:SLICE]
    table = running.table("stream")
    yield from _figures("beginning", Stream(table, WORKERS).play(f"{SLICE:,} purchases, {running.engine}", beginning))
    running.drop(table)
    memory = table_over(MemoryDynamoDb(), "stream")
    create_table(memory.client, memory.name)
    # One lane at a time: nothing waits there, and the engine is not made for threads.
    yield from _figures("all", Stream(memory, 1).play(f"{len(bought):,} purchases, in memory", bought))


def _figures(name: str, played: Played) -> Iterator[Figure]:
    yield Figure(f"stream_{name}.events", played.events, "events")
    yield Figure(f"stream_{name}.told_twice", played.twice, "events")
    yield Figure(f"stream_{name}.points", played.points, "points")
    yield Figure(f"stream_{name}.points_off", played.off, "points", 0)
    yield Figure(f"stream_{name}.members_off", played.wrong, "members", 0)
    yield Figure(f"stream_{name}.tiers_off", played.tiers, "members", 0)
    yield Figure(f"stream_{name}.events_per_second", round(played.events / played.seconds), "events/s")


def _told(bought: Iterable[Purchase]) -> Iterator[Purchase]:
    """Day after day; within a day in any order, and some of them twice."""
    rng = random.Random(SEED)  # noqa: S311 -- the same stream every time
    for _, of_day in groupby(sorted(bought, key=lambda purchase: purchase.day), key=lambda purchase: purchase.day):
        day = list(of_day)
        day += [purchase for purchase in day if rng.random() < TOLD_TWICE]
        rng.shuffle(day)
        yield from day


def _batches(told: Iterable[Purchase]) -> Iterator[list[Purchase]]:
    for _, of_day in groupby(told, key=lambda purchase: purchase.day):
        day = list(of_day)
        for start in range(0, len(day), BATCH):
            yield day[start : start + BATCH]


def _message(purchase: Purchase) -> Message:
    dollars, cents = divmod(purchase.cents, 100)
    detail = {
        "program": PROGRAM,
        "member_id": _member(purchase.customer),
        "activity": "purchase",
        "source": "cdnow",
        "source_id": f"line-{purchase.number}",
        "occurred_at": f"{purchase.day.isoformat()}T10:00:00Z",
        "channel": "web",
        "amount": {"value": f"{dollars}.{cents:02}", "currency": "USD"},
    }
    event = {"source": "com.example.cdnow", "detail-type": "activity.recorded", "detail": detail}
    return Message(str(purchase.number), json.dumps(event))


def _member(customer: str) -> str:
    return f"mbr_{customer:0>26}"


def _customer(book: Book) -> str:
    return book.member_id[-5:]


def _is(book: Book | None, expected: Expected | None) -> bool:
    """Everything that is expected, and nothing in any other place."""
    if book is None or expected is None:
        return False
    wallet = book.wallet()
    return (
        (book.seq, wallet.available, wallet.pending, wallet.held, wallet.debt)
        == (expected.purchases, expected.points, 0, 0, 0)
        and dict(wallet.lots) == expected.lots
        and dict(book.qualifying) == expected.counted
    )


def _never(_body: str, refusal: Rejected) -> None:
    raise AssertionError(f"an event of the stream was refused: {refusal.reason}")


_RECENT: Final = {
    "id": "recent",
    "name": "Recent",
    "tiers": [{"id": tier, "name": tier, "threshold": cents // 100} for tier, cents in RECENT_TIERS.items()],
    "qualification": {"metric": "spend", "currency": "USD", "period": "rolling_months", "months": WINDOW},
    "downgrade": {"by": "achievement"},
}
_RATE: Final = {"points": POINTS, "per": "2.00", "currency": "USD"}
