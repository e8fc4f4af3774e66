"""The proof's own rules of lots: what is taken first, what may come back to where, and how long grace lasts."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest

from loyalty.ledger.model import Change, Terms
from loyalty.ledger.verify.days import Days
from loyalty.ledger.verify.lots import came_back, grace, takes_first
from loyalty.ledger.verify.replay import Sums
from tests.ledgerkit.clock import at

MARCH, APRIL, MAY, JUNE = "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"
UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("taken", "left", "first", "right"),
    [
        ({MARCH: -5}, {APRIL: 5}, (), True),
        ({MARCH: -5}, {MARCH: 1, APRIL: 5}, (), True),
        ({APRIL: -5}, {MARCH: 1}, (), False),
        ({MARCH: -5, MAY: -1}, {APRIL: 1}, (), False),
        ({MARCH: -5, MAY: -1}, {APRIL: 0, JUNE: 9}, (), True),
        ({MAY: -5}, {MARCH: 1}, (MAY,), True),
        ({MARCH: -5}, {MAY: 1}, (MAY,), False),
        ({MAY: 5}, {MARCH: 1}, (), True),
    ],
)
def test_what_expires_first_is_taken_first_after_what_goes_before_all(
    taken: Mapping[str, int], left: Mapping[str, int], first: tuple[str, ...], right: bool
) -> None:
    assert takes_first(taken, Sums(lots=left), first=first) is right


@pytest.mark.parametrize(
    ("back", "right"),
    [
        ({MARCH: 5, APRIL: 5, MAY: 5}, True),
        ({MARCH: 1, APRIL: 5, MAY: 5}, True),
        ({APRIL: 5, MAY: 5}, True),
        ({APRIL: 1, MAY: 5}, True),
        ({MAY: 1}, True),
        ({}, True),
        ({MARCH: 5, MAY: 5}, False),
        ({MARCH: 1, APRIL: 1, MAY: 5}, False),
        ({MARCH: 5, APRIL: 5}, False),
        ({MARCH: 6, APRIL: 5, MAY: 5}, False),
        ({MARCH: 5, APRIL: 5, MAY: 5, JUNE: 1}, False),
    ],
)
def test_what_is_owed_is_paid_by_what_expires_first_and_the_rest_comes_back(
    back: Mapping[str, int], right: bool
) -> None:
    assert came_back({MARCH: 5, APRIL: 5, MAY: 5}, Change(lots=back), [{}]) is right


def test_what_expired_meanwhile_may_come_back_to_any_of_the_lots_that_it_may_have_gone_to() -> None:
    given, targets = {MARCH: 5, MAY: 5}, [{MARCH: APRIL}, {MARCH: MAY}]
    assert came_back(given, Change(lots={APRIL: 5, MAY: 5}), targets)
    assert came_back(given, Change(lots={MAY: 10}), targets)
    assert not came_back(given, Change(lots={MARCH: 5, MAY: 5}), targets)
    assert not came_back(given, Change(lots={JUNE: 5, MAY: 5}), targets)


class TestGrace:
    def test_a_lot_of_today_has_not_expired(self) -> None:
        days = Days(UTC)
        assert grace({MARCH: 5}, at("2026-03-31T23:59:59Z"), days, [Terms(10)], Change()) == [{}]
        assert grace({MARCH: 5}, at("2026-04-01"), days, [Terms(10)], Change()) == [{MARCH: APRIL}]

    def test_it_is_that_of_any_version(self) -> None:
        found = grace({MARCH: 5, JUNE: 5}, at("2026-04-01"), Days(UTC), [Terms(10), Terms(30)], Change())
        assert sorted(found, key=str) == [{MARCH: APRIL}, {MARCH: MAY}]

    def test_where_no_version_is_known_any_month_s_end_from_today_on_will_do(self) -> None:
        found = Change(lots={MARCH: 1, APRIL: 1, "2026-05-15": 1, JUNE: 1})
        maps = grace({MARCH: 5}, at("2026-04-30T12:00:00Z"), Days(UTC), [], found)
        assert sorted(maps, key=str) == [{MARCH: APRIL}, {MARCH: JUNE}]
        assert grace({MARCH: 5}, at("2026-04-30"), Days(UTC), [], Change()) == [{MARCH: APRIL}]

    def test_where_the_zone_is_not_known_it_may_be_of_either_of_two_days(self) -> None:
        maps = grace({MARCH: 5, APRIL: 5}, at("2026-04-30T12:00:00Z"), Days(None), [Terms(0)], Change())
        assert sorted(maps, key=str) == [{MARCH: APRIL}, {MARCH: MAY, APRIL: MAY}]
