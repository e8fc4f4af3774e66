"""The steps of a gift card's fulfilment, and the errors by which one fails, beside those of a supplier.

The state machine tells errors apart by their bare names::

    FulfillmentError
    ├── OrderNotDelivered            nothing may be captured: no card has been stored
    ├── OrderStands                  nothing may be released: the supplier has the order
    └── RedemptionMoved              the redemption changed while the step ran

None of their messages carries a link, a code, a key or a body.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from loyalty.core.fields import MemberId, ProgramId, RedemptionId


class FulfillmentError(Exception):
    """A step could not do what it is for."""


class OrderNotDelivered(FulfillmentError):
    """The redemption has no stored card."""


class OrderStands(FulfillmentError):
    """The supplier has, or may still carry out, the redemption's order."""


class RedemptionMoved(FulfillmentError):
    """Someone else changed the redemption between the step's reading and its writing."""


class Progress(StrEnum):
    """How a step leaves a redemption. The state machine branches on it."""

    ORDERED = "ordered"
    """The card is bought and stored."""
    PENDING = "pending"
    """The supplier has the order and has not settled it."""
    NOT_ORDERED = "not_ordered"
    """The supplier says that there is no order, or that it came to nothing."""
    CAPTURED = "captured"
    RELEASED = "released"


METRICS: Final[Mapping[Progress, str]] = {
    Progress.ORDERED: "GiftCardsOrdered",
    Progress.PENDING: "GiftCardsPending",
    Progress.NOT_ORDERED: "GiftCardsNotOrdered",
    Progress.CAPTURED: "GiftCardsFulfilled",
    Progress.RELEASED: "GiftCardsRefused",
}
"""The metric that counts steps with this result; a repeated step counts again."""


class StepRequest(BaseModel):
    """What the state machine asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    step: Literal["order", "query", "capture", "release"]
    program: ProgramId
    member_id: MemberId
    redemption_id: RedemptionId
