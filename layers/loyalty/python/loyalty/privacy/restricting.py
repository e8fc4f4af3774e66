"""Restriction of processing: a member's data is kept, and used for no more than their contract's own course."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.core import origin
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import MemberNotFound
from loyalty.core.retrying import Retries
from loyalty.core.table import Table, Update
from loyalty.ledger.items import BookItem
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book
from loyalty.ledger.service import following
from loyalty.ledger.store import LedgerStore
from loyalty.members.presence import require_present

_RETRIES: Final = Retries(
    8, base=0.02, cap=0.3, busy="This member has many writers at the moment; send the same request again."
)
"""A restriction is tried while others post to the member."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Since when the member's data is restricted (UTC); None: it is not."""

    member_id: str
    since: datetime | None


class Restricting:
    """Restricts members and lifts that. The book knows it, so that a posting costs nothing more."""

    def __init__(self, table: Table, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._books = LedgerStore(table)
        self._clock = clock
        self._sleep = sleep

    def restrict(self, program: str, member_id: str, *, actor: str | None) -> Restriction:
        """Restricts from now on; said again, it is since the first time.

        Raises:
            MemberNotFound, MemberErased: there is no such member, or none any more.
            WalletBusy: others keep writing the member.
        """
        return self._changed(program, member_id, actor, on=True)

    def lift(self, program: str, member_id: str, *, actor: str | None) -> Restriction:
        """Ends it; nothing happens where there is none. Raises as :meth:`restrict`."""
        return self._changed(program, member_id, actor, on=False)

    def _changed(self, program: str, member_id: str, actor: str | None, *, on: bool) -> Restriction:
        def change(holder: str) -> Restriction:
            book = self._books.book(program, holder)
            if book is None:
                raise MemberNotFound.of(program, holder)
            require_present(book)
            if on is (book.restricted_at is not None):
                return Restriction(holder, book.restricted_at)
            return self._write(book, actor, on=on)

        return following(member_id, lambda holder: _RETRIES.of(lambda: change(holder), self._sleep))

    def _write(self, book: Book, actor: str | None, *, on: bool) -> Restriction:
        now = from_text(to_text(self._clock()))
        absent = BookItem.restricted_at.does_not_exist()
        there = BookItem.merged_into.does_not_exist() & BookItem.erased_at.does_not_exist()
        action = BookItem.restricted_at.set(to_text(now)) if on else BookItem.restricted_at.remove()
        condition = there & (absent if on else BookItem.restricted_at.exists())
        line = Line(
            scope=book.program,
            action="member.restricted" if on else "member.unrestricted",
            target=f"members/{book.member_id}/restriction",
            at=now,
            actor=actor,
            origin=origin.current(),
        )
        pk = partition(book.program, book.member_id)
        self._table.write([Update(BookItem, pk, BOOK_SK, [action], condition), line_put(line)])
        return Restriction(book.member_id, now if on else None)
