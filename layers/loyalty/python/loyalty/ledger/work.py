"""What each attempt at a posting needs, be it to one member or to two: the table, the moment, and the ways it can end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    LoyaltyError,
    MemberErased,
    MemberMerged,
    MemberNotFound,
    MemberRestricted,
    RecordChanged,
    WalletBusy,
)
from loyalty.core.table import RawItem, Table, TransactionRefused
from loyalty.ledger.draft import Draft, Posted, Refused, Write
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Entry, EntryKind, Scope

Key = tuple[str, str]
"""Partition and sort key of an item."""

_AFTER_ERASURE: Final = frozenset({EntryKind.REVERSAL, EntryKind.CANCELLATION})
_NOT_WHILE_RESTRICTED: Final = frozenset(
    {
        EntryKind.HOLD,
        EntryKind.ADJUSTMENT,
        EntryKind.TRANSFER_OUT,
        EntryKind.TRANSFER_IN,
        EntryKind.MERGE_OUT,
        EntryKind.MERGE_IN,
    }
)
"""What uses data anew. Purchases, their reversals, the ends of holds and what falls due are the contract's own course."""


class Work:
    """Reads and writes of one attempt."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def read(self, keys: Sequence[Key]) -> dict[Key, RawItem]:
        """The items that exist; of several, a part may be older than what another transaction wrote of the others."""
        if len(keys) > 1:
            return self._table.get_many(keys)
        raw = self._table.read(*keys[0])
        return {} if raw is None else {keys[0]: raw}

    def together(self, keys: Sequence[Key]) -> dict[Key, RawItem]:
        """The items that exist, of one moment.

        Raises:
            TransactionRefused: one of them is being written.
        """
        return self._table.get_together(keys)

    def commit(self, writes: Sequence[Write]) -> Refused | None:
        """All of them, or none; None where they were written."""
        try:
            self._table.write([write.operation for write in writes])
        except TransactionRefused as refusal:
            return Refused.of(writes, refusal)
        return None

    def now(self) -> datetime:
        """The moment in the precision in which it is stored."""
        return from_text(to_text(self._clock()))


def required(found: Mapping[Key, RawItem], scope: Scope, member_id: str) -> RawItem:
    """The stored book of the member.

    Raises:
        MemberNotFound: there is none.
    """
    raw = found.get((partition(scope.program, member_id), BOOK_SK))
    if raw is None:
        raise MemberNotFound.of(scope.program, member_id)
    return raw


def require_open(draft: Draft, kind: EntryKind) -> None:
    """Whether an entry of this kind can be posted to this book.

    Raises:
        MemberMerged: its member was merged into another.
        MemberErased: its member was erased; what was earned or spent before may be taken back.
        MemberRestricted: processing of the member's data is restricted.
    """
    if draft.book.merged_into is not None:
        raise MemberMerged(
            f"'{draft.book.member_id}' was merged into '{draft.book.merged_into}'; use that member.",
            member_id=draft.book.member_id,
            into=draft.book.merged_into,
        )
    if draft.book.erased_at is not None and kind not in _AFTER_ERASURE:
        raise MemberErased.of(draft.book.member_id)
    if draft.book.restricted_at is not None and kind in _NOT_WHILE_RESTRICTED:
        raise MemberRestricted.of(draft.book.member_id)


def replay(earlier: Entry, request_hash: str) -> Posted | LoyaltyError:
    """What was posted before under an identity: a result where it was the same request, else a named error."""
    if earlier.request_hash == request_hash:
        return Posted(earlier, replayed=True)
    return EntryExistsWithDifferentRequest(
        f"'{earlier.entry_id}' was posted before with another content. Send the first content again to get its "
        "result, or a new source_id for a new entry."
    )


def busy() -> WalletBusy:
    """Other writers got in first, every time."""
    return WalletBusy("This wallet has many writers at the moment; send the same request again.")


def record_changed() -> RecordChanged:
    """One of a decision's own operations does not hold."""
    return RecordChanged("A record that this depends on is not as it must be, and stays so; read it again.")
