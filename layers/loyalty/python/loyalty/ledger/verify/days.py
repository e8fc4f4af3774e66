"""When a program's days begin, as far as that is known.

A moment is compared with a day by the date that the program's clocks show, and in no other way: nothing here makes a
moment of a date, as the ledger does.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Final

from loyalty.ledger.model import Scope

INSTANT: Final = timedelta(milliseconds=1)
"""The step in which moments are stored."""

_FIRST_ZONE: Final = timezone(timedelta(hours=14))
_LAST_ZONE: Final = timezone(timedelta(hours=-12))


class Days:
    """Compares moments with days, each an ISO date; where the zone is not known, every zone of the world may be it."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._first, self._last = zone or _FIRST_ZONE, zone or _LAST_ZONE

    @classmethod
    def of(cls, scopes: Mapping[int, Scope]) -> "Days":
        """Those of a program, whose time zone never changes."""
        return cls(next((scope.zone for scope in scopes.values()), None))

    def latest(self, moment: datetime) -> str:
        """The latest date that it may be."""
        return moment.astimezone(self._first).date().isoformat()

    def earliest(self, moment: datetime) -> str:
        """The earliest date that it may be."""
        return moment.astimezone(self._last).date().isoformat()

    def may_have_begun(self, day: str, moment: datetime) -> bool:
        """Whether the day has begun, or may have."""
        return self.latest(moment) >= day

    def has_begun(self, day: str, moment: datetime) -> bool:
        """Whether the day has begun for certain."""
        return self.earliest(moment) >= day

    def may_begin(self, day: str, moment: datetime) -> bool:
        """Whether this may be the day's first moment."""
        return self.may_have_begun(day, moment) and not self.has_begun(day, moment - INSTANT)

    def years(self, moment: datetime) -> set[str]:
        """The years that it may be in."""
        return {self.earliest(moment)[:4], self.latest(moment)[:4]}


def days_after(day: str, days: int) -> str:
    """So many days later; earlier where ``days`` is below zero."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def month_end(day: str) -> str:
    """The last day of the day's month."""
    next_month = date.fromisoformat(day[:8] + "28") + timedelta(days=4)
    return (next_month - timedelta(days=next_month.day)).isoformat()


def warn_days(scopes: Iterable[Scope], wallet: str) -> set[int]:
    """How many days before a lot's last day every version that has the wallet warns."""
    named = [set(scope.terms[wallet].warn_days) for scope in scopes if wallet in scope.terms]
    return set.intersection(*named) if named else set()
