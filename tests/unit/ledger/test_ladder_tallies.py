"""Tallies that change hands, and standings that are reviewed, granted and left: values, computed by hand."""

from datetime import date
from typing import Any

import pytest

from loyalty.ledger.ladders import (
    DowngradeBy,
    LadderTerms,
    Period,
    Standing,
    Tallies,
    grant,
    last_day,
    rekeyed,
    reviewed,
    uncounted,
    ungranted,
    wallet_of,
)

TIERS = {"bronze": 0, "silver": 500, "gold": 2000, "black": 5000}
MARCH = date(2025, 3, 14)


@pytest.mark.parametrize(
    ("opened_on", "counted", "expected"),
    [
        ("2020-03-14", {"points/2025-06-01": 100}, {"points/2025-03-14": 100}),
        ("2020-03-14", {"points/2025-03-13": 100}, {"points/2024-03-14": 100}),
        ("2020-03-14", {"points/2025-03-14": 100}, {"points/2025-03-14": 100}),
        # 28 February is before the anniversary of a leap year, and is the anniversary of a common one.
        (
            "2020-02-29",
            {"points/2024-02-28": 1, "points/2025-02-28": 2},
            {"points/2023-02-28": 1, "points/2025-02-28": 2},
        ),
        (None, {"points/2025-06-01": 100}, {"points/2025-01-01": 100}),
        # Each metric by itself; what two years come to together.
        (
            "2020-03-14",
            {"spend.EUR/2025-06-01": 1, "points/2025-06-01": 2, "points/2026-01-01": 4, "points/2025-03-14": 8},
            {"spend.EUR/2025-03-14": 1, "points/2025-03-14": 14},
        ),
        # Others begin for everybody on the same day.
        (
            "2020-03-14",
            {"2025": 1, "spend.EUR/2025": 2, "points/2025-06": 4, "activities.stay/ever": 8, "count.stay/ever": 16},
            {"2025": 1, "spend.EUR/2025": 2, "points/2025-06": 4, "activities.stay/ever": 8, "count.stay/ever": 16},
        ),
    ],
)
def test_years_of_who_enrolled_on_another_day(
    opened_on: str | None, counted: dict[str, int], expected: dict[str, int]
) -> None:
    assert rekeyed(counted, date.fromisoformat(opened_on) if opened_on else None) == expected


UNCOUNTED: dict[str, tuple[dict[str, int], dict[str, int], dict[str, int]]] = {
    "its share": (
        {"2026": 30, "points/2026-03": 30},
        {"2026": 10, "points/2026-03": 10},
        {"2026": -10, "points/2026-03": -10},
    ),
    "no more than there is": ({"2026": 30}, {"2026": 31}, {"2026": -30}),
    "all there is": ({"2026": 1}, {"2026": 1}, {"2026": -1}),
    "nothing of nothing": ({"2026": 30}, {"2026": 0}, {}),
    "nothing of a year that is over": ({"2026": 30}, {"2025": 10}, {}),
    "nothing of a month that is over": ({"points/2026-03": 30}, {"points/2026-02": 10}, {}),
    "from where a merge took it": ({"points/2025-03-14": 30}, {"points/2025-06-01": 10}, {"points/2025-03-14": -10}),
    "with what was there": (
        {"points/2025-03-14": 30},
        {"points/2025-03-14": 10, "points/2025-06-01": 10},
        {"points/2025-03-14": -20},
    ),
    "both no more than there is": (
        {"points/2025-03-14": 15},
        {"points/2025-03-14": 10, "points/2025-06-01": 10},
        {"points/2025-03-14": -15},
    ),
    "nothing left for the second": (
        {"points/2025-03-14": 10},
        {"points/2025-03-14": 10, "points/2025-06-01": 10},
        {"points/2025-03-14": -10},
    ),
    "of the right year": (
        {"points/2024-03-14": 5, "points/2025-03-14": 30, "points/2026-03-14": 5},
        {"points/2026-03-13": 10},
        {"points/2025-03-14": -10},
    ),
    "the last day of a leap year": ({"points/2027-03-14": 30}, {"points/2028-03-13": 10}, {"points/2027-03-14": -10}),
    "the day after a leap year": ({"points/2027-03-14": 30}, {"points/2028-03-14": 10}, {}),
    "nothing of a year before all of them": ({"points/2025-03-14": 30}, {"points/2025-03-13": 10}, {}),
    "of its own metric": (
        {"spend.EUR/2025-03-14": 30, "points/2025-03-14": 30},
        {"points/2025-06-01": 10},
        {"points/2025-03-14": -10},
    ),
    "nothing of another metric": ({"spend.EUR/2025-03-14": 30}, {"points/2025-06-01": 10}, {}),
    "nothing of months and calendar years": ({"points/2025-06": 30, "2025": 30}, {"points/2025-06-01": 10}, {}),
}


@pytest.mark.parametrize("told", UNCOUNTED)
def test_what_a_reversal_takes(told: str) -> None:
    counted, taken, expected = UNCOUNTED[told]
    assert uncounted(counted, taken) == expected


@pytest.mark.parametrize(
    ("key", "wallet"),
    [
        ("2026", "points"),
        ("points/2026-11", "points"),
        ("points/2026-03-14", "points"),
        ("points/ever", "points"),
        ("points:stay/2026", "points"),
        ("points+vip/2026", "points"),
        ("points.cash/2026", "cash"),
        ("points.cash:stay/2026-11", "cash"),
        ("points.cash+vip/2026-11", "cash"),
        ("spend.EUR/2026", None),
        ("spend.EUR:stay/2026", None),
        ("activities.stay/ever", None),
        ("activities+vip/ever", None),
        ("count.stay/ever", None),
    ],
)
def test_the_wallet_whose_points_a_bucket_counts(key: str, wallet: str | None) -> None:
    assert wallet_of(key) == wallet


def ladder(by: DowngradeBy = DowngradeBy.ACHIEVEMENT, **terms: Any) -> LadderTerms:
    return LadderTerms(TIERS, downgrade=by, **terms)


def stands(tier: str, until: str | None = None, **more: Any) -> Standing:
    return Standing(
        **{"tier": tier, "earned": tier, "valid_until": date.fromisoformat(until) if until else None, **more}
    )


LEVEL = ladder(DowngradeBy.ONE_LEVEL)
BY_YEARS = ladder(DowngradeBy.ONE_LEVEL, period=Period.ANNIVERSARY_YEAR)
FLOOR: dict[str, Any] = {"granted": "gold", "granted_until": date(2028, 6, 30)}
REVIEWS: dict[str, tuple[LadderTerms, Standing, dict[str, int], str, Standing]] = {
    "to what is earned": (ladder(), stands("black"), {"2026": 600}, "2027-01-01", stands("silver", "2027-12-31")),
    "to the first": (ladder(), stands("black"), {}, "2027-01-01", stands("bronze")),
    "up, where that was not noticed": (
        ladder(),
        stands("silver"),
        {"2026": 2000},
        "2027-01-01",
        stands("gold", "2027-12-31"),
    ),
    "one level, through the running year": (
        LEVEL,
        stands("black"),
        {},
        "2027-01-01",
        stands("gold", "2027-12-31", kept=True),
    ),
    "one level, where less is earned": (
        LEVEL,
        stands("black"),
        {"2026": 600},
        "2027-01-01",
        stands("gold", "2027-12-31", kept=True),
    ),
    "the one below is earned: as long as it is": (
        LEVEL,
        stands("gold"),
        {"2027": 600},
        "2027-02-01",
        stands("silver", "2028-12-31"),
    ),
    "one level to the first": (LEVEL, stands("silver"), {}, "2027-01-01", stands("bronze")),
    "earned again": (LEVEL, stands("gold"), {"2026": 2000}, "2027-01-01", stands("gold", "2027-12-31")),
    "one level, through the year from the anniversary": (
        BY_YEARS,
        stands("gold"),
        {},
        "2027-03-14",
        stands("silver", "2028-03-13", kept=True),
    ),
    "one level again": (
        BY_YEARS,
        stands("gold", kept=True),
        {"points/2026-03-14": 100},
        "2027-03-14",
        stands("silver", "2028-03-13", kept=True),
    ),
    "what was kept is earned": (
        LEVEL,
        stands("gold", kept=True),
        {"2026": 2000},
        "2027-01-01",
        stands("gold", "2027-12-31"),
    ),
    "beneath what is granted": (
        ladder(),
        stands("black", **FLOOR),
        {"2026": 600},
        "2027-01-01",
        stands("gold", "2027-12-31", earned="silver", **FLOOR),
    ),
    "above what is granted": (
        LEVEL,
        stands("black", granted="silver", granted_until=date(2028, 6, 30)),
        {},
        "2027-01-01",
        stands("gold", "2027-12-31", kept=True, granted="silver", granted_until=date(2028, 6, 30)),
    ),
}


@pytest.mark.parametrize("told", REVIEWS)
def test_a_review(told: str) -> None:
    terms, before, counted, on, after = REVIEWS[told]
    assert reviewed(terms, before, Tallies(counted, MARCH), date.fromisoformat(on)) == after


@pytest.mark.parametrize(
    ("terms", "standing", "last"),
    [
        (ladder(), stands("silver", "2027-12-31"), date(2027, 12, 31)),
        (ladder(grace_days=60), stands("silver", "2027-12-31"), date(2028, 2, 29)),
        (ladder(), stands("silver"), None),
        (ladder(), stands("bronze", "2027-12-31"), None),
        (ladder(), stands("gold", "2027-12-31", earned="bronze"), None),
        (ladder(DowngradeBy.NEVER), stands("silver", "2027-12-31"), None),
    ],
)
def test_the_last_day_of_an_earned_tier(terms: LadderTerms, standing: Standing, last: date | None) -> None:
    assert last_day(terms, standing) == last


UNTIL = date(2027, 3, 31)


@pytest.mark.parametrize(
    ("before", "tier", "shown"),
    [
        (stands("silver", "2026-12-31"), "gold", "gold"),
        (stands("silver", "2026-12-31", kept=True), "silver", "silver"),
        (stands("gold", "2026-12-31"), "silver", "gold"),
        (stands("bronze"), "black", "black"),
        # The one before ends, also where it was higher.
        (
            stands("black", "2026-12-31", earned="silver", granted="black", granted_until=date(2030, 1, 1)),
            "gold",
            "gold",
        ),
    ],
)
def test_a_grant_is_a_floor_and_its_end_leaves_what_is_earned(before: Standing, tier: str, shown: str) -> None:
    after = grant(ladder(), before, tier, UNTIL)
    earned = (before.earned, before.valid_until, before.kept)
    assert (after.tier, after.granted, after.granted_until) == (shown, tier, UNTIL)
    assert (after.earned, after.valid_until, after.kept) == earned
    left = ungranted(after)
    assert (left.tier, left.granted, left.granted_until) == (before.earned, None, None)
    assert (left.earned, left.valid_until, left.kept) == earned
