"""What activities earn."""

from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from loyalty.ledger.model import POINTS
from loyalty.programs.fields import CurrencyCode, DocumentPart, PositivePoints, Slug, twice

MAX_RETURN_DAYS: Final = 90
"""Days that points may stay pending, and so the days on which points of one wallet may be waiting to mature."""


class Rate(DocumentPart):
    """``points`` for every ``per`` major units of ``currency``: 1 point per 10.00 USD."""

    points: PositivePoints
    per: Annotated[Decimal, Field(gt=0, max_digits=18)]
    currency: CurrencyCode


class EarnRule(DocumentPart):
    """What one activity earns in one wallet: by amount (``rates``, one per currency) or a fixed number of points.

    In a wallet with a currency, points are minor units of it. With ``return_days`` they are pending, and become
    spendable at the start of the day that lies so many days after the one on which they were posted.
    """

    id: Slug
    activity: Slug
    wallet: Slug = POINTS
    rates: Annotated[tuple[Rate, ...], Field(max_length=50)] = ()
    fixed_points: PositivePoints | None = None
    return_days: Annotated[int, Field(strict=True, ge=0, le=MAX_RETURN_DAYS)] = 0

    @model_validator(mode="after")
    def _one_way_to_earn(self) -> Self:
        if bool(self.rates) == (self.fixed_points is not None):
            raise ValueError(f"earn rule '{self.id}' needs either rates or fixed_points, and not both")
        if currency := twice([rate.currency for rate in self.rates]):
            raise ValueError(f"earn rule '{self.id}' has two rates for one currency, {currency}")
        return self

    def rate(self, currency: str) -> Rate | None:
        """The rate for a currency, or None where this rule has none."""
        return next((rate for rate in self.rates if rate.currency == currency), None)
