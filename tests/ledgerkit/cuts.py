"""Cutting a run off before and after each of its AWS calls, and sending it again."""

from collections.abc import Callable

from loyalty.core.table import Table
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import World

Send = Callable[[], object]


def cut_off_everywhere(table: Table, prepare: Callable[[World], None], make: Callable[[World], Send]) -> None:
    """Fails unless half a run writes nothing, and a run sent again leaves byte for byte what an undisturbed one does.

    ``prepare`` brings a world to where the run starts; ``make`` gives what is sent there. The run is one read and one
    transaction.
    """
    world = _fresh(table, prepare)
    before, send = world.dump(), make(world)
    with recorded(table.client) as calls:
        send()
    wanted = world.dump()
    assert wanted != before
    assert len(calls.names) == 2
    for number in (1, 2):
        for cut in Cut:
            world = _fresh(table, prepare)
            send = make(world)
            with killed_at(table.client, number, cut) as cut_calls:
                send()
            assert len(cut_calls.names) == number, "the run was not cut off"
            written = number == 2 and cut is Cut.AFTER
            assert world.dump() == (wanted if written else before), f"half a run was written: {number}, {cut}"
            send()
            assert world.dump() == wanted, f"cut off {cut} number {number}"
            send()
            assert world.dump() == wanted
            assert world.audit() == []


def _fresh(table: Table, prepare: Callable[[World], None]) -> World:
    empty_table(table)
    world = World(table).enroll()
    prepare(world)
    return world
