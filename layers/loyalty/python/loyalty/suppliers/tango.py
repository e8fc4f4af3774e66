"""Tango Card's public API (RaaS v2) behind :class:`loyalty.suppliers.model.Supplier`.

=========  ==================================================================================================
status     means here
=========  ==================================================================================================
201        a new order
200        the order that was made of the same ``externalRefID`` before, **even where that was for another item**:
           item, value and currency are compared with what was asked
400…422    refused, where the body is an error of this API; otherwise someone in between answered
401, 403   access denied; the credentials are read anew before the next call
429, 5xx   unavailable; after a 5xx the order may have been made
=========  ==================================================================================================

``externalRefID`` is kept apart by account, and for 90 days. Orders cannot be cancelled through the API.
"""

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NoReturn
from urllib.parse import quote

from loyalty.core.clock import to_text
from loyalty.core.money import Money
from loyalty.suppliers.answers import (
    Shown,
    at_least,
    document,
    failure,
    fields,
    number,
    parsed,
    within,
)
from loyalty.suppliers.model import (
    GiftCard,
    OrderRequest,
    SupplierAccessDenied,
    SupplierOrder,
    SupplierProtocolError,
    as_asked,
)
from loyalty.suppliers.secret import Credentials, TangoKeys
from loyalty.suppliers.tango_orders import Listed, Order, gift_card, supplier_order
from loyalty.suppliers.transport import CONNECT_SECONDS, READ_SECONDS, Answer, Transport, failed

PAGE: Final = 100
MAX_LISTED: Final = 10_000
"""The API shows no more of a list: a longer one is not whole."""
MAX_EXTERNAL_ID: Final = 100

_API: Final = "/raas/v2"


class _Account(Shown):
    currentBalance: Decimal  # noqa: N815 -- the API's own name
    currencyCode: str  # noqa: N815


class Tango:
    """The client.

    Args:
        base_url: scheme and host, without a trailing slash; plain HTTP is taken for the loopback interface alone.
        credentials: give name and key of the platform.
        customer: identifier of the customer (group) that orders.
        account: identifier of its account, which pays.
        connect_seconds: for making a connection.
        read_seconds: of silence while an answer is awaited.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials[TangoKeys],
        *,
        customer: str,
        account: str,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._transport = Transport(base_url, connect_seconds=connect_seconds, read_seconds=read_seconds)
        self._credentials = credentials
        self._customer = customer
        self._account = account

    @property
    def name(self) -> str:
        """See :attr:`Supplier.name`."""
        return "tango"

    def order(self, request: OrderRequest) -> SupplierOrder:
        """See :meth:`Supplier.order`. Tango is told nothing of the member: the card is delivered by the platform."""
        if len(request.external_id) > MAX_EXTERNAL_ID:
            raise ValueError(f"an externalRefID has at most {MAX_EXTERNAL_ID} characters")
        body = {
            "accountIdentifier": self._account,
            "customerIdentifier": self._customer,
            "externalRefID": request.external_id,
            "utid": request.product,
            "amount": number(request.value),
            "sendEmail": False,
        }
        answer = self._call("POST", "/orders", body=body)
        if answer.status not in {200, 201}:
            self._fail(answer, ordering=True)
        order = parsed(Order, answer)
        if order.utid != request.product:
            raise failed(
                SupplierProtocolError("the supplier's order is of another item than the one asked for"), answer
            )
        return as_asked(supplier_order(order, answer), request)

    def find(self, external_id: str) -> SupplierOrder | None:
        """See :meth:`Supplier.find`."""
        query = {"accountIdentifier": self._account, "externalRefID": external_id}
        answer = self._call("GET", "/orders", query=query)
        if answer.status != 200:
            self._fail(answer)
        orders = parsed(Listed, answer).orders
        if any(order.externalRefID != external_id for order in orders):
            raise failed(SupplierProtocolError("the supplier answered with the order of another externalRefID"), answer)
        if len(orders) > 1:
            raise failed(SupplierProtocolError("the supplier lists more than one order for one externalRefID"), answer)
        return supplier_order(orders[0], answer) if orders else None

    def card(self, order: SupplierOrder) -> GiftCard:
        """See :meth:`Supplier.card`: its credentials are part of the order."""
        answer = self._call("GET", f"/orders/{quote(order.order_id, safe='')}")
        if answer.status != 200:
            self._fail(answer)
        shown = parsed(Order, answer)
        if (shown.referenceOrderID, shown.externalRefID) != (order.order_id, order.external_id):
            raise failed(SupplierProtocolError("the supplier answered with another order"), answer)
        card = gift_card(shown, answer)
        if card is None:
            raise failed(SupplierProtocolError("the supplier's order shows no credentials"), answer)
        return card

    def cancel(self, order: SupplierOrder) -> bool:  # noqa: ARG002 -- the port's signature
        """See :meth:`Supplier.cancel`: this API has no such call, so always False."""
        return False

    def balance(self, currency: str) -> Money:
        """See :meth:`Supplier.balance`: an account is kept in one currency."""
        answer = self._call("GET", f"/accounts/{quote(self._account, safe='')}")
        if answer.status != 200:
            self._fail(answer)
        account = parsed(_Account, answer)
        if account.currencyCode != currency:
            message = f"the supplier's account is kept in another currency than {currency}"
            raise failed(SupplierProtocolError(message), answer)
        return at_least(account.currentBalance, currency, answer)

    def orders(self, start: datetime, end: datetime) -> Iterator[SupplierOrder]:
        """See :meth:`Supplier.orders`: those of the account."""
        query = {
            "accountIdentifier": self._account,
            "startDate": to_text(start),
            "endDate": to_text(end),
            "elementsPerBlock": str(PAGE),
        }
        seen: set[str] = set()
        for page in range(MAX_LISTED // PAGE):
            answer = self._call("GET", "/orders", query={**query, "page": str(page)})
            if answer.status != 200:
                self._fail(answer)
            listed = parsed(Listed, answer)
            if listed.page.totalCount >= MAX_LISTED:
                break
            new = [each for each in listed.orders if each.referenceOrderID not in seen]
            seen.update(each.referenceOrderID for each in new)
            yield from within((supplier_order(each, answer) for each in new), start, end, answer)
            if len(listed.orders) < PAGE:
                if len(seen) < listed.page.totalCount:
                    raise failed(SupplierProtocolError("the supplier lists fewer orders than it counts"), answer)
                return
        raise SupplierProtocolError(f"the supplier lists no more than {MAX_LISTED} orders: ask for a shorter time")

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Every request passes here."""
        keys = self._credentials.read()
        basic = base64.b64encode(f"{keys.platform_name}:{keys.platform_key}".encode()).decode()
        return self._transport.call(
            method,
            _API + path,
            headers={"Authorization": f"Basic {basic}"},
            body=body,
            query=query,
            repeat=method == "GET",
        )

    def _fail(self, answer: Answer, *, ordering: bool = False) -> NoReturn:
        error = failure(answer, _refused_fields(answer) if ordering else None)
        if isinstance(error, SupplierAccessDenied):
            self._credentials.forget()
        raise error


def _refused_fields(answer: Answer) -> list[str] | None:
    """The fields and codes that an error of this API names; None where it is no such error."""
    try:
        content = document(answer)
    except SupplierProtocolError:
        return None
    if not isinstance(content, dict) or content.get("httpCode") != answer.status:
        return None
    errors = content.get("errors")
    each = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    codes = [error.get("i18nKey") for error in (*each, content)]
    return fields(error.get("path") for error in each) + [f"i18nKey {code}" for code in codes if is_code(code)]


def is_code(value: object) -> bool:
    """Whether it looks like one of the API's own codes, such as ``422.024``."""
    return isinstance(value, str) and len(value) <= 20 and value.replace(".", "").isdigit()
