"""Tremendous' public API (v2) behind :class:`loyalty.suppliers.model.Supplier`.

=========  ==================================================================================================
status     means here
=========  ==================================================================================================
200, 202   done; accepted and not settled yet
201        an order with this ``external_id`` exists: its data again, without the link
402        refused, for want of funds alone
400…422    refused, where the body is an error of this API; otherwise someone in between answered
401, 403   access denied; the key is read anew before the next call
429, 5xx   unavailable
=========  ==================================================================================================

What to do about a failure is the workflow's decision: only reads are repeated, see :mod:`loyalty.suppliers.transport`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final, NoReturn, Protocol

from loyalty.core.clock import to_text
from loyalty.core.money import MINOR_UNITS, Money
from loyalty.suppliers.answers import failure, money, number, parsed, safe_link, undecided, within
from loyalty.suppliers.model import (
    GiftCard,
    OrderRequest,
    OrderState,
    SupplierAccessDenied,
    SupplierOrder,
    SupplierProtocolError,
    as_asked,
)
from loyalty.suppliers.transport import CONNECT_SECONDS, READ_SECONDS, Answer, Transport, failed
from loyalty.suppliers.tremendous_orders import (
    ACCOUNT_CURRENCY,
    Cancelled,
    FundingSources,
    Linked,
    Listed,
    Made,
    ours,
    refused_fields,
    require_whole,
    supplier_order,
)

FUNDING_SOURCE: Final = "balance"
"""The account's own balance, in which the operator keeps money for rewards."""
PAGE: Final = 100
MAX_PAGES: Final = 1_000

_API: Final = "/api/v2"


class ApiKey(Protocol):
    """Where the API key comes from."""

    def read(self) -> str:
        """The key. Raises :class:`SupplierAccessDenied` where there is none."""

    def forget(self) -> None:
        """Reads it anew next time: the supplier no longer takes it."""


class Tremendous:
    """The client.

    Args:
        base_url: scheme and host, without a trailing slash; plain HTTP is taken for the loopback interface alone.
        key: gives the API key.
        rates: what one unit of a currency costs in US dollars at most. The balance is kept in dollars: without a rate
            nothing can be said of what is left in another currency. Used for that question alone, never for money.
        connect_seconds: for making a connection.
        read_seconds: of silence while an answer is awaited.
    """

    def __init__(
        self,
        base_url: str,
        key: ApiKey,
        *,
        rates: Mapping[str, Decimal] | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._transport = Transport(base_url, connect_seconds=connect_seconds, read_seconds=read_seconds)
        self._key = key
        self._rates = {**(rates or {}), ACCOUNT_CURRENCY: Decimal(1)}

    @property
    def name(self) -> str:
        """See :attr:`Supplier.name`."""
        return "tremendous"

    def order(self, request: OrderRequest) -> SupplierOrder:
        """See :meth:`Supplier.order`."""
        body = {
            "external_id": request.external_id,
            "payment": {"funding_source_id": FUNDING_SOURCE},
            "reward": {
                "value": {"denomination": number(request.value), "currency_code": request.value.currency},
                "delivery": {"method": "LINK"},
                "recipient": {"name": request.recipient},
                "products": [request.product],
            },
        }
        answer = self._call("POST", "/orders", body=body)
        if answer.status not in {200, 201, 202}:
            self._fail(answer, ordering=True)
        return as_asked(ours(parsed(Made, answer).order, request.external_id, answer), request)

    def find(self, external_id: str) -> SupplierOrder | None:
        """See :meth:`Supplier.find`."""
        answer = self._call("GET", "/orders", query={"external_id": external_id, "limit": "2"})
        if answer.status != 200:
            self._fail(answer)
        orders = parsed(Listed, answer).orders
        if len(orders) > 1:
            raise failed(SupplierProtocolError("the supplier lists more than one order for one external_id"), answer)
        return ours(orders[0], external_id, answer) if orders else None

    def by_id(self, order_id: str) -> SupplierOrder:
        """The order with the supplier's own id, as a callback names it.

        Raises:
            SupplierUnavailable, SupplierTimeout, SupplierAccessDenied, SupplierProtocolError: it did not show it.
        """
        answer = self._call("GET", f"/orders/{order_id}")
        if answer.status != 200:
            self._fail(answer)
        order = parsed(Made, answer).order
        if order.id != order_id:
            raise failed(SupplierProtocolError("the supplier answered with another order"), answer)
        return supplier_order(order, answer)

    def card(self, order: SupplierOrder) -> GiftCard:
        """See :meth:`Supplier.card`: a link is shown once, so it is a new link to the same card."""
        answer = self._call("POST", f"/rewards/{_reward_of(order)}/generate_link")
        if answer.status != 200:
            self._fail(answer)
        return GiftCard(link=safe_link(parsed(Linked, answer).reward.link, answer))

    def cancel(self, order: SupplierOrder) -> bool:
        """See :meth:`Supplier.cancel`.

        A second cancellation is refused, so a refusal says nothing yet: the order is looked at.
        """
        answer = self._call("POST", f"/rewards/{_reward_of(order)}/cancel")
        if answer.status == 200:
            if parsed(Cancelled, answer).reward.id != order.reward_id:
                raise failed(SupplierProtocolError("the supplier answered with another reward"), answer)
            return True
        if undecided(answer) is not None or refused_fields(answer) is None:
            self._fail(answer)
        return self.by_id(order.order_id).state is OrderState.DEAD

    def balance(self, currency: str) -> Money:
        """See :meth:`Supplier.balance`: in a currency other than the account's by the rate of the settings, rounded down."""
        rate = self._rates.get(currency)
        if rate is None:
            raise SupplierProtocolError(f"the supplier's balance is in {ACCOUNT_CURRENCY}: set a rate for {currency}")
        answer = self._call("GET", "/funding_sources")
        if answer.status != 200:
            self._fail(answer)
        sources = [each for each in parsed(FundingSources, answer).funding_sources if each.method == FUNDING_SOURCE]
        if len(sources) != 1 or sources[0].meta.available_cents is None:
            raise failed(SupplierProtocolError("the supplier lists no balance, or more than one"), answer)
        dollars = Decimal(max(sources[0].meta.available_cents, 0)).scaleb(-2)
        least_unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
        return money((dollars / rate).quantize(least_unit, rounding=ROUND_FLOOR), currency, answer)

    def orders(self, start: datetime, end: datetime) -> Iterator[SupplierOrder]:
        """See :meth:`Supplier.orders`: the newest first."""
        period = {"created_at[gte]": to_text(start), "created_at[lte]": to_text(end), "limit": str(PAGE)}
        seen: set[str] = set()
        for page in range(MAX_PAGES):
            answer = self._call("GET", "/orders", query={**period, "offset": str(page * PAGE)})
            if answer.status != 200:
                self._fail(answer)
            listed = parsed(Listed, answer)
            # What is ordered meanwhile moves the rest to later places: some are seen again, none is missed.
            new = [each for each in listed.orders if each.id not in seen]
            seen.update(each.id for each in new)
            yield from within((supplier_order(each, answer) for each in new), start, end, answer)
            if len(listed.orders) < PAGE:
                require_whole(len(seen), listed.total_count, answer)
                return
        raise SupplierProtocolError(f"the supplier's list does not end after {MAX_PAGES} pages: ask for a shorter time")

    def _call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Every request passes here."""
        return self._transport.call(
            method,
            _API + path,
            headers={"Authorization": f"Bearer {self._key.read()}"},
            body=body,
            query=query,
            repeat=method == "GET",
        )

    def _fail(self, answer: Answer, *, ordering: bool = False) -> NoReturn:
        error = failure(answer, refused_fields(answer) if ordering else None, out_of_funds=answer.status == 402)
        if isinstance(error, SupplierAccessDenied):
            self._key.forget()
        raise error


def _reward_of(order: SupplierOrder) -> str:
    if order.reward_id is None:
        raise SupplierProtocolError("the supplier's order holds several rewards, or none that was shown")
    return order.reward_id
