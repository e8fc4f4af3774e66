from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from loyalty.core.clock import from_text, local_date, system_clock, to_text


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    rome = datetime(2026, 11, 22, 10, 30, 0, 123999, tzinfo=timezone(timedelta(hours=1)))
    assert to_text(rome) == "2026-11-22T09:30:00.123Z"
    assert from_text("2026-11-22T09:30:00.123Z") == datetime(2026, 11, 22, 9, 30, 0, 123000, tzinfo=UTC)
    assert from_text("2026-11-22T10:30:00+01:00").tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_text(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_system_clock_is_aware() -> None:
    assert system_clock().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2026-03-31"),
        ("Asia/Jakarta", "2026-04-01"),
        ("America/New_York", "2026-03-31"),
        ("Europe/Rome", "2026-04-01"),
    ],
)
def test_a_program_s_date_is_that_of_its_own_zone(zone: str, expected: str) -> None:
    assert local_date(datetime(2026, 3, 31, 22, 30, tzinfo=UTC), ZoneInfo(zone)).isoformat() == expected
