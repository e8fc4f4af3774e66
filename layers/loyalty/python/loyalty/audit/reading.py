"""Lines of the audit trail as people read them: of some days, the oldest first, of an actor or on a target."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from loyalty.audit.store import LINE_PREFIX, LineItem, trail
from loyalty.core.four_eyes import person_actor, same_hands
from loyalty.core.table import RawItem, Table


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines; None: whichever. ``target`` is how the path begins, ``actor`` a person or whose credentials it were.

    Some acts name a person by their id alone, others as ``person:`` and the id: either finds both.
    """

    actor: str | None = None
    target: str | None = None
    action: str | None = None

    def takes(self, item: LineItem) -> bool:
        """Whether the line is one of them."""
        actor = self.actor is None or same_hands(_names(self.actor), [item.actor, item.by])
        target = self.target is None or (item.target or "").startswith(self.target)
        return actor and target and (self.action is None or item.action == self.action)


@dataclass(frozen=True, slots=True)
class LinePage:
    """Lines in the order of their moments, and the key behind which the next page starts (None after the last)."""

    lines: list[dict[str, Any]]
    next_after: str | None


def page_of(
    table: Table, scope: str, days: tuple[date, date], sought: Sought, *, limit: int, after: str | None = None
) -> LinePage:
    """Up to ``limit`` lines that are sought, of the days (UTC) from the first through the last.

    ``after`` is the sort key of the line behind which to go on, of which :func:`day_of` knows the day.
    """
    found: list[dict[str, Any]] = []
    for raw in _behind(table, scope, days, after):
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


def _names(actor: str) -> list[str]:
    person = actor.removeprefix(person_actor(""))
    return [person, person_actor(person)]


def day_of(line: str) -> date | None:
    """The day (UTC) of a line's sort key; None: it is none."""
    try:
        return date.fromisoformat(line[len(LINE_PREFIX) :][:10]) if line.startswith(LINE_PREFIX) else None
    except ValueError:
        return None


def _behind(table: Table, scope: str, days: tuple[date, date], after: str | None) -> Iterator[RawItem]:
    day, last = days
    seen = day_of(after) if after else None
    day = max(day, seen) if seen else day
    while day <= last:
        # '!' sorts before whatever a key goes on with, so that the line itself is not on the page; ':' behind every digit.
        first = f"{after}!" if day == seen else LINE_PREFIX
        yield from table.query_all(trail(scope, day), where=LineItem.sk.between(first, f"{LINE_PREFIX}:"))
        day += timedelta(days=1)
