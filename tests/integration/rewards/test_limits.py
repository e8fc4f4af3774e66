"""Members who redeem under a limit from many places at once: as many are held as it lets, and none is lost."""

from functools import partial

import pytest

from loyalty.core.errors import WalletBusy
from loyalty.core.table import Table
from loyalty.rewards.errors import RewardLimitReached
from loyalty.rewards.limits import LIMITS_SK, Taken
from tests.integration.rewards.test_races import all_at_once
from tests.ledgerkit.cuts import cut_off_everywhere
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World

pytestmark = pytest.mark.integration

MUG = {"id": "mug", "name": "Mug", "type": "product", "points": 10}


def limited(table: Table, count: int) -> World:
    rewards = [{**MUG, "per_member": [{"per": "day", "count": count}]}]
    world = World(table, of=program(rewards=rewards)).enroll()
    world.accrue("R-1", "1000")
    return world


def asked(world: World, number: int) -> str:
    try:
        return world.hold(f"key-{number}", "mug")[0].status
    except (RewardLimitReached, WalletBusy) as refusal:
        return refusal.code


@pytest.mark.parametrize("count", [1, 3])
def test_of_many_at_one_moment_as_many_are_held_as_the_limit_lets(table: Table, count: int) -> None:
    world = limited(table, count)
    calls = [partial(asked, world, number) for number in range(8)]
    told = all_at_once(list(calls))
    while told["wallet_busy"]:  # whoever is told so asks again
        told = all_at_once(list(calls))
    assert told == {"held": count, "reward_limit_reached": 8 - count}
    assert len(Taken.read(table.read(f"M#acme#{MEMBER}", LIMITS_SK)).holds) == count
    assert world.proven().held == 10 * count


def accrued_under_a_limit(world: World) -> None:
    world.program = program(rewards=[{**MUG, "per_member": [{"per": "day", "count": 1}]}])
    world.accrue("R-1", "1000")


def test_a_hold_under_a_limit_cut_off_anywhere_and_sent_again_counts_once(table: Table) -> None:
    cut_off_everywhere(table, accrued_under_a_limit, lambda world: lambda: world.hold("key", "mug"))
