"""Envelopes around payloads, and an order and a refund of our own invention, for the tests of this folder."""

import copy
from typing import Any

SHOP = "aurora-sample.myshopify.com"

ORDER: dict[str, Any] = {
    "id": 5512000000001,
    "name": "#1001",
    "test": False,
    "currency": "USD",
    "subtotal_price": "320.00",
    "total_price": "352.50",
    "financial_status": "paid",
    "source_name": "web",
    "processed_at": "2026-11-20T10:15:00+01:00",
    "created_at": "2026-11-20T10:14:00+01:00",
    "email": "planted.buyer@example.com",
    "contact_email": "planted.buyer@example.com",
    "customer": {"id": 7100000000001, "email": "planted.other@example.com"},
}
REFUND: dict[str, Any] = {
    "id": 8812000000001,
    "order_id": 5512000000001,
    "processed_at": "2026-11-20T16:00:00+01:00",
    "created_at": "2026-11-20T16:00:00+01:00",
    "transactions": [{"kind": "refund", "status": "success", "amount": "30.00", "currency": "USD"}],
    "refund_line_items": [],
    "order_adjustments": [],
}


def envelope(topic: str, payload: object, *, lower_case: bool = False) -> dict[str, Any]:
    """An EventBridge event as SQS delivers it, in either of the envelopes that Shopify writes."""
    headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-API-Version": "2026-07",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
    }
    if lower_case:
        headers = {key.lower().removeprefix("x-"): value for key, value in headers.items()}
    return {
        "version": "0",
        "id": "d6f7a1f2-0000-4000-8000-000000000001",
        "detail-type": "shopifyWebhook",
        "source": "aws.partner/shopify.com/1234567/loyalty",
        "account": "123456789012",
        "time": "2026-11-20T09:15:01Z",
        "region": "eu-south-1",
        "resources": [],
        "detail": {"payload": copy.deepcopy(payload), "metadata": headers},
    }
