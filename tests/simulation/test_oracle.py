"""The plain model, against examples worked out by hand."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import pytest

from tests.simulation.oracle import judgement
from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Bought,
    Command,
    EndHold,
    Give,
    HoldPoints,
    Merge,
    Sum,
    TakeBack,
)
from tests.simulation.oracle.days import Calendar, end_of_month, months_later, next_such_day
from tests.simulation.oracle.rules import Rules
from tests.simulation.oracle.wallet import PlainWallet
from tests.simulation.oracle.world import PlainWorld, When

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
DOCUMENT: Mapping[str, Any] = {
    "time_zone": "UTC",
    "earn_rules": [
        {"id": "shop", "activity": "purchase", "rates": [{"points": 1, "per": "1", "currency": "EUR"}]},
        {
            "id": "web", "activity": "order", "return_days": 14,
            "rates": [{"points": 1, "per": "1", "currency": "EUR"}],
        },
    ],
    "tiers": [{"id": "bronze", "threshold": 0}, {"id": "gold", "threshold": 400, "multiplier": "1.5"}],
    "expiry": {"policy": "rolling", "months": 1, "grace_days": 5, "warn_days": []},
    "rewards": [{"id": "mug", "type": "perk", "points": 30}],
    "transfers": {"minimum_points": 1, "maximum_points": 100, "daily_points": 100},
}  # fmt: skip


class _Names:
    def redemption(self, member: str, key: str) -> str:
        return f"{member}/{key}"

    adjustment = transfer = tier_grant = redemption


class Story:
    """Two members, and what happens to them one after the other."""

    def __init__(self, **changed: Any) -> None:
        self.rules = Rules({**DOCUMENT, **changed}, 1)
        self.world = PlainWorld({1: self.rules}, _Names())
        self.now = NOON
        for member in "ab":
            self.world.enroll(member, NOON - timedelta(days=1))

    def tell(self, *commands: Command) -> list[str]:
        return [self._answer(command) for command in commands]

    def _answer(self, command: Command) -> str:
        for member in self.world.members:
            self.world.settle(member, self.rules, self.now)
        return judgement.answer(self.world, command, When(self.now, self.rules))

    def on(self, day: str) -> Self:
        self.now = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        for member in self.world.members:
            self.world.settle(member, self.rules, self.now)
        return self

    def wallet(self, member: str = "a") -> PlainWallet:
        return self.world.members[member].wallet()


def bought(units: int, name: str = "A1", member: str = "a", activity: str = "purchase", **more: Any) -> Accrue:
    return Accrue(member, "pos", name, activity, NOON, Sum(units, "EUR"), **more)


def back(units: int, name: str, **more: Any) -> TakeBack:
    return TakeBack("a", "pos", name, "A1", NOON, **({"amount": Sum(units, "EUR")} | more))


def test_parts_of_a_reversal_take_together_what_the_whole_would() -> None:
    story = Story()
    story.tell(bought(1000))  # 10 points; thirds of them are 3.33…
    left = []
    for number in range(3):
        assert story.tell(back(333, f"R{number}")) == ["posted"]
        left.append(story.wallet().available)
    assert left == [7, 4, 1]  # ⌊3.33⌋ = 3, ⌊6.66⌋ = 6, ⌊9.99⌋ = 9 taken
    assert story.tell(back(1, "R3"), back(1, "R4")) == ["posted", "accrual_fully_reversed"]
    assert story.wallet().available == 0


def test_lines_are_worth_what_was_paid_for_them() -> None:
    story = Story()
    # 9.00 for lines of 6.00 and 4.00: 5.40 and 3.60
    story.tell(bought(900, lines=(Bought("x", 3, 600), Bought("y", 1, 400))))
    assert story.world.members["a"].earned["accrual:pos:A1"].lines == {"x": (3, 540), "y": (1, 360)}
    story.tell(back(0, "R1", amount=None, lines=(("x", 1),)))
    assert story.wallet().available == 9 - 1  # a third of 5.40 is 1.80: one point
    story.tell(back(0, "R2", amount=None, lines=(("x", 1),)))
    assert story.wallet().available == 9 - 3  # 3.60


@pytest.mark.parametrize(
    ("policy", "told", "available", "debt"),
    [("allow_negative", "posted", -30, 0), ("clamp_with_debt", "posted", 0, 30), ("refuse", "reversal_refused", 70, 0)],
)
def test_what_was_spent_is_taken_as_the_policy_says(policy: str, told: str, available: int, debt: int) -> None:
    story = Story(reversal=policy)
    story.tell(
        bought(10_000), HoldPoints("a", "H1", "mug", 1), EndHold("a", HoldPoints("a", "H1", "mug", 1), "captured")
    )
    assert story.wallet().available == 70
    assert story.tell(back(0, "R1", amount=None, everything=True)) == [told]
    assert (story.wallet().available, story.wallet().debt) == (available, debt)


def test_a_debt_is_paid_by_what_comes_next_and_goes_along_with_a_merge() -> None:
    story = Story(reversal="clamp_with_debt")
    hold = HoldPoints("a", "H1", "mug", 1)
    story.tell(bought(3000), hold, EndHold("a", hold, "captured"), back(0, "R1", amount=None, everything=True))
    assert story.wallet().debt == 30
    story.tell(bought(1000, "A2"))
    assert (story.wallet().available, story.wallet().debt) == (0, 20)
    story.tell(bought(5000, "B1", "b"), Merge("b", "a"))
    assert (story.wallet("b").available, story.wallet("b").debt) == (30, 0)
    assert story.wallet().is_empty


def test_points_come_back_to_their_day_and_after_it_to_the_end_of_a_month_of_grace() -> None:
    story, hold = Story(), HoldPoints("a", "H1", "mug", 1)
    story.tell(bought(3000), hold, EndHold("a", hold, "captured"))
    story.on("2026-02-27").tell(EndHold("a", hold, "cancelled"))
    assert set(story.wallet().free) == {"2026-02-28"}
    story = Story()
    story.tell(bought(3000), hold, EndHold("a", hold, "captured"))
    story.on("2026-03-01").tell(EndHold("a", hold, "cancelled"))  # five days of grace: until 6 March, so its end
    assert set(story.wallet().free) == {"2026-03-31"}
    assert story.on("2026-03-31").wallet().available == 30
    assert story.on("2026-04-01").wallet().available == 0


def test_what_expired_before_is_not_taken_again() -> None:
    story = Story()
    story.tell(bought(10_000))
    story.on("2026-03-01").tell(bought(2000, "A2"))
    assert (story.wallet().available, story.wallet().outside["expired"]) == (20, 100)
    story.tell(back(5000, "R1"))
    assert (story.wallet().available, story.wallet().outside["expired"]) == (20, 50)


def test_pending_points_are_spendable_from_their_day_on() -> None:
    story = Story()
    story.tell(bought(5000, activity="order"))
    assert (story.wallet().available, len(story.wallet().pending)) == (0, 50)
    assert story.on("2026-01-23").wallet().available == 0
    assert story.on("2026-01-24").wallet().available == 50
    assert set(story.wallet().free) == {"2026-02-28"}


def test_a_reversal_waits_for_its_accrual_and_takes_its_part_at_once() -> None:
    story = Story()
    assert story.tell(back(3000, "R1"), back(3000, "R1"), bought(10_000)) == ["kept", "kept", "posted"]
    assert story.wallet().available == 70
    assert story.tell(back(3000, "R1")) == ["replayed"]


def test_limits_of_a_day_count_what_was_given() -> None:
    story = Story()
    story.tell(bought(50_000))
    gifts = [Give("a", f"G{number}", "b", 60) for number in range(2)]
    assert story.tell(*gifts) == ["posted", "daily_transfer_limit_exceeded"]
    assert story.on("2026-01-11").tell(gifts[1]) == ["posted"]
    assert story.wallet("b").available == 120


def test_more_than_there_is_cannot_be_taken_by_hand() -> None:
    story = Story()
    story.tell(bought(1000))
    wish = Adjust("a", "J1", -11, "correction", "ann")
    assert story.tell(wish) == ["insufficient_points"]
    assert story.tell(Adjust("a", "J2", -10, "correction", "ann")) == ["posted"]
    assert story.wallet().available == 0


def test_days_are_found_in_calendars_with_holes() -> None:
    assert end_of_month(date(2028, 2, 1)) == date(2028, 2, 29)
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert next_such_day(date(2027, 1, 1), 2, 29) == date(2027, 2, 28)
    apia = Calendar("Pacific/Apia")  # which had no 30 December in 2011
    assert (
        apia.start_of(date(2011, 12, 30)) == apia.start_of(date(2011, 12, 31)) == datetime(2011, 12, 30, 10, tzinfo=UTC)
    )
    sao_paulo = Calendar("America/Sao_Paulo")  # whose 15 October 2017 began at one o'clock
    assert sao_paulo.start_of(date(2017, 10, 15)) == datetime(2017, 10, 15, 3, tzinfo=UTC)
