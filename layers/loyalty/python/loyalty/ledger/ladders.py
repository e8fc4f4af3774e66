"""Where a member stands on a ladder of tiers: its periods, what they tally, how long a tier lasts. Pure.

::

    reached here             kept until its end         no longer
    |------ period p ------|------ period p + 1 ------|-- grace days --|
                                       valid_until ---^                ^--- reviewed, at the start of the day after

At a review the member gets what the tallies still earn: each period counts as long as a tier reached in it is kept. So
a tier that was earned again is kept on, and nobody depends on a job having run. With ``this_period`` a tier is kept until
the end of the period in which it was reached. A rolling window moves on at the start of every month; a tier lasts as
long as the months in the window earn it.

All days are days of the program's zone. Tallies are whole: points, minor units of money, or activities.
"""

import calendar
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

STATUS: Final = "status"
"""The ladder that every program has; the tier on it decides what is earned."""
PLAIN: Final = "points"
SPEND: Final = "spend"
"""The metric whose calendar years are tallied under the year alone."""
EVER: Final = "ever"
_DAY: Final = timedelta(days=1)
_LONGEST_YEAR: Final = timedelta(days=366)


class Period(StrEnum):
    """What a tier is counted in."""

    CALENDAR_YEAR = "calendar_year"
    ANNIVERSARY_YEAR = "anniversary_year"
    """A year from the day of enrollment; of 29 February, from the 28th in common years."""
    ROLLING_MONTHS = "rolling_months"
    """The present calendar month and those before it."""
    LIFETIME = "lifetime"


class DowngradeBy(StrEnum):
    """What becomes of a tier that is not earned any more when it is reviewed."""

    NEVER = "never"
    """It stays."""
    ACHIEVEMENT = "achievement"
    """It becomes the one that is earned."""
    ONE_LEVEL = "one_level"
    """It becomes the one below, or a higher one that is earned."""


@dataclass(frozen=True, slots=True)
class LadderTerms:
    """A program's rules for one ladder, as far as the ledger needs them.

    ``tiers`` maps each tier to its threshold in units of the tally, lowest first. ``metric`` names what is tallied.
    ``grace_days``: how long a tier is kept after its last day. ``warn_days``: how many days before that the member
    is warned. ``at_once``: a reversal lowers a tier that the rest does not earn, without waiting for the review.
    """

    tiers: Mapping[str, int]
    metric: str = PLAIN
    period: Period = Period.CALENDAR_YEAR
    months: int = 12
    downgrade: DowngradeBy = DowngradeBy.NEVER
    this_period: bool = False
    grace_days: int = 0
    warn_days: tuple[int, ...] = ()
    at_once: bool = False

    @property
    def first(self) -> str:
        """The tier of whoever has earned nothing."""
        return next(iter(self.tiers))

    @property
    def keeps_standings(self) -> bool:
        """Whether it has to be known until when a tier is kept."""
        return self.at_once or self.downgrade is not DowngradeBy.NEVER

    def rank(self, tier: str | None) -> int:
        """How high a tier is, from 0; one that this version does not have counts as the first."""
        return next((place for place, one in enumerate(self.tiers) if one == tier), 0)

    def higher(self, tiers: Iterable[str | None]) -> str:
        """The highest of some tiers."""
        return list(self.tiers)[max(map(self.rank, tiers), default=0)]

    def reached(self, tally: int) -> str:
        """The highest tier whose threshold a tally reaches."""
        return [tier for tier, threshold in self.tiers.items() if threshold <= max(tally, 0)][-1]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands on a ladder.

    ``tier`` is the higher of ``earned`` and, through ``granted_until``, ``granted``. ``earned`` is kept through
    ``valid_until`` and the days of grace; None: until it is decided otherwise. ``kept``: it is not earned by any tally,
    but left of a higher one or of a time before, so that no reversal takes it.
    """

    tier: str
    earned: str
    valid_until: date | None = None
    kept: bool = False
    granted: str | None = None
    granted_until: date | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A tier that tallies earn, and through which day (None: for good, or it is the first)."""

    tier: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Tallies:
    """What counts towards tiers, by ``{metric}/{bucket}``, and the day of enrollment, from which anniversaries count."""

    counted: Mapping[str, int]
    opened_on: date | None

    def now(self, terms: LadderTerms, day: date) -> int:
        """The tally of the period that a day is in; of a rolling window, that of its month."""
        if terms.period is Period.ROLLING_MONTHS:
            return self._window(terms, _month(day))
        return self.counted.get(bucket(terms, day, self.opened_on), 0)

    def reached(self, terms: LadderTerms, day: date) -> Reached:
        """What the period that a day is in earns."""
        if terms.period is Period.ROLLING_MONTHS:
            return _best(terms, self._months(terms, day, day))
        until = None if terms.period is Period.LIFETIME else _kept_until(terms, day, self.opened_on)
        return _best(terms, [(self.now(terms, day), until)])

    def entitled(self, terms: LadderTerms, day: date) -> Reached:
        """What all periods earn together that still count on a day, days of grace included."""
        if terms.period is Period.LIFETIME:
            return self.reached(terms, day)
        since = day - timedelta(days=terms.grace_days)
        if terms.period is Period.ROLLING_MONTHS:
            return _best(terms, self._months(terms, since, day))
        return _best(terms, self._years(terms, since, day))

    def _years(self, terms: LadderTerms, since: date, day: date) -> Iterator[tuple[int, date | None]]:
        until = _kept_until(terms, day, self.opened_on)
        while until >= since:
            yield self.now(terms, day), until
            day = period_of(terms, day, self.opened_on)[0] - _DAY
            until = _kept_until(terms, day, self.opened_on)

    def _months(self, terms: LadderTerms, since: date, day: date) -> Iterator[tuple[int, date | None]]:
        """What the windows earn from that of ``since`` on to the last that has anything of now in it."""
        for month in range(_month(since), _month(day) + terms.months):
            yield self._window(terms, month), _last_of(month)

    def _window(self, terms: LadderTerms, month: int) -> int:
        names = (_month_name(one) for one in range(month - terms.months + 1, month + 1))
        return sum(self.counted.get(f"{terms.metric}/{name}", 0) for name in names)


def bucket(terms: LadderTerms, day: date, opened_on: date | None) -> str:
    """The key under which is tallied what counts on a day."""
    match terms.period:
        case Period.CALENDAR_YEAR:
            return str(day.year) if terms.metric == PLAIN else f"{terms.metric}/{day.year}"
        case Period.ANNIVERSARY_YEAR:
            return f"{terms.metric}/{year_start(day, opened_on).isoformat()}"
        case Period.ROLLING_MONTHS:
            return f"{terms.metric}/{_month_name(_month(day))}"
        case Period.LIFETIME:
            return f"{terms.metric}/{EVER}"


def period_of(terms: LadderTerms, day: date, opened_on: date | None) -> tuple[date, date]:
    """The first and the last day of the period that a day is in; of a rolling window, those of its last month."""
    match terms.period:
        case Period.ANNIVERSARY_YEAR:
            start = year_start(day, opened_on)
            return start, _next_year_start(start, opened_on) - _DAY
        case Period.ROLLING_MONTHS:
            return day.replace(day=1), _last_of(_month(day))
        case _:
            return date(day.year, 1, 1), date(day.year, 12, 31)


def year_start(day: date, opened_on: date | None) -> date:
    """The anniversary of the enrollment on which the year of a day begins; of an unknown one, New Year."""
    this_year = _anniversary(day.year, opened_on)
    return this_year if this_year <= day else _anniversary(day.year - 1, opened_on)


def is_over(terms: LadderTerms, name: str, today: date) -> bool:
    """Whether the bucket of that name counts towards no tier any more: from the year, month or day that it names."""
    since = today - timedelta(days=terms.grace_days)
    match terms.period:
        case Period.CALENDAR_YEAR:
            return date(int(name) + 1, 12, 31) < since
        case Period.ANNIVERSARY_YEAR:
            return date.fromisoformat(name) + 2 * _LONGEST_YEAR < since
        case Period.ROLLING_MONTHS:
            return _month(date.fromisoformat(f"{name}-01")) + terms.months - 1 < _month(since)
        case Period.LIFETIME:
            return False


def rekeyed(counted: Mapping[str, int], opened_on: date | None) -> dict[str, int]:
    """The same tallies for somebody who enrolled on another day: each year goes to the one in which it began."""
    found: dict[str, int] = {}
    for key, number in counted.items():
        metric, name = _parts(key)
        first = _first_day(name)
        new = key if first is None else f"{metric}/{year_start(first, opened_on).isoformat()}"
        found[new] = found.get(new, 0) + number
    return found


def uncounted(counted: Mapping[str, int], taken: Mapping[str, int]) -> dict[str, int]:
    """What a reversal takes from tallies: from buckets that are still there, and no more than is in them.

    What was earned by somebody who was merged into this member since is in the year to which :func:`rekeyed` took it.
    """
    found: dict[str, int] = {}
    for key, number in taken.items():
        home = key if key in counted else _year_of(counted, key)
        if home is not None and (part := min(number, counted[home] + found.get(home, 0))) > 0:
            found[home] = found.get(home, 0) - part
    return found


def wallet_of(key: str) -> str | None:
    """The wallet whose points a bucket counts; None where it counts no points."""
    metric = _parts(key)[0].partition("+")[0].partition(":")[0]
    what, _, wallet = metric.partition(".")
    return (wallet or PLAIN) if what == PLAIN else None


def counts_money(key: str) -> bool:
    """Whether a bucket counts money that was spent."""
    return _parts(key)[0].startswith(f"{SPEND}.")


def _year_of(counted: Mapping[str, int], key: str) -> str | None:
    """The bucket of the same metric whose year from an anniversary the first day of another's is in."""
    metric, name = _parts(key)
    first = _first_day(name)
    for other in counted:
        start = _first_day(_parts(other)[1])
        if first and start and _parts(other)[0] == metric and start <= first < start + _LONGEST_YEAR:
            return other
    return None


def _parts(key: str) -> tuple[str, str]:
    """Metric and name of a bucket."""
    metric, separator, name = key.rpartition("/")
    return (metric, name) if separator else (PLAIN, key)


def _first_day(name: str) -> date | None:
    """Of the bucket of a year from an anniversary; None of others."""
    return date.fromisoformat(name) if len(name) == len("2026-03-14") else None


def last_day(terms: LadderTerms, standing: Standing) -> date | None:
    """The last day of an earned tier, days of grace included; None: nothing ends it by itself."""
    falls = terms.downgrade is not DowngradeBy.NEVER and terms.rank(standing.earned) > 0
    return standing.valid_until + timedelta(days=terms.grace_days) if falls and standing.valid_until else None


def reviewed(terms: LadderTerms, standing: Standing, tallies: Tallies, day: date) -> Standing:
    """Where a member stands from ``day`` on, the earned tier being over."""
    reached = tallies.entitled(terms, day)
    below = terms.rank(standing.earned) - 1
    if terms.downgrade is DowngradeBy.ONE_LEVEL and below > 0 and terms.rank(reached.tier) <= below:
        until = period_of(terms, day, tallies.opened_on)[1]
        # What earns it until a day in the past, in its days of grace, is no less than nothing.
        if terms.rank(reached.tier) < below or (reached.until or date.max) < until:
            return stand(terms, standing, Reached(list(terms.tiers)[below], until), kept=True)
    return stand(terms, standing, reached)


def stand(terms: LadderTerms, standing: Standing, reached: Reached, *, kept: bool = False) -> Standing:
    """With another earned tier; what was granted stays."""
    tier = terms.higher([reached.tier, standing.granted])
    return replace(standing, tier=tier, earned=reached.tier, valid_until=reached.until, kept=kept)


def grant(terms: LadderTerms, standing: Standing, tier: str, until: date) -> Standing:
    """With a tier that somebody grants through a day; an earlier grant ends."""
    return replace(standing, tier=terms.higher([standing.earned, tier]), granted=tier, granted_until=until)


def ungranted(standing: Standing) -> Standing:
    """Without a granted tier."""
    return replace(standing, tier=standing.earned, granted=None, granted_until=None)


def _best(terms: LadderTerms, chances: Iterable[tuple[int, date | None]]) -> Reached:
    """The highest tier that one of the tallies reaches, and the last of the days until which one does."""
    found = [Reached(terms.reached(tally), until) for tally, until in chances]
    best = max(found, key=lambda one: (terms.rank(one.tier), one.until or date.max), default=Reached(terms.first, None))
    return best if terms.rank(best.tier) else Reached(terms.first, None)


def _kept_until(terms: LadderTerms, day: date, opened_on: date | None) -> date:
    """The last day of a tier that is reached on a day, without grace."""
    end = period_of(terms, day, opened_on)[1]
    return end if terms.this_period else period_of(terms, end + _DAY, opened_on)[1]


def _anniversary(year: int, opened_on: date | None) -> date:
    month, day = (opened_on.month, opened_on.day) if opened_on else (1, 1)
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _next_year_start(start: date, opened_on: date | None) -> date:
    return _anniversary(start.year + 1, opened_on)


def _month(day: date) -> int:
    """Months since the year 0: those of a window follow one another."""
    return day.year * 12 + day.month - 1


def _month_name(month: int) -> str:
    return f"{month // 12:04}-{month % 12 + 1:02}"


def _last_of(month: int) -> date:
    year, place = divmod(month, 12)
    return date(year, place + 1, calendar.monthrange(year, place + 1)[1])
