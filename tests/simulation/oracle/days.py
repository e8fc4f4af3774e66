"""Days, months and their beginnings, found by looking for them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
ONE_MILLISECOND = timedelta(milliseconds=1)


@cache
def end_of_month(day: date) -> date:
    """The last day of the month that ``day`` is in."""
    while (day + ONE_DAY).month == day.month:
        day += ONE_DAY
    return day


@cache
def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it has no such day."""
    first = day.replace(day=1)
    for _ in range(months):
        first = end_of_month(first) + ONE_DAY
    return min(first + (day.day - 1) * ONE_DAY, end_of_month(first))


@cache
def next_such_day(earliest: date, month: int, day: int) -> date:
    """The first day from ``earliest`` on that is that day of the year; the end of February where it has no such day."""
    found = earliest
    while not (found.month == month and (found.day == day or (found.day < day and found == end_of_month(found)))):
        found += ONE_DAY
    return found


@cache
def _start(zone: str, day: date) -> datetime:
    """The first moment at which a calendar in that zone shows ``day``, or a later day."""
    calendar = ZoneInfo(zone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    before, after = noon - 3 * ONE_DAY, noon + 3 * ONE_DAY
    while after - before > ONE_MILLISECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(calendar).date() < day:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=after.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar of a time zone."""

    zone: str

    def date_of(self, moment: datetime) -> date:
        """What it shows."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def clock(self, moment: datetime) -> datetime:
        """What clocks there show, without an offset."""
        return moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    def start_of(self, day: date) -> datetime:
        """When the day begins (UTC)."""
        return _start(self.zone, day)
