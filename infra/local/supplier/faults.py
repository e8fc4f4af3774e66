"""Faults that a test switches on: which requests they meet, how often, and what then happens."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

DEFAULT_DELAY: Final = 30.0
"""Seconds, longer than any client of ours waits."""


class Endpoint(StrEnum):
    """What a fault can meet."""

    ORDERS = "orders"
    """An order is asked for."""
    SHOW = "show"
    """One order or reward is shown."""
    LIST = "list"
    """Orders are listed, also those with one ``external_id``."""
    LINK = "link"
    """A new link is asked for."""
    CANCEL = "cancel"
    BALANCE = "balance"
    WEBHOOKS = "webhooks"
    """We post to the client."""


class Fault(StrEnum):
    """What goes wrong. Of those that answer, nothing is carried out unless the rule says ``after``."""

    REFUSE = "refuse"
    """Answer 400."""
    ERROR_500 = "error_500"
    """Answer 500."""
    RATE_LIMIT = "rate_limit"
    """Answer 429 with ``Retry-After``."""
    HTML = "html"
    """Answer 200 with a page, as a proxy does."""
    NONSENSE = "nonsense"
    """Answer 200 with JSON that is none of the API's."""
    HANG = "hang"
    """Answer nothing, and close the connection after the delay."""
    LOST_REPLY = "lost_reply"
    """Carry it out, then close the connection without an answer."""
    LATE_AFTER_SUCCESS = "late_after_success"
    """Carry it out, but answer only after the delay."""
    OUT_OF_STOCK = "out_of_stock"
    """Answer 400 and name the product; nothing is ordered."""
    DUPLICATE = "duplicate"
    """Orders: take the request twice, as if the network had; two orders, unless an ``external_id`` makes it one. Lists:
    show everything twice. Webhooks: deliver twice."""
    DOUBLE_ORDER = "double_order"
    """Make two orders, in spite of their one ``external_id``."""
    WRONG_AMOUNT = "wrong_amount"
    """Make, or show, an order or a balance of ``amount``, or of twice what it should be."""
    PENDING = "pending"
    """Answer 202; the order stays open for ``settle_after`` questions, or ``settle_seconds``, then it is executed."""
    LATE_SUCCESS = "late_success"
    """Answer 504 and make an order that appears only after ``settle_after`` questions, or ``settle_seconds``."""
    LISTED_LATE = "listed_late"
    """Make the order and answer as ever, but show it only after ``settle_after`` questions, or ``settle_seconds``."""
    WRONG_SIGNATURE = "wrong_signature"
    """Sign with another key."""


_ANY_REQUEST: Final = frozenset(Endpoint) - {Endpoint.WEBHOOKS}
_MEETS: Final[Mapping[Fault, frozenset[Endpoint]]] = {
    **dict.fromkeys(Fault, _ANY_REQUEST),
    Fault.OUT_OF_STOCK: frozenset({Endpoint.ORDERS}),
    Fault.DUPLICATE: frozenset({Endpoint.ORDERS, Endpoint.LIST, Endpoint.WEBHOOKS}),
    Fault.DOUBLE_ORDER: frozenset({Endpoint.ORDERS}),
    Fault.WRONG_AMOUNT: frozenset({Endpoint.ORDERS, Endpoint.SHOW, Endpoint.LIST, Endpoint.BALANCE}),
    Fault.PENDING: frozenset({Endpoint.ORDERS}),
    Fault.LATE_SUCCESS: frozenset({Endpoint.ORDERS}),
    Fault.LISTED_LATE: frozenset({Endpoint.ORDERS}),
    Fault.WRONG_SIGNATURE: frozenset({Endpoint.WEBHOOKS}),
}
ALWAYS_AFTER: Final = frozenset({Fault.LOST_REPLY, Fault.LATE_AFTER_SUCCESS})


class BadRule(ValueError):
    """A rule that a test sent is not one that the supplier knows."""


@dataclass
class Rule:
    """A fault and the requests that it meets.

    Args:
        fault: what goes wrong.
        endpoint: where.
        match: patterns (``*``, ``?``) by field: ``external_id``, ``product``, ``email``, ``denomination``, ``event``.
        times: how often it strikes before it is spent; None for always.
        delay: seconds, for the faults that wait; of ``Retry-After``, for the one that asks for peace.
        status: answers with this HTTP status instead of the fault's own.
        settle_after: questions that a pending order stays open for, or a late one hidden.
        settle_seconds: the same in seconds, whatever is asked; for one that is hidden, by the clock of the orders.
        amount: the wrong one, in the order's own currency.
        after: the request is carried out first.
    """

    fault: Fault
    endpoint: Endpoint = Endpoint.ORDERS
    match: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    delay: float = DEFAULT_DELAY
    status: int | None = None
    settle_after: int = 1
    settle_seconds: float | None = None
    amount: Decimal | None = None
    after: bool = False

    def __post_init__(self) -> None:
        if self.endpoint not in _MEETS[self.fault]:
            raise BadRule(f"'{self.fault}' does not meet '{self.endpoint}'")
        self.after = self.after or self.fault in ALWAYS_AFTER

    def document(self) -> dict[str, Any]:
        """The rule as the control endpoint shows it."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"match": dict(self.match)}

    def wrong(self, right: Decimal) -> Decimal:
        """The amount to show instead of the right one."""
        return right * 2 if self.amount is None else self.amount


class Faults:
    """The rules in force. Safe to use from several threads."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def replace(self, documents: Any) -> None:
        """Put these rules in force instead of the present ones.

        Raises:
            BadRule: a document is no rule; nothing changes.
        """
        if not isinstance(documents, Sequence) or isinstance(documents, str):
            raise BadRule("expected a list of rules")
        rules = [_rule(document) for document in documents]
        with self._lock:
            self._rules = rules

    def documents(self) -> list[dict[str, Any]]:
        """The rules in force, with the strikes that each has left."""
        with self._lock:
            return [rule.document() for rule in self._rules]

    def strike(self, endpoint: Endpoint, facts: Mapping[str, str]) -> Rule | None:
        """The first rule in force that these facts of a request meet; it is used up by one."""
        with self._lock:
            for rule in self._rules:
                meets = rule.endpoint is endpoint and rule.times != 0
                if meets and all(fnmatchcase(facts.get(k, ""), v) for k, v in rule.match.items()):
                    rule.times = None if rule.times is None else rule.times - 1
                    return rule
        return None


def _rule(document: Any) -> Rule:
    known = {each.name for each in fields(Rule)}
    if not isinstance(document, Mapping) or "fault" not in document or set(document) - known:
        raise BadRule(f"a rule has a fault and any of {', '.join(sorted(known))}: {document!r}")
    given = {name: value for name, value in document.items() if value is not None}
    try:
        read = {name: _FIELDS[name](value) for name, value in given.items()}
        return Rule(**read)
    except BadRule:
        raise
    except (AttributeError, TypeError, ValueError, InvalidOperation) as error:
        raise BadRule(f"{document!r}: {error}") from error


_FIELDS: Final[Mapping[str, Any]] = {
    "fault": Fault,
    "endpoint": Endpoint,
    "match": lambda patterns: {str(key): str(value) for key, value in patterns.items()},
    "times": int,
    "delay": float,
    "status": int,
    "settle_after": int,
    "settle_seconds": float,
    "amount": lambda amount: Decimal(str(amount)),
    "after": bool,
}
