from typing import Any

import pytest

from loyalty.core.errors import (
    IdempotencyKeyReused,
    InsufficientPoints,
    LoyaltyError,
    MemberNotFound,
    PointsLimitExceeded,
    RedemptionNotFound,
    RewardNotFound,
)
from loyalty.core.table import Put, Table
from loyalty.ledger.model import Account, EntryKind
from loyalty.programs.rewards import Codes, Reward, RewardType
from loyalty.rewards.errors import (
    FulfillmentInProgress,
    QuantityLimitExceeded,
    RedemptionAlreadyCaptured,
    RedemptionAlreadyReleased,
)
from loyalty.rewards.model import Party, RedemptionStatus
from loyalty.rewards.store import RedemptionStore
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import MEMBER, World


@pytest.fixture
def rich(world: World) -> World:
    world.accrue("R-1", "1000")
    return world


def test_a_hold_opens_a_redemption_and_sets_the_points_aside(rich: World) -> None:
    redemption, replayed = rich.hold("key", "coffee", 3)
    assert not replayed
    assert (redemption.status, redemption.points, redemption.quantity) == (RedemptionStatus.HELD, 150, 3)
    assert redemption.lots == {"2027-03-31": 150}
    assert (rich.wallet().available, rich.wallet().held) == (850, 150)
    assert rich.redemptions.get("acme", MEMBER, redemption.redemption_id) == redemption
    entry = rich.entries()[-1]
    assert entry.key.kind is EntryKind.HOLD
    assert (entry.facts.redemption_id, entry.facts.reward_id) == (redemption.redemption_id, "coffee")
    assert entry.movement.change().postings == {Account.AVAILABLE: -150, Account.HELD: 150}
    assert entry.facts.hold_expires_at == redemption.expires_at
    rich.proven()


@pytest.mark.parametrize("end", ["capture", "release"])
def test_a_hold_sent_again_answers_as_it_first_did_though_it_has_ended(rich: World, end: str) -> None:
    first, _ = rich.hold("key")
    getattr(rich, end)(first.redemption_id)
    before = rich.dump()
    assert rich.hold("key") == (first, True)
    assert rich.dump() == before


def test_a_hold_sent_again_needs_no_points(world: World) -> None:
    world.accrue("R-1", "50")
    first, _ = world.hold("key")
    assert world.wallet().available == 0
    assert world.hold("key") == (first, True)
    with pytest.raises(InsufficientPoints):
        world.hold("other")


def test_a_hold_sent_again_survives_the_end_of_its_reward(rich: World) -> None:
    first, _ = rich.hold("key")
    later = World(rich.table, of=program(version=2, rewards=BASE["rewards"][1:]))
    assert later.hold("key") == (first, True)
    with pytest.raises(RewardNotFound):
        later.hold("other")


@pytest.mark.parametrize(("reward", "quantity"), [("coffee", 2), ("ten", 1), ("tea", 1), ("coffee", 99)])
def test_a_key_sent_with_another_body_is_refused(rich: World, reward: str, quantity: int) -> None:
    rich.hold("key")
    before = rich.dump()
    with pytest.raises(IdempotencyKeyReused) as refusal:
        rich.hold("key", reward, quantity)
    assert refusal.value.code == "idempotency_key_reused"
    assert rich.dump() == before


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        (RewardNotFound, {"reward": "tea"}),
        (QuantityLimitExceeded, {"quantity": 11}),
        (QuantityLimitExceeded, {"quantity": 0}),
        (QuantityLimitExceeded, {"quantity": -1}),
        (InsufficientPoints, {"reward": "card", "quantity": 6}),
        (MemberNotFound, {"member": "mbr_nobody"}),
    ],
)
def test_a_refused_hold_writes_nothing(rich: World, refused: type[LoyaltyError], changes: dict[str, Any]) -> None:
    rich.hold("earlier")
    before = rich.dump()
    with pytest.raises(refused):
        rich.hold("key", **changes)
    assert rich.dump() == before


def test_a_redemption_dearer_than_a_posting_may_be_is_refused(table: Table) -> None:
    reward = {"id": "moon", "name": "The moon", "type": "perk", "points": 10**9}
    world = World(table, of=program(rewards=[reward])).enroll()
    with pytest.raises(PointsLimitExceeded):
        world.hold("key", "moon", 2)


def test_other_clients_keys_do_not_meet(rich: World) -> None:
    ids = {
        rich.redemptions.hold(
            rich.program, MEMBER, reward_id="coffee", quantity=1, client_id=client, idempotency_key="key"
        )[0].redemption_id
        for client in ("app", "pos")
    }
    assert len(ids) == 2
    assert rich.proven().held == 100


@pytest.mark.parametrize(("end", "held", "available"), [("capture", 0, 950), ("release", 0, 1000)])
def test_a_hold_ends_once_and_says_so_again(rich: World, end: str, held: int, available: int) -> None:
    redemption, _ = rich.hold("key")
    rich.clock.advance(hours=1)
    ended = getattr(rich, end)(redemption.redemption_id)
    assert ended.ended_at == rich.clock()
    wallet = rich.proven()
    assert (wallet.held, wallet.available) == (held, available)
    before = rich.dump()
    rich.clock.advance(hours=1)
    assert getattr(rich, end)(redemption.redemption_id) == ended
    assert rich.dump() == before


@pytest.mark.parametrize(
    ("first", "then", "refused"),
    [("capture", "release", RedemptionAlreadyCaptured), ("release", "capture", RedemptionAlreadyReleased)],
)
def test_what_has_ended_one_way_cannot_end_the_other(
    rich: World, first: str, then: str, refused: type[LoyaltyError]
) -> None:
    redemption, _ = rich.hold("key")
    getattr(rich, first)(redemption.redemption_id)
    before = rich.dump()
    with pytest.raises(refused):
        getattr(rich, then)(redemption.redemption_id)
    assert rich.dump() == before


@pytest.mark.parametrize("end", ["capture", "release"])
def test_what_was_never_held_cannot_end(rich: World, end: str) -> None:
    rich.enroll("mbr_2")
    others, _ = rich.hold("key")
    before = rich.dump()
    for redemption_id, member in [("rdm_none", MEMBER), (others.redemption_id, "mbr_2")]:
        with pytest.raises(RedemptionNotFound):
            getattr(rich, end)(redemption_id, member=member)
    with pytest.raises(MemberNotFound):
        getattr(rich, end)(others.redemption_id, member="mbr_nobody")
    assert rich.dump() == before


@pytest.mark.parametrize(
    ("reward", "wrong", "right"),
    [("card", Party.PARTNER, Party.FULFILLMENT), ("coffee", Party.FULFILLMENT, Party.PARTNER)],
)
@pytest.mark.parametrize("end", ["capture", "release"])
def test_only_the_party_whose_reward_it_is_ends_a_hold(
    rich: World, reward: str, wrong: Party, right: Party, end: str
) -> None:
    redemption, _ = rich.hold("key", reward)
    before = rich.dump()
    with pytest.raises(FulfillmentInProgress):
        getattr(rich, end)(redemption.redemption_id, by=wrong)
    assert rich.dump() == before
    assert getattr(rich, end)(redemption.redemption_id, by=right).ended_at is not None


NEEDED: dict[RewardType, dict[str, Any]] = {
    RewardType.GIFT_CARD: {"gift_card": {"product": "P", "denomination": "10", "currency": "USD"}},
    RewardType.CASHBACK: {"value": {"value": "1.00", "currency": "USD"}},
    RewardType.DONATION: {"value": {"value": "1.00", "currency": "USD"}, "charity": {"id": "trees", "name": "Trees"}},
}


@pytest.mark.parametrize("kind", list(RewardType))
def test_each_type_of_reward_has_one_party_that_ends_it(kind: RewardType) -> None:
    reward = Reward.model_validate({"id": "r", "name": "R", "type": kind, "points": 1, **NEEDED.get(kind, {})})
    platform = {RewardType.GIFT_CARD, RewardType.CASHBACK, RewardType.DONATION}
    assert reward.party is (Party.FULFILLMENT if kind in platform else Party.PARTNER)


def test_a_discount_with_codes_is_given_by_the_platform() -> None:
    reward = Reward(id="r", name="R", type=RewardType.DISCOUNT, points=1, codes=Codes(source="generated"))
    assert reward.party is Party.FULFILLMENT


def test_released_points_go_back_to_the_lots_they_came_from(rich: World) -> None:
    rich.clock.set("2026-05-02")
    rich.accrue("R-2", "100")
    before = rich.wallet().lots
    redemption, _ = rich.hold("key", "card", 5)
    second, _ = rich.hold("key-2", "coffee")
    assert redemption.lots == {"2027-03-31": 1000}
    assert second.lots == {"2027-05-31": 50}
    rich.release(second.redemption_id)
    rich.release(redemption.redemption_id, by=Party.FULFILLMENT)
    assert rich.proven().lots == before


def test_points_do_not_go_back_while_the_supplier_has_an_order(rich: World) -> None:
    redemption, _ = rich.hold("key", "card")
    item = RedemptionStore(rich.table).item("acme", MEMBER, redemption.redemption_id)
    item.supplier_order_id = "T-1"
    rich.table.write([Put(item)])
    before = rich.dump()
    with pytest.raises(FulfillmentInProgress):
        rich.release(redemption.redemption_id, by=Party.FULFILLMENT)
    assert rich.dump() == before
    assert rich.capture(redemption.redemption_id, by=Party.FULFILLMENT).status is RedemptionStatus.CAPTURED
    assert rich.proven().held == 0
