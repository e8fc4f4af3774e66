from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from loyalty.core.errors import TooManyDecimals, UnknownCurrency
from loyalty.core.fields import MoneyBody, Source, SourceId, UtcDatetime
from loyalty.core.money import Money


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T09:30:00Z", "2026-11-22t09:30:00z", "2026-11-22T10:30:00+01:00", "2026-11-22 04:00-05:30"],
)
def test_times_are_utc(text: str) -> None:
    assert TypeAdapter(UtcDatetime).validate_python(text) == datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T09:30:00",
        "2026-11-22",
        "1795339800",
        1795339800,
        1795339800.5,
        True,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1969-12-31T23:59:59Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T09:30:00Z\n",
        "2026-11-22T09:30:00+99:99",
        "２026-11-22T09:30:00Z",  # noqa: RUF001
        "now",
        "",
    ],
)
def test_what_is_no_certain_moment_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(UtcDatetime).validate_python(value)


@pytest.mark.parametrize("value", ["105.00", "0", "0.5", "999999999999999.9999"])
def test_money_is_text(value: str) -> None:
    assert MoneyBody.model_validate({"value": value, "currency": "USD"}).value == value


@pytest.mark.parametrize(
    "value",
    [
        105,
        105.0,
        "-1",
        "+1",
        "1.",
        ".5",
        "01",
        "1e3",
        "1,000",
        "1_000",
        "NaN",
        "Infinity",
        " 1",
        "1\n",
        "",
        "\u0661",
        "9" * 16,
    ],
)
def test_money_that_is_none(value: object) -> None:
    with pytest.raises(ValidationError):
        MoneyBody.model_validate({"value": value, "currency": "USD"})


def test_money_is_exact_to_its_currency_and_points_to_what_is_not() -> None:
    assert MoneyBody(value="1.500", currency="KWD").to_money() == Money.of("1.500", "KWD")
    assert MoneyBody.of(Money.of("7", "JPY")) == MoneyBody(value="7", currency="JPY")
    with pytest.raises(TooManyDecimals) as decimals:
        MoneyBody(value="1.005", currency="USD").to_money("/lines/0/amount")
    assert decimals.value.pointer == "/lines/0/amount/value"
    with pytest.raises(UnknownCurrency) as currency:
        MoneyBody(value="1", currency="XXX").to_money("/lines/0/amount")
    assert currency.value.pointer == "/lines/0/amount/currency"


@pytest.mark.parametrize("value", ["a#b", "a@b", "", "x" * 129, "a b", "a\n", "\u00e9", "a\x00"])
def test_what_becomes_part_of_a_key_is_plain(value: str) -> None:
    for kind in (Source, SourceId):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(value)
