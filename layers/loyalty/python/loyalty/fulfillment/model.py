"""What fulfilment and a supplier say to each other; any supplier stands behind :class:`Supplier`.

The errors by which a step of the workflow fails; the state machine tells them apart by their bare names::

    FulfillmentError
    ├── SupplierError                what came back, or did not, from the supplier
    │   ├── SupplierUnavailable      not now: the same request may be sent again, after a while
    │   ├── SupplierTimeout          sent, no answer: it may have been carried out, and only the supplier can tell
    │   ├── SupplierAccessDenied     our key is missing, wrong or may not do this
    │   ├── SupplierProtocolError    an answer that is not the API's: nothing may be concluded from it
    │   └── OrderRefused             the supplier, or the state of the redemption, refuses this order for good
    ├── OrderNotDelivered            nothing may be captured: no card has been stored
    ├── OrderStands                  nothing may be released: the supplier has the order
    └── RedemptionMoved              the redemption changed while the step ran

None of their messages carries a link, a key or a body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from loyalty.core.fields import MemberId, ProgramId, RedemptionId
from loyalty.core.money import Money


class FulfillmentError(Exception):
    """A step could not do what it is for."""


class SupplierError(FulfillmentError):
    """The supplier did not do, or did not say that it did, what it was asked."""


class SupplierUnavailable(SupplierError):
    """The supplier cannot be reached, is overloaded or failed.

    After a 5xx the order may exist all the same. Sending it again is safe, since its ``external_id`` makes it one
    order; concluding that there is none is not.
    """


class SupplierTimeout(SupplierError):
    """The request was sent and no answer came: ask, after giving it time to arrive."""


class SupplierAccessDenied(SupplierError):
    """A person has to put the credentials right."""


class SupplierProtocolError(SupplierError):
    """The answer is not one that the API documents."""


class OrderRefused(SupplierError):
    """There is no order, and the same one would be refused again."""


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


class OrderState(StrEnum):
    """What became of an order at the supplier."""

    EXECUTED = "executed"
    PENDING = "pending"
    DEAD = "dead"
    """Failed or cancelled; it costs nothing and delivers nothing."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One gift card of ``value``. The same ``external_id`` stands for the same order, however often it is sent."""

    external_id: str
    product: str
    value: Money
    recipient: str
    """An opaque reference to the member; never a name or an address."""


@dataclass(frozen=True, slots=True)
class SupplierOrder:
    """An order as the supplier shows it. ``link`` is shown once, in the answer to the order's making."""

    order_id: str
    reward_id: str
    state: OrderState
    link: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class GiftCard:
    """What the member gets. Whoever has ``link`` has the money, so it is kept out of ``repr`` and thereby of logs."""

    link: str = field(repr=False)


class Supplier(Protocol):
    """A supplier of gift cards whose orders bear a key of ours and can be found by it."""

    def order(self, request: OrderRequest) -> SupplierOrder:
        """Orders, or returns the order that was made of the same ``external_id`` before.

        Raises:
            OrderRefused: there is no order.
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: there may be one.
        """

    def find(self, external_id: str) -> SupplierOrder | None:
        """The order with this key, or None where the supplier says that it has none.

        Raises:
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: it did not say.
        """

    def new_link(self, reward_id: str) -> GiftCard:
        """A new link to an executed order's card. It is the same card: nothing is bought.

        Raises:
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: none was given.
        """
