"""Tremendous' public API (v2) behind :class:`loyalty.suppliers.model.Supplier`.

=========  ==================================================================================================
status     means here
=========  ==================================================================================================
200, 202   done; accepted and not settled yet
201        an order with this ``external_id`` exists: its data again, without the link
400…422    refused, where the body is an error of this API; otherwise someone in between answered
401, 403   access denied; the key is read anew before the next call
429, 5xx   unavailable
=========  ==================================================================================================

Redirects are not followed and urllib3 does not retry: what to do about a failure is the workflow's decision.
"""

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final, NoReturn, Protocol, TypeVar
from urllib.parse import urlsplit

import urllib3
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from loyalty.core.money import Money
from loyalty.suppliers.model import (
    GiftCard,
    OrderRefused,
    OrderRequest,
    OrderState,
    SupplierAccessDenied,
    SupplierOrder,
    SupplierProtocolError,
    SupplierTimeout,
    SupplierUnavailable,
)

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 256 * 1024
FUNDING_SOURCE: Final = "balance"
"""The account's own balance, in which the operator keeps money for rewards."""

_API: Final = "/api/v2"
_PART_BYTES: Final = 16 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_LINK: Final = 2048
_STATES: Final = {
    "EXECUTED": OrderState.EXECUTED,
    "CART": OrderState.PENDING,
    "OPEN": OrderState.PENDING,
    "PENDING APPROVAL": OrderState.PENDING,
    "PENDING INTERNAL PAYMENT APPROVAL": OrderState.PENDING,
    "CANCELED": OrderState.DEAD,
    "FAILED": OrderState.DEAD,
}
_FIELD: Final = re.compile(r"[a-z_]{1,40}")
_MAX_FIELDS: Final = 10
_MAX_DEPTH: Final = 5


class ApiKey(Protocol):
    """Where the API key comes from."""

    def read(self) -> str:
        """The key. Raises :class:`SupplierAccessDenied` where there is none."""

    def forget(self) -> None:
        """Reads it anew next time: the supplier no longer takes it."""


class _Shown(BaseModel):
    """Part of an answer; what the API may add later is ignored, and no error message repeats what was received."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


_ShownT = TypeVar("_ShownT", bound=_Shown)
_Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Delivery(_Shown):
    link: Annotated[str, StringConstraints(max_length=_MAX_LINK)] | None = None


class _Reward(_Shown):
    id: _Id
    delivery: _Delivery = _Delivery()


class _Order(_Shown):
    id: _Id
    external_id: str | None = None
    status: str
    rewards: Annotated[tuple[_Reward, ...], Field(min_length=1, max_length=1)]


class _Made(_Shown):
    order: _Order


class _Listed(_Shown):
    orders: tuple[_Order, ...]


class _LinkedReward(_Shown):
    link: Annotated[str, StringConstraints(max_length=_MAX_LINK)]


class _Linked(_Shown):
    reward: _LinkedReward


class Tremendous:
    """The client.

    Args:
        base_url: scheme and host, without a trailing slash; plain HTTP is taken for the loopback interface alone.
        key: gives the API key.
        connect_seconds: for making a connection.
        read_seconds: of silence while an answer is awaited.
    """

    def __init__(
        self,
        base_url: str,
        key: ApiKey,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        if not _is_safe(base_url):
            raise ValueError("the supplier's URL must be https")
        self._base = base_url + _API
        self._key = key
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)

    @property
    def name(self) -> str:
        """See :attr:`Supplier.name`."""
        return "tremendous"

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        # Made at the first call: loading the root certificates takes a while. The default context verifies chain and name.
        context = ssl.create_default_context() if self._base.startswith("https:") else None
        return urllib3.PoolManager(ssl_context=context, retries=False, timeout=self._timeout)

    def order(self, request: OrderRequest) -> SupplierOrder:
        """See :meth:`Supplier.order`."""
        body = {
            "external_id": request.external_id,
            "payment": {"funding_source_id": FUNDING_SOURCE},
            "reward": {
                "value": {"denomination": _number(request.value), "currency_code": request.value.currency},
                "delivery": {"method": "LINK"},
                "recipient": {"name": request.recipient},
                "products": [request.product],
            },
        }
        status, answer = self._call("POST", "/orders", body=body)
        if status not in {200, 201, 202}:
            self._fail(status, answer, ordering=True)
        return _supplier_order(_parsed(_Made, answer).order, request.external_id)

    def find(self, external_id: str) -> SupplierOrder | None:
        """See :meth:`Supplier.find`."""
        status, answer = self._call("GET", "/orders", query={"external_id": external_id, "limit": "2"})
        if status != 200:
            self._fail(status, answer)
        orders = _parsed(_Listed, answer).orders
        if len(orders) > 1:
            raise SupplierProtocolError("the supplier lists more than one order for one external_id")
        return _supplier_order(orders[0], external_id) if orders else None

    def card(self, order: SupplierOrder) -> GiftCard:
        """See :meth:`Supplier.card`: a link is shown once, so it is a new link to the same card."""
        status, answer = self._call("POST", f"/rewards/{order.reward_id}/generate_link")
        if status != 200:
            self._fail(status, answer)
        return GiftCard(link=_safe_link(_parsed(_Linked, answer).reward.link))

    def cancel(self, order: SupplierOrder) -> bool:
        """See :meth:`Supplier.cancel`."""
        raise NotImplementedError

    def balance(self, currency: str) -> Money:
        """See :meth:`Supplier.balance`."""
        raise NotImplementedError

    def orders(self, start: datetime, end: datetime) -> Iterator[SupplierOrder]:
        """See :meth:`Supplier.orders`."""
        raise NotImplementedError

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        headers = {
            "Authorization": f"Bearer {self._key.read()}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # so that the size limit is that of what is parsed
            "Connection": "close",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._pool.request(
                method,
                self._base + path,
                body=None if body is None else json.dumps(body).encode(),
                fields=query,
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            with answer:
                content = _read(answer)
        except (ConnectTimeoutError, NewConnectionError) as error:
            # The connection was never made, so nothing was sent.
            raise SupplierUnavailable(f"no connection to the supplier: {type(error).__name__}") from error
        except HTTPError as error:
            raise SupplierTimeout(f"the supplier has not answered {method} {path}: {type(error).__name__}") from error
        finally:
            # None is used twice: one that went stale while the function was frozen would look like a lost answer.
            self._pool.clear()
        return answer.status, content

    def _fail(self, status: int, answer: bytes, *, ordering: bool = False) -> NoReturn:
        if status in {401, 403}:
            self._key.forget()
            raise SupplierAccessDenied(f"the supplier answered {status}: check the API key and what it may do")
        if status == 429 or status >= 500:
            raise SupplierUnavailable(f"the supplier answered {status}")
        if status == 408:
            raise SupplierTimeout("the supplier answered 408")
        fields = _refused_fields(answer)
        if ordering and 400 <= status < 500 and fields is not None:
            raise OrderRefused(f"the supplier answered {status}" + (f", naming {', '.join(fields)}" if fields else ""))
        raise SupplierProtocolError(f"the supplier answered {status}, which its API does not document here")


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """The whole body; urllib3 raises where the connection ends before it does."""
    content = bytearray()
    for part in answer.stream(_PART_BYTES, decode_content=False):
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            raise SupplierProtocolError(f"the supplier's answer exceeds {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def _number(money: Money) -> int | float:
    """The amount as a JSON number, which the API wants. Exact: at most 15 digits, as many as a double keeps."""
    amount = money.amount
    if amount == amount.to_integral_value():
        return int(amount)
    number = float(amount)
    if Decimal(repr(number)) != amount:
        raise ValueError("an amount of more digits than a JSON number keeps")
    return number


def _parsed(model: type[_ShownT], answer: bytes) -> _ShownT:
    try:
        return model.model_validate_json(answer)
    except ValidationError as error:
        where = ", ".join(
            sorted({".".join(map(str, each["loc"])) or "the body" for each in error.errors()})[:_MAX_FIELDS]
        )
        # Without its cause, whose traceback would show the answer.
        raise SupplierProtocolError(f"the supplier's answer is not one of its API: {where}") from None


def _supplier_order(order: _Order, external_id: str) -> SupplierOrder:
    # A filter that the supplier ignored would hand us somebody else's card.
    if order.external_id != external_id:
        raise SupplierProtocolError("the supplier answered with the order of another external_id")
    if order.status not in _STATES:
        raise SupplierProtocolError("the supplier's order has a status that its API does not document")
    reward = order.rewards[0]
    card = None if reward.delivery.link is None else GiftCard(link=_safe_link(reward.delivery.link))
    return SupplierOrder(order.id, external_id, _STATES[order.status], reward_id=reward.id, card=card)


def _safe_link(link: str) -> str:
    """The link, if a member may be sent there: over TLS, unless to this machine itself."""
    if not _is_safe(link):
        raise SupplierProtocolError("the supplier's link is not https")
    return link


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _refused_fields(answer: bytes) -> list[str] | None:
    """The fields that an error of this API names, without what it says of them; None where it is no such error."""
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    errors = document.get("errors") if isinstance(document, dict) else None
    return sorted(_leaves(errors.get("payload"), ()))[:_MAX_FIELDS] if isinstance(errors, dict) else None


def _leaves(payload: Any, path: tuple[str, ...]) -> set[str]:
    if not isinstance(payload, dict) or len(path) == _MAX_DEPTH:
        return {".".join(path)} if path else set()
    named = [(name, value) for name, value in payload.items() if _FIELD.fullmatch(name)]
    return {leaf for name, value in named for leaf in _leaves(value, (*path, name))}
