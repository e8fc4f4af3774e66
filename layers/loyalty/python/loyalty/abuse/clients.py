"""What clients do too often: counted by client and window, in shards, until the window is long over.

::

    W#{program}#{client}#{signal}#{start of the window}   SHARD#{n}    a part of the count
                                                          SUSPECTED    written once, when the count reaches its bound

Windows follow each other from the start of the day, in UTC. A count is of one window, so that two halves of a burst may lie
in two of them: bounds for clients are for what goes on, not for the single request.
"""

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.attributes import MomentAttribute
from loyalty.core.clock import to_text
from loyalty.core.table import IntegerAttribute, Item, Put, Table, TransactionRefused, Update
from loyalty.programs.abuse import Abuse
from loyalty_contract import CLIENT_WATCH_PREFIX, SUSPECTED_SK, TTL_ATTRIBUTE

SHARDS: Final = 4
"""Of one count: a client's requests are many, and each is one write."""
_KEPT: Final = timedelta(days=3)


class ClientSignal(StrEnum):
    """Signs of abuse by a client."""

    REVEALS = "many_reveals"
    MEMBERS = "members_not_found"
    CODES = "codes_unknown"
    ENROLLMENTS = "already_enrolled"


@dataclass(frozen=True, slots=True)
class Window:
    """What is counted of a client from ``since`` (UTC) on, and from how many on it is suspicious."""

    program: str
    client_id: str
    signal: ClientSignal
    since: datetime
    minutes: int
    bound: int

    @property
    def pk(self) -> str:
        """The partition of the count."""
        return f"{CLIENT_WATCH_PREFIX}{self.program}#{self.client_id}#{self.signal}#{to_text(self.since)}"

    @property
    def expires_at(self) -> int:
        """When it may be deleted, as DynamoDB counts seconds."""
        return int((self.since + timedelta(minutes=self.minutes) + _KEPT).timestamp())


class CountItem(Item):
    """``SHARD#{n}``."""

    counted = IntegerAttribute()
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


class SuspectedItem(Item):
    """``SUSPECTED``: its writing is what the event ``client.suspected`` is made of."""

    program = UnicodeAttribute()
    client_id = UnicodeAttribute()
    signal = UnicodeAttribute()
    counted = IntegerAttribute()
    bound = IntegerAttribute()
    since = MomentAttribute()
    minutes = IntegerAttribute()
    at = MomentAttribute()
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


def window_of(rules: Abuse, program: str, client_id: str, signal: ClientSignal, at: datetime) -> Window:
    """The window of a moment."""
    misses = rules.misses_of_client
    minutes, bound = {
        ClientSignal.REVEALS: (rules.reveals_by_client.minutes, rules.reveals_by_client.count),
        ClientSignal.MEMBERS: (misses.minutes, misses.members),
        ClientSignal.CODES: (misses.minutes, misses.codes),
        ClientSignal.ENROLLMENTS: (misses.minutes, misses.enrollments),
    }[signal]
    moment = at.astimezone(UTC)
    day = datetime.combine(moment.date(), time(), UTC)
    windows = (moment - day) // timedelta(minutes=minutes)
    return Window(program, client_id, signal, day + windows * timedelta(minutes=minutes), minutes, bound)


def one_more(window: Window, reference: str) -> Update:
    """Counts one, as part of the transaction that makes it new: so it is counted once."""
    shard = zlib.crc32(reference.encode()) % SHARDS
    actions = [CountItem.counted.add(1), CountItem.expires_at.set(window.expires_at)]
    return Update(CountItem, window.pk, _shard_sk(shard), actions)


class ClientCounts:
    """Counts of clients, and who is suspected."""

    def __init__(self, table: Table, *, draw: Callable[[int], int] = random.randrange) -> None:
        """``draw`` chooses a shard of so many."""
        self._table = table
        self._draw = draw

    def miss(self, window: Window, now: datetime) -> bool:
        """Counts a miss, in one write; whether the client is suspected for it, now and not before.

        The other shards are read once this one has half of its part of the bound.
        """
        key = {"pk": {"S": window.pk}, "sk": {"S": _shard_sk(self._draw(SHARDS))}}
        answer = self._table.client.update_item(
            TableName=self._table.name,
            Key=key,
            UpdateExpression="ADD #counted :one SET #ttl = :ttl",
            ExpressionAttributeNames={"#counted": "counted", "#ttl": TTL_ATTRIBUTE},
            ExpressionAttributeValues={":one": {"N": "1"}, ":ttl": {"N": str(window.expires_at)}},
            ReturnValues="ALL_NEW",
        )
        here = int(answer["Attributes"]["counted"]["N"])
        return here * SHARDS * 2 >= window.bound and self.suspect(window, now)

    def counted(self, window: Window) -> int:
        """The whole count."""
        return sum(
            CountItem.from_raw_data(raw).counted
            for raw in self._table.query_all(window.pk, where=CountItem.sk.startswith("SHARD#"))
        )

    def suspect(self, window: Window, now: datetime) -> bool:
        """Writes down that the client is suspected, once its count has reached the bound; whether this call did."""
        counted = self.counted(window)
        if counted < window.bound:
            return False
        item = SuspectedItem(
            window.pk,
            SUSPECTED_SK,
            program=window.program,
            client_id=window.client_id,
            signal=window.signal.value,
            counted=counted,
            bound=window.bound,
            since=window.since,
            minutes=window.minutes,
            at=now,
            expires_at=window.expires_at,
        )
        try:
            self._table.write([Put(item, SuspectedItem.pk.does_not_exist())])
        except TransactionRefused:
            return False  # another call was first, or is at it
        return True


def _shard_sk(number: int) -> str:
    return f"SHARD#{number}"
