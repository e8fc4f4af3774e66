"""What an inbound event says, in the platform's own words and free of any platform's shape. Pure.

No ``repr`` here shows an email address: these values end up in logs and tracebacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from loyalty.accruals.model import BoughtLine
from loyalty.core.money import Money

# --- Why an event is refused for ever: stable, and what its copy in the dead-letter queue is labelled with ---
UNKNOWN_EVENT: Final = "unknown_event"
UNKNOWN_TOPIC: Final = "unknown_topic"
MALFORMED_PAYLOAD: Final = "malformed_payload"
UNSUPPORTED_PLATFORM: Final = "unsupported_platform"

SHOPIFY: Final = "shopify"
PLATFORMS: Final = frozenset({SHOPIFY})
"""Sources whose ids are unique across all of their shops, and so across programs."""


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """The buyer, as the selling platform knows them. Both keys may be missing: a guest at a till."""

    platform: str
    external_id: str | None = None
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A paid order. ``source`` and ``source_id`` are its identity: whoever tells of it again tells of the same one."""

    source: str
    source_id: str
    occurred_at: datetime
    """When the platform took the order, aware, in UTC."""
    channel: str
    amount: Money
    """What points are earned on: after discounts, before shipping (and before tax, where prices exclude it)."""
    refund_basis: Money
    """What the customer paid in total: a refund takes back points in proportion to it."""
    customer: CustomerRef
    lines: tuple[BoughtLine, ...] = ()
    """What was bought, net of discounts; none where the platform's word on it is no use."""
    tax: Money | None = None
    """The part of ``amount`` that is tax, where prices include it."""
    program: str | None = None
    shop: str | None = None
    """The selling shop's domain, by which its program is found where ``program`` is None."""
    order_name: str | None = field(default=None, repr=False)
    """What staff and customer call the order, such as ``#1001``."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back on a purchase, identified by the refund's own id: one order may have several."""

    source: str
    source_id: str
    purchase_source_id: str
    """``source_id`` of the purchase, whose ``source`` is the refund's."""
    occurred_at: datetime
    amount: Money
    program: str | None = None
    shop: str | None = None


@dataclass(frozen=True, slots=True)
class MemberActivity:
    """Something a member did, told by a system of the operator's own. Names the member in exactly one way."""

    program: str
    activity: str
    source: str
    source_id: str
    occurred_at: datetime
    channel: str
    member_id: str | None = None
    customer: CustomerRef | None = None
    amount: Money | None = None
    lines: tuple[BoughtLine, ...] = ()
    tax: Money | None = None
    shipping: Money | None = None
    store: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    details: object = ()
    """What it says beside its amount, as its request is identified by."""


@dataclass(frozen=True, slots=True)
class MemberSignal:
    """Our own word that a member came (``enrolled``) or changed: what was kept for their email may now be claimed."""

    program: str
    member_id: str
    enrolled: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """A known event that moves no points. ``why`` is for logs."""

    topic: str
    why: str


Inbound = Purchase | Refund | MemberActivity | MemberSignal | Ignored
