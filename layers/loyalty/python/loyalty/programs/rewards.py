"""The catalogue: what points buy."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from loyalty.programs.brand import Translations
from loyalty.programs.fields import CurrencyCode, DocumentPart, Name, PositivePoints, Slug


class RewardType(StrEnum):
    """What is given for the points. With what else the reward says, it decides who captures the hold."""

    GIFT_CARD = "gift_card"
    """Ordered from a supplier by the platform as soon as the points are held."""
    PRODUCT = "product"
    """Sent by the partner, who captures the hold when it leaves."""
    EXPERIENCE = "experience"
    """A journey, a ticket, a dinner: booked by the partner, who then captures the hold."""
    CASHBACK = "cashback"
    """Money back, or credit on an account: written by the platform into a batch, which the business pays."""
    DISCOUNT = "discount"
    """A code that the platform gives out; without ``codes``, applied by the partner at checkout, who then captures the hold."""
    PERK = "perk"
    """Early access, an upgrade: given by the partner, who then captures the hold."""
    DONATION = "donation"
    """Written by the platform into a batch, which the business pays to the charity."""
    TRAINING = "training"
    """A course: the partner enrolls the member, and then captures the hold."""


class Party(StrEnum):
    """Who ends a redemption: the partner through the API, or the platform's own fulfilment."""

    PARTNER = "partner"
    FULFILLMENT = "fulfillment"


_BY_THE_PLATFORM: Final = frozenset({RewardType.GIFT_CARD, RewardType.CASHBACK, RewardType.DONATION})


Product = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Fallback(DocumentPart):
    """Whom the same card is ordered from where the suppliers before do not have it, and as which product."""

    supplier: Slug
    product: Product


class GiftCard(DocumentPart):
    """What the supplier is asked for: ``denomination`` in major units of ``currency``."""

    supplier: Slug = "tremendous"
    product: Product
    fallbacks: Annotated[tuple[Fallback, ...], Field(max_length=3)] = ()
    denomination: Annotated[Decimal, Field(gt=0, max_digits=12)]
    currency: CurrencyCode


class Codes(DocumentPart):
    """Where the codes of a discount come from: a pool that was imported, or made by the platform when they are needed."""

    source: Literal["pool", "generated"]


class Reward(DocumentPart):
    """An item of the catalogue, priced in points. With ``tiers`` it is only for members on one of these, on any ladder."""

    id: Slug
    name: Name
    translations: Translations | None = None
    type: RewardType
    points: PositivePoints
    gift_card: GiftCard | None = None
    codes: Codes | None = None
    limited: bool = False
    """There are only so many: :mod:`loyalty.stock` counts them."""
    tiers: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _gift_card_where_gift_card(self) -> Self:
        if (self.type is RewardType.GIFT_CARD) != (self.gift_card is not None):
            raise ValueError(f"reward '{self.id}': gift_card is given for rewards of that type, and only there")
        if self.codes is not None and self.type is not RewardType.DISCOUNT:
            raise ValueError(f"reward '{self.id}': codes are for rewards of type discount; leave them out")
        return self

    @property
    def party(self) -> Party:
        """Who captures or releases what was held for it."""
        by_platform = self.type in _BY_THE_PLATFORM or self.codes is not None
        return Party.FULFILLMENT if by_platform else Party.PARTNER
