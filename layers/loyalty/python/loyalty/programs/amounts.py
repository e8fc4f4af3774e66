"""Amounts of money in a program document."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from loyalty.core.money import MINOR_UNITS, Money, minor_units
from loyalty.programs.fields import CurrencyCode, DocumentPart, WrongPart, repeated

MajorUnits = Annotated[Decimal, Field(ge=0, le=1_000_000_000, max_digits=14)]
"""Of a currency, exact."""


class Amount(DocumentPart):
    """An amount of money, in major units and exact to the minor unit of its currency."""

    value: MajorUnits
    currency: CurrencyCode

    @model_validator(mode="after")
    def _in_minor_units(self) -> Self:
        require_minor_units(self.value, self.currency)
        return self

    @property
    def money(self) -> Money:
        """The same as money."""
        return Money.of(self.value, self.currency)

    @property
    def minor(self) -> int:
        """In whole minor units."""
        return minor_units(self.money)


def require_minor_units(value: Decimal, currency: str) -> None:
    """Raises ValueError: the value is finer than the currency's minor unit."""
    decimals = MINOR_UNITS[currency]
    if value != value.quantize(Decimal(1).scaleb(-decimals)):
        raise ValueError(f"{currency} has {decimals} decimals, and {value} has more; round it")


def one_per_currency(amounts: tuple[Amount, ...]) -> tuple[Amount, ...]:
    """The amounts, of which no two are of one currency.

    Raises:
        ValueError: two are.
    """
    currencies = [amount.currency for amount in amounts]
    if (place := repeated(currencies)) is not None:
        raise WrongPart(f"{currencies[place]} is named twice; keep one amount of each currency", place, "currency")
    return amounts


Amounts = Annotated[tuple[Amount, ...], Field(max_length=20), AfterValidator(one_per_currency)]
"""Of different currencies."""
