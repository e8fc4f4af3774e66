"""The calendars of expiry. Expected days are from a calendar on the wall, not from the code's own arithmetic."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.clock import local_date
from loyalty.ledger.model import Account, Book, Wallet
from loyalty.ledger.movements import NEVER, give_back
from loyalty.ledger.settlement import as_of
from loyalty.programs.earning import Earned, lot_for
from loyalty.programs.expiry import ExpiryPolicy
from loyalty.programs.model import MAX_LOTS, MAX_RETURN_DAYS, Expiry
from tests.ledgerkit.programs import program

MONTH_ENDS = [
    ("2020-07-06", 12, "2021-07-31"),
    ("2020-07-01", 12, "2021-07-31"),
    ("2020-07-31", 12, "2021-07-31"),
    ("2020-01-31", 1, "2020-02-29"),
    ("2021-01-31", 1, "2021-02-28"),
    ("2020-02-29", 12, "2021-02-28"),
    ("2020-02-29", 24, "2022-02-28"),
    ("2023-02-28", 12, "2024-02-29"),
    ("2022-02-28", 24, "2024-02-29"),
    ("2099-02-28", 12, "2100-02-28"),  # no leap year, though divisible by 4
    ("1999-02-28", 12, "2000-02-29"),  # one, though divisible by 100
    ("2026-12-31", 1, "2027-01-31"),
    ("2026-11-30", 1, "2026-12-31"),
    ("2026-12-01", 35, "2029-11-30"),
    ("2025-03-31", 35, "2028-02-29"),
]


@pytest.mark.parametrize("policy", ["rolling", "inactivity"])
@pytest.mark.parametrize(("day", "months", "expected"), MONTH_ENDS)
def test_points_live_through_the_end_of_the_month_that_many_months_later(
    policy: ExpiryPolicy, day: str, months: int, expected: str
) -> None:
    assert lot_for(Expiry(policy=policy, months=months), date.fromisoformat(day)) == expected


@pytest.mark.parametrize(
    ("month", "day", "minimum_months", "on", "expected"),
    [
        # Every 31 December.
        (12, 31, 0, "2026-01-01", "2026-12-31"),
        (12, 31, 0, "2026-12-30", "2026-12-31"),
        (12, 31, 0, "2026-12-31", "2026-12-31"),  # that day itself is the first such day
        (12, 31, 0, "2027-01-01", "2027-12-31"),
        # Every 30 June, at least six months later.
        (6, 30, 6, "2025-12-30", "2026-06-30"),
        (6, 30, 6, "2025-12-31", "2026-06-30"),  # six months after 31 December is 30 June
        (6, 30, 6, "2026-01-01", "2027-06-30"),
        (6, 30, 6, "2026-06-30", "2027-06-30"),
        # Every 1 January, at least twelve and twenty-four months later.
        (1, 1, 12, "2026-01-01", "2027-01-01"),
        (1, 1, 12, "2026-01-02", "2028-01-01"),
        (1, 1, 24, "2026-01-01", "2028-01-01"),
        (1, 1, 24, "2026-12-31", "2029-01-01"),
        # Every 29 February: in other years the 28th, the last day of February.
        (2, 29, 0, "2024-01-15", "2024-02-29"),
        (2, 29, 0, "2024-02-28", "2024-02-29"),
        (2, 29, 0, "2024-02-29", "2024-02-29"),
        (2, 29, 0, "2024-03-01", "2025-02-28"),
        (2, 29, 0, "2025-02-28", "2025-02-28"),
        (2, 29, 0, "2025-03-01", "2026-02-28"),
        (2, 29, 0, "2027-06-30", "2028-02-29"),
        (2, 29, 0, "2099-12-31", "2100-02-28"),
        (2, 29, 12, "2024-02-29", "2025-02-28"),
        (2, 29, 12, "2023-02-28", "2024-02-29"),
        (2, 29, 12, "2023-03-01", "2025-02-28"),
        # Every 28 February, in a leap year too: not its last day.
        (2, 28, 0, "2024-02-28", "2024-02-28"),
        (2, 28, 0, "2024-02-29", "2025-02-28"),
        # The months are counted to the month's last day where it is shorter: 31 August + 6 months is 28 February.
        (2, 28, 6, "2025-08-31", "2026-02-28"),
        (2, 28, 6, "2023-08-31", "2025-02-28"),  # but 29 February in 2024, a day too late
    ],
)
def test_points_live_through_the_first_fixed_day_that_is_late_enough(
    month: int, day: int, minimum_months: int, on: str, expected: str
) -> None:
    expiry = Expiry(policy="fixed_date", month=month, day=day, minimum_months=minimum_months)
    assert lot_for(expiry, date.fromisoformat(on)) == expected


def test_points_that_never_expire_share_one_lot() -> None:
    assert lot_for(Expiry(policy="never"), date(2026, 1, 1)) == NEVER
    assert Expiry(policy="never").last_day(date(2026, 1, 1)) is None


def test_only_inactivity_is_renewed_by_activity() -> None:
    assert Expiry(policy="inactivity", months=3).renewed_by_activity
    others = [Expiry(policy="rolling", months=3), Expiry(policy="never"), Expiry(policy="fixed_date", month=1, day=1)]
    assert not any(expiry.renewed_by_activity for expiry in others)


@pytest.mark.parametrize(
    ("zone", "last_moment"),
    [
        ("UTC", "2021-07-31T23:59:59.999"),
        ("Asia/Jakarta", "2021-07-31T16:59:59.999"),  # UTC+7
        ("Europe/Rome", "2021-07-31T21:59:59.999"),  # summer time
        ("America/Los_Angeles", "2021-08-01T06:59:59.999"),
        ("Pacific/Kiritimati", "2021-07-31T09:59:59.999"),  # UTC+14
    ],
)
def test_what_was_earned_on_6_july_2020_is_gone_on_1_august_2021_and_not_before(zone: str, last_moment: str) -> None:
    of = program(time_zone=zone)
    earned_at = datetime(2020, 7, 6, 12, tzinfo=UTC)
    lot = lot_for(of.document.expiry, local_date(earned_at, of.document.zone))
    book = Book("acme", "mbr_1", "bronze", 1, earned_at, earned_at, {"points": Wallet(100, lots={lot: 100})})
    last = datetime.fromisoformat(last_moment).replace(tzinfo=UTC)
    assert as_of(book, of.scope, last).wallet().available == 100
    assert as_of(book, of.scope, last + timedelta(milliseconds=1)).wallet().available == 0


@pytest.mark.parametrize(
    ("grace_days", "today", "expected"),
    [
        (0, "2026-03-15", "2026-03-31"),
        (0, "2026-03-31", "2026-03-31"),
        (30, "2026-03-01", "2026-03-31"),
        (30, "2026-03-15", "2026-04-30"),
        (30, "2026-01-31", "2026-03-31"),  # 2 March
        (30, "2024-01-31", "2024-03-31"),  # 1 March
        (30, "2024-01-30", "2024-02-29"),
        (365, "2026-03-15", "2027-03-31"),
    ],
)
def test_points_that_come_back_too_late_have_the_program_s_grace(grace_days: int, today: str, expected: str) -> None:
    grace = program(expiry={"policy": "rolling", "months": 1, "grace_days": grace_days}).scope.terms_of("points")
    change = give_back(
        Wallet(held=5),
        {"2023-12-31": 5},
        source=Account.HELD,
        today=date.fromisoformat(today),
        grace_days=grace.grace_days,
    )
    assert change.lots == {expected: 5}


def fixed_dates() -> st.SearchStrategy[Expiry]:
    def of(month: int, day: int, minimum_months: int, grace_days: int) -> Expiry:
        day = min(day, monthrange(2000, month)[1])
        return Expiry(policy="fixed_date", month=month, day=day, minimum_months=minimum_months, grace_days=grace_days)

    return st.builds(of, st.integers(1, 12), st.integers(1, 31), st.integers(0, 24), st.integers(0, 365))


def by_months() -> st.SearchStrategy[Expiry]:
    policies = st.sampled_from(["rolling", "inactivity"])
    return st.builds(Expiry, policy=policies, months=st.integers(1, 35), grace_days=st.integers(0, 365))


DAYS = st.dates(date(1990, 1, 1), date(2200, 1, 1))


@given(DAYS, by_months())
def test_points_live_at_least_their_months_and_less_than_one_month_more(day: date, expiry: Expiry) -> None:
    last = date.fromisoformat(lot_for(expiry, day))
    assert (last + timedelta(days=1)).day == 1
    assert (last.year * 12 + last.month) - (day.year * 12 + day.month) == expiry.months


@given(DAYS, fixed_dates())
def test_a_fixed_day_is_late_enough_and_none_before_it_was(day: date, expiry: Expiry) -> None:
    last = date.fromisoformat(lot_for(expiry, day))
    tomorrow = last + timedelta(days=1)
    in_february = (expiry.month, expiry.day) == (2, 29) and (tomorrow.month, tomorrow.day) == (3, 1)
    assert (last.month, last.day) == (expiry.month, expiry.day) or in_february
    # Counted in months and days, so that nothing of the code's own arithmetic is repeated here.
    lived = (last.year - day.year) * 12 + last.month - day.month - (last.day < day.day and tomorrow.day != 1)
    assert expiry.minimum_months <= lived <= expiry.minimum_months + 12


@settings(max_examples=40, deadline=None)
@given(DAYS, st.one_of(by_months(), fixed_dates(), st.just(Expiry(policy="never", grace_days=365))))
def test_no_policy_makes_more_lots_than_a_wallet_may_hold(today: date, expiry: Expiry) -> None:
    """A member who earns every day for years, and to whom expired points come back every day."""
    lots = set()
    for ago in range(4 * 366):
        day = today - timedelta(days=ago)
        back = give_back(
            Wallet(held=1), {"1900-01-01": 1}, source=Account.HELD, today=day, grace_days=expiry.grace_days
        )
        lots |= {lot_for(expiry, day), *back.lots}
    assert len({lot for lot in lots if lot >= today.isoformat()}) <= MAX_LOTS


def test_points_wait_to_mature_on_no_more_days_than_a_wallet_may_hold() -> None:
    """A member who earns every day by rules with every return window there may be."""
    today = date(2026, 3, 15)
    days = {
        Earned("points", 1, {"r": 1}, window).matures_on(today - timedelta(days=ago))
        for window in range(1, MAX_RETURN_DAYS + 1)
        for ago in range(window)
    }
    assert len(days) == MAX_RETURN_DAYS <= 92
