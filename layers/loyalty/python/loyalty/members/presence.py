"""Whether somebody is a member: neither merged into another, nor erased."""

from collections.abc import Collection

from loyalty.core.errors import MemberErased, MemberMerged
from loyalty.core.table import Check
from loyalty.ledger.items import BookItem
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book


def present(program: str, member_id: str, absorbed: Collection[str] | None = None) -> Check:
    """Holds while the member exists, was neither merged nor erased, and has absorbed these members and no others (None: any)."""
    there = BookItem.pk.exists() & BookItem.merged_into.does_not_exist() & BookItem.erased_at.does_not_exist()
    if absorbed is not None:
        there &= BookItem.absorbed == set(absorbed) if absorbed else BookItem.absorbed.does_not_exist()
    return Check(BookItem, partition(program, member_id), BOOK_SK, there)


def require_present(book: Book) -> None:
    """Whether the book is that of a member who is one.

    Raises:
        MemberMerged, MemberErased: not any more.
    """
    if book.merged_into is not None:
        raise MemberMerged(
            f"'{book.member_id}' was merged into '{book.merged_into}'; use that member.",
            member_id=book.member_id,
            into=book.merged_into,
        )
    if book.erased_at is not None:
        raise MemberErased.of(book.member_id)
