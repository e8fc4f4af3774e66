"""What the table says of who was brought: reads, and nothing else.

::

    the book, what qualified, what was taken back of it      1 round trip
        it still counts, or was rewarded for  → that is all
    entries since the claim, the newest first                1 for each 50, 20 at most
    what was taken back of those that may count              1 for each 100
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from loyalty.accruals.records import reversed_check, reversed_of, reversed_sk
from loyalty.accruals.share import Original, left_of
from loyalty.attribution.model import Referral, ReferralStatus
from loyalty.attribution.store import due_shard
from loyalty.core.clock import to_text
from loyalty.core.table import MOST_READS, Operation, RawItem, Table
from loyalty.ledger.items import book_of, entry_of
from loyalty.ledger.keys import BOOK_SK, entry_sk, parse_entry_id, partition
from loyalty.ledger.model import Entry, EntryKind
from loyalty.ledger.store import DueBook, DuePage, LedgerStore
from loyalty.programs.referrals import Referrals
from loyalty.referrals.steps import Counted, Facts, counts
from loyalty_contract import DUE_AT, PARTITION_KEY, REFERRAL_SK

PAGE: Final = 50
MOST_PAGES: Final = 20
"""With these, the last thousand entries of somebody are looked through. Each is looked at when it is new, too."""


class Looker:
    """Reads what decides about referrals, from the partition of who was brought: what they did is there, merged or not."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._ledger = LedgerStore(table)

    def facts(self, referral: Referral, terms: Referrals) -> Facts:
        """As of now: what was rewarded for, or all that may qualify."""
        pk = partition(referral.program, referral.member_id)
        entry = _entry_sks(referral)
        found = self._table.get_many([(pk, sk) for sk in (BOOK_SK, *entry)])
        raw = found.get((pk, BOOK_SK))
        book = None if raw is None else book_of(raw)
        merged, erased = book is not None and book.merged_into is not None, book is not None and bool(book.erased_at)
        known = [_counted(entry_of(found[pk, entry[0]]), found.get((pk, entry[1])))] if entry else []
        if referral.status is ReferralStatus.REWARDED or any(counts(one, referral, terms) for one in known):
            return Facts(known, merged, erased)
        return Facts(list(self._since(referral, terms)), merged, erased)

    def still(self, referral: Referral, facts: Facts) -> list[Operation]:
        """That as much is taken back of what qualified as ``facts`` say: part of a transaction that depends on it."""
        one = None if referral.qualified is None else facts.of(referral.qualified.entry_id)
        if one is None:
            raise AssertionError("what is paid for is what was looked at")
        key = parse_entry_id(one.entry_id)
        return [reversed_check(referral.program, referral.member_id, key, one.taken_back)]

    def family(self, program: str, member_id: str) -> list[str]:
        """The member, and those whom they absorbed: who of them was brought by somebody. One read, two where some were absorbed."""
        book_key, own_key = (partition(program, member_id), BOOK_SK), (partition(program, member_id), REFERRAL_SK)
        found = self._table.get_many([book_key, own_key])
        absorbed = book_of(found[book_key]).absorbed if book_key in found else ()
        for start in range(0, len(absorbed), MOST_READS):
            some = absorbed[start : start + MOST_READS]
            found |= self._table.get_many([(partition(program, one), REFERRAL_SK) for one in some])
        return [one for one in (member_id, *absorbed) if (partition(program, one), REFERRAL_SK) in found]

    def due(self, shard: int, until: datetime, *, limit: int, start: RawItem | None = None) -> DuePage:
        """A page of a shard's referrals that want to be looked at by ``until``, the longest due first.

        Eventually consistent: one may be named that was looked at a moment ago, or be missing for a moment.
        """
        page = self._table.due_page(due_shard(shard), f"{to_text(until)}~", limit=limit, start=start)
        return DuePage(
            [DueBook(raw[PARTITION_KEY]["S"], raw[DUE_AT]["S"].split("#")[0]) for raw in page.items], page.last_key
        )

    def _since(self, referral: Referral, terms: Referrals) -> Iterator[Counted]:
        """What may qualify, the first posted first; until the first that does."""
        pk = partition(referral.program, referral.member_id)
        newest = [one for one in self._entries(referral) if counts(_counted(one, None), referral, terms)]
        entries = newest[::-1]
        for start in range(0, len(entries), MOST_READS):
            some = entries[start : start + MOST_READS]
            sks = [reversed_sk(one.key.source, one.key.source_id) for one in some]
            found = self._table.get_many([(pk, sk) for sk in sks])
            for one, sk in zip(some, sks, strict=True):
                yield (counted := _counted(one, found.get((pk, sk))))
                if counts(counted, referral, terms):
                    return

    def _entries(self, referral: Referral) -> Iterator[Entry]:
        """Accruals since the claim, the newest first."""
        before: int | None = None
        for _ in range(MOST_PAGES):
            page = self._ledger.entries(referral.program, referral.member_id, limit=PAGE, before=before)
            for entry in page.entries:
                if entry.posted_at < referral.claimed_at:
                    return
                if entry.key.kind is EntryKind.ACCRUAL:
                    yield entry
            if page.next_before is None:
                return
            before = page.next_before


def _entry_sks(referral: Referral) -> Sequence[str]:
    """Where what qualified is, and what was taken back of it."""
    if referral.qualified is None:
        return ()
    key = parse_entry_id(referral.qualified.entry_id)
    return entry_sk(key), reversed_sk(key.source, key.source_id)


def _counted(entry: Entry, taken_back: RawItem | None) -> Counted:
    before = reversed_of(taken_back)
    return Counted(
        entry_id=entry.entry_id,
        activity=entry.facts.activity,
        left=left_of(Original.of(entry), before),
        taken_back=before,
        occurred_at=entry.facts.occurred_at,
        posted_at=entry.posted_at,
    )
