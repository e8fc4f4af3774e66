"""Households in the table.

::

    M#{program}#{household}   HOUSEHOLD   who is in it
    M#{program}#{household}   WALLET      the pool's book, like a member's; its entries are beside it
    M#{program}#{member}      HOUSEHOLD   the one household that a member is in
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.core.clock import from_text, to_text
from loyalty.core.table import Check, Delete, IntegerAttribute, Item, Operation, Put, RawItem, Table, TextMapAttribute
from loyalty.households.model import Household
from loyalty.ledger.items import BookItem, book_of, new_book_put
from loyalty.ledger.keys import BOOK_SK, HOUSEHOLD_SK, parse_partition, partition
from loyalty.ledger.model import Book


class HouseholdItem(Item):
    """``members`` maps each member to since when they are in it."""

    version = IntegerAttribute()
    head = UnicodeAttribute()
    members = TextMapAttribute()
    created_at = UnicodeAttribute()
    closed_at = UnicodeAttribute(null=True)


class MembershipItem(Item):
    """The household that a member is in. Its key makes it one at a time."""

    household_id = UnicodeAttribute()
    joined_at = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Pool:
    """A household and its book, as they were last written."""

    household: Household
    book: Book


@dataclass(frozen=True, slots=True)
class Joining:
    """What decides whether a member may join: the household with its book, the member's, where they are already."""

    pool: Pool | None
    book: Book | None
    present: str | None


class HouseholdStore:
    """Households and who is in them. Points move by the ledger alone."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, household: Household, tier: str) -> None:
        """Writes a new household, its empty book, and its head's membership.

        Raises:
            TransactionRefused: at 0 there is a household of that id, at 2 the head is in one, at 3 the head's book (if
                any) is of a member who was merged.
        """
        program, household_id, now = household.program, household.household_id, household.created_at
        self._table.write(
            [
                Put(_item_of(household), HouseholdItem.pk.does_not_exist()),
                new_book_put(program, household_id, tier, now),
                _membership_put(household, household.head),
                open_book(program, household.head),
            ]
        )

    def join(self, after: Household, member_id: str) -> None:
        """Writes that a member joined.

        Raises:
            TransactionRefused: the household changed, the member is in one by now, or was merged.
        """
        self._table.write([self._next(after), _membership_put(after, member_id), open_book(after.program, member_id)])

    def leave(self, after: Household, member_id: str, *, pool: Book) -> None:
        """Writes that a member left; if it was the last one, only while the pool's book is as it was read.

        Raises:
            TransactionRefused: the household or its pool changed, or the member has left by now.
        """
        mine = MembershipItem.household_id == after.household_id
        gone = Delete(MembershipItem, partition(after.program, member_id), HOUSEHOLD_SK, mine)
        pk = partition(after.program, after.household_id)
        operations: list[Operation] = [self._next(after), gone]
        if after.closed_at:
            operations.append(Check(BookItem, pk, BOOK_SK, BookItem.last_seq == pool.seq))
        self._table.write(operations)

    def pool(self, program: str, household_id: str) -> Pool | None:
        """The household with its book, in one round trip; None where there is none."""
        pk = partition(program, household_id)
        return _pool(self._table.get_many([(pk, HOUSEHOLD_SK), (pk, BOOK_SK)]), pk)

    def joining(self, program: str, household_id: str, member_id: str) -> Joining:
        """What decides whether the member may join, in one round trip."""
        pk, member_pk = partition(program, household_id), partition(program, member_id)
        found = self._table.get_many([(one, sk) for one in (pk, member_pk) for sk in (HOUSEHOLD_SK, BOOK_SK)])
        book = found.get((member_pk, BOOK_SK))
        return Joining(
            pool=_pool(found, pk),
            book=book_of(book) if book else None,
            present=household_of_member(found.get((member_pk, HOUSEHOLD_SK))),
        )

    def of_member(self, program: str, member_id: str) -> tuple[Book | None, str | None]:
        """The member's book, and the household that they are in; one round trip."""
        pk = partition(program, member_id)
        found = self._table.get_many([(pk, BOOK_SK), (pk, HOUSEHOLD_SK)])
        book = found.get((pk, BOOK_SK))
        return book_of(book) if book else None, household_of_member(found.get((pk, HOUSEHOLD_SK)))

    def _next(self, after: Household) -> Put:
        return Put(_item_of(after), HouseholdItem.version == after.version - 1)


def _pool(found: Mapping[tuple[str, str], RawItem], pk: str) -> Pool | None:
    if (pk, HOUSEHOLD_SK) not in found:
        return None
    return Pool(_household_of(found[pk, HOUSEHOLD_SK]), book_of(found[pk, BOOK_SK]))


def household_of_member(raw: RawItem | None) -> str | None:
    """The household that a stored membership names."""
    return None if raw is None else MembershipItem.from_raw_data(raw).household_id


def membership_check(program: str, member_id: str, household_id: str | None) -> Check:
    """Holds while the member is in that household; where it is None, while they are in none."""
    condition: Condition = MembershipItem.pk.does_not_exist()
    if household_id is not None:
        condition = MembershipItem.household_id == household_id
    return Check(MembershipItem, partition(program, member_id), HOUSEHOLD_SK, condition)


def open_book(program: str, member_id: str) -> Check:
    """Holds while the member exists, and was neither merged into another nor erased."""
    there = BookItem.pk.exists() & BookItem.merged_into.does_not_exist()
    condition = there & BookItem.erased_at.does_not_exist()
    return Check(BookItem, partition(program, member_id), BOOK_SK, condition)


def _membership_put(household: Household, member_id: str) -> Put:
    item = MembershipItem(
        partition(household.program, member_id),
        HOUSEHOLD_SK,
        household_id=household.household_id,
        joined_at=to_text(household.members[member_id]),
    )
    return Put(item, MembershipItem.pk.does_not_exist())


def _item_of(household: Household) -> HouseholdItem:
    return HouseholdItem(
        partition(household.program, household.household_id),
        HOUSEHOLD_SK,
        version=household.version,
        head=household.head,
        members={member_id: to_text(since) for member_id, since in household.members.items()},
        created_at=to_text(household.created_at),
        closed_at=to_text(household.closed_at) if household.closed_at else None,
    )


def _household_of(raw: RawItem) -> Household:
    item = HouseholdItem.from_raw_data(raw)
    program, household_id = parse_partition(item.pk)
    return Household(
        program=program,
        household_id=household_id,
        head=item.head,
        created_at=from_text(item.created_at),
        members={member_id: from_text(since) for member_id, since in item.members.items()},
        version=item.version,
        closed_at=from_text(item.closed_at) if item.closed_at else None,
    )
