"""Periods of days that somebody asks for."""

from datetime import date

from loyalty.core.errors import PeriodRefused


def check_period(
    first: date, last: date, *, today: date, most: int, zone: str = "UTC", longer: str = "ask for it in parts"
) -> None:
    """That a period may be asked for. ``today`` is by the calendar of ``zone``; ``longer`` says how one of more days is had.

    Raises:
        PeriodRefused: see its message.
    """
    if last < first:
        raise PeriodRefused("The period ends before it begins.")
    if (last - first).days >= most:
        raise PeriodRefused(f"A period has {most} days at most; {longer}.")
    if last > today:
        raise PeriodRefused(f"The period goes beyond today, which is {today} in {zone}.")
