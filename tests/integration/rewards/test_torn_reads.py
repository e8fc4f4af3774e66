"""Book and redemption are read together, but not at one moment: either may be older than the other.

A redemption that is older still looks open when the book has ended its hold.
"""

import pytest

from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem
from loyalty.rewards.errors import RedemptionAlreadyCancelled, RedemptionAlreadyCaptured, RedemptionAlreadyReleased
from loyalty.rewards.model import Party, RedemptionStatus
from tests.integration.ledger.test_torn_reads import torn
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.world import MEMBER, World

pytestmark = pytest.mark.integration


def record(world: World, redemption_id: str) -> RawItem:
    return world.dump()[f"M#acme#{MEMBER}", f"REDEMPTION#{redemption_id}"]


REFUSED: dict[tuple[str, str], type[LoyaltyError]] = {
    ("capture", "release"): RedemptionAlreadyCaptured,
    ("release", "capture"): RedemptionAlreadyReleased,
}


@pytest.mark.parametrize("others", [0, 1], ids=["nothing else is held", "something else is held"])
@pytest.mark.parametrize("by", list(Party))
@pytest.mark.parametrize("ends", REFUSED)
def test_a_redemption_read_before_it_ended_does_not_end_again(
    world: World, by: Party, ends: tuple[str, str], others: int
) -> None:
    (first, then), refused = ends, REFUSED[ends]
    world.accrue("R-1", "1000")
    redemption_id = world.hold("key", "coffee" if by is Party.PARTNER else "card")[0].redemption_id
    for number in range(others):
        world.hold(f"other-{number}", "card")
    older = record(world, redemption_id)
    getattr(world, first)(redemption_id, by=by)
    before = world.dump()
    with torn(world.table, f"REDEMPTION#{redemption_id}", older), pytest.raises(refused):
        getattr(world, then)(redemption_id, by=by)
    with torn(world.table, f"REDEMPTION#{redemption_id}", older):
        assert getattr(world, first)(redemption_id, by=by).status == f"{first}d"
    assert world.dump() == before


def test_a_capture_read_before_its_cancellation_is_not_cancelled_again(world: World) -> None:
    world.accrue("R-1", "100")
    redemption_id = world.hold("key")[0].redemption_id
    world.capture(redemption_id)
    older = record(world, redemption_id)
    cancelled = world.cancel(redemption_id)
    before = world.dump()
    with torn(world.table, f"REDEMPTION#{redemption_id}", older):
        assert world.cancel(redemption_id) == cancelled
    with pytest.raises(RedemptionAlreadyCancelled):
        world.capture(redemption_id)
    assert world.dump() == before
    assert world.proven().available == 100


def test_what_was_captured_in_time_is_not_said_to_have_timed_out(world: World) -> None:
    """The redemption was read before the capture, and the hour after the time-out: the answer is read once more."""
    world.accrue("R-1", "100")
    redemption_id = world.hold("key", hold_minutes=60)[0].redemption_id
    older = record(world, redemption_id)
    captured = world.capture(redemption_id)
    world.clock.advance(hours=1)
    sk = f"REDEMPTION#{redemption_id}"
    with torn(world.table, sk, older), recorded(world.table.client) as calls:
        assert world.capture(redemption_id) == captured
    assert calls.names == ["BatchGetItem", "GetItem"]
    with torn(world.table, sk, older), pytest.raises(RedemptionAlreadyCaptured):
        world.release(redemption_id)
    with torn(world.table, sk, older):
        assert world.cancel(redemption_id).status is RedemptionStatus.CANCELLED
    assert world.proven().available == 100
