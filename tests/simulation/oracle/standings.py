"""Where a member stands on every ladder, what is tallied, and what of it falls due by itself."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from tests.simulation.oracle.days import ONE_DAY, Calendar
from tests.simulation.oracle.ladders import STATUS, Ladder, Stand, first_day, ungranted

REVIEW, GRANT_END, TIER_WARNING = "review", "grant_end", "tier_warning"


@dataclass(slots=True)
class PlainStandings:
    """The stands by ladder, where they are not the first, and what counts towards them by metric and period."""

    stands: dict[str, Stand]
    tallies: Counter[str] = field(default_factory=Counter)

    def copy(self) -> "PlainStandings":
        return PlainStandings(dict(self.stands), Counter(self.tallies))

    @property
    def tier(self) -> str:
        """On the main ladder."""
        return self.stands[STATUS].tier

    def stand(self, ladder: Ladder) -> Stand:
        return self.stands.get(ladder.id) or ladder.first()

    def ends(self, ladder: Ladder) -> Iterator[tuple[str, date]]:
        """What of a ladder is over, and from which day on."""
        stand, last = self.stand(ladder), ladder.last_day(self.stand(ladder))
        if stand.granted_until is not None:
            yield GRANT_END, stand.granted_until + ONE_DAY
        if last is not None:
            yield REVIEW, last + ONE_DAY

    def due_days(self, ladder: Ladder) -> set[date]:
        """The days at whose start something may be due."""
        found = {day for _, day in self.ends(ladder)}
        if last := ladder.last_day(self.stand(ladder)):
            found |= {last - days * ONE_DAY for days in ladder.warn_days}
        return found

    def warnings(self, ladder: Ladder, calendar: Calendar, today: date, enrolled: date) -> Iterator[str]:
        """Warnings of the start of a day: last day, and how many days are left."""
        stand, last = self.stand(ladder), ladder.last_day(self.stand(ladder))
        if last is None:
            return
        # A day that is skipped begins with the next one: so do its warnings.
        now = [
            days for days in ladder.warn_days if calendar.start_of(last - days * ONE_DAY) == calendar.start_of(today)
        ]
        if now and ladder.falls_to(stand, self.tallies, enrolled) is not None:
            yield from (f"{last.isoformat()}/{days}" for days in now)

    def happen(self, kind: str, ladder: Ladder, enrolled: date) -> None:
        """A grant ends, or a tier is reviewed: as of its own day, whenever that is noticed."""
        stand = self.stand(ladder)
        if kind == GRANT_END:
            self.stands[ladder.id] = ungranted(stand)
        elif (last := ladder.last_day(stand)) is not None:
            self.stands[ladder.id] = ladder.reviewed(stand, self.tallies, last + ONE_DAY, enrolled)

    def uncount(self, key: str, number: int) -> None:
        """Takes from a tally what is still there."""
        self.tallies[key] -= min(number, max(self.tallies[key], 0))

    def drop(self, ladders: list[Ladder], key: str, today: date, enrolled: date) -> None:
        """A tally that counts for nothing any more goes."""
        if is_past(ladders, key, today, enrolled):
            self.tallies[key] = 0

    def drop_months(self, ladders: list[Ladder], today: date, enrolled: date) -> None:
        """Months that no window reaches any more go, or a book would grow for ever."""
        for key in list(self.tallies):
            if len(key.rpartition("/")[2]) == len("2026-03") and _counting(ladders, key):
                self.drop(ladders, key, today, enrolled)


def is_past(ladders: list[Ladder], key: str, today: date, enrolled: date) -> bool:
    """Whether a tally counts for no ladder any more; of one that no ladder counts, two more calendar years."""
    name = key.rpartition("/")[2]
    if "/" not in key or name == "ever":
        return False
    counting = _counting(ladders, key)
    if not counting:
        return int(name[:4]) + 2 < today.year
    return all(ladder.is_past(name, today, enrolled) for ladder in counting)


def _counting(ladders: list[Ladder], key: str) -> list[Ladder]:
    metric, _, name = key.rpartition("/")
    lengths = {"calendar_year": 4, "rolling_months": 7, "anniversary_year": 10}
    return [one for one in ladders if one.metric == metric and lengths.get(one.period) == len(name)]


def year_of(key: str, enrolled: date) -> str:
    """Where a tally goes of somebody who is merged: a year from an anniversary to that in which it began."""
    metric, _, name = key.rpartition("/")
    if len(name) != len("2026-03-14"):
        return key
    return f"{metric}/{first_day('anniversary_year', date.fromisoformat(name), enrolled).isoformat()}"


def joined(ladder: Ladder, one: Stand, other: Stand) -> Stand:
    """The higher earned tier, for the longer where both are the same, and the higher grant."""
    earned = max((one, other), key=lambda stand: (ladder.rank(stand.earned), stand.until or date.min))
    granted = max((one, other), key=lambda stand: (ladder.rank(stand.granted), stand.granted_until or date.min))
    tier = max((earned.earned, granted.granted or earned.earned), key=ladder.rank)
    return replace(earned, tier=tier, granted=granted.granted, granted_until=granted.granted_until)
