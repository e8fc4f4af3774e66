"""A state machine that holds, captures, releases, cancels and waits, against a model as plain as it can be.

In the model every point is an item of a list, named by the last day on which it may be spent. It shares neither code
nor arithmetic with the ledger, and nobody writes anything down in it: it goes from one thing that falls due to the next.

There are two wallets, with an expiry and days of grace of their own, and rewards that are paid from either. In the model they
know nothing of each other: what is paid from the one changes nothing in the other.
"""

import calendar
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty.core.errors import IdempotencyKeyReused, InsufficientPoints, LoyaltyError
from loyalty.core.table import Table
from loyalty.ledger.model import POINTS, Account
from loyalty.rewards.errors import TooManyHolds
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import World, total

ZONE = ZoneInfo("Asia/Jakarta")  # midnight is at 17:00 UTC
STARS = "stars"
MONTHS = {POINTS: 2, STARS: 1}
GRACE_DAYS = {POINTS: 10, STARS: 45}
EARNED_BY = {POINTS: "purchase", STARS: "visit"}
MILLISECOND = timedelta(milliseconds=1)


def expiry(wallet: str) -> dict[str, Any]:
    return {"policy": "rolling", "months": MONTHS[wallet], "grace_days": GRACE_DAYS[wallet], "warn_days": [3]}


PROGRAM = program(
    expiry=expiry(POINTS),
    wallets=[{"id": STARS, "name": "Stars", "expiry": expiry(STARS)}],
    earn_rules=[
        *BASE["earn_rules"],
        {
            "id": "stars",
            "activity": EARNED_BY[STARS],
            "wallet": STARS,
            "rates": [{"points": 1, "per": "1", "currency": "EUR"}],
        },
    ],
    rewards=[
        *BASE["rewards"],
        {"id": "pin", "name": "A pin", "type": "product", "points": 30, "wallet": STARS},
        BASE["rewards"][2] | {"id": "star-card", "points": 120, "wallet": STARS},
    ],
    time_zone="Asia/Jakarta",
)
PRICES = {"ten": 10, "coffee": 50, "card": 200, "pin": 30, "star-card": 120}
CARDS = {"card", "star-card"}
REFUSALS = {
    "held": {"cancel": "redemption_not_captured"},
    "captured": {"release": "redemption_already_captured"},
    "released": {"capture": "redemption_already_released", "cancel": "redemption_already_released"},
    "timed_out": dict.fromkeys(("capture", "release", "cancel"), "redemption_timed_out"),
    "cancelled": dict.fromkeys(("capture", "release"), "redemption_already_cancelled"),
}
_members = count()


@dataclass
class PlainHold:
    points: list[str]
    expires_at: datetime | None
    status: str = "held"
    captured: list[str] = field(default_factory=list)


@dataclass
class PlainWallet:
    now: datetime
    name: str = POINTS
    points: list[str] = field(default_factory=list)
    below_zero: int = 0
    holds: dict[str, PlainHold] = field(default_factory=dict)
    expired: int = 0
    redeemed: int = 0

    @property
    def today(self) -> date:
        return self.now.astimezone(ZONE).date()

    def open(self) -> dict[str, PlainHold]:
        return {name: hold for name, hold in self.holds.items() if hold.status == "held"}

    def timed(self) -> dict[str, datetime]:
        return {name: hold.expires_at for name, hold in self.open().items() if hold.expires_at}

    def ended(self) -> list[str]:
        """Of those that a partner ends."""
        return [name for name, hold in self.holds.items() if hold.status != "held" and hold.expires_at]

    def wait_until(self, moment: datetime) -> None:
        while due := self._first_due(moment):
            self.now, _, name = due
            if name in self.holds:
                self.holds[name].status = "timed_out"
                self.credit(self.holds[name].points)
            else:
                self.expired += self.points.count(name)
                self.points = [day for day in self.points if day != name]
        self.now = moment

    def _first_due(self, moment: datetime) -> tuple[datetime, int, str] | None:
        midnights = [(self.after(day), 1, day) for day in set(self.points)]
        due = [(expires_at, 0, name) for name, expires_at in self.timed().items()] + midnights
        return min((one for one in due if one[0] <= moment), default=None)

    @staticmethod
    def after(day: str) -> datetime:
        """When the points of a last day are over."""
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), ZONE)

    def credit(self, days: list[str]) -> None:
        later = self.today + timedelta(days=GRACE_DAYS[self.name])
        grace = later.replace(day=calendar.monthrange(later.year, later.month)[1]).isoformat()
        back = sorted(day if day >= self.today.isoformat() else grace for day in days)
        paid = min(self.below_zero, len(back))
        self.below_zero -= paid
        self.points += back[paid:]

    def take_back(self, points: int, day: str) -> None:
        own_first = sorted(self.points, key=lambda one: (one != day, one))
        self.below_zero += max(0, points - len(self.points))
        self.points = own_first[points:]

    def hold(self, name: str, points: int, expires_at: datetime | None) -> None:
        queue = sorted(self.points)
        self.holds[name], self.points = PlainHold(queue[:points], expires_at), queue[points:]

    def capture(self, name: str, points: int) -> None:
        hold = self.holds[name]
        queue = sorted(hold.points)
        hold.status, hold.captured = "captured", queue[:points]
        self.redeemed += points
        self.credit(queue[points:])

    def release(self, name: str) -> None:
        self.holds[name].status = "released"
        self.credit(self.holds[name].points)

    def cancel(self, name: str) -> None:
        self.holds[name].status = "cancelled"
        self.redeemed -= len(self.holds[name].captured)
        self.credit(self.holds[name].captured)


class Redemptions(RuleBasedStateMachine):
    """Ends are asked for in any order, of any hold, and again."""

    table: Table

    def __init__(self) -> None:
        super().__init__()
        self.member = f"mbr_{next(_members)}"
        self.clock = SettableClock(at("2025-11-20T10:00:00Z"))
        self.world = World(self.table, of=PROGRAM, clock=self.clock).enroll(self.member)
        self.plains = {name: PlainWallet(self.clock(), name) for name in (POINTS, STARS)}
        self.requests: dict[str, dict[str, Any]] = {}
        self.ids: dict[str, str] = {}
        self.numbers = count()
        self.earned_today: list[tuple[str, str, int, str]] = []

    @property
    def timed(self) -> dict[str, datetime]:
        return {name: until for plain in self.plains.values() for name, until in plain.timed().items()}

    @property
    def ended(self) -> list[str]:
        return [name for plain in self.plains.values() for name in plain.ended()]

    @property
    def holds(self) -> dict[str, PlainHold]:
        return {name: hold for plain in self.plains.values() for name, hold in plain.holds.items()}

    def _plain(self, name: str) -> PlainWallet:
        """The wallet that a hold is in."""
        return next(plain for plain in self.plains.values() if name in plain.holds)

    @initialize(points=st.integers(300, 600))
    def begin(self, points: int) -> None:
        for wallet in (POINTS, STARS):
            self.accrue(points, wallet)
        self._wait_until(self.clock() + timedelta(days=35))
        for wallet in (POINTS, STARS):
            self.accrue(points, wallet)

    @rule(points=st.integers(1, 300), wallet=st.sampled_from([POINTS, POINTS, STARS]))
    def accrue(self, points: int, wallet: str) -> None:
        name, plain = f"A{next(self.numbers)}", self.plains[wallet]
        entry = self.world.accrue(name, str(points), member=self.member, activity=EARNED_BY[wallet]).entry
        assert entry.movement.change(wallet).postings.get(Account.ISSUED, 0) == -points
        month = plain.today.month + MONTHS[wallet]
        year, month = plain.today.year + (month - 1) // 12, (month - 1) % 12 + 1
        day = date(year, month, calendar.monthrange(year, month)[1]).isoformat()
        plain.credit([day] * points)
        self.earned_today.append((wallet, name, points, day))

    @precondition(lambda self: self.earned_today)
    @rule()
    def take_back_what_was_earned_today(self) -> None:
        """It may be held or spent by now: then the balance goes below zero."""
        wallet, of, points, day = self.earned_today.pop()
        self.world.refund(f"F{next(self.numbers)}", of, str(points), member=self.member)
        self.plains[wallet].take_back(points, day)

    @rule(
        reward=st.sampled_from(["coffee", "ten", "card", "pin", "pin", "star-card"]),
        quantity=st.integers(1, 4),
        minutes=st.none() | st.integers(1, 10_080),
    )
    def hold(self, reward: str, quantity: int, minutes: int | None) -> None:
        name, points = f"H{next(self.numbers)}", PRICES[reward] * quantity
        plain = self.plains[STARS if reward in {"pin", "star-card"} else POINTS]
        minutes = None if reward in CARDS else minutes
        request: dict[str, Any] = {
            "reward": reward, "quantity": quantity, "hold_minutes": minutes, "member": self.member,
        }  # fmt: skip
        if reward not in CARDS and len(self.timed) == 20:
            with pytest.raises(TooManyHolds):
                self.world.hold(name, **request)
        elif points > len(plain.points) - plain.below_zero:
            with pytest.raises(InsufficientPoints):
                self.world.hold(name, **request)
        else:
            expires_at = None if reward in CARDS else self.clock() + timedelta(minutes=minutes or 10_080)
            plain.hold(name, points, expires_at)
            redemption, replayed = self.world.hold(name, **request)
            assert not replayed
            assert (redemption.expires_at, redemption.wallet) == (expires_at, plain.name)
            assert dict(redemption.lots) == Counter(plain.holds[name].points)
            self.requests[name], self.ids[name] = request, redemption.redemption_id

    @precondition(lambda self: self.ids)
    @rule(pick=st.integers(0, 99))
    def hold_again(self, pick: int) -> None:
        name = self._picked(list(self.ids), pick)
        redemption, replayed = self.world.hold(name, **self.requests[name])
        assert (replayed, redemption.status) == (True, "held")
        assert redemption.redemption_id == self.ids[name]
        with pytest.raises(IdempotencyKeyReused):
            self.world.hold(name, **self.requests[name] | {"quantity": 9})

    @precondition(lambda self: self.timed)
    @rule(pick=st.integers(0, 99), percent=st.none() | st.integers(0, 100))
    def capture(self, pick: int, percent: int | None) -> None:
        """A part of what is held, or all of it without a number."""
        name = self._picked(list(self.timed), pick)
        held = len(self.holds[name].points)
        points = None if percent is None else max(1, held * percent // 100)
        captured = self.world.capture(self.ids[name], points=points, member=self.member)
        wanted = held if points is None else points
        self._plain(name).capture(name, wanted)
        assert captured.captured_points == wanted

    @rule(
        reward=st.sampled_from(["coffee", "pin"]),
        quantity=st.integers(1, 4),
        percent=st.none() | st.integers(0, 100),
    )
    def hold_and_capture(self, reward: str, quantity: int, percent: int | None) -> None:
        self.hold(reward, quantity, None)
        if timed := list(self.timed):
            self.capture(len(timed) - 1, percent)

    @precondition(lambda self: self.ended)
    @rule(pick=st.integers(0, 99), other=st.booleans())
    def capture_what_has_ended(self, pick: int, other: bool) -> None:
        """Only the very capture that ended it is answered again."""
        name = self._picked(self.ended, pick)
        hold = self.holds[name]
        points = (len(hold.captured) or 1) + other
        refusal = REFUSALS[hold.status].get("capture")
        if other and hold.status == "captured":
            refusal = "redemption_already_captured"
        self._asked(refusal, lambda: self.world.capture(self.ids[name], points=points, member=self.member))

    @precondition(lambda self: self.timed or self.ended)
    @rule(pick=st.integers(0, 99), end=st.sampled_from(["release", "cancel", "cancel"]), latest=st.booleans())
    def release_or_cancel(self, pick: int, end: str, latest: bool) -> None:
        """``latest``: of what was captured last, where anything was."""
        captured = [name for name, hold in self.holds.items() if hold.status == "captured" and hold.expires_at]
        name = captured[-1] if captured and latest else self._picked([*self.timed, *self.ended], pick)
        hold, act = self.holds[name], getattr(self.world, end)
        self._asked(REFUSALS[hold.status].get(end), lambda: act(self.ids[name], member=self.member))
        if (hold.status, end) in {("held", "release"), ("captured", "cancel")}:
            getattr(self._plain(name), end)(name)

    @staticmethod
    def _picked(names: list[str], pick: int) -> str:
        return names[pick % len(names)]

    def _asked(self, refusal: str | None, ask: Callable[[], object]) -> None:
        """It is refused by that name, or not at all; a refusal leaves the book where it is."""
        seq = self.world.book(self.member).seq
        if refusal is None:
            ask()
            return
        with pytest.raises(LoyaltyError) as refused:
            ask()
        assert refused.value.code == refusal
        assert self.world.book(self.member).seq == seq

    @rule(hours=st.integers(1, 24 * 6))
    def wait(self, hours: int) -> None:
        self._wait_until(self.clock() + timedelta(hours=hours))

    @precondition(lambda self: all(plain.points for plain in self.plains.values()))
    @rule(hours=st.integers(1, 24 * 6), reward=st.sampled_from(["coffee", "pin"]))
    def hold_shortly_before_an_expiry(self, hours: int, reward: str) -> None:
        """Until shortly after it: what comes back then comes back to a lot that is over."""
        plain = self.plains[STARS if reward == "pin" else POINTS]
        last = plain.after(min(plain.points)) - MILLISECOND
        self._wait_until(max(self.clock(), last))
        self.hold(reward, 1, None)
        self._wait_until(self.clock() + timedelta(hours=hours))

    @precondition(lambda self: self.timed)
    @rule(early=st.booleans())
    def wait_for_the_next_time_out(self, early: bool) -> None:
        moment = min(self.timed.values())
        self._wait_until(max(self.clock(), moment - MILLISECOND) if early else moment)

    def _wait_until(self, moment: datetime) -> None:
        day = self.plains[POINTS].today
        self.clock.now = moment
        for plain in self.plains.values():
            plain.wait_until(moment)
        if self.plains[POINTS].today != day:
            self.earned_today.clear()

    @rule()
    def sweep(self) -> None:
        self.world.settle(self.member)

    @invariant()
    def agrees_with_the_plain_model(self) -> None:
        book = self.world.now(self.member)
        for name, plain in self.plains.items():
            wallet = book.wallet(name)
            assert dict(wallet.lots) == Counter(plain.points)
            assert wallet.available == len(plain.points) - plain.below_zero
            assert wallet.held == sum(len(hold.points) for hold in plain.open().values())
        assert {key: (hold.wallet, hold.expires_at) for key, hold in book.holds.items()} == {
            self.ids[name]: (plain.name, expires_at)
            for plain in self.plains.values()
            for name, expires_at in plain.timed().items()
        }

    @precondition(lambda self: self.ids)
    @rule(pick=st.integers(0, 99))
    def read(self, pick: int) -> None:
        name = self._picked(list(self.ids), pick)
        redemption = self.world.redemptions.get("acme", self.member, self.ids[name])
        hold = self.holds[name]
        assert (redemption.status, redemption.wallet) == (hold.status, self._plain(name).name)
        assert redemption.spent == Counter(hold.captured)
        assert dict(redemption.lots) == Counter(hold.points)

    def teardown(self) -> None:
        self.world.settle(self.member)
        entries = self.world.entries(self.member)
        for name, plain in self.plains.items():
            assert total(entries, Account.EXPIRED, name) == plain.expired
            assert total(entries, Account.REDEEMED, name) == plain.redeemed
        assert self.world.audit() == []
        empty_table(self.table)


def test_redemptions_agree_with_the_plain_model_whatever_comes_in_whatever_order(table: Table) -> None:
    machine = type("BoundRedemptions", (Redemptions,), {"table": table})
    run_state_machine_as_test(
        machine, settings=settings(derandomize=True, max_examples=30, stateful_step_count=30, deadline=None)
    )
