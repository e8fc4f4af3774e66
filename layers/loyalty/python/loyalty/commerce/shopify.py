"""Shopify's partner events on EventBridge: ``detail.payload`` is a webhook's body, ``detail.metadata`` its headers.

Order and refund ids are unique across all of Shopify, so neither a shop's domain nor its program is part of a purchase's identity.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import StringConstraints, model_validator

from loyalty.commerce import shopify_lines
from loyalty.commerce.fields import (
    AmountText,
    CurrencyText,
    Email,
    NumericId,
    Payload,
    SignedAmountText,
    malformed,
    money,
    read,
)
from loyalty.commerce.model import SHOPIFY, UNKNOWN_TOPIC, CustomerRef, Ignored, Purchase, Refund
from loyalty.commerce.redelivery import REFUNDS_CREATE
from loyalty.core.errors import Rejected
from loyalty.core.fields import UtcDatetime
from loyalty.core.money import Money

SOURCE: Final = SHOPIFY

ORDERS_PAID: Final = "orders/paid"
_ORDER_TOPICS: Final = {ORDERS_PAID, "orders/create", "orders/updated"}
_UNUSED_TOPICS: Final = frozenset(
    {
        "app/uninstalled", "bulk_operations/finish", "carts/create", "carts/update", "checkouts/create",
        "checkouts/delete", "checkouts/update", "collections/create", "collections/delete", "collections/update",
        "customers/create", "customers/delete", "customers/disable", "customers/enable", "customers/update",
        "draft_orders/create", "draft_orders/delete", "draft_orders/update", "fulfillment_events/create",
        "fulfillment_events/delete", "fulfillments/create", "fulfillments/update", "inventory_items/create",
        "inventory_items/delete", "inventory_items/update", "inventory_levels/connect", "inventory_levels/disconnect",
        "inventory_levels/update", "order_transactions/create", "orders/cancelled", "orders/delete", "orders/edited",
        "orders/fulfilled", "orders/partially_fulfilled", "products/create", "products/delete", "products/update",
        "shop/update", "themes/create", "themes/delete", "themes/publish", "themes/update",
    }
)  # fmt: skip
"""Known, and no points follow. The privacy topics (``customers/redact`` …) are not here: nobody may lose those."""

_HEADER: Final = re.compile(r"(?:x-)?shopify-([a-z0-9-]{1,40})")
_TOPIC: Final = re.compile(r"[a-z_]{1,40}/[a-z_]{1,40}")
_DOMAIN: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}\.)+[a-z0-9-]{1,62}[a-z0-9]")
_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class _Customer(Payload):
    id: NumericId | None = None
    email: Email = None


class _Order(Payload):
    id: NumericId
    name: Annotated[str, StringConstraints(max_length=64)] | None = None
    test: bool | None = None
    currency: CurrencyText
    subtotal_price: AmountText
    total_price: AmountText
    financial_status: str | None = None
    source_name: str | None = None
    processed_at: UtcDatetime | None = None
    created_at: UtcDatetime
    email: Email = None
    contact_email: Email = None
    customer: _Customer | None = None


class _Amount(Payload):
    amount: SignedAmountText
    currency_code: CurrencyText


class _AmountSet(Payload):
    shop_money: _Amount


class _RefundedLine(Payload):
    subtotal_set: _AmountSet
    total_tax_set: _AmountSet | None = None


class _Adjustment(Payload):
    amount_set: _AmountSet
    tax_amount_set: _AmountSet | None = None


class _Transaction(Payload):
    kind: str
    status: str | None = None
    amount: AmountText
    currency: CurrencyText


class _Refund(Payload):
    id: NumericId
    order_id: NumericId
    processed_at: UtcDatetime | None = None
    created_at: UtcDatetime
    transactions: tuple[_Transaction, ...] = ()
    refund_line_items: tuple[_RefundedLine, ...] = ()
    order_adjustments: tuple[_Adjustment, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _lines_only_where_needed(cls, data: Any) -> Any:
        """With transactions the money is known; older API versions' lines, which lack ``…_set``, are left unread."""
        if isinstance(data, Mapping) and data.get("transactions"):
            return {key: value for key, value in data.items() if key not in {"refund_line_items", "order_adjustments"}}
        return data


def is_envelope(detail: Mapping[str, Any]) -> bool:
    """Whether this detail is a Shopify webhook: a payload beside headers that have a Shopify topic."""
    metadata = detail.get("metadata")
    return "payload" in detail and isinstance(metadata, Mapping) and "topic" in _headers(metadata)


def parse(detail: Mapping[str, Any]) -> Purchase | Refund | Ignored:
    """The purchase or refund that a Shopify event tells of.

    Raises:
        Rejected: ``unknown_topic`` or ``malformed_payload``.
    """
    headers = _headers(detail["metadata"])
    topic = headers["topic"].lower()
    if topic in _UNUSED_TOPICS:
        return Ignored(topic, "no points follow from this topic")
    if topic in _ORDER_TOPICS:
        payload = _bare(detail["payload"], "order")
        return _order(read(_Order, payload, "order"), payload, topic, _shop(headers))
    if topic == REFUNDS_CREATE:
        return _refund(read(_Refund, _bare(detail["payload"], "refund"), "refund"), _shop(headers))
    shown = topic if _TOPIC.fullmatch(topic) else "this one"
    raise Rejected(UNKNOWN_TOPIC, f"No Shopify topic that is handled here: {shown}")


def _headers(metadata: Mapping[Any, Any]) -> dict[str, str]:
    """Headers by their bare name: ``X-Shopify-Topic`` and ``shopify-topic`` are both ``topic``."""
    found: dict[str, str] = {}
    for key, value in metadata.items():
        match = _HEADER.fullmatch(key.lower()) if isinstance(key, str) else None
        if match is not None and isinstance(value, str):
            found.setdefault(match[1], value.strip())
    return found


def _shop(headers: Mapping[str, str]) -> str | None:
    domain = headers.get("shop-domain", "").lower()
    if domain and (len(domain) > 253 or _DOMAIN.fullmatch(domain) is None):
        raise malformed("metadata: the shop domain is no host name")
    return domain or None


def _bare(payload: Any, kind: str) -> Any:
    """The object itself, where a sender left it wrapped as the Admin API answers it."""
    if not isinstance(payload, Mapping) or "id" in payload:
        return payload
    if isinstance(payload.get(f"{kind}s"), list):
        raise malformed(f"{kind}: a list of {kind}s; an event tells of one")
    return payload.get(kind, payload)


def _order(order: _Order, payload: Any, topic: str, shop: str | None) -> Purchase | Ignored:
    if order.test:
        return Ignored(topic, "a test order: no money was paid")
    # Shopify sends orders/paid once the order is paid, so the topic decides; the others come in every state.
    if topic != ORDERS_PAID and order.financial_status != "paid":
        return Ignored(topic, "the order is not paid")
    customer = order.customer or _Customer()
    subtotal = money(order.subtotal_price, order.currency)
    return Purchase(
        source=SOURCE,
        source_id=order.id,
        occurred_at=order.processed_at or order.created_at,
        channel=_channel(order.source_name),
        amount=subtotal,
        refund_basis=money(order.total_price, order.currency),
        customer=CustomerRef(SOURCE, customer.id, order.email or order.contact_email or customer.email),
        lines=shopify_lines.bought(payload, order.currency),
        tax=shopify_lines.tax_within(payload, subtotal),
        shop=shop,
        order_name=order.name,
    )


def _channel(source_name: str | None) -> str:
    """``web``, ``pos``, …; another app's orders carry that app's number, which is no channel to report on."""
    name = (source_name or "").lower()
    return name if _CHANNEL.fullmatch(name) else SOURCE


def _refund(refund: _Refund, shop: str | None) -> Refund | Ignored:
    amount = _transacted(refund) if refund.transactions else _itemized(refund)
    if amount is None or amount.amount == 0:
        return Ignored(REFUNDS_CREATE, "no money was given back")
    return Refund(
        source=SOURCE,
        source_id=refund.id,
        purchase_source_id=refund.order_id,
        occurred_at=refund.processed_at or refund.created_at,
        amount=amount,
        shop=shop,
    )


def _transacted(refund: _Refund) -> Money | None:
    """Money given back. ``pending`` counts: no second refunds/create tells that it settled."""
    given = [
        entry for entry in refund.transactions if entry.kind == "refund" and entry.status in {"success", "pending"}
    ]
    return _total([(entry.amount, entry.currency) for entry in given])


def _itemized(refund: _Refund) -> Money | None:
    """What the lines come to, less adjustments: Shopify writes shipping given back as a negative adjustment."""
    parts: list[tuple[str | Decimal, str]] = []
    for line in refund.refund_line_items:
        parts += [(part.shop_money.amount, part.shop_money.currency_code)
                  for part in (line.subtotal_set, line.total_tax_set) if part]  # fmt: skip
    for adjustment in refund.order_adjustments:
        parts += [(-Decimal(part.shop_money.amount), part.shop_money.currency_code)
                  for part in (adjustment.amount_set, adjustment.tax_amount_set) if part]  # fmt: skip
    return _total(parts)


def _total(parts: list[tuple[str | Decimal, str]]) -> Money | None:
    currencies = {currency for _, currency in parts}
    if len(currencies) > 1:
        raise malformed("refund: its amounts are in more than one currency")
    return money(sum((Decimal(amount) for amount, _ in parts), Decimal(0)), currencies.pop()) if parts else None
