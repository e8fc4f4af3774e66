"""What a payment reads and writes beside the two entries and the referral: whose books they are, and the referrer's count.

::

    M#{program}#{referrer}   REFERRALS   how many of theirs were rewarded, and how many of those were taken back

The count is written with the entries, so that it is exact. Of who absorbed others theirs count too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loyalty.core.errors import MemberNotFound
from loyalty.core.table import Check, IntegerAttribute, Item, Operation, Put, RawItem, Table
from loyalty.ledger.items import book_of
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book
from loyalty.ledger.store import LedgerStore
from loyalty_contract import REFERRALS_SK


class ReferralsItem(Item):
    """``M#{program}#{referrer}`` / ``REFERRALS``."""

    rewarded = IntegerAttribute()
    reversed = IntegerAttribute()


@dataclass(frozen=True, slots=True)
class Count:
    """Of one member: referrals that were rewarded, and those of them that were taken back."""

    rewarded: int = 0
    reversed: int = 0


@dataclass(frozen=True, slots=True)
class Sides:
    """The books to which a referral is paid, and what is counted of the referrer, by member."""

    referrer: Book
    friend: Book
    counts: Mapping[str, Count | None]

    @property
    def counted(self) -> int:
        """Referrals of the referrer that were rewarded and not taken back."""
        return sum(one.rewarded - one.reversed for one in self.counts.values() if one is not None)

    def unchanged(self, program: str, *, but: str) -> Iterator[Check]:
        """Checks that the counts are as they were read, but for that of one member, which is written."""
        for member_id, count in self.counts.items():
            if count is not None and member_id != but:
                condition = (ReferralsItem.rewarded == count.rewarded) & (ReferralsItem.reversed == count.reversed)
                yield Check(ReferralsItem, partition(program, member_id), REFERRALS_SK, condition)


class PaymentStore:
    """Reads of a payment."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._books = LedgerStore(table)

    def sides(self, program: str, referrer: str, friend: str) -> Sides:
        """The books of both, or of whom they were merged into: one round trip, more where somebody was merged.

        Counts of members who were merged are read after the book that says so: nothing is rewarded to those any more.

        Raises:
            MemberNotFound: one of them has no book.
        """
        keys = [(partition(program, one), BOOK_SK) for one in (referrer, friend)]
        counted = partition(program, referrer), REFERRALS_SK
        found = self._table.get_many([*dict.fromkeys(keys), counted])
        books = [
            self._survivor(program, one, found.get(key)) for one, key in zip((referrer, friend), keys, strict=True)
        ]
        family = [books[0].member_id, *books[0].absorbed]
        if family != [referrer]:
            found = self._table.get_many([(partition(program, one), REFERRALS_SK) for one in family])
        counts = {one: count_of(found.get((partition(program, one), REFERRALS_SK))) for one in family}
        return Sides(books[0], books[1], counts)

    def count(self, program: str, member_id: str) -> Count | None:
        """What is counted of one member alone; None: nothing was ever rewarded to them."""
        return count_of(self._table.read(partition(program, member_id), REFERRALS_SK))

    def _survivor(self, program: str, member_id: str, raw: RawItem | None) -> Book:
        book = None if raw is None else book_of(raw)
        while book is not None and book.merged_into is not None:
            book = self._books.book(program, book.merged_into)
        if book is None:
            raise MemberNotFound.of(program, member_id)
        return book


def count_of(raw: RawItem | None) -> Count | None:
    """The count that a stored item holds."""
    if raw is None:
        return None
    item = ReferralsItem.from_raw_data(raw)
    return Count(item.rewarded, item.reversed)


def count_put(program: str, member_id: str, before: Count | None, after: Count) -> Operation:
    """Writes a count, if it is still as it was read."""
    item = ReferralsItem(partition(program, member_id), REFERRALS_SK, rewarded=after.rewarded, reversed=after.reversed)
    if before is None:
        return Put(item, ReferralsItem.pk.does_not_exist())
    return Put(item, (ReferralsItem.rewarded == before.rewarded) & (ReferralsItem.reversed == before.reversed))
