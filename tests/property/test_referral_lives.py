"""Whatever order events of a referral come in, however late and however often: it ends as the ledger says.

A friend buys, gives back, becomes known too late, is merged; the shop tells of returns before their purchases. The same story is
played twice: once with each event delivered at once, and once with every event delivered one to three times, each up to 13 days
late, that is in any order, before and after what it belongs to. The clock runs every day.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from loyalty.accruals.errors import AccrualFullyReversed, AmountExceedsAccrual
from loyalty.accruals.model import Refund, ReversalReason
from loyalty.attribution.model import ReferralStatus
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind
from loyalty.ledger.service import Ledger
from loyalty.referrals.events import Happening, What
from loyalty.referrals.lifecycle import Lifecycle
from loyalty.referrals.paying import Payer
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.waking import ADA, FRIEND, Brought

OTHER: Final = "mbr_other"
DAYS: Final = 110
"""Until nothing can happen any more: the deadline, what is late, the return window, and the latest delivery."""
LATEST: Final = 13
"""Days: less than the return window, beyond which what was given back may be noticed after the next purchase was."""


@dataclass(frozen=True)
class Purchase:
    """``lag``: after so many days it becomes known; ``returned``: the days on which the shop tells of returns, and of how much."""

    day: int
    amount: str
    lag: int = 0
    returned: tuple[tuple[int, str | None], ...] = ()

    @property
    def known(self) -> int:
        """The day on which the platform has it."""
        return self.day + self.lag

    def counts(self, day: int) -> bool:
        """Made and known in time, with 20.00 left of it by the end of a day."""
        left = Decimal(self.amount)
        for on, part in sorted(self.returned, key=lambda one: max(self.day + one[0], self.known)):
            back = left if part is None else Decimal(part)
            if self.day + on <= day and back <= left:
                left -= back
        return self.day < 30 and self.known < 44 and self.known <= day and left >= 20


@dataclass(frozen=True)
class Story:
    purchases: tuple[Purchase, ...]
    merged: int | None = None
    """The day on which the friend is merged into somebody else; ``into_referrer``: into whom brought them."""
    into_referrer: bool = False
    seed: int = 0


def plainly(story: Story) -> ReferralStatus:
    """How a story must end, by hand: day by day, with what the shop says and no ledger."""
    status, which = ReferralStatus.ENROLLED, None
    # What is known after the merge is known of somebody else.
    mine = [one for one in story.purchases if story.merged is None or one.known <= story.merged]
    mine.sort(key=lambda one: one.known)
    for day in range(DAYS):
        merged = story.merged is not None and story.merged <= day
        if status is ReferralStatus.REWARDED and (which is None or not which.counts(day)):
            return ReferralStatus.REVERSED
        if status is ReferralStatus.REWARDED:
            continue
        which = next((one for one in mine if one.counts(day)), None)
        if which is not None:
            paid = which.known + 14 <= day
            status = ReferralStatus.REWARDED if paid else ReferralStatus.QUALIFIED
            if paid and merged and story.into_referrer:
                return ReferralStatus.UNREWARDED
        elif merged and status is not ReferralStatus.EXPIRED:
            return ReferralStatus.UNREWARDED
        else:
            status = ReferralStatus.EXPIRED if day >= 30 else ReferralStatus.ENROLLED
    return status


@dataclass
class Ended:
    """How a story ended: the status, and what each side has of it."""

    status: ReferralStatus
    referrer: int
    friend: int
    entries: Counter[str] = field(default_factory=Counter)


@st.composite
def purchases(draw: st.DrawFn) -> Purchase:
    day, lag = draw(st.integers(0, 34)), draw(st.sampled_from([0, 0, 0, 1, 5, 20]))
    amount = draw(st.sampled_from(["19.99", "20.00", "45.00"]))
    parts = st.tuples(st.integers(0, 60), st.sampled_from([None, "0.01", "15.00", "25.00"]))
    return Purchase(day, amount, lag, tuple(draw(st.lists(parts, max_size=2))))


stories = st.builds(
    Story,
    st.lists(purchases(), max_size=4).map(tuple),
    st.none() | st.integers(0, 40),
    st.booleans(),
    st.integers(0, 1_000_000),
)


class Played:
    """One story over the ledger: each day what happens, what is delivered, and what the clock finds due."""

    def __init__(self, table: Table, story: Story, lateness: Callable[[], list[int]]) -> None:
        empty_table(table)
        self.brought = Brought(table)
        self.world = self.brought.world.enroll(OTHER)
        self.payer = Payer(Ledger(table, self.world.clock, sleep=lambda _: None), self.brought.store, self.world.clock)
        beside = self.payer, self.brought.screener, self.world.clock
        codes = self.brought.codes
        self.lifecycle = Lifecycle(table, self.brought.programs, *beside, codes=codes, sleep=lambda _: None)
        self.story, self.lateness = story, lateness
        self.deliveries: dict[int, list[Happening]] = defaultdict(list)
        self.known = 0
        self.random = random.Random(story.seed)  # noqa: S311 - the order of a test
        self.day = 0

    def play(self) -> Ended:
        self._emit(Happening("acme", FRIEND, What.OTHER))
        days = {purchase.day + purchase.lag for purchase in self.story.purchases} | {self.story.merged}
        days |= {purchase.day + day for purchase in self.story.purchases for day, _ in purchase.returned}
        for self.day in range(DAYS):
            if self.day in days:
                self._happens()
            events = self.deliveries.pop(self.day, [])
            self.random.shuffle(events)
            for event in events:
                self.lifecycle.told(event)
            due = self.brought.referral.due_at
            if due is not None and due <= self.world.clock():
                self.lifecycle.woken("acme", FRIEND)
                events.append(Happening("acme", FRIEND, What.OTHER))
            if events:
                self._both_or_neither()
            self.world.clock.advance(days=1)
        assert self.deliveries == {}
        return self._ended()

    def _happens(self) -> None:
        for number, purchase in enumerate(self.story.purchases):
            if purchase.day + purchase.lag == self.day:
                at = self.brought.claimed_at + timedelta(days=purchase.day)
                self.brought.buys(f"R-{number}", purchase.amount, at=at)
            for place, (day, part) in enumerate(purchase.returned):
                if purchase.day + day == self.day:
                    self._returns(number, place, part)
        if self.story.merged == self.day:
            self.brought.merge(FRIEND, ADA if self.story.into_referrer else OTHER)
        self._publish()

    def _returns(self, number: int, place: int, part: str | None) -> None:
        amount = Money.of(part, "EUR") if part else None
        refund = Refund(
            "pos", f"F-{number}-{place}", f"R-{number}", self.world.clock(), amount, everything=part is None,
            reason=ReversalReason.RETURN,
        )  # fmt: skip
        # More than is left: the shop's mistake, and nothing is written.
        with suppress(AccrualFullyReversed, AmountExceedsAccrual):
            self.world.reversals.reverse(self.world.program, FRIEND, refund)

    def _publish(self) -> None:
        """Events of the entries that were written since: what the stream tells."""
        what = {
            EntryKind.ACCRUAL: What.PURCHASE,
            EntryKind.REVERSAL: What.REVERSAL,
            EntryKind.MERGE_OUT: What.OTHER,
        }
        entries = [entry for member in (ADA, FRIEND, OTHER) for entry in self.world.entries(member)]
        mine = [one for one in entries if one.key.source != "referral" and one.key.kind in what]
        for entry in sorted(mine, key=lambda one: one.posted_at)[self.known :]:
            self._emit(Happening("acme", entry.member_id, what[entry.key.kind]))
        self.known = len(mine)

    def _emit(self, event: Happening) -> None:
        for late in self.lateness():
            self.deliveries[self.day + late].append(event)

    def _rewards(self) -> Iterator[tuple[str, int]]:
        for member in (ADA, FRIEND, OTHER):
            for entry in self.world.entries(member):
                if entry.key.source == "referral" and entry.key.kind in {EntryKind.ACCRUAL, EntryKind.REVERSAL}:
                    side = entry.facts.activity or ""
                    yield f"{entry.key.kind}:{side}", -entry.movement.change().postings.get(Account.ISSUED, 0)

    def _both_or_neither(self) -> None:
        written = Counter(kind for kind, _ in self._rewards())
        assert written["accrual:referral"] == written["accrual:referred"] <= 1
        assert written["reversal:referral"] == written["reversal:referred"] <= written["accrual:referral"]

    def _ended(self) -> Ended:
        rewards = list(self._rewards())
        of = {side: sum(points for kind, points in rewards if kind.endswith(side)) for side in ("referral", "referred")}
        status = self.brought.referral.status
        return Ended(status, of["referral"], of["referred"], Counter(kind for kind, _ in rewards))


def at_once() -> list[int]:
    return [0]


def late(seed: int) -> Callable[[], list[int]]:
    chosen = random.Random(seed)  # noqa: S311 - the order of a test
    return lambda: [chosen.choice([0, 1, 4, LATEST]) for _ in range(chosen.choice([1, 1, 2, 3]))]


@settings(max_examples=25, deadline=None)
@given(stories)
@example(Story((Purchase(1, "20.00"),)))
@example(Story((Purchase(1, "45.00", returned=((0, None),)),), seed=1))
@example(Story((Purchase(5, "45.00", lag=5, returned=((1, None),)), Purchase(6, "20.00")), seed=2))
@example(Story((Purchase(29, "20.00", lag=13, returned=((40, None),)),), seed=3))
@example(Story((Purchase(1, "45.00", returned=((14, "25.01"), (15, None))),), seed=4))
@example(Story((Purchase(1, "45.00", returned=((30, None),)),), merged=20, seed=5))
@example(Story((Purchase(1, "45.00", returned=((30, None),)),), merged=20, into_referrer=True, seed=6))
@example(Story((Purchase(3, "45.00"),), merged=10, into_referrer=True, seed=7))
def test_any_order_and_repetition_ends_as_the_ledger_says(memory_table: Table, story: Story) -> None:
    expected = Played(memory_table, story, at_once).play()
    found = Played(memory_table, story, late(story.seed))
    assert found.play() == expected
    assert expected.status is plainly(story)
    both = (500, 250) if expected.status is ReferralStatus.REWARDED else (0, 0)
    assert (expected.referrer, expected.friend) == both
    assert found.world.audit() == []
