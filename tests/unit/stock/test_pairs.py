"""A transfer between two members whose holds of the same shard have timed out: the shard is written once, for both."""

from datetime import timedelta

from loyalty.core.table import Table
from tests.ledgerkit.moves import ADA, BOB, Moves, generous
from tests.ledgerkit.stocked import REWARDS, Stocked


def test_both_sides_give_back_to_one_shard(table: Table) -> None:
    moves = Moves(table, of=generous(rewards=REWARDS)).enroll()
    world, shop = moves.world, Stocked(table)
    shop.fill({"mug/03": 2})
    for member in (ADA, BOB):
        world.accrue(f"R-{member}", "100", member=member)
        world.hold("key", "mug", member=member, hold_minutes=10)
    assert shop.level().left == 0
    world.clock.now += timedelta(minutes=10)
    moves.give(5)
    level = shop.level()
    assert (level.left, level.returned) == (2, 2)
    assert world.audit() == []
