"""Delivery dies before or after any call that leaves it, and the event comes again: given once, captured once, or neither.

Whatever the place: a member has a code if and only if the points are captured; no code is lost and none is given twice.
"""

import pytest

from loyalty.core.table import Table
from loyalty.delivery.model import Outcome
from tests.ledgerkit.tables import empty_table
from tests.unit.delivery.rig import Killed, Rig

REWARDS = ("summer", "winter", "back", "nothing")
CODES = ("SUN-0001", "SUN-0002")


def fresh(table: Table, reward: str) -> tuple[Rig, str]:
    empty_table(table)
    rig = Rig(table).ready()
    if reward == "summer":
        rig.load(*CODES)
    return rig, rig.hold("key", "summer" if reward == "nothing" else reward)[0].redemption_id


def given(rig: Rig, redemption_id: str) -> int:
    """How many things the redemption was given: cards and lines."""
    cards = [pk for pk, sk in rig.dump() if sk == "CARD" and pk.endswith(redemption_id)]
    lines = [sk for _, sk in rig.dump() if sk == f"LINE#{redemption_id}"]
    return len(cards) + len(lines)


def points(table: Table, reward: str) -> int:
    rig, redemption_id = fresh(table, reward)
    with rig.fused():
        rig.deliver(redemption_id)
        return len(rig.fuse.passed)


def consistent(rig: Rig, redemption_id: str, reward: str) -> str:
    """The status, after all that belongs together was found together."""
    status = rig.redemptions.get("acme", "mbr_1", redemption_id).status
    assert given(rig, redemption_id) == (status == "captured")
    if reward == "summer":
        assert rig.pool.left("acme", "summer") == len(list(rig.pool.hashes("acme", "summer")))
        assert rig.pool.left("acme", "summer") == 2 - (status == "captured")
    assert rig.audit() == []
    return status


@pytest.mark.parametrize("reward", REWARDS)
def test_an_event_that_comes_again_after_any_death(table: Table, reward: str) -> None:
    places = points(table, reward)
    assert places >= 8
    for place in range(places):
        rig, redemption_id = fresh(table, reward)
        with rig.fused(place), pytest.raises(Killed):
            rig.deliver(redemption_id)
        consistent(rig, redemption_id, reward)
        again = Rig(table)
        assert again.deliver(redemption_id) in {*Outcome} - {Outcome.NOT_OURS}
        wanted = "released" if reward == "nothing" else "captured"
        assert consistent(again, redemption_id, reward) == wanted
        before = again.dump()
        again.deliver(redemption_id)
        assert again.dump() == before, "a third delivery of the event changed something"


def test_an_import_that_dies_anywhere_is_imported_again(table: Table) -> None:
    rig, _ = fresh(table, "nothing")
    with rig.fused():
        rig.load(*CODES)
        places = len(rig.fuse.passed)
    for place in range(places):
        rig, _ = fresh(table, "nothing")
        with rig.fused(place), pytest.raises(Killed):
            rig.load(*CODES)
        assert rig.pool.left("acme", "summer") == len(list(rig.pool.hashes("acme", "summer")))
        assert {one.problem for one in Rig(table).load(*CODES)} <= {None, "known"}
        assert rig.pool.left("acme", "summer") == 2
