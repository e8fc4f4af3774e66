"""A partner app and a commerce platform, as the tests play them."""

import itertools
import json
import time
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeVar

import requests

from infra.local.cloud import LocalCloud

WAIT_SECONDS: Final = 60.0
T = TypeVar("T")

_numbers = itertools.count(int(time.time()) * 1000)


def eventually(what: str, look: Callable[[], T | None]) -> T:
    """What ``look`` finds, once it finds something.

    Raises:
        AssertionError: it found nothing in time.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{WAIT_SECONDS:.0f} seconds went by without {what}")


def unique() -> str:
    """A number that no test used before."""
    return str(next(_numbers))


def new_email() -> str:
    """An address that nobody has."""
    return f"member-{uuid.uuid4().hex[:12]}@example.com"


class Partner:
    """Calls the API with one token."""

    def __init__(self, cloud: LocalCloud, token: str | None) -> None:
        self.cloud = cloud
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.program_url = f"{cloud.api_url}/v1/programs/{cloud.program}"

    def call(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        """One request; header names are written with ``_`` for ``-``. A ``bytes`` body is sent as it is."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        if isinstance(body, bytes):
            names.setdefault("Content-Type", "application/json")
        url = path if path.startswith("http") else self.program_url + path
        return requests.request(method, url, headers=self.headers | names, timeout=60, **sent)

    def enroll(self, email: str | None = None, **fields: object) -> dict[str, Any]:
        answer = self.call("POST", "/members", {"email": email or new_email()} | fields)
        assert answer.status_code == 201, answer.text
        member: dict[str, Any] = answer.json()
        return member

    def accrue(self, member_id: str, value: str, source_id: str | None = None) -> dict[str, Any]:
        body = {
            "activity": "purchase",
            "source": "pos",
            "source_id": source_id or unique(),
            "occurred_at": "2026-11-20T10:00:00Z",
            "channel": "in_store",
            "amount": {"value": value, "currency": "USD"},
        }
        answer = self.call("POST", f"/members/{member_id}/accruals", body)
        assert answer.status_code == 201, answer.text
        posted: dict[str, Any] = answer.json()
        return posted

    def hold(self, member_id: str, reward_id: str, key: str | None = None) -> requests.Response:
        body = {"reward_id": reward_id}
        return self.call("POST", f"/members/{member_id}/redemptions", body, Idempotency_Key=key or unique())

    def wallet(self, member_id: str) -> dict[str, Any]:
        answer = self.call("GET", f"/members/{member_id}/wallet")
        assert answer.status_code == 200, answer.text
        wallet: dict[str, Any] = answer.json()
        return wallet

    def entries(self, member_id: str) -> list[dict[str, Any]]:
        """The statement, newest first."""
        answer = self.call("GET", f"/members/{member_id}/entries?limit=100")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def entry(self, member_id: str, entry_id: str) -> dict[str, Any]:
        """The entry, once it is there."""
        return eventually(
            entry_id, lambda: next((one for one in self.entries(member_id) if one["entry_id"] == entry_id), None)
        )


def shopify_order(order_id: str, total: str, *, email: str = "", customer_id: int | None = None) -> dict[str, Any]:
    """A paid order, as small as an order may be."""
    return {
        "id": int(order_id),
        "name": f"#{order_id}",
        "test": False,
        "financial_status": "paid",
        "created_at": "2026-11-20T10:12:00+01:00",
        "processed_at": "2026-11-20T10:12:00+01:00",
        "currency": "USD",
        "subtotal_price": total,
        "total_price": total,
        "total_tax": "0.00",
        "email": email,
        "source_name": "web",
        "customer": {"id": customer_id, "email": email} if customer_id else None,
        "line_items": [],
    }


def envelope(topic: str, payload: dict[str, Any], *, prefixed: bool = True) -> dict[str, Any]:
    """Either of the two envelopes in which Shopify publishes to EventBridge."""
    names = {"Topic": topic, "Shop-Domain": "aurora-sample.myshopify.com", "Webhook-Id": str(uuid.uuid4())}
    if prefixed:
        metadata = {f"X-Shopify-{name}": value for name, value in names.items()}
    else:
        metadata = {f"shopify-{name}".lower(): value for name, value in names.items()}
    return {"payload": payload, "metadata": metadata}


class Bus:
    """Puts events on the platform's bus and looks into its dead-letter queue."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._events = cloud.client("events")
        self._sqs = cloud.client("sqs")
        self._bus = cloud.bus
        self._dlq = cloud.platform.outputs["InboundDlqUrl"]

    def put(
        self, detail: object, *, source: str = "partner/shopify.com/1/aurora", kind: str = "shopifyWebhook"
    ) -> None:
        answer = self._events.put_events(
            Entries=[{"EventBusName": self._bus, "Source": source, "DetailType": kind, "Detail": json.dumps(detail)}]
        )
        assert answer["FailedEntryCount"] == 0, answer

    def dead_letter(self, marker: str) -> dict[str, Any]:
        """The dead letter whose body holds ``marker``, once it is there; it is taken off the queue."""

        def look() -> dict[str, Any] | None:
            answer = self._sqs.receive_message(
                QueueUrl=self._dlq, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=1
            )
            for message in answer.get("Messages", []):
                if marker in message["Body"]:
                    self._sqs.delete_message(QueueUrl=self._dlq, ReceiptHandle=message["ReceiptHandle"])
                    found: dict[str, Any] = message
                    return found
            return None

        return eventually(f"a dead letter with {marker}", look)
