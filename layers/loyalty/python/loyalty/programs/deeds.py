"""What a member did, and who did it, as far as rules ask: values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from loyalty.core.money import Money

SIGNUP: Final = "signup"
"""The activity that the platform posts by itself, for who enrolls."""
REFERRAL: Final = "referral"
"""The activity that it posts for who brought a customer."""
REFERRED: Final = "referred"
"""The activity that it posts for the customer who was brought, in the same transaction."""


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """One line of what was bought.

    ``amount`` is what was paid for all of its ``quantity``, net of the discounts that the shop allocated to the line;
    ``discount`` is what these took off. ``line_id`` is the shop's id of it, by which it may be given back; None: not by
    itself.
    """

    amount: Money
    quantity: int = 1
    line_id: str | None = None
    sku: str | None = None
    product: str | None = None
    category: str | None = None
    gift_card: bool = False
    discount: Money | None = None

    @property
    def discounted(self) -> bool:
        """Whether anything was taken off its price."""
        return self.discount is not None and self.discount.amount > 0


@dataclass(frozen=True, slots=True)
class Deed:
    """An activity: ``occurred_at`` by its source's clock, UTC. ``tax`` and ``shipping`` are parts of ``amount``."""

    activity: str
    occurred_at: datetime
    channel: str | None = None
    store: str | None = None
    amount: Money | None = None
    tax: Money | None = None
    shipping: Money | None = None
    lines: tuple[BoughtLine, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Earner:
    """The member: their tier, that on each ladder, and whether this is their first activity of its kind that counts.

    ``segments`` are those in force on the day of the activity; none where no rule asks for them.
    """

    tier: str
    tiers: Mapping[str, str] = field(default_factory=dict)
    first: bool = False
    segments: tuple[str, ...] = ()
