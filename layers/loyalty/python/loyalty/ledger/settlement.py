"""What falls due by itself: pending points mature, lots expire, members are warned, holds time out. Pure.

::

    hold times out   at its own moment
    warning          at the start of the day that lies so many days before a lot's last day
    points mature    at the start of their day
    a lot expires    at the start of the day after its last

Days start at midnight in the program's time zone; where the clocks skip midnight, at the first moment of the day.
What is due is settled in the order in which it fell due, whoever notices and however late: so a balance is the same
whether anything has written it down or not.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from loyalty.core.clock import local_date
from loyalty.ledger import movements
from loyalty.ledger.model import Account, Book, Change, EntryKey, EntryKind, Facts, Movement, Scope

_ORDER: Final = (EntryKind.TIMEOUT, EntryKind.WARNING, EntryKind.MATURITY, EntryKind.EXPIRY)
"""What comes first of things that fall due at the same moment."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One thing that fell due at ``at`` (UTC), and the book after it."""

    at: datetime
    key: EntryKey
    movement: Movement
    facts: Facts
    book: Book


@dataclass(frozen=True, slots=True)
class _Due:
    at: datetime
    kind: EntryKind
    wallet: str
    name: str
    """The hold's id, the bucket's key, the lot; of a warning the lot and how many days are left."""

    @property
    def order(self) -> tuple[datetime, int, str, str]:
        return self.at, _ORDER.index(self.kind), self.wallet, self.name


def day_starts(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a program's day, in UTC."""
    # Where the clocks go forward at midnight, zoneinfo reads that midnight by the offset before: the same moment.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def next_due(book: Book, scope: Scope) -> datetime | None:
    """When something next falls due by itself (UTC), or None."""
    return min((due.at for due in _upcoming(book, scope, book.settled_to, set())), default=None)


def settle(book: Book, scope: Scope, now: datetime) -> Iterator[Settled]:
    """What fell due until ``now``, one after the other, each with the book after it."""
    since, warned = book.settled_to, set[str]()
    while True:
        due = min(_upcoming(book, scope, since, warned), key=lambda found: found.order, default=None)
        if due is None or due.at > now:
            return
        if due.kind is EntryKind.WARNING:
            warned.add(f"{due.wallet}/{due.name}")
        movement = _movement(book, scope, due)
        book = movements.apply(book, movement, settled_to=max(due.at, book.settled_to or due.at))
        yield Settled(due.at, _key(due), movement, _facts(scope, due, book), book)


def as_of(book: Book, scope: Scope, now: datetime) -> Book:
    """The book as it is at ``now``, whether or not anything has written down what fell due."""
    for settled in settle(book, scope, now):
        book = settled.book
    return book


def _upcoming(book: Book, scope: Scope, since: datetime | None, warned: Collection[str]) -> Iterator[_Due]:
    """The next thing of each kind; of warnings those whose day began after ``since`` and that are not in ``warned``.

    A lot that came into being after its warning's day began has missed that warning.
    """
    if book.merged_into is not None:
        return
    for hold_id, hold in book.holds.items():
        yield _Due(hold.expires_at, EntryKind.TIMEOUT, hold.wallet, hold_id)
    for wallet_id, wallet in book.wallets.items():
        if wallet.maturing:
            key = min(wallet.maturing)
            day = date.fromisoformat(movements.parse_bucket(key)[0])
            yield _Due(day_starts(day, scope.zone), EntryKind.MATURITY, wallet_id, key)
        lots = sorted(lot for lot in wallet.lots if lot != movements.NEVER)
        if lots:
            day = date.fromisoformat(lots[0]) + timedelta(days=1)
            yield _Due(day_starts(day, scope.zone), EntryKind.EXPIRY, wallet_id, lots[0])
        for due in _warnings(scope, wallet_id, lots):
            ahead = since and book.settled_to and since < due.at >= book.settled_to
            if ahead and f"{wallet_id}/{due.name}" not in warned:
                yield due


def _warnings(scope: Scope, wallet_id: str, lots: Sequence[str]) -> Iterator[_Due]:
    for days in scope.terms_of(wallet_id).warn_days:
        for lot in lots:
            at = day_starts(date.fromisoformat(lot) - timedelta(days=days), scope.zone)
            yield _Due(at, EntryKind.WARNING, wallet_id, f"{lot}/{days}")


def _movement(book: Book, scope: Scope, due: _Due) -> Movement:
    wallet = book.wallet(due.wallet)
    match due.kind:
        case EntryKind.TIMEOUT:
            lots, today = book.holds[due.name].lots, local_date(due.at, scope.zone)
            grace = scope.terms_of(due.wallet).grace_days
            change = movements.give_back(wallet, lots, source=Account.HELD, today=today, grace_days=grace)
            return Movement({due.wallet: change}, holds={due.name: None})
        case EntryKind.MATURITY:
            return Movement({due.wallet: movements.mature(wallet, due.name)})
        case EntryKind.EXPIRY:
            return Movement({due.wallet: movements.expire(wallet, due.name)})
        case _:
            return Movement({due.wallet: Change()})


def _facts(scope: Scope, due: _Due, after: Book) -> Facts:
    facts = Facts(occurred_at=due.at, program_version=scope.version)
    if due.kind is EntryKind.TIMEOUT:
        return replace(facts, redemption_id=due.name)
    if due.kind is EntryKind.WARNING:
        lot = due.name.split("/")[0]
        return replace(facts, lot=lot, lot_points=after.wallet(due.wallet).lots[lot])
    return facts


def _key(due: _Due) -> EntryKey:
    return EntryKey(due.kind, "redemption" if due.kind is EntryKind.TIMEOUT else due.wallet, due.name)
