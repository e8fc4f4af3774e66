"""What counts together on a ladder, under which name, and until when: calendars that were computed by hand."""

from datetime import date, timedelta
from typing import Any

import pytest

from loyalty.ledger.ladders import LadderTerms, Period, Reached, Tallies, bucket, is_over, period_of

TIERS = {"bronze": 0, "silver": 500, "gold": 2000}
CALENDAR: dict[str, Any] = {}
ANNIVERSARY = {"period": Period.ANNIVERSARY_YEAR}
LIFETIME = {"period": Period.LIFETIME}
MARCH, LEAP = "2025-03-14", "2024-02-29"


def rolling(months: int, **more: Any) -> dict[str, Any]:
    return {"period": Period.ROLLING_MONTHS, "months": months, **more}


def ladder(**terms: Any) -> LadderTerms:
    return LadderTerms(TIERS, **terms)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize(
    ("terms", "opened_on", "today", "key", "period"),
    [
        (CALENDAR, None, "2026-01-01", "2026", "2026-01-01/2026-12-31"),
        (CALENDAR, MARCH, "2028-02-29", "2028", "2028-01-01/2028-12-31"),
        ({"metric": "spend.EUR"}, None, "2026-12-31", "spend.EUR/2026", "2026-01-01/2026-12-31"),
        (ANNIVERSARY, MARCH, "2025-03-14", "points/2025-03-14", "2025-03-14/2026-03-13"),
        (ANNIVERSARY, MARCH, "2026-03-13", "points/2025-03-14", "2025-03-14/2026-03-13"),
        (ANNIVERSARY, MARCH, "2026-03-14", "points/2026-03-14", "2026-03-14/2027-03-13"),
        # Enrolled on 29 February: the 28th in common years.
        (ANNIVERSARY, LEAP, "2025-02-27", "points/2024-02-29", "2024-02-29/2025-02-27"),
        (ANNIVERSARY, LEAP, "2025-02-28", "points/2025-02-28", "2025-02-28/2026-02-27"),
        (ANNIVERSARY, LEAP, "2028-02-28", "points/2027-02-28", "2027-02-28/2028-02-28"),
        (ANNIVERSARY, LEAP, "2028-02-29", "points/2028-02-29", "2028-02-29/2029-02-27"),
        # Of whoever enrolled nobody knows when, from New Year.
        (ANNIVERSARY, None, "2026-12-31", "points/2026-01-01", "2026-01-01/2026-12-31"),
        (rolling(12), MARCH, "2026-12-31", "points/2026-12", "2026-12-01/2026-12-31"),
        (rolling(3), None, "2028-02-01", "points/2028-02", "2028-02-01/2028-02-29"),
    ],
)
def test_what_a_day_counts_with(
    terms: dict[str, Any], opened_on: str | None, today: str, key: str, period: str
) -> None:
    assert bucket(ladder(**terms), date.fromisoformat(today), day(opened_on)) == key
    assert period_of(ladder(**terms), date.fromisoformat(today), day(opened_on)) == tuple(map(day, period.split("/")))


def test_a_lifetime_has_one_bucket_that_is_never_over() -> None:
    terms = ladder(**LIFETIME, metric="activities.stay")
    assert bucket(terms, date(2026, 7, 1), day(MARCH)) == "activities.stay/ever"
    assert is_over(terms, "ever", date.max) is False


MONTHS = {f"points/{month}": number for month, number in (("2025-12", 1), ("2026-01", 2), ("2026-02", 4))}
MONTHS |= {"points/2026-03": 8, "points/2026-04": 16, "spend.EUR/2026-03": 32, "2026": 64}


@pytest.mark.parametrize(
    ("terms", "today", "tally"),
    [
        (rolling(1), "2026-03-31", 8),
        (rolling(2), "2026-03-01", 4 + 8),
        (rolling(3), "2026-02-28", 1 + 2 + 4),
        (rolling(3), "2026-03-15", 2 + 4 + 8),
        (rolling(24), "2026-03-15", 1 + 2 + 4 + 8),
        (rolling(12), "2026-12-31", 2 + 4 + 8 + 16),
        (rolling(3), "2026-07-01", 0),
        (rolling(3, metric="spend.EUR"), "2026-05-31", 32),
        (CALENDAR, "2026-05-31", 64),
        (CALENDAR, "2027-01-01", 0),
    ],
)
def test_what_counts_now(terms: dict[str, Any], today: str, tally: int) -> None:
    assert Tallies(MONTHS, None).now(ladder(**terms), date.fromisoformat(today)) == tally


BRONZE = Reached("bronze", None)


def through(tier: str, until: str) -> Reached:
    return Reached(tier, date.fromisoformat(until))


TWO_YEARS = {"points/2025-03-14": 2000, "points/2026-03-14": 600}
AGAIN = {"points/2025-03-14": 600, "points/2026-03-14": 500}
LEAP_YEAR = {"points/2024-02-29": 500}
DIAGRAM = {"points/2025-03": 300, "points/2025-07": 300, "points/2026-02": 200}
ENTITLED: dict[str, tuple[dict[str, Any], dict[str, int], str, str, Reached]] = {
    "the higher of two years": (ANNIVERSARY, TWO_YEARS, MARCH, "2027-03-13", through("gold", "2027-03-13")),
    "the year that still counts": (ANNIVERSARY, TWO_YEARS, MARCH, "2027-03-14", through("silver", "2028-03-13")),
    "no year any more": (ANNIVERSARY, TWO_YEARS, MARCH, "2028-03-14", BRONZE),
    "the later day of one tier": (ANNIVERSARY, AGAIN, MARCH, "2026-06-01", through("silver", "2028-03-13")),
    "the last day of grace": (
        ANNIVERSARY | {"grace_days": 10},
        TWO_YEARS,
        MARCH,
        "2027-03-23",
        through("gold", "2027-03-13"),
    ),
    "the day after grace": (
        ANNIVERSARY | {"grace_days": 10},
        TWO_YEARS,
        MARCH,
        "2027-03-24",
        through("silver", "2028-03-13"),
    ),
    "this year alone": (
        ANNIVERSARY | {"this_period": True},
        TWO_YEARS,
        MARCH,
        "2026-03-14",
        through("silver", "2027-03-13"),
    ),
    "a leap day's years": (ANNIVERSARY, LEAP_YEAR, LEAP, "2026-02-27", through("silver", "2026-02-27")),
    "a leap day's years are over": (ANNIVERSARY, LEAP_YEAR, LEAP, "2026-02-28", BRONZE),
    "more than a year of grace": (
        ANNIVERSARY | {"grace_days": 400},
        TWO_YEARS,
        MARCH,
        "2028-04-16",  # 400 days after 13 March 2027 is 16 April 2028
        through("gold", "2027-03-13"),
    ),
    "a calendar year and the next": (CALENDAR, {"2025": 500}, MARCH, "2026-12-31", through("silver", "2026-12-31")),
    "a calendar year and no more": (CALENDAR, {"2025": 500}, MARCH, "2027-01-01", BRONZE),
    "windows: as long as one earns it": (rolling(12), DIAGRAM, MARCH, "2025-07-04", through("silver", "2026-06-30")),
    "windows: of what is earned so far": (
        rolling(12),
        {key: DIAGRAM[key] for key in ("points/2025-03", "points/2025-07")},
        MARCH,
        "2025-07-04",
        through("silver", "2026-02-28"),
    ),
    "windows: reviewed": (rolling(12), DIAGRAM, MARCH, "2026-03-01", through("silver", "2026-06-30")),
    "windows: lost": (rolling(12), DIAGRAM, MARCH, "2026-07-01", BRONZE),
    "windows: grace reaches back": (
        rolling(12, grace_days=31),
        DIAGRAM,
        MARCH,
        "2026-07-31",
        through("silver", "2026-06-30"),
    ),
    "windows: no grace left": (rolling(12, grace_days=31), DIAGRAM, MARCH, "2026-08-01", BRONZE),
    "a lifetime": (LIFETIME, {"points/ever": 1999}, MARCH, "2099-01-01", Reached("silver", None)),
}


@pytest.mark.parametrize("told", ENTITLED)
def test_what_is_earned_and_until_when(told: str) -> None:
    terms, counted, opened_on, today, reached = ENTITLED[told]
    assert Tallies(counted, day(opened_on)).entitled(ladder(**terms), date.fromisoformat(today)) == reached


@pytest.mark.parametrize(
    ("terms", "name", "last"),
    [
        (CALENDAR, "2025", "2026-12-31"),
        (CALENDAR | {"grace_days": 31}, "2025", "2027-01-31"),
        (CALENDAR | {"grace_days": 60}, "2026", "2028-02-29"),
        (rolling(1), "2026-01", "2026-01-31"),
        (rolling(3), "2025-12", "2026-02-28"),
        (rolling(12), "2025-03", "2026-02-28"),
        (rolling(3, grace_days=10), "2027-12", "2028-03-10"),
    ],
)
def test_a_bucket_is_over_after_the_last_day_that_it_counts(terms: dict[str, Any], name: str, last: str) -> None:
    until = date.fromisoformat(last)
    assert is_over(ladder(**terms), name, until) is False
    assert is_over(ladder(**terms), name, until + timedelta(days=1)) is True


@pytest.mark.parametrize(
    ("grace", "name", "last"),
    [
        (0, "2025-03-14", "2027-03-13"),
        (0, "2023-02-28", "2025-02-27"),  # of 29 February: the second year has 365 days, the first 366
        (0, "2024-02-29", "2026-02-27"),
        (31, "2025-03-14", "2027-04-13"),
    ],
)
def test_a_year_from_an_anniversary_is_kept_through_the_next_and_given_up_within_days(
    grace: int, name: str, last: str
) -> None:
    """Its bucket names its first day alone, so the longest years are waited for: never too short, and not much longer."""
    terms, until = ladder(**ANNIVERSARY, grace_days=grace), date.fromisoformat(last)
    assert is_over(terms, name, until) is False
    assert is_over(terms, name, until + timedelta(days=5)) is True
