"""What the platform and a supplier of gift cards say to each other; any supplier stands behind :class:`Supplier`.

The errors by which a call fails, named after what they allow one to conclude; a state machine tells them apart by their
bare names::

    SupplierError                what came back, or did not, from the supplier
    ├── SupplierUnavailable      not now: the same request may be sent again, after a while
    ├── SupplierTimeout          sent, no answer: it may have been carried out, and only the supplier can tell
    ├── SupplierAccessDenied     our key is missing, wrong or may not do this
    ├── SupplierProtocolError    an answer that is not the API's: nothing may be concluded from it
    └── OrderRefused             the supplier, or the state of the redemption, refuses this order for good

None of their messages carries a link, a code, a key or a body.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from loyalty.core.money import Money

SUPPLIERS: Final = ("tremendous", "tango", "xoxoday")
"""Who there are adapters for; a stage has some of them."""


class SupplierError(Exception):
    """The supplier did not do, or did not say that it did, what it was asked."""

    request_id: str | None = None
    """The supplier's own name for the request, where it gave one: what its support asks for."""


class SupplierUnavailable(SupplierError):
    """The supplier cannot be reached, is overloaded or failed.

    After a 5xx the order may exist all the same. Sending it again is safe where its ``external_id`` makes it one
    order; concluding that there is none is not.
    """

    retry_after: float | None = None
    """Seconds to leave it in peace, where it said so."""


class SupplierTimeout(SupplierError):
    """The request was sent and no answer came: ask, after giving it time to arrive."""


class SupplierAccessDenied(SupplierError):
    """A person has to put the credentials right."""


class SupplierProtocolError(SupplierError):
    """The answer is not one that the API documents."""


class OrderRefused(SupplierError):
    """There is no order, and the same one would be refused again."""

    out_of_funds: bool = False
    """For want of money in our account alone: filled up, the supplier takes the same order."""


class Outcome(StrEnum):
    """What a request for an order came to: the closed set that every adapter maps its supplier's answers to."""

    ISSUED = "issued"
    PENDING = "pending"
    REFUSED = "refused"
    AMBIGUOUS = "ambiguous"
    """It may have been carried out, or not; the supplier is asked before anything is concluded."""


def outcome_of(result: "SupplierOrder | SupplierError") -> Outcome:
    """The outcome that an answer or a failure stands for."""
    if isinstance(result, SupplierError):
        return Outcome.REFUSED if isinstance(result, OrderRefused) else Outcome.AMBIGUOUS
    return {
        OrderState.EXECUTED: Outcome.ISSUED,
        OrderState.PENDING: Outcome.PENDING,
        OrderState.DEAD: Outcome.REFUSED,
    }[result.state]


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


def as_asked(order: "SupplierOrder", request: OrderRequest) -> "SupplierOrder":
    """The order, if it is the one that was asked for: what another value or key stands for is delivered to nobody.

    Raises:
        SupplierProtocolError: it has another value or currency, somebody else's ``external_id``, or does not say.
    """
    if order.external_id != request.external_id:
        raise _unlike("the supplier's order bears another external_id than the one asked for", order)
    settled_without_value = order.value is None and order.state is OrderState.EXECUTED
    if settled_without_value or (order.value is not None and order.value != request.value):
        raise _unlike(f"the supplier's order is of {order.value or 'no value'}; asked for was {request.value}", order)
    return order


def _unlike(message: str, order: "SupplierOrder") -> SupplierProtocolError:
    error = SupplierProtocolError(message)
    error.request_id = order.request_id
    return error


@dataclass(frozen=True, slots=True)
class GiftCard:
    """What the member gets. Whoever has it has the money, so it is kept out of ``repr`` and thereby of logs."""

    link: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    pin: str | None = field(default=None, repr=False)
    expires_on: str | None = None
    """ISO date, where the supplier says one."""


@dataclass(frozen=True, slots=True)
class SupplierOrder:
    """An order as the supplier shows it."""

    order_id: str
    external_id: str | None
    """None in a list of orders of which some are not ours."""
    state: OrderState
    value: Money | None = None
    """What the card is worth, where the supplier says it."""
    cost: Money | None = None
    """What we are charged for it, with fees and discounts, where the supplier says it."""
    created_at: datetime | None = None
    reward_id: str | None = None
    """The supplier's name for the card within the order, where it has one."""
    card: GiftCard | None = field(default=None, repr=False)
    """Shown by some suppliers in the answer to the order alone; :meth:`Supplier.card` gives it at any time."""
    request_id: str | None = field(default=None, compare=False)


class Supplier(Protocol):
    """A supplier of gift cards whose orders bear a key of ours and can be found by it."""

    @property
    def name(self) -> str:
        """What programs, runs and reports call it: ``tremendous``, ``tango``, ``xoxoday``."""

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

    def card(self, order: SupplierOrder) -> GiftCard:
        """The card of an executed order: nothing is bought by it.

        Raises:
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: none was given.
        """

    def cancel(self, order: SupplierOrder) -> bool:
        """Cancels an order whose card nobody used; False where the supplier cannot, or will not.

        Raises:
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: it did not say.
        """

    def balance(self, currency: str) -> Money:
        """What is left to order with, in ``currency``.

        Raises:
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: it did not say.
        """

    def orders(self, start: datetime, end: datetime) -> Iterator[SupplierOrder]:
        """Every order made from ``start`` until before ``end`` (UTC), page after page, without its card.

        Raises:
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: the list is not whole.
        """
