"""The steps of a gift card's fulfilment, how they leave it, and the errors by which one fails.

A supplier's errors are outcomes, written down; what fails a step is a fault of ours, or one of these::

    FulfillmentError
    ├── OrderNotDelivered            nothing may be captured: no card has been stored
    ├── OrderStands                  nothing may be released: the supplier has the order
    ├── RedemptionMoved              the redemption, or its run, changed while the step ran
    └── NothingAwaited              a person decided before they could be asked

None of their messages carries a link, a code, a key or a body.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from loyalty.core.fields import MemberId, ProgramId, RedemptionId


class FulfillmentError(Exception):
    """A step could not do what it is for."""


class OrderNotDelivered(FulfillmentError):
    """The redemption has no stored card."""


class OrderStands(FulfillmentError):
    """The supplier has, or may still carry out, the redemption's order."""


class RedemptionMoved(FulfillmentError):
    """Someone else changed the redemption, or its run, between the step's reading and its writing."""


class NothingAwaited(FulfillmentError):
    """What would be waited for has happened already: the state machine goes on."""


class Progress(StrEnum):
    """How a step leaves a redemption. The state machine branches on it."""

    APPROVAL = "approval"
    """A person decides, for ``wait`` seconds; then it is looked at again."""
    CLEAR = "clear"
    """A card may be ordered."""
    AGAIN = "again"
    """Nothing is ordered yet, or the same order is sent once more: after ``wait`` seconds."""
    UNKNOWN = "unknown"
    """The supplier may have the order. After ``wait`` seconds it is asked."""
    PENDING = "pending"
    """The supplier has the order and has not settled it. It is asked after ``wait`` seconds, or once it tells."""
    ORDERED = "ordered"
    """The card is bought and stored."""
    NOT_ORDERED = "not_ordered"
    """There is no order, it came to nothing, or a person gave it up."""
    REPLACE = "replace"
    """The card is to be taken back, and another one ordered."""
    CAPTURED = "captured"
    RELEASED = "released"
    """No supplier gave a card; the points are back."""
    CLOSED = "closed"
    """A person has ended it, or nobody has decided in time."""
    ATTENTION = "attention"
    """A person has to look; the points stay held."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step tells the state machine: where to go on, and after how many seconds."""

    status: Progress
    wait: int | None = None

    def document(self) -> dict[str, str | int]:
        """The answer as JSON."""
        return {"status": self.status.value} | ({} if self.wait is None else {"wait": self.wait})


METRICS: Final[Mapping[Progress, str]] = {
    Progress.APPROVAL: "GiftCardsAwaitingApproval",
    Progress.CLEAR: "GiftCardsCleared",
    Progress.AGAIN: "GiftCardsWaiting",
    Progress.UNKNOWN: "GiftCardsUnknown",
    Progress.PENDING: "GiftCardsPending",
    Progress.ORDERED: "GiftCardsOrdered",
    Progress.NOT_ORDERED: "GiftCardsNotOrdered",
    Progress.REPLACE: "GiftCardsReplaced",
    Progress.CAPTURED: "GiftCardsFulfilled",
    Progress.RELEASED: "GiftCardsRefused",
    Progress.CLOSED: "GiftCardsClosed",
    Progress.ATTENTION: "GiftCardsNeedAttention",
}
"""The metric that counts steps with this result; a repeated step counts again."""

StepName = Literal["screen", "ask", "remind", "order", "listen", "query", "capture", "release", "replace", "attention"]


class StepRequest(BaseModel):
    """What the state machine asks for. ``token`` answers it where it then waits; ``error`` is why it gave up."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    step: StepName
    program: ProgramId
    member_id: MemberId
    redemption_id: RedemptionId
    token: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = None
    error: Annotated[str, StringConstraints(max_length=256)] | None = None
