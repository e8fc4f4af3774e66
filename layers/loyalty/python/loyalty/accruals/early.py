"""What was given back of an accrual before it came, taken back in the accrual's own transaction.

What waited is posted as if it came right after the accrual; what the accrual refuses stays, with the reason, for whoever
sent it to see. It never keeps the accrual itself from being posted.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from loyalty.accruals.errors import TooManyAwaitedReversals
from loyalty.accruals.model import Refund, refund_hash
from loyalty.accruals.reading import Seen
from loyalty.accruals.records import (
    Awaited,
    AwaitedItem,
    Waiting,
    awaited_delete,
    awaited_of,
    awaited_sk,
    reversed_put,
    waiting_delete,
    waiting_of,
    waiting_put,
    waiting_sk,
)
from loyalty.accruals.reversal import facts_of, reversal_key, taking
from loyalty.accruals.share import Original, Reversed, part_of
from loyalty.core.errors import EntryExistsWithDifferentRequest, LoyaltyError
from loyalty.core.table import Check, Operation
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting
from loyalty.ledger.keys import entry_sk, partition
from loyalty.ledger.model import Book, EntryKey, EntryKind

_MOST_LOOKED_UP: Final = 60
"""Entries that reversals may have become, looked for with one list and what is on it in one read."""


@dataclass(frozen=True, slots=True)
class Early:
    """The reversals that follow an accrual, and what becomes of their records."""

    postings: Sequence[Posting]
    operations: Sequence[Operation]
    settled: int
    """How many wait no more."""
    taken: Reversed
    """What they took back of it, all together."""


def early(seen: Seen, book: Book, original: Original, refunds: Sequence[Refund], *, now: datetime, room: int) -> Early:
    """Takes back ``refunds``, clamped, and then what waited, from the book as the accrual leaves it.

    ``room`` is how many operations there may be.

    Raises:
        TooManyAwaitedReversals: ``refunds`` do not fit into one transaction.
        LoyaltyError: one of ``refunds`` is refused.
    """
    sk = awaited_sk(original.key.source, original.key.source_id)
    # Where nothing waits for any accrual, the book says so, and is written only if it still does.
    lists = {home: awaited_of(seen.get(home, sk)) for home in (seen.homes(book) if book.awaiting else ())}
    waiting = _waiting(seen, original, lists)
    operations = [_nothing_waits(partition(book.program, home), sk, awaited) for home, awaited in lists.items()]
    taking_back = _TakingBack(book, original, now)
    # The record of what is taken back, one for each that waits, an entry for each that is posted.
    fit = (room - 1 - len(operations) - len(waiting)) // (1 + len(book.absorbed))
    if len(refunds) > fit:
        raise TooManyAwaitedReversals(f"{len(refunds)} refunds do not fit into one transaction with their purchase.")
    for refund in refunds:
        taking_back.take(refund, clamp=True)
    told = {refund.source_id: refund_hash(refund) for refund in refunds}
    for one in waiting:
        try:
            if told.get(one.refund.source_id) != one.request_hash:
                _require_new(seen, one, told, lists)
                if len(taking_back.postings) == fit:
                    raise _too_many()
                taking_back.take(one.refund, clamp=False)
                told[one.refund.source_id] = one.request_hash
            operations.append(waiting_delete(one))
        except LoyaltyError as refusal:
            operations.append(waiting_put(replace(one, code=refusal.code), one))
    if taking_back.postings:
        operations.append(reversed_put(book.program, original, Reversed(), taking_back.taken))
    return Early(taking_back.postings, operations, len(waiting), taking_back.taken)


class _TakingBack:
    """Reversals, one after the other."""

    def __init__(self, book: Book, original: Original, now: datetime) -> None:
        self._book = book
        self._original = original
        self._now = now
        self.taken = Reversed()
        self.postings: list[Posting] = []

    def take(self, refund: Refund, *, clamp: bool) -> None:
        part = part_of(self._original, self.taken, refund, clamp=clamp)
        movement = taking(self._book, self._original, part, {})
        self._book = movements.apply(self._book, movement, settled_to=self._now)
        self.taken = part.after
        decision = Decision(movement, facts_of(refund, self._original, part))
        self.postings.append(Posting(reversal_key(refund), refund_hash(refund), lambda _: decision))


def _waiting(seen: Seen, original: Original, lists: Mapping[str, Awaited]) -> list[Waiting]:
    """What waits for the accrual, whoever it was sent to, in the order in which it was given back."""
    source, waiting = original.key.source, list[Waiting]()
    ids = {source_id for awaited in lists.values() for source_id in awaited.refunds}
    entry_sks = [_entry_sk(source, source_id) for source_id in sorted(ids)[:_MOST_LOOKED_UP]]
    for home, awaited in lists.items():
        sks = [waiting_sk(source, source_id) for source_id in sorted(awaited.refunds)]
        if ids:
            seen.require(home, *sks, *entry_sks)
        found = [waiting_of(raw) for raw in (seen.get(home, sk) for sk in sks) if raw]
        if len(found) < len(sks) or any(one.refund.accrual_source_id != original.key.source_id for one in found):
            seen.read_again(home)  # the records of one read are not of one moment
        waiting += found
    return sorted(waiting, key=lambda one: (one.refund.occurred_at, one.refund.source_id))


def _require_new(seen: Seen, one: Waiting, told: Collection[str], homes: Iterable[str]) -> None:
    source_id, sk = one.refund.source_id, _entry_sk(one.refund.source, one.refund.source_id)
    if any((home, sk) not in seen.records for home in homes):
        raise _too_many()
    if source_id in told or any(seen.get(home, sk) is not None for home in homes):
        raise EntryExistsWithDifferentRequest(f"'{reversal_key(one.refund).entry_id}' was posted meanwhile.")


def _too_many() -> TooManyAwaitedReversals:
    return TooManyAwaitedReversals("Too many waited to be posted with the accrual; send it again.")


def _entry_sk(source: str, source_id: str) -> str:
    return entry_sk(EntryKey(EntryKind.REVERSAL, source, source_id))


def _nothing_waits(pk: str, sk: str, awaited: Awaited) -> Operation:
    if awaited.version:
        return awaited_delete(pk, sk, awaited)
    return Check(AwaitedItem, pk, sk, AwaitedItem.pk.does_not_exist())
