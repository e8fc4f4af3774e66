"""What partner apps are shown of books and entries: every field, from what the ledger has."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from loyalty.core.money import Money
from loyalty.ledger.model import (
    POINTS,
    Account,
    Balances,
    Book,
    Change,
    Entry,
    EntryKey,
    EntryKind,
    Facts,
    Hold,
    Movement,
    Scope,
    Terms,
    Wallet,
)
from loyalty.ledger.movements import NEVER
from loyalty.ledger.views import EntryView, WalletView, balances_after, last_day
from tests.ledgerkit.clock import at
from tests.unit.ledger.test_store import ENTRY

SCOPE = Scope("acme", 1, ZoneInfo("UTC"), {POINTS: Terms(30, (7, 30)), "cash": Terms(30, ())})
BOOK = Book(
    "acme",
    "mbr_x",
    "silver",
    seq=12,
    wallets={
        "stars": Wallet(4, lots={"2026-05-31": 4}),
        POINTS: Wallet(
            15, 9, 3, 0, {"2026-06-30": 10, "2026-03-31": 5}, {"2026-03-02/2027-02-28": 5, f"2026-02-01/{NEVER}": 4}
        ),
        "cash": Wallet(0, 0, 0, 250),
    },
    holds={
        "rdm_a": Hold(POINTS, {"2026-03-31": 1}, at("2026-01-12T04:00:00Z")),
        "rdm_b": Hold(POINTS, {"2026-03-31": 1, "2026-06-30": 1}, at("2026-01-11T04:00:00Z")),
    },
)
SHOWN = {
    "available": 15,
    "pending": 9,
    "held": 3,
    "debt": 0,
    "wallet": "points",
    "lots": [
        {"expires_on": date(2026, 3, 31), "points": 5, "warnings_on": [date(2026, 3, 1), date(2026, 3, 24)]},
        {"expires_on": date(2026, 6, 30), "points": 10, "warnings_on": [date(2026, 5, 31), date(2026, 6, 23)]},
    ],
    "maturing": [
        {"matures_on": date(2026, 2, 1), "expires_on": None, "points": 4},
        {"matures_on": date(2026, 3, 2), "expires_on": date(2027, 2, 28), "points": 5},
    ],
    "tier": "silver",
    "seq": 12,
    "holds": [
        {"redemption_id": "rdm_b", "wallet": "points", "points": 2, "expires_at": "2026-01-11T04:00:00.000Z"},
        {"redemption_id": "rdm_a", "wallet": "points", "points": 1, "expires_at": "2026-01-12T04:00:00.000Z"},
    ],
    "others": [
        {"available": 0, "pending": 0, "held": 0, "debt": 250, "wallet": "cash", "lots": [], "maturing": []},
        {
            "available": 4,
            "pending": 0,
            "held": 0,
            "debt": 0,
            "wallet": "stars",
            "lots": [{"expires_on": date(2026, 5, 31), "points": 4, "warnings_on": []}],
            "maturing": [],
        },
    ],
    "merged_into": None,
}


def test_a_book_shows_its_wallets_in_order_and_what_becomes_of_each_lot() -> None:
    assert WalletView.of(BOOK, SCOPE, "mbr_x").model_dump() == SHOWN


def test_who_asks_for_a_merged_member_is_told_whose_book_it_is() -> None:
    assert WalletView.of(BOOK, SCOPE, "mbr_a").model_dump() == {**SHOWN, "merged_into": "mbr_x"}


def test_points_that_never_expire_have_no_last_day_and_no_warnings() -> None:
    forever = replace(BOOK, wallets={POINTS: Wallet(5, lots={NEVER: 5})}, holds={})
    shown = WalletView.of(forever, SCOPE, "mbr_x").model_dump()
    assert shown["lots"] == [{"expires_on": None, "points": 5, "warnings_on": []}]
    assert (last_day(NEVER), last_day("2026-03-31")) == (None, date(2026, 3, 31))


def test_an_entry_shows_its_facts_and_what_it_did_to_each_wallet() -> None:
    entry = replace(
        ENTRY,
        movement=replace(ENTRY.movement, changes={"stars": Change({Account.AVAILABLE: 1}), **ENTRY.movement.changes}),
        after={**ENTRY.after, "stars": Balances(1)},
    )
    assert EntryView.of(entry).model_dump() == {
        "entry_id": "accrual:pos:R#1:2",
        "seq": 12,
        "kind": "accrual",
        "points": 5,
        "postings": {"member:available": 5, "member:debt": 2, "program:issued": -7},
        "balances": {"available": 5, "pending": 0, "held": 0, "debt": 0},
        "others": [
            {
                "available": -3,
                "pending": 9,
                "held": 1,
                "debt": 2,
                "wallet": "cash",
                "points": 0,
                "postings": {"member:pending": 9, "program:issued": -9},
                "rule": "cash",
            },
            {
                "available": 1,
                "pending": 0,
                "held": 0,
                "debt": 0,
                "wallet": "stars",
                "points": 1,
                "postings": {"member:available": 1},
                "rule": None,
            },
        ],
        "activity": "purchase",
        "channel": "web",
        "amount": str(Money.of("100.00", "EUR")),
        "rule": "shop",
        "program_version": 3,
        "reverses": "accrual:pos:R-0",
        "reason": "refund",
        "actor": "staff-1",
        "approved_by": "staff-2",
        "other_member": "mbr_y",
        "redemption_id": "rdm_1",
        "reward_id": "coffee",
        "lot": "2026-03-31",
        "lot_points": 7,
        "tier_from": "bronze",
        "tier_to": "gold",
        "ladder": "elite",
        "occurred_at": "2026-01-09T23:30:00.123Z",
        "posted_at": "2026-01-10T03:00:00.000Z",
    }
    assert balances_after(entry).model_dump() == {"available": 5, "pending": 0, "held": 0, "debt": 0}


def test_an_entry_shows_nothing_where_it_has_nothing_to_tell() -> None:
    moment = at("2026-01-10T03:00:00Z")
    key = EntryKey(EntryKind.TIER, "tier", "1")
    bare = Entry("acme", "mbr_x", key, 1, Movement(), {POINTS: Balances()}, Facts(moment, 1), moment, "-")
    shown = EntryView.of(bare).model_dump()
    told = {name for name, value in shown.items() if value not in (None, [], {}, 0)}
    assert told == {"entry_id", "seq", "kind", "balances", "program_version", "occurred_at", "posted_at"}
