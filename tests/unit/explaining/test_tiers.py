"""A past moment of a member who climbed and fell: the book is walked back entry by entry, tiers and tallies too."""

from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.core.table import Table
from loyalty.explaining.service import ExplainService
from loyalty.explaining.words import Unit, sentence
from loyalty.ledger.model import POINTS, EntryKind
from tests.ledgerkit.ladders import Climb, laddered


@pytest.fixture
def climbed(table: Table) -> Climb:
    """Silver in 2025, kept on by 2026, lost with 2027; each settled when it was due."""
    member = Climb(table, laddered(time_zone="Europe/Rome", downgrade={"warn_days": [30]}), "2025-01-10T12:00")
    for moment, act in [
        ("2025-05-01T12:00", "earn 600"),
        ("2026-06-01T12:00", "earn 500"),
        ("2027-01-01T12:00", "settle"),
        ("2028-01-01T12:00", "settle"),
    ]:
        member.on(moment, act)
    return member


@pytest.mark.parametrize(
    ("moment", "tier", "until", "tallies"),
    [
        ("2025-03-01", "bronze", None, {}),
        ("2025-06-01", "silver", "2026-12-31", {"2025": 600}),
        ("2026-07-01", "silver", "2026-12-31", {"2025": 600, "2026": 500}),
        ("2027-06-01", "silver", "2027-12-31", {"2025": 600, "2026": 500}),
        ("2028-06-01", "bronze", None, {"2025": 600, "2026": 500}),
    ],
)
def test_the_tier_of_a_past_moment(
    moment: str, tier: str, until: str | None, tallies: dict[str, int], climbed: Climb
) -> None:
    world = climbed.world
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    book = ExplainService(world.store).explain(world.program.scope, "mbr_1", at, limit=5).book
    standing = book.standings.get("status")
    found: tuple[Any, ...] = (book.tier, standing and standing.valid_until and str(standing.valid_until))
    assert (*found, {year: n for year, n in book.qualifying.items() if n}) == (tier, until, tallies)


def test_each_change_is_told_in_words(climbed: Climb) -> None:
    told = [
        sentence(entry, POINTS, Unit(), climbed.zone)
        for entry in climbed.world.entries()
        if entry.key.kind in {EntryKind.TIER, EntryKind.TIER_WARNING}
    ]
    assert told == [
        "The tier changed from 'bronze' to 'silver', kept through 31 December 2026.",
        "The tier 'silver' was reviewed and stays, kept through 31 December 2027.",
        "A reminder: the tier 'silver' is kept through 31 December 2027; 'bronze' follows.",
        "The tier changed from 'silver' to 'bronze'.",
    ]
