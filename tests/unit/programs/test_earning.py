from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.errors import ActivityNotRewarded, AmountRequired, CurrencyNotInProgram, PointsLimitExceeded
from loyalty.core.money import Money
from loyalty.ledger.movements import NEVER
from loyalty.programs.earning import earn, lot_for
from loyalty.programs.model import MAX_POINTS, Expiry, Rounding
from tests.ledgerkit.programs import document


def points(amount: str, currency: str, tier: str = "bronze", **changes: Any) -> int:
    return earn(document(**changes), "purchase", Money.of(amount, currency), tier).points


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
    earned = earn(document(), "review", None, tier)
    assert (earned.points, earned.rule) == (expected, "review")


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


@pytest.mark.parametrize(
    ("earned_on", "months", "expected"),
    [
        ("2020-07-06", 12, "2021-07-31"),
        ("2020-07-01", 12, "2021-07-31"),
        ("2020-07-31", 12, "2021-07-31"),
        ("2020-01-31", 1, "2020-02-29"),
        ("2021-01-31", 1, "2021-02-28"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2023-02-28", 12, "2024-02-29"),
        ("2099-02-28", 12, "2100-02-28"),  # no leap year, though divisible by 4
        ("2026-12-31", 1, "2027-01-31"),
        ("2026-11-30", 1, "2026-12-31"),
        ("2026-12-01", 35, "2029-11-30"),
    ],
)
def test_points_live_through_the_end_of_the_month_that_many_months_later(
    earned_on: str, months: int, expected: str
) -> None:
    assert lot_for(Expiry(policy="rolling", months=months), date.fromisoformat(earned_on)) == expected


def test_points_that_never_expire_share_one_lot() -> None:
    assert lot_for(Expiry(policy="never"), date(2026, 1, 1)) == NEVER


@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)), st.integers(1, 35))
def test_points_live_at_least_their_months_and_less_than_one_month_more(earned_on: date, months: int) -> None:
    last = date.fromisoformat(lot_for(Expiry(policy="rolling", months=months), earned_on))
    assert (last + timedelta(days=1)).day == 1
    assert (last.year * 12 + last.month) - (earned_on.year * 12 + earned_on.month) == months
