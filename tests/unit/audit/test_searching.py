"""Lines of which no chain knows are found all the same, whatever the scope and day."""

from datetime import timedelta

import pytest

from loyalty.audit.searching import search
from loyalty.core.table import Table
from tests.ledgerkit.clock import at
from tests.ledgerkit.trails import ACME, Trails

MONDAY = at("2026-03-16T12:00:00Z")


@pytest.fixture
def trails(table: Table) -> Trails:
    """Monday: two lines of a program that the stream lost. Tuesday: one of the platform, linked. It is Wednesday."""
    trails = Trails(table, MONDAY)
    trails.write("a", "b")
    trails.clock.now = MONDAY + timedelta(days=1)
    trails.grow("people/ann", scope="_platform")
    trails.clock.now = MONDAY + timedelta(days=2)
    return trails


def test_a_scope_of_which_no_line_was_ever_linked_is_among_them(trails: Trails) -> None:
    proof = trails.verify(bucket=False)
    assert (proof.scanned, proof.scopes, proof.lines) == (True, 2, 3)
    assert [(one.kind.value, one.scope, one.day) for one in proof.findings] == [
        ("line_unlinked", ACME, MONDAY.date())
    ] * 2
    assert trails.found(bucket=False, scan=False) == set(), "so much do the chains know"


def test_days_before_the_first_that_was_linked_are_looked_at(trails: Trails) -> None:
    trails.grow("c")
    assert trails.found(bucket=False, scope=ACME) == {"line_unlinked"}
    assert trails.found(bucket=False, scope=ACME, start=MONDAY.date()) == {"line_unlinked"}
    assert trails.found(bucket=False, scope=ACME, scan=False) == set()


def test_what_is_asked_for_by_scope_and_first_day_needs_no_look_through_the_table(trails: Trails) -> None:
    assert not trails.verify(bucket=False, scope=ACME, start=MONDAY.date()).scanned
    assert trails.verify(bucket=False, scope=ACME).scanned
    assert trails.verify(bucket=False, start=MONDAY.date()).scanned


def test_a_scope_that_has_all_been_linked_late_is_in_order(trails: Trails) -> None:
    assert trails.chains.catch_up(ACME, MONDAY.date()) == 2
    assert trails.found(bucket=False) == set()


@pytest.mark.parametrize("pk", ["A#acme#2026-3-16", "A#acme", "AL#acme#someday"])
def test_a_partition_that_is_of_no_day_is_named(trails: Trails, pk: str) -> None:
    trails.chains.catch_up(ACME, MONDAY.date())
    trails.put({"pk": {"S": pk}, "sk": {"S": "LINE#2026-03-16T12:00:00.000Z#0"}})
    (found,) = trails.verify(bucket=False).findings
    assert (found.kind, found.scope, found.day) == ("item_foreign", pk, None)
    assert trails.found(bucket=False, scope=ACME) == set()


def test_it_finds_days_by_lines_or_links_and_nothing_else(trails: Trails) -> None:
    trails.put({"pk": {"S": "M#acme#2026-03-16"}, "sk": {"S": "MEMBER"}})
    found = search(trails.table)
    assert found.days == {ACME: {MONDAY.date()}, "_platform": {MONDAY.date() + timedelta(days=1)}}
    assert found.foreign == []
