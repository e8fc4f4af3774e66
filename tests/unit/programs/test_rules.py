"""What rules earn: effects, conditions, lines, bounds, exclusions, each with numbers added up by hand."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from loyalty.core.money import Money
from loyalty.programs.checking import check
from loyalty.programs.deeds import BoughtLine, Deed, Earner
from loyalty.programs.earning import asks_for_segments, earn
from loyalty.programs.errors import AmountRequired, CurrencyNotInProgram
from tests.ledgerkit.clock import at
from tests.ledgerkit.deeds import SUNDAY, eur, line, outcome, points, program_of, purchase, reasons, rule
from tests.ledgerkit.programs import document

SHOES_AND_SHIRT = (line("60", "shoes", 2, line_id="a"), line("40", "shirts", 1, line_id="b"))
CARD = line("50", "cards", gift_card=True)
REDUCED = line("30", "shirts", discount=eur("10"))


@pytest.mark.parametrize(
    ("effect", "tier", "expected"),
    [
        ({"fixed_points": 30}, "bronze", 30),
        ({"fixed_points": 30}, "gold", 45),
        ({"fixed_points": 30, "tier_multiplied": False}, "gold", 30),
        ({"points_per_line": 10}, "bronze", 20),
        ({"points_per_item": 10}, "bronze", 30),  # two shoes and a shirt
        ({"points_per_item": 10}, "silver", 37),  # 37.5
        ({"points_per_line": 10, "lines": "line.category == 'shoes'"}, "bronze", 10),
        ({"points_per_item": 10, "lines": "line.category == 'shoes'"}, "bronze", 20),
        ({"fixed_points": 30, "lines": "line.category == 'shoes'"}, "bronze", 30),
        ({"multiplier": "2"}, "bronze", 100),
        ({"multiplier": "2.5"}, "bronze", 150),
        ({"multiplier": "2"}, "gold", 100),  # of what is earned before the tier: 150 + 100
        ({"multiplier": "2", "lines": "line.category == 'shoes'"}, "bronze", 60),
        ({"multiplier": "3", "lines": "line.amount <= 40.0"}, "bronze", 80),
        ({"multiplier": "2", "maximum_points": 70}, "bronze", 70),
        ({"multiplier": "1.1", "minimum_points": 25}, "bronze", 25),
        ({"fixed_points": 30, "minimum_points": 40}, "bronze", 40),
        ({"fixed_points": 30, "maximum_points": 40}, "gold", 40),  # of 45
        ({"points_per_line": 1, "lines": "line.quantity == 2 && line.amount == 60.0"}, "bronze", 1),
    ],
)
def test_an_effect(effect: dict[str, Any], tier: str, expected: int) -> None:
    of = program_of(rule("r", **effect))
    base = {"bronze": 100, "silver": 125, "gold": 150}[tier]
    assert points(of, purchase("100", *SHOES_AND_SHIRT), tier) == {"base": base, "r": expected}


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ("local.weekday == 'sunday'", True),
        ("local.weekday == 'monday'", False),
        ("local.date == '2026-11-22' && local.time == '14:05' && local.hour == 14", True),  # in Rome
        ("local.day == 22 && local.month == 11 && local.year == 2026", True),
        ("channel == 'web' && store == 'roma-1' && currency == 'EUR' && activity == 'purchase'", True),
        ("amount >= 100.0 && amount < 100.01", True),
        ("amount > 100.0", False),
        ("quantity == 3", True),
        ("skus.exists(sku, sku.startsWith('SH-'))", True),
        ("'shoes' in categories && !('hats' in categories) && size(products) == 0", True),
        ("has(attributes.size) && attributes.size == 'l'", True),
        ("has(attributes.colour) && attributes.colour == 'red'", False),
        ("member.tier == 'gold' && member.tiers['status'] == 'gold'", True),
        ("member.first", False),
        ("true", True),
        ("false", False),
    ],
)
def test_a_condition_decides_whether_a_rule_counts(condition: str, met: bool) -> None:
    of = program_of(rule("r", fixed_points=10, when=condition))
    bought = (line("60", "shoes", 2, sku="SH-1"), line("40"))
    deed = purchase("100", *bought, channel="web", store="roma-1", attributes={"size": "l"})
    assert points(of, deed, "gold") == ({"base": 150, "r": 15} if met else {"base": 150})
    assert reasons(of, deed, "gold") == ({} if met else {"r": "condition_not_met"})


def test_the_first_activity_of_its_kind_is_known() -> None:
    of = program_of(rule("welcome", fixed_points=50, when="member.first"))
    assert points(of, purchase(), first=True) == {"base": 100, "welcome": 50}
    assert points(of, purchase()) == {"base": 100}


@pytest.mark.parametrize(
    ("condition", "staff", "both", "nobody"),
    [
        ("'staff' in member.segments", True, True, False),
        ("'vip' in member.segments", False, True, False),
        ("!('staff' in member.segments)", False, False, True),
        ("size(member.segments) == 1", True, False, False),
        ("member.segments.exists(one, one.startsWith('st')) && member.tier == 'bronze'", True, True, False),
    ],
)
def test_a_condition_asks_for_segments(condition: str, staff: bool, both: bool, nobody: bool) -> None:
    of = program_of(rule("r", fixed_points=10, when=condition))
    for segments, met in ((("staff",), staff), (("staff", "vip"), both), ((), nobody)):
        assert points(of, purchase(), segments=segments) == ({"base": 100, "r": 10} if met else {"base": 100})


def test_a_condition_of_lines_asks_for_segments() -> None:
    of = program_of(rule("r", points_per_line=10, lines="line.category == 'shoes' && 'staff' in member.segments"))
    assert points(of, purchase("100", *SHOES_AND_SHIRT), segments=("staff",)) == {"base": 100, "r": 10}
    assert points(of, purchase("100", *SHOES_AND_SHIRT)) == {"base": 100}


IN_NOVEMBER = {"id": "november", "name": "November", "starts_at": "2026-11-01T00:00", "ends_at": "2026-12-01T00:00"}
IN_MAY = {**IN_NOVEMBER, "id": "may", "starts_at": "2026-05-01T00:00", "ends_at": "2026-06-01T00:00"}


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, False),
        ({"when": "member.first"}, False),
        ({"when": "'staff' in member.segments"}, True),
        ({"when": "size(member . segments) > 0"}, True),
        ({"when": "size(member. // who\n segments) > 0"}, True),
        ({"lines": "'staff' in member.segments"}, True),
        ({"when": "'staff' in member.segments", "activity": "review"}, False),  # of another activity
        ({"when": "'staff' in member.segments", "campaign": "november"}, True),
        ({"when": "'staff' in member.segments", "campaign": "may"}, False),  # it does not run
    ],
)
def test_segments_are_read_where_a_rule_of_the_activity_asks(changes: dict[str, Any], asked: bool) -> None:
    of = program_of(rule("r", fixed_points=10) | changes, campaigns=[IN_NOVEMBER, IN_MAY])
    assert [finding.message for finding in check(of, SUNDAY).errors] == []
    assert asks_for_segments(of, purchase()) is asked


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"when": "attributes.size == 'l'"}, "Key not found"),
        ({"when": "quantity / 0 == 1"}, "divide by zero"),
        ({"lines": "attributes[line.sku] == 'x'"}, "Key not found"),
        ({"when": "skus.all(a, skus.all(b, skus.all(c, a + b + c != '')))"}, "budget"),
        ({"when": "amuont > 1.0"}, "undeclared reference to 'amuont'"),  # published before it was checked
    ],
)
def test_what_cannot_be_evaluated_is_not_met_and_told(changes: dict[str, Any], told: str) -> None:
    of = program_of(rule("r", fixed_points=10, **changes))
    deed = purchase("100", *(line("1", sku=f"SKU-{number}") for number in range(100)))
    assert points(of, deed) == {"base": 100}
    (judged,) = [one for one in outcome(of, deed).rules if one.rule.id == "r"]
    assert judged.reason == "condition_error"
    assert told in (judged.error or "")


def test_a_line_that_cannot_be_evaluated_takes_nothing_from_the_others() -> None:
    of = program_of(rule("r", points_per_line=10, lines="10 / (line.quantity - 1) > 0"))
    assert points(of, purchase("100", line("50"), line("50", None, 2))) == {"base": 100, "r": 10}


@pytest.mark.parametrize(
    ("exclusions", "lines", "parts", "expected"),
    [
        ([], (), {}, {"base": 122}),
        (["tax"], (), {"tax": eur("22")}, {"base": 100}),
        (["tax", "shipping"], (), {"tax": eur("22"), "shipping": eur("10")}, {"base": 90}),
        (["shipping"], (), {"tax": eur("22")}, {"base": 122}),
        (["gift_cards"], (CARD, line("72")), {}, {"base": 72, "per-line": 1, "per-item": 1}),
        ([], (CARD, line("72")), {}, {"base": 122, "per-line": 2, "per-item": 2}),
        (["discounted_lines"], (REDUCED, line("92", None, 3)), {}, {"base": 92, "per-line": 1, "per-item": 3}),
        # 122 less 22 of tax are spread over lines of 60 and 40: 60 and 40
        (["tax", "gift_cards"], (line("60"), line("40", gift_card=True)), {"tax": eur("22")}, {"base": 60, "per-line": 1, "per-item": 1}),
    ],
)  # fmt: skip
def test_what_is_excluded_earns_nothing_by_amount_by_line_or_by_piece(
    exclusions: list[str], lines: tuple[BoughtLine, ...], parts: dict[str, Any], expected: dict[str, int]
) -> None:
    per = [rule("per-line", points_per_line=1), rule("per-item", points_per_item=1)]
    assert points(program_of(*per, exclusions=exclusions), purchase("122", *lines, **parts)) == expected


def test_a_purchase_of_nothing_but_what_is_excluded_earns_nothing_and_is_none_the_less_one() -> None:
    of = program_of(exclusions=["gift_cards"])
    assert outcome(of, purchase("50", CARD)).earned == ()
    assert reasons(of, purchase("50", CARD)) == {"base": "no_eligible_amount"}


def test_a_rule_by_amount_counts_the_lines_that_match() -> None:
    rates = [{"points": 2, "per": "1", "currency": "EUR"}]
    of = program_of(rule("shoes", rates=rates, lines="line.category == 'shoes'"))
    assert points(of, purchase("100", *SHOES_AND_SHIRT)) == {"base": 100, "shoes": 120}
    # The lines add up to 100 of 110: shipping is spread over them, 66 and 44.
    assert points(of, purchase("110", *SHOES_AND_SHIRT)) == {"base": 110, "shoes": 132}
    assert reasons(of, purchase("100")) == {"shoes": "no_line_matched"}
    assert reasons(of, purchase("100", line("100", "hats"))) == {"shoes": "no_line_matched"}


def test_reasons_of_currency_and_of_nothing_to_multiply() -> None:
    of = program_of(rule("double", multiplier="2"), rule("fixed", fixed_points=5, when="currency == 'USD'"))
    dollars = Deed("purchase", SUNDAY, amount=Money.of("10", "USD"))
    assert points(of, dollars) == {"double": 5, "fixed": 5}
    assert reasons(of, dollars) == {"base": "currency_without_rate"}
    only = program_of(rule("double", multiplier="2", lines="line.category == 'hats'"), rule("fixed", fixed_points=5))
    assert reasons(only, purchase("100", line("100", "shoes"))) == {"double": "no_line_matched"}
    of_fixed = program_of(
        rule("double", multiplier="2", of=["fixed"], lines="line.category == 'shoes'"), rule("fixed", fixed_points=5)
    )
    assert reasons(of_fixed, purchase("100", line("100", "shoes"))) == {"double": "nothing_to_multiply"}


def test_where_no_rule_counts_nothing_is_earned() -> None:
    never = document(earn_rules=[rule("r", fixed_points=5, when="channel == 'web'")])
    assert outcome(never, purchase()).earned == ()
    with pytest.raises(CurrencyNotInProgram):
        earn(program_of(rule("r", fixed_points=5, when="false")), _dollars(), Earner("bronze"))
    assert points(program_of(rule("r", fixed_points=5)), _dollars()) == {"r": 5}
    with pytest.raises(AmountRequired):
        earn(program_of(rule("r", fixed_points=5)), Deed("purchase", SUNDAY), Earner("bronze"))


def _dollars() -> Deed:
    return Deed("purchase", SUNDAY, amount=Money.of("10", "USD"))


CAMPAIGN = {"id": "sale", "name": "Sale", "starts_at": "2026-11-22T14:05", "ends_at": "2026-11-23T00:00"}


@pytest.mark.parametrize(
    ("occurred_at", "runs"),
    [
        ("2026-11-22T13:04:59Z", False),
        ("2026-11-22T13:05:00Z", True),
        ("2026-11-22T22:59:59Z", True),
        ("2026-11-22T23:00:00Z", False),  # midnight in Rome
    ],
)
def test_a_campaign_runs_by_the_program_s_clocks_and_by_when_it_occurred(occurred_at: str, runs: bool) -> None:
    of = program_of(rule("sale-bonus", fixed_points=7, campaign="sale"), campaigns=[CAMPAIGN])
    deed = purchase(occurred_at=at(occurred_at))
    assert points(of, deed) == ({"base": 100, "sale-bonus": 7} if runs else {"base": 100})
    assert reasons(of, deed) == ({} if runs else {"sale-bonus": "outside_campaign"})


def test_multipliers_add_up_and_multiply_each_other_only_where_one_says_so() -> None:
    both = [rule("double", multiplier="2"), rule("triple", multiplier="3")]
    assert points(program_of(*both), purchase()) == {"base": 100, "double": 100, "triple": 200}
    chained = [rule("triple", multiplier="3", of=["base", "double"]), rule("double", multiplier="2")]
    assert points(program_of(*chained), purchase()) == {"base": 100, "triple": 400, "double": 100}  # 100 * 2 * 3 = 600
    one = [rule("fixed", fixed_points=10), rule("double", multiplier="2", of=["fixed"])]
    assert points(program_of(*one), purchase()) == {"base": 100, "fixed": 10, "double": 10}


def test_a_multiplier_multiplies_what_the_rule_s_own_bounds_leave() -> None:
    capped = {"id": "base", "activity": "purchase", "rates": [{"points": 1, "per": "1", "currency": "EUR"}]}
    of = document(earn_rules=[{**capped, "maximum_points": 60}, rule("double", multiplier="2")])
    assert points(of, purchase()) == {"base": 60, "double": 60}
    assert points(of, purchase(), "gold") == {"base": 60, "double": 40}  # 60 after the tier's 1.5 are 40 before it


def test_a_multiplier_does_not_multiply_money_by_the_tier() -> None:
    cash = {"id": "cash", "name": "Cash", "currency": "EUR", "expiry": {"policy": "never"}}
    back = rule("back", wallet="cash", rates=[{"points": 2, "per": "1", "currency": "EUR"}])
    of = program_of(back, rule("more-back", wallet="cash", multiplier="1.5"), wallets=[cash])
    assert points(of, purchase(), "gold") == {"base": 150, "back": 200, "more-back": 100}


def test_threads_may_evaluate_the_same_conditions_side_by_side() -> None:
    """A batch of events works on several members at once."""
    conditions = [f"skus.exists(sku, sku.startsWith('S-{number}')) && amount > {number}.0" for number in range(20)]
    of = program_of(*(rule(f"r{number}", fixed_points=1, when=text) for number, text in enumerate(conditions)))

    def earned(number: int) -> int:
        deed = purchase(str(number), *(line("1", sku=f"S-{number}") for _ in range(30)))
        return len([one for one in outcome(of, deed).rules if one.counted]) - 1

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(earned, [number % 25 for number in range(400)]))
    # 'S-1' is how 'S-1', and 'S-10' to 'S-19', begin; the amount is above the number.
    assert found == [
        sum(f"S-{number % 25}".startswith(f"S-{n}") and number % 25 > n for n in range(20)) for number in range(400)
    ]
