"""Faults that a test switches on: which requests they meet, how often, and what then happens."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

DEFAULT_DELAY: Final = 30.0
"""Seconds, longer than any client of ours waits."""


class Fault(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"
    """Answer 400; nothing is ordered."""
    OUT_OF_STOCK = "out_of_stock"
    """Answer 400 and name the product; nothing is ordered."""
    ERROR_500 = "error_500"
    """Answer 500; nothing is ordered."""
    HANG = "hang"
    """Answer nothing, and close the connection after the delay; nothing is ordered."""
    LATE_AFTER_SUCCESS = "late_after_success"
    """Order, but answer only after the delay."""
    DUPLICATE = "duplicate"
    """Take the request twice, as if the network had: two orders, unless an ``external_id`` makes it one."""
    PENDING = "pending"
    """Answer 202; the order stays open for ``settle_after`` queries, then it is executed."""


class BadRule(ValueError):
    """A rule that a test sent is not one that the supplier knows."""


@dataclass
class Rule:
    """A fault and the orders that it meets.

    Args:
        fault: what goes wrong.
        match: patterns (``*``, ``?``) by field: ``external_id``, ``product``, ``email``, ``denomination``.
        times: how often it strikes before it is spent; None for always.
        delay: seconds, for the faults that wait.
        status: answers with this HTTP status instead of the fault's own.
        settle_after: queries that a pending order stays open for.
    """

    fault: Fault
    match: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    delay: float = DEFAULT_DELAY
    status: int | None = None
    settle_after: int = 1

    def document(self) -> dict[str, Any]:
        """The rule as the control endpoint shows it."""
        return {
            "fault": self.fault.value,
            "match": dict(self.match),
            "times": self.times,
            "delay": self.delay,
            "status": self.status,
            "settle_after": self.settle_after,
        }


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

    def strike(self, facts: Mapping[str, str]) -> Rule | None:
        """The first rule in force that these facts of an order meet; it is used up by one."""
        with self._lock:
            for rule in self._rules:
                if rule.times != 0 and all(fnmatchcase(facts.get(k, ""), v) for k, v in rule.match.items()):
                    rule.times = None if rule.times is None else rule.times - 1
                    return rule
        return None


def _rule(document: Any) -> Rule:
    known = {"fault", "match", "times", "delay", "status", "settle_after"}
    if not isinstance(document, Mapping) or "fault" not in document or set(document) - known:
        raise BadRule(f"a rule has a fault and any of {', '.join(sorted(known))}: {document!r}")
    try:
        return Rule(
            fault=Fault(document["fault"]),
            match={str(key): str(value) for key, value in document.get("match", {}).items()},
            times=None if document.get("times") is None else int(document["times"]),
            delay=float(document.get("delay", DEFAULT_DELAY)),
            status=None if document.get("status") is None else int(document["status"]),
            settle_after=int(document.get("settle_after", 1)),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise BadRule(f"{document!r}: {error}") from error
