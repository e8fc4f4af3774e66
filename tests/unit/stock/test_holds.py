"""Holds of limited rewards: what they take comes back exactly once, in every way in which a hold ends."""

import pytest

from loyalty.core.errors import IdempotencyKeyReused, RewardNotFound
from loyalty.core.table import Table
from loyalty.ledger.model import EntryKind
from loyalty.rewards.errors import TooManyHolds
from loyalty.rewards.holding import MAX_HELD_SHARDS
from loyalty.stock.errors import OutOfStock, RestockIsZero, RewardNotLimited, StockTooLow
from loyalty.stock.model import Level
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.stocked import Stocked


@pytest.fixture
def shop(table: Table) -> Stocked:
    """A member with 1,000 points."""
    shop = Stocked(table)
    shop.enroll("mbr_1", "mbr_2")
    shop.accrue("R-1", "1000")
    shop.accrue("R-2", "1000", member="mbr_2")
    return shop


def test_a_hold_takes_and_each_end_gives_back_but_a_capture(shop: Stocked) -> None:
    shop.restock(32)
    held = [shop.hold(f"key-{number}", "mug", number + 1)[0] for number in range(4)]
    assert shop.level() == Level(22, 32, 10, 0)
    assert [sum(one.stock.values()) for one in held] == [1, 2, 3, 4]
    shop.capture(held[0].redemption_id)
    shop.release(held[1].redemption_id)
    shop.capture(held[2].redemption_id, points=1)
    shop.cancel(held[2].redemption_id)
    assert shop.level() == Level(27, 32, 10, 5)
    shop.clock.advance(days=60)
    assert shop.level().left == 27, "nobody has written the time-out down"
    shop.settle()
    assert shop.level() == Level(31, 32, 10, 9)
    assert shop.level().taken == 1
    for again in (held[1], held[3]):
        shop.hold("key-1", "mug", 2)
        assert shop.redemptions.get("acme", "mbr_1", again.redemption_id).status in {"released", "timed_out"}
    assert shop.level() == Level(31, 32, 10, 9)
    assert shop.proven().held == 0


def test_the_entry_and_the_redemption_say_which_shards(shop: Stocked) -> None:
    shop.fill({"mug/00": 2, "mug/01": 3})
    redemption, _ = shop.hold("key", "mug", 4)
    assert redemption.stock == {"mug/01": 3, "mug/00": 1}
    assert shop.redemptions.get("acme", "mbr_1", redemption.redemption_id).stock == redemption.stock
    shop.release(redemption.redemption_id)
    told = [dict(entry.facts.stock) for entry in shop.entries() if entry.facts.stock]
    assert told == [{"mug/01": 3, "mug/00": 1}, {"mug/01": -3, "mug/00": -1}]
    assert shop.proven().available == 1000


def test_it_is_out_of_stock_only_where_all_shards_are(shop: Stocked) -> None:
    with pytest.raises(OutOfStock):
        shop.hold("key", "mug")
    shop.fill({"mug/07": 1})
    assert [shop.hold(f"key-{number}", "mug")[1] for number in (1, 1)] == [False, True]
    with pytest.raises(OutOfStock, match="is out of stock"):
        shop.hold("key-2", "mug", member="mbr_2")
    assert shop.wallet("mbr_2").held == 0
    shop.restock(1, key="delivery-2")
    assert shop.hold("key-2", "mug", member="mbr_2")[1] is False, "the refusal was not kept under the key"
    assert shop.level().left == 0
    assert shop.audit() == []


def test_a_claim_reads_one_shard_with_the_wallet_and_a_refusal_all(shop: Stocked) -> None:
    shop.restock(16)
    with recorded(shop.table.client) as calls:
        shop.hold("key", "mug")
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]
    with recorded(shop.table.client) as calls, pytest.raises(OutOfStock):
        shop.hold("key-2", "mug", 16)
    assert calls.names == ["BatchGetItem", "BatchGetItem", "TransactGetItems"]


def test_who_comes_back_after_a_time_out_gets_what_it_gave_back(shop: Stocked) -> None:
    """The time-out is written down by the very hold that needs its unit, before that is decided on."""
    shop.fill({"mug/07": 1})
    shop.hold("key-1", "mug", hold_minutes=10)
    shop.clock.advance(minutes=10)
    again, _ = shop.hold("key-2", "mug", hold_minutes=10)
    assert again.stock == {"mug/07": 1}
    kinds = [entry.key.kind for entry in shop.entries()]
    assert kinds == [EntryKind.ACCRUAL, EntryKind.HOLD, EntryKind.TIMEOUT, EntryKind.HOLD]
    assert shop.level() == Level(0, 1, 2, 1)
    assert shop.proven().held == 1


def test_holds_on_one_shard_time_out_together(shop: Stocked) -> None:
    shop.fill({"mug/03": 9})
    for number in range(3):
        shop.hold(f"key-{number}", "mug", 2, hold_minutes=5)
    shop.clock.advance(minutes=5)
    shop.accrue("R-9", "1")
    assert shop.level().left == 9
    assert [entry.facts.stock for entry in shop.entries() if entry.key.kind is EntryKind.TIMEOUT] == [
        {"mug/03": -2}
    ] * 3


def test_open_holds_have_taken_from_a_bounded_number_of_shards(shop: Stocked) -> None:
    """All of them may time out at one moment, and that is one transaction."""
    shop.fill({f"mug/{number:02}": 4 for number in range(16)})
    assert len(shop.hold("a", "mug", 32)[0].stock) == 8
    shop.fill({f"ticket/{number:02}": 1 for number in range(12)})
    assert len(shop.hold("b", "ticket", 12)[0].stock) == 12
    assert sum(len(hold.stock) for hold in shop.book().holds.values()) == MAX_HELD_SHARDS
    shop.restock(32, key="delivery-2")
    with pytest.raises(TooManyHolds, match="too many parts of the stock"):
        shop.hold("d", "mug", 60)
    assert len(shop.hold("e", "mug")[0].stock) == 1, "one shard is what any hold may take from"
    shop.clock.advance(days=40)
    shop.settle()
    assert shop.book().holds == {}
    assert (shop.level().taken, shop.level("ticket").taken) == (0, 0)
    assert shop.audit() == []


def test_restocks_are_made_once_for_each_key_and_kept(shop: Stocked) -> None:
    first, replayed = shop.restock(5)
    assert (first.add, first.reference, first.actor, first.client_id, replayed) == (
        5,
        "DN-1",
        "staff-1",
        "back-office",
        False,
    )
    assert shop.restock(5) == (first, True)
    with pytest.raises(IdempotencyKeyReused):
        shop.restock(6)
    shop.clock.advance(hours=1)
    shop.restock(-3, key="audit", reference="broken")
    assert shop.level() == Level(2, 2, 0, 0)
    stock = shop.stock.read(shop.program, "mug")
    assert [(one.add, one.reference) for one in stock.restocks] == [(-3, "broken"), (5, "DN-1")]
    assert shop.restock(5) == (first, True)


def test_a_withdrawal_never_takes_what_is_held(shop: Stocked) -> None:
    shop.restock(5)
    shop.hold("key", "mug", 2)
    with pytest.raises(StockTooLow, match="3 of 'mug' are left"):
        shop.restock(-4, key="audit")
    shop.restock(-3, key="audit-2")
    assert shop.level() == Level(0, 2, 2, 0)
    assert shop.audit() == []


def test_what_has_no_stock_is_refused_by_name(shop: Stocked) -> None:
    with pytest.raises(RewardNotFound):
        shop.restock(5, reward="yacht")
    with pytest.raises(RewardNotLimited):
        shop.restock(5, reward="coffee")
    with pytest.raises(RestockIsZero):
        shop.restock(0)
    assert shop.hold("key", "coffee")[0].stock == {}
