"""Programs in the table: shops are bound, moved and let go with the version that says so."""

import pytest
from pydantic import ValidationError

from loyalty.core.errors import ProgramChanged
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.moto import moto_table, table
from tests.ledgerkit.programs import document

__all__ = ["moto_table", "table"]

SHOP = "example.myshopify.com"


@pytest.fixture
def programs(table: Table) -> ProgramStore:
    return ProgramStore(table, SettableClock(at("2026-03-15T12:00:00Z")))


def test_a_shop_that_a_version_no_longer_names_is_free_again(programs: ProgramStore, table: Table) -> None:
    programs.publish(document(shopify_shops=[SHOP]), expected_version=0, actor="test")
    with pytest.raises(ProgramChanged, match=SHOP):
        programs.publish(document(id="other", shopify_shops=[SHOP]), expected_version=0, actor="test")
    programs.publish(document(), expected_version=1, actor="test")
    fresh = ProgramStore(table, SettableClock(at("2026-03-15T12:00:00Z")))
    assert fresh.for_shop(SHOP) is None
    fresh.publish(document(id="other", shopify_shops=[SHOP]), expected_version=0, actor="test")
    assert fresh.for_shop(SHOP) == "other"


@pytest.mark.parametrize("shops", [["Example.MyShopify.com"], ["example.com"], [SHOP, SHOP], ["a b.myshopify.com"]])
def test_a_shop_is_named_as_its_events_name_it_and_once(shops: list[str]) -> None:
    with pytest.raises(ValidationError):
        document(shopify_shops=shops)


def test_the_zone_of_a_past_version_is_still_known(programs: ProgramStore) -> None:
    programs.publish(document(time_zone="Asia/Jakarta"), expected_version=0, actor="test")
    programs.publish(document(time_zone="Europe/Rome"), expected_version=1, actor="test")
    assert [str(programs.zone("acme", version)) for version in (1, 2, 3)] == ["Asia/Jakarta", "Europe/Rome", "None"]
