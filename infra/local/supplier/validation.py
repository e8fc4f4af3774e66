"""What the real API finds wrong with an order, field by field."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from infra.local.supplier.catalogue import FUNDING_SOURCE, PRODUCTS


def parsed(body: bytes) -> dict[str, Any]:
    """The body's object; an empty one where it is none."""
    try:
        document = json.loads(body, parse_float=Decimal)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def facts(order: Mapping[str, Any]) -> dict[str, str]:
    """What a fault's patterns are held against."""
    reward = order["reward"]
    return {
        "external_id": order.get("external_id") or "",
        "product": (reward.get("products") or [""])[0],
        "email": reward.get("recipient", {}).get("email", ""),
        "denomination": str(reward["value"]["denomination"]),
    }


def problems_of(order: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with an order, field by field in the order's own nesting; empty if nothing is."""
    payment, reward = order.get("payment"), order.get("reward")
    problems: dict[str, Any] = {}
    source = payment.get("funding_source_id") if isinstance(payment, dict) else None
    if not isinstance(source, str) or source.lower() != FUNDING_SOURCE:
        problems["payment"] = {"funding_source_id": "is missing or unknown"}
    external_id = order.get("external_id")
    if external_id is not None and not (isinstance(external_id, str) and external_id):
        problems["external_id"] = "must be a string"
    wrong = _reward_problems(reward) if isinstance(reward, dict) else {"value": "is missing"}
    return problems | ({"reward": wrong} if wrong else {})


def _reward_problems(reward: Mapping[str, Any]) -> dict[str, Any]:
    problems: dict[str, Any] = {}
    delivery = reward.get("delivery")
    if not isinstance(delivery, dict) or delivery.get("method") not in {"LINK", "EMAIL", "PHONE"}:
        problems["delivery"] = {"method": "must be one of EMAIL, LINK, PHONE"}
    recipient = reward.get("recipient")
    if not isinstance(recipient, dict) or not (recipient.get("email") or recipient.get("name")):
        problems["recipient"] = {"email": "is missing"}
    products = reward.get("products")
    chosen = [PRODUCTS.get(each) for each in products] if isinstance(products, list) else []
    product = chosen[0] if chosen else None
    if product is None or None in chosen:
        return problems | {"products": "is missing or names an unknown product"}
    value = reward.get("value")
    amount = value.get("denomination") if isinstance(value, dict) else None
    if not isinstance(amount, int | Decimal) or isinstance(amount, bool) or not product.least <= amount <= product.most:
        problems["value"] = {"denomination": f"must be from {product.least} to {product.most}"}
    elif value is not None and value.get("currency_code", "USD") != product.currency:
        problems["value"] = {"currency_code": f"must be {product.currency}"}
    return problems
