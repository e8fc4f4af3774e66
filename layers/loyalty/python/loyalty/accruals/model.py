"""What members did, and what was given back of it: values, and what identifies a request for ever."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from loyalty.core.clock import to_text
from loyalty.core.ids import request_hash
from loyalty.core.money import Money
from loyalty.programs.deeds import BoughtLine, Deed

__all__ = [
    "CLOCK_SKEW",
    "ENROLLMENT",
    "MAX_AWAITED",
    "MAX_AWAITED_OF_MEMBER",
    "PLATFORM_SOURCES",
    "REFERRAL_SOURCE",
    "Activity",
    "BoughtLine",
    "Refund",
    "ReversalReason",
    "activity_hash",
    "refund_hash",
]

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead of ours a source's clock may be."""
ENROLLMENT: Final = "enrollment"
"""The source of what the platform posts by itself: no partner's, so that nothing of theirs can be in its way."""
REFERRAL_SOURCE: Final = "referral"
"""The source of what referrals earn, likewise; the id is that of who was brought."""
PLATFORM_SOURCES: Final = frozenset({ENROLLMENT, REFERRAL_SOURCE})
MAX_AWAITED: Final = 20
"""Reversals that may wait for one accrual."""
MAX_AWAITED_OF_MEMBER: Final = 200
"""Reversals that may wait for all accruals of one member."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Something a member did, by the identity that its source gave it.

    ``amount`` is what earns points; ``refund_basis`` what was paid in all, the whole of which refunds are parts
    (``amount`` itself where it is None). ``occurred_at`` is the source's clock, UTC.
    """

    activity: str
    source: str
    source_id: str
    occurred_at: datetime
    channel: str | None = None
    amount: Money | None = None
    refund_basis: Money | None = None
    details: object = None
    """Whatever else the request said: part of its hash, so that a repeat with other details is refused."""
    lines: tuple[BoughtLine, ...] = ()
    """What was bought, for rules and for reversals by lines.

    Like all that follows it is no part of the hash: ``details`` says whether it identifies a request.
    """
    tax: Money | None = None
    shipping: Money | None = None
    store: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def deed(self) -> Deed:
        """What of it decides what it earns."""
        return Deed(
            activity=self.activity,
            occurred_at=self.occurred_at,
            channel=self.channel,
            store=self.store,
            amount=self.amount,
            tax=self.tax,
            shipping=self.shipping,
            lines=self.lines,
            attributes=self.attributes,
        )


class ReversalReason(StrEnum):
    """Why points are taken back."""

    REFUND = "refund"
    """Money was given back."""
    RETURN = "return"
    """Goods came back."""
    CANCELLATION = "cancellation"
    """The purchase was called off."""
    CHARGEBACK = "chargeback"
    """The customer's bank took the money back."""


@dataclass(frozen=True, slots=True)
class Refund:
    """What was given back of an earlier accrual of the same source: exactly one of the three forms.

    ``amount``: so much money. ``lines``: so many of those lines, by line id. ``everything``: all that is left.
    ``occurred_at`` is the source's clock, UTC.
    """

    source: str
    source_id: str
    accrual_source_id: str
    occurred_at: datetime
    amount: Money | None = None
    channel: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    everything: bool = False
    reason: ReversalReason = ReversalReason.REFUND

    def __post_init__(self) -> None:
        if [self.amount is not None, bool(self.lines), self.everything].count(True) != 1:
            raise ValueError("a reversal has exactly one of amount, lines and everything")


def activity_hash(activity: Activity) -> str:
    """What tells one accrual's request from another with the same identity."""
    return request_hash(
        {
            "activity": activity.activity,
            "occurred_at": to_text(activity.occurred_at),
            "channel": activity.channel,
            "amount": str(activity.amount) if activity.amount else None,
            "refund_basis": str(activity.refund_basis) if activity.refund_basis else None,
            "details": activity.details,
        }
    )


def refund_hash(refund: Refund) -> str:
    """What tells one reversal's request from another with the same identity.

    What a refund of money for no other reason does not have is left out: its hash is what it always was.
    """
    request: dict[str, object] = {
        "accrual": refund.accrual_source_id,
        "occurred_at": to_text(refund.occurred_at),
        "amount": str(refund.amount) if refund.amount else None,
    }
    if refund.lines:
        request["lines"] = dict(refund.lines)
    if refund.everything:
        request["everything"] = True
    if refund.reason is not ReversalReason.REFUND:
        request["reason"] = refund.reason
    return request_hash(request)
