"""Callbacks: nothing is read of one that the supplier has not signed."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from loyalty.suppliers.model import OrderState
from loyalty.suppliers.webhooks import MAX_BODY_BYTES, BadCallback, BadSignature, verify

KEY = "5fe6d2a8-planted"


def event(name: str = "ORDERS.APPROVED", kind: str = "orders", **changes: Any) -> bytes:
    """The shape of https://developers.tremendous.com/docs/webhooks-1"""
    document = {
        "event": name,
        "uuid": "5ccc7bb1-7659-4e23-a407-77d8cd9c62f5",
        "created_utc": "2026-11-22T20:05:01.037-04:00",
        "payload": {"resource": {"id": "2V3PCCL7QXDA", "type": kind}, "meta": {}},
    }
    return json.dumps(document | changes).encode()


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Tremendous-Webhook-Signature": f"sha256={digest}"}


@pytest.mark.parametrize(
    ("name", "kind", "state"),
    [
        ("ORDERS.APPROVED", "orders", OrderState.EXECUTED),
        ("ORDERS.CANCELED", "orders", OrderState.DEAD),
        ("ORDERS.FAILED", "orders", OrderState.DEAD),
        ("ORDERS.CREATED", "orders", None),
        ("REWARDS.CANCELED", "rewards", OrderState.DEAD),
        ("REWARDS.FLAGGED", "rewards", None),
        ("INVOICES.PAID", "invoices", None),
    ],
)
def test_a_callback_names_its_delivery_and_what_it_is_about(name: str, kind: str, state: OrderState | None) -> None:
    body = event(name, kind)
    callback = verify({key.upper(): value for key, value in signed(body).items()}, body, KEY)
    assert (callback.delivery_id, callback.event, callback.state) == (
        "5ccc7bb1-7659-4e23-a407-77d8cd9c62f5",
        name,
        state,
    )
    assert callback.order_id == ("2V3PCCL7QXDA" if kind == "orders" else None)
    assert callback.reward_id == ("2V3PCCL7QXDA" if kind == "rewards" else None)
    assert callback.external_id is None


BODY = event()


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        ({}, KEY),
        ({"Tremendous-Webhook-Signature": ""}, KEY),
        (signed(BODY, "another"), KEY),
        (signed(BODY + b" "), KEY),
        ({"Tremendous-Webhook-Signature": signed(BODY)["Tremendous-Webhook-Signature"][7:]}, KEY),
        ({"Tremendous-Webhook-Signature": "sha256=é\udcff"}, KEY),
        (signed(BODY, ""), ""),  # a key that nobody has set signs nothing
    ],
)
def test_what_the_supplier_has_not_signed_is_not_read(headers: dict[str, str], secret: str) -> None:
    with pytest.raises(BadSignature) as caught:
        verify(headers, BODY, secret)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"planted", b"[]", b"{}", event(uuid="planted!"), event(payload={}), event("planted"), b'{"a":' * 9_000],
)
def test_a_signed_callback_that_is_none_of_the_api(body: bytes) -> None:
    with pytest.raises(BadCallback) as caught:
        verify(signed(body), body, KEY)
    assert "planted" not in str(caught.value)


def test_a_body_beyond_the_limit_is_not_even_verified() -> None:
    with pytest.raises(BadCallback, match=str(MAX_BODY_BYTES)):
        verify({}, b"x" * (MAX_BODY_BYTES + 1), KEY)


XOXODAY = {
    "id": 991,
    "data": {
        "orderId": 6474256,
        "poNumber": "rdm_1",
        "orderDate": "2024-02-07 12:25:45",
        "deliveryStatus": "delivered",
    },
    "createdAt": "2024-02-07 12:30:00",
}


@pytest.mark.parametrize(
    ("status", "state"), [("delivered", OrderState.EXECUTED), ("Canceled", OrderState.DEAD), ("on its way", None)]
)
def test_xoxoday_proves_itself_by_a_key_and_names_ours(status: str, state: OrderState | None) -> None:
    """https://developers.xoxoday.com/docs/securing-webhooks"""
    body = json.dumps(XOXODAY | {"data": XOXODAY["data"] | {"deliveryStatus": status}}).encode()  # type: ignore[operator]
    callback = verify({"X-API-Key": KEY}, body, KEY, "xoxoday")
    assert (callback.delivery_id, callback.external_id, callback.order_id) == ("991", "rdm_1", "6474256")
    assert callback.state is state
    for headers in ({"X-API-Key": "a1p2z5b7v68b9112234"}, {}, signed(body)):
        with pytest.raises(BadSignature):
            verify(headers, body, KEY, "xoxoday")


def test_no_callbacks_of_others_are_taken() -> None:
    with pytest.raises(BadCallback, match="tango"):
        verify({"X-API-Key": KEY}, BODY, KEY, "tango")
