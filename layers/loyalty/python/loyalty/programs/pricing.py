"""What a reward costs: a number of points, or points by an amount that the member chooses. Pure; integers alone."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from loyalty.core.money import Money, minor_units, money_of
from loyalty.programs.amounts import MajorUnits, require_minor_units
from loyalty.programs.fields import CurrencyCode, DocumentPart, Period, PositivePoints


class Denomination(DocumentPart):
    """Amounts of one currency that a member may choose: ``least``, and on by ``step`` to ``most``.

    It costs ``points`` for every ``per`` of the currency, rounded up to a whole point.
    """

    currency: CurrencyCode
    least: MajorUnits
    most: MajorUnits
    step: MajorUnits
    points: PositivePoints
    per: MajorUnits = Decimal(1)

    @model_validator(mode="after")
    def _amounts_that_there_are(self) -> Self:
        for value in (self.least, self.most, self.step, self.per):
            require_minor_units(value, self.currency)
        if not (self.least and self.step and self.per):
            raise ValueError("least, step and per must be above zero")
        if self.most < self.least:
            raise ValueError(f"most ({self.most}) is below least ({self.least})")
        return self

    def has(self, amount: Money) -> bool:
        """Whether the amount may be chosen."""
        above, step = minor_units(amount) - self._minor(self.least), self._minor(self.step)
        return (
            amount.currency == self.currency
            and 0 <= above <= self._minor(self.most) - self._minor(self.least)
            and (above % step == 0)
        )

    def price(self, amount: Money) -> int:
        """The points that the amount costs: 10.01 at 100 points per 1.00 are 1001; at 1 point per 1.00, 11."""
        return -(-minor_units(amount) * self.points // self._minor(self.per))

    @property
    def in_words(self) -> str:
        """``10.00 to 100.00 USD in steps of 5.00``."""
        least, most, step = (money_of(self._minor(one), self.currency) for one in (self.least, self.most, self.step))
        return f"{least.amount} to {most} in steps of {step.amount}"

    def _minor(self, value: Decimal) -> int:
        return minor_units(Money.of(value, self.currency))


class PerMember(DocumentPart):
    """How many of a reward one member may redeem on a day, in an ISO week, a month or a year of the program, or ever."""

    per: Period
    count: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
