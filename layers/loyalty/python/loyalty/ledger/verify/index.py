"""Whether a book is in the due index, under the moment at which something next falls due."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.ledger.keys import BOOK_SK
from loyalty.ledger.model import Book, Scope
from loyalty.ledger.movements import NEVER
from loyalty.ledger.verify.days import INSTANT, Days, days_after
from loyalty.ledger.verify.report import Problem, Problems
from loyalty.ledger.verify.tiers import ends_on, warned_on
from loyalty_contract import DUE_SHARDS

_SHARDS: Final = frozenset(f"DUE#book#{number:02}" for number in range(DUE_SHARDS))


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the book's item says to the due index."""

    shard: str | None
    at: datetime | None


NOT_INDEXED: Final = Indexed(None, None)


@dataclass(frozen=True, slots=True)
class _Due:
    """Days whose start makes something due, and moments that do."""

    days: frozenset[str]
    moments: frozenset[datetime]

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.days or self.moments)

    def first_is(self, at: datetime, days: Days) -> bool:
        """Whether something falls due at that moment, and nothing before."""
        before = at - INSTANT
        if any(days.has_begun(day, before) for day in self.days) or any(moment < at for moment in self.moments):
            return False
        return at in self.moments or any(days.may_begin(day, at) for day in self.days)


_NOTHING: Final = _Due(frozenset(), frozenset())


def check_index(book: Book, indexed: Indexed, scopes: Mapping[int, Scope], days: Days) -> Problems:
    """What is wrong with a book's place in the due index.

    Nobody can tell which version of the program decided last when members are warned: the place is right if it is by
    any version. Where none is known, a warning may be due on any day.
    """
    at = indexed.at
    possible = list(_possible(book, scopes, at, days)) if _is_open(book) else [_NOTHING]
    if at is None:
        if all(possible):
            yield Problem("due_missing", BOOK_SK, "something is to fall due, and no sweep would find it")
    elif not any(possible):
        yield Problem("due_needless", BOOK_SK, f"nothing is to fall due, it says {at}")
    elif not any(one.first_is(at, days) for one in possible):
        yield Problem("due_at_wrong", BOOK_SK, f"what falls due next does so at another moment than {at}")
    if (indexed.shard is not None or at is not None) and (at is None or indexed.shard not in _SHARDS):
        yield Problem("due_shard_wrong", BOOK_SK, f"'{indexed.shard}' is none that is swept, or has no moment")


def _is_open(book: Book) -> bool:
    return book.merged_into is None and book.erased_at is None


def _certain(book: Book) -> _Due:
    """What falls due whatever the program says of warnings."""
    wallets = book.wallets.values()
    expiries = {days_after(lot, 1) for wallet in wallets for lot in wallet.lots if lot != NEVER}
    maturities = {key.partition("/")[0] for wallet in wallets for key in wallet.maturing}
    return _Due(frozenset(expiries | maturities), frozenset(hold.expires_at for hold in book.holds.values()))


def _possible(book: Book, scopes: Mapping[int, Scope], at: datetime | None, days: Days) -> Iterator[_Due]:
    """With the ends of tiers and the warnings of each version of the program that are still to be given.

    Whether a member is to be warned of a tier's end depends on what is earned: of each ladder they may be, or not.
    """
    certain = _certain(book)
    if not scopes:
        lots = any(lot != NEVER for wallet in book.wallets.values() for lot in wallet.lots)
        anything = lots or book.standings
        yield _Due(certain.days, certain.moments | {at}) if anything and at is not None else certain
    for scope in scopes.values():
        warnings = {
            days_after(lot, -left)
            for wallet_id, wallet in book.wallets.items()
            for lot in wallet.lots
            for left in scope.terms_of(wallet_id).warn_days
            if lot != NEVER
        }
        ends = certain.days | ends_on(book.standings, scope)
        sure = _Due(ends | _still_open(warnings, book, days), certain.moments)
        yield sure
        for day in _still_open(warned_on(book.standings, scope), book, days):
            yield _Due(sure.days | {day}, certain.moments)


def _still_open(warnings: Iterable[str], book: Book, days: Days) -> frozenset[str]:
    """Of the days of warnings those that had not begun when the book was last posted to."""
    return frozenset(day for day in warnings if book.settled_to and not days.may_have_begun(day, book.settled_to))
