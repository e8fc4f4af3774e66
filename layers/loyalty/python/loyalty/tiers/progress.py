"""How far a member is on a ladder: to the next tier, and to keeping the present one. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from loyalty.ledger.ladders import LadderTerms, Period, Standing, last_day, period_of
from loyalty.ledger.model import Book
from loyalty.ledger.settlement import tallies_of
from loyalty.programs.model import Program
from loyalty.programs.tiers import LadderParts

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Target:
    """A tier that can be reached or kept: what is missing (units of the tally), and the last day to earn it."""

    tier: str
    threshold: int
    missing: int
    by: date | None
    """None: there is no end to it, or the window moves on with each month."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a member stands on a ladder. ``last_day`` is that of the earned tier, days of grace included."""

    ladder: str
    parts: LadderParts
    terms: LadderTerms
    standing: Standing
    tally: int
    begins: date | None
    ends: date | None
    last_day: date | None
    next: Target | None
    keep: Target | None


def progress(program: Program, book: Book, *, today: date) -> list[Progress]:
    """On every ladder of a program, of a book in which everything due is settled; the main ladder first."""
    return [_on(program, book, ladder, today) for ladder in program.scope.ladders]


def _on(program: Program, book: Book, ladder: str, today: date) -> Progress:
    scope = program.scope
    terms, tallies = scope.ladders[ladder], tallies_of(book, scope)
    standing, tally = book.standing(ladder, terms), tallies.now(terms, today)
    begins, ends = _window(terms, today, tallies.opened_on)
    above = list(terms.tiers)[terms.rank(standing.tier) + 1 :]
    return Progress(
        ladder=ladder,
        parts=program.document.all_ladders[ladder],
        terms=terms,
        standing=standing,
        tally=tally,
        begins=begins,
        ends=ends,
        last_day=last_day(terms, standing),
        next=_target(terms, above[0], tally, None if terms.period is Period.ROLLING_MONTHS else ends)
        if above
        else None,
        keep=_keep(program, book, terms, standing),
    )


def _keep(program: Program, book: Book, terms: LadderTerms, standing: Standing) -> Target | None:
    """What keeps the earned tier beyond its last day; None where nothing ends it, or it would be reached anew."""
    last, tallies = last_day(terms, standing), tallies_of(book, program.scope)
    if last is None or standing.valid_until is None:
        return None
    rolling = terms.period is Period.ROLLING_MONTHS
    # The first period in which it can be earned for longer than it is kept now.
    day = standing.valid_until + _DAY if rolling or terms.this_period else standing.valid_until
    first, end = period_of(terms, day, tallies.opened_on)
    if first > last and not rolling:
        return None
    return _target(terms, standing.earned, tallies.now(terms, day), last if rolling else min(end, last))


def _target(terms: LadderTerms, tier: str, tally: int, by: date | None) -> Target:
    threshold = terms.tiers[tier]
    return Target(tier, threshold, max(threshold - max(tally, 0), 0), by)


def _window(terms: LadderTerms, today: date, opened_on: date | None) -> tuple[date | None, date | None]:
    if terms.period is Period.LIFETIME:
        return None, None
    first, last = period_of(terms, today, opened_on)
    if terms.period is Period.ROLLING_MONTHS:
        month = first.year * 12 + first.month - terms.months
        first = date(month // 12, month % 12 + 1, 1)
    return first, last
