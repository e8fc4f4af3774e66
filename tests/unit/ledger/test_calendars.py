"""Tiers over the years, on calendars that were computed by hand: reached, kept, reviewed, lost, requalified.

Each line of a story is a moment by the program's clocks, what happens then, and where the member stands after it.
"""

from typing import Any

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.ladders import Climb, laddered

Story = tuple[dict[str, Any], str, list[tuple[str, str, str]]]

ROLLING = {"period": "rolling_months", "months": 12}
ANNIVERSARY = {"period": "anniversary_year"}

STORIES: dict[str, Story] = {
    "a calendar year: kept until the end of the next": (
        {"time_zone": "Europe/Rome"},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 499", "bronze"),
            ("2025-05-01T12:01", "earn 1", "silver 2026-12-31"),
            ("2026-12-31T23:59:59", "look", "silver 2026-12-31"),
            ("2027-01-01T00:00", "look", "bronze"),
        ],
    ),
    "the last second of a year counts in it": (
        {"time_zone": "Asia/Jakarta"},
        "2025-01-10T12:00",
        [
            ("2025-12-31T23:59:59", "earn 500", "silver 2026-12-31"),
            ("2027-01-01T00:00", "look", "bronze"),
        ],
    ),
    "the first second of a year counts in it": (
        {"time_zone": "Pacific/Auckland"},
        "2025-01-10T12:00",
        [
            ("2025-12-31T23:59:59", "earn 499", "bronze"),
            ("2026-01-01T00:00", "earn 499", "bronze"),
            ("2026-01-01T00:01", "earn 1", "silver 2027-12-31"),
        ],
    ),
    "earned again: kept for another year": (
        {"time_zone": "Europe/Rome"},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2026-06-01T12:00", "earn 500", "silver 2026-12-31"),
            ("2027-01-01T00:00", "look", "silver 2027-12-31"),
            ("2028-01-01T00:00", "look", "bronze"),
        ],
    ),
    "a lower tier earned again follows a higher one": (
        {"time_zone": "America/New_York"},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 2000", "gold 2026-12-31"),
            ("2026-06-01T12:00", "earn 700", "gold 2026-12-31"),
            ("2027-01-01T00:00", "look", "silver 2027-12-31"),
            ("2028-01-01T00:00", "look", "bronze"),
        ],
    ),
    "risen further: kept for what rose last": (
        {"time_zone": "Europe/Rome"},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2026-06-01T12:00", "earn 2000", "gold 2027-12-31"),
            ("2028-01-01T00:00", "look", "bronze"),
        ],
    ),
    "days of grace": (
        {"time_zone": "Pacific/Auckland", "downgrade": {"grace_days": 31}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2027-01-31T23:59:59", "look", "silver 2026-12-31"),
            ("2027-02-01T00:00", "look", "bronze"),
        ],
    ),
    "earned again within the days of grace": (
        {"time_zone": "Europe/Rome", "downgrade": {"grace_days": 31}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2027-01-20T12:00", "earn 500", "silver 2026-12-31"),
            ("2027-02-01T00:00", "look", "silver 2028-12-31"),
            ("2029-01-31T23:59:59", "look", "silver 2028-12-31"),
            ("2029-02-01T00:00", "look", "bronze"),
        ],
    ),
    "one level at a time": (
        {"time_zone": "Asia/Jakarta", "downgrade": {"by": "one_level"}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 2000", "gold 2026-12-31"),
            ("2027-01-01T00:00", "look", "silver 2027-12-31"),
            ("2027-12-31T23:59:59", "look", "silver 2027-12-31"),
            ("2028-01-01T00:00", "look", "bronze"),
        ],
    ),
    "one level at a time, with grace": (
        {"time_zone": "Asia/Jakarta", "downgrade": {"by": "one_level", "grace_days": 10}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 2000", "gold 2026-12-31"),
            ("2027-01-10T23:59:59", "look", "gold 2026-12-31"),
            ("2027-01-11T00:00", "look", "silver 2027-12-31"),
            ("2028-01-11T00:00", "look", "bronze"),
        ],
    ),
    "one level, for who was away for years": (
        {"time_zone": "Asia/Jakarta", "downgrade": {"by": "one_level"}},
        "2025-01-10T12:00",
        [("2025-05-01T12:00", "earn 2000", "gold 2026-12-31"), ("2031-07-01T00:00", "look", "bronze")],
    ),
    "this period alone": (
        {"time_zone": "America/New_York", "downgrade": {"valid_through": "this_period"}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2025-12-31"),
            ("2025-12-31T23:59:59", "look", "silver 2025-12-31"),
            ("2026-01-01T00:00", "look", "bronze"),
        ],
    ),
    "this period alone, earned again in its grace": (
        {"time_zone": "America/New_York", "downgrade": {"valid_through": "this_period", "grace_days": 60}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2025-12-31"),
            ("2026-02-28T12:00", "earn 500", "silver 2025-12-31"),
            ("2026-03-02T00:00", "look", "silver 2026-12-31"),  # the 61st day of the year
        ],
    ),
    "a year from an anniversary": (
        {"time_zone": "Europe/Rome", "qualification": ANNIVERSARY},
        "2025-03-14T09:00",
        [
            ("2026-03-13T23:59:59", "earn 500", "silver 2027-03-13"),
            ("2027-03-13T23:59:59", "look", "silver 2027-03-13"),
            ("2027-03-14T00:00", "look", "bronze"),
        ],
    ),
    "an anniversary is a day of the program's zone": (
        {"time_zone": "Asia/Jakarta", "qualification": ANNIVERSARY},
        "2025-03-14T00:00",  # the 13th in UTC
        [("2026-03-14T00:00", "earn 500", "silver 2028-03-13")],
    ),
    "enrolled on 29 February: on the 28th in common years": (
        {"time_zone": "Asia/Jakarta", "qualification": ANNIVERSARY},
        "2024-02-29T09:00",
        [
            ("2025-02-27T23:59:59", "earn 500", "silver 2026-02-27"),
            ("2026-02-28T00:00", "earn 500", "silver 2028-02-28"),
            ("2028-02-28T23:59:59", "look", "silver 2028-02-28"),
            ("2028-02-29T00:00", "look", "bronze"),
        ],
    ),
    "a rolling year: as long as its months earn it": (
        {"time_zone": "America/New_York", "qualification": ROLLING},
        "2025-01-10T12:00",
        [
            ("2025-03-31T23:30", "earn 300", "bronze"),
            ("2025-07-04T12:00", "earn 300", "silver 2026-02-28"),
            ("2026-02-28T23:59:59", "look", "silver 2026-02-28"),
            ("2026-03-01T00:00", "look", "bronze"),
        ],
    ),
    "a rolling year, earned on": (
        {"time_zone": "America/New_York", "qualification": ROLLING},
        "2025-01-10T12:00",
        [
            ("2025-03-31T23:30", "earn 300", "bronze"),
            ("2025-07-04T12:00", "earn 300", "silver 2026-02-28"),
            ("2026-02-10T12:00", "earn 200", "silver 2026-02-28"),
            ("2026-03-01T00:00", "look", "silver 2026-06-30"),
            ("2026-07-01T00:00", "look", "bronze"),
        ],
    ),
    "a rolling year with grace": (
        {"time_zone": "Pacific/Auckland", "qualification": ROLLING, "downgrade": {"grace_days": 30}},
        "2025-01-10T12:00",
        [
            ("2025-03-31T12:00", "earn 500", "silver 2026-02-28"),
            ("2026-03-30T23:59:59", "look", "silver 2026-02-28"),
            ("2026-03-31T00:00", "look", "bronze"),
        ],
    ),
    "three rolling months through a leap day, one level at a time": (
        {
            "time_zone": "Europe/Rome",
            "qualification": {"period": "rolling_months", "months": 3},
            "downgrade": {"by": "one_level"},
        },
        "2027-01-10T12:00",
        [
            ("2027-12-31T23:59:59", "earn 2000", "gold 2028-02-29"),
            ("2028-02-29T23:59:59", "look", "gold 2028-02-29"),
            ("2028-03-01T00:00", "look", "silver 2028-03-31"),
            ("2028-04-01T00:00", "look", "bronze"),
        ],
    ),
    "one level, and what was earned in the days of grace makes it no shorter": (
        {
            "time_zone": "Europe/Rome",
            "qualification": {"period": "rolling_months", "months": 1},
            "downgrade": {"by": "one_level", "grace_days": 31},
        },
        "2025-01-10T12:00",
        [
            ("2025-03-10T12:00", "earn 2000", "gold 2025-03-31"),
            ("2025-04-10T12:00", "earn 500", "gold 2025-03-31"),
            ("2025-05-02T00:00", "look", "silver 2025-05-31"),
            ("2025-07-01T23:59:59", "look", "silver 2025-05-31"),
            ("2025-07-02T00:00", "look", "bronze"),
        ],
    ),
    "a lifetime": (
        {"qualification": {"period": "lifetime"}, "downgrade": {"by": "never"}},
        "2025-01-10T12:00",
        [
            ("2025-03-31T12:00", "earn 499", "bronze"),
            ("2031-03-31T12:00", "earn 1", "silver"),
            ("2099-01-01T00:00", "look", "silver"),
        ],
    ),
    "never down, as without anything said": (
        {"downgrade": {"by": "never"}},
        "2025-01-10T12:00",
        [("2025-03-31T12:00", "earn 500", "silver"), ("2099-01-01T00:00", "look", "silver")],
    ),
    "a refund waits for the review": (
        {"time_zone": "Europe/Rome"},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2025-06-01T12:00", "refund 1 200", "silver 2026-12-31"),
            ("2027-01-01T00:00", "look", "bronze"),
        ],
    ),
    "a refund of what had kept the tier": (
        {"time_zone": "Europe/Rome"},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2026-06-01T12:00", "earn 500", "silver 2026-12-31"),
            ("2026-07-01T12:00", "refund 2", "silver 2026-12-31"),
            ("2027-01-01T00:00", "look", "bronze"),
        ],
    ),
    "a refund at once": (
        {"time_zone": "Europe/Rome", "downgrade": {"after_reversal": "at_once"}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2025-06-01T12:00", "refund 1 100", "silver 2026-12-31"),
            ("2025-06-02T12:00", "refund 1 1", "bronze"),
            ("2025-07-01T12:00", "earn 1", "silver 2026-12-31"),
        ],
    ),
    "a refund at once leaves what another year earns": (
        {"time_zone": "Europe/Rome", "downgrade": {"after_reversal": "at_once"}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 2000", "gold 2026-12-31"),
            ("2026-05-01T12:00", "earn 600", "gold 2026-12-31"),
            ("2026-06-01T12:00", "refund 1", "silver 2027-12-31"),
        ],
    ),
    "a refund at once takes nothing that was left of a higher tier": (
        {"time_zone": "Europe/Rome", "downgrade": {"by": "one_level", "after_reversal": "at_once"}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 2000", "gold 2026-12-31"),
            ("2027-01-01T12:00", "earn 10", "silver 2027-12-31"),
            ("2027-01-02T12:00", "refund 2", "silver 2027-12-31"),
        ],
    ),
    "a refund at once on the last day of grace takes nothing that is kept through it": (
        {"time_zone": "Europe/Rome", "downgrade": {"grace_days": 31, "after_reversal": "at_once"}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2027-01-31T12:00", "earn 10", "silver 2026-12-31"),
            ("2027-01-31T13:00", "refund 2", "silver 2026-12-31"),
            ("2027-02-01T00:00", "look", "bronze"),
        ],
    ),
    "a refund at once where tiers never end": (
        {"time_zone": "Europe/Rome", "downgrade": {"by": "never", "after_reversal": "at_once"}},
        "2025-01-10T12:00",
        [
            ("2025-05-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2025-06-01T12:00", "refund 1", "bronze"),
            ("2025-07-01T12:00", "earn 600", "silver 2026-12-31"),
            ("2027-02-01T12:00", "refund 3", "silver 2026-12-31"),  # for good by now
        ],
    ),
    "a refund brings the review of a rolling year forward": (
        {"time_zone": "Europe/Rome", "qualification": ROLLING},
        "2025-01-10T12:00",
        [
            ("2025-03-01T12:00", "earn 500", "silver 2026-02-28"),
            ("2025-06-10T12:00", "refund 1 1", "silver 2025-06-30"),
            ("2025-07-01T00:00", "look", "bronze"),
        ],
    ),
}


@pytest.mark.parametrize("told", STORIES)
def test_where_a_member_stands(told: str, table: Table) -> None:
    changes, enrolled, story = STORIES[told]
    climb = Climb(table, laddered(**changes), enrolled)
    assert [climb.on(moment, act) for moment, act, _ in story] == [stands for _, _, stands in story]
    climb.world.settle()
    climb.world.proven()
    assert climb.standing() == story[-1][2]


@pytest.mark.parametrize("told", STORIES)
def test_writing_down_what_fell_due_changes_nothing(told: str, table: Table) -> None:
    changes, enrolled, story = STORIES[told]
    climb = Climb(table, laddered(**changes), enrolled)
    for moment, act, stands in story:
        climb.on(moment, "settle")
        assert climb.on(moment, act) == stands
    climb.world.proven()
