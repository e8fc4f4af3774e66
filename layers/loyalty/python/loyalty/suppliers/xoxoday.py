"""Xoxoday Plum's public rewards API behind :class:`loyalty.suppliers.model.Supplier`.

Everything is a POST to one address with a named query. Errors bear an ``errorId``, which tells more than the status:

==========================================  =================================================================
answer                                      means here
==========================================  =================================================================
200, ``status`` 1                           the order
an ``errorId`` of :data:`_REFUSED`          no order, **if the order is not found by its** ``poNumber`` then
``PLE10004``, and any other 4xx             the same: a ``poNumber`` that was used is rejected, not answered with its order
401 without an ``errorId`` of ours          access denied; the credentials are read anew before the next call
5xx of an order, without such an errorId    a time-out: the documentation says to ask before ordering again
429, any other 5xx                          unavailable
==========================================  =================================================================

An answer may take 120 seconds, so an order without one must not be taken for none before. Answers do not repeat the
``poNumber``: that the order is ours rests on the supplier's filter. Orders cannot be cancelled through the API.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final, NoReturn

from loyalty.core.money import Money
from loyalty.suppliers.answers import at_least, document, number, undecided, undocumented
from loyalty.suppliers.model import (
    GiftCard,
    OrderRefused,
    OrderRequest,
    SupplierAccessDenied,
    SupplierError,
    SupplierOrder,
    SupplierProtocolError,
    SupplierTimeout,
    SupplierUnavailable,
    as_asked,
)
from loyalty.suppliers.secret import Credentials, XoxodayKeys
from loyalty.suppliers.transport import CONNECT_SECONDS, READ_SECONDS, Answer, Transport, failed
from loyalty.suppliers.xoxoday_orders import Balance, History, Order, listed_order, result, supplier_order

PAGE: Final = 100
MAX_PAGES: Final = 1_000

_PATH: Final = "/v1/oauth/api"
_REFUSED: Final = frozenset({
    "PLE10001",  # the request does not validate
    "PLE10014",  # client not known
    "PLE10015",  # this brand wants the client to be identified
    "PLE10018",  # no such denomination
    "PLE10019",  # not allowed abroad; with status 401
    "PLE10024",  # out of stock; with status 502
    "PLE10041",  # too many
    "PLE10042",  # product not activated
})  # fmt: skip
_NOT_FOUND: Final = frozenset({"PLE10016", "PLE10022", "PLE10027", "PLE10028"})
_LATER: Final = frozenset({"PLE10020", "PLE10021"})
_NO_CLIENT: Final = "PLE10014"
_MAY_BE_UNDER_WAY: Final = frozenset({"PLE10035"})
_TOKEN_ERRORS: Final = frozenset({"invalid_token", "unauthorized_client", "invalid_client", "auth.token_error"})


class Xoxoday:
    """The client.

    Args:
        base_url: scheme, host and ``/chef``, without a trailing slash; plain HTTP is taken for the loopback interface alone.
        credentials: give the access token.
        utc_offset_minutes: of the moments that the supplier writes without a time zone.
        connect_seconds: for making a connection.
        read_seconds: of silence while an answer is awaited.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials[XoxodayKeys],
        *,
        utc_offset_minutes: int = 0,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._transport = Transport(base_url, connect_seconds=connect_seconds, read_seconds=read_seconds)
        self._credentials = credentials
        self._zone = timezone(timedelta(minutes=utc_offset_minutes))

    @property
    def name(self) -> str:
        """See :attr:`Supplier.name`."""
        return "xoxoday"

    def order(self, request: OrderRequest) -> SupplierOrder:
        """See :meth:`Supplier.order`. The member's opaque reference travels as the order's tag, and nothing else of them."""
        if not (request.product.isascii() and request.product.isdigit()):
            raise OrderRefused("a product of Xoxoday is a number")
        data = {
            "productId": int(request.product),
            "quantity": 1,
            "denomination": number(request.value),
            "email": "",
            "contact": "",
            "tag": request.recipient,
            "poNumber": request.external_id,
            "notifyReceiverEmail": 0,
            "notifyAdminEmail": 0,
        }
        answer = self._call("mutation.placeOrder", data)
        if answer.status != 200:
            return self._rejected(answer, request)
        order = result(Order, "placeOrder", answer)
        return as_asked(supplier_order(order, request.external_id, self._zone, answer), request)

    def find(self, external_id: str) -> SupplierOrder | None:
        """See :meth:`Supplier.find`."""
        answer = self._call(
            "mutation.getOrderDetails", {"poNumber": external_id, "orderId": 0, "sendMailToReceiver": 0}, reads=True
        )
        if answer.status != 200 and _error_id(answer) in _NOT_FOUND:
            return None
        if answer.status != 200:
            self._fail(answer)
        return supplier_order(result(Order, "getOrderDetails", answer), external_id, self._zone, answer)

    def card(self, order: SupplierOrder) -> GiftCard:
        """See :meth:`Supplier.card`: its voucher is part of the order."""
        found = None if order.external_id is None else self.find(order.external_id)
        if found is None or found.order_id != order.order_id:
            raise SupplierProtocolError("the supplier answered with another order, or with none")
        if found.card is None:
            raise SupplierProtocolError("the supplier's order shows no voucher")
        return found.card

    def cancel(self, order: SupplierOrder) -> bool:  # noqa: ARG002 -- the port's signature
        """See :meth:`Supplier.cancel`: this API has no such call, so always False."""
        return False

    def balance(self, currency: str) -> Money:
        """See :meth:`Supplier.balance`: the wallet is kept in one currency."""
        wallet = self.wallet()
        if wallet.currency != currency:
            raise SupplierProtocolError(f"the supplier's wallet is kept in {wallet.currency}, not in {currency}")
        return wallet

    def wallet(self) -> Money:
        """What is left, in the currency that the wallet is kept in. Raises as :meth:`Supplier.balance`."""
        answer = self._call("query.getBalance", {}, reads=True)
        if answer.status != 200:
            self._fail(answer)
        balance = result(Balance, "getBalance", answer)
        return at_least(balance.value, balance.currency, answer)

    def orders(self, start: datetime, end: datetime) -> Iterator[SupplierOrder]:
        """See :meth:`Supplier.orders`. It lists whole days, so a day on either side is asked for and left out here."""
        period = {
            "startDate": (start.astimezone(self._zone) - timedelta(days=1)).date().isoformat(),
            "endDate": (end.astimezone(self._zone) + timedelta(days=1)).date().isoformat(),
            "limit": PAGE,
        }
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            answer = self._call("mutation.getOrderHistory", {**period, "page": page}, reads=True)
            if answer.status != 200 and _error_id(answer) in _NOT_FOUND:
                return
            if answer.status != 200:
                self._fail(answer)
            listed = result(History, "getOrderHistory", answer).root
            new = [each for each in listed if each.orderId not in seen]
            seen.update(each.orderId for each in new)
            for order in (listed_order(each, self._zone, answer) for each in new):
                if order.created_at is not None and start <= order.created_at < end:
                    yield order
            if len(listed) < PAGE:
                return
            if not new:
                raise failed(SupplierProtocolError("the supplier's list repeats itself: it is not whole"), answer)
        raise SupplierProtocolError(f"the supplier's list does not end after {MAX_PAGES} pages: ask for a shorter time")

    def _rejected(self, answer: Answer, request: OrderRequest) -> SupplierOrder:
        """What a rejection means: the order that an earlier request made, if there is one; else what its code says.

        Raises:
            OrderRefused: the code refuses it, and there is no order.
            SupplierError: the code decides nothing.
        """
        code = _error_id(answer)
        if code in _MAY_BE_UNDER_WAY or (answer.status >= 500 and code not in _REFUSED):
            message = f"the supplier does not know what became of the order: it answered {answer.status} ({code})"
            raise failed(SupplierTimeout(message), answer)
        if code in {None, _NO_CLIENT}:
            self._fail(answer)
        found = self.find(request.external_id)
        if found is not None:
            return as_asked(found, request)
        if code not in _REFUSED:
            # "Call again" is what the documentation says of the others, and of PLE10004 nothing that could be relied on.
            raise failed(SupplierUnavailable(f"the supplier answered {answer.status} ({code})"), answer)
        raise failed(OrderRefused(f"the supplier answered {answer.status} ({code})"), answer)

    def _call(self, query: str, data: Mapping[str, Any], *, reads: bool = False) -> Answer:
        """Every request passes here."""
        return self._transport.call(
            "POST",
            _PATH,
            headers={"Authorization": f"Bearer {self._credentials.read().access_token}"},
            body={"query": f"plumProAPI.{query}", "tag": "plumProAPI", "variables": {"data": data}},
            repeat=reads,
        )

    def _fail(self, answer: Answer) -> NoReturn:
        error: SupplierError | None = undecided(answer)
        code = _error_id(answer)
        if error is None and (code == _NO_CLIENT or _is_token_error(answer)):
            error = failed(SupplierAccessDenied("the supplier takes neither the access token nor its client"), answer)
        if error is None and code in _LATER:
            error = failed(SupplierUnavailable(f"the supplier answered {answer.status} ({code})"), answer)
        if isinstance(error, SupplierAccessDenied):
            self._credentials.forget()
        raise error or undocumented(answer)


def _content(answer: Answer) -> Mapping[str, Any]:
    try:
        content = document(answer)
    except SupplierProtocolError:
        return {}
    return content if isinstance(content, dict) else {}


def _error_id(answer: Answer) -> str | None:
    """The API's own code, such as ``PLE10016``; None where this is no error of the API."""
    code = _content(answer).get("errorId")
    known = isinstance(code, str) and code.startswith("PLE") and code[3:].isdigit() and len(code) <= 12
    return str(code) if known else None


def _is_token_error(answer: Answer) -> bool:
    content = _content(answer)
    return content.get("error") in _TOKEN_ERRORS or content.get("error_message_id") in _TOKEN_ERRORS
