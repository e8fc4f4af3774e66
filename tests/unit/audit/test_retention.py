"""What the bucket lets go once its lock is over is no fault; what is gone, or hidden, or missing before is one."""

from datetime import timedelta

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.clock import at
from tests.ledgerkit.trails import YEAR, Trails

MONDAY = at("2026-03-16T12:00:00Z")
EXPORTED = at("2026-03-17T01:05:00Z")
"""Monday's file is due an hour after its midnight; the exporter runs every five minutes."""


@pytest.fixture
def kept(table: Table) -> Trails:
    """Monday: two lines, and its head exported at noon."""
    trails = Trails(table, MONDAY)
    trails.grow("a", "b")
    trails.export()
    return trails


def test_a_day_that_is_not_in_the_bucket_is_named_once_it_is_due_and_until_it_may_have_gone(kept: Trails) -> None:
    due, gone = at("2026-03-17T01:15:00Z"), at("2026-03-17T01:00:00Z") + YEAR
    moments = {
        "before it is due": (due - timedelta(seconds=1), set()),
        "due, and never exported": (due, {"file_missing"}),
        "as long as it would be locked": (gone - timedelta(seconds=1), {"file_missing"}),
        "exported in time, it would be free by now": (gone, set()),
    }
    for what, (moment, found) in moments.items():
        kept.clock.now = moment
        assert kept.found() == found, what
        assert kept.found(bucket=False) == set(), what
    kept.clock.now = due
    (missing,) = kept.verify().findings
    assert (missing.day, missing.what) == (MONDAY.date(), "day")
    kept.export()
    assert kept.found() == set()


def test_a_file_that_somebody_takes_out_for_good_is_named(kept: Trails) -> None:
    kept.clock.now = EXPORTED
    kept.export()
    for key in [key for key in kept.archive.stored if key.startswith("days/")]:
        del kept.archive.stored[key]
    kept.clock.now = EXPORTED + timedelta(days=30)
    assert kept.found() == {"file_missing"}


def test_what_the_bucket_lets_go_is_no_fault(kept: Trails) -> None:
    kept.clock.now = EXPORTED
    kept.export()
    kept.clock.now = EXPORTED + YEAR + timedelta(days=2)
    kept.archive.let_go()
    assert len(kept.archive.hidden) == 2, "the head and the day"
    assert (kept.found(), kept.verify().files) == (set(), 1)
    kept.clock.now += timedelta(days=90)
    kept.archive.empty()
    assert (kept.found(), kept.verify().files) == (set(), 0)
