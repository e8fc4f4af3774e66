"""The sandbox supplier's API without its transport: a request in, an answer out.

The statuses are the real API's: 200 for a new order, 201 for one that exists under its ``external_id``,
202 for one that is not settled yet, 400 for what does not validate, 401, 402 without funds, 404.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from infra.local.supplier.account import OutOfFunds
from infra.local.supplier.catalogue import FUNDING_SOURCE, PRODUCTS
from infra.local.supplier.controls import Controls
from infra.local.supplier.exchange import Answer, Request, failure
from infra.local.supplier.faults import Endpoint, Fault, Faults, Rule
from infra.local.supplier.orders import Making, NotCancelable, NotFound, Order, OrderBook, new_link
from infra.local.supplier.validation import facts, parsed, problems_of
from infra.local.supplier.webhooks import BadUrl, Webhooks

INVALID_ORDER: Final = "Order failed: validation failure"
MAX_LIMIT: Final = 100
NO_FACTS: Final[Mapping[str, str]] = {}

_Handle = Callable[..., Answer]


class Api:
    """Answers requests.

    Args:
        key: the API key that clients present as a bearer token.
        base_url: starts the links to rewards.
        book: the orders.
    """

    def __init__(self, key: str, base_url: str, book: OrderBook) -> None:
        self.book = book
        self.account = book.account
        self.faults = Faults()
        self.webhooks = Webhooks(self.faults)
        book.on_change = self._changed
        self._key = key
        self._base_url = base_url
        self._controls = Controls(self.book, self.faults, self.webhooks)
        self._routes: list[tuple[str, str, _Handle]] = [
            ("POST", r"/api/v2/orders", self._create_order),
            ("GET", r"/api/v2/orders", self._list_orders),
            ("GET", r"/api/v2/orders/([\w.-]+)", self._show_order),
            ("GET", r"/api/v2/rewards/(\w+)", self._show_reward),
            ("POST", r"/api/v2/rewards/(\w+)/generate_link", self._generate_link),
            ("POST", r"/api/v2/rewards/(\w+)/cancel", self._cancel_reward),
            ("GET", r"/api/v2/products", self._list_products),
            ("GET", r"/api/v2/funding_sources", self._list_funding_sources),
            ("POST", r"/api/v2/webhooks", self._create_webhook),
        ]

    def reset(self) -> None:
        """As it began: no orders, no faults, nobody to call back, a full account."""
        self._controls.reset()

    def answer(self, request: Request) -> Answer:
        """The answer to one request; errors are answers too."""
        try:
            if self._controls.has(request):
                return self._controls.answer(request)
            if request.headers.get("authorization") != f"Bearer {self._key}":
                return failure(401, "Unauthorized: invalid or missing API key")
            for method, pattern, handle in self._routes:
                match = re.fullmatch(pattern, request.path)
                if match and method == request.method:
                    return handle(request, *match.groups())
        except NotFound as error:
            return failure(404, f"No resource could be found for the provided ID: {error}")
        return failure(404, f"No such endpoint: {request.method} {request.path}")

    def _met(self, endpoint: Endpoint, of: Mapping[str, str], carry_out: Callable[[Rule | None], Answer]) -> Answer:
        """Carries a request out, unless a fault meets it: then before, after, or not at all."""
        rule = self.faults.strike(endpoint, of)
        if rule is None or rule.fault in _OF_THE_ORDER:
            return carry_out(rule)
        done = carry_out(None) if rule.after else None
        if rule.fault is Fault.LATE_AFTER_SUCCESS and done is not None:
            return Answer(done.status, done.document, delay=rule.delay)
        return _struck(rule)

    def _create_order(self, request: Request) -> Answer:
        order = parsed(request.body)
        problems = problems_of(order)
        if problems:
            return failure(400, INVALID_ORDER, problems)
        return self._met(Endpoint.ORDERS, facts(order), lambda rule: self._ordered(order, rule))

    def _ordered(self, order: Mapping[str, Any], rule: Rule | None) -> Answer:
        if rule is not None and rule.fault is Fault.OUT_OF_STOCK:
            return failure(rule.status or 400, INVALID_ORDER, {"reward": {"products": "is out of stock"}})
        asked = order if rule is None or rule.fault is not Fault.WRONG_AMOUNT else _of_another_amount(order, rule)
        try:
            if rule is not None and rule.fault in {Fault.DUPLICATE, Fault.DOUBLE_ORDER}:
                self.book.make(asked)
            made, new = self.book.make(asked, _how(rule))
        except OutOfFunds:
            return failure(402, "Order failed: not enough funds")
        if rule is not None and rule.fault is Fault.LATE_SUCCESS:
            return failure(rule.status or 504, "Gateway timeout")
        if not new:
            return Answer(201, {"order": made.document()})
        if made.status != "EXECUTED":
            return Answer(202, {"order": made.document()})
        link = new_link(self._base_url) if order["reward"]["delivery"]["method"] == "LINK" else None
        return Answer(200, {"order": made.document(link)})

    def _list_orders(self, request: Request) -> Answer:
        asked = request.query
        try:
            start, end = (_moment(asked.get(f"created_at[{bound}]")) for bound in ("gte", "lte"))
            offset, limit = int(asked.get("offset", "0")), min(int(asked.get("limit", "10")), MAX_LIMIT)
        except ValueError:
            return failure(400, "Invalid query")

        def shown(rule: Rule | None) -> Answer:
            found = self.book.find(asked.get("external_id"), start, end)
            if rule is not None and rule.fault is Fault.DUPLICATE:
                found = [order for each in found for order in (each, each)]
            page = [_shown(order, rule) for order in found[offset : offset + limit]]
            return Answer(200, {"orders": page, "total_count": len(found)})

        return self._met(Endpoint.LIST, {"external_id": asked.get("external_id", "")}, shown)

    def _show_order(self, _: Request, order_id: str) -> Answer:
        def shown(rule: Rule | None) -> Answer:
            return Answer(200, {"order": _shown(self.book.order(order_id), rule)})

        return self._met(Endpoint.SHOW, {"external_id": self._external_id(order_id)}, shown)

    def _show_reward(self, _: Request, reward_id: str) -> Answer:
        order = self.book.holding(reward_id)
        return self._met(
            Endpoint.SHOW, _facts_of(order), lambda rule: Answer(200, {"reward": _shown(order, rule)["rewards"][0]})
        )

    def _generate_link(self, _: Request, reward_id: str) -> Answer:
        order = self.book.holding(reward_id)

        def linked(_: Rule | None) -> Answer:
            if order.status != "EXECUTED" or order.request["reward"]["delivery"]["method"] != "LINK":
                return failure(403, "A link can only be made for a delivered reward of method LINK")
            return Answer(200, {"reward": {"id": reward_id, "link": new_link(self._base_url)}})

        return self._met(Endpoint.LINK, _facts_of(order), linked)

    def _cancel_reward(self, _: Request, reward_id: str) -> Answer:
        def cancelled(_: Rule | None) -> Answer:
            try:
                return Answer(200, {"reward": self.book.cancel(reward_id).reward()})
            except NotCancelable as error:
                return failure(400, f"Reward cannot be canceled: {error}")

        return self._met(Endpoint.CANCEL, _facts_of(self.book.holding(reward_id)), cancelled)

    def _list_products(self, request: Request) -> Answer:
        currency = request.query.get("currency")
        shown = [each.document() for each in PRODUCTS.values() if currency in (None, each.currency)]
        return Answer(200, {"products": shown})

    def _list_funding_sources(self, _: Request) -> Answer:
        def shown(rule: Rule | None) -> Answer:
            cents = self.account.available_cents
            if rule is not None:
                cents = int(rule.wrong(Decimal(cents).scaleb(-2)).scaleb(2))
            source = {
                "id": FUNDING_SOURCE,
                "method": "balance",
                "status": "active",
                "usage_permissions": ["api_orders"],
                "meta": {"available_cents": cents, "pending_cents": 0},
            }
            return Answer(200, {"funding_sources": [source]})

        return self._met(Endpoint.BALANCE, NO_FACTS, shown)

    def _create_webhook(self, request: Request) -> Answer:
        url = parsed(request.body).get("url")
        try:
            self.webhooks.point_to(str(url))
        except BadUrl as error:
            return failure(400, str(error), {"url": "is not on the loopback interface"})
        return Answer(200, {"webhook": {"id": "WEBHOOK", "url": url, "private_key": self.webhooks.private_key}})

    def _external_id(self, order_id: str) -> str:
        named = [each for each in self.book.all() if order_id in (each.id, each.external_id)]
        return (named[-1].external_id or "") if named else ""

    def _changed(self, event: str, order: Order) -> None:
        kind, resource = ("rewards", order.reward_id) if event.startswith("REWARDS") else ("orders", order.id)
        self.webhooks.send(event, kind, resource, _facts_of(order))


_OF_THE_ORDER: Final = frozenset({
    Fault.OUT_OF_STOCK, Fault.DUPLICATE, Fault.DOUBLE_ORDER, Fault.WRONG_AMOUNT, Fault.PENDING, Fault.LATE_SUCCESS,
    Fault.LISTED_LATE,
})  # fmt: skip
"""Faults that a request's own handler knows; all others meet any request alike."""


def _struck(rule: Rule) -> Answer:
    status = rule.status
    answers = {
        Fault.HANG: Answer(None, delay=rule.delay),
        Fault.LOST_REPLY: Answer(None),
        Fault.REFUSE: failure(status or 400, INVALID_ORDER, {"reward": {"recipient": "was declined"}}),
        Fault.ERROR_500: failure(status or 500, "Unexpected error"),
        Fault.RATE_LIMIT: failure(status or 429, "Rate limit exceeded", headers={"Retry-After": str(int(rule.delay))}),
        Fault.HTML: Answer(status or 200, html="<html><body><h1>It works!</h1></body></html>"),
        Fault.NONSENSE: Answer(status or 200, {"order": {"id": 7, "rewards": "none"}, "orders": {}, "reward": []}),
    }
    return answers[rule.fault]


def _how(rule: Rule | None) -> Making:
    match rule and rule.fault:
        case Fault.PENDING if rule is not None:
            return Making(open_for=max(rule.settle_after, 1), seconds=rule.settle_seconds)
        case Fault.LATE_SUCCESS | Fault.LISTED_LATE if rule is not None:
            return Making(hidden_for=max(rule.settle_after, 1), seconds=rule.settle_seconds)
        case Fault.DOUBLE_ORDER:
            return Making(double=True)
        case _:
            return Making()


def _of_another_amount(order: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    value = order["reward"]["value"]
    wrong = {**value, "denomination": rule.wrong(Decimal(value["denomination"]))}
    return {**order, "reward": {**order["reward"], "value": wrong}}


def _shown(order: Order, rule: Rule | None) -> dict[str, Any]:
    lies = rule is not None and rule.fault is Fault.WRONG_AMOUNT
    return order.document(amount=rule.wrong(order.denomination) if rule is not None and lies else None)


def _facts_of(order: Order) -> dict[str, str]:
    return {**facts(order.request), "external_id": order.external_id or ""}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
