"""Tiers of the plain model, against the examples of docs/tiers.md and others worked out by hand."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.simulation.oracle.commands import Accrue, EndGrant, Grant, Merge, Recalculate, Sum, TakeBack
from tests.simulation.oracle.ladders import STATUS, Stand
from tests.simulation.oracle.standings import TIER_WARNING
from tests.simulation.test_oracle import Story

TIERS = [
    {"id": "blue", "threshold": 0},
    {"id": "silver", "threshold": 500},
    {"id": "gold", "threshold": 2000},
]
NEVER = {"policy": "never"}


class Climb(Story):
    """Member ``a``, enrolled on 9 January 2025, and ``b`` the day after, who earn a point for each EUR."""

    def __init__(self, qualification: dict[str, Any] | None = None, **downgrade: Any) -> None:
        ending = {"by": "achievement", **downgrade}
        super().__init__(tiers=TIERS, expiry=NEVER, qualification=qualification or {}, downgrade=ending)
        self.world.enroll("a", datetime(2025, 1, 9, 12, tzinfo=UTC))
        self.world.enroll("b", datetime(2025, 1, 10, 12, tzinfo=UTC))
        self._number = 0

    def earn(self, day: str, points: int, member: str = "a") -> "Climb":
        self.on(day)
        self._number += 1
        name = f"E{self._number}"
        said = self.tell(Accrue(member, "pos", name, "purchase", self.now, Sum(points * 100, "EUR")))
        assert said == ["posted"]
        self.tell(Recalculate(member, f"accrual:pos:{name}", self.now))
        return self

    def refund(self, day: str, number: int, points: int | None = None) -> "Climb":
        self.on(day)
        given = Sum(points * 100, "EUR") if points else None
        back = TakeBack("a", "pos", f"F{day}", f"E{number}", self.now, given, everything=given is None)
        assert self.tell(back) == ["posted"]
        self.tell(Recalculate("a", f"reversal:pos:F{day}", self.now))
        return self

    def stands(self, day: str, member: str = "a") -> str:
        self.on(day)
        stand = self.stand(member)
        return f"{stand.tier} {stand.until}" if stand.until else stand.tier

    def stand(self, member: str = "a") -> Stand:
        return self.world.members[member].standings.stand(self.rules.ladder(STATUS))

    def warned_until(self, day: str) -> list[str]:
        """The warnings that fall due until noon of a day."""
        member, found = self.world.members["a"], []
        until = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        while (due := member.next_due(self.rules, until)) is not None:
            found += [due.name] if due.kind == TIER_WARNING else []
            member.happen(due, self.rules)
        return found


@pytest.mark.parametrize(
    ("earned", "until", "becomes"),
    [
        ([], "2027-02-01", "blue"),
        ([("2026-05-01", 500)], "2027-02-01", "silver 2027-12-31"),
        ([("2027-01-20", 500)], "2027-02-01", "silver 2028-12-31"),
        ([("2026-05-01", 2000)], "2027-02-01", "gold 2027-12-31"),
        ([], "2027-01-31", "silver 2026-12-31"),
    ],
)
def test_a_review_after_31_days_of_grace(earned: list[tuple[str, int]], until: str, becomes: str) -> None:
    climb = Climb(grace_days=31).earn("2025-05-01", 600)
    for day, points in earned:
        climb.earn(day, points)
    assert climb.stands(until) == becomes


@pytest.mark.parametrize(
    ("by", "years"),
    [("one_level", ["gold", "silver", "blue"]), ("achievement", ["gold", "blue", "blue"]), ("never", ["gold"] * 3)],
)
def test_what_a_tier_that_is_not_earned_becomes(by: str, years: list[str]) -> None:
    climb = Climb(by=by).earn("2025-05-01", 2000)
    assert [climb.stands(f"{year}-12-31").split()[0] for year in (2026, 2027, 2028)] == years


def test_twelve_rolling_months() -> None:
    climb = Climb({"period": "rolling_months", "months": 12})
    climb.earn("2025-03-10", 300).earn("2025-07-10", 300)
    assert climb.stands("2025-07-11") == "silver 2026-02-28"
    climb.earn("2026-01-10", 200)
    assert [climb.stands(day) for day in ("2026-02-28", "2026-03-01", "2026-06-30", "2026-07-01")] == [
        "silver 2026-02-28", "silver 2026-06-30", "silver 2026-06-30", "blue",
    ]  # fmt: skip
    assert sorted(key for key, number in climb.world.members["a"].standings.tallies.items() if number) == [
        "points/2025-03", "points/2025-07", "points/2026-01",
    ]  # fmt: skip
    climb.earn("2026-07-02", 1)  # takes the months away that no window reaches
    assert climb.world.members["a"].standings.tallies["points/2025-03"] == 0


def test_a_year_from_an_anniversary_and_this_period_alone() -> None:
    climb = Climb({"period": "anniversary_year"}, valid_through="this_period").earn("2026-01-08", 500)
    assert climb.stands("2026-01-08") == "silver 2026-01-08"
    assert climb.stands("2026-01-09") == "blue"
    assert climb.earn("2026-01-09", 500).stands("2026-01-10") == "silver 2027-01-08"


def test_a_member_is_warned_once_unless_the_tier_is_earned_again_or_granted_beyond() -> None:
    climb = Climb(warn_days=[60, 14]).earn("2025-05-01", 600)
    assert climb.warned_until("2026-11-02") == ["2026-12-31/60"]
    assert climb.warned_until("2026-12-31") == ["2026-12-31/14"]
    climb = Climb(warn_days=[60, 14]).earn("2025-05-01", 600)
    assert climb.warned_until("2026-11-02") == ["2026-12-31/60"]
    assert climb.earn("2026-11-03", 500).warned_until("2027-01-02") == []
    climb = Climb(warn_days=[14]).earn("2025-05-01", 600).on("2026-12-01")
    assert climb.tell(Grant("a", "T1", STATUS, "gold", 0, until=date(2027, 1, 1))) == ["posted"]
    assert climb.warned_until("2027-01-02") == []


def test_a_refund_takes_its_share_and_the_review_or_nothing_waits() -> None:
    kept = Climb().earn("2025-05-01", 600).refund("2025-06-01", 1, 200)
    assert (kept.stands("2025-06-02"), kept.stands("2027-01-01")) == ("silver 2026-12-31", "blue")
    at_once = Climb(after_reversal="at_once").earn("2025-05-01", 600).refund("2025-06-01", 1, 100)
    assert at_once.stands("2025-06-02") == "silver 2026-12-31"
    assert at_once.refund("2025-06-03", 1, 1).stands("2025-06-04") == "blue"
    forward = Climb({"period": "rolling_months", "months": 12}).earn("2025-03-01", 500).refund("2025-06-10", 1, 1)
    assert (forward.stands("2025-06-30"), forward.stands("2025-07-01")) == ("silver 2025-06-30", "blue")


def test_what_is_left_of_a_higher_tier_no_refund_takes() -> None:
    climb = Climb(by="one_level", after_reversal="at_once").earn("2025-05-01", 2000).earn("2027-01-01", 10)
    assert climb.refund("2027-01-02", 2).stands("2027-01-03") == "silver 2027-12-31"
    assert climb.stand().left


def test_a_granted_tier_is_a_floor_through_its_last_day() -> None:
    climb = Climb().earn("2025-05-01", 600).on("2025-06-01")
    wish = Grant("a", "T1", STATUS, "gold", 0, until=date(2027, 3, 31))
    assert climb.tell(wish, wish) == ["posted", "replayed"]
    assert (climb.stand().tier, climb.stand().earned) == ("gold", "silver")
    climb.on("2027-01-01")
    assert (climb.stand().tier, climb.stand().earned) == ("gold", "blue")
    assert (climb.stands("2027-03-31"), climb.stands("2027-04-01")) == ("gold", "blue")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ladder": "none"}, "ladder_not_found"),
        ({"tier": "blue"}, "tier_unknown"),
        ({"until": date(2025, 5, 31)}, "tier_grant_date_refused"),
        ({"until": date(2031, 6, 1)}, "tier_grant_date_refused"),
        ({"reason": "whim"}, "adjustment_reason_unknown"),
    ],
)
def test_grants_that_are_refused(changed: dict[str, Any], told: str) -> None:
    climb = Climb().on("2025-06-01")
    wish: dict[str, Any] = {"ladder": STATUS, "tier": "gold", "days": 0, "until": date(2025, 7, 1)} | changed
    assert climb.tell(Grant("a", "T1", **wish)) == [told]
    assert climb.tell(EndGrant("a", "T2", STATUS)) == ["tier_not_granted"]


def test_members_who_are_one_keep_the_higher_of_each_or_what_both_reach() -> None:
    climb = Climb({"period": "anniversary_year"}).earn("2025-05-01", 300).earn("2025-06-01", 300, "b")
    climb.tell(Grant("b", "T1", STATUS, "silver", 0, until=date(2025, 8, 1)), Merge("a", "b"))
    assert climb.world.members["a"].standings.tallies == {"points/2025-01-09": 600}
    assert climb.stand() == Stand(
        "silver", "silver", date(2027, 1, 8), granted="silver", granted_until=date(2025, 8, 1)
    )
