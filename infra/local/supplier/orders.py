"""The sandbox supplier's orders: what was asked for, and what was made of it."""

import json
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from infra.local.supplier.account import Account
from infra.local.supplier.order import Making, NotCancelable, NotFound, Order

ID_LETTERS: Final = string.ascii_uppercase + string.digits
PAYOUT_PATH: Final = "/rewards/payout/"
SETTLED: Final = frozenset({"EXECUTED", "CANCELED", "FAILED"})


PLAIN: Final = Making()


class OrderBook:
    """Every order made, in the order of their making. Safe to use from several threads.

    Args:
        journal: a file that gets one line of JSON for each order, or None.
        clock: gives the present time in UTC.
        account: pays for them.
    """

    def __init__(
        self,
        journal: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        account: Account | None = None,
    ) -> None:
        self.account = account or Account()
        self.on_change: Callable[[str, Order], None] = lambda _event, _order: None
        self._orders: dict[str, Order] = {}
        self._journal = journal
        self._clock = clock
        self._lock = threading.RLock()

    def make(self, request: Mapping[str, Any], how: Making = PLAIN) -> tuple[Order, bool]:
        """Make the order, unless one with its ``external_id`` exists. Returns it and whether it is new.

        Raises:
            OutOfFunds: the account does not pay for it.
        """
        with self._lock:
            external_id = request.get("external_id")
            for order in self._orders.values():
                if external_id and order.external_id == external_id and not how.double:
                    order.asks_until_seen, order.seen_from = 0, None
                    return order, False
            now, later = self._clock(), how.seconds is not None
            order = Order(
                id=_new_id(),
                external_id=external_id,
                created_at=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                status="OPEN" if how.open_for else "EXECUTED",
                request=request,
                reward_id=_new_id(),
                asks_until_settled=how.open_for,
                asks_until_seen=0 if later else how.hidden_for,
                seen_from=now + timedelta(seconds=how.seconds or 0.0) if how.hidden_for and later else None,
            )
            self.account.take(order.cents)
            self._orders[order.id] = order
            self._write(order)
            if how.open_for and how.seconds is not None:
                order.asks_until_settled = 1 << 30
                self._settle_after(order.id, how.seconds)
            self.on_change("ORDERS.CREATED", order)
            return order, True

    def all(self) -> list[Order]:
        """Every order, the newest first, also those that nobody is shown yet; without counting as a question about them."""
        with self._lock:
            return list(self._orders.values())[::-1]

    def find(
        self, external_id: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> list[Order]:
        """The orders with this ``external_id``, or all, made from ``start`` to ``end``; the newest first."""
        with self._lock:
            found = [each for each in self.all() if external_id in (None, each.external_id)]
            seen = [order for order in found if self._asked_for(order)]
            return [order for order in seen if _within(order, start, end)]

    def order(self, order_id: str) -> Order:
        """The order with this id, or with this ``external_id``.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            named = [each for each in self.all() if order_id in (each.id, each.external_id)]
            if not named or not self._asked_for(named[-1]):
                raise NotFound(order_id)
            return named[-1]

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
        """Cancel a reward, and with it its order; what it cost is given back.

        Raises:
            NotFound: there is no such reward.
            NotCancelable: it is canceled already, or somebody used it.
        """
        with self._lock:
            order = self.holding(reward_id)
            if order.redeemed or order.status in SETTLED - {"EXECUTED"}:
                raise NotCancelable(reward_id)
            order.status = "CANCELED"
            self.account.give(order.cents)
            self.on_change("REWARDS.CANCELED", order)
            return order

    def settle(self, order_id: str, status: str = "EXECUTED") -> Order:
        """Let an open order be executed, or fail: then what it cost is given back. A settled one stays as it is.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            if order_id not in self._orders:
                raise NotFound(order_id)
            order = self._orders[order_id]
            if order.status in SETTLED:
                return order
            order.status = status
            if status != "EXECUTED":
                self.account.give(order.cents)
            self.on_change(_EVENTS[status], order)
            return order

    def redeem(self, order_id: str) -> Order:
        """Let somebody use the reward of an order: it can be cancelled no more.

        Raises:
            NotFound: there is none.
        """
        with self._lock:
            if order_id not in self._orders:
                raise NotFound(order_id)
            self._orders[order_id].redeemed = True
            return self._orders[order_id]

    def clear(self) -> None:
        """Forget every order; the journal keeps its lines, the account what is in it."""
        with self._lock:
            self._orders.clear()

    def _asked_for(self, order: Order) -> bool:
        """Counts a question about an order; whether it is shown."""
        if order.seen_from is not None and self._clock() < order.seen_from:
            return False
        order.asks_until_seen -= 1
        if order.asks_until_seen >= 0:
            return False
        if order.status == "OPEN":
            order.asks_until_settled -= 1
            if order.asks_until_settled < 0:
                self.settle(order.id)
        return True

    def _settle_after(self, order_id: str, seconds: float) -> None:
        def settle() -> None:
            with self._lock:
                if order_id in self._orders:
                    self.settle(order_id)

        timer = threading.Timer(seconds, settle)
        timer.daemon = True
        timer.start()

    def _write(self, order: Order) -> None:
        if self._journal is not None:
            with self._journal.open("a") as lines:
                lines.write(json.dumps(order.document(), default=float) + "\n")


_EVENTS: Final = {"EXECUTED": "ORDERS.APPROVED", "CANCELED": "ORDERS.CANCELED", "FAILED": "ORDERS.FAILED"}


def new_link(base_url: str) -> str:
    """A link that nobody can guess."""
    return f"{base_url}{PAYOUT_PATH}{secrets.token_urlsafe(24).lower()}"


def _within(order: Order, start: datetime | None, end: datetime | None) -> bool:
    made = datetime.fromisoformat(order.created_at)
    return (start is None or made >= start) and (end is None or made <= end)


def _new_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(12))


__all__ = ["Making", "NotCancelable", "NotFound", "Order", "OrderBook", "new_link"]
