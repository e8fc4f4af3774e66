"""Stock that is not conserved is found, shard by shard, whichever number is wrong."""

from typing import Any

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.stocked import Stocked

SHARD = ("K#acme#mug#03", "STOCK")


@pytest.fixture
def shop(table: Table) -> Stocked:
    """Nine were restocked, four taken, one of them came back."""
    shop = Stocked(table)
    shop.enroll()
    shop.accrue("R-1", "100")
    shop.fill({"mug/03": 9})
    shop.hold("kept", "mug", 3)
    released, _ = shop.hold("released", "mug")
    shop.release(released.redemption_id)
    assert shop.audit() == []
    return shop


def found(shop: Stocked) -> list[str]:
    return [finding.code for finding in shop.audit()]


def forge(shop: Stocked, pk: str, sk: str, **attributes: Any) -> None:
    raw = shop.table.read(pk, sk)
    assert raw is not None
    shop.table.client.put_item(TableName=shop.table.name, Item={**raw, **attributes})


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("left", ["stock_left_wrong"]),
        ("restocked", ["stock_restocked_wrong"]),
        ("claimed", ["stock_claimed_wrong"]),
        ("returned", ["stock_returned_wrong"]),
    ],
)
@pytest.mark.parametrize("by", [-1, 1])
def test_a_number_that_is_off_by_one(shop: Stocked, name: str, by: int, codes: list[str]) -> None:
    raw = shop.table.read(*SHARD)
    assert raw is not None
    changed: dict[str, Any] = {name: {"N": str(int(raw[name]["N"]) + by)}}
    forge(shop, *SHARD, **changed)
    assert found(shop) == codes


def test_a_shard_that_was_oversold(shop: Stocked) -> None:
    forge(shop, *SHARD, left={"N": "-1"})
    assert found(shop) == ["stock_left_wrong", "stock_oversold"]


def test_a_shard_or_a_restock_that_is_gone(shop: Stocked) -> None:
    shop.table.client.delete_item(TableName=shop.table.name, Key={"pk": {"S": SHARD[0]}, "sk": {"S": SHARD[1]}})
    assert found(shop) == ["stock_restocked_wrong", "stock_claimed_wrong", "stock_returned_wrong", "stock_left_wrong"]


def test_a_restock_that_nobody_delivered(shop: Stocked) -> None:
    forge(shop, "K#acme#mug", "RESTOCK#delivery-1", parts={"M": {"mug/03": {"N": "8"}}})
    assert found(shop) == ["stock_restocked_wrong", "stock_left_wrong"]


def test_what_came_back_is_what_was_taken(shop: Stocked) -> None:
    (released,) = (entry for entry in shop.entries() if entry.key.kind == "release")
    sk = f"ENTRY#release#redemption#{released.key.source_id}"
    forge(shop, "M#acme#mbr_1", sk, stock={"M": {"mug/04": {"N": "-1"}}})
    assert set(found(shop)) == {"end_to_other_stock", "stock_returned_wrong", "stock_left_wrong"}


def test_redemption_and_book_say_what_the_hold_took(shop: Stocked) -> None:
    (kept,) = shop.book().holds
    forge(shop, "M#acme#mbr_1", f"REDEMPTION#{kept}", stock={"M": {"mug/03": {"N": "2"}}})
    assert found(shop) == ["redemption_wrong"]
    raw = shop.table.read("M#acme#mbr_1", "WALLET")
    assert raw is not None
    holds = {"M": {kept: {"M": {**raw["holds"]["M"][kept]["M"], "stock": {"M": {"mug/03": {"N": "2"}}}}}}}
    forge(shop, "M#acme#mbr_1", "WALLET", holds=holds)
    assert found(shop) == ["wallet_holds_wrong", "redemption_wrong"]
