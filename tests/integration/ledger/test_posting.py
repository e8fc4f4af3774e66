"""What one posting costs, what a repeat of it does, and that a refusal writes nothing."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.accruals.errors import AccrualFullyReversed, AmountExceedsAccrual
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    EntryNotFound,
    IdempotencyKeyReused,
    InsufficientPoints,
    LoyaltyError,
    MemberNotFound,
)
from loyalty.ledger.model import EntryKind
from loyalty.rewards.errors import RedemptionAlreadyReleased
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.world import MEMBER, World

pytestmark = pytest.mark.integration


def transaction_sizes(world: World) -> list[int]:
    sizes: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        sizes.append(len(params["TransactItems"]))

    world.table.client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", note)
    return sizes


def test_a_posting_is_one_read_and_one_transaction(world: World) -> None:
    sizes = transaction_sizes(world)
    with recorded(world.table.client) as calls:
        world.accrue("R-1", "500")
        assert calls.names == ["GetItem", "TransactWriteItems"]
        redemption, _ = world.hold("key")
        other, _ = world.hold("other")
        assert calls.names[2:] == ["GetItem", "TransactWriteItems"] * 2
        world.capture(redemption.redemption_id)
        world.release(other.redemption_id)
        world.refund("F-1", "R-1", "1")
        assert calls.names[6:] == ["BatchGetItem", "TransactWriteItems"] * 3
    assert sizes == [2, 4, 4, 3, 3, 3]
    world.proven()


def test_every_read_is_strongly_consistent(world: World) -> None:
    """No local engine ever answers with an old item: what is asked for has to be looked at."""
    consistent: list[bool] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        parts = params["RequestItems"].values() if model.name == "BatchGetItem" else [params]
        consistent.extend(part.get("ConsistentRead", False) for part in parts if model.name != "TransactWriteItems")

    world.table.client.meta.events.register("provide-client-params.dynamodb", note)
    world.accrue("R-1", "500")
    world.capture(world.hold("key")[0].redemption_id)
    world.refund("F-1", "R-1", "1")
    world.wallet()
    world.entries()
    world.audit()
    assert consistent == [True] * 7


def test_the_wallet_is_one_read_whatever_the_history(world: World) -> None:
    for number in range(30):
        world.accrue(f"R-{number}")
    with recorded(world.table.client) as calls:
        assert world.wallet().available == 3000
    assert calls.names == ["GetItem"]


def test_a_repeat_writes_nothing_and_gives_the_first_result(world: World) -> None:
    first = world.accrue("R-1", "500")
    refund = world.refund("F-1", "R-1", "100")
    hold, _ = world.hold("key")
    before = world.dump()
    world.clock.advance(days=3)
    assert world.accrue("R-1", "500").entry == first.entry
    assert world.refund("F-1", "R-1", "100").entry == refund.entry
    assert world.hold("key") == (hold, True)
    assert world.dump() == before


def test_an_entry_stays_what_it_was_for_ever(world: World) -> None:
    first = world.accrue("R-1", "500").entry
    world.clock.advance(days=3000)
    assert world.accrue("R-1", "500").replayed
    world.accrue("R-2", "500")
    assert world.accrue("R-1", "500").entry == first


def test_statement_pages_hold_every_entry_once_newest_first(world: World) -> None:
    for number in range(23):
        world.accrue(f"R-{number}", str(number + 1))
    seen: list[int] = []
    before, pages = None, 0
    while True:
        page = world.store.entries("acme", MEMBER, limit=5, before=before)
        assert len(page.entries) <= 5
        seen += [entry.seq for entry in page.entries]
        before, pages = page.next_before, pages + 1
        if before is None:
            break
    assert seen == list(range(23, 0, -1))
    assert pages == 5


@pytest.mark.parametrize(("entries", "limit", "pages"), [(0, 5, 1), (5, 5, 1), (6, 5, 2), (1, 1, 1), (3, 1, 3)])
def test_the_last_page_of_a_statement_says_so(world: World, entries: int, limit: int, pages: int) -> None:
    for number in range(entries):
        world.accrue(f"R-{number}")
    before, count = None, 0
    while count < 10:
        page = world.store.entries("acme", MEMBER, limit=limit, before=before)
        before, count = page.next_before, count + 1
        if before is None:
            break
    assert count == pages


def test_entries_posted_while_a_statement_is_read_do_not_shift_its_pages(world: World) -> None:
    for number in range(6):
        world.accrue(f"R-{number}")
    first = world.store.entries("acme", MEMBER, limit=3)
    world.accrue("R-new")
    second = world.store.entries("acme", MEMBER, limit=3, before=first.next_before)
    assert [entry.seq for entry in first.entries + second.entries] == [6, 5, 4, 3, 2, 1]


def test_expired_points_are_written_down_by_the_next_posting(world: World) -> None:
    world.accrue("R-1", "100")
    world.clock.set("2026-06-01")
    world.accrue("R-2", "50")
    world.clock.set("2027-04-01")
    assert world.now().wallet().available == 50
    before = world.dump()
    with pytest.raises(InsufficientPoints):
        world.hold("key", "ten", 6)
    assert world.dump() == before
    world.hold("key", "ten", 5)
    entries = [entry for entry in world.entries() if entry.key.kind is not EntryKind.WARNING]
    assert [entry.key.kind for entry in entries[2:]] == [EntryKind.EXPIRY, EntryKind.HOLD]
    assert [entry.points for entry in entries] == [100, 50, -100, -50]
    assert world.proven().lots == {}


def test_a_replay_after_expiry_writes_no_expiry(world: World) -> None:
    world.accrue("R-1", "100")
    before = world.dump()
    world.clock.set("2027-04-01")
    assert world.accrue("R-1", "100").replayed
    assert world.dump() == before


def test_released_points_return_to_their_lots_and_pay_a_debt_first(world: World) -> None:
    world.accrue("R-1", "100")
    world.clock.set("2026-06-01")
    world.accrue("R-2", "60")
    redemption, _ = world.hold("key", "ten", 10)
    second, _ = world.hold("key-2", "ten", 5)
    assert redemption.lots == {"2027-03-31": 100}
    world.refund("F-1", "R-1", "70")
    assert (world.wallet().available, world.wallet().lots) == (-60, {})
    world.release(redemption.redemption_id)
    assert world.wallet().lots == {"2027-03-31": 40}
    world.release(second.redemption_id)
    assert world.proven().lots == {"2027-03-31": 40, "2027-06-30": 50}


def test_refunds_add_up_to_the_accrual_and_no_further(world: World) -> None:
    world.accrue("R-1", "33.333", currency="KWD")
    taken = [world.refund(f"F-{n}", "R-1", "11.111", currency="KWD").entry.points for n in range(3)]
    assert sum(taken) == -99
    before = world.dump()
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-4", "R-1", "0.001", currency="KWD")
    assert world.dump() == before
    assert world.proven().available == 0


def test_a_hold_repeated_when_its_points_are_spent_gives_its_first_result(world: World) -> None:
    world.accrue("R-1", "50")
    first, _ = world.hold("key")
    world.capture(first.redemption_id)
    before = world.dump()
    assert world.hold("key") == (first, True)
    assert world.dump() == before
    assert world.proven().available == 0


def _prepared(world: World) -> str:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key")
    world.release(redemption.redemption_id)
    return redemption.redemption_id


@pytest.mark.parametrize(
    ("refused", "request_"),
    [
        (EntryExistsWithDifferentRequest, lambda world, _: world.accrue("R-1", "101")),
        (EntryNotFound, lambda world, _: world.refund("F-1", "R-0", "1")),
        (AmountExceedsAccrual, lambda world, _: world.refund("F-1", "R-1", "100.01")),
        (IdempotencyKeyReused, lambda world, _: world.hold("key", "ten")),
        (InsufficientPoints, lambda world, _: world.hold("key-2", "coffee", 3)),
        (RedemptionAlreadyReleased, lambda world, redemption_id: world.capture(redemption_id)),
        (MemberNotFound, lambda world, _: world.accrue("R-9", member="mbr_nobody")),
    ],
)
def test_a_refusal_has_a_name_and_writes_nothing(world: World, refused: type[LoyaltyError], request_: Any) -> None:
    redemption_id = _prepared(world)
    world.clock.advance(hours=1)
    before = world.dump()
    with pytest.raises(refused):
        request_(world, redemption_id)
    assert world.dump() == before


def test_the_highest_points_and_the_longest_history_of_lots_stay_exact(world: World) -> None:
    for month in range(12):
        world.accrue(f"R-{month}", "999999999")
        world.clock.advance(days=31)
    wallet = world.proven()
    assert wallet.available == 12 * 999_999_999
    assert world.clock() - world.occurred_at > timedelta(days=365)
