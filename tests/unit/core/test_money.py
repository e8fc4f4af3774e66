from decimal import Decimal

import pytest

from loyalty.core.errors import LoyaltyError, TooManyDecimals, UnknownCurrency
from loyalty.core.money import MINOR_UNITS, Money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("105", "USD", "105.00 USD"),
        ("105.00", "USD", "105.00 USD"),
        ("105.0", "USD", "105.00 USD"),
        ("0", "EUR", "0.00 EUR"),
        ("1500", "JPY", "1500 JPY"),
        ("1500.00", "JPY", "1500 JPY"),
        ("1.5E+3", "JPY", "1500 JPY"),
        ("150000.00", "IDR", "150000.00 IDR"),
        ("0.001", "KWD", "0.001 KWD"),
        ("12.345", "BHD", "12.345 BHD"),
        ("0.0001", "CLF", "0.0001 CLF"),
        ("999999999999999.99", "USD", "999999999999999.99 USD"),
    ],
)
def test_an_amount_is_written_with_its_currency_s_own_decimals(amount: str, currency: str, text: str) -> None:
    money = Money.of(amount, currency)
    assert str(money) == text
    assert Money.parse(text) == money


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.001", "USD"), ("0.5", "JPY"), ("0.0001", "KWD"), ("10.10", "KRW"), ("1E-9", "EUR")]
)
def test_an_amount_finer_than_the_minor_unit_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(TooManyDecimals) as refusal:
        Money.of(amount, currency)
    assert refusal.value.code == "too_many_decimals"
    assert refusal.value.pointer == "/amount/value"


@pytest.mark.parametrize("currency", ["XXX", "usd", "", "US", "EURO", "XAU"])
def test_a_currency_that_is_none_is_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrency) as refusal:
        Money.of("1", currency)
    assert refusal.value.code == "unknown_currency"


@pytest.mark.parametrize("amount", ["-0.01", "-1", "NaN", "Infinity", "-Infinity", "sNaN", "abc", "", "1,00"])
def test_what_is_no_amount_is_a_value_error(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        Money.of(amount, "USD")


@pytest.mark.parametrize("amount", ["1" + "0" * 40, "9" * 27 + ".99", "1E+400", "1E+999999"])
def test_an_amount_beyond_exact_arithmetic_is_a_value_error(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        Money.of(amount, "USD")


def test_an_amount_longer_than_the_decimal_context_does_not_slip_past_the_minor_unit() -> None:
    with pytest.raises((TooManyDecimals, ValueError)) as refusal:
        Money.of("12345678901234567890123456.12345", "USD")
    assert isinstance(refusal.value, LoyaltyError | ValueError)


def test_minus_nothing_is_nothing() -> None:
    assert str(Money.of("-0.00", "USD")) == "0.00 USD"


def test_equal_amounts_are_equal_however_they_were_written() -> None:
    assert Money.of("1.5", "USD") == Money.of(Decimal("1.50"), "USD")
    assert Money.of("1", "USD") != Money.of("1", "EUR")


def test_minor_units_are_those_of_the_standard() -> None:
    expected = {
        "USD": 2,
        "IDR": 2,
        "AED": 2,
        "JPY": 0,
        "KRW": 0,
        "CLP": 0,
        "KWD": 3,
        "BHD": 3,
        "TND": 3,
        "CLF": 4,
        "ISK": 0,
    }
    assert {code: MINOR_UNITS[code] for code in expected} == expected
    assert not {"XXX", "XTS", "XAU", "XDR"} & MINOR_UNITS.keys()
