"""When points expire: four policies, and the calendar of each.

::

    rolling      ``months`` after they became spendable, with the end of that month
    inactivity   the same, but any earning or spending renews the whole wallet
    fixed_date   on one day of the year
    never        they do not

All days are days of the program's time zone; the last day itself still belongs to the points.
"""

import calendar
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from loyalty.ledger.movements import NEVER, end_of_month
from loyalty.programs.fields import DocumentPart

MAX_LOTS: Final = 36
"""Lots that a wallet may hold at once: with month buckets three years, which keeps a wallet under one kilobyte.

Every policy stays within it by the bounds of its own fields, the lots of grace days (month ends) counted in.
"""

ExpiryPolicy = Literal["rolling", "never", "fixed_date", "inactivity"]
WarnDays = Annotated[int, Field(strict=True, ge=1, le=365)]

_LEAP_YEAR: Final = 2000
_WARNINGS: Final = (30, 7)
_FIELDS: Final[dict[ExpiryPolicy, frozenset[str]]] = {
    "rolling": frozenset({"months"}),
    "inactivity": frozenset({"months"}),
    "fixed_date": frozenset({"month", "day", "minimum_months"}),
    "never": frozenset(),
}
"""Fields that a policy has for itself. All but ``minimum_months`` are required."""


class Expiry(DocumentPart):
    """When points expire, in days of the program's time zone; their last day still belongs to them.

    ``rolling``: with the end of the month that lies ``months`` months after they became spendable. ``inactivity``: the
    same, and whatever is earned or spent renews all points of the wallet. ``fixed_date``: every year on ``day`` of
    ``month`` (29 February: the last day of February), the first such day at least ``minimum_months`` after they became
    spendable. ``never``: they do not.

    Points that come back after their last day may be spent for ``grace_days`` more, to the end of that month.
    ``warn_days``: how many days before the last day the member is warned; none where points never expire.
    """

    policy: ExpiryPolicy
    months: Annotated[int, Field(strict=True, ge=1, le=MAX_LOTS - 1)] | None = None
    month: Annotated[int, Field(strict=True, ge=1, le=12)] | None = None
    day: Annotated[int, Field(strict=True, ge=1, le=31)] | None = None
    minimum_months: Annotated[int, Field(strict=True, ge=0, le=24)] = 0
    grace_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 30
    warn_days: Annotated[tuple[WarnDays, ...], Field(max_length=3)] = _WARNINGS

    @model_validator(mode="before")
    @classmethod
    def _no_warnings_of_nothing(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("policy") == "never":
            return {"warn_days": (), **given}
        return given

    @model_validator(mode="after")
    def _fields_of_the_policy(self) -> Self:
        own = _FIELDS[self.policy]
        given = {name for name in frozenset().union(*_FIELDS.values()) if getattr(self, name)}
        if missing := sorted(own - given - {"minimum_months"}):
            raise ValueError(f"the policy '{self.policy}' needs {' and '.join(missing)}")
        if foreign := sorted(given - own):
            raise ValueError(f"the policy '{self.policy}' has no {' and no '.join(foreign)}; leave it out")
        if self.month and self.day and self.day > _days_in(_LEAP_YEAR, self.month):
            raise ValueError(f"{calendar.month_name[self.month]} has no day {self.day}")
        if len(set(self.warn_days)) != len(self.warn_days):
            raise ValueError("warn_days names a number of days twice")
        return self

    @property
    def renewed_by_activity(self) -> bool:
        """Whether whatever is earned or spent renews the older points of the wallet."""
        return self.policy == "inactivity"

    def last_day(self, spendable_on: date) -> date | None:
        """The last day of points that may be spent from ``spendable_on`` on, or None: they do not expire."""
        if self.policy == "never":
            return None
        if self.policy == "fixed_date":
            return self._first_fixed_day(months_later(spendable_on, self.minimum_months))
        return end_of_month(months_later(spendable_on.replace(day=1), _set(self.months)))

    def lot(self, spendable_on: date) -> str:
        """:meth:`last_day` as the key of a lot in the ledger."""
        last = self.last_day(spendable_on)
        return NEVER if last is None else last.isoformat()

    def _first_fixed_day(self, earliest: date) -> date:
        this_year, next_year = (self._fixed_day(year) for year in (earliest.year, earliest.year + 1))
        return this_year if this_year >= earliest else next_year

    def _fixed_day(self, year: int) -> date:
        month = _set(self.month)
        return date(year, month, min(_set(self.day), _days_in(year, month)))


def months_later(day: date, months: int) -> date:
    """The same day of the month that many months later, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, _days_in(year, month + 1)))


def _days_in(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _set(number: int | None) -> int:
    if number is None:
        raise AssertionError("a validated policy has its own fields")
    return number
