"""What Xoxoday's API shows of orders, and what the platform takes it for."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from loyalty.core.money import Money
from loyalty.suppliers.answers import MAX_FIELDS, Id, Shown, document, money, safe_link
from loyalty.suppliers.model import GiftCard, OrderState, SupplierOrder, SupplierProtocolError
from loyalty.suppliers.transport import Answer, failed

_STATES: Final = {
    "delivered": OrderState.EXECUTED,
    "pending": OrderState.PENDING,
    "processing": OrderState.PENDING,
    "canceled": OrderState.DEAD,
    "cancelled": OrderState.DEAD,
    "failed": OrderState.DEAD,
}
_LINKS: Final = frozenset({"url", "urlPin"})
_CODES: Final = frozenset({"code", "codePin"})


class _Voucher(Shown):
    voucherCode: str  # noqa: N815 -- the API's own names, here and below
    pin: str | None = None
    validity: str | None = None
    amount: Decimal
    currency: str
    type: str


class _Detail(Shown):
    denomination: Decimal
    currencyCode: str  # noqa: N815


class Order(Shown):
    """An order, as it is placed or asked for."""

    orderId: Id  # noqa: N815
    poNumber: str | None = None  # noqa: N815
    deliveryStatus: str  # noqa: N815
    quantity: int | None = None
    amountCharged: Decimal | None = None  # noqa: N815
    currencyCode: str | None = None  # noqa: N815
    orderDate: str | None = None  # noqa: N815
    vouchers: tuple[_Voucher, ...] = ()
    voucherDetails: tuple[_Detail, ...] = ()  # noqa: N815


class _Product(Shown):
    price: Decimal | None = None
    quantity: int = 1
    currency: str | None = None


class _Listed(Shown):
    orderId: Id  # noqa: N815
    poNumber: str | None = None  # noqa: N815
    orderDate: str  # noqa: N815
    deliveryStatus: str  # noqa: N815
    amountCharged: Decimal | None = None  # noqa: N815
    currencyCode: str | None = None  # noqa: N815
    products: tuple[_Product, ...] = ()


class History(RootModel[tuple[_Listed, ...]]):
    """A page of orders."""


class Balance(Shown):
    """What is left in the wallet."""

    value: Decimal
    currency: str


_ResultT = TypeVar("_ResultT", bound=BaseModel)


def result(model: type[_ResultT], query: str, answer: Answer) -> _ResultT:
    """What ``data.<query>`` of an answer holds, where its ``status`` is 1.

    Raises:
        SupplierProtocolError: it is another; the message names the fields, never their values.
    """
    content = document(answer)
    data = content.get("data") if isinstance(content, dict) else None
    named = data.get(query) if isinstance(data, dict) else None
    if not isinstance(named, dict) or named.get("status") != 1:
        raise failed(SupplierProtocolError(f"the supplier's answer is not one to {query}"), answer)
    try:
        return model.model_validate(named.get("data"))
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, each["loc"])) or query for each in error.errors()})[:MAX_FIELDS])
        raise failed(SupplierProtocolError(f"the supplier's answer is not one of its API: {where}"), answer) from None


def supplier_order(order: Order, external_id: str, zone: tzinfo, answer: Answer) -> SupplierOrder:
    """The order that was asked for by our key.

    Raises:
        SupplierProtocolError: it bears another key, is of more than one card, its parts contradict each other, or
            something in it is none of the API's.
    """
    if order.poNumber not in {None, "", external_id}:
        raise failed(SupplierProtocolError("the supplier answered with the order of another poNumber"), answer)
    if order.quantity not in {None, 1} or len(order.vouchers) > 1 or len(order.voucherDetails) > 1:
        raise failed(SupplierProtocolError("the supplier's order holds more than the one card of ours"), answer)
    state = _state(order.deliveryStatus, answer)
    return SupplierOrder(
        order.orderId,
        external_id,
        state,
        value=_worth(order, answer),
        cost=_cost(order, answer),
        created_at=_moment(order.orderDate, zone, answer),
        card=_gift_card(order.vouchers[0], answer) if order.vouchers and state is OrderState.EXECUTED else None,
        request_id=answer.request_id,
    )


def listed_order(order: _Listed, zone: tzinfo, answer: Answer) -> SupplierOrder:
    """Anybody's order, as the history shows it.

    Raises:
        SupplierProtocolError: something in it is none of the API's.
    """
    return SupplierOrder(
        order.orderId,
        order.poNumber or None,
        _state(order.deliveryStatus, answer),
        value=_listed_value(order, answer),
        cost=_cost(order, answer),
        created_at=_moment(order.orderDate, zone, answer),
        request_id=answer.request_id,
    )


def _state(status: str, answer: Answer) -> OrderState:
    state = _STATES.get(status.lower())
    if state is None:
        raise failed(SupplierProtocolError("the supplier's order has a status that its API does not document"), answer)
    return state


def _worth(order: Order, answer: Answer) -> Money | None:
    """What the voucher says that it is worth, and the order's summary of it: both, where both are there."""
    said = {money(each.amount, each.currency, answer) for each in order.vouchers}
    said |= {money(each.denomination, each.currencyCode, answer) for each in order.voucherDetails}
    if len(said) > 1:
        raise failed(SupplierProtocolError("the supplier's order and its voucher are of different values"), answer)
    return said.pop() if said else None


def _listed_value(order: _Listed, answer: Answer) -> Money | None:
    """What the products are worth together; None where one does not say, or they are in several currencies."""
    currencies = {each.currency for each in order.products}
    currency = currencies.pop() if len(currencies) == 1 else None
    prices = [each.price * each.quantity for each in order.products if each.price is not None]
    if currency is None or len(prices) < len(order.products):
        return None
    return money(sum(prices, Decimal(0)), currency, answer)


def _cost(order: Order | _Listed, answer: Answer) -> Money | None:
    if order.amountCharged is None or order.currencyCode is None:
        return None
    return money(order.amountCharged, order.currencyCode, answer)


def _moment(text: Any, zone: tzinfo, answer: Answer) -> datetime | None:
    """Their form is ``2024-02-07 12:25:45``, without a time zone."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise failed(SupplierProtocolError("the supplier's order has a moment that is none"), answer) from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)


def _gift_card(voucher: _Voucher, answer: Answer) -> GiftCard:
    if voucher.type not in _LINKS | _CODES or not voucher.voucherCode:
        raise failed(
            SupplierProtocolError("the supplier's voucher is of a kind that its API does not document"), answer
        )
    is_link = voucher.type in _LINKS
    return GiftCard(
        link=safe_link(voucher.voucherCode, answer) if is_link else None,
        code=None if is_link else voucher.voucherCode,
        pin=voucher.pin or None,
        expires_on=voucher.validity or None,
    )
