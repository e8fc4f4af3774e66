"""Redemptions of members who were merged: found under every id, their points with whoever has them now."""

from collections.abc import Callable

import pytest

from loyalty.core.errors import RedemptionNotFound
from loyalty.core.pii import Vault
from loyalty.core.table import Table
from loyalty.fulfillment.cases import CaseStore
from loyalty.ledger.model import EntryKey, EntryKind
from loyalty.merging.service import MergeService
from loyalty.rewards.errors import RedemptionAlreadyCaptured
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from loyalty.rewards.store import RedemptionStore
from loyalty.suppliers.model import GiftCard
from loyalty.vault.service import CardService
from loyalty.vault.store import CardStore, CardVault
from tests.apikit.keys import FakeKeys
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, Moves
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

OLD, NEW, NEWEST = ADA, BOB, CLEO


def merge(world: World, gone: str, into: str) -> None:
    MergeService(world.ledger, world.reversals).merge(world.program, into, absorbed=gone, actor="staff-1")


@pytest.fixture
def world(table: Table) -> World:
    """Three members, no points."""
    return Moves(table, of=program()).enroll(OLD, NEW, NEWEST).world


@pytest.fixture
def captured(world: World) -> Redemption:
    """40 of 50 points of the old member's 100 are spent when they are merged."""
    world.accrue("R-1", "100", member=OLD)
    world.accrue("R-2", "30", member=NEW)
    redemption, _ = world.hold("key", member=OLD)
    captured = world.capture(redemption.redemption_id, points=40, member=OLD)
    merge(world, OLD, NEW)
    assert world.wallet(NEW).available == 90
    return captured


@pytest.mark.parametrize("asked", [OLD, NEW])
@pytest.mark.parametrize("again", [OLD, NEW])
def test_points_of_a_cancelled_redemption_come_back_to_the_survivor_once(
    world: World, captured: Redemption, asked: str, again: str
) -> None:
    world.clock.advance(days=2)
    cancelled = world.cancel(captured.redemption_id, member=asked)
    assert (cancelled.status, cancelled.member_id) == (RedemptionStatus.CANCELLED, OLD)
    assert (world.wallet(NEW).available, world.wallet(OLD).available) == (130, 0)
    assert world.wallet(NEW).lots == {"2027-03-31": 130}
    assert world.entries(NEW)[-1].key == EntryKey(EntryKind.CANCELLATION, "redemption", captured.redemption_id)
    before = world.dump()
    world.clock.advance(days=2)
    assert world.cancel(captured.redemption_id, member=again) == cancelled
    assert world.dump() == before
    for member in (OLD, NEW):
        assert world.redemptions.get("acme", member, captured.redemption_id) == cancelled
    assert world.audit() == []


@pytest.mark.parametrize("asked", [OLD, NEW, NEWEST])
def test_a_chain_of_merges_is_followed(world: World, captured: Redemption, asked: str) -> None:
    merge(world, NEW, NEWEST)
    assert world.redemptions.get("acme", asked, captured.redemption_id) == captured
    world.cancel(captured.redemption_id, member=asked)
    assert [world.wallet(member).available for member in (OLD, NEW, NEWEST)] == [0, 0, 130]
    assert world.audit() == []


@pytest.mark.parametrize("asked", [OLD, NEW])
def test_what_was_captured_says_so_under_every_id(world: World, captured: Redemption, asked: str) -> None:
    before = world.dump()
    assert world.capture(captured.redemption_id, points=40, member=asked) == captured
    with pytest.raises(RedemptionAlreadyCaptured):
        world.release(captured.redemption_id, member=asked)
    with pytest.raises(RedemptionAlreadyCaptured):
        world.capture(captured.redemption_id, points=41, member=asked)
    assert world.dump() == before


@pytest.mark.parametrize("end", ["capture", "release", "cancel"])
@pytest.mark.parametrize("asked", [OLD, NEW, NEWEST])
def test_nobody_has_what_nobody_redeemed(world: World, captured: Redemption, asked: str, end: str) -> None:
    act: Callable[..., Redemption] = getattr(world, end)
    before = world.dump()
    with pytest.raises(RedemptionNotFound):
        act("rdm_none", member=asked)
    if asked == NEWEST:
        with pytest.raises(RedemptionNotFound):
            act(captured.redemption_id, member=asked)
    assert world.dump() == before


def test_what_was_cancelled_before_the_merge_stays_cancelled_once(world: World) -> None:
    world.accrue("R-1", "100", member=OLD)
    redemption, _ = world.hold("key", member=OLD)
    world.capture(redemption.redemption_id, member=OLD)
    cancelled = world.cancel(redemption.redemption_id, member=OLD)
    merge(world, OLD, NEW)
    before = world.dump()
    for member in (OLD, NEW):
        assert world.cancel(redemption.redemption_id, member=member) == cancelled
    assert world.dump() == before
    assert world.wallet(NEW).available == 100


def test_a_hold_under_the_old_id_holds_the_survivors_points(world: World, captured: Redemption) -> None:
    redemption, replayed = world.hold("key-2", member=OLD)
    assert not replayed
    assert (redemption.member_id, world.wallet(NEW).held) == (NEW, 50)
    for member in (OLD, NEW):
        assert world.hold("key-2", member=member) == (redemption, True)
        assert world.redemptions.get("acme", member, redemption.redemption_id) == redemption
    assert world.capture(redemption.redemption_id, member=OLD).status is RedemptionStatus.CAPTURED
    assert world.cancel(redemption.redemption_id, member=OLD).status is RedemptionStatus.CANCELLED
    assert (world.wallet(NEW).available, world.wallet(NEW).held) == (90, 0)
    assert world.audit() == []


def test_a_hold_from_before_the_merge_is_found_again(world: World, captured: Redemption) -> None:
    before = world.dump()
    first, replayed = world.hold("key", member=OLD)
    assert (replayed, first.redemption_id, first.status) == (True, captured.redemption_id, RedemptionStatus.HELD)
    assert world.dump() == before


def test_who_was_never_merged_pays_nothing_for_those_who_were(world: World) -> None:
    world.accrue("R-1", "100", member=OLD)
    redemption, _ = world.hold("key", member=OLD)
    with recorded(world.table.client) as calls:
        world.capture(redemption.redemption_id, member=OLD)
        world.cancel(redemption.redemption_id, member=OLD)
        world.redemptions.get("acme", OLD, redemption.redemption_id)
    assert calls.names == ["BatchGetItem", "TransactWriteItems"] * 2 + ["GetItem"]


@pytest.mark.parametrize("asked", [OLD, NEW])
def test_a_gift_card_from_before_the_merge_is_read_under_every_id(world: World, asked: str) -> None:
    world.accrue("R-1", "200", member=OLD)
    redemption, _ = world.hold("key", "card", member=OLD)
    vault = Vault(FakeKeys())
    card = GiftCard(link="https://cards.example.com/1")
    stored = CardVault(vault).put("acme", OLD, redemption.redemption_id, card, now=world.clock())
    world.table.write([CaseStore(world.table, world.clock).delivered(redemption, "T-1"), stored])
    world.capture(redemption.redemption_id, member=OLD, by=Party.FULFILLMENT)
    merge(world, OLD, NEW)
    cards = CardService(CardStore(world.table), RedemptionStore(world.table), vault, world.clock)
    assert cards.reveal("acme", asked, redemption.redemption_id, client_id="app").card == card
