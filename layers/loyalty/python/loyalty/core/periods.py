"""Periods of days that somebody asks for."""

from datetime import date
from typing import Final

from loyalty.core.errors import PeriodRefused

EARLIEST: Final = date(1971, 1, 1)
"""Nothing is older, and no shift of zone leads out of the calendar."""


def check_period(
    first: date, last: date, *, today: date, most: int, zone: str = "UTC", longer: str = "ask for it in parts"
) -> None:
    """That a period may be asked for. ``today`` is by the calendar of ``zone``; ``longer`` says how one of more days is had.

    Raises:
        PeriodRefused: see its message.
    """
    if last < first:
        raise PeriodRefused("The period ends before it begins.")
    if first < EARLIEST:
        raise PeriodRefused(f"The period begins before {EARLIEST}.")
    if (last - first).days >= most:
        raise PeriodRefused(f"A period has {most} days at most; {longer}.")
    if last > today:
        raise PeriodRefused(f"The period goes beyond today, which is {today} in {zone}.")
