"""What an activity counts towards tiers. Pure.

::

    {metric}/{bucket}     points/2026-11       a month of a rolling window
                          spend.EUR/2026-03-14 a year from an anniversary, in cents
                          activities.stay/ever a lifetime
    2026                  a calendar year of points: the year alone

Each distinct metric and period is tallied once, however many ladders count it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from loyalty.core.money import Money
from loyalty.ledger import ladders
from loyalty.ledger.ladders import EVER, LadderTerms
from loyalty.ledger.model import POINTS, Book
from loyalty.ledger.settlement import tallies_of
from loyalty.programs.earning import Outcome
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.tiers import Metric, Qualification, minor_units_in, terms_of

_YEARS_OF_THE_UNKNOWN: Final = 2
"""Calendar years that a bucket is kept which no ladder of this version counts; a later one may count it again."""


def qualifying(
    program: Program,
    book: Book,
    activity: str,
    amount: Money | None,
    outcome: Outcome,
    *,
    today: date,
) -> dict[str, int]:
    """How an accrual of a day changes what counts in a book: by what it earned, and without what is over."""
    scope = program.scope
    counted = tallies(
        program.document, activity, amount, outcome, today=today, opened_on=tallies_of(book, scope).opened_on
    )
    return {**outdated(scope.ladders, book.qualifying, today), **counted}


def tallies(
    document: ProgramDocument,
    activity: str,
    amount: Money | None,
    outcome: Outcome,
    *,
    today: date,
    opened_on: date | None,
) -> dict[str, int]:
    """What an activity that is posted on a day counts, by the keys of the ladders' buckets; without zeros.

    ``opened_on`` is the day of enrollment in the program's zone.
    """
    counted: dict[str, int] = {}
    for ladder, parts in document.all_ladders.items():
        number = _counts(document, parts.qualification, activity, amount, outcome)
        if number:
            counted[ladders.bucket(terms_of(ladder, parts), today, opened_on)] = number
    return counted


def outdated(scope_ladders: Mapping[str, LadderTerms], counted: Mapping[str, int], today: date) -> dict[str, int]:
    """What takes away the buckets that count towards no tier any more; calendar years of points stay for ever."""
    return {key: -number for key, number in counted.items() if number and _is_over(scope_ladders, key, today)}


def _counts(
    document: ProgramDocument,
    qualification: Qualification,
    activity: str,
    amount: Money | None,
    outcome: Outcome,
) -> int:
    if not outcome.rewarded or (qualification.activities and activity not in qualification.activities):
        return 0
    match qualification.metric:
        case Metric.POINTS:
            return sum(one.points for one in outcome.earned if one.wallet == (qualification.wallet or POINTS))
        case Metric.SPEND:
            if amount is None or qualification.currency is None:
                return 0
            return minor_units_in(document.currencies, outcome.eligible.total, amount.currency, qualification.currency)
        case Metric.ACTIVITIES:
            return 1


def _is_over(scope_ladders: Mapping[str, LadderTerms], key: str, today: date) -> bool:
    metric, separator, name = key.rpartition("/")
    if not separator or name == EVER:
        return False
    counting = [
        terms
        for terms in scope_ladders.values()
        if terms.metric == metric and len(ladders.bucket(terms, today, None)) == len(key)
    ]
    if not counting:
        return int(name[:4]) < today.year - _YEARS_OF_THE_UNKNOWN
    return all(ladders.is_over(terms, name, today) for terms in counting)
