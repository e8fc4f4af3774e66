"""Random walks over a wallet, in pure code: invariants after every step, and agreement with the plain model."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import InsufficientPoints
from loyalty.ledger import movements
from loyalty.ledger.model import Account, Movement, Wallet
from loyalty.programs.earning import lot_for
from loyalty.programs.model import Expiry
from tests.ledgerkit.model import PlainWallet, TooFew

EXPIRY = Expiry(policy="rolling", months=2)
STEPS = st.lists(
    st.tuples(st.sampled_from(["accrue", "refund", "hold", "capture", "release", "wait"]), st.integers(0, 60)),
    min_size=15,
    max_size=60,
)


@dataclass
class Walk:
    """The real wallet and the plain one, moved in step."""

    wallet: Wallet = field(default_factory=lambda: Wallet("acme", "mbr_1", "bronze"))
    plain: PlainWallet = field(default_factory=PlainWallet)
    today: date = date(2025, 11, 20)
    entries: list[Movement] = field(default_factory=list)
    accruals: list[Movement] = field(default_factory=list)
    holds: dict[str, Movement] = field(default_factory=dict)

    def post(self, movement: Movement) -> None:
        before = self.wallet
        self.wallet = movements.apply(before, movement)
        assert self.wallet.seq == before.seq + 1
        self.entries.append(movement)

    def expire(self) -> None:
        movement = movements.expire(self.wallet, self.today)
        if movement is not None:
            self.post(movement)

    def step(self, name: str, number: int) -> None:
        getattr(self, name)(number)
        self.check()

    def accrue(self, points: int) -> None:
        self.expire()
        lot = lot_for(EXPIRY, self.today)
        movement = movements.accrue(self.wallet, points, lot=lot, year=str(self.today.year))
        self.post(movement)
        # One cent a point, so that any number of points can be given back.
        self.plain.accrue(str(len(self.accruals)), points, cents=points, lot=lot, today=self.today.isoformat())
        self.accruals.append(movement)

    def refund(self, number: int) -> None:
        for name, earned in self.plain.earned.items():
            cents = min(number, earned.cents - earned.cents_back)
            if cents:
                self.expire()
                accrual = self.accruals[int(name)]
                points = self.plain.refund(name, cents, today=self.today.isoformat())
                lots = accrual.lots
                self.post(movements.reverse(self.wallet, points, earned_lots=lots, year=earned.year))
                return

    def hold(self, points: int) -> None:
        name = str(len(self.entries))
        try:
            self.plain.hold(name, points, today=self.today.isoformat())
        except TooFew:
            before = self.wallet
            try:
                movements.hold(before, points, self.today)
            except InsufficientPoints:
                return
            raise AssertionError("the ledger holds what the model cannot") from None
        self.expire()
        self.holds[name] = movements.hold(self.wallet, points, self.today)
        self.post(self.holds[name])

    def capture(self, number: int) -> None:
        if self.holds:
            name = list(self.holds)[number % len(self.holds)]
            self.expire()
            hold = self.holds.pop(name)
            self.plain.capture(name, today=self.today.isoformat())
            self.post(movements.capture(-hold.postings.get(Account.AVAILABLE, 0)))

    def release(self, number: int) -> None:
        if self.holds:
            name = list(self.holds)[number % len(self.holds)]
            self.expire()
            hold = self.holds.pop(name)
            self.plain.release(name, today=self.today.isoformat())
            lots = {lot: -points for lot, points in hold.lots.items()}
            self.post(movements.release(self.wallet, lots))

    def wait(self, days: int) -> None:
        self.today += timedelta(days=days)

    def check(self) -> None:
        wallet, plain = self.wallet, self.plain
        assert dict(wallet.lots) == Counter(plain.points)
        assert wallet.debt == plain.debt
        assert wallet.available == plain.available
        assert wallet.held == sum(map(len, plain.held.values()))
        assert {year: n for year, n in wallet.qualifying.items() if n} == {
            y: n for y, n in plain.qualifying.items() if n
        }
        assert wallet.spendable(self.today) == plain.spendable(self.today.isoformat())
        # Nothing below zero but what a refund of spent points took, and that only without a point left to pay it.
        assert min(wallet.held, wallet.pending, wallet.debt) >= 0
        assert wallet.available >= 0 or (wallet.debt == -wallet.available and not wallet.lots)
        assert all(points > 0 for points in wallet.lots.values())


@settings(derandomize=True, max_examples=500, deadline=None)
@given(STEPS)
def test_every_walk_keeps_the_invariants_and_agrees_with_the_plain_model(steps: list[tuple[str, int]]) -> None:
    walk = Walk()
    for name, number in steps:
        walk.step(name, number)
    totals: Counter[Account] = Counter()
    for entry in walk.entries:
        assert sum(entry.postings.values()) == 0
        assert sum(entry.lots.values()) - entry.debt == entry.postings.get(Account.AVAILABLE, 0)
        totals.update(dict(entry.postings))
    assert sum(totals.values()) == 0
    assert totals[Account.EXPIRED] == walk.plain.expired
    assert totals[Account.REDEEMED] == walk.plain.redeemed
    assert totals[Account.AVAILABLE] == walk.wallet.available
    net = sum(earned.points - earned.points_back for earned in walk.plain.earned.values())
    assert (
        -totals[Account.ISSUED]
        == net
        == walk.wallet.available + walk.wallet.held + walk.plain.expired + walk.plain.redeemed
    )


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 40)), min_size=1, max_size=10), st.data())
def test_held_then_released_points_are_where_they_were(earned: list[tuple[int, int]], data: st.DataObject) -> None:
    wallet, today = Wallet("acme", "mbr_1", "bronze"), date(2026, 1, 1)
    for points, months in earned:
        lot = (today + timedelta(days=30 * months)).isoformat()
        wallet = movements.apply(wallet, movements.accrue(wallet, points, lot=lot, year="2026"))
    points = data.draw(st.integers(0, wallet.available))
    hold = movements.hold(wallet, points, today)
    held = movements.apply(wallet, hold)
    released = movements.apply(held, movements.release(held, {lot: -part for lot, part in hold.lots.items()}))
    assert (released.lots, released.available, released.held) == (wallet.lots, wallet.available, 0)
    # First to expire: whatever is left of the lots expires no sooner than whatever was taken.
    assert not held.lots or not hold.lots or max(hold.lots) <= min(held.lots)
