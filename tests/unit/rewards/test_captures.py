"""Capturing a part of a hold: what expires first is spent, the rest goes back, and it is done once."""

import pytest

from loyalty.core.errors import LoyaltyError
from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind
from loyalty.rewards.errors import (
    CaptureExceedsHold,
    FulfillmentInProgress,
    RedemptionAlreadyCaptured,
    RedemptionAlreadyReleased,
)
from loyalty.rewards.model import Party, RedemptionStatus
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World


@pytest.fixture
def lots(world: World) -> World:
    """100 points until 2027-03-31, 60 until 2027-05-31, 40 until 2027-06-30."""
    world.accrue("R-1", "100")
    world.clock.set("2026-05-02")
    world.accrue("R-2", "60")
    world.clock.set("2026-06-10")
    world.accrue("R-3", "40")
    return world


# What a hold of 150 has taken: 100 of the first lot, 50 of the second, of which 10 stay, as do the 40 of the third.
PARTS: dict[int, tuple[dict[str, int], dict[str, int]]] = {
    1: ({"2027-03-31": 1}, {"2027-03-31": 99, "2027-05-31": 60, "2027-06-30": 40}),
    99: ({"2027-03-31": 99}, {"2027-03-31": 1, "2027-05-31": 60, "2027-06-30": 40}),
    100: ({"2027-03-31": 100}, {"2027-05-31": 60, "2027-06-30": 40}),
    101: ({"2027-03-31": 100, "2027-05-31": 1}, {"2027-05-31": 59, "2027-06-30": 40}),
    149: ({"2027-03-31": 100, "2027-05-31": 49}, {"2027-05-31": 11, "2027-06-30": 40}),
    150: ({"2027-03-31": 100, "2027-05-31": 50}, {"2027-05-31": 10, "2027-06-30": 40}),
}


@pytest.mark.parametrize("points", PARTS)
def test_what_expires_first_is_spent_and_the_rest_is_back_in_its_lots(lots: World, points: int) -> None:
    spent, left = PARTS[points]
    redemption, _ = lots.hold("key", "coffee", 3)
    assert redemption.lots == {"2027-03-31": 100, "2027-05-31": 50}
    lots.clock.advance(hours=1)
    captured = lots.capture(redemption.redemption_id, points=points)
    assert (captured.status, captured.captured_points, captured.points) == (RedemptionStatus.CAPTURED, points, 150)
    assert (captured.ended_at, captured.spent) == (lots.clock(), spent)
    assert lots.redemptions.get("acme", captured.member_id, captured.redemption_id) == captured
    entry = lots.entries()[-1]
    back = {Account.AVAILABLE: 150 - points} if points < 150 else {}
    assert entry.movement.change().postings == {Account.HELD: -150, Account.REDEEMED: points, **back}
    assert entry.points == 150 - points
    wallet = lots.proven()
    assert (wallet.available, wallet.held, wallet.lots) == (200 - points, 0, left)
    assert lots.book().holds == {}


def test_a_capture_of_no_number_is_of_all_points(lots: World) -> None:
    redemption, _ = lots.hold("key", "coffee", 3)
    captured = lots.capture(redemption.redemption_id)
    assert (captured.captured_points, captured.spent) == (150, {"2027-03-31": 100, "2027-05-31": 50})
    assert lots.entries()[-1].movement.change().postings == {Account.HELD: -150, Account.REDEEMED: 150}
    assert lots.proven().available == 50


@pytest.mark.parametrize("points", [0, -1, 51, 10**12])
def test_no_more_is_captured_than_is_held_and_no_less_than_one(lots: World, points: int) -> None:
    redemption, _ = lots.hold("key")
    lots.hold("another has held points too")
    before = lots.dump()
    with pytest.raises(CaptureExceedsHold) as refusal:
        lots.capture(redemption.redemption_id, points=points)
    assert (refusal.value.code, refusal.value.pointer) == ("capture_exceeds_hold", "/points")
    assert lots.dump() == before


@pytest.mark.parametrize("points", [None, 30, 50])
def test_a_capture_sent_again_says_so_again(lots: World, points: int | None) -> None:
    redemption, _ = lots.hold("key")
    captured = lots.capture(redemption.redemption_id, points=points)
    before = lots.dump()
    lots.clock.advance(days=90)
    assert lots.capture(redemption.redemption_id, points=points) == captured
    assert lots.dump() == before


@pytest.mark.parametrize(("first", "then"), [(None, 50), (50, None)])
def test_all_points_by_their_number_are_all_points(lots: World, first: int | None, then: int | None) -> None:
    redemption, _ = lots.hold("key")
    captured = lots.capture(redemption.redemption_id, points=first)
    assert lots.capture(redemption.redemption_id, points=then) == captured


@pytest.mark.parametrize(("first", "then"), [(30, 20), (30, 31), (30, None), (None, 30), (50, 49), (30, 51), (30, 0)])
def test_a_second_capture_of_other_points_is_refused(lots: World, first: int | None, then: int | None) -> None:
    redemption, _ = lots.hold("key")
    lots.capture(redemption.redemption_id, points=first)
    before = lots.dump()
    with pytest.raises(RedemptionAlreadyCaptured, match=f"{first or 50} of 50"):
        lots.capture(redemption.redemption_id, points=then)
    assert lots.dump() == before


@pytest.mark.parametrize(
    ("end", "refused"), [("capture", RedemptionAlreadyCaptured), ("release", RedemptionAlreadyReleased)]
)
def test_what_has_ended_is_not_captured_in_part(lots: World, end: str, refused: type[LoyaltyError]) -> None:
    redemption, _ = lots.hold("key")
    getattr(lots, end)(redemption.redemption_id)
    before = lots.dump()
    with pytest.raises(refused):
        lots.capture(redemption.redemption_id, points=10)
    assert lots.dump() == before


def test_a_gift_card_is_captured_by_fulfilment_and_whole(lots: World) -> None:
    redemption, _ = lots.hold("key", "card")
    with pytest.raises(FulfillmentInProgress):
        lots.capture(redemption.redemption_id, points=10)
    captured = lots.capture(redemption.redemption_id, by=Party.FULFILLMENT)
    assert captured.captured_points == 200


def test_the_rest_of_a_lot_that_has_expired_has_its_grace(table: Table) -> None:
    world = World(table, of=program(expiry={"policy": "rolling", "months": 12, "grace_days": 10})).enroll()
    world.accrue("R-1", "100")
    world.clock.set("2026-05-02")
    world.accrue("R-2", "60")
    world.clock.set("2027-03-31T10:00:00Z")
    redemption, _ = world.hold("key", "coffee", 3)
    world.clock.set("2027-04-03T10:00:00Z")
    world.capture(redemption.redemption_id, points=70)
    assert world.proven().lots == {"2027-04-30": 30, "2027-05-31": 60}
    assert EntryKind.EXPIRY not in [entry.key.kind for entry in world.entries()]
    world.clock.set("2027-05-01")
    world.settle()
    assert world.proven().lots == {"2027-05-31": 60}


def test_the_rest_brings_a_balance_below_zero_up_first(world: World) -> None:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key")
    world.refund("F-1", "R-1", "100")
    assert world.wallet().available == -50
    world.capture(redemption.redemption_id, points=20)
    wallet = world.proven()
    assert (wallet.available, wallet.held, wallet.lots) == (-20, 0, {})


def test_the_rest_pays_a_debt_first(table: Table) -> None:
    world = World(table, of=program(reversal="clamp_with_debt")).enroll()
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key")
    world.refund("F-1", "R-1", "90")
    assert (world.wallet().available, world.wallet().debt) == (0, 40)
    world.capture(redemption.redemption_id, points=4)
    entry = world.entries()[-1]
    assert entry.movement.change().postings == {
        Account.HELD: -50, Account.REDEEMED: 4, Account.DEBT: 40, Account.AVAILABLE: 6,
    }  # fmt: skip
    wallet = world.proven()
    assert (wallet.available, wallet.debt, wallet.lots) == (6, 0, {"2027-03-31": 6})
