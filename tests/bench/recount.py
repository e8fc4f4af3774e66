"""What the stream's members must have, added up from the file alone: no code of the ledger, and whole numbers only."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from tests.bench.cdnow import Purchase

POINTS, PER_CENTS = 3, 200
"""Three points for every two dollars, rounded down for each purchase by itself."""
MONTHS = 24
"""After which points expire, at the end of the month: none within the eighteen months of the stream."""

WINDOW = 6
"""Months of the ladder that counts money."""
YEAR_TIERS = {"bronze": 0, "silver": 500, "gold": 2000}
"""By points of a calendar year."""
RECENT_TIERS = {"seldom": 0, "often": 10_000, "always": 50_000}
"""By cents in the window."""


@dataclass(slots=True)
class Expected:
    """Of one member: points in all, by the last day on which they may be spent, and by year; and how many purchases."""

    points: int = 0
    purchases: int = 0
    lots: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    years: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    spent: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """Cents by month, counted from the year 0."""
    last: int = 0
    """The month of the last purchase."""

    @property
    def counted(self) -> dict[str, int]:
        """What counts towards tiers: the years, and cents of the months that a purchase of the last one leaves."""
        kept = {month: cents for month, cents in self.spent.items() if cents and month > self.last - WINDOW}
        names = {month: f"{month // 12}-{month % 12 + 1:02}" for month in kept}
        return {**self.years, **{f"spend.USD/{names[month]}": cents for month, cents in kept.items()}}

    def tiers(self, today: date) -> tuple[str, str]:
        """By the points of the year, and by the money of the window, on a day."""
        window = sum(cents for month, cents in self.spent.items() if _month(today) - WINDOW < month <= _month(today))
        return _reached(YEAR_TIERS, self.years.get(str(today.year), 0)), _reached(RECENT_TIERS, window)


def recount(purchases: Iterable[Purchase]) -> dict[str, Expected]:
    """By customer."""
    totals: dict[str, Expected] = defaultdict(Expected)
    for purchase in purchases:
        points, one = purchase.cents * POINTS // PER_CENTS, totals[purchase.customer]
        one.purchases += 1
        one.spent[_month(purchase.day)] += purchase.cents
        one.last = max(one.last, _month(purchase.day))
        one.points += points
        if points:
            one.lots[_last_day(purchase.day)] += points
            one.years[str(purchase.day.year)] += points
    return dict(totals)


def _reached(tiers: Mapping[str, int], tally: int) -> str:
    return max((least, tier) for tier, least in tiers.items() if least <= tally)[1]


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _last_day(day: date) -> str:
    months = day.year * 12 + day.month - 1 + MONTHS
    year, month = divmod(months, 12)
    return f"{year}-{month + 1:02}-{calendar.monthrange(year, month + 1)[1]:02}"
