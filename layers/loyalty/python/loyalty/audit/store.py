"""The audit trail in the table.

::

    A#{scope}#{day}   LINE#{at}#{random}   one action; never changed, never deleted
"""

import json
import secrets
from datetime import date
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.audit.model import Line
from loyalty.core.clock import to_text
from loyalty.core.table import Item, Put, Table
from loyalty_contract import AUDIT_LINE_PREFIX, AUDIT_PREFIX

LINE_PREFIX: Final = AUDIT_LINE_PREFIX


class LineItem(Item):
    """``A#{scope}#{day}`` / ``LINE#{at}#{random}``; ``before`` and ``after`` as JSON."""

    action = UnicodeAttribute()
    target = UnicodeAttribute()
    at = UnicodeAttribute()
    actor = UnicodeAttribute(null=True)
    by = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)
    request_id = UnicodeAttribute(null=True)
    before = UnicodeAttribute(null=True)
    after = UnicodeAttribute(null=True)


def trail(scope: str, day: date) -> str:
    """The partition of a scope's day, in UTC."""
    return f"{AUDIT_PREFIX}{scope}#{day.isoformat()}"


def parse_trail(pk: str) -> tuple[str, date] | None:
    """The scope and day of a partition of the trail; None: it is none."""
    return parse_day(pk, AUDIT_PREFIX)


def parse_day(pk: str, prefix: str) -> tuple[str, date] | None:
    """The scope and day of a partition that begins with ``prefix``; None: it is of no day."""
    scope, _, day = pk.removeprefix(prefix).rpartition("#")
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        return None
    # Other spellings of a day are of other partitions, whose lines must not come into this one's chain.
    return (scope, parsed) if pk.startswith(prefix) and scope and parsed.isoformat() == day else None


def line_put(line: Line) -> Put:
    """What writes the line; it belongs into the transaction that does the action."""
    at = to_text(line.at)
    item = LineItem(
        trail(line.scope, line.at.date()),
        f"{LINE_PREFIX}{at}#{secrets.token_hex(8)}",
        action=line.action,
        target=line.target,
        at=at,
        actor=line.actor,
        by=line.origin.by,
        address=line.origin.address,
        request_id=line.origin.request_id,
        before=_text(line.before),
        after=_text(line.after),
    )
    return Put(item, LineItem.pk.does_not_exist())


class Trail:
    """Writes lines of what changes nothing else in the table, before it is done."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(self, line: Line) -> None:
        """Writes a line by itself."""
        self._table.write([line_put(line)])


def _text(facts: object) -> str | None:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")) if facts else None
