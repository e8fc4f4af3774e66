"""Reversals that may come before their accrual: kept until it comes, and then posted with it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from loyalty.accruals.errors import TooManyAwaitedReversals
from loyalty.accruals.model import MAX_AWAITED, MAX_AWAITED_OF_MEMBER, Refund
from loyalty.accruals.records import (
    Waiting,
    WaitingItem,
    WaitingStatus,
    awaited_of,
    awaited_put,
    awaited_sk,
    waiting_of,
    waiting_put,
    waiting_sk,
)
from loyalty.accruals.reversal import accrual_key, reversal_key
from loyalty.accruals.service import AccrualService
from loyalty.accruals.times import require_enrolled
from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    EntryNotFound,
    LoyaltyError,
    MemberErased,
    MemberMerged,
    MemberNotFound,
    RecordChanged,
    WalletBusy,
)
from loyalty.core.table import Check, Operation, RawItem, Table, TransactionRefused
from loyalty.ledger.draft import Posted
from loyalty.ledger.items import EntryItem, book_of, book_put
from loyalty.ledger.keys import BOOK_SK, WAITING_PREFIX, entry_sk, parse_entry_id, partition
from loyalty.ledger.model import Book, EntryKey, Scope
from loyalty.ledger.service import following
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import Program

ATTEMPTS: Final = 8
"""Times that a reversal is looked at again, because somebody wrote to the member's book at the same moment."""
_BACKOFF_BASE_SECONDS: Final = 0.02
_BACKOFF_CAP_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Kept:
    """A reversal that waits for its accrual, and whether this call kept it (False) or an earlier one did."""

    waiting: Waiting
    replayed: bool


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """Reversals that wait or were refused, and the entry id after which the next page starts (None after the last)."""

    items: list[Waiting]
    next_after: str | None


class AwaitedReversals:
    """Posts reversals, and keeps those whose accrual has not come yet."""

    def __init__(
        self, table: Table, accruals: AccrualService, clock: Clock, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._table = table
        self._accruals = accruals
        self._clock = clock
        self._sleep = sleep

    def reverse(self, program: Program, member_id: str, refund: Refund) -> Posted | Kept:
        """Takes points back; where the accrual has not come yet, as soon as it does.

        Raises:
            TooManyAwaitedReversals: :data:`MAX_AWAITED` wait for that accrual already.
            EntryExistsWithDifferentRequest: the identity was sent with another content, posted or waiting.
            LoyaltyError: see :meth:`AccrualService.reverse`; not ``EntryNotFound``.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._accruals.reverse(program, member_id, refund)
            except EntryNotFound:
                kept = self._keep(program, member_id, refund)
            if kept is not None:
                return kept
            self._sleep(jitter(attempt, base=_BACKOFF_BASE_SECONDS, cap=_BACKOFF_CAP_SECONDS))
        raise WalletBusy("The accrual or its reversals are being changed at the moment; send the same request again.")

    def page(self, program: str, member_id: str, *, limit: int, after: str | None = None) -> WaitingPage:
        """The reversals that were sent for a member and wait or were refused, by their source and source id.

        ``after`` is the ``next_after`` of the page before.

        Raises:
            MemberNotFound: the member has no book in this program.
            MemberErased: there is no such member any more.
        """
        if LedgerStore(self._table).current(program, member_id) is None:
            raise MemberNotFound.of(program, member_id)
        pk = partition(program, member_id)
        key = None if after is None else parse_entry_id(after)
        found = self._table.query(
            pk,
            where=WaitingItem.sk.startswith(WAITING_PREFIX),
            start={"pk": {"S": pk}, "sk": {"S": waiting_sk(key.source, key.source_id)}} if key else None,
            limit=limit,
        )
        items = [waiting_of(raw) for raw in found.items]
        return WaitingPage(items, reversal_key(items[-1].refund).entry_id if found.last_key and items else None)

    def catch_up(self, program: Program, member_id: str) -> int:
        """Posts what waits under one id of a member for what was posted under another, as after a merge; how many.

        What its accrual refuses waits on; ``loyalty verify`` names it.

        Raises:
            WalletBusy, RecordChanged: somebody is in the way; do it again.
        """
        book = LedgerStore(self._table).current(program.document.id, member_id)
        posted = 0
        for home in (book.member_id, *book.absorbed) if book is not None and book.awaiting else ():
            for waiting in self._waiting(program.document.id, home):
                try:
                    posted += not self._accruals.reverse(program, home, waiting.refund).replayed
                except (WalletBusy, RecordChanged):
                    raise
                except LoyaltyError:
                    continue  # its accrual has not come, or refuses it
        return posted

    def _waiting(self, program: str, member_id: str) -> Iterator[Waiting]:
        after: str | None = None
        while True:
            page = self.page(program, member_id, limit=100, after=after)
            yield from (one for one in page.items if one.status is WaitingStatus.WAITING)
            after = page.next_after
            if after is None:
                return

    def _keep(self, program: Program, member_id: str, refund: Refund) -> Kept | None:
        """Keeps it where it was sent to; None where the accrual came at the same moment: look again."""
        home = partition(program.document.id, member_id)
        keys = waiting_sk(refund.source, refund.source_id), awaited_sk(refund.source, refund.accrual_source_id)

        def act(owner: str) -> Kept | None:
            book_key = partition(program.document.id, owner), BOOK_SK
            found = self._table.get_many([*dict.fromkeys([book_key, *((home, sk) for sk in keys)])])
            book = _open_book(found.get(book_key), program.document.id, owner)
            require_enrolled(refund.occurred_at, book.opened_at, program.document.limits.backdating_days)
            now = from_text(to_text(self._clock()))
            return self._write(
                program.scope,
                Waiting(book.program, member_id, refund, now),
                book,
                standing=_standing(found.get((home, keys[0]))),
                awaited=found.get((home, keys[1])),
            )

        return following(member_id, act)

    def _write(
        self, scope: Scope, waiting: Waiting, book: Book, *, standing: Waiting | None, awaited: RawItem | None
    ) -> Kept | None:
        refund = waiting.refund
        if standing is not None and standing.status is WaitingStatus.WAITING:
            if standing.request_hash == waiting.request_hash:
                return Kept(standing, replayed=True)
            raise EntryExistsWithDifferentRequest(
                f"'{reversal_key(refund).entry_id}' was sent before with another content, and waits for its accrual."
            )
        before = awaited_of(awaited)
        if len(before.refunds) >= MAX_AWAITED:
            raise TooManyAwaitedReversals(
                f"{MAX_AWAITED} reversals wait for '{accrual_key(refund).entry_id}'; send the accrual first."
            )
        pk, sk = partition(waiting.program, waiting.member_id), awaited_sk(refund.source, refund.accrual_source_id)
        if book.awaiting >= MAX_AWAITED_OF_MEMBER:
            raise TooManyAwaitedReversals(
                f"{MAX_AWAITED_OF_MEMBER} reversals wait for accruals of this member; send those first."
            )
        one_more = replace(book, awaiting=book.awaiting + 1)
        operations: list[Operation] = [
            book_put(one_more, scope, read_at_seq=book.seq, read_awaiting=book.awaiting, read_on_hold=book.on_hold),
            waiting_put(waiting, standing),
            awaited_put(pk, sk, before, [*before.refunds, refund.source_id]),
            *_absent(waiting, book, accrual_key(refund)),
            *_absent(waiting, book, reversal_key(refund)),
        ]
        try:
            self._table.write(operations)
        except TransactionRefused:
            return None
        return Kept(waiting, replayed=False)


def _absent(waiting: Waiting, book: Book, key: EntryKey) -> Iterator[Check]:
    """That nothing was posted under an identity: to the member, whoever that is now, or to who was merged into them."""
    for member_id in dict.fromkeys((waiting.member_id, book.member_id, *book.absorbed)):
        yield Check(EntryItem, partition(book.program, member_id), entry_sk(key), EntryItem.pk.does_not_exist())


def _standing(raw: RawItem | None) -> Waiting | None:
    return None if raw is None else waiting_of(raw)


def _open_book(raw: RawItem | None, program: str, member_id: str) -> Book:
    if raw is None:
        raise MemberNotFound.of(program, member_id)
    book = book_of(raw)
    if book.merged_into is not None:
        raise MemberMerged("This member was merged into another.", member_id=member_id, into=book.merged_into)
    if book.erased_at is not None:
        raise MemberErased.of(member_id)
    return book
