"""A function may die at any moment, and its event or request comes again: nothing is lost, nothing is doubled.

Every run is cut off before and after each of its AWS calls; after it was sent again, the whole table is, byte for
byte, what an undisturbed run leaves.
"""

from collections.abc import Callable

import pytest

from loyalty.accruals.model import Refund
from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.ledgerkit.programs import program
from tests.ledgerkit.tables import empty_table
from tests.ledgerkit.world import MEMBER, World

pytestmark = pytest.mark.integration

Dump = dict[tuple[str, str], RawItem]


def _nothing(_: World) -> None:
    """Before an accrual there is nothing."""


def _accrued(world: World) -> None:
    world.accrue("R-1", "500")


def _held(world: World) -> None:
    _accrued(world)
    world.hold("key")


def _refunded(world: World) -> None:
    _accrued(world)
    world.refund("F-0", "R-1", "10")


def _expired(world: World) -> None:
    """Held on the lot's last days, so that the hold has not timed out yet."""
    _accrued(world)
    world.clock.set("2027-03-28")
    world.hold("key")
    world.clock.set("2027-04-02")


def _end(end: str) -> Callable[[World], object]:
    # Holding again with the same key is how a client finds its redemption again; it is not part of the cut run.
    def run(world: World) -> object:
        (redemption_id,) = (sk.removeprefix("REDEMPTION#") for _, sk in world.dump() if sk.startswith("REDEMPTION#"))
        return lambda: getattr(world, end)(redemption_id)

    return run


def _early(world: World) -> None:
    _reversed(world)


def _reversed(world: World) -> object:
    refund = Refund("pos", "F-1", "R-2", world.occurred_at, Money.of("30", "EUR"))
    return world.reversals.reverse(world.program, MEMBER, refund)


def _lapsed(world: World) -> None:
    _accrued(world)
    world.clock.set("2027-05-01")
    world.settle()


def _renewed(world: World) -> object:
    """An accrual that renews what is there, by a program under which points expire by inactivity."""
    later = World(world.table, of=program(expiry={"policy": "inactivity", "months": 24}), clock=world.clock)
    return lambda: later.accrue("R-2", "70")


RUNS: dict[str, tuple[Callable[[World], None], Callable[[World], object]]] = {
    "reversal that waits": (_nothing, lambda world: lambda: _reversed(world)),
    "accrual that is waited for": (_early, lambda world: lambda: world.accrue("R-2", "70")),
    "accrual that renews older points": (_accrued, _renewed),
    "reversal of expired points": (_lapsed, lambda world: lambda: world.refund("F-1", "R-1", "40")),
    "accrual": (_nothing, lambda world: lambda: world.accrue("R-2", "70")),
    "accrual of expired points' owner": (_expired, lambda world: lambda: world.accrue("R-2", "70")),
    "reversal": (_accrued, lambda world: lambda: world.refund("F-1", "R-1", "40")),
    "second reversal": (_refunded, lambda world: lambda: world.refund("F-1", "R-1", "490")),
    "hold": (_accrued, lambda world: lambda: world.hold("key")),
    "hold of the last points": (_accrued, lambda world: lambda: world.hold("key", "ten", 10)),
    "capture": (_held, _end("capture")),
    "release": (_held, _end("release")),
    "release of expired points": (_expired, _end("release")),
    "tier": (_accrued, lambda world: lambda: world.recalculate("R-1")),
}


ROUND_TRIPS = {
    "reversal that waits": 4,  # the accrual, its first result if there was one, what waits; the write
    "accrual that is waited for": 4,  # the book says that something waits; who waits, what waits; the write
    "reversal of expired points": 3,  # the accrual, what expired; the write
}


def _fresh(table: Table, prepare: Callable[[World], None]) -> World:
    empty_table(table)
    world = World(table).enroll()
    prepare(world)
    return world


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_off_anywhere_and_sent_again_leaves_what_one_run_leaves(table: Table, run: str) -> None:
    prepare, make = RUNS[run]
    world = _fresh(table, prepare)
    before, send = world.dump(), make(world)
    assert callable(send)
    with recorded(table.client) as calls:
        send()
    wanted, round_trips = world.dump(), len(calls.names)
    assert wanted != before
    assert round_trips == ROUND_TRIPS.get(run, 2)
    assert calls.names.index("TransactWriteItems") == round_trips - 1, "it writes once, at the end"
    for number in range(1, round_trips + 1):
        for cut in Cut:
            world = _fresh(table, prepare)
            send = make(world)
            assert callable(send)
            with killed_at(table.client, number, cut) as cut_calls:
                send()
            assert len(cut_calls.names) == number, "the run was not cut off"
            written = number == round_trips and cut is Cut.AFTER
            assert world.dump() == (wanted if written else before), f"half a run was written: {number}, {cut}"
            send()
            assert world.dump() == wanted, f"cut off {cut} number {number}"
            send()
            assert world.dump() == wanted
            assert world.audit() == []
