"""The events by which what was put aside can be sent again."""

from typing import Any, Final

from loyalty.commerce.model import Refund
from loyalty.core.clock import to_text

REFUNDS_CREATE: Final = "refunds/create"
"""Shopify's topic."""


def refund_event(refund: Refund) -> dict[str, Any]:
    """An event that tells of ``refund`` as Shopify would, and of nothing else."""
    moment = to_text(refund.occurred_at)
    given = {"kind": "refund", "status": "success", "amount": str(refund.amount.amount),
             "currency": refund.amount.currency}  # fmt: skip
    payload = {"id": refund.source_id, "order_id": refund.purchase_source_id, "created_at": moment,
               "processed_at": moment, "transactions": [given]}  # fmt: skip
    headers = {"X-Shopify-Topic": REFUNDS_CREATE} | ({"X-Shopify-Shop-Domain": refund.shop} if refund.shop else {})
    detail = {"payload": payload, "metadata": headers}
    return {"source": "loyalty.redelivery", "detail-type": "shopifyWebhook", "detail": detail}
