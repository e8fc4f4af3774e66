"""The books as they were at any past moment, and the entries that made them so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from loyalty.core.errors import HistoryTooLong, MemberNotFound
from loyalty.ledger.ladders import STATUS, Standing
from loyalty.ledger.model import Account, Book, Change, Entry, EntryKey, EntryKind, Hold, Scope, Wallet
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore

MOST_UNDONE: Final = 20_000
"""Entries that are walked back, from now to the moment asked for; a page of the index holds about a thousand."""
_PAGE: Final = 1_000
_ENDS: Final = frozenset({EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Explained:
    """A book as it was at a moment, and its latest entries at that time, newest first.

    ``next_before`` is the ``seq`` below which older entries go on (None: there are none).
    """

    book: Book
    entries: list[Entry]
    next_before: int | None


class ExplainService:
    """Walks back from today's book, undoing entry after entry."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def explain(
        self, scope: Scope, member_id: str, at: datetime, *, limit: int, before: int | None = None
    ) -> Explained:
        """The book at ``at`` (UTC), with what had fallen due by then, and at most ``limit`` of the entries behind it.

        Raises:
            MemberNotFound: there is none, or there was none at that time.
            MemberErased: there is none any more; nor whoever absorbed them.
            HistoryTooLong: more than :data:`MOST_UNDONE` entries were posted since.
        """
        now = self._store.book(scope.program, member_id)
        if now is None or (now.opened_at is not None and now.opened_at > at):
            raise MemberNotFound(f"Program '{scope.program}' had no member '{member_id}' at that time.")
        if now.erased_at is not None or now.merged_into is not None:
            self._store.current(scope.program, member_id)  # it says where they, or the survivor, were erased
        then = as_of(self._undone(now, at), scope, at)
        last = then.seq if before is None else min(before - 1, then.seq)
        page = self._store.entries(scope.program, member_id, limit=limit, before=last + 1)
        return Explained(then, page.entries, page.next_before)

    def _undone(self, book: Book, at: datetime) -> Book:
        if book.settled_to is not None and book.settled_to <= at:
            return book  # nothing was posted since
        for count, entry in enumerate(self._newest_first(book)):
            if entry.posted_at <= at:
                return replace(book, settled_to=entry.posted_at)
            if count == MOST_UNDONE:
                raise HistoryTooLong(
                    f"More than {MOST_UNDONE} entries were posted since; ask for a later moment, or read the statement."
                )
            book = self._before(book, entry)
        return replace(book, settled_to=None)

    def _newest_first(self, book: Book) -> Iterator[Entry]:
        before: int | None = book.seq + 1
        while before is not None:
            page = self._store.entries(book.program, book.member_id, limit=_PAGE, before=before)
            yield from page.entries
            before = page.next_before

    def _before(self, book: Book, entry: Entry) -> Book:
        """The book as it was before the entry."""
        wallets = dict(book.wallets)
        for name, change in entry.movement.changes.items():
            wallets[name] = _undo(book.wallet(name), change)
        return replace(
            book,
            seq=entry.seq - 1,
            wallets=wallets,
            holds=self._holds_before(book, entry),
            tier=_tier_before(book, entry),
            standings=_standings_before(book, entry),
            qualifying=_less(book.qualifying, entry.movement.qualifying),
            merged_into=None,
        )

    def _holds_before(self, book: Book, entry: Entry) -> dict[str, Hold]:
        redemption_id = entry.facts.redemption_id or ""
        holds = {key: hold for key, hold in book.holds.items() if key != redemption_id}
        if entry.key.kind not in _ENDS:
            return holds if entry.key.kind is EntryKind.HOLD else dict(book.holds)
        opened = self._store.entry(book.program, book.member_id, EntryKey(EntryKind.HOLD, "redemption", redemption_id))
        if opened is not None and opened.facts.hold_expires_at is not None:
            ((wallet, change),) = opened.movement.changes.items()
            holds[redemption_id] = Hold(wallet, _held(change), opened.facts.hold_expires_at)
        return holds


def _tier_before(book: Book, entry: Entry) -> str:
    return entry.facts.tier_from or book.tier if entry.facts.ladder in {None, STATUS} else book.tier


def _standings_before(book: Book, entry: Entry) -> dict[str, Standing]:
    changed, before = entry.movement.standings, entry.facts.standing_from
    standings = {ladder: standing for ladder, standing in book.standings.items() if ladder not in changed}
    return standings | (dict.fromkeys(changed, before) if before else {})


def _held(change: Change) -> dict[str, int]:
    return {lot: -points for lot, points in change.lots.items()}


def _undo(wallet: Wallet, change: Change) -> Wallet:
    postings = change.postings
    return Wallet(
        available=wallet.available - postings.get(Account.AVAILABLE, 0),
        pending=wallet.pending - postings.get(Account.PENDING, 0),
        held=wallet.held - postings.get(Account.HELD, 0),
        debt=wallet.debt + postings.get(Account.DEBT, 0),
        lots=_less(wallet.lots, change.lots),
        maturing=_less(wallet.maturing, change.maturing),
    )


def _less(totals: Mapping[str, int], changes: Mapping[str, int]) -> dict[str, int]:
    before = {key: totals.get(key, 0) - changes.get(key, 0) for key in {**totals, **changes}}
    return {key: points for key, points in before.items() if points}
