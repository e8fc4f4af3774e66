"""What a sweep reads where a few of very many members are due."""

from collections.abc import Iterator

from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.meter import Engine
from tests.bench.progress import bar
from tests.ledgerkit.calls import items_read, recorded
from tests.ledgerkit.crowd import gather
from tests.ledgerkit.overdue import Overdue

MEMBERS, DUE = 100_000, 100
MOST_ITEMS = 3 * DUE - 1
"""Fewer than three for each member who is due: the key in the index, the book, and the little that all share."""
THE_DAY_AFTER = "2026-03-21"
WORKERS = 8


def figures(running: Running) -> Iterator[Figure]:
    """Of one sweep, with as many workers as the function has."""
    members = MEMBERS
    if running.engine is Engine.MINISTACK:
        members = MEMBERS // 100  # it looks at every item of the table for each query of an index
    table = running.table("sweep")
    world = Overdue(table, workers=WORKERS)
    with bar(f"{members:,} members", members) as told:
        gather(running.client, world, members, DUE, told)
    world.clock.set(THE_DAY_AFTER)
    with items_read(table.client) as read, recorded(table.client) as calls:
        sweep = world.sweep()
    if (sweep.members, sweep.entries, sweep.failures) != (DUE, DUE, []):
        raise AssertionError(f"the sweep settled other than the members who were due: {sweep}")
    running.drop(table)
    yield Figure(f"sweep.items_read.{DUE}_due_of_{members}", sum(read), "items", MOST_ITEMS)
    yield Figure(f"sweep.round_trips.{DUE}_due_of_{members}", len(calls.names), "round trips")
