"""The proof of tiers by the tallies of every period: what is earned is not found, and what is not is found once."""

import pytest

from loyalty.ledger.ladders import LadderTerms, Period, Standing
from tests.unit.ledger.climbing import Case, earned, ladder, on, refunded, review, until
from tests.unit.ledger.forging import NEVER, Forgery, codes
from tests.unit.ledger.test_verify_tiers import SILVER, stood


def rolling(months: int) -> LadderTerms:
    return ladder(period=Period.ROLLING_MONTHS, months=months)


ANNIVERSARY = ladder(period=Period.ANNIVERSARY_YEAR, this_period=True)
"""The members of these histories enrolled on 10 January 2026."""


def year() -> Forgery:
    return earned(("2026-01-10", "points/2026-01-10", 600))


LAST_OF_YEAR = until("silver", "2027-01-09")
JANUARY = until("silver", "2026-01-31")

PERIODS: dict[str, Case] = {
    "two months that are one window": (
        rolling(2),
        lambda: stood(
            earned(("2026-12-10", "points/2026-12", 250), ("2027-01-10", "points/2027-01", 250)),
            until("silver", "2027-01-31"),
        ),
        [],
    ),
    "two months that no window has together": (
        rolling(2),
        lambda: stood(
            earned(("2026-01-10", "points/2026-01", 250), ("2026-03-10", "points/2026-03", 250)),
            until("silver", "2026-03-31"),
        ),
        ["tier_unearned"],
    ),
    "a window is over": (
        rolling(1),
        lambda: review(stood(earned(("2026-01-10", "points/2026-01", 600)), JANUARY), JANUARY, on="2026-01-31"),
        [],
    ),
    "lowered in the month that earns it": (
        rolling(1),
        lambda: refunded(stood(earned(("2026-01-10", "points/2026-01", 600)), JANUARY), JANUARY),
        ["tier_lost_early"],
    ),
    "lowered while the months before earn it": (
        rolling(3),
        lambda: refunded(
            stood(earned(("2026-01-10", "points/2026-01", 600)), until("silver", "2026-03-31")),
            until("silver", "2026-03-31"),
            on="2026-03-10",
        ),
        ["tier_lost_early"],
    ),
    "a year from the anniversary": (ANNIVERSARY, lambda: stood(year(), LAST_OF_YEAR), []),
    "such a year is over on the next anniversary": (
        ANNIVERSARY,
        lambda: review(stood(year(), LAST_OF_YEAR), LAST_OF_YEAR, on="2027-01-09"),
        [],
    ),
    "lowered on the first day of such a year": (
        ANNIVERSARY,
        lambda: refunded(stood(year(), LAST_OF_YEAR), LAST_OF_YEAR),
        ["tier_lost_early"],
    ),
    "lowered on the last day of such a year": (
        ANNIVERSARY,
        lambda: refunded(stood(year(), LAST_OF_YEAR), LAST_OF_YEAR, on="2027-01-09"),
        ["tier_lost_early"],
    ),
    "lowered by the tally of another year": (
        ANNIVERSARY,
        lambda: refunded(
            stood(
                earned(("2026-01-10", "points/2026-01-10", 100), ("2027-01-10", "points/2027-01-10", 600)),
                until("silver", "2028-01-09"),
            ),
            until("silver", "2028-01-09"),
            on="2027-02-10",
        ),
        ["tier_lost_early"],
    ),
    "lowered where the running year earns nothing yet": (
        ANNIVERSARY,
        lambda: refunded(
            stood(earned(("2026-01-10", "points/2026-01-10", 600)), until("silver", "2028-01-09")),
            until("silver", "2028-01-09"),
            on="2027-02-10",
        ),
        [],
    ),
    "a lifetime": (
        ladder(period=Period.LIFETIME, at_once=True),
        lambda: stood(earned(("2026-01-10", "points/ever", 600)), Standing("silver", "silver")),
        [],
    ),
    "lowered while a lifetime earns it": (
        ladder(period=Period.LIFETIME, at_once=True),
        lambda: refunded(
            stood(earned(("2026-01-10", "points/ever", 600)), Standing("silver", "silver")),
            Standing("silver", "silver"),
        ),
        ["tier_lost_early"],
    ),
    "another metric": (
        ladder(metric="points.stars"),
        lambda: stood(
            Forgery()
            .record("MEMBER", entry_tier="bronze")
            .earned("R-1", 600, NEVER, wallet="stars", movement={"qualifying": {"points.stars/2026": 600}}),
            SILVER,
        ),
        [],
    ),
    "points do not earn a tier of another metric": (
        ladder(metric="points.stars"),
        lambda: stood(earned(("2026-01-10", "", 600)), SILVER),
        ["tier_unearned"],
    ),
}


@pytest.mark.parametrize("told", PERIODS)
def test_a_tier_is_earned_by_what_its_period_counts(told: str) -> None:
    terms, history, expected = PERIODS[told]
    assert codes(history().items(on(terms)), on(terms)) == expected
