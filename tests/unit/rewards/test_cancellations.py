"""Undoing a capture: the captured points come back to the lots that they were spent from, once."""

from typing import Any

import pytest

from loyalty.core.errors import LoyaltyError, RedemptionNotFound
from loyalty.core.table import Table
from loyalty.ledger.model import Account
from loyalty.rewards.errors import (
    FulfillmentInProgress,
    RedemptionAlreadyCancelled,
    RedemptionAlreadyReleased,
    RedemptionNotCancellable,
    RedemptionNotCaptured,
)
from loyalty.rewards.model import Party, RedemptionStatus
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World


@pytest.fixture
def lots(world: World) -> World:
    """100 points until 2027-03-31, 60 until 2027-05-31."""
    world.accrue("R-1", "100")
    world.clock.set("2026-05-02T12:00:00Z")
    world.accrue("R-2", "60")
    return world


@pytest.mark.parametrize("points", [1, 100, 101, 150])
def test_captured_points_come_back_to_their_lots_and_no_others(lots: World, points: int) -> None:
    before = lots.wallet()
    redemption, _ = lots.hold("key", "coffee", 3)
    captured = lots.capture(redemption.redemption_id, points=points)
    lots.clock.set("2026-08-01T09:00:00Z")
    cancelled = lots.cancel(redemption.redemption_id)
    assert cancelled.status is RedemptionStatus.CANCELLED
    assert (cancelled.cancelled_at, cancelled.ended_at) == (at("2026-08-01T09:00:00Z"), captured.ended_at)
    assert (cancelled.captured_points, cancelled.spent) == (points, captured.spent)
    assert lots.redemptions.get("acme", captured.member_id, captured.redemption_id) == cancelled
    entry = lots.entries()[-1]
    assert entry.entry_id == f"cancellation:redemption:{redemption.redemption_id}"
    assert entry.movement.change().postings == {Account.REDEEMED: -points, Account.AVAILABLE: points}
    assert entry.movement.change().lots == captured.spent
    assert (entry.facts.redemption_id, entry.facts.reward_id) == (redemption.redemption_id, "coffee")
    assert lots.proven() == before


def test_a_cancellation_sent_again_restores_nothing_more(lots: World) -> None:
    redemption, _ = lots.hold("key")
    lots.capture(redemption.redemption_id)
    cancelled = lots.cancel(redemption.redemption_id)
    before = lots.dump()
    lots.clock.advance(days=40)
    assert lots.cancel(redemption.redemption_id) == cancelled
    assert lots.dump() == before
    assert lots.proven().available == 160


def test_points_whose_lot_has_expired_since_have_a_grace(table: Table) -> None:
    world = World(table, of=program(expiry={"policy": "rolling", "months": 12, "grace_days": 10})).enroll()
    world.accrue("R-1", "100")
    world.clock.set("2026-05-02")
    world.accrue("R-2", "60")
    redemption, _ = world.hold("key", "coffee", 3)
    world.capture(redemption.redemption_id, points=130)
    world.clock.set("2027-04-25T12:00:00Z")
    world.cancel(redemption.redemption_id)
    # 100 of 2027-03-31 until the end of the month of 2027-05-05, 30 of 2027-05-31, where 30 of the 60 were left.
    assert world.proven().lots == {"2027-05-31": 160}
    world.clock.set("2027-06-01T00:00:00Z")
    world.settle()
    assert world.proven().available == 0


@pytest.mark.parametrize(("end", "refused"), [(None, RedemptionNotCaptured), ("release", RedemptionAlreadyReleased)])
def test_what_was_never_captured_is_not_cancelled(lots: World, end: str | None, refused: type[LoyaltyError]) -> None:
    redemption, _ = lots.hold("key")
    if end:
        getattr(lots, end)(redemption.redemption_id)
    before = lots.dump()
    with pytest.raises(refused):
        lots.cancel(redemption.redemption_id)
    assert lots.dump() == before


@pytest.mark.parametrize("again", [{}, {"points": 50}, {"points": 20}])
def test_a_capture_sent_again_after_its_cancellation_does_not_say_captured(lots: World, again: dict[str, Any]) -> None:
    """Whoever captures hands something over: an answer that was true once would be taken for true."""
    redemption, _ = lots.hold("key")
    lots.capture(redemption.redemption_id)
    lots.cancel(redemption.redemption_id)
    before = lots.dump()
    with pytest.raises(RedemptionAlreadyCancelled):
        lots.capture(redemption.redemption_id, **again)
    with pytest.raises(RedemptionAlreadyCancelled):
        lots.release(redemption.redemption_id)
    assert lots.dump() == before


def test_a_hold_sent_again_after_its_cancellation_answers_as_it_first_did(lots: World) -> None:
    redemption, _ = lots.hold("key")
    lots.capture(redemption.redemption_id, points=20)
    lots.cancel(redemption.redemption_id)
    assert lots.hold("key") == (redemption, True)


@pytest.mark.parametrize(
    ("end", "why"),
    [("", "is being fulfilled"), ("capture", "stays spendable"), ("release", "is released, and its points are back")],
)
def test_a_gift_card_is_not_cancelled_by_the_partner(lots: World, end: str, why: str) -> None:
    lots.accrue("R-3", "100")
    card, _ = lots.hold("key", "card")
    if end:
        getattr(lots, end)(card.redemption_id, by=Party.FULFILLMENT)
    before = lots.dump()
    with pytest.raises(RedemptionNotCancellable, match=why) as refusal:
        lots.cancel(card.redemption_id, by=Party.PARTNER)
    assert refusal.value.code == "redemption_not_cancellable"
    assert lots.dump() == before


def test_a_gift_card_that_its_supplier_took_back_is_cancelled_by_fulfilment_into_its_lots(lots: World) -> None:
    lots.accrue("R-3", "100")
    before = lots.wallet().lots
    card, _ = lots.hold("key", "card")
    with pytest.raises(RedemptionNotCaptured):
        lots.cancel(card.redemption_id, by=Party.FULFILLMENT)
    lots.capture(card.redemption_id, by=Party.FULFILLMENT)
    for _ in range(2):
        assert lots.cancel(card.redemption_id, by=Party.FULFILLMENT).status is RedemptionStatus.CANCELLED
    assert lots.proven().lots == before


def test_only_the_partner_cancels(lots: World) -> None:
    redemption, _ = lots.hold("key")
    lots.capture(redemption.redemption_id)
    with pytest.raises(FulfillmentInProgress):
        lots.cancel(redemption.redemption_id, by=Party.FULFILLMENT)
    with pytest.raises(RedemptionNotFound):
        lots.cancel("rdm_none")
    assert lots.wallet().available == 110


def test_cancelled_points_bring_a_balance_below_zero_up_first(world: World) -> None:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key")
    world.capture(redemption.redemption_id)
    world.refund("F-1", "R-1", "80")
    assert world.wallet().available == -30
    world.cancel(redemption.redemption_id)
    wallet = world.proven()
    assert (wallet.available, wallet.lots) == (20, {"2027-03-31": 20})


def test_a_cancellation_moves_nothing_that_tiers_count(lots: World) -> None:
    before = lots.book().qualifying
    redemption, _ = lots.hold("key")
    lots.capture(redemption.redemption_id)
    lots.cancel(redemption.redemption_id)
    assert lots.book().qualifying == before == {"2026": 160}
