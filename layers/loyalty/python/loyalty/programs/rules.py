"""What activities earn."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from loyalty.ledger.model import POINTS
from loyalty.programs.brand import Translations
from loyalty.programs.campaigns import Caps, one_of_each
from loyalty.programs.fields import CurrencyCode, DocumentPart, Name, PointsOrZero, PositivePoints, Slug, twice

MAX_RETURN_DAYS: Final = 90
"""Days that points may stay pending, and so the days on which points of one wallet may be waiting to mature."""

Condition = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""An expression in CEL that is true or false: see :mod:`loyalty.programs.conditions` for what it may ask."""

_EFFECTS: Final = ("rates", "fixed_points", "points_per_line", "points_per_item", "multiplier")


class Stacking(StrEnum):
    """Which of the rules that match in a wallet count; multipliers are judged among themselves."""

    SUM = "sum"
    """All of them."""
    BEST = "best"
    """The one of the most points; the first of several."""
    PRIORITY = "priority"
    """The one of the highest priority; of several, the best."""


class Exclusion(StrEnum):
    """What of a purchase earns nothing by amount, and no line of which counts as a line or by its pieces."""

    TAX = "tax"
    SHIPPING = "shipping"
    GIFT_CARDS = "gift_cards"
    DISCOUNTED_LINES = "discounted_lines"


class Rate(DocumentPart):
    """``points`` for every ``per`` major units of ``currency``: 1 point per 10.00 USD."""

    points: PositivePoints
    per: Annotated[Decimal, Field(gt=0, max_digits=18)]
    currency: CurrencyCode


class EarnRule(DocumentPart):
    """What one activity earns in one wallet, and when. It has one effect.

    ``rates``: points by amount, one rate per currency. ``fixed_points``: so many; 0 for what only counts towards tiers.
    ``points_per_line``, ``points_per_item``: so many for each line, or each piece, of what was bought. ``multiplier``: what the rules ``of``
    give, of the same activity and wallet, that many times; it adds ``multiplier - 1`` times their points. Without ``of``
    these are all rules that are no multipliers themselves.

    It counts while its ``campaign`` runs, where ``when`` is true of the activity, on the ``lines`` of which that is
    true. Of the rules of one ``group`` one counts: of the highest ``priority``, then that of the most points, then the
    first. ``minimum_points`` and ``maximum_points`` bound what it gives for one activity, ``caps`` what it gives one
    member in a time.

    In a wallet with a currency, points are minor units of it. With ``return_days`` they are pending, and become
    spendable at the start of the day that lies so many days after the one on which they were posted.
    """

    id: Slug
    name: Name | None = None
    translations: Translations | None = None
    activity: Slug
    wallet: Slug = POINTS
    campaign: Slug | None = None
    when: Condition | None = None
    lines: Condition | None = None
    rates: Annotated[tuple[Rate, ...], Field(max_length=50)] = ()
    fixed_points: PointsOrZero | None = None
    points_per_line: PositivePoints | None = None
    points_per_item: PositivePoints | None = None
    multiplier: Annotated[Decimal, Field(gt=1, le=100, max_digits=6)] | None = None
    of: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    tier_multiplied: bool = True
    minimum_points: PositivePoints | None = None
    maximum_points: PositivePoints | None = None
    caps: Caps = ()
    group: Slug | None = None
    priority: Annotated[int, Field(strict=True, ge=-1000, le=1000)] = 0
    return_days: Annotated[int, Field(strict=True, ge=0, le=MAX_RETURN_DAYS)] = 0

    @model_validator(mode="after")
    def _a_name_to_translate(self) -> Self:
        if self.translations is not None and self.name is None:
            raise ValueError(f"earn rule '{self.id}' has translations of a name, and no name; add it")
        return self

    @model_validator(mode="after")
    def _one_way_to_earn(self) -> Self:
        effects = [name for name in _EFFECTS if getattr(self, name) not in {None, ()}]
        if len(effects) != 1:
            found = f"; it has {' and '.join(effects)}" if effects else ""
            raise ValueError(
                f"earn rule '{self.id}' needs exactly one of {', '.join(_EFFECTS[:-1])} and {_EFFECTS[-1]}{found}"
            )
        if currency := twice([rate.currency for rate in self.rates]):
            raise ValueError(f"earn rule '{self.id}' has two rates for one currency, {currency}")
        return self

    @model_validator(mode="after")
    def _bounds_that_leave_something(self) -> Self:
        if self.of and self.multiplier is None:
            raise ValueError(f"earn rule '{self.id}' is no multiplier; leave out of")
        if same := twice(list(self.of)):
            raise ValueError(f"earn rule '{self.id}' names '{same}' twice in of")
        if self.minimum_points and self.maximum_points and self.minimum_points > self.maximum_points:
            raise ValueError(
                f"earn rule '{self.id}': minimum_points ({self.minimum_points}) must not be above maximum_points "
                f"({self.maximum_points})"
            )
        one_of_each(self.caps)
        return self

    def rate(self, currency: str) -> Rate | None:
        """The rate for a currency, or None where this rule has none."""
        return next((rate for rate in self.rates if rate.currency == currency), None)
