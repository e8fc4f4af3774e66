"""Lines of the audit trail as people read them: by day, newest or oldest first, of an actor or on a target."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from loyalty.audit.store import LINE_PREFIX, LineItem, trail
from loyalty.core.table import RawItem, Table


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines; None: whichever. ``actor`` is a person or whose credentials it were, ``target`` how the path begins."""

    actor: str | None = None
    target: str | None = None
    action: str | None = None

    def takes(self, item: LineItem) -> bool:
        """Whether the line is one of them."""
        actor = self.actor is None or self.actor in {item.actor, item.by}
        target = self.target is None or (item.target or "").startswith(self.target)
        return actor and target and (self.action is None or item.action == self.action)


@dataclass(frozen=True, slots=True)
class LinePage:
    """Lines of a day in the order of their moments, and the key behind which the next page starts (None after the last)."""

    lines: list[dict[str, Any]]
    next_after: str | None


def page_of(table: Table, scope: str, day: date, sought: Sought, *, limit: int, after: str | None = None) -> LinePage:
    """Up to ``limit`` lines of a day that are sought, behind the line with the sort key ``after``."""
    found: list[dict[str, Any]] = []
    for raw in _behind(table, scope, day, after):
        item = LineItem.from_raw_data(raw)
        if not sought.takes(item):
            continue
        if len(found) == limit:
            return LinePage(found, str(found[-1]["line"]))
        found.append(shown(item))
    return LinePage(found, None)


def shown(item: LineItem) -> dict[str, Any]:
    """A line as one document."""
    return {
        "line": item.sk,
        "at": item.at,
        "action": item.action,
        "target": item.target,
        "actor": item.actor,
        "by": item.by,
        "address": item.address,
        "request_id": item.request_id,
        "before": json.loads(item.before) if item.before else {},
        "after": json.loads(item.after) if item.after else {},
    }


def _behind(table: Table, scope: str, day: date, after: str | None) -> Iterator[RawItem]:
    # '!' sorts before whatever a key goes on with, so that the line itself is not on the page; ':' behind every digit.
    first = f"{after}!" if after else LINE_PREFIX
    yield from table.query_all(trail(scope, day), where=LineItem.sk.between(first, f"{LINE_PREFIX}:"))
