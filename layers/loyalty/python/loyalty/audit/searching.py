"""Which days of which scopes there are in the table, whatever the chains know of them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from loyalty.audit.links import SCOPES_PK
from loyalty.audit.store import parse_day
from loyalty.core.scanning import partitions
from loyalty.core.table import Table
from loyalty_contract import AUDIT_LINKS_PREFIX, AUDIT_PREFIX


@dataclass(slots=True)
class Searched:
    """Days by scope that have lines or links; and partitions that look like the trail's and are of no day."""

    days: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))
    foreign: list[str] = field(default_factory=list)


def search(table: Table) -> Searched:
    """Looks through all of the table; see :func:`loyalty.core.scanning.partitions` for what that costs."""
    found = Searched()
    for pk in sorted(partitions(table, AUDIT_PREFIX, AUDIT_LINKS_PREFIX)):
        place = parse_day(pk, AUDIT_PREFIX) or parse_day(pk, AUDIT_LINKS_PREFIX)
        if place is not None:
            found.days[place[0]].add(place[1])
        elif pk != SCOPES_PK:
            found.foreign.append(pk)
    return found
