"""Webhooks of the sandbox supplier: what became of orders and rewards, posted to a URL and signed."""

import http.client
import json
import queue
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from hmac import new
from typing import Any, Final
from urllib.parse import urlsplit

from infra.local.processes import LOOPBACK
from infra.local.supplier.faults import Endpoint, Fault, Faults

SIGNATURE_HEADER: Final = "Tremendous-Webhook-Signature"
SANDBOX_WEBHOOK_KEY: Final = "sandbox-webhook-key"
"""What the sandbox signs with. It is no secret: it proves nothing but that a server on loopback sent it."""
TIMEOUT_SECONDS: Final = 5.0
ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 0.2


class BadUrl(ValueError):
    """Posts go to this machine alone."""


@dataclass
class Delivery:
    """One event, and the status of each attempt to deliver it; 0 where nobody answered."""

    event: str
    uuid: str
    resource_id: str
    statuses: list[int] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As the control endpoint shows it."""
        return {"event": self.event, "uuid": self.uuid, "resource": self.resource_id, "statuses": list(self.statuses)}


class Webhooks:
    """Posts events one after another, from a thread of its own.

    Args:
        faults: those that meet ``webhooks``.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._queue: queue.Queue[tuple[Delivery, bytes, Mapping[str, str]]] = queue.Queue()
        self._deliveries: list[Delivery] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self.url: str | None = None
        self.private_key = SANDBOX_WEBHOOK_KEY

    def point_to(self, url: str | None) -> None:
        """Post to this URL from now on, or to nobody.

        Raises:
            BadUrl: it is not on the loopback interface.
        """
        if url is not None and urlsplit(url).hostname not in {LOOPBACK, "localhost"}:
            raise BadUrl("webhooks are posted to the loopback interface only")
        self.url = url

    def deliveries(self) -> list[dict[str, Any]]:
        """What was sent, in the order of sending."""
        with self._lock:
            return [delivery.document() for delivery in self._deliveries]

    def clear(self) -> None:
        """Forget what was sent, and where to."""
        self.url = None
        with self._lock:
            self._deliveries.clear()

    def send(self, event: str, kind: str, resource_id: str, facts: Mapping[str, str]) -> None:
        """Post an event of a resource (``orders``, ``rewards``), unless nobody wants it."""
        if self.url is None:
            return
        delivery = Delivery(event, str(uuid.uuid4()), resource_id)
        body = json.dumps({
            "event": event,
            "uuid": delivery.uuid,
            "created_utc": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "payload": {"resource": {"id": resource_id, "type": kind}, "meta": {}},
        }).encode()  # fmt: skip
        with self._lock:
            self._deliveries.append(delivery)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="sandbox-webhooks", daemon=True)
                self._thread.start()
        self._queue.put((delivery, body, {**facts, "event": event}))

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                delivery, body, facts = self._queue.get(timeout=PAUSE_SECONDS)
            except queue.Empty:
                continue
            rule = self._faults.strike(Endpoint.WEBHOOKS, facts)
            fault = None if rule is None else rule.fault
            key = f"not-{self.private_key}" if fault is Fault.WRONG_SIGNATURE else self.private_key
            for _ in range(2 if fault is Fault.DUPLICATE else 1):
                self._deliver(delivery, body, key)

    def _deliver(self, delivery: Delivery, body: bytes, key: str) -> None:
        """Until it is taken; 4xx too is an answer, and is not tried again here."""
        for _ in range(ATTEMPTS):
            status = self._post(body, key)
            with self._lock:
                delivery.statuses.append(status)
            if 200 <= status < 500:
                return
            self._stopped.wait(PAUSE_SECONDS)

    def _post(self, body: bytes, key: str) -> int:
        url = urlsplit(self.url or "")
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: "sha256=" + new(key.encode(), body, sha256).hexdigest(),
        }
        connection = http.client.HTTPConnection(url.hostname or LOOPBACK, url.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", url.path or "/", body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
