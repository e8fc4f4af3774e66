"""The sandbox supplier's orders: what was asked for, and what was made of it."""

import json
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

ID_LETTERS: Final = string.ascii_uppercase + string.digits
PAYOUT_PATH: Final = "/rewards/payout/"


class NotFound(LookupError):
    """No order or reward has this id."""


class NotCancelable(RuntimeError):
    """The reward's link was used or it is canceled already."""


@dataclass
class Order:
    """An order of one reward. Its link is shown once, when it is made, and never kept."""

    id: str
    external_id: str | None
    created_at: str
    status: str
    request: Mapping[str, Any]
    reward_id: str
    asks_until_settled: int = 0
    reward_canceled: bool = False

    def document(self, link: str | None = None) -> dict[str, Any]:
        """The order as the API shows it; with the link only in the answer to its making."""
        denomination = self.request["reward"]["value"]["denomination"]
        shown = {
            "id": self.id,
            "external_id": self.external_id,
            "campaign_id": self.request["reward"].get("campaign_id"),
            "created_at": self.created_at,
            "status": self.status,
            "channel": "API",
            "rewards": [self.reward(link)],
        }
        if self.status == "EXECUTED":
            shown["payment"] = {"subtotal": denomination, "total": denomination, "fees": Decimal(0)}
        return shown

    def reward(self, link: str | None = None) -> dict[str, Any]:
        """The order's reward as the API shows it."""
        asked = self.request["reward"]
        delivery: dict[str, Any] = {
            "method": asked["delivery"]["method"],
            "status": "SUCCEEDED" if self.status == "EXECUTED" else "SCHEDULED",
        }
        if link is not None:
            delivery["link"] = link
        return {
            "id": self.reward_id,
            "order_id": self.id,
            "created_at": self.created_at,
            "expires_at": None,
            "value": dict(asked["value"]),
            "products": list(asked.get("products", [])),
            "recipient": dict(asked.get("recipient", {})),
            "delivery": delivery,
        }


class OrderBook:
    """Every order made, in the order of their making. Safe to use from several threads.

    Args:
        journal: a file that gets one line of JSON for each order, or None.
        clock: gives the present time in UTC.
    """

    def __init__(self, journal: Path | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._orders: dict[str, Order] = {}
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()

    def make(self, request: Mapping[str, Any], asks_until_settled: int = 0) -> tuple[Order, bool]:
        """Make the order, unless one with its ``external_id`` exists. Returns it and whether it is new."""
        with self._lock:
            external_id = request.get("external_id")
            for order in self._orders.values():
                if external_id and order.external_id == external_id:
                    return order, False
            order = Order(
                id=_new_id(),
                external_id=external_id,
                created_at=self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                status="OPEN" if asks_until_settled else "EXECUTED",
                request=request,
                reward_id=_new_id(),
                asks_until_settled=asks_until_settled,
            )
            self._orders[order.id] = order
            self._write(order)
            return order, True

    def all(self) -> list[Order]:
        """Every order, the newest first, without counting as a question about them."""
        with self._lock:
            return list(self._orders.values())[::-1]

    def find(self, external_id: str | None = None) -> list[Order]:
        """The orders with this ``external_id``, or all; the newest first."""
        found = [each for each in self.all() if external_id in (None, each.external_id)]
        with self._lock:
            for order in found:
                _asked_for(order)
        return found

    def order(self, order_id: str) -> Order:
        """The order with this id.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            if order_id not in self._orders:
                raise NotFound(order_id)
            _asked_for(self._orders[order_id])
            return self._orders[order_id]

    def holding(self, reward_id: str) -> Order:
        """The order that holds the reward with this id.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            for order in self._orders.values():
                if order.reward_id == reward_id:
                    return order
            raise NotFound(reward_id)

    def cancel(self, reward_id: str) -> Order:
        """Cancel a reward, and with it its order.

        Raises:
            NotFound: there is no such reward.
            NotCancelable: it is canceled already.
        """
        order = self.holding(reward_id)
        with self._lock:
            if order.reward_canceled:
                raise NotCancelable(reward_id)
            order.reward_canceled = True
            order.status = "CANCELED"
            return order

    def clear(self) -> None:
        """Forget every order; the journal keeps its lines."""
        with self._lock:
            self._orders.clear()

    def _write(self, order: Order) -> None:
        if self._journal is not None:
            with self._journal.open("a") as lines:
                lines.write(json.dumps(order.document(), default=float) + "\n")


def new_link(base_url: str) -> str:
    """A link that nobody can guess."""
    return f"{base_url}{PAYOUT_PATH}{secrets.token_urlsafe(24).lower()}"


def _asked_for(order: Order) -> None:
    if order.status == "OPEN":
        order.asks_until_settled -= 1
        if order.asks_until_settled < 0:
            order.status = "EXECUTED"


def _new_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(12))
