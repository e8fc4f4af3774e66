"""What others are told of a redemption: each change of its stored status once, and the time-out by its entry."""

from typing import Any

import loyalty_contract as contract
from loyalty.core.table import RawItem
from loyalty.publishing.outbox import events_of
from loyalty.rewards.model import Redemption
from tests.ledgerkit.world import MEMBER, World

Dump = dict[tuple[str, str], RawItem]


def published(before: Dump, after: Dump) -> list[tuple[str, dict[str, Any]]]:
    """What the stream says of the difference, by detail-type."""
    found = []
    for key, new in after.items():
        if new != before.get(key):
            images = {"NewImage": new} | ({"OldImage": before[key]} if key in before else {})
            found += events_of({"dynamodb": {"SequenceNumber": "1", **images}})
    return sorted((event.detail_type, event.detail.model_dump(exclude_none=True)) for event in found)


def told(redemption: Redemption, status: str, **more: object) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "id": f"acme/{MEMBER}/{redemption.redemption_id}:{status}",
        "program": "acme",
        "member_id": MEMBER,
        "redemption_id": redemption.redemption_id,
        "reward_id": redemption.reward_id,
        "reward_type": redemption.reward_type,
        "quantity": redemption.quantity,
        "points": redemption.points,
        "wallet": redemption.wallet,
        "held_at": "2026-03-15T12:00:00.000Z",
    } | more


def test_a_redemption_is_told_of_from_hold_to_cancellation(world: World) -> None:
    world.accrue("R-1", "100")
    dumps = [world.dump()]
    redemption, _ = world.hold("key", hold_minutes=60)
    dumps.append(world.dump())
    world.capture(redemption.redemption_id, points=20)
    dumps.append(world.dump())
    world.cancel(redemption.redemption_id)
    dumps.append(world.dump())
    held, captured, cancelled = map(published, dumps, dumps[1:])
    until = {"expires_at": "2026-03-15T13:00:00.000Z"}
    assert held[1] == (contract.REDEMPTION_HELD, told(redemption, "held", **until))
    assert captured[1] == (contract.REDEMPTION_CAPTURED, told(redemption, "captured", **until, captured_points=20))
    assert cancelled[1] == (contract.REDEMPTION_CANCELLED, told(redemption, "cancelled", **until, captured_points=20))
    points = [(kind, detail["points"], detail["held"]) for kind, detail in (held[0], captured[0], cancelled[0])]
    assert points == [
        (contract.POINTS_HELD, -50, 50), (contract.POINTS_CAPTURED, 30, 0), (contract.POINTS_CANCELLED, 20, 0),
    ]  # fmt: skip


def test_a_time_out_is_told_by_its_entry_alone(world: World) -> None:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key", hold_minutes=60)
    before = world.dump()
    world.clock.advance(hours=2)
    world.settle()
    ((kind, detail),) = published(before, world.dump())
    assert kind == contract.POINTS_TIMED_OUT
    assert detail["entry_id"] == f"timeout:redemption:{redemption.redemption_id}"
    assert (detail["redemption_id"], detail["points"], detail["held"]) == (redemption.redemption_id, 50, 0)
    assert detail["occurred_at"] == "2026-03-15T13:00:00.000Z"


def test_a_gift_card_tells_of_no_time_out(world: World) -> None:
    world.accrue("R-1", "200")
    before = world.dump()
    redemption, _ = world.hold("key", "card")
    assert published(before, world.dump())[1] == (contract.REDEMPTION_HELD, told(redemption, "held"))
