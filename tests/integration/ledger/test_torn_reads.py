"""The items of one BatchGetItem are not read at one moment: the wallet may be of after a posting, its record of before.

The conditions on the records alone stand between that and a refund that counts twice, or a hold that ends twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loyalty.accruals.errors import AmountExceedsAccrual
from loyalty.accruals.model import Refund
from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table, TransactionRefused
from loyalty.ledger.items import new_book_put
from loyalty.rewards.errors import RedemptionAlreadyCaptured
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.world import MEMBER, World

pytestmark = pytest.mark.integration


@contextmanager
def torn(table: Table, sk: str, stale: RawItem | None) -> Iterator[None]:
    """The next batch of reads has ``stale`` in the place of the item ``sk``, or lacks it."""
    left = [stale]

    def tear(parsed: dict[str, Any], **_: Any) -> None:
        if left:
            item, items = left.pop(), parsed["Responses"][table.name]
            items[:] = [found for found in items if found["sk"]["S"] != sk] + ([item] if item else [])

    table.client.meta.events.register("after-call.dynamodb.BatchGetItem", tear)
    yield
    table.client.meta.events.unregister("after-call.dynamodb.BatchGetItem", tear)
    assert not left


@contextmanager
def torn_once_there(table: Table, sk: str) -> Iterator[None]:
    """The first batch of reads that has the item ``sk`` lacks it."""
    torn = [False]

    def tear(parsed: dict[str, Any], **_: Any) -> None:
        items = parsed["Responses"][table.name]
        if not torn[0] and any(found["sk"]["S"] == sk for found in items):
            torn[0], items[:] = True, [found for found in items if found["sk"]["S"] != sk]

    table.client.meta.events.register("after-call.dynamodb.BatchGetItem", tear)
    yield
    table.client.meta.events.unregister("after-call.dynamodb.BatchGetItem", tear)
    assert torn[0]


def test_a_refund_that_read_no_earlier_refund_is_decided_anew(world: World) -> None:
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "60")
    before = world.dump()
    with torn(world.table, "REVERSED#pos#R-1", None), pytest.raises(AmountExceedsAccrual):
        world.refund("F-2", "R-1", "50")
    assert world.dump() == before
    with torn(world.table, "REVERSED#pos#R-1", None):
        world.refund("F-2", "R-1", "40")
    assert world.proven().available == 0


def test_a_refund_that_read_an_older_record_is_decided_anew(world: World) -> None:
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "30")
    older = world.dump()["M#acme#mbr_1", "REVERSED#pos#R-1"]
    world.refund("F-2", "R-1", "30")
    with torn(world.table, "REVERSED#pos#R-1", older), pytest.raises(AmountExceedsAccrual):
        world.refund("F-3", "R-1", "60")
    with torn(world.table, "REVERSED#pos#R-1", older), recorded(world.table.client) as calls:
        world.refund("F-3", "R-1", "40")
    assert calls.names == ["BatchGetItem", "TransactWriteItems"] * 2
    assert world.proven().available == 0


def test_an_accrual_that_read_no_waiting_reversal_is_decided_anew(world: World) -> None:
    refund = Refund("pos", "F-1", "R-1", world.occurred_at, Money.of("30", "EUR"))
    world.reversals.reverse(world.program, MEMBER, refund)
    with torn(world.table, "AWAITED#pos#R-1", None):
        world.accrue("R-1", "100")
    assert [entry.points for entry in world.entries()] == [100, -30]
    assert world.proven().available == 70


def test_an_accrual_that_read_the_book_before_a_reversal_was_kept_is_decided_anew(world: World) -> None:
    before = world.dump()["M#acme#mbr_1", "WALLET"]
    refund = Refund("pos", "F-1", "R-1", world.occurred_at, Money.of("30", "EUR"))
    world.reversals.reverse(world.program, MEMBER, refund)
    with torn(world.table, "WALLET", before):
        world.accrue("R-1", "100")
    assert [entry.points for entry in world.entries()] == [100, -30]
    assert world.proven().available == 70


def test_a_waiting_reversal_that_was_not_read_with_its_list_is_read_again(world: World) -> None:
    for number in range(2):
        refund = Refund("pos", f"F-{number}", "R-1", world.occurred_at, Money.of("30", "EUR"))
        world.reversals.reverse(world.program, MEMBER, refund)
    with torn_once_there(world.table, "WAITING#pos#F-1"):
        world.accrue("R-1", "100")
    assert world.proven().available == 40
    assert world.book().seq == 3


def test_a_reversal_that_did_not_see_the_lot_expire_does_not_take_the_points_twice(world: World) -> None:
    world.accrue("R-1", "100")
    world.clock.set("2027-04-02")
    world.settle()
    with torn_once_there(world.table, "ENTRY#expiry#points#2027-03-31"):
        world.refund("F-1", "R-1", "40")
    assert world.proven().available == 0


def test_a_reversal_that_read_older_records_of_what_lapsed_is_decided_anew(world: World) -> None:
    """Of 100 that expired, two reversals take what there is once."""
    world.accrue("R-1", "100")
    world.accrue("R-2", "100")
    world.capture(world.hold("key", "ten", 10)[0].redemption_id)
    world.clock.set("2027-04-02")
    world.refund("F-1", "R-1", everything=True)
    with torn_once_there(world.table, "LAPSED#points#2027-03-31"):
        world.refund("F-2", "R-2", everything=True)
    assert world.proven().available == -100


def test_a_release_that_read_the_redemption_before_its_capture_is_refused(world: World) -> None:
    world.accrue("R-1", "100")
    redemption_id = world.hold("key")[0].redemption_id
    world.hold("another")
    sk = f"REDEMPTION#{redemption_id}"
    older = world.dump()["M#acme#mbr_1", sk]
    world.capture(redemption_id)
    before = world.dump()
    with torn(world.table, sk, older), pytest.raises(RedemptionAlreadyCaptured):
        world.release(redemption_id)
    assert world.dump() == before
    world.proven()


def test_a_wallet_is_opened_once(world: World) -> None:
    world.accrue("R-1", "100")
    with pytest.raises(TransactionRefused):
        world.table.write([new_book_put("acme", MEMBER, "bronze", world.clock())])
    assert world.proven().available == 100
