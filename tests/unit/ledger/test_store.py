"""Books and entries come back from the table as they went in, and small."""

import json
from dataclasses import fields, replace
from datetime import date

import pytest

from loyalty.core.money import Money
from loyalty.core.table import Put
from loyalty.ledger.items import book_of, book_put, due_at, entry_of, entry_put, new_book_put
from loyalty.ledger.keys import due_shard, member_shard, shard_name
from loyalty.ledger.ladders import Standing
from loyalty.ledger.model import (
    MAX_TIMED_HOLDS,
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
    Line,
    Movement,
    ReversalPolicy,
    Wallet,
)
from loyalty.ledger.settlement import next_due
from loyalty_contract import DUE_SHARDS
from tests.ledgerkit.clock import at
from tests.unit.ledger.forging import LATER, SCOPE, SOON, START, raw_of

FACTS = Facts(
    occurred_at=at("2026-01-09T23:30:00.123Z"),
    program_version=3,
    rules={POINTS: "shop", "cash": "cash"},
    rule_points={POINTS: {"shop": 4, "double": 3}},
    used={"cap|points|rule:shop|2026-01-09|points": 4},
    activity="purchase",
    channel="web",
    amount=Money.of("100.00", "EUR"),
    refund_basis=Money.of("12.345", "KWD"),
    lines={"a": Line(2, Money.of("60.00", "EUR"), {POINTS: 6, "cash": 1}), "b/1": Line(1, Money.of("0.00", "EUR"))},
    policy=ReversalPolicy.CLAMP_WITH_DEBT,
    renewed=("cash", POINTS),
    reverses="accrual:pos:R-0",
    reason="refund",
    actor="staff-1",
    approved_by="staff-2",
    other_member="mbr_y",
    redemption_id="rdm_1",
    reward_id="coffee",
    stock={"coffee/03": 2, "coffee/11": -1},
    hold_expires_at=at("2026-01-10T04:00:00.001Z"),
    lot=SOON,
    lot_points=7,
    tier_from="bronze",
    ladder="elite",
    standing_from=Standing("gold", "silver", date(2027, 12, 31), kept=True),
    falls_to="none",
    told='{"s":"rome-1"}',
)
ENTRY = Entry(
    program="acme",
    member_id="mbr_x",
    key=EntryKey(EntryKind.ACCRUAL, "pos", "R#1:2"),
    seq=12,
    movement=Movement(
        changes={
            POINTS: Change({Account.AVAILABLE: 5, Account.DEBT: 2, Account.ISSUED: -7}, {SOON: 5}),
            "cash": Change({Account.PENDING: 9, Account.ISSUED: -9}, {}, {f"2026-02-01/{LATER}": 9}),
        },
        qualifying={"2026": 7},
        tier="silver",
        standings={"elite": Standing("gold", "silver", None, granted="gold", granted_until=date(2026, 6, 30))},
        absorbed=("mbr_a", "mbr_b"),
    ),
    after={POINTS: Balances(available=5), "cash": Balances(-3, 9, 1, 2)},
    facts=FACTS,
    posted_at=START,
    request_hash="0" * 32,
)
BOOK = Book(
    program="acme",
    member_id="mbr_x",
    tier="silver",
    seq=12,
    opened_at=at("2025-12-31T23:59:59.999Z"),
    settled_to=START,
    wallets={
        POINTS: Wallet(5, 0, 3, 0, {SOON: 5}, {}),
        "cash": Wallet(-3, 9, 0, 2, {}, {f"2026-02-01/{LATER}": 9}),
    },
    holds={"rdm_1": Hold(POINTS, {SOON: 3}, at("2026-01-10T04:00:00.001Z"), {"coffee/03": 2})},
    qualifying={"2025": 3, "2026": 7},
    standings={"status": Standing("silver", "silver", date(2027, 2, 28)), "elite": Standing("none", "none")},
    absorbed=("mbr_a", "mbr_b"),
)


def written(book: Book) -> Put:
    return book_put(book, SCOPE, read_at_seq=book.seq - 1)


def test_an_entry_comes_back_as_it_was_posted() -> None:
    assert all(getattr(FACTS, field.name) for field in fields(Facts))
    assert entry_of(raw_of(entry_put(ENTRY))) == ENTRY


def test_an_entry_of_little_comes_back_too() -> None:
    bare = replace(ENTRY, movement=Movement(), after={POINTS: Balances()}, facts=Facts(START, 1))
    raw = raw_of(entry_put(bare))
    assert entry_of(raw) == bare
    assert raw.keys() == {
        "pk", "sk", "seq", "changes", "after", "program_version", "occurred_at", "posted_at", "request_hash",
    }  # fmt: skip


def test_whom_a_member_was_merged_into_is_whom_the_entry_names() -> None:
    movement = Movement(merged_into="mbr_y")
    merged = replace(ENTRY, key=EntryKey(EntryKind.MERGE_OUT, "merge", "mbr_y"), movement=movement)
    assert entry_of(raw_of(entry_put(merged))) == merged


def test_a_book_comes_back_as_it_was_written() -> None:
    assert book_of(raw_of(written(BOOK))) == BOOK
    merged = replace(BOOK, wallets={POINTS: Wallet()}, holds={}, merged_into="mbr_y")
    assert book_of(raw_of(written(merged))) == merged
    of_unknown_age = replace(BOOK, opened_at=None)
    assert book_of(raw_of(written(of_unknown_age))) == of_unknown_age


def test_a_new_book_is_empty() -> None:
    raw = raw_of(new_book_put("acme", "mbr_x", "bronze", START))
    assert book_of(raw) == Book("acme", "mbr_x", "bronze", opened_at=START, wallets={POINTS: Wallet()})
    assert due_at(raw) is None


def test_a_book_says_when_something_falls_due() -> None:
    raw = raw_of(written(BOOK))
    assert due_at(raw) == next_due(BOOK, SCOPE) == at("2026-01-10T04:00:00.001Z")
    assert raw["due_shard"] == {"S": due_shard("mbr_x")}
    idle = raw_of(written(replace(BOOK, wallets={POINTS: Wallet(debt=3)}, holds={})))
    assert not idle.keys() & {"due_at", "due_shard"}


def test_no_book_is_in_the_index_of_entries() -> None:
    """It would cost a write unit with every posting."""
    assert "seq" not in raw_of(written(BOOK))


def test_members_are_spread_over_all_shards() -> None:
    shards = [due_shard(f"mbr_{number}") for number in range(2_000)]
    assert set(shards) == {shard_name(number) for number in range(DUE_SHARDS)}
    assert min(shards.count(shard) for shard in set(shards)) > 2_000 / DUE_SHARDS / 2


@pytest.mark.parametrize(("number", "name"), [(0, "DUE#book#00"), (7, "DUE#book#07"), (15, "DUE#book#15")])
def test_shards_have_names_that_never_change(number: int, name: str) -> None:
    assert shard_name(number) == name


def test_a_member_stays_in_their_shard() -> None:
    assert due_shard("mbr_01jd000000000000000000000") == "DUE#book#05"


def test_a_book_is_in_the_index_of_members_as_long_as_it_is_one_s() -> None:
    assert raw_of(new_book_put("acme", "mbr_x", "bronze", START))["member_shard"] == {
        "S": member_shard("acme", "mbr_x")
    }
    assert raw_of(written(BOOK))["member_shard"] == {"S": member_shard("acme", "mbr_x")}
    assert "member_shard" not in raw_of(written(replace(BOOK, merged_into="mbr_y")))
    assert "member_shard" not in raw_of(new_book_put("acme", "hsh_1", "bronze", START))


def test_a_member_stays_in_their_shard_of_the_index_of_members() -> None:
    assert member_shard("acme", "mbr_01jd000000000000000000000") == "acme#05"


def test_an_ordinary_entry_is_under_a_kilobyte() -> None:
    facts = replace(FACTS, lines={}, refund_basis=None, reverses=None, other_member=None, hold_expires_at=None)
    facts = replace(facts, standing_from=None, falls_to=None, stock={})
    raw = raw_of(entry_put(replace(ENTRY, facts=facts)))
    assert len(json.dumps(raw)) < 2_048  # with the names of types, of which the table stores a byte each
    assert sum(_stored(value) + len(name) for name, value in raw.items()) < 1_024


def test_the_fullest_book_is_well_below_what_an_item_may_have() -> None:
    lots = {f"20{26 + month // 12}-{month % 12 + 1:02}-28": 10**9 for month in range(36)}
    maturing = {f"2026-{day // 28 + 1:02}-{day % 28 + 1:02}/{SOON}": 10**9 for day in range(92)}
    holds = {f"rdm_{number:026}": Hold(POINTS, lots, START) for number in range(MAX_TIMED_HOLDS)}
    full = Wallet(36 * 10**9, 92 * 10**9, 10**9, 0, lots, maturing)
    book = replace(BOOK, wallets=dict.fromkeys((POINTS, "b", "c", "d", "e"), full), holds=holds)
    assert sum(_stored(value) + len(name) for name, value in raw_of(written(book)).items()) < 100_000


def _stored(value: object) -> int:
    """Bytes of an attribute as DynamoDB counts them, or a few more."""
    if isinstance(value, dict) and len(value) == 1 and "M" in value:
        return 3 + sum(1 + len(name) + _stored(part) for name, part in value["M"].items())
    return len(json.dumps(next(iter(value.values())))) if isinstance(value, dict) else 0
