"""What tests switch and look at: everything under ``/_sandbox/``, and what a link shows to whoever has it."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from infra.local.supplier.account import START_CENTS
from infra.local.supplier.exchange import Answer, Request, failure
from infra.local.supplier.faults import BadRule, Faults
from infra.local.supplier.orders import PAYOUT_PATH, SETTLED, OrderBook
from infra.local.supplier.webhooks import BadUrl, Webhooks

PAYOUT: Final = {"reward": "A gift card of the sandbox supplier: it can be looked at, not spent."}
"""No link is kept, so every one is good."""


class Controls:
    """Answers requests that no real supplier would.

    Args:
        book: the orders, and the account that pays for them.
        faults: the rules in force.
        webhooks: what is posted, and where to.
    """

    def __init__(self, book: OrderBook, faults: Faults, webhooks: Webhooks) -> None:
        self._book = book
        self._faults = faults
        self._webhooks = webhooks
        self._routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", r"/_sandbox/health", lambda _: Answer(200, {"status": "ok"})),
            ("GET", r"/_sandbox/faults", lambda _: Answer(200, faults.documents())),
            ("PUT", r"/_sandbox/faults", self._set_faults),
            ("DELETE", r"/_sandbox/faults", self._clear_faults),
            ("GET", PAYOUT_PATH + r"[\w-]+", lambda _: Answer(200, PAYOUT)),
            ("GET", r"/_sandbox/orders", self._all_orders),
            ("DELETE", r"/_sandbox/orders", self._forget_orders),
            ("POST", r"/_sandbox/orders/(\w+)/settle", self._settle),
            ("POST", r"/_sandbox/orders/(\w+)/redeem", lambda _, name: Answer(200, book.redeem(name).document())),
            ("GET", r"/_sandbox/balance", lambda _: Answer(200, {"available_cents": book.account.available_cents})),
            ("PUT", r"/_sandbox/balance", self._set_balance),
            ("GET", r"/_sandbox/webhooks", lambda _: Answer(200, webhooks.deliveries())),
            ("PUT", r"/_sandbox/webhooks", self._set_webhooks),
            ("DELETE", r"/_sandbox/webhooks", self._clear_webhooks),
        ]

    def has(self, request: Request) -> bool:
        """Whether it is one of these, which need no key."""
        return request.path.startswith(("/_sandbox/", PAYOUT_PATH))

    def answer(self, request: Request) -> Answer:
        """The answer to one request.

        Raises:
            NotFound: there is no such order.
        """
        for method, pattern, handle in self._routes:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                return handle(request, *match.groups())
        return failure(404, f"No such endpoint: {request.method} {request.path}")

    def reset(self) -> None:
        """As it began: no orders, no faults, nobody to call back, a full account."""
        self._faults.replace([])
        self._book.clear()
        self._webhooks.clear()
        self._book.account.put(START_CENTS)

    def _set_faults(self, request: Request) -> Answer:
        try:
            self._faults.replace(json.loads(request.body or b"null"))
        except (BadRule, ValueError) as error:
            return failure(400, str(error))
        return Answer(200, self._faults.documents())

    def _clear_faults(self, _: Request) -> Answer:
        self._faults.replace([])
        return Answer(204)

    def _all_orders(self, _: Request) -> Answer:
        return Answer(200, [order.document() for order in self._book.all()])

    def _forget_orders(self, _: Request) -> Answer:
        self._book.clear()
        return Answer(204)

    def _settle(self, request: Request, order_id: str) -> Answer:
        status = _object(request).get("status", "EXECUTED")
        if status not in SETTLED:
            return failure(400, f"An order is settled as one of {', '.join(sorted(SETTLED))}")
        return Answer(200, self._book.settle(order_id, status).document())

    def _set_balance(self, request: Request) -> Answer:
        cents = _object(request).get("available_cents")
        if not isinstance(cents, int) or isinstance(cents, bool) or cents < 0:
            return failure(400, "available_cents must be a whole number, zero or more")
        self._book.account.put(cents)
        return Answer(200, {"available_cents": cents})

    def _set_webhooks(self, request: Request) -> Answer:
        asked = _object(request)
        try:
            self._webhooks.point_to(asked.get("url"))
        except BadUrl as error:
            return failure(400, str(error))
        self._webhooks.private_key = str(asked.get("private_key", self._webhooks.private_key))
        return Answer(200, {"url": self._webhooks.url})

    def _clear_webhooks(self, _: Request) -> Answer:
        self._webhooks.clear()
        return Answer(204)


def _object(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
