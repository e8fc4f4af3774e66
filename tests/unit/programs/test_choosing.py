"""Which of several rules counts, and what caps and budgets leave of it."""

from typing import Any

import pytest

from loyalty.programs.counters import CounterKey, counters_for, window_of
from tests.ledgerkit.clock import at
from tests.ledgerkit.deeds import line, outcome, points, program_of, purchase, reasons, rule
from tests.ledgerkit.programs import document

CAMPAIGN = {"id": "sale", "name": "Sale", "starts_at": "2026-11-01T00:00", "ends_at": "2026-12-01T00:00"}
DAY = CounterKey("cap", "rule:r", "2026-11-22", "points")
TIMES = CounterKey("cap", "rule:r", "ever", "times")
BUDGET = CounterKey("budget", "campaign:sale", "ever", "points")


def fixed(rule_id: str, number: int, **more: Any) -> dict[str, Any]:
    return rule(rule_id, fixed_points=number, **more)


@pytest.mark.parametrize(
    ("rules", "winner", "lost"),
    [
        ([fixed("a", 5, group="g"), fixed("b", 9, group="g")], {"b": 9}, {"a": "lost_to:b"}),
        ([fixed("a", 5, group="g", priority=1), fixed("b", 9, group="g")], {"a": 5}, {"b": "lost_to:a"}),
        ([fixed("a", 5, group="g"), fixed("b", 5, group="g")], {"a": 5}, {"b": "lost_to:a"}),
        ([fixed("a", 5, group="g"), fixed("b", 9, group="g", when="false")], {"a": 5}, {"b": "condition_not_met"}),
        ([fixed("a", 5, group="g"), fixed("b", 9, group="h")], {"a": 5, "b": 9}, {}),
        # Double of 100 points beats triple of the 20 for hats, though triple is the higher.
        (
            [
                rule("a", multiplier="2", group="g"),
                rule("b", multiplier="3", group="g", lines="line.category == 'hats'"),
            ],
            {"a": 100},
            {"b": "lost_to:a"},
        ),
    ],
)
def test_of_a_group_one_counts(rules: list[dict[str, Any]], winner: dict[str, int], lost: dict[str, str]) -> None:
    deed = purchase("100", line("80"), line("20", "hats"))
    assert points(program_of(*rules), deed) == {"base": 100, **winner}
    assert reasons(program_of(*rules), deed) == lost


@pytest.mark.parametrize(
    ("stacking", "expected"),
    [
        ("sum", {"base": 100, "a": 30, "b": 120, "double": 250, "triple": 500}),
        ("best", {"b": 120, "triple": 240}),
        ("priority", {"a": 30, "double": 30}),
    ],
)
def test_stacking_judges_multipliers_among_themselves(stacking: str, expected: dict[str, int]) -> None:
    rules = [
        fixed("a", 30, priority=2),
        fixed("b", 120, priority=1),
        rule("double", multiplier="2", priority=1),
        rule("triple", multiplier="3"),
    ]
    assert points(program_of(*rules, stacking=stacking), purchase()) == expected


def test_stacking_is_of_each_wallet() -> None:
    miles = {"id": "miles", "name": "Miles", "expiry": {"policy": "never"}}
    of = program_of(fixed("a", 30, wallet="miles"), fixed("b", 20, wallet="miles"), stacking="best", wallets=[miles])
    assert points(of, purchase()) == {"base": 100, "a": 30}


def test_a_rule_that_lost_is_not_multiplied() -> None:
    rules = [fixed("a", 5, group="g"), fixed("b", 9, group="g"), rule("double", multiplier="2", of=["a"])]
    assert points(program_of(*rules), purchase()) == {"base": 100, "b": 9}
    assert reasons(program_of(*rules), purchase())["double"] == "nothing_to_multiply"


@pytest.mark.parametrize(
    ("caps", "room", "given", "reason", "used"),
    [
        ([{"per": "day", "points": 50}], {}, 30, None, {DAY: 30}),
        ([{"per": "day", "points": 50}], {DAY: 20}, 20, "capped", {DAY: 20}),
        ([{"per": "day", "points": 50}], {DAY: 0}, 0, "capped", {}),
        ([{"per": "day", "points": 20}], {}, 20, "capped", {DAY: 20}),
        ([{"per": "day", "points": 20}], {DAY: 90}, 20, "capped", {DAY: 20}),  # no more than the cap of today
        ([{"per": "ever", "times": 1}], {}, 30, None, {TIMES: 1}),
        ([{"per": "ever", "times": 1}], {TIMES: 0}, 0, "capped", {}),
        ([{"per": "day", "points": 50}, {"per": "ever", "times": 3}], {DAY: 10, TIMES: 2}, 10, "capped", {DAY: 10, TIMES: 1}),
    ],
)  # fmt: skip
def test_a_cap_leaves_so_much(
    caps: list[dict[str, Any]],
    room: dict[CounterKey, int],
    given: int,
    reason: str | None,
    used: dict[CounterKey, int],
) -> None:
    found = outcome(program_of(fixed("r", 30, caps=caps)), purchase(), room=room)
    (judged,) = [one for one in found.rules if one.rule.id == "r"]
    assert (judged.points, judged.reason, judged.counted) == (given, reason, given > 0)
    assert found.used == used


@pytest.mark.parametrize(
    ("when_exhausted", "left", "given"), [("partial", 20, 20), ("partial", 30, 30), ("nothing", 30, 30), ("nothing", 29, 0)]
)  # fmt: skip
def test_a_budget_gives_a_part_or_nothing(when_exhausted: str, left: int, given: int) -> None:
    campaign = {**CAMPAIGN, "budget_points": 1000, "when_exhausted": when_exhausted}
    found = outcome(program_of(fixed("r", 30, campaign="sale"), campaigns=[campaign]), purchase(), room={BUDGET: left})
    assert {one.rule.id: one.points for one in found.rules} == {"base": 100, "r": given}
    assert found.used == ({BUDGET: given} if given else {})


def test_rules_of_one_campaign_share_its_caps_and_its_budget_in_their_order() -> None:
    campaign = {**CAMPAIGN, "budget_points": 50, "caps": [{"per": "month", "times": 1}, {"per": "week", "points": 60}]}
    rules = [fixed(name, 20, campaign="sale") for name in ("a", "b", "c", "d")]
    of = program_of(*rules, rule("double", multiplier="2", of=["a"], campaign="sale"), campaigns=[campaign])
    assert points(of, purchase()) == {"base": 100, "a": 20, "b": 20, "c": 10}
    assert reasons(of, purchase()) == {"c": "budget_exhausted", "d": "budget_exhausted", "double": "budget_exhausted"}
    assert outcome(of, purchase()).used == {
        CounterKey("cap", "campaign:sale", "2026-11", "times"): 1,  # one purchase, however many rules
        CounterKey("cap", "campaign:sale", "2026-W47", "points"): 50,
        BUDGET: 50,
    }


def test_a_rule_that_is_capped_gives_way_to_the_next_of_its_group() -> None:
    rules = [fixed("r", 30, group="g", priority=1, caps=[{"per": "ever", "times": 1}]), fixed("other", 5, group="g")]
    assert points(program_of(*rules), purchase()) == {"base": 100, "r": 30}
    assert points(program_of(*rules), purchase(), room={TIMES: 0}) == {"base": 100, "other": 5}


def test_a_multiplier_multiplies_what_caps_leave() -> None:
    rules = [fixed("r", 30, caps=[{"per": "day", "points": 50}]), rule("double", multiplier="2", of=["r"])]
    assert points(program_of(*rules), purchase(), room={DAY: 12}) == {"base": 100, "r": 12, "double": 12}


@pytest.mark.parametrize(
    ("rounding", "expected"), [("down", {"r": 3, "s": 0}), ("up", {"r": 3, "s": 1}), ("half_up", {"r": 3, "s": 1})]
)
def test_points_are_rounded_once_in_a_wallet_and_never_pass_a_cap(rounding: str, expected: dict[str, int]) -> None:
    """4.5 points capped to 3, and 0.75 of another rule."""
    rules = [
        fixed("r", 3, caps=[{"per": "day", "points": 3}]),
        rule("s", rates=[{"points": 1, "per": "1", "currency": "EUR"}], tier_multiplied=False),
    ]
    of = document(earn_rules=rules, rounding=rounding)
    assert points(of, purchase("0.75"), "gold") == expected


def test_rules_that_share_a_budget_do_not_pass_it_by_being_rounded() -> None:
    """5.5 and 4.5 points are 10, but with 1.2 of others all fractions of a wallet that is rounded up might go to them."""

    def by_amount(rule_id: str, number: int, per: str, **more: Any) -> dict[str, Any]:
        return rule(rule_id, rates=[{"points": number, "per": per, "currency": "EUR"}], **more)

    rules = [
        by_amount("a", 11, "2", campaign="sale"),
        by_amount("b", 9, "2", campaign="sale"),
        *(by_amount(f"other-{number}", 2, "5") for number in range(3)),
    ]
    of = document(earn_rules=rules, campaigns=[{**CAMPAIGN, "budget_points": 10}], rounding="up")
    assert points(of, purchase("1")) == {"a": 6, "b": 4, "other-0": 1, "other-1": 0, "other-2": 0}
    assert outcome(of, purchase("1")).used == {BUDGET: 10}


def test_what_may_count_is_known_before_the_member_is_read() -> None:
    campaign = {**CAMPAIGN, "budget_points": 50, "caps": [{"per": "year", "times": 9}]}
    over = {**CAMPAIGN, "id": "old", "ends_at": "2026-11-02T00:00", "budget_points": 5}
    of = program_of(
        fixed("r", 5, caps=[{"per": "day", "points": 3}, {"per": "ever", "times": 3}]),
        fixed("s", 5, campaign="sale"),
        fixed("t", 5, campaign="old"),
        {"id": "u", "activity": "review", "fixed_points": 5, "caps": [{"per": "day", "points": 3}]},
        campaigns=[campaign, over],
    )
    assert counters_for(of, purchase()) == (
        DAY,
        TIMES,
        CounterKey("cap", "campaign:sale", "2026", "times"),
        BUDGET,
    )


@pytest.mark.parametrize(
    ("day", "windows"),
    [
        ("2026-11-22", ["2026-11-22", "2026-W47", "2026-11", "2026", "ever"]),
        ("2027-01-01", ["2027-01-01", "2026-W53", "2027-01", "2027", "ever"]),  # a Friday of the old year's last week
        ("2024-12-30", ["2024-12-30", "2025-W01", "2024-12", "2024", "ever"]),
    ],
)
def test_windows(day: str, windows: list[str]) -> None:
    on = at(f"{day}T12:00:00Z").date()
    assert [window_of(period, on) for period in ("day", "week", "month", "year", "ever")] == windows
