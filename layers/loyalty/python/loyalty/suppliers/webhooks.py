"""What suppliers call back with: verified, then read. What it says of an order is a hint; the supplier is asked.

==========  =====================================  ==============================================================
supplier    how it proves itself                   what it names
==========  =====================================  ==============================================================
tremendous  ``Tremendous-Webhook-Signature``:      its own id of the order or the reward, never our key
            ``sha256=`` and the HMAC of the body
xoxoday     ``x-api-key``: a key that we chose     its own id of the order, and our key (``poNumber``)
==========  =====================================  ==============================================================

Tango calls back for orders that we do not make (asynchronous and physical ones), so none of its callbacks is taken.
The same one may arrive more than once: ``delivery_id`` tells, and whoever acts on it remembers it.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from loyalty.suppliers.model import OrderState

MAX_BODY_BYTES: Final = 64 * 1024

_PROOFS: Final[Mapping[str, str]] = {"tremendous": "tremendous-webhook-signature", "xoxoday": "x-api-key"}
"""Headers in which suppliers prove themselves."""
_ALGORITHM: Final = "sha256="
_TREMENDOUS_STATES: Final = {
    "ORDERS.APPROVED": OrderState.EXECUTED,
    "ORDERS.CANCELED": OrderState.DEAD,
    "ORDERS.FAILED": OrderState.DEAD,
    "REWARDS.CANCELED": OrderState.DEAD,
    "REWARDS.DELIVERY.SUCCEEDED": OrderState.EXECUTED,
}
_XOXODAY_STATES: Final = {
    "delivered": OrderState.EXECUTED,
    "canceled": OrderState.DEAD,
    "cancelled": OrderState.DEAD,
}


class BadSignature(ValueError):
    """It does not come from the supplier, or was changed on its way: nothing of it may be used."""


class BadCallback(ValueError):
    """It comes from the supplier and is none that its API documents."""


class CallbacksNotTaken(BadCallback):
    """Nothing that this supplier might call back with is acted on."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One delivery of one event."""

    supplier: str
    delivery_id: str
    """The event's own name: the same in every delivery of it."""
    event: str
    state: OrderState | None
    """What the order seems to have become; None where the event says nothing of that."""
    order_id: str | None = None
    reward_id: str | None = None
    external_id: str | None = None


def require_proof(headers: Mapping[str, str], body: bytes, supplier: str) -> str:
    """What the caller shows as its proof. Found without the key, so that whoever shows none does not have it fetched.

    Args:
        headers: of the request; their names in any case.
        body: as it was received.
        supplier: its name.

    Raises:
        CallbacksNotTaken: of no supplier whose callbacks are.
        BadCallback: it is larger than any.
        BadSignature: it shows nothing.
    """
    header = _PROOFS.get(supplier)
    if header is None:
        raise CallbacksNotTaken(f"no callbacks of supplier '{supplier}' are taken")
    if len(body) > MAX_BODY_BYTES:
        raise BadCallback(f"a callback has at most {MAX_BODY_BYTES} bytes")
    given = next((value for name, value in headers.items() if name.lower() == header), "")
    if not given:
        raise BadSignature("the callback is not signed")
    return given


def verify(headers: Mapping[str, str], body: bytes, secret: str, supplier: str = "tremendous") -> Callback:
    """The callback, if it is the supplier's.

    Args:
        headers: of the request; their names in any case.
        body: as it was received, byte for byte.
        secret: the supplier's ``webhook_key``.
        supplier: its name.

    Raises:
        BadSignature: it is unsigned, or signed with another key.
        BadCallback: it is larger than any, or is no event of this supplier's API.
        CallbacksNotTaken: nor is anything else.
    """
    given = require_proof(headers, body, supplier)
    right = signature(body, secret) if supplier == "tremendous" else secret
    # In constant time: how long it takes tells nothing of how much was right. Bytes: text would have to be ASCII.
    if not secret or not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), right.encode()):
        raise BadSignature("the callback is not signed by the supplier")
    try:
        return _READERS[supplier](body)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, each["loc"])) or "the body" for each in error.errors()}))
        raise BadCallback(f"the supplier's callback is not one of its API: {where}") from None


def signature(body: bytes, secret: str) -> str:
    """What Tremendous sends in its header for this body."""
    return _ALGORITHM + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


_Id = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
_ShortId = Annotated[_Id, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Event = Annotated[str, StringConstraints(pattern=r"^[A-Z_.]{1,64}$")]


class _Resource(_Part):
    id: _ShortId
    type: str


class _Payload(_Part):
    resource: _Resource


class _TremendousEvent(_Part):
    event: _Event
    uuid: _ShortId
    payload: _Payload


class _XoxodayOrder(_Part):
    orderId: _ShortId  # noqa: N815 -- the API's own names
    poNumber: Annotated[str, StringConstraints(max_length=100)] | None = None  # noqa: N815
    deliveryStatus: Annotated[str, StringConstraints(max_length=20)]  # noqa: N815


class _XoxodayEvent(_Part):
    id: _ShortId
    data: _XoxodayOrder


def _tremendous(body: bytes) -> Callback:
    event = _TremendousEvent.model_validate_json(body)
    resource = event.payload.resource
    return Callback(
        supplier="tremendous",
        delivery_id=event.uuid,
        event=event.event,
        state=_TREMENDOUS_STATES.get(event.event),
        order_id=resource.id if resource.type == "orders" else None,
        reward_id=resource.id if resource.type == "rewards" else None,
    )


def _xoxoday(body: bytes) -> Callback:
    event = _XoxodayEvent.model_validate_json(body)
    order = event.data
    return Callback(
        supplier="xoxoday",
        delivery_id=event.id,
        event="DELIVERY_STATUS",
        state=_XOXODAY_STATES.get(order.deliveryStatus.lower()),
        order_id=order.orderId,
        external_id=order.poNumber or None,
    )


_READERS: Final[Mapping[str, Callable[[bytes], Callback]]] = {"tremendous": _tremendous, "xoxoday": _xoxoday}
