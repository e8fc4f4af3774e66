"""Random walks over a book, in pure code: invariants after every step, and agreement with the plain model."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.clock import local_date
from loyalty.core.errors import InsufficientPoints, ReversalRefused
from loyalty.ledger import movements
from loyalty.ledger.model import (
    MAX_TIMED_HOLDS,
    POINTS,
    Account,
    Book,
    Change,
    Hold,
    Movement,
    ReversalPolicy,
    Scope,
    Terms,
    Wallet,
)
from loyalty.ledger.movements import Taken
from loyalty.ledger.settlement import next_due, settle
from loyalty.programs.earning import lot_for
from loyalty.programs.model import Expiry
from tests.ledgerkit.clock import at
from tests.ledgerkit.model import PlainWallet, TooFew
from tests.ledgerkit.programs import program

EXPIRY = Expiry(policy="rolling", months=2)
SCOPE = Scope("acme", 1, program(time_zone="Asia/Jakarta").document.zone, {POINTS: Terms(warn_days=(7,))})
JAKARTA = timedelta(hours=7)
NAMES = ["accrue", "earn_later", "refund", "hold", "capture", "release", "wait"]
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 60)), min_size=15, max_size=60)


@dataclass
class Walk:
    """The real book and the plain one, moved in step."""

    policy: ReversalPolicy
    now: datetime = field(default_factory=lambda: at("2025-11-20T10:00:00Z"))
    book: Book = field(default_factory=lambda: Book("acme", "mbr_1", "bronze"))
    entries: list[Movement] = field(default_factory=list)
    accruals: list[Change] = field(default_factory=list)
    holds: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plain = PlainWallet(self.now.replace(tzinfo=None) + JAKARTA, policy=self.policy)
        self.timed: set[str] = set()

    @property
    def wallet(self) -> Wallet:
        return self.book.wallet()

    def post(
        self, change: Change, holds: dict[str, Hold | None] | None = None, qualifying: dict[str, int] | None = None
    ) -> None:
        movement = Movement({POINTS: change}, qualifying or {}, holds=holds or {})
        before = self.book
        self.book = movements.apply(before, movement, settled_to=self.now)
        assert self.book.seq == before.seq + 1
        self.entries.append(movement)

    def wait(self, days: int) -> None:
        """And everything that falls due, in both."""
        self.now += timedelta(days=days, hours=days % 24)
        for one in settle(self.book, SCOPE, self.now):
            self.book = one.book
            self.entries.append(one.movement)
        self.plain.wait(self.now.replace(tzinfo=None) + JAKARTA)
        self.holds = {key: lots for key, lots in self.holds.items() if key in self.plain.held}
        due = next_due(self.book, SCOPE)
        assert due is None or due > self.now

    def step(self, name: str, number: int) -> None:
        self.wait(0)
        getattr(self, name)(number)
        self.check()

    def accrue(self, points: int, window: int = 0) -> None:
        today = local_date(self.now, SCOPE.zone)
        day = today + timedelta(days=window) if window else None
        lot = lot_for(EXPIRY, day or today)
        change = movements.accrue(self.wallet, points, lot=lot, matures_on=day)
        self.post(change, qualifying={str(today.year): points})
        self.plain.accrue(
            str(len(self.accruals)), points, goods=max(points, 1), paid=max(points, 1), lot=lot,
            day=day.isoformat() if day else None, renew_to=lot,
        )  # fmt: skip
        self.accruals.append(change)

    def earn_later(self, points: int) -> None:
        self.accrue(points, 1 + points % 20)

    def refund(self, number: int) -> None:
        """Of the first purchase that has something left; a cent a point, so that any number of points may go."""
        for name, purchase in self.plain.bought.items():
            cents = min(number, purchase.points - purchase.points_back)
            if cents:
                before = sum(purchase.lapsed for purchase in self.plain.bought.values())
                try:
                    points = self.plain.refund(name, money=cents)
                except TooFew:
                    points, refused = cents, True
                else:
                    refused = False
                lapsed = sum(purchase.lapsed for purchase in self.plain.bought.values()) - before
                earned = self.accruals[int(name)]
                if refused:
                    lapsed = self._could_lapse(name, cents)
                    with pytest.raises(ReversalRefused):
                        movements.reverse(self.wallet, Taken(points, lapsed), earned=earned, policy=self.policy)
                    return
                change = movements.reverse(self.wallet, Taken(points, lapsed), earned=earned, policy=self.policy)
                self.post(change, qualifying={purchase.year: -points})
                return

    def _could_lapse(self, name: str, cents: int) -> int:
        purchase = self.plain.bought[name]
        if purchase.lot >= self.plain.today:
            return 0
        gone = self.plain.expired[purchase.lot] - self.plain.lapsed[purchase.lot]
        return min(cents, purchase.in_lot - purchase.lapsed, gone)

    def hold(self, points: int) -> None:
        name = str(len(self.entries))
        until = self.now + timedelta(days=7)
        if len(self.holds) == MAX_TIMED_HOLDS:
            return
        try:
            self.plain.hold(name, points, until=until.replace(tzinfo=None) + JAKARTA, renew_to="")
        except TooFew:
            with pytest.raises(InsufficientPoints):
                movements.spend(self.wallet, points, Account.HELD)
            return
        change = movements.spend(self.wallet, points, Account.HELD)
        self.holds[name] = {lot: -part for lot, part in change.lots.items()}
        self.post(change, {name: Hold(POINTS, self.holds[name], until)})

    def capture(self, number: int) -> None:
        if self.holds:
            name = list(self.holds)[number % len(self.holds)]
            lots = self.holds.pop(name)
            points = sum(lots.values()) * (number % 3) // 2
            today = local_date(self.now, SCOPE.zone)
            self.post(movements.capture(self.wallet, lots, points, today=today, grace_days=30), {name: None})
            self.plain.capture(name, points)

    def release(self, number: int) -> None:
        if self.holds:
            name = list(self.holds)[number % len(self.holds)]
            lots, today = self.holds.pop(name), local_date(self.now, SCOPE.zone)
            change = movements.give_back(self.wallet, lots, source=Account.HELD, today=today, grace_days=30)
            self.post(change, {name: None})
            self.plain.release(name)

    def check(self) -> None:
        wallet, plain = self.wallet, self.plain
        assert dict(wallet.lots) == Counter(plain.points)
        assert dict(wallet.maturing) == Counter(f"{day}/{lot}" for day, lot in plain.pending)
        assert (wallet.available, wallet.debt) == (plain.available, plain.debt)
        assert wallet.pending == len(plain.pending)
        assert wallet.held == sum(len(hold.points) for hold in plain.held.values())
        assert {year: n for year, n in self.book.qualifying.items() if n} == {
            y: n for y, n in plain.qualifying.items() if n
        }
        # Nothing below zero but what a reversal of spent points took, and that only without a point left to pay it.
        assert min(wallet.held, wallet.pending, wallet.debt) >= 0
        assert wallet.available >= 0 or (self.policy is ReversalPolicy.ALLOW_NEGATIVE and not wallet.lots)
        assert not wallet.debt or (self.policy is ReversalPolicy.CLAMP_WITH_DEBT and not wallet.lots)
        assert all(points > 0 for points in [*wallet.lots.values(), *wallet.maturing.values()])


@pytest.mark.parametrize("policy", ReversalPolicy)
@settings(derandomize=True, max_examples=200, deadline=None)
@given(steps=STEPS)
def test_every_walk_keeps_the_invariants_and_agrees_with_the_plain_model(
    policy: ReversalPolicy, steps: list[tuple[str, int]]
) -> None:
    walk = Walk(policy)
    for name, number in steps:
        walk.step(name, number)
    totals: Counter[Account] = Counter()
    for entry in walk.entries:
        assert sum(entry.change().postings.values()) == 0
        totals.update(dict(entry.change().postings))
    plain, wallet = walk.plain, walk.wallet
    assert sum(totals.values()) == 0
    assert totals[Account.EXPIRED] == sum(plain.expired.values()) - sum(plain.lapsed.values())
    assert totals[Account.REDEEMED] == plain.redeemed
    assert (totals[Account.AVAILABLE], totals[Account.PENDING]) == (wallet.available, wallet.pending)
    assert (totals[Account.HELD], totals[Account.DEBT]) == (wallet.held, -wallet.debt)
    assert -totals[Account.ISSUED] == sum(one.points - one.points_back for one in plain.bought.values())


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 40)), min_size=1, max_size=10), st.data())
def test_held_then_released_points_are_where_they_were(earned: list[tuple[int, int]], data: st.DataObject) -> None:
    book, now = Book("acme", "mbr_1", "bronze"), at("2026-01-01T12:00:00Z")
    today = local_date(now, SCOPE.zone)
    for points, months in earned:
        lot = (today + timedelta(days=30 * months)).isoformat()
        book = _after(book, movements.accrue(book.wallet(), points, lot=lot), now)
    points = data.draw(st.integers(0, book.wallet().available))
    hold = movements.spend(book.wallet(), points, Account.HELD)
    held = _after(book, hold, now)
    lots = {lot: -part for lot, part in hold.lots.items()}
    back = movements.give_back(held.wallet(), lots, source=Account.HELD, today=today, grace_days=30)
    assert _after(held, back, now).wallet() == book.wallet()
    # First to expire: whatever is left of the lots expires no sooner than whatever was taken.
    left = held.wallet().lots
    assert not left or not hold.lots or max(hold.lots) <= min(left)


def _after(book: Book, change: Change, now: datetime) -> Book:
    return movements.apply(book, Movement({POINTS: change}), settled_to=now)
