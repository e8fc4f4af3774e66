"""Ladders of tiers: which days count together, how long a tier lasts, what a review makes of it. Found day by day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from tests.simulation.oracle.commands import DECIMALS
from tests.simulation.oracle.days import ONE_DAY, end_of_month, months_later

STATUS = "status"
MAIN_METRIC = "points"
_YEARS = ("calendar_year", "anniversary_year")

Tallies = Mapping[str, int]
"""What counts, by metric and the name of its year or month."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a member stands: ``tier`` is the higher of what is ``earned`` and what is ``granted``.

    ``until`` is the last day of the earned one, without grace; None where nothing ends it. ``left``: it is what was left
    of a higher one, or of a time before, and no tally earns it.
    """

    tier: str
    earned: str
    until: date | None = None
    left: bool = False
    granted: str | None = None
    granted_until: date | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A tier that tallies reach, and until when it is kept for that."""

    tier: str
    until: date | None


class Ladder:
    """One ladder, in one version of a program."""

    def __init__(self, ladder_id: str, part: Mapping[str, Any]) -> None:
        qualification = part.get("qualification") or {}
        downgrade = part.get("downgrade") or {}
        self.id = ladder_id
        self.currency: str | None = qualification.get("currency")
        units = int(10 ** DECIMALS[self.currency]) if self.currency else 1
        self.tiers = [str(tier["id"]) for tier in part["tiers"]]
        self._thresholds = [tier["threshold"] * units for tier in part["tiers"]]
        self.counts: str = qualification.get("metric", "points")
        self.wallet: str = qualification.get("wallet", "points")
        self.activities: tuple[str, ...] = tuple(qualification.get("activities", ()))
        self.period: str = qualification.get("period", "calendar_year")
        self.months: int = qualification.get("months", 12)
        self.by: str = downgrade.get("by", "never")
        self.this_period: bool = downgrade.get("valid_through") == "this_period"
        self.grace: timedelta = downgrade.get("grace_days", 0) * ONE_DAY
        self.warn_days: tuple[int, ...] = tuple(downgrade.get("warn_days", ()))
        self.at_once: bool = downgrade.get("after_reversal") == "at_once"
        self.metric = self._metric()

    @property
    def ends(self) -> bool:
        """Whether it has to be known until when a tier is kept."""
        return self.by != "never" or self.at_once

    def rank(self, tier: str | None) -> int:
        """From 0; a tier that this version does not have is as good as the first."""
        return self.tiers.index(tier) if tier in self.tiers else 0

    def first(self) -> Stand:
        """Where everybody begins."""
        return Stand(self.tiers[0], self.tiers[0])

    def with_earned(self, stand: Stand, reached: Reached, *, left: bool = False) -> Stand:
        """With another earned tier, above which what is granted stays."""
        tier = max((reached.tier, stand.granted), key=self.rank)
        return replace(stand, tier=tier or reached.tier, earned=reached.tier, until=reached.until, left=left)

    def granted(self, stand: Stand, tier: str, until: date) -> Stand:
        """With a granted tier, in the place of an earlier one."""
        return replace(stand, tier=max(stand.earned, tier, key=self.rank), granted=tier, granted_until=until)

    def key(self, day: date, enrolled: date) -> str:
        """Under which what counts on a day is tallied."""
        if self.period == "lifetime":
            return f"{self.metric}/ever"
        first = first_day(self.period, day, enrolled)
        if self.period == "calendar_year":
            return str(day.year) if self.metric == MAIN_METRIC else f"{self.metric}/{day.year}"
        return f"{self.metric}/{first.isoformat()[: 7 if self.period == 'rolling_months' else 10]}"

    def reached(self, tallies: Tallies, day: date, enrolled: date) -> Reached:
        """What the period earns that a day is in."""
        if self.period == "lifetime":
            return self._best([(tallies.get(self.key(day, enrolled), 0), None)])
        if self.period == "rolling_months":
            return self._best(self._windows(tallies, day, day))
        return self._best([(tallies.get(self.key(day, enrolled), 0), self.kept_until(day, enrolled))])

    def still_earned(self, tallies: Tallies, day: date, enrolled: date) -> Reached:
        """What all periods earn together that count on a day: those of which a tier would be kept, grace included."""
        if self.period == "lifetime":
            return self.reached(tallies, day, enrolled)
        if self.period == "rolling_months":
            return self._best(self._windows(tallies, day - self.grace, day))
        return self._best(self._years(tallies, day, enrolled))

    def last_day(self, stand: Stand) -> date | None:
        """The last day of the earned tier, grace included; None where nothing ends it."""
        if self.by == "never" or stand.until is None or not self.rank(stand.earned):
            return None
        return stand.until + self.grace

    def is_over(self, until: date | None, today: date) -> bool:
        """Whether a tier that is kept until a day has ended."""
        return self.ends and until is not None and until + self.grace < today

    def reviewed(self, stand: Stand, tallies: Tallies, day: date, enrolled: date) -> Stand:
        """Where a member stands from a day on, the earned tier being over."""
        reached = self.still_earned(tallies, day, enrolled)
        below = self.rank(stand.earned) - 1
        if self.by == "one_level" and below > 0 and self.rank(reached.tier) <= below:
            end = last_day(self.period, day, enrolled)
            if self.rank(reached.tier) < below or (reached.until and reached.until < end):
                return self.with_earned(stand, Reached(self.tiers[below], end), left=True)
        return self.with_earned(stand, reached)

    def falls_to(self, stand: Stand, tallies: Tallies, enrolled: date) -> str | None:
        """The tier that the member has after the earned one is over, if that is lower and nothing more is earned."""
        last = self.last_day(stand)
        if last is None:
            return None
        before = stand if stand.granted_until and stand.granted_until >= last else ungranted(stand)
        after = self.reviewed(before, tallies, last + ONE_DAY, enrolled)
        if after.granted_until is not None and after.granted_until <= last:
            after = ungranted(after)
        fallen = self.rank(after.earned) < self.rank(before.earned) and self.rank(after.tier) < self.rank(before.tier)
        return after.tier if fallen else None

    def kept_until(self, day: date, enrolled: date) -> date:
        """The last day of a tier that is reached on a day, without grace; of calendar and membership years."""
        end = last_day(self.period, day, enrolled)
        return end if self.this_period else last_day(self.period, end + ONE_DAY, enrolled)

    def is_past(self, name: str, today: date, enrolled: date) -> bool:
        """Whether what is tallied in a year or month counts for nothing any more."""
        if self.period == "rolling_months":
            first = date.fromisoformat(f"{name}-01")
            return end_of_month(months_later(first, self.months - 1)) + self.grace < today
        begins = date(int(name), 1, 1) if len(name) == 4 else date.fromisoformat(name)
        return self.kept_until(begins, enrolled) + self.grace < today

    def _metric(self) -> str:
        name = self.counts + (f".{self.wallet}" if self.wallet != "points" else "")
        name += f".{self.currency}" if self.currency else ""
        if len(self.activities) == 1:
            name += ("." if self.counts == "activities" else ":") + self.activities[0]
        return f"{name}+{self.id}" if len(self.activities) > 1 else name

    def _years(self, tallies: Tallies, day: date, enrolled: date) -> Iterator[tuple[int, date | None]]:
        """The year of a day, and those before it, as long as a tier of them would be kept."""
        year = day
        while self.kept_until(year, enrolled) + self.grace >= day:
            yield tallies.get(self.key(year, enrolled), 0), self.kept_until(year, enrolled)
            year = first_day(self.period, year, enrolled) - ONE_DAY

    def _windows(self, tallies: Tallies, since: date, day: date) -> Iterator[tuple[int, date | None]]:
        """The months from that of ``since`` on whose windows may have something in them that was earned until ``day``."""
        month = since.replace(day=1)
        while month <= months_later(day.replace(day=1), self.months - 1):
            window = [tallies.get(f"{self.metric}/{before.isoformat()[:7]}", 0) for before in self._months_until(month)]
            yield sum(window), end_of_month(month)
            month = end_of_month(month) + ONE_DAY

    def _months_until(self, month: date) -> Iterator[date]:
        for _ in range(self.months):
            yield month
            month = (month - ONE_DAY).replace(day=1)

    def _best(self, chances: Iterable[tuple[int, date | None]]) -> Reached:
        best = Reached(self.tiers[0], None)
        for tally, until in chances:
            tier = [name for name, least in zip(self.tiers, self._thresholds, strict=True) if least <= max(tally, 0)][
                -1
            ]
            higher = self.rank(tier) > self.rank(best.tier)
            longer = tier == best.tier and best.until is not None and until is not None and until > best.until
            if higher or longer:
                best = Reached(tier, until)
        return best


def ungranted(stand: Stand) -> Stand:
    """Without what is granted."""
    return replace(stand, tier=stand.earned, granted=None, granted_until=None)


def first_day(period: str, day: date, enrolled: date) -> date:
    """Of the year or month that a day is in; of one from an anniversary, the anniversary."""
    return _first_day(period, day, (enrolled.month, enrolled.day))


def last_day(period: str, day: date, enrolled: date) -> date:
    """The day before the next one begins."""
    return _last_day(period, day, (enrolled.month, enrolled.day))


@cache
def _first_day(period: str, day: date, anniversary: tuple[int, int]) -> date:
    while not _begins(period, day, anniversary):
        day -= ONE_DAY
    return day


@cache
def _last_day(period: str, day: date, anniversary: tuple[int, int]) -> date:
    while not _begins(period, day + ONE_DAY, anniversary):
        day += ONE_DAY
    return day


def _begins(period: str, day: date, anniversary: tuple[int, int]) -> bool:
    if period == "rolling_months":
        return day.day == 1
    month, number = anniversary if period == "anniversary_year" else (1, 1)
    return day.month == month and (day.day == number or (day.day < number and day == end_of_month(day)))
