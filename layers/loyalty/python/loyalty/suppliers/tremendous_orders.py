"""What Tremendous' API shows of orders, and what the platform takes it for."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from loyalty.core.money import Money
from loyalty.suppliers.answers import MAX_LINK, Id, Shown, document, fields, moment, money, safe_link
from loyalty.suppliers.model import GiftCard, OrderState, SupplierOrder, SupplierProtocolError
from loyalty.suppliers.transport import Answer, failed

ACCOUNT_CURRENCY: Final = "USD"
"""Of the balance and of every cost, whatever the currency of the reward."""

_STATES: Final = {
    "EXECUTED": OrderState.EXECUTED,
    "CART": OrderState.PENDING,
    "OPEN": OrderState.PENDING,
    "PENDING APPROVAL": OrderState.PENDING,
    "PENDING INTERNAL PAYMENT APPROVAL": OrderState.PENDING,
    "CANCELED": OrderState.DEAD,
    "FAILED": OrderState.DEAD,
}
_MAX_DEPTH: Final = 5


class _Value(Shown):
    denomination: Decimal
    currency_code: str


class _Delivery(Shown):
    link: Annotated[str, StringConstraints(max_length=MAX_LINK)] | None = None


class _Reward(Shown):
    id: Id
    value: _Value | None = None
    delivery: _Delivery | None = None


class _Refund(Shown):
    total: Decimal


class _Payment(Shown):
    subtotal: Decimal | None = None
    total: Decimal | None = None
    refund: _Refund | None = None


class _Order(Shown):
    id: Id
    external_id: str | None = None
    status: str
    created_at: str | None = None
    payment: _Payment | None = None
    rewards: Annotated[tuple[_Reward, ...], Field(min_length=1)]


class Made(Shown):
    """An order, alone."""

    order: _Order


class Listed(Shown):
    """A page of orders, the newest first."""

    orders: tuple[_Order, ...]
    total_count: int | None = None


class _LinkedReward(Shown):
    link: Annotated[str, StringConstraints(max_length=MAX_LINK)]


class Linked(Shown):
    """A reward with a new link to it."""

    reward: _LinkedReward


class _CancelledReward(Shown):
    id: Id


class Cancelled(Shown):
    """A reward that was cancelled."""

    reward: _CancelledReward


class _Meta(Shown):
    available_cents: int | None = None


class _FundingSource(Shown):
    method: str
    meta: _Meta = _Meta()


class FundingSources(Shown):
    """What orders can be paid from."""

    funding_sources: tuple[_FundingSource, ...]


def require_whole(seen: int, total: int | None, answer: Answer) -> None:
    """Holds a list of orders against the supplier's own count.

    Raises:
        SupplierProtocolError: it has fewer.
    """
    if total is not None and seen < total:
        message = f"the supplier counts {total} orders and lists {seen}: the list is not whole"
        raise failed(SupplierProtocolError(message), answer)


def ours(order: _Order, external_id: str, answer: Answer) -> SupplierOrder:
    """An order of ours: with our key, of one reward.

    Raises:
        SupplierProtocolError: it is another.
    """
    # A filter that the supplier ignored would hand us somebody else's card.
    if order.external_id != external_id:
        raise failed(SupplierProtocolError("the supplier answered with the order of another external_id"), answer)
    if len(order.rewards) != 1:
        raise failed(SupplierProtocolError("the supplier's order holds more than the one reward of ours"), answer)
    return supplier_order(order, answer)


def supplier_order(order: _Order, answer: Answer) -> SupplierOrder:
    """Anybody's order.

    Raises:
        SupplierProtocolError: a status, an amount or a link is none of the API's.
    """
    if order.status not in _STATES:
        raise failed(SupplierProtocolError("the supplier's order has a status that its API does not document"), answer)
    single = order.rewards[0] if len(order.rewards) == 1 else None
    link = single.delivery.link if single is not None and single.delivery is not None else None
    paid = order.payment
    return SupplierOrder(
        order.id,
        order.external_id,
        OrderState.DEAD if _is_refunded(paid) else _STATES[order.status],
        value=_value(order.rewards, answer),
        cost=None if paid is None or paid.total is None else money(paid.total, ACCOUNT_CURRENCY, answer),
        created_at=moment(order.created_at, answer),
        reward_id=None if single is None else single.id,
        card=None if link is None else GiftCard(link=safe_link(link, answer)),
        request_id=answer.request_id,
    )


def _is_refunded(payment: _Payment | None) -> bool:
    """A cancelled reward leaves its order executed, with all that it cost given back."""
    if payment is None or payment.refund is None:
        return False
    paid = payment.subtotal if payment.subtotal is not None else payment.total
    return paid is not None and 0 < payment.refund.total >= paid


def _value(rewards: tuple[_Reward, ...], answer: Answer) -> Money | None:
    """What the rewards are worth together; None where one does not say, or they are in several currencies."""
    values = [each.value for each in rewards]
    currencies = {None if value is None else value.currency_code for value in values}
    currency = currencies.pop() if len(currencies) == 1 else None
    if currency is None:
        return None
    return money(sum((value.denomination for value in values if value is not None), Decimal(0)), currency, answer)


def refused_fields(answer: Answer) -> list[str] | None:
    """The fields that an error of this API names, without what it says of them; None where it is no such error."""
    try:
        content = document(answer)
    except SupplierProtocolError:
        return None
    errors = content.get("errors") if isinstance(content, dict) else None
    return fields(_leaves(errors.get("payload"), ())) if isinstance(errors, dict) else None


def _leaves(payload: Any, path: tuple[str, ...]) -> set[str]:
    if not isinstance(payload, dict) or len(path) == _MAX_DEPTH:
        return {".".join(path)} if path else set()
    return {leaf for name in fields(payload) for leaf in _leaves(payload[name], (*path, name))}
