"""What each attempt at a posting needs, be it to one member or to two: the table, the moment, and the ways it can end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from loyalty.core.backoff import jitter
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
from loyalty.core.table import MOST_READS, RawItem, Table, TransactionRefused
from loyalty.ledger.draft import Draft, Posted, Refused, Write
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Entry, EntryKind, Scope

Key = tuple[str, str]
"""Partition and sort key of an item."""

_BACKOFF_BASE_SECONDS: Final = 0.01
_BACKOFF_CAP_SECONDS: Final = 0.3
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

    def __init__(self, table: Table, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._table = table
        self._clock = clock
        self._sleep = sleep

    def read(self, keys: Sequence[Key]) -> dict[Key, RawItem]:
        """The items that exist; of several, a part may be older than what another transaction wrote of the others."""
        if len(keys) > 1:
            return {key: raw for part in _parts(keys) for key, raw in self._table.get_many(part).items()}
        raw = self._table.read(*keys[0])
        return {} if raw is None else {keys[0]: raw}

    def together(self, keys: Sequence[Key]) -> dict[Key, RawItem]:
        """The items that exist, of one moment: of more than one read takes, those that were read first are read again.

        Raises:
            TransactionRefused: one of them is being written.
        """
        parts = list(_parts(keys))
        found = [self._table.get_together(part) for part in parts]
        if any(self._table.get_together(part) != one for part, one in zip(parts[:-1], found, strict=False)):
            raise TransactionRefused({}, ["changed between two reads"], contended=True)
        return {key: raw for one in found for key, raw in one.items()}

    def still(self, scope: Scope, seen: Mapping[tuple[str, str], RawItem | None]) -> bool:
        """Whether records, by member and sort key, are what was read of them before, and nobody is writing them."""
        by_key = {(partition(scope.program, member_id), sk): raw for (member_id, sk), raw in seen.items()}
        try:
            return all(
                by_key[key] == found.get(key)
                for part in _parts(list(by_key))
                for found in [self._table.get_together(part)]
                for key in part
            )
        except TransactionRefused:
            return False

    def pause(self, attempt: int) -> None:
        """Waits a little, for longer the more attempts there were."""
        self._sleep(jitter(attempt, base=_BACKOFF_BASE_SECONDS, cap=_BACKOFF_CAP_SECONDS))

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


def _parts(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """As many as one read takes, and so on."""
    return (keys[start : start + MOST_READS] for start in range(0, len(keys), MOST_READS))


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
