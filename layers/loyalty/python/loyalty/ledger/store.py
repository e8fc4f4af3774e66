"""Reads of books and entries. The only place that reads the table for the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from loyalty.core.clock import to_text
from loyalty.core.errors import MemberErased
from loyalty.core.ids import is_household
from loyalty.core.table import RawItem, Table
from loyalty.ledger.items import EntryItem, book_of, entry_of
from loyalty.ledger.keys import (
    BOOK_SK,
    entry_sk,
    member_shard,
    member_shard_name,
    parse_partition,
    partition,
    shard_name,
)
from loyalty.ledger.model import Book, Entry, EntryKey
from loyalty_contract import DUE_AT, ENTRY_INDEX, MEMBER_INDEX_KEY, PARTITION_KEY, SORT_KEY


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries, newest first, and the ``seq`` below which the next page starts (None after the last)."""

    entries: list[Entry]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class DueBook:
    """What the due index has of a book: its partition, and when something in it falls due, as they are stored."""

    pk: str
    due_at: str


@dataclass(frozen=True, slots=True)
class DuePage:
    """Books in which something fell due, the longest due first, and where the next page starts (None: nowhere)."""

    books: list[DueBook]
    next: RawItem | None


@dataclass(frozen=True, slots=True)
class ListedMember:
    """What the index of members has of one: the tiers of all ladders, as they were last written."""

    member_id: str
    tiers: frozenset[str]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members in the order of their ids, and behind whom the next page starts (None: nobody comes after them)."""

    members: list[ListedMember]
    next_after: str | None


class LedgerStore:
    """Reads of the ledger; it is written by :class:`loyalty.ledger.service.Ledger` alone."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def book(self, program: str, member_id: str) -> Book | None:
        """One consistent read of one item, whatever the history. As it was last written: see ``settlement.as_of``."""
        raw = self._table.read(partition(program, member_id), BOOK_SK)
        return None if raw is None else book_of(raw)

    def current(self, program: str, member_id: str) -> Book | None:
        """The member's book, or that of whom they were merged into: one more read for each merge.

        Raises:
            MemberErased: whoever that is was erased.
        """
        book = self._survivor(program, member_id)
        if book is not None and book.erased_at is not None:
            raise MemberErased.of(member_id)
        return book

    def _survivor(self, program: str, member_id: str) -> Book | None:
        book = self.book(program, member_id)
        while book is not None and book.merged_into is not None:
            book = self.book(program, book.merged_into)
        return book

    def record(self, program: str, member_id: str, sk: str) -> RawItem | None:
        """What is kept under a sort key for the member, for whom they were merged into, or for whom that one absorbed.

        Of who was erased too: what they redeemed can still be cancelled. One read, two more where the member's own partition does not have it.
        """
        own = self._table.read(partition(program, member_id), sk)
        if own is not None:
            return own
        book = self._survivor(program, member_id)
        others = [] if book is None else [one for one in (book.member_id, *book.absorbed) if one != member_id]
        found = self._table.get_many([(partition(program, one), sk) for one in others])
        return next(iter(found.values()), None)

    def shown(self, program: str, member_id: str, sk: str) -> RawItem | None:
        """As :meth:`record`, for who shows it: one round trip, and more where the member's own partition does not have it.

        Raises:
            MemberErased: of who was erased nothing is shown any more.
        """
        pk = partition(program, member_id)
        found = self._table.get_many([(pk, sk), (pk, BOOK_SK)])
        book = book_of(found[pk, BOOK_SK]) if (pk, BOOK_SK) in found else None
        if book is not None and (book.erased_at is not None or book.merged_into is not None):
            self.current(program, member_id)
        return found.get((pk, sk)) or self.record(program, member_id, sk)

    def entry(self, program: str, member_id: str, key: EntryKey) -> Entry | None:
        """The entry of that identity, or None."""
        raw = self._table.read(partition(program, member_id), entry_sk(key))
        return None if raw is None else entry_of(raw)

    def entries(self, program: str, member_id: str, *, limit: int, before: int | None = None) -> EntryPage:
        """The statement, newest first: at most ``limit`` entries with ``seq`` below ``before``."""
        page = self._table.query(
            partition(program, member_id),
            where=None if before is None else EntryItem.seq < before,
            index=ENTRY_INDEX,
            newest_first=True,
            limit=limit,
        )
        entries = [entry_of(raw) for raw in page.items]
        return EntryPage(entries, entries[-1].seq if page.last_key and entries and entries[-1].seq > 1 else None)

    def due(self, shard: int, now: datetime, *, limit: int, start: RawItem | None = None) -> DuePage:
        """A page of the books in which something fell due by ``now``.

        Eventually consistent: a book may be named that was settled a moment ago, or be missing for a moment.
        """
        page = self._table.due_page(shard_name(shard), to_text(now), limit=limit, start=start)
        return DuePage([DueBook(raw[PARTITION_KEY]["S"], raw[DUE_AT]["S"]) for raw in page.items], page.last_key)

    def members(self, program: str, shard: int, *, limit: int, after: str | None = None) -> MemberPage:
        """A page of the members in a shard of the index, those behind the id ``after``. Households are none.

        Eventually consistent: who enrolled a moment ago may be missing, who was merged a moment ago be named. Books
        from before there was this index are in it from their next posting on, or by :meth:`list_member`.
        """
        start = partition(program, after or "")
        page = self._table.member_page(member_shard_name(program, shard), after=start, limit=limit)
        members = [_listed(raw) for raw in page.items]
        return MemberPage(members, members[-1].member_id if page.last_key and members else None)

    def partitions(self, program: str) -> Iterator[str]:
        """Those of all members and households of a program; reads the whole table."""
        for raw in self._raw_books(program):
            yield raw[PARTITION_KEY]["S"]

    def unlisted(self, program: str) -> Iterator[str]:
        """Ids of members whose books are from before there was an index of members; reads the whole table."""
        for raw in self._raw_books(program):
            _, member_id = parse_partition(raw[PARTITION_KEY]["S"])
            if not is_household(member_id) and not raw.keys() & {MEMBER_INDEX_KEY, "merged_into", "erased_at"}:
                yield member_id

    def _raw_books(self, program: str) -> Iterator[RawItem]:
        mine = partition(program, "")
        for raw in self._table.scan():
            if raw[SORT_KEY]["S"] == BOOK_SK and raw[PARTITION_KEY]["S"].startswith(mine):
                yield raw

    def list_member(self, program: str, member_id: str) -> bool:
        """Puts a book from before there was an index of members into it; False where it is there or is no member's."""
        if is_household(member_id):
            return False
        shard, unless = member_shard(program, member_id), (MEMBER_INDEX_KEY, "merged_into", "erased_at")
        return self._table.mark(partition(program, member_id), BOOK_SK, MEMBER_INDEX_KEY, shard, unless=unless)


def _listed(raw: RawItem) -> ListedMember:
    standings = raw.get("standings", {}).get("M", {}).values()
    tiers = [raw.get("tier"), *(standing["M"].get("tier") for standing in standings)]
    return ListedMember(parse_partition(raw[PARTITION_KEY]["S"])[1], frozenset(tier["S"] for tier in tiers if tier))
