"""The proof of what counts towards tiers: what an accrual counts, in which period, and what a reversal takes of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from loyalty.core.money import Money
from loyalty.ledger.ladders import STATUS, LadderTerms, Period
from loyalty.ledger.model import Scope
from tests.unit.ledger.forging import NEVER, SCOPE, Forgery, codes

Tallies = Mapping[str, int]
SPENT: dict[str, Any] = {"amount": Money.of("6.00", "EUR")}


def counting(*metrics: str, **terms: Any) -> Scope:
    """A program whose ladders count these; the first is the main one."""
    names = [STATUS, *metrics[1:]]
    return replace(
        SCOPE,
        ladders={
            name: LadderTerms({"bronze": 0}, metric=metric, **terms)
            for name, metric in zip(names, metrics, strict=True)
        },
    )


def earned(points: int, counted: Tallies, *, on: str = "2026-01-10", wallet: str = "points", **says: Any) -> Forgery:
    return again(Forgery(), points, counted, on=on, wallet=wallet, **says)


def again(forgery: Forgery, points: int, counted: Tallies, *, on: str, wallet: str = "points", **says: Any) -> Forgery:
    """One more accrual; days begin at 17:00 UTC."""
    moment = on if "T" in on else f"{on}T03:00:00Z"
    name, moved = f"R-{len(forgery.entries) + 1}", {"qualifying": counted}
    return forgery.earned(name, points, NEVER, on=moment, wallet=wallet, movement=moved, says=says)


PLAIN = counting("points")
STARS = counting("points.stars")
YEARS = counting("points.stars", period=Period.ANNIVERSARY_YEAR)
STAYS = counting("activities.stay")
SPEND = counting("spend.EUR")
DONE: dict[str, Any] = {"activity": "stay"}

RIGHT: dict[str, tuple[Scope | None, Callable[[], Forgery]]] = {
    "points of the year": (PLAIN, lambda: earned(600, {"2026": 600})),
    "a single point": (PLAIN, lambda: earned(1, {"2026": 1})),
    "no points": (PLAIN, lambda: earned(0, {})),
    "points of another wallet": (STARS, lambda: earned(6, {"points.stars/2026": 6}, wallet="stars")),
    "points of a wallet that no ladder counts": (PLAIN, lambda: earned(6, {}, wallet="stars")),
    "points that no ladder counts": (STARS, lambda: earned(6, {})),
    "points of some activities": (counting("points:stay"), lambda: earned(6, {"points:stay/2026": 6})),
    "points of other activities": (counting("points:stay"), lambda: earned(6, {})),
    "points of several activities": (counting("points+vip"), lambda: earned(6, {"points+vip/2026": 6})),
    "stars of several activities": (
        counting("points.stars+vip"),
        lambda: earned(6, {"points.stars+vip/2026": 6}, wallet="stars"),
    ),
    "stars of one activity": (
        counting("points.stars:stay"),
        lambda: earned(6, {"points.stars:stay/2026": 6}, wallet="stars"),
    ),
    "a month, a year and a lifetime": (
        PLAIN,
        lambda: earned(6, {"points/2026-01": 6, "2026": 6, "points/ever": 6}),
    ),
    "money": (SPEND, lambda: earned(6, {"spend.EUR/2026": 600}, **SPENT)),
    "an activity": (STAYS, lambda: earned(6, {"activities.stay/2026": 1}, **DONE)),
    "an activity without points": (STAYS, lambda: earned(0, {"activities.stay/ever": 1}, **DONE)),
    "the last day of a year from an anniversary": (
        YEARS,
        lambda: earned(6, {"points.stars/2026-01-10": 6}, wallet="stars", on="2027-01-09T16:59:59.999Z"),
    ),
    "the first moment of a year from an anniversary": (
        YEARS,
        lambda: earned(6, {"points.stars/2026-01-11": 6}, wallet="stars", on="2026-01-10T17:00:00Z"),
    ),
    "a year that is over goes whole": (
        PLAIN,
        lambda: again(
            earned(6, {"points/2026-01": 6}), 5, {"points/2026-01": -6, "points/2027-02": 5}, on="2027-02-10"
        ),
    ),
    "a program that nobody knows, counting years": (None, lambda: earned(6, {"2026": 6})),
    "a program that nobody knows, counting money": (None, lambda: earned(6, {"spend.EUR/2026": 600}, **SPENT)),
}


@pytest.mark.parametrize("told", RIGHT)
def test_what_is_counted_as_it_was_earned_is_not_found(told: str) -> None:
    scope, history = RIGHT[told]
    assert codes(history().items(scope or SCOPE), scope) == []


WRONG: dict[str, tuple[Scope | None, Callable[[], Forgery]]] = {
    "a point too many": (PLAIN, lambda: earned(6, {"2026": 7})),
    "a point too few": (PLAIN, lambda: earned(6, {"2026": 5})),
    "nothing": (PLAIN, lambda: earned(6, {})),
    "nothing of a single point": (PLAIN, lambda: earned(1, {})),
    "nothing of another wallet": (STARS, lambda: earned(6, {}, wallet="stars")),
    "another wallet than the points are in": (STARS, lambda: earned(6, {"points.stars/2026": 6})),
    "stars of one activity, too many": (
        counting("points.stars:stay"),
        lambda: earned(6, {"points.stars:stay/2026": 7}, wallet="stars"),
    ),
    "two years from anniversaries at once": (
        PLAIN,
        lambda: earned(6, {"points/2026-01-10": 6, "points/2025-03-14": 6}),
    ),
    "the month before": (PLAIN, lambda: earned(6, {"points/2025-12": 6})),
    "an activity twice": (STAYS, lambda: earned(6, {"activities.stay/2026": 2}, **DONE)),
    "money of no amount": (SPEND, lambda: earned(6, {"spend.EUR/2026": 600})),
    "a year from an anniversary that has not begun": (
        YEARS,
        lambda: earned(6, {"points.stars/2026-01-11": 6}, wallet="stars", on="2026-01-10T16:59:59.999Z"),
    ),
    "a year from an anniversary that is long over": (
        YEARS,
        lambda: earned(6, {"points.stars/2020-01-10": 6}, wallet="stars"),
    ),
    "a leap year from an anniversary, on the day after": (
        YEARS,
        lambda: earned(6, {"points.stars/2027-03-14": 6}, wallet="stars", on="2028-03-14"),
    ),
    "a part of a year that is over": (
        PLAIN,
        lambda: again(
            earned(6, {"points/2026-01": 6}), 5, {"points/2026-01": -4, "points/2027-02": 5}, on="2027-02-10"
        ),
    ),
    "all of a month that runs": (
        PLAIN,
        lambda: again(earned(6, {"points/2026-01": 6}), 5, {"points/2026-01": -6, "2026": 5}, on="2026-01-20"),
    ),
    "more of another activity": (PLAIN, lambda: earned(6, {"2026": 6, "count.stay/ever": 1}, activity="purchase")),
    "an activity more than once": (PLAIN, lambda: earned(6, {"2026": 6, "count.stay/ever": 2}, **DONE)),
    "a program that nobody knows, nothing": (None, lambda: earned(6, {})),
}


@pytest.mark.parametrize("told", WRONG)
def test_what_is_counted_otherwise_is_found(told: str) -> None:
    scope, history = WRONG[told]
    assert codes(history().items(scope or SCOPE), scope) == ["qualifying_wrong"]


def taken(counted: Tallies, back: Tallies, scope: Scope = PLAIN, *, points: int = 100, **says: Any) -> list[str]:
    """What the proof says of an accrual that was reversed whole."""
    forgery = earned(points, counted, **says).reversed(points, lots={NEVER: -points}, movement={"qualifying": back})
    return codes(forgery.items(scope), scope)


@pytest.mark.parametrize(
    ("scope", "points", "counted", "back"),
    [
        (PLAIN, 100, {"2026": 100}, {"2026": -100}),
        (STAYS, 1, {"activities.stay/2026": 1}, {"activities.stay/2026": -1}),
        (STAYS, 100, {"activities.stay/2026": 1}, {"activities.stay/2026": -1}),
        (STAYS, 100, {"activities.stay/2026": 1}, {}),
        (SPEND, 100, {"spend.EUR/2026": 600}, {"spend.EUR/2026": -600}),
        (SPEND, 600, {"spend.EUR/2026": 600}, {"spend.EUR/2026": -1}),
        (counting("points:stay"), 100, {"points:stay/2026": 100}, {"points:stay/2026": -100}),
        # As a merge would have moved it: to the year from an anniversary in which its own began.
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.EUR/2026-01-10": -600}),
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.EUR/2025-01-11": -600}),
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.EUR/2025-03-14": -600}),
    ],
)
def test_what_a_reversal_takes_of_what_was_counted_is_not_found(
    scope: Scope, points: int, counted: Tallies, back: Tallies
) -> None:
    assert taken(counted, back, scope, points=points, **SPENT, **DONE) == []


@pytest.mark.parametrize(
    ("scope", "points", "counted", "back"),
    [
        (PLAIN, 100, {"2026": 100}, {"2026": -101}),
        (PLAIN, 100, {"2026": 100}, {"2026": -99}),
        (PLAIN, 100, {"2026": 100}, {"2026": 1}),
        (PLAIN, 1, {"2026": 1}, {}),
        (PLAIN, 100, {"2026": 100, "points/2026-01": 100}, {"2026": -100, "points/2026-01": -99}),
        (PLAIN, 100, {"2026": 100}, {"2026": -100, "points/2026-01": -1}),
        (PLAIN, 100, {"2026": 100}, {"2026": -100, "points/2026-01": 1}),
        (STAYS, 100, {"activities.stay/2026": 1}, {"activities.stay/2026": -2}),
        (STAYS, 1, {"activities.stay/2026": 1}, {"activities.stay/2026": -2}),
        (STAYS, 100, {"activities.stay/2026": 1}, {"activities.night/2026": -1}),
        (SPEND, 100, {"spend.EUR/2026": 600}, {"spend.EUR/2026": -601}),
        (SPEND, 100, {"spend.EUR/2026": 600}, {"spend.EUR/2026": 1}),
        (SPEND, 100, {"spend.EUR/2026": 600}, {"spend.EUR/2025": -600}),
        (counting("points:stay"), 100, {"points:stay/2026": 100}, {"points:stay/2026": -101}),
        (counting("points:stay"), 100, {"points:stay/2026": 100}, {"points:stay/2026": 1}),
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.EUR/2026-01-10": -300, "spend.EUR/2025-03-14": -601}),
        # No year that began later, none that had ended by then, none of another metric, and no month.
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.EUR/2026-01-11": -600}),
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.EUR/2025-01-09": -600}),
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.USD/2025-03-14": -600}),
        (SPEND, 100, {"spend.EUR/2026-01-10": 600}, {"spend.EUR/2026-01": -600}),
        (SPEND, 100, {"spend.EUR/2026-01": 600}, {"spend.EUR/2025-03-14": -600}),
    ],
)
def test_what_a_reversal_takes_of_anything_else_is_found(
    scope: Scope, points: int, counted: Tallies, back: Tallies
) -> None:
    assert taken(counted, back, scope, points=points, **SPENT, **DONE) == ["qualifying_wrong"]


def test_a_month_that_is_over_is_left_alone_and_so_are_others() -> None:
    forgery = earned(100, {"points/2026-01": 100})
    again(forgery, 7, {"points/2026-01": -100, "points/2027-02": 7}, on="2027-02-10")
    forgery.reversed(100, lots={NEVER: -100}, movement={"qualifying": {}})
    assert codes(forgery.items(PLAIN), PLAIN) == []


def test_what_was_counted_wrongly_is_found_once() -> None:
    assert taken({"2026": 99}, {"2026": -99}) == ["qualifying_wrong"]
