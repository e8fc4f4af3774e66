"""What a member is shown: where they stand, what is missing, until when."""

from datetime import date
from typing import Any

import pytest

from loyalty.core.table import Table
from loyalty.ledger.settlement import as_of
from loyalty.tiers.progress import Progress, Target, progress
from loyalty.tiers.views import LadderView
from tests.ledgerkit.ladders import Climb, laddered


def shown(member: Climb, local: str) -> Progress:
    member.on(local)
    world = member.world
    book = as_of(world.book(), world.program.scope, world.clock())
    return progress(world.program, book, today=date.fromisoformat(local[:10]))[0]


def seen(one: Progress) -> tuple[Any, ...]:
    return one.standing.tier, one.tally, one.begins, one.ends, one.last_day, one.next, one.keep


def day(text: str) -> date:
    return date.fromisoformat(text)


def target(tier: str, threshold: int, missing: int, by: str | None) -> Target:
    return Target(tier, threshold, missing, day(by) if by else None)


def test_of_somebody_who_has_earned_nothing(table: Table) -> None:
    member = Climb(table, laddered(), "2025-01-10T12:00")
    above = target("silver", 500, 500, "2025-12-31")
    assert seen(shown(member, "2025-03-01T12:00")) == (
        "bronze", 0, day("2025-01-01"), day("2025-12-31"), None, above, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "moment", "expected"),
    [
        # Reached this year: kept through the next, in which it has to be earned again.
        (
            {},
            "2025-06-01T12:00",
            ("silver", 600, "2025-01-01", "2025-12-31", "2026-12-31", ("gold", 2000, 1400, "2025-12-31"),
             ("silver", 500, 500, "2026-12-31")),
        ),
        (
            {"downgrade": {"grace_days": 31}},
            "2026-06-01T12:00",
            ("silver", 0, "2026-01-01", "2026-12-31", "2027-01-31", ("gold", 2000, 2000, "2026-12-31"),
             ("silver", 500, 500, "2026-12-31")),
        ),
        # In its days of grace another year counts for the next tier.
        (
            {"downgrade": {"grace_days": 31}},
            "2027-01-15T12:00",
            ("silver", 0, "2027-01-01", "2027-12-31", "2027-01-31", ("gold", 2000, 2000, "2027-12-31"),
             ("silver", 500, 500, "2026-12-31")),
        ),
        (
            {"downgrade": {"valid_through": "this_period"}},
            "2025-06-01T12:00",
            ("silver", 600, "2025-01-01", "2025-12-31", "2025-12-31", ("gold", 2000, 1400, "2025-12-31"), None),
        ),
        (
            {"downgrade": {"valid_through": "this_period", "grace_days": 60}},
            "2026-01-15T12:00",
            ("silver", 0, "2026-01-01", "2026-12-31", "2026-03-01", ("gold", 2000, 2000, "2026-12-31"),
             ("silver", 500, 500, "2026-03-01")),
        ),
        # Twelve months from May 2025 on: the last window that has it is that of April 2026.
        (
            {"qualification": {"period": "rolling_months", "months": 12}},
            "2025-06-01T12:00",
            ("silver", 600, "2024-07-01", "2025-06-30", "2026-04-30", ("gold", 2000, 1400, None),
             ("silver", 500, 500, "2026-04-30")),
        ),
        (
            {"qualification": {"period": "lifetime"}, "downgrade": {"by": "never"}},
            "2026-06-01T12:00",
            ("silver", 600, None, None, None, ("gold", 2000, 1400, None), None),
        ),
    ],
)  # fmt: skip
def test_of_somebody_who_earned_600_in_may(
    changes: dict[str, Any], moment: str, expected: tuple[Any, ...], table: Table
) -> None:
    member = Climb(table, laddered(**changes), "2025-01-10T12:00")
    member.on("2025-05-01T12:00", "earn 600")
    tier, tally, begins, ends, last, above, keep = expected
    days = [None if text is None else day(text) for text in (begins, ends, last)]
    targets = [None if one is None else target(*one) for one in (above, keep)]
    assert seen(shown(member, moment)) == (tier, tally, *days, *targets)


def test_earned_again_nothing_is_missing(table: Table) -> None:
    member = Climb(table, laddered(), "2025-01-10T12:00")
    member.on("2025-05-01T12:00", "earn 600")
    member.on("2026-05-01T12:00", "earn 700")
    one = shown(member, "2026-06-01T12:00")
    assert (one.keep, one.next) == (
        Target("silver", 500, 0, day("2026-12-31")),
        Target("gold", 2000, 1300, day("2026-12-31")),
    )


def test_the_highest_tier_has_none_above_it(table: Table) -> None:
    member = Climb(table, laddered(), "2025-01-10T12:00")
    member.on("2025-05-01T12:00", "earn 2000")
    view = LadderView.of(shown(member, "2025-06-01T12:00"))
    assert (view.tier, view.tier_name, view.next, view.metric, view.valid_until) == (
        "gold", "Gold", None, "points", day("2026-12-31"),
    )  # fmt: skip
