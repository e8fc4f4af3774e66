"""What is given for points, who gives it, and what a kind of reward needs to be known for that."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from loyalty.core.money import Money
from loyalty.programs.amounts import require_minor_units
from loyalty.programs.fields import CurrencyCode, DocumentPart, Name, Slug, twice

DEFAULT_SUPPLIER: Final = "tremendous"


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


BY_THE_PLATFORM: Final = frozenset({RewardType.GIFT_CARD, RewardType.CASHBACK, RewardType.DONATION})
MONEY: Final = frozenset({RewardType.CASHBACK, RewardType.DONATION})

Product = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class CardSource(DocumentPart):
    """A product of a supplier that gives the same card."""

    supplier: Slug
    product: Product


class GiftCard(DocumentPart):
    """What the supplier is asked for: ``denomination`` in major units of ``currency``, where members choose no amount.

    ``fallbacks`` are asked in their order where the one before can give none.
    """

    product: Product
    denomination: Annotated[Decimal, Field(gt=0, max_digits=12)] | None = None
    currency: CurrencyCode | None = None
    supplier: Slug = DEFAULT_SUPPLIER
    fallbacks: Annotated[tuple[CardSource, ...], Field(max_length=3)] = ()

    @model_validator(mode="after")
    def _one_value_of_different_sources(self) -> Self:
        if (self.denomination is None) != (self.currency is None):
            raise ValueError("denomination and currency belong together")
        if self.denomination is not None and self.currency is not None:
            require_minor_units(self.denomination, self.currency)
        if same := twice([f"{one.product} of {one.supplier}" for one in self.sources]):
            raise ValueError(f"{same} is named twice; name another source of the card, or leave that fallback out")
        return self

    @property
    def sources(self) -> tuple[CardSource, ...]:
        """Where the card may come from, the first choice first."""
        return CardSource(supplier=self.supplier, product=self.product), *self.fallbacks

    @property
    def value(self) -> Money | None:
        """What one card is worth; None where the member chooses."""
        if self.denomination is None or self.currency is None:
            return None
        return Money.of(self.denomination, self.currency)


class Codes(DocumentPart):
    """Where the codes of a discount come from: a pool that was imported, or made by the platform when they are needed."""

    source: Literal["pool", "generated"]


class Charity(DocumentPart):
    """To whom a donation goes; ``id`` tells its batches from others."""

    id: Slug
    name: Name
