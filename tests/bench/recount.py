"""What the stream's members must have, added up from the file alone: no code of the ledger, and whole numbers only."""

import calendar
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from tests.bench.cdnow import Purchase

POINTS, PER_CENTS = 3, 200
"""Three points for every two dollars, rounded down for each purchase by itself."""
MONTHS = 24
"""After which points expire, at the end of the month: none within the eighteen months of the stream."""


@dataclass(slots=True)
class Expected:
    """Of one member: points in all, by the last day on which they may be spent, and by year; and how many purchases."""

    points: int = 0
    purchases: int = 0
    lots: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    years: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def recount(purchases: Iterable[Purchase]) -> dict[str, Expected]:
    """By customer."""
    totals: dict[str, Expected] = defaultdict(Expected)
    for purchase in purchases:
        points, one = purchase.cents * POINTS // PER_CENTS, totals[purchase.customer]
        one.purchases += 1
        one.points += points
        if points:
            one.lots[_last_day(purchase.day)] += points
            one.years[str(purchase.day.year)] += points
    return dict(totals)


def _last_day(day: date) -> str:
    months = day.year * 12 + day.month - 1 + MONTHS
    year, month = divmod(months, 12)
    return f"{year}-{month + 1:02}-{calendar.monthrange(year, month + 1)[1]:02}"
