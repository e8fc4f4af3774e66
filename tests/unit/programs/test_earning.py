from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.errors import PointsLimitExceeded
from loyalty.core.money import Money
from loyalty.programs.deeds import Deed, Earner
from loyalty.programs.earning import Earned
from loyalty.programs.earning import earn as evaluate
from loyalty.programs.errors import ActivityNotRewarded, AmountRequired, CurrencyNotInProgram
from loyalty.programs.model import MAX_POINTS, ProgramDocument, Rounding
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import BASE, document


def earn(document_: ProgramDocument, activity: str, amount: Money | None, tier: str) -> tuple[Earned, ...]:
    deed = Deed(activity, at("2026-03-15T12:00:00Z"), amount=amount)
    return evaluate(document_, deed, Earner(tier)).earned


def points(amount: str, currency: str, tier: str = "bronze", **changes: Any) -> int:
    (earned,) = earn(document(**changes), "purchase", Money.of(amount, currency), tier)
    assert earned.wallet == "points"
    return earned.points


def rule(points_: int, per: str, currency: str = "USD") -> list[dict[str, Any]]:
    rates = [{"points": points_, "per": per, "currency": currency}]
    return [{"id": "r", "activity": "purchase", "rates": rates}]


@pytest.mark.parametrize(
    ("amount", "currency", "tier", "expected"),
    [
        ("105.00", "USD", "bronze", 10),  # 1 point per 10.00
        ("9.99", "USD", "bronze", 0),
        ("10.00", "USD", "bronze", 1),
        ("109.99", "USD", "bronze", 10),
        ("105.00", "USD", "silver", 13),  # 13.125
        ("105.00", "USD", "gold", 15),  # 15.75
        ("150000.00", "IDR", "bronze", 10),
        ("149999.99", "IDR", "bronze", 9),
        ("2250000.00", "IDR", "gold", 225),
        ("1.000", "KWD", "bronze", 3),
        ("0.333", "KWD", "bronze", 0),
        ("0.334", "KWD", "bronze", 1),
        ("12.345", "KWD", "gold", 55),  # 55.5525
        ("0.00", "USD", "bronze", 0),
    ],
)
def test_an_amount_earns_by_the_rate_of_its_currency_and_the_tier(
    amount: str, currency: str, tier: str, expected: int
) -> None:
    assert points(amount, currency, tier) == expected


@pytest.mark.parametrize(
    ("rounding", "amount", "expected"),
    [
        (Rounding.DOWN, "14.99", 1),
        (Rounding.DOWN, "19.99", 1),
        (Rounding.HALF_UP, "14.99", 1),
        (Rounding.HALF_UP, "15.00", 2),
        (Rounding.HALF_UP, "25.00", 3),  # not 2, as rounding half to even would have it
        (Rounding.UP, "10.00", 1),
        (Rounding.UP, "10.01", 2),
        (Rounding.UP, "0.00", 0),
    ],
)
def test_the_program_s_rounding_is_applied(rounding: Rounding, amount: str, expected: int) -> None:
    assert points(amount, "USD", rounding=rounding) == expected


def test_rounding_happens_once_after_the_multiplier() -> None:
    assert (
        points("4.00", "USD", "gold", earn_rules=rule(1, "3")) == 2
    )  # 4/3 * 3/2 is exactly 2, but floor(4/3) * 1.5 is 1
    assert points("0.70", "USD", earn_rules=rule(1, "0.1")) == 7  # 0.7 / 0.1 in floats is 6.999999999999999


@pytest.mark.parametrize(("tier", "expected"), [("bronze", 25), ("silver", 31), ("gold", 37), ("dropped", 25)])
def test_fixed_points_are_multiplied_too_and_a_tier_that_is_gone_counts_as_the_first(tier: str, expected: int) -> None:
    assert earn(document(), "review", None, tier) == (Earned("points", expected, {"review": expected}),)


def test_what_earns_nothing_is_named() -> None:
    with pytest.raises(ActivityNotRewarded) as no_rule:
        earn(document(), "dance", None, "bronze")
    with pytest.raises(AmountRequired) as no_amount:
        earn(document(), "purchase", None, "bronze")
    with pytest.raises(CurrencyNotInProgram) as no_rate:
        earn(document(), "purchase", Money.of("1", "GBP"), "bronze")
    assert [refusal.value.pointer for refusal in (no_rule, no_amount, no_rate)] == [
        "/activity",
        "/amount",
        "/amount/currency",
    ]


def test_more_points_than_one_posting_may_hold_are_refused() -> None:
    assert points(str(MAX_POINTS), "EUR") == MAX_POINTS
    with pytest.raises(PointsLimitExceeded):
        points(str(MAX_POINTS + 1), "EUR")


@given(
    cents=st.integers(0, 10**11),
    rate=st.integers(1, 100),
    per=st.decimals("0.01", "10000", places=2),
    tier=st.sampled_from(["bronze", "silver", "gold"]),
    rounding=st.sampled_from(Rounding),
)
def test_points_are_the_exact_product_rounded_once(
    cents: int, rate: int, per: Decimal, tier: str, rounding: Rounding
) -> None:
    multiplier = {"bronze": Fraction(1), "silver": Fraction(5, 4), "gold": Fraction(3, 2)}[tier]
    exact = Fraction(cents, 100) * rate / Fraction(per) * multiplier
    # Kept below the limit, so that each example says something.
    if exact > MAX_POINTS - 1:
        return
    got = points(str(Decimal(cents).scaleb(-2)), "USD", tier, earn_rules=rule(rate, str(per)), rounding=rounding)
    lowest, highest = {
        Rounding.DOWN: (exact - 1, exact),
        Rounding.HALF_UP: (exact - Fraction(1, 2), exact + Fraction(1, 2)),
        Rounding.UP: (exact, exact + 1),
    }[rounding]
    assert lowest <= got <= highest
    assert got != {Rounding.DOWN: lowest, Rounding.HALF_UP: lowest, Rounding.UP: highest}[rounding]


def test_what_vendors_promise_in_their_own_examples() -> None:
    """Square: one point for every 10 dollars, of 105 dollars 10 points. Smile.io: one point for every dollar."""
    assert points("105.00", "USD", earn_rules=rule(1, "10")) == 10
    assert points("105.00", "USD", earn_rules=rule(1, "1")) == 105


CASHBACK = {"id": "cashback", "name": "Cashback", "currency": "EUR", "expiry": {"policy": "never"}}
MILES = {"id": "miles", "name": "Miles", "expiry": {"policy": "never"}}


def _into(wallet: str, rates: dict[str, int], return_days: int = 0) -> dict[str, Any]:
    listed = [{"points": each, "per": "1", "currency": currency} for currency, each in rates.items()]
    return {"id": wallet, "activity": "purchase", "wallet": wallet, "rates": listed, "return_days": return_days}


def _three_wallets() -> ProgramDocument:
    points_ = {**_into("points", {"USD": 1, "EUR": 1}), "id": "r"}
    rules = [_into("cashback", {"EUR": 2}, 30), _into("miles", {"EUR": 3, "CAD": 3}), points_]
    return document(earn_rules=rules, wallets=[CASHBACK, MILES])


def test_one_activity_earns_in_each_wallet_by_its_own_rule() -> None:
    assert earn(_three_wallets(), "purchase", Money.of("19.99", "EUR"), "bronze") == (
        Earned("points", 19, {"r": 19}, 0),
        Earned("cashback", 39, {"cashback": 39}, 30),  # 39.98 cents
        Earned("miles", 59, {"miles": 59}, 0),  # 59.97
    )


def test_a_tier_multiplies_points_and_not_money() -> None:
    earned = earn(_three_wallets(), "purchase", Money.of("100.00", "EUR"), "gold")
    assert {one.wallet: one.points for one in earned} == {"points": 150, "cashback": 200, "miles": 450}


def test_a_wallet_without_a_rate_for_the_currency_earns_nothing_as_long_as_another_does() -> None:
    document_ = _three_wallets()
    assert [one.wallet for one in earn(document_, "purchase", Money.of("10", "USD"), "bronze")] == ["points"]
    assert [one.wallet for one in earn(document_, "purchase", Money.of("10", "CAD"), "bronze")] == ["miles"]
    with pytest.raises(CurrencyNotInProgram):
        earn(document_, "purchase", Money.of("10", "GBP"), "bronze")


def test_an_amount_is_required_as_soon_as_one_wallet_earns_by_it() -> None:
    both = [
        {"id": "bonus", "activity": "purchase", "fixed_points": 5},
        _into("cashback", {"EUR": 2}),
    ]
    mixed = document(earn_rules=both, wallets=[CASHBACK])
    with pytest.raises(AmountRequired):
        earn(mixed, "purchase", None, "bronze")
    earned = earn(mixed, "purchase", Money.of("10", "USD"), "bronze")
    assert [(one.wallet, one.points) for one in earned] == [("points", 5)]


def test_an_amount_that_earns_less_than_one_point_still_names_its_rule() -> None:
    assert earn(document(), "purchase", Money.of("9.99", "USD"), "bronze") == (Earned("points", 0, {"shop": 0}),)


@pytest.mark.parametrize(
    ("return_days", "posted_on", "first_day"),
    [
        (0, "2026-03-15", None),
        (1, "2026-03-15", "2026-03-16"),
        (14, "2026-12-25", "2027-01-08"),
        (30, "2024-02-15", "2024-03-16"),  # 29 days in February
        (30, "2026-02-15", "2026-03-17"),
        (90, "2026-10-01", "2026-12-30"),
    ],
)
def test_pending_points_may_be_spent_so_many_days_after_they_were_posted(
    return_days: int, posted_on: str, first_day: str | None
) -> None:
    first = Earned("points", 1, {"r": 1}, return_days).matures_on(date.fromisoformat(posted_on))
    assert (first and first.isoformat()) == first_day


def test_a_return_window_is_the_rule_s_own() -> None:
    windows = document(earn_rules=[{**BASE["earn_rules"][0], "return_days": 14}, BASE["earn_rules"][1]])
    assert earn(windows, "purchase", Money.of("10", "EUR"), "bronze")[0].return_days == 14
    assert earn(windows, "review", None, "bronze")[0].return_days == 0
