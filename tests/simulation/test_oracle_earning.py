"""Several rules, caps and budgets of the plain model, against the examples of docs/earning.md and others by hand."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.simulation.oracle.commands import Accrue, Sum
from tests.simulation.oracle.earning import window
from tests.simulation.test_oracle import NOON, Story, back, bought

EUR = {"rates": [{"points": 1, "per": "1", "currency": "EUR"}]}
BASE = {"id": "base", "activity": "purchase", **EUR}
SALE = {"id": "sale", "starts_at": "2026-01-01T00:00", "ends_at": "2026-02-01T00:00"}


def rule(rule_id: str, **more: Any) -> dict[str, Any]:
    return {"id": rule_id, "activity": "purchase", **more}


def story(*rules: dict[str, Any], **more: Any) -> Story:
    return Story(earn_rules=list(rules), expiry={"policy": "never"}, **more)


def points(told: Story, *names: str, units: int = 10_000) -> list[int]:
    """What purchases of 100.00 EUR earn, one after the other."""
    found = []
    for name in names:
        assert told.tell(bought(units, name)) == ["posted"]
        found.append(told.world.members["a"].earned[f"accrual:pos:{name}"].points.get("points", 0))
    return found


@pytest.mark.parametrize(
    ("rules", "more", "earned"),
    [
        ([rule("fixed", fixed_points=30)], {}, 130),
        ([rule("double", multiplier="2")], {}, 200),
        ([rule("double", multiplier="2"), rule("triple", multiplier="3")], {}, 400),
        ([rule("fixed", fixed_points=30)], {"stacking": "best"}, 100),
        ([rule("fixed", fixed_points=30, priority=1)], {"stacking": "priority"}, 30),
        ([rule("a", fixed_points=30, group="g"), rule("b", fixed_points=40, group="g")], {}, 140),
        ([rule("a", fixed_points=30, group="g", priority=1), rule("b", fixed_points=40, group="g")], {}, 130),
        ([rule("big", fixed_points=90, maximum_points=7)], {}, 107),
    ],
)
def test_of_several_rules(rules: list[dict[str, Any]], more: dict[str, Any], earned: int) -> None:
    assert points(story(BASE, *rules, **more), "A1") == [earned]


def test_a_multiplier_and_the_tier_s_add_up() -> None:
    tiers = [{"id": "gold", "threshold": 0, "multiplier": "1.5"}]
    assert points(story(BASE, rule("double", multiplier="2"), tiers=tiers), "A1") == [250]  # 150 and 100, not 300


def test_what_is_rounded_once_is_divided_among_rules() -> None:
    third = [{"points": 1, "per": "3", "currency": "EUR"}]
    told = story(rule("a", rates=third), rule("b", rates=third), rule("c", rates=third))
    assert points(told, "A1", units=100) == [1]  # three thirds
    earned = told.rules.earn("purchase", Sum(400, "EUR"), NOON, "bronze", lambda bound: bound.limit)
    assert earned.earnings[0].by_rule == {"a": 2, "b": 1, "c": 1}  # 4/3 each


def test_a_cap_of_points_and_what_comes_back() -> None:
    told = story({**BASE, "caps": [{"per": "day", "points": 150}]})
    assert points(told, "A1", "A2", "A3") == [100, 50, 0]
    told.tell(back(5000, "R1"))
    assert points(told, "A4", "A5") == [50, 0]


def test_a_time_comes_back_once_nothing_is_left() -> None:
    told = story(BASE, rule("gift", fixed_points=30, caps=[{"per": "week", "times": 1}]))
    assert points(told, "A1", "A2") == [130, 100]
    told.tell(back(5000, "R1"))
    assert points(told, "A3") == [100]
    told.tell(back(0, "R2", amount=None, everything=True))
    assert points(told, "A4", "A5") == [130, 100]


def test_what_a_cap_leaves_nothing_of_gives_way_in_its_group() -> None:
    told = story(
        rule("a", fixed_points=50, group="g", caps=[{"per": "ever", "points": 80}]),
        rule("b", fixed_points=40, group="g"),
    )
    assert points(told, "A1", "A2", "A3") == [50, 40, 40]  # 30 left are less than 40, which leaves them


@pytest.mark.parametrize(("when", "left"), [("partial", [60, 40, 0]), ("nothing", [60, 0, 0])])
def test_a_budget_is_of_everybody(when: str, left: list[int]) -> None:
    sale = {**SALE, "budget_points": 100, "when_exhausted": when}
    told = story(rule("a", fixed_points=60, campaign="sale"), campaigns=[sale])
    found = []
    for number, member in enumerate("abb"):
        told.tell(Accrue(member, "pos", f"A{number}", "purchase", NOON, Sum(100, "EUR")))
        found.append(told.world.members[member].earned[f"accrual:pos:A{number}"].points.get("points", 0))
    assert found == left
    assert told.world.spent == {"campaign:sale": sum(left)}


def test_rules_of_a_campaign_share_it_and_one_activity_is_once() -> None:
    sale = {**SALE, "budget_points": 50, "caps": [{"per": "month", "times": 1}]}
    told = story(
        rule("a", fixed_points=30, campaign="sale"), rule("b", fixed_points=30, campaign="sale"), BASE, campaigns=[sale]
    )
    assert points(told, "A1", "A2") == [150, 100]


def test_a_campaign_runs_by_the_program_s_clocks() -> None:
    sale = {**SALE, "starts_at": "2026-01-10T12:00", "ends_at": "2026-01-10T13:00"}
    told = story(BASE, rule("a", fixed_points=7, campaign="sale"), campaigns=[sale], time_zone="Asia/Jakarta")
    earned = [
        told.rules.earn(
            "purchase", Sum(100, "EUR"), datetime.fromisoformat(f"2026-01-10T{time}Z"), "bronze", lambda _: 0
        )
        for time in ("04:59:59", "05:00:00", "05:59:59", "06:00:00")
    ]
    assert [one.earnings[0].points for one in earned] == [1, 8, 8, 1]


def test_windows() -> None:
    day = date(2027, 1, 3)  # a Sunday, in the last week of the year before
    names = [window(per, day) for per in ("day", "week", "month", "year", "ever")]
    assert names == ["2027-01-03", "2026-W53", "2027-01", "2027", "ever"]
    assert window("week", date(2026, 12, 28)) == "2026-W53"
    assert window("week", date(2027, 1, 4)) == "2027-W01"
