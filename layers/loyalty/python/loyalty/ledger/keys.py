"""Where the ledger's items are: partitions, sort keys, shards of the indexes."""

import zlib
from typing import Final

from loyalty.ledger.model import EntryKey, EntryKind
from loyalty_contract import DUE_SHARDS, ENTRY_PREFIX, MEMBER_SHARDS

BOOK_SK: Final = "WALLET"
REVERSED_PREFIX: Final = "REVERSED#"
"""What reversals took back of one accrual, by its source and source id."""
LAPSED_PREFIX: Final = "LAPSED#"
"""What reversals took back of points that had expired, by wallet and lot."""
WAITING_PREFIX: Final = "WAITING#"
"""A reversal that came before its accrual, by its own source and source id."""
AWAITED_PREFIX: Final = "AWAITED#"
"""Which reversals wait for an accrual, by its source and source id."""
CAPS_PREFIX: Final = "CAPS#"
"""What caps count of a member in one day, week, month, year, or ever."""
LIMITS_SK: Final = "LIMITS"
"""What the limits of redemptions count of a member."""
BUDGET_PREFIX: Final = "B#"
"""Of a partition: one shard of what a campaign's budget has spent."""
ADJUSTMENT_PREFIX: Final = "ADJUSTMENT#"
"""An adjustment that somebody asked for, by its id."""
HOUSEHOLD_SK: Final = "HOUSEHOLD"
"""In a household's partition who is in it; in a member's the one that they are in."""


def partition(program: str, member_id: str) -> str:
    """The partition of a member: profile, book, entries, redemptions."""
    return f"M#{program}#{member_id}"


def parse_partition(pk: str) -> tuple[str, str]:
    """Program and member of :func:`partition`."""
    _, program, member_id = pk.split("#")
    return program, member_id


def entry_sk(key: EntryKey) -> str:
    """The sort key that makes an entry's identity unique within the member."""
    return f"{ENTRY_PREFIX}{key.kind}#{key.source}#{key.source_id}"


def parse_entry_sk(sk: str) -> EntryKey:
    """The identity of :func:`entry_sk`."""
    _, kind, source, source_id = sk.split("#", 3)
    return EntryKey(EntryKind(kind), source, source_id)


def parse_entry_id(entry_id: str) -> EntryKey:
    """The identity of an entry's one text: ``accrual:pos:R-1``.

    Raises:
        ValueError: it is none.
    """
    kind, source, source_id = entry_id.split(":", 2)
    return EntryKey(EntryKind(kind), source, source_id)


def due_shard(member_id: str) -> str:
    """The shard of the due index in which a member's book is."""
    return shard_name(zlib.crc32(member_id.encode()) % DUE_SHARDS)


def shard_name(number: int) -> str:
    """The key of a shard of the due index, from 0."""
    return f"DUE#book#{number:02}"


def member_shard(program: str, member_id: str) -> str:
    """The shard of the index of members in which a member's book is."""
    return member_shard_name(program, zlib.crc32(member_id.encode()) % MEMBER_SHARDS)


def member_shard_name(program: str, number: int) -> str:
    """The key of a shard of the index of members, from 0."""
    return f"{program}#{number:02}"
