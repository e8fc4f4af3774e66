"""A reward that the program pays: a redemption of no points, with the same entries and the same proof."""

from typing import Any, Final

import pytest

from loyalty.core.errors import IdempotencyKeyReused
from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind
from loyalty.rewards.errors import CaptureExceedsHold, RedemptionAlreadyCaptured, TierRequired
from loyalty.rewards.model import Party, Payer, Redemption, RedemptionStatus
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import MEMBER, World

GIFT: Final[dict[str, Any]] = {"campaign": "spring", "paid_by": Payer.PROGRAM, "requested_by": "person:ada"}


def gift(world: World, key: str = "L-1", reward: str = "card") -> Redemption:
    return world.hold(key, reward, **GIFT)[0]


def shown(world: World) -> list[tuple[EntryKind, dict[Account, int]]]:
    return [(entry.key.kind, dict(entry.movement.change().postings)) for entry in world.entries()]


@pytest.mark.parametrize("balance", [None, "30", "500"])
def test_it_moves_no_points_and_is_proved(world: World, balance: str | None) -> None:
    if balance:
        world.accrue("R-1", balance)
    before = world.wallet()
    held = gift(world)
    assert (held.points, held.lots, held.campaign, held.paid_by, held.requested_by) == (
        0, {}, "spring", Payer.PROGRAM, "person:ada",
    )  # fmt: skip
    assert world.redemptions.get("acme", MEMBER, held.redemption_id) == held
    captured = world.capture(held.redemption_id, by=Party.FULFILLMENT)
    assert (captured.status, captured.captured_points) == (RedemptionStatus.CAPTURED, 0)
    assert world.capture(held.redemption_id, by=Party.FULFILLMENT) == captured
    assert shown(world)[-2:] == [(EntryKind.HOLD, {}), (EntryKind.CAPTURE, {})]
    assert world.proven() == before


def test_of_a_wallet_below_zero_too(table: Table) -> None:
    world = World(table, of=program(reversal="allow_negative")).enroll()
    world.accrue("R-1", "100")
    paid = world.hold("A", "coffee")[0]
    world.capture(paid.redemption_id)
    world.refund("F-1", "R-1", everything=True)
    assert world.wallet().available == -50
    held = gift(world)
    assert world.release(held.redemption_id, by=Party.FULFILLMENT).status is RedemptionStatus.RELEASED
    assert world.proven().available == -50


def test_released_it_gives_nothing_to_the_member(world: World) -> None:
    held = gift(world)
    world.release(held.redemption_id, by=Party.FULFILLMENT)
    assert shown(world) == [(EntryKind.HOLD, {}), (EntryKind.RELEASE, {})]
    assert world.proven().available == 0


def test_it_ends_once_and_with_no_points(world: World) -> None:
    held = gift(world)
    with pytest.raises(CaptureExceedsHold):
        world.capture(held.redemption_id, by=Party.FULFILLMENT, points=1)
    world.capture(held.redemption_id, by=Party.FULFILLMENT)
    with pytest.raises(RedemptionAlreadyCaptured):
        world.release(held.redemption_id, by=Party.FULFILLMENT)
    world.proven()


def test_under_its_key_it_is_not_asked_for_in_another_way(world: World) -> None:
    world.accrue("R-1", "500")
    first = gift(world)
    assert world.hold("L-1", "card", **GIFT) == (first, True)
    with pytest.raises(IdempotencyKeyReused):
        world.hold("L-1", "card", campaign="spring")
    with pytest.raises(IdempotencyKeyReused):
        world.hold("L-1", "card")


def test_who_may_not_have_the_reward_is_not_given_it(table: Table) -> None:
    rewards = [one | {"tiers": ["gold"]} for one in BASE["rewards"]]
    world = World(table, of=program(rewards=rewards)).enroll()
    with pytest.raises(TierRequired):
        gift(world)


def test_points_that_expire_unless_somebody_is_active_are_not_renewed_by_a_gift(table: Table) -> None:
    world = World(table, of=program(expiry={"policy": "inactivity", "months": 6})).enroll()
    world.accrue("R-1", "100")
    world.clock.advance(days=60)
    lots = world.wallet().lots
    gift(world)
    assert world.proven().lots == lots
