"""What falls due by itself: points mature and expire, holds time out, tiers end, members are warned. Pure.

::

    hold times out   at its own moment
    warning          at the start of the day that lies so many days before a lot's last day, or a tier's
    points mature    at the start of their day
    a lot expires    at the start of the day after its last
    a granted tier   ends at the start of the day after its last
    an earned tier   is reviewed at the start of the day after its last: see :mod:`loyalty.ledger.ladders`

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
from loyalty.ledger import ladders, movements
from loyalty.ledger.ladders import STATUS, LadderTerms, Standing, Tallies
from loyalty.ledger.model import Account, Book, Change, EntryKey, EntryKind, Facts, Movement, Scope

GRANT_END: Final = "grant_end"
REVIEW: Final = "review"
"""Sources of the entries of kind ``tier`` that fall due by themselves."""

_ORDER: Final = (
    EntryKind.TIMEOUT,
    EntryKind.WARNING,
    EntryKind.TIER_WARNING,
    EntryKind.MATURITY,
    EntryKind.EXPIRY,
    EntryKind.TIER,
)
"""What comes first of things that fall due at the same moment."""
_WARNINGS: Final = frozenset({EntryKind.WARNING, EntryKind.TIER_WARNING})
_DAY: Final = timedelta(days=1)

_Warning = tuple[EntryKind, str, str]
"""What it is of, and its name."""


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
    source: str
    """The wallet; of a tier, what happens to it; of a warning of its end, the ladder."""
    name: str
    """The hold's id, the bucket's key, the lot, the ladder; of a warning the last day and how many days are left."""

    @property
    def order(self) -> tuple[datetime, int, str, str]:
        return self.at, _ORDER.index(self.kind), self.source, self.name


def day_starts(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a program's day, in UTC."""
    # Where the clocks go forward at midnight, zoneinfo reads that midnight by the offset before: the same moment.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def next_due(book: Book, scope: Scope) -> datetime | None:
    """When something next falls due by itself (UTC), or None."""
    return min((due.at for due in _upcoming(book, scope, book.settled_to, set())), default=None)


def settle(book: Book, scope: Scope, now: datetime) -> Iterator[Settled]:
    """What fell due until ``now``, one after the other, each with the book after it."""
    since, warned = book.settled_to, set[_Warning]()
    while True:
        due = min(_upcoming(book, scope, since, warned), key=lambda found: found.order, default=None)
        if due is None or due.at > now:
            return
        if due.kind in _WARNINGS:
            warned.add((due.kind, due.source, due.name))
        before, movement = book, _movement(book, scope, due)
        book = movements.apply(book, movement, settled_to=max(due.at, book.settled_to or due.at))
        yield Settled(due.at, _key(due, book), movement, _facts(scope, due, before, book), book)


def as_of(book: Book, scope: Scope, now: datetime) -> Book:
    """The book as it is at ``now``, whether or not anything has written down what fell due."""
    for settled in settle(book, scope, now):
        book = settled.book
    return book


def _upcoming(book: Book, scope: Scope, since: datetime | None, warned: Collection[_Warning]) -> Iterator[_Due]:
    """The next thing of each kind; of warnings those whose day began after ``since`` and that are not in ``warned``.

    A lot that came into being after its warning's day began has missed that warning; so has a tier.
    """
    if book.merged_into is not None or book.erased_at is not None:
        return
    for due in _soon(book, scope):
        ahead = since and book.settled_to and since < due.at >= book.settled_to
        if due.kind not in _WARNINGS or (ahead and (due.kind, due.source, due.name) not in warned):
            yield due


def _soon(book: Book, scope: Scope) -> Iterator[_Due]:
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
        yield from _warnings(scope, wallet_id, lots)
    for ladder, terms in scope.ladders.items():
        yield from _tier(book, scope, ladder, terms)


def _warnings(scope: Scope, wallet_id: str, lots: Sequence[str]) -> Iterator[_Due]:
    for days in scope.terms_of(wallet_id).warn_days:
        for lot in lots:
            at = day_starts(date.fromisoformat(lot) - timedelta(days=days), scope.zone)
            yield _Due(at, EntryKind.WARNING, wallet_id, f"{lot}/{days}")


def _tier(book: Book, scope: Scope, ladder: str, terms: LadderTerms) -> Iterator[_Due]:
    standing = book.standings.get(ladder)
    if standing is None:
        return
    if standing.granted_until is not None:
        yield _Due(day_starts(standing.granted_until + _DAY, scope.zone), EntryKind.TIER, GRANT_END, ladder)
    last = ladders.last_day(terms, standing)
    if last is None:
        return
    yield _Due(day_starts(last + _DAY, scope.zone), EntryKind.TIER, REVIEW, ladder)
    if terms.warn_days and _falls(book, scope, ladder, last) is not None:
        for days in terms.warn_days:
            at = day_starts(last - timedelta(days=days), scope.zone)
            yield _Due(at, EntryKind.TIER_WARNING, ladder, f"{last.isoformat()}/{days}")


def _falls(book: Book, scope: Scope, ladder: str, last: date) -> str | None:
    """The tier that follows the day after ``last``, where the earned one falls then and nothing more is earned."""
    terms = scope.ladders[ladder]
    before = _granted_beyond(book.standing(ladder, terms), last - _DAY)
    after = _granted_beyond(ladders.reviewed(terms, before, tallies_of(book, scope), last + _DAY), last)
    lost = terms.rank(after.earned) < terms.rank(before.earned) and terms.rank(after.tier) < terms.rank(before.tier)
    return after.tier if lost else None


def _granted_beyond(standing: Standing, day: date) -> Standing:
    """The standing after a day: what is granted through it and no longer is over."""
    ended = standing.granted_until is not None and standing.granted_until <= day
    return ladders.ungranted(standing) if ended else standing


def tallies_of(book: Book, scope: Scope) -> Tallies:
    """What counts towards tiers in a book."""
    return Tallies(book.qualifying, local_date(book.opened_at, scope.zone) if book.opened_at else None)


def standing_moved(book: Book, ladder: str, after: Standing) -> Movement:
    """The movement to another standing on a ladder."""
    tier = after.tier if ladder == STATUS and after.tier != book.tier else None
    return Movement(tier=tier, standings={ladder: after})


def _movement(book: Book, scope: Scope, due: _Due) -> Movement:
    wallet = book.wallet(due.source)
    match due.kind:
        case EntryKind.TIMEOUT:
            lots, today = book.holds[due.name].lots, local_date(due.at, scope.zone)
            grace = scope.terms_of(due.source).grace_days
            change = movements.give_back(wallet, lots, source=Account.HELD, today=today, grace_days=grace)
            return Movement({due.source: change}, holds={due.name: None})
        case EntryKind.MATURITY:
            return Movement({due.source: movements.mature(wallet, due.name)})
        case EntryKind.EXPIRY:
            return Movement({due.source: movements.expire(wallet, due.name)})
        case EntryKind.TIER:
            return standing_moved(book, due.name, _stands_after(book, scope, due))
        case EntryKind.TIER_WARNING:
            return Movement()
        case _:
            return Movement({due.source: Change()})


def _stands_after(book: Book, scope: Scope, due: _Due) -> Standing:
    terms = scope.ladders[due.name]
    standing = book.standing(due.name, terms)
    if due.source == GRANT_END:
        return ladders.ungranted(standing)
    last = ladders.last_day(terms, standing)
    if last is None:
        raise AssertionError("a review of a tier that nothing ends")
    # As of the day on which it fell due, whenever that is noticed.
    return ladders.reviewed(terms, standing, tallies_of(book, scope), last + _DAY)


def _facts(scope: Scope, due: _Due, before: Book, after: Book) -> Facts:
    facts = Facts(occurred_at=due.at, program_version=scope.version)
    if due.kind is EntryKind.TIMEOUT:
        back = {shard: -units for shard, units in before.holds[due.name].stock.items()}
        return replace(facts, redemption_id=due.name, stock=back)
    if due.kind is EntryKind.WARNING:
        lot = due.name.split("/")[0]
        return replace(facts, lot=lot, lot_points=after.wallet(due.source).lots[lot])
    if due.kind in {EntryKind.TIER, EntryKind.TIER_WARNING}:
        ladder = due.name if due.kind is EntryKind.TIER else due.source
        standing = before.standing(ladder, scope.ladders[ladder])
        facts = replace(facts, ladder=ladder, tier_from=standing.tier, standing_from=standing)
    if due.kind is EntryKind.TIER_WARNING:
        last = date.fromisoformat(due.name.split("/")[0])
        facts = replace(facts, falls_to=_falls(before, scope, due.source, last))
    return facts


def _key(due: _Due, after: Book) -> EntryKey:
    if due.kind is EntryKind.TIER:
        # With its number: by another version of the program a ladder may be reviewed twice on one day.
        return EntryKey(due.kind, due.source, f"{due.name}/{after.seq}")
    return EntryKey(due.kind, "redemption" if due.kind is EntryKind.TIMEOUT else due.source, due.name)
