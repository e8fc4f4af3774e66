"""A reward for a referral: both sides get a voucher in a wallet of its own, together or not at all, and redeem it when they like."""

from typing import Any, Final

import pytest

from loyalty.attribution.model import ReferralStatus
from loyalty.core.errors import InsufficientPoints
from loyalty.core.table import Table
from loyalty.ledger.model import POINTS
from loyalty.programs.model import Program
from loyalty.rewards.model import Party, RedemptionStatus
from tests.ledgerkit.brought import Brought, rewarding
from tests.ledgerkit.moves import ADA, BOB
from tests.ledgerkit.programs import BASE

COFFEES: Final = "coffees"
EARNS: Final[list[dict[str, Any]]] = [
    {"id": "brings", "activity": "referral", "wallet": COFFEES, "fixed_points": 1},
    {"id": "comes", "activity": "referred", "wallet": COFFEES, "fixed_points": 1},
]
REWARDS: Final[list[dict[str, Any]]] = [
    {"id": "coffee", "name": "A coffee", "type": "perk", "points": 50},
    {"id": "free-coffee", "name": "A coffee for a friend", "type": "perk", "wallet": COFFEES, "points": 1},
    BASE["rewards"][2] | {"id": "card", "wallet": COFFEES, "points": 1},
]


def vouchers(**more: Any) -> Program:
    """One free coffee for each side, to be had within three months."""
    wallet = {"id": COFFEES, "name": "Free coffees", "expiry": {"policy": "rolling", "months": 3}}
    return rewarding(earns=EARNS, wallets=[wallet], rewards=REWARDS, **more)


@pytest.fixture
def brought(table: Table) -> Brought:
    """Ada brought Bob, who bought for 30: he has 30 points."""
    brought = Brought(table, of=vouchers())
    brought.moves.enroll(ADA, BOB)
    brought.bring(BOB, ADA)
    return brought


def have(brought: Brought) -> dict[str, tuple[int, int]]:
    """Points and coffees of both; the audit finds nothing."""
    assert brought.world.audit() == []
    books = {member: brought.world.now(member) for member in (ADA, BOB)}
    return {member: (book.wallet().available, book.wallet(COFFEES).available) for member, book in books.items()}


def test_both_get_a_coffee_and_each_redeems_it_when_they_like(brought: Brought) -> None:
    world = brought.world
    assert have(brought) == {ADA: (0, 0), BOB: (30, 0)}
    paid = brought.pay(BOB)
    assert paid.status is ReferralStatus.REWARDED
    assert have(brought) == {ADA: (0, 1), BOB: (30, 1)}
    world.clock.advance(days=40)
    held, _ = world.hold("A", "free-coffee", member=ADA)
    assert (held.wallet, held.points, held.status) == (COFFEES, 1, RedemptionStatus.HELD)
    world.capture(held.redemption_id, member=ADA)
    assert have(brought) == {ADA: (0, 0), BOB: (30, 1)}
    with pytest.raises(InsufficientPoints, match="1 of the wallet 'coffees'; 0 can be spent"):
        world.hold("B", "free-coffee", member=ADA)


def test_it_may_be_a_gift_card_and_comes_back_where_nobody_delivers_it(brought: Brought) -> None:
    brought.pay(BOB)
    card, _ = brought.world.hold("A", "card", member=BOB)
    assert have(brought) == {ADA: (0, 1), BOB: (30, 0)}
    brought.world.release(card.redemption_id, by=Party.FULFILLMENT, member=BOB)
    assert have(brought) == {ADA: (0, 1), BOB: (30, 1)}


@pytest.mark.parametrize(("policy", "owed"), [("allow_negative", (-1, 0)), ("clamp_with_debt", (0, 1))])
def test_taken_back_together_the_one_that_was_drunk_is_owed_in_coffees(
    table: Table, policy: str, owed: tuple[int, int]
) -> None:
    brought = Brought(table, of=vouchers(reversal=policy))
    brought.moves.enroll(ADA, BOB)
    brought.bring(BOB, ADA)
    brought.pay(BOB)
    held, _ = brought.world.hold("A", "free-coffee", member=ADA)
    brought.world.capture(held.redemption_id, member=ADA)
    assert brought.reverse(BOB).status is ReferralStatus.REVERSED
    assert brought.world.audit() == []
    ada, bob = (brought.world.now(member) for member in (ADA, BOB))
    assert (ada.wallet(COFFEES).available, ada.wallet(COFFEES).debt) == owed
    assert ada.wallet(POINTS).available == 0
    assert bob.wallet(COFFEES).available == 0


def test_who_does_not_redeem_it_in_time_loses_it(brought: Brought) -> None:
    brought.pay(BOB)
    brought.world.clock.set("2026-07-01T12:00:00Z")
    brought.world.settle(ADA)
    brought.world.settle(BOB)
    assert have(brought) == {ADA: (0, 0), BOB: (30, 0)}
