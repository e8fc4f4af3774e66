"""What the table's stream tells of the audit trail: new lines are linked, and whatever else happens to one is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from loyalty.audit.links import ChainStore
from loyalty.audit.store import parse_trail
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem


@dataclass(slots=True)
class Linked:
    """What became of a batch.

    ``again_from``: the sequence number of the first record that has to come again. ``touched``: what was changed or removed
    though it is for ever, as its key. ``unreadable``: keys of lines whose partition is none of the trail's.
    """

    links: int = 0
    again_from: str | None = None
    error: str | None = None
    touched: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def link_records(chains: ChainStore, records: Iterable[Mapping[str, Any]]) -> Linked:
    """Links the lines of a batch, day by day, in their order. A line that comes again is linked once."""
    done = Linked()
    days: dict[tuple[str, date], list[tuple[str, RawItem]]] = {}
    for record in records:
        change = record["dynamodb"]
        key = "/".join(change["Keys"][name]["S"] for name in ("pk", "sk"))
        place = parse_trail(change["Keys"]["pk"]["S"])
        if record["eventName"] != "INSERT":
            done.touched.append(key)
        elif place is None:
            done.unreadable.append(key)
        else:
            days.setdefault(place, []).append((change["SequenceNumber"], change["NewImage"]))
    failed: list[str] = []
    for (scope, day), lines in days.items():
        try:
            done.links += chains.link(scope, day, [image for _, image in lines])
        except (LoyaltyError, BotoCoreError, ClientError, PynamoDBException) as error:
            done.error = type(error).__name__
            failed.append(lines[0][0])
    done.again_from = min(failed, key=int, default=None)
    return done
