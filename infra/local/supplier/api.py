"""The sandbox supplier's API without its transport: a request in, an answer out.

The statuses are the real API's: 200 for a new order, 201 for one that exists under its ``external_id``,
202 for one that is not settled yet, 400 for what does not validate, 401, 404.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from infra.local.supplier.catalogue import FUNDING_SOURCE, PRODUCTS
from infra.local.supplier.faults import BadRule, Fault, Faults, Rule
from infra.local.supplier.orders import PAYOUT_PATH, NotCancelable, NotFound, OrderBook, new_link

INVALID_ORDER: Final = "Order failed: validation failure"
PAYOUT: Final = {"reward": "A gift card of the sandbox supplier: it can be looked at, not spent."}
"""What a link shows to whoever has it. No link is kept, so every one is good."""

REFUSALS: Final[Mapping[Fault, tuple[int, str, Mapping[str, Any]]]] = {
    Fault.REFUSE: (400, INVALID_ORDER, {"reward": {"recipient": "was declined"}}),
    Fault.OUT_OF_STOCK: (400, INVALID_ORDER, {"reward": {"products": "is out of stock"}}),
    Fault.ERROR_500: (500, "Unexpected error", {}),
}


@dataclass(frozen=True)
class Request:
    """What the transport received."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the transport has to send: after ``delay`` seconds, or not at all where ``status`` is None."""

    status: int | None
    document: Any = None
    delay: float = 0.0


class Api:
    """Answers requests.

    Args:
        key: the API key that clients present as a bearer token.
        base_url: starts the links to rewards.
        book: the orders.
    """

    def __init__(self, key: str, base_url: str, book: OrderBook) -> None:
        self.book = book
        self.faults = Faults()
        self._key = key
        self._base_url = base_url
        self._routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("POST", r"/api/v2/orders", self._create_order),
            ("GET", r"/api/v2/orders", self._list_orders),
            ("GET", r"/api/v2/orders/(\w+)", self._show_order),
            ("GET", r"/api/v2/rewards/(\w+)", self._show_reward),
            ("POST", r"/api/v2/rewards/(\w+)/generate_link", self._generate_link),
            ("POST", r"/api/v2/rewards/(\w+)/cancel", self._cancel_reward),
            ("GET", r"/api/v2/products", self._list_products),
            ("GET", r"/api/v2/funding_sources", self._list_funding_sources),
        ]
        self._controls: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", r"/_sandbox/health", lambda _: Answer(200, {"status": "ok"})),
            ("GET", r"/_sandbox/faults", lambda _: Answer(200, self.faults.documents())),
            ("PUT", r"/_sandbox/faults", self._set_faults),
            ("DELETE", r"/_sandbox/faults", self._clear_faults),
            ("GET", PAYOUT_PATH + r"[\w-]+", lambda _: Answer(200, PAYOUT)),
            ("GET", r"/_sandbox/orders", self._all_orders),
            ("DELETE", r"/_sandbox/orders", self._forget_orders),
        ]

    def answer(self, request: Request) -> Answer:
        """The answer to one request; errors are answers too."""
        control = request.path.startswith(("/_sandbox/", PAYOUT_PATH))
        if not control and request.headers.get("authorization") != f"Bearer {self._key}":
            return _failure(401, "Unauthorized: invalid or missing API key")
        try:
            return self._dispatch(self._controls if control else self._routes, request)
        except NotFound as error:
            return _failure(404, f"No resource could be found for the provided ID: {error}")
        except NotCancelable as error:
            return _failure(400, f"Reward cannot be canceled: {error}")

    def _dispatch(self, routes: list[tuple[str, str, Callable[..., Answer]]], request: Request) -> Answer:
        for method, pattern, handle in routes:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                return handle(request, *match.groups())
        return _failure(404, f"No such endpoint: {request.method} {request.path}")

    def _create_order(self, request: Request) -> Answer:
        order = _parsed(request.body)
        problems = _problems(order)
        if problems:
            return _failure(400, INVALID_ORDER, problems)
        rule = self.faults.strike(_facts(order))
        if rule is not None:
            return self._faulty(rule, order)
        return self._ordered(order)

    def _ordered(self, order: Mapping[str, Any], asks_until_settled: int = 0, delay: float = 0.0) -> Answer:
        made, new = self.book.make(order, asks_until_settled)
        if not new:
            return Answer(201, {"order": made.document()}, delay)
        if made.status != "EXECUTED":
            return Answer(202, {"order": made.document()}, delay)
        link = new_link(self._base_url) if order["reward"]["delivery"]["method"] == "LINK" else None
        return Answer(200, {"order": made.document(link)}, delay)

    def _faulty(self, rule: Rule, order: Mapping[str, Any]) -> Answer:
        if rule.fault in REFUSALS:
            status, message, payload = REFUSALS[rule.fault]
            return _failure(rule.status or status, message, payload)
        if rule.fault is Fault.HANG:
            return Answer(None, delay=rule.delay)
        if rule.fault is Fault.LATE_AFTER_SUCCESS:
            return self._ordered(order, delay=rule.delay)
        if rule.fault is Fault.DUPLICATE:
            self._ordered(order)
        return self._ordered(order, asks_until_settled=rule.settle_after if rule.fault is Fault.PENDING else 0)

    def _list_orders(self, request: Request) -> Answer:
        found = self.book.find(request.query.get("external_id"))
        start = int(request.query.get("offset", "0"))
        limit = min(int(request.query.get("limit", "10")), 500)
        page = found[start : start + limit]
        return Answer(200, {"orders": [order.document() for order in page], "total_count": len(found)})

    def _show_order(self, _: Request, order_id: str) -> Answer:
        return Answer(200, {"order": self.book.order(order_id).document()})

    def _show_reward(self, _: Request, reward_id: str) -> Answer:
        return Answer(200, {"reward": self.book.holding(reward_id).reward()})

    def _generate_link(self, _: Request, reward_id: str) -> Answer:
        order = self.book.holding(reward_id)
        if order.status != "EXECUTED" or order.request["reward"]["delivery"]["method"] != "LINK":
            return _failure(403, "A link can only be made for a delivered reward of method LINK")
        return Answer(200, {"reward": {"id": reward_id, "link": new_link(self._base_url)}})

    def _cancel_reward(self, _: Request, reward_id: str) -> Answer:
        return Answer(200, {"reward": self.book.cancel(reward_id).reward()})

    def _list_products(self, request: Request) -> Answer:
        currency = request.query.get("currency")
        shown = [each.document() for each in PRODUCTS.values() if currency in (None, each.currency)]
        return Answer(200, {"products": shown})

    def _list_funding_sources(self, _: Request) -> Answer:
        source = {
            "id": FUNDING_SOURCE,
            "method": "balance",
            "status": "active",
            "usage_permissions": ["api_orders"],
            "meta": {"available_cents": 100_000_000, "pending_cents": 0},
        }
        return Answer(200, {"funding_sources": [source]})

    def _set_faults(self, request: Request) -> Answer:
        try:
            self.faults.replace(json.loads(request.body or b"null"))
        except (BadRule, ValueError) as error:
            return _failure(400, str(error))
        return Answer(200, self.faults.documents())

    def _clear_faults(self, _: Request) -> Answer:
        self.faults.replace([])
        return Answer(204)

    def _all_orders(self, _: Request) -> Answer:
        return Answer(200, [order.document() for order in self.book.all()])

    def _forget_orders(self, _: Request) -> Answer:
        self.book.clear()
        return Answer(204)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_float=Decimal)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _facts(order: Mapping[str, Any]) -> dict[str, str]:
    reward = order["reward"]
    return {
        "external_id": order.get("external_id") or "",
        "product": (reward.get("products") or [""])[0],
        "email": reward.get("recipient", {}).get("email", ""),
        "denomination": str(reward["value"]["denomination"]),
    }


def _problems(order: Mapping[str, Any]) -> dict[str, Any]:
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


def _failure(status: int, message: str, payload: Mapping[str, Any] | None = None) -> Answer:
    return Answer(status, {"errors": {"message": message, "payload": dict(payload or {})}})
