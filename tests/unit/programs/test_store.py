"""Programs in the table: shops are bound, moved and let go with the version that says so."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.core.errors import LoyaltyError
from loyalty.core.table import Operation, Table
from loyalty.programs.errors import ProgramChanged, ShopTaken, TimeZoneFixed, WalletFixed
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.fixtures import memory_table, table
from tests.ledgerkit.programs import document

__all__ = ["memory_table", "table"]

SHOP = "example.myshopify.com"
EXPIRY = {"policy": "rolling", "months": 12}


@pytest.fixture
def programs(table: Table) -> ProgramStore:
    return ProgramStore(table, SettableClock(at("2026-03-15T12:00:00Z")))


def test_a_shop_that_a_version_no_longer_names_is_free_again(programs: ProgramStore, table: Table) -> None:
    programs.publish(document(shopify_shops=[SHOP]), expected_version=0, actor="test")
    with pytest.raises(ShopTaken, match=SHOP):
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


def test_what_the_ledger_was_told_of_past_versions_is_still_known(programs: ProgramStore) -> None:
    first, second = (document(time_zone="Asia/Jakarta", expiry={**EXPIRY, "warn_days": days}) for days in ([30], [7]))
    programs.publish(first, expected_version=0, actor="test")
    programs.publish(second, expected_version=1, actor="test")
    programs.publish(document(id="other"), expected_version=0, actor="test")
    scopes = programs.scopes("acme")
    assert scopes == {1: Program(version=1, document=first).scope, 2: Program(version=2, document=second).scope}
    assert [(str(scope.zone), scope.terms["points"].warn_days) for scope in scopes.values()] == [
        ("Asia/Jakarta", (30,)),
        ("Asia/Jakarta", (7,)),
    ]
    assert programs.scopes("nowhere") == {}


CASHBACK = {"id": "cashback", "name": "Cashback", "currency": "EUR", "expiry": {"policy": "never"}}
STAMPS = {"id": "stamps", "name": "Stamps", "expiry": {"policy": "never"}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"time_zone": "Asia/Tokyo"}, (TimeZoneFixed, "/time_zone", "keeps the days of its points in UTC")),
        ({"wallets": [STAMPS]}, (WalletFixed, "/wallets", "have the wallet 'cashback'; leave it in wallets")),
        ({"wallets": []}, (WalletFixed, "/wallets", "have the wallet 'cashback'")),
        (
            {"wallets": [STAMPS, {**CASHBACK, "currency": "USD"}]},
            (
                WalletFixed,
                "/wallets/1/currency",
                "is counted in minor units of EUR and cannot be counted in minor units of USD",
            ),
        ),
        (
            {"wallets": [{**CASHBACK, "currency": None}, STAMPS]},
            (WalletFixed, "/wallets/0/currency", "cannot be counted in points"),
        ),
        (
            {"wallets": [CASHBACK, {**STAMPS, "currency": "EUR"}]},
            (WalletFixed, "/wallets/1/currency", "'stamps' of 'acme' is counted in points and cannot"),
        ),
    ],
)
def test_a_version_that_would_change_what_points_were_posted_by_is_refused_and_nothing_is_written(
    programs: ProgramStore, table: Table, changes: dict[str, Any], expected: tuple[type[LoyaltyError], str, str]
) -> None:
    refusal, pointer, message = expected
    programs.publish(document(wallets=[CASHBACK, STAMPS]), expected_version=0, actor="test")
    before = list(table.scan())
    with pytest.raises(refusal, match=message) as refused:
        programs.publish(document(**{"wallets": [CASHBACK, STAMPS], **changes}), expected_version=1, actor="test")
    assert refused.value.pointer == pointer
    assert list(table.scan()) == before


def test_a_wallet_may_be_added_renamed_moved_and_given_another_expiry(programs: ProgramStore) -> None:
    programs.publish(document(), expected_version=0, actor="test")
    programs.publish(document(wallets=[CASHBACK]), expected_version=1, actor="test")
    other = {**CASHBACK, "name": "Money back", "expiry": {"policy": "rolling", "months": 6}}
    programs.publish(document(wallets=[STAMPS, other]), expected_version=2, actor="test")
    assert programs.version("acme") == 3


def test_what_is_published_over_another_version_than_was_read_is_refused_as_that(programs: ProgramStore) -> None:
    programs.publish(document(), expected_version=0, actor="test")
    for expected in (0, 2):
        with pytest.raises(ProgramChanged, match=f"is not {expected}"):
            programs.publish(document(time_zone="Asia/Tokyo"), expected_version=expected, actor="test")


def test_a_version_that_was_published_in_between_is_not_overwritten(
    programs: ProgramStore, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction itself refuses, where the other one came after the look at the current version."""
    programs.publish(document(), expected_version=0, actor="test")
    write = table.write

    def late(operations: Sequence[Operation]) -> None:
        monkeypatch.undo()
        programs.publish(document(name="Theirs"), expected_version=1, actor="test")
        write(operations)

    monkeypatch.setattr(table, "write", late)
    with pytest.raises(ProgramChanged, match="published meanwhile"):
        programs.publish(document(name="Ours"), expected_version=1, actor="test")
    assert programs.current("acme").document.name == "Theirs"
