"""The catalogue: what points buy."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from loyalty.programs.brand import Translations
from loyalty.programs.fields import CurrencyCode, DocumentPart, Name, PositivePoints, Slug


class RewardType(StrEnum):
    """Decides who captures the hold."""

    GIFT_CARD = "gift_card"
    """Ordered from the supplier by the platform as soon as the points are held."""
    DISCOUNT = "discount"
    """Applied by the partner at checkout, who then captures the hold."""
    PERK = "perk"
    """Given by the partner, who then captures the hold."""


class GiftCard(DocumentPart):
    """What the supplier is asked for: ``denomination`` in major units of ``currency``."""

    product: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    denomination: Annotated[Decimal, Field(gt=0, max_digits=12)]
    currency: CurrencyCode


class Reward(DocumentPart):
    """An item of the catalogue, priced in points. With ``tiers`` it is only for members on one of these, on any ladder."""

    id: Slug
    name: Name
    translations: Translations | None = None
    type: RewardType
    points: PositivePoints
    gift_card: GiftCard | None = None
    tiers: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _gift_card_where_gift_card(self) -> Self:
        if (self.type is RewardType.GIFT_CARD) != (self.gift_card is not None):
            raise ValueError(f"reward '{self.id}': gift_card is given for rewards of that type, and only there")
        return self
