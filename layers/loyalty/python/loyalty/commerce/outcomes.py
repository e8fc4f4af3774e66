"""What may become of an inbound event, and which refusals are for ever."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from loyalty.accruals.errors import OccurredInFuture
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    LoyaltyError,
    MemberErased,
    MemberNotFound,
    Rejected,
    ReversalRefused,
    Unacceptable,
)

PROGRAM_UNKNOWN: Final = "program_unknown"
PURCHASE_NOT_FOUND: Final = "purchase_not_found"
REFUND_REFUSED: Final = "refund_refused"
TOO_MANY_REFUNDS: Final = "too_many_refunds"

FINAL: Final = (
    EntryExistsWithDifferentRequest,
    MemberErased,
    MemberNotFound,
    OccurredInFuture,
    Rejected,
    ReversalRefused,
    Unacceptable,
)
"""What the ledger would answer to every further delivery too."""


class Outcome(StrEnum):
    """What became of an event. The values are names of metrics."""

    ACCRUED = "EventsAccrued"
    REVERSED = "EventsReversed"
    REPLAYED = "EventsReplayed"
    IGNORED = "EventsIgnored"
    CLAMPED = "RefundsClamped"
    """A refund of more than was left of the purchase took back what was left. Beside REVERSED or REFUND_POSTED."""
    KEPT = "UnmatchedPurchase"
    """By nobody we know; kept to be claimed."""
    KEPT_BEFORE = "UnmatchedPurchaseReplayed"
    ANONYMOUS = "UnclaimablePurchase"
    """By nobody we know, and with nothing on it to claim it by. Counted under KEPT's name too."""
    REFUND_KEPT = "UnmatchedRefund"
    """Of a kept purchase; kept beside it."""
    REFUND_WAITING = "RefundsWaiting"
    """Of a purchase that has not come; kept until it does, or for thirty days."""
    REFUND_ANONYMOUS = "UnclaimableRefund"
    """Of a purchase that nobody can claim. Counted under REFUND_KEPT's name too."""
    CLAIMED = "PurchasesClaimed"
    CLAIM_REFUSED = "ClaimsRefused"
    """Kept for somebody who came, but the program refuses it: it waits on until it expires."""
    SIGNED_UP = "SignupsPosted"
    """A member enrolled, and the program has a rule for that."""
    SIGNUP_REFUSED = "SignupsRefused"
    """As above, but the program refuses it: its rule is by an amount, which no signup has."""
    REFUND_POSTED = "KeptRefundsPosted"
    """Waited for a purchase that counts now, or was kept beside it."""
    REFUND_REFUSED = "KeptRefundsRefused"
    """As above, but the ledger refuses it; it stays beside the purchase."""


class Unfinished(Exception):
    """A member's coming moved as much as one delivery may; the rest waits for the next. No failure: ``outcomes`` stand."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__("more was kept than one delivery claims")
        self.outcomes = list(outcomes)


def final(error: LoyaltyError) -> Rejected | None:
    """The refusal that every further delivery would meet too, or None where another may go better."""
    if isinstance(error, Rejected):
        return error
    return Rejected(error.code, error.detail) if isinstance(error, FINAL) else None
