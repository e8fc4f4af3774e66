"""Whenever and however often it is swept, no balance changes, at that moment or at any later one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.core.table import Table
from loyalty.ledger.keys import due_shard
from loyalty.ledger.model import Book
from loyalty.ledger.movements import end_of_month
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.overdue import Overdue, spread
from tests.ledgerkit.programs import program
from tests.ledgerkit.tables import empty_table

# Three months in Santiago, where a day begins at one o'clock when the clocks go forward.
PROGRAM = program(expiry={"policy": "rolling", "months": 3, "warn_days": [20, 5]}, time_zone="America/Santiago")
START = at("2026-07-20T10:00:00Z")
LONGEST = 260
"""Days after which nothing is left to fall due."""
SWEPT, ALONE = spread(1)[:2]
SHARD = int(due_shard(SWEPT)[-2:])
"""Where the one member is, and the other is not."""

HOURS = st.integers(0, 24 * 25)
EARN = st.tuples(st.just("earn"), st.integers(1, 500), st.integers(0, 130))
HOLD = st.tuples(st.just("hold"), st.integers(1, 200), st.integers(1, 24 * 40))
SWEEP = st.just(("sweep", 0, 0))
STEPS = st.lists(st.tuples(HOURS, EARN | HOLD | SWEEP | SWEEP), min_size=1, max_size=14)


def _act(world: Overdue, number: int, kind: str, points: int, wait: int) -> None:
    """The same to both members, of whom one alone is swept."""
    now = world.clock()
    for member in (SWEPT, ALONE):
        if kind == "earn":
            spendable = now.date() + timedelta(days=wait)  # from then on they live, so that none expires before
            lot = end_of_month(spendable + timedelta(days=90)).isoformat()
            pending = spendable.isoformat() if wait else None
            world.earn(f"R-{number}", points, lot, member=member, pending_until=pending)
        elif kind == "hold" and points <= world.as_of(member, now).wallet().available:
            world.hold(f"red_{number}", points, now + timedelta(hours=wait), member=member)
    if kind == "sweep":
        world.sweep([SHARD])


def _facts(book: Book) -> Book:
    """All but whose it is, and how far it was written down."""
    return replace(book, member_id="", settled_to=None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, later=st.lists(st.integers(0, 24 * LONGEST), min_size=3, max_size=3))
def test_a_sweep_changes_no_balance_at_any_moment(table: Table, steps: Any, later: list[int]) -> None:
    empty_table(table)
    world = Overdue(table, of=PROGRAM, clock=SettableClock(START)).enroll(SWEPT, ALONE)
    for number, (hours, (kind, points, wait)) in enumerate(steps):
        world.clock.advance(hours=hours)
        _act(world, number, kind, points, wait)
        for moment in [world.clock() + timedelta(hours=ahead) for ahead in (0, *later)]:
            assert _facts(world.as_of(SWEPT, moment)) == _facts(world.as_of(ALONE, moment))
    world.clock.advance(days=LONGEST)
    world.sweep()
    assert [(entry.key.entry_id, entry.movement) for entry in world.entries(SWEPT)] == [
        (entry.key.entry_id, entry.movement) for entry in world.entries(ALONE)
    ]
