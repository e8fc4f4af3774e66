"""The proof of a program in which everything has happened: nothing is found; and what is changed in its items is."""

from collections.abc import Callable, Mapping

import pytest

from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind, Scope
from loyalty.ledger.verify import Finding, audit_table
from tests.ledgerkit.moves import ADA
from tests.unit.ledger.forging import Forger, Items, StoredTable
from tests.unit.ledger.story import stored, told

Scopes = Mapping[str, Mapping[int, Scope]]
WALLET, R2, F1, TIER = "WALLET", "ENTRY#accrual#pos#R-2", "ENTRY#reversal#pos#F-1", "ENTRY#tier"
REVERSED, LAPSED = "REVERSED#pos#R-1", "LAPSED#points#2026-03-31"


@pytest.fixture(scope="module")
def story(memory_table: Table) -> tuple[Items, Scopes]:
    programs = told(memory_table)
    scopes = {name: {program.version: program.scope} for name, program in programs.items()}
    return stored(memory_table), scopes


def audited(items: Items, scopes: Scopes) -> list[Finding]:
    return audit_table(StoredTable(items), scopes_of=lambda name: scopes.get(name, {}), sleep=lambda _: None).findings


def test_nothing_is_found_in_what_the_services_posted(story: tuple[Items, Scopes]) -> None:
    items, scopes = story
    assert audited(items, scopes) == []
    assert audited(items, {}) == []


def test_the_story_has_entries_of_every_kind_and_records_of_every_kind(story: tuple[Items, Scopes]) -> None:
    items, _ = story
    sks = [sk for _, sk in items]
    assert {sk.split("#")[1] for sk in sks if sk.startswith("ENTRY#")} == set(EntryKind)
    assert {sk.split("#")[0] for sk in sks} >= {
        "REVERSED",
        "LAPSED",
        "WAITING",
        "AWAITED",
        "REDEMPTION",
        "ADJUSTMENT",
        "HOUSEHOLD",
        "LIMIT",
        "WALLET",
        "MEMBER",
    }
    accounts = {
        account
        for raw in items.values()
        for change in raw.get("changes", {"M": {}})["M"].values()
        for account in change["M"].get("postings", {"M": {}})["M"]
    }
    assert accounts == set(Account)


Plant = Callable[[Forger], object]
BOOK_POINTS = "wallets/points"
CHANGED: dict[str, tuple[Plant, set[str]]] = {
    "an entry is missing": (
        lambda f: f.delete(R2),
        {"seq_gap", "balance_after_wrong", "reversal_of_nothing", "wallet_available_wrong", "lots_unbalanced"},
    ),
    "the last entry is missing": (lambda f: f.delete(f.last()), {"wallet_seq_wrong", "wallet_pending_wrong"}),
    "all entries are missing": (
        lambda f: f.delete(*[sk for pk, sk in f.items if pk == f.pk and sk.startswith("ENTRY#")]),
        {"wallet_seq_wrong", "wallet_available_wrong", "redemption_without_hold", "transfer_one_sided"},
    ),
    "an entry is posted twice": (
        lambda f: f.copy(R2, "ENTRY#accrual#pos#R-2b"),
        {"seq_gap", "balance_after_wrong", "wallet_available_wrong"},
    ),
    "a posting is changed": (
        lambda f: f.add(R2, "changes/points/postings/member:available", 1),
        {"postings_unbalanced", "balance_after_wrong", "lots_unbalanced", "wallet_available_wrong"},
    ),
    "an entry's lot lives longer": (
        lambda f: f.set(R2, "changes/points/lots", {"2027-03-31": 125}),
        {"wallet_lots_wrong"},
    ),
    "a reversal takes more": (
        lambda f: (
            f.add(F1, "changes/cash/postings/member:available", -1)
            .add(F1, "changes/cash/postings/program:issued", 1)
            .add(F1, "changes/cash/lots/9999-12-31", -1)
        ),
        {"reversal_record_wrong", "reversal_share_wrong", "balance_after_wrong", "wallet_available_wrong"},
    ),
    "a reversal is moved to another accrual": (
        lambda f: f.set(F1, "reverses", "accrual:pos:R-3"),
        {"reversal_over_original", "reversal_record_wrong"},
    ),
    "a balance told by an entry is changed": (
        lambda f: f.add(R2, "after/points/available", 1),
        {"balance_after_wrong"},
    ),
    "an entry is dated back": (
        lambda f: f.set(f.last(), "posted_at", "2026-01-01T00:00:00.000Z"),
        {"posted_before_earlier"},
    ),
    "the wallet is one point off": (
        lambda f: f.add(WALLET, f"{BOOK_POINTS}/available", 1),
        {"wallet_available_wrong"},
    ),
    "another wallet is one cent off": (
        lambda f: f.add(WALLET, "wallets/cash/available", 1),
        {"wallet_available_wrong"},
    ),
    "held is one point off": (lambda f: f.add(WALLET, f"{BOOK_POINTS}/held", -1), {"wallet_held_wrong"}),
    "pending points appear": (lambda f: f.add(WALLET, f"{BOOK_POINTS}/pending", 1), {"wallet_pending_wrong"}),
    "a debt appears": (lambda f: f.add(WALLET, f"{BOOK_POINTS}/debt", 5), {"wallet_debt_wrong"}),
    "qualifying points appear": (lambda f: f.add(WALLET, "qualifying/2026", 500), {"wallet_qualifying_wrong"}),
    "the tier is another": (lambda f: f.set(WALLET, "tier", "gold"), {"wallet_tier_wrong"}),
    "the tier's entry is another": (
        lambda f: f.set(f.find(TIER), "tier_to", "gold"),
        {"wallet_tier_wrong"},
    ),
    "the wallet is missing": (lambda f: f.delete(WALLET), {"wallet_missing"}),
    "the wallet forgets to expire": (
        lambda f: f.set(WALLET, "due_at", None).set(WALLET, "due_shard", None),
        {"due_missing"},
    ),
    "an expiry is missing": (
        lambda f: f.delete(f.find("ENTRY#expiry")),
        {"seq_gap", "expiry_missed", "lapsed_over_expired"},
    ),
    "the record of refunds forgets points": (lambda f: f.add(REVERSED, "points/points", -1), {"reversal_record_wrong"}),
    "the record of expired points forgets some": (lambda f: f.add(LAPSED, "points", -1), {"lapsed_record_wrong"}),
    "a redemption costs other points": (
        lambda f: f.add(f.find("REDEMPTION#"), "points", 1),
        {"redemption_wrong"},
    ),
    "a redemption is missing": (lambda f: f.delete(f.find("REDEMPTION#")), {"redemption_missing"}),
    "an adjustment is missing": (
        lambda f: f.delete(f.find("ENTRY#adjustment")),
        {"adjustment_missing", "seq_gap"},
    ),
    "a transfer is missing": (
        lambda f: f.delete(f.find("ENTRY#transfer_out")),
        {"transfer_one_sided", "seq_gap"},
    ),
    "a member leaves the household alone": (lambda f: f.delete("HOUSEHOLD"), {"membership_one_sided"}),
}
ALONE = {
    "a balance told by an entry is changed",
    "the wallet is one point off",
    "another wallet is one cent off",
    "held is one point off",
    "pending points appear",
    "a debt appears",
    "qualifying points appear",
    "the tier is another",
    "the wallet is missing",
    "the wallet forgets to expire",
    "the record of refunds forgets points",
    "the record of expired points forgets some",
    "a redemption costs other points",
    "a redemption is missing",
    "a member leaves the household alone",
}


@pytest.mark.parametrize("changed", CHANGED)
def test_what_is_changed_is_found_by_its_code(story: tuple[Items, Scopes], changed: str) -> None:
    items, scopes = story
    plant, expected = CHANGED[changed]
    forger = Forger(items, ADA)
    plant(forger)
    findings = audited(forger.items, scopes)
    found = {finding.code for finding in findings}
    assert found == expected if changed in ALONE else found >= expected
    assert all(finding.program == "acme" and finding.where and finding.detail for finding in findings)
