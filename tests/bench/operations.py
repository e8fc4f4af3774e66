"""Every operation of the ledger, in an order in which each finds what it needs, and what it may cost at most.

What is done between two of them, to set the next one up, is not measured.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from loyalty.accruals.awaited import Kept
from loyalty.accruals.model import Refund
from loyalty.core.money import Money
from loyalty.explaining.service import ExplainService
from loyalty.ledger.draft import Posted
from loyalty.programs.model import Program
from loyalty.rewards.model import Party
from loyalty.segments.model import Assignment
from tests.ledgerkit.moves import Moves, generous
from tests.ledgerkit.programs import BASE, SEGMENTS

PAGE: Final = 10
"""Entries on a page of the statement and of an explanation."""

Run = Callable[[], object]


@dataclass(frozen=True)
class Most:
    """What an operation may cost: what it costs now, and for most no more than two round trips."""

    round_trips: int
    write_units: int
    read_units: float


MOST: Final[Mapping[str, Most]] = {
    "accrual": Most(2, 5, 1),
    "accrual_replayed": Most(2, 4, 1),
    "accrual_pending": Most(2, 7, 1),
    "accrual_capped": Most(2, 7, 2),
    "accrual_of_a_budget": Most(2, 7, 2),
    "accrual_of_a_segment": Most(2, 5, 2),
    "hold": Most(2, 9, 1),
    "hold_timed": Most(2, 11, 1),
    "hold_repeated": Most(3, 8, 2),
    "capture": Most(2, 7, 2),
    "capture_timed": Most(2, 9, 2),
    "capture_part": Most(2, 9, 2),
    "capture_repeated": Most(1, 0, 2),
    "release": Most(2, 7, 2),
    "release_timed": Most(2, 9, 2),
    "cancel": Most(2, 7, 2),
    "time_out": Most(2, 7, 1),
    "reversal": Most(2, 7, 4),
    "reversal_into_debt": Most(2, 7, 4),
    "reversal_of_expired_points": Most(3, 9, 10),
    "accrual_in_debt": Most(2, 6, 1),
    "adjustment": Most(2, 9, 2),
    "adjustment_proposed": Most(2, 4, 2),
    "adjustment_approved": Most(2, 9, 2),
    "wallet_read": Most(1, 0, 1),
    "statement_page": Most(1, 0, 2),
    "explain": Most(2, 0, 3),
    "transfer": Most(2, 12, 3),
    "contribution": Most(2, 12, 3),
    "withdrawal": Most(2, 14, 4),
    "merge": Most(2, 40, 12),
    "accrual_after_merge": Most(2, 7, 1),
    "reversal_before_its_accrual": Most(4, 10, 17),
    "accrual_while_another_is_awaited": Most(3, 7, 3),
    "accrual_that_was_awaited": Most(4, 14, 7),
}


def bench_program() -> Program:
    """A program that offers everything, with an id as long as the real ones: it is in every item's key."""
    later = {"id": "online", "activity": "online", "rates": [{"points": 1, "per": "1", "currency": "EUR"}]}
    capped = later | {"id": "capped", "activity": "capped", "caps": [{"per": "day", "points": 100_000}]}
    of_staff = later | {"id": "staff", "activity": "staff", "when": "'staff' in member.segments"}
    campaign = {"id": "spring", "name": "Spring", "starts_at": "2020-01-01T00:00", "ends_at": "2100-01-01T00:00"}
    budgeted = later | {"id": "budgeted", "activity": "budgeted", "campaign": "spring"}
    return generous(
        id="aurora-sample",
        expiry={"policy": "rolling", "months": 35},
        reversal="clamp_with_debt",
        earn_rules=[*BASE["earn_rules"], later | {"return_days": 14}, capped, budgeted, of_staff],
        segments=SEGMENTS,
        campaigns=[campaign | {"budget_points": 1_000_000_000}],
        limits={"adjustment_points": 1_000_000, "backdating_days": 36_500},
    )


class Operations:
    """Of one member, who has ten accruals at least and no other history that matters."""

    def __init__(self, moves: Moves, member: str, other: str, third: str) -> None:
        """``other`` is in no household and was merged with nobody; so is ``third``, into whom the member is merged."""
        self._moves, self._world = moves, moves.world
        self._member, self._other, self._third = member, other, third

    def each(self) -> Iterator[tuple[str, Run]]:
        """Their names, and what does them: each is to be run before the next is asked for."""
        for number in range(PAGE):
            self._accrue(f"R-{number:09}")()
        yield "accrual", self._accrue("R-000000105")
        yield "accrual_replayed", self._accrue("R-000000105")
        self._accrue("C-1", activity="capped")()
        yield "accrual_capped", self._accrue("C-2", activity="capped")
        self._accrue("B-1", activity="budgeted")()
        yield "accrual_of_a_budget", self._accrue("B-2", activity="budgeted")
        yield from self._segments()
        yield from self._holds()
        yield from self._reversals()
        yield from self._reads()
        yield "accrual_pending", self._accrue("R-000000106", activity="online")
        yield from self._adjustments()
        yield from self._awaited()
        yield from self._expired()
        yield from self._moved()

    def _accrue(self, source_id: str, amount: str = "105.00", *, member: str = "", **more: Any) -> Callable[[], Posted]:
        more = {"channel": "web", "member": member or self._member} | more
        return lambda: self._world.accrue(source_id, amount, **more)

    def _segments(self) -> Iterator[tuple[str, Run]]:
        """Leaves a member who is in none."""
        self._moves.assign(Assignment("staff"), member=self._member)
        earned = self._accrue("S-1", activity="staff")
        yield "accrual_of_a_segment", lambda: self._must(earned().entry.points > 0)
        self._moves.assign(member=self._member)

    def _refund(self, source_id: str, of: str, amount: str) -> Run:
        return lambda: self._world.refund(source_id, of, amount, member=self._member)

    def _hold(self, key: str, reward: str = "coffee") -> str:
        redemption, _ = self._world.hold(key, reward, member=self._member)
        return redemption.redemption_id

    def _holds(self) -> Iterator[tuple[str, Run]]:
        world, me, platform = self._world, self._member, Party.FULFILLMENT
        yield "hold_timed", lambda: self._hold("timed")
        yield "hold_repeated", lambda: self._hold("timed")
        timed = self._hold("timed")
        yield "capture_part", lambda: world.capture(timed, member=me, points=20)
        yield "capture_repeated", lambda: world.capture(timed, member=me, points=20)
        captured = self._hold("captured")
        yield "capture_timed", lambda: world.capture(captured, member=me)
        yield "cancel", lambda: world.cancel(captured, member=me)
        released = self._hold("released")
        yield "release_timed", lambda: world.release(released, member=me)
        yield "hold", lambda: self._hold("card", "card")
        card, other = self._hold("card", "card"), self._hold("other", "card")
        yield "capture", lambda: world.capture(card, member=me, by=platform)
        yield "release", lambda: world.release(other, member=me, by=platform)
        self._hold("late")
        world.clock.now += timedelta(minutes=world.program.document.limits.hold_minutes)
        yield "time_out", lambda: self._must(world.settle(me) == 1)

    def _reversals(self) -> Iterator[tuple[str, Run]]:
        yield "reversal", self._refund("F-000000001", "R-000000105", "5.00")
        self._accrue("R-000000107")()
        available = self._moves.wallet(self._member).available
        self._moves.adjust(-available, key="spent", member=self._member)
        yield "reversal_into_debt", self._refund("F-000000002", "R-000000107", "100.00")
        self._must(self._moves.wallet(self._member).debt > 0)
        yield "accrual_in_debt", self._accrue("R-000000108", "150.00")
        for number in range(200, 200 + PAGE):
            self._accrue(f"R-{number:09}")()

    def _reads(self) -> Iterator[tuple[str, Run]]:
        world, program = self._world, self._world.program
        store = world.store
        yield "wallet_read", lambda: world.now(self._member)
        yield "statement_page", lambda: store.entries(program.document.id, self._member, limit=PAGE)
        explain = ExplainService(store)
        yield "explain", lambda: explain.explain(program.scope, self._member, world.clock(), limit=PAGE)

    def _adjustments(self) -> Iterator[tuple[str, Run]]:
        moves, most = self._moves, self._world.program.document.limits.adjustment_points
        yield "adjustment", lambda: moves.adjust(25, key="adjusted", member=self._member)
        asked = most + 1
        yield "adjustment_proposed", lambda: moves.adjust(asked, key="proposed", member=self._member)
        proposed, _ = moves.adjust(asked, key="proposed", member=self._member)
        yield "adjustment_approved", lambda: moves.approve(proposed.adjustment_id, member=self._member)

    def _awaited(self) -> Iterator[tuple[str, Run]]:
        """A reversal that comes before its accrual; another accrual in between; the one that it waits for."""
        world = self._world
        refund = Refund("pos", "F-000000003", "R-000000300", world.occurred_at, Money.of("5.00", "EUR"))

        def early() -> None:
            self._must(isinstance(world.reversals.reverse(world.program, self._member, refund), Kept))

        yield "reversal_before_its_accrual", early
        yield "accrual_while_another_is_awaited", self._accrue("R-000000299")
        yield "accrual_that_was_awaited", self._accrue("R-000000300")

    def _expired(self) -> Iterator[tuple[str, Run]]:
        """Leaves a member without points, years later."""
        self._accrue("R-000000350")()
        self._world.clock.now += timedelta(days=1_200)
        self._world.settle(self._member)
        self._must(self._moves.wallet(self._member).available == 0)
        yield "reversal_of_expired_points", self._refund("F-000000004", "R-000000350", "5.00")

    def _moved(self) -> Iterator[tuple[str, Run]]:
        moves = self._moves
        self._accrue("R-000000360", "500.00")()
        self._accrue("R-0", member=self._other)()
        self._accrue("R-0", member=self._third)()
        moves.give(10, key="first", giver=self._member, to=self._other)
        yield "transfer", lambda: moves.give(10, key="again", giver=self._member, to=self._other)
        household = moves.found(self._member, self._other, key=self._member).household_id
        moves.contribute(household, 50, member=self._member, key="first")
        yield "contribution", lambda: moves.contribute(household, 50, member=self._member, key="again")
        moves.withdraw(household, 5, member=self._member, key="first")
        yield "withdrawal", lambda: moves.withdraw(household, 5, member=self._member, key="again")
        moves.leave(household, self._member)
        yield "merge", lambda: moves.merge(self._member, into=self._third)
        yield "accrual_after_merge", self._accrue("R-000000400", member=self._third)

    @staticmethod
    def _must(so: bool) -> None:
        if not so:
            raise AssertionError("the operation did something else than what is measured")
