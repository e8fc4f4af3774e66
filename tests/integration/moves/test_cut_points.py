"""A function may die at any moment, and its request comes again: nothing is lost, nothing is doubled.

Every run is cut off before and after each of its AWS calls; after it was sent again, the whole table is, byte for
byte, what an undisturbed run leaves.
"""

from collections.abc import Callable

import pytest

from loyalty.core.table import Table
from loyalty.households.errors import MemberNotInHousehold
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, Moves, generous
from tests.ledgerkit.programs import BASE
from tests.ledgerkit.tables import empty_table

pytestmark = pytest.mark.integration

READ, WRITE = "GetItem", "TransactWriteItems"
READS = "BatchGetItem"
PENDING = [{**BASE["earn_rules"][0], "return_days": 14}]


def _proposed(moves: Moves) -> str:
    return moves.adjust(5_000)[0].adjustment_id


def _rich(moves: Moves) -> None:
    moves.grant(ADA, {"2026-03-20": 10, "2027-03-31": 100})


def _rich_for_long(moves: Moves) -> None:
    _rich(moves)
    moves.world.clock.set("2026-03-25T12:00:00Z")


def _household(moves: Moves) -> str:
    _rich(moves)
    return moves.found(ADA, BOB).household_id


def _pool(moves: Moves) -> str:
    household_id = _household(moves)
    moves.contribute(household_id, 60, key="first")
    return household_id


def _duplicate(moves: Moves) -> None:
    _rich(moves)
    moves.world.accrue("R-1", "490", member=ADA)
    moves.world.accrue("R-2", "30", member=BOB)


def _leave(moves: Moves, household_id: str, member: str) -> object:
    # Whoever is told that they are no longer in it has left.
    try:
        return moves.leave(household_id, member)
    except MemberNotInHousehold:
        return None


Prepare = Callable[[Moves], object]
Send = Callable[[Moves, str], object]
RUNS: dict[str, tuple[Prepare, Send, list[str]]] = {
    "adjustment": (_rich, lambda moves, _: moves.adjust(-50), [READS, WRITE]),
    "proposal": (_rich, lambda moves, _: moves.adjust(5_000), [READS, WRITE]),
    "approval": (_proposed, lambda moves, given: moves.approve(given), [READS, WRITE]),
    "rejection": (_proposed, lambda moves, given: moves.reject(given), [READ, WRITE]),
    "transfer": (_rich, lambda moves, _: moves.give(50), [READS, WRITE]),
    "transfer of expired points' owner": (_rich_for_long, lambda moves, _: moves.give(50), [READS, WRITE]),
    "founding": (_rich, lambda moves, _: moves.found(ADA), [WRITE]),
    "joining": (_household, lambda moves, given: moves.join(given, CLEO), [READS, WRITE]),
    "leaving": (_household, lambda moves, given: _leave(moves, given, ADA), [READS, WRITE]),
    "contribution": (_household, lambda moves, given: moves.contribute(given, 50), [READS, WRITE]),
    "withdrawal": (_pool, lambda moves, given: moves.withdraw(given, 50, member=BOB), [READS, WRITE]),
    "merge": (_duplicate, lambda moves, _: moves.merge(), [READS, WRITE]),
}


def _fresh(table: Table, prepare: Prepare) -> tuple[Moves, str]:
    empty_table(table)
    moves = Moves(table, of=generous(earn_rules=PENDING)).enroll()
    return moves, str(prepare(moves))


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_off_anywhere_and_sent_again_leaves_what_one_run_leaves(table: Table, run: str) -> None:
    prepare, send, round_trips = RUNS[run]
    moves, given = _fresh(table, prepare)
    before = moves.world.dump()
    with recorded(table.client) as calls:
        send(moves, given)
    wanted = moves.world.dump()
    assert wanted != before
    assert calls.names == round_trips
    for number, name in enumerate(round_trips, start=1):
        for cut in Cut:
            moves, given = _fresh(table, prepare)
            with killed_at(table.client, number, cut) as cut_calls:
                send(moves, given)
            assert len(cut_calls.names) == number, "the run was not cut off"
            sent = round_trips[: number if cut is Cut.AFTER else number - 1]
            assert moves.world.dump() == (wanted if WRITE in sent else before), f"half a run was written: {name}, {cut}"
            send(moves, given)
            assert moves.world.dump() == wanted, f"cut off {cut} number {number}"
            send(moves, given)
            assert moves.world.dump() == wanted
    assert moves.world.audit() == []
