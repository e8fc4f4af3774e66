"""The proof of what entries add up to, of the lots that they take, and of the book beside them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from loyalty.core.money import Money
from loyalty.ledger.model import POINTS, Balances, EntryKind, Hold, Line, Wallet
from tests.ledgerkit.clock import at
from tests.unit.ledger.forging import LATER, SOON, START, Forgery, audited, codes
from tests.unit.ledger.test_verify_rules import MATURING, earned, nothing, stars, two_lots

K = EntryKind
UNTIL = "2026-01-10T04:00:00.000Z"
HELD = Hold(POINTS, {SOON: 9}, at(UNTIL))


def owing_both() -> Forgery:
    """A debt of 10 under one policy, then 100 points below zero under another."""
    return (
        nothing()
        .earned("R-1", 10, says={"policy": "clamp_with_debt"})
        .earned("R-2", 100)
        .adjusted(-110)
        .reversed(10, available=0, debt=-10, lots={})
        .reversed(100, of="R-2", lots={})
    )


def says(**balances: int) -> Forgery:
    """Two accruals, the first of which tells balances that it did not leave."""
    forgery = two_lots()
    first = forgery.entries[0]
    forgery.entries[0] = replace(first, after={POINTS: replace(Balances(available=100), **balances)})
    return forgery


def erased(points: int = 100) -> Forgery:
    """A member who had 100 points, and so many of them forfeited."""
    told = earned().post(
        K.FORFEITURE, "mbr_x", source="erasure", available=-points, expired=points, lots={SOON: -points}
    )
    return told.book(erased_at=told.now)


SUMS: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "a number is left out": (lambda: earned().earned("R-2", 5, seq=3), ["seq_gap"]),
    "a number is given twice": (lambda: earned().earned("R-2", 5, seq=1), ["seq_gap"]),
    "an entry is dated before another": (
        lambda: earned().earned("R-2", 5, on="2026-01-10T02:59:59.999Z"),
        ["posted_before_earlier"],
    ),
    "points come from nowhere": (
        lambda: nothing().post(K.ACCRUAL, "R-1", available=5, lots={SOON: 5}),
        ["postings_unbalanced"],
    ),
    "a lot falls below zero": (
        lambda: two_lots().reversed(100, lots={SOON: -101, LATER: 1}),
        ["direction_wrong", "lot_overdrawn"],
    ),
    "a bucket falls below zero": (
        lambda: nothing().earned(
            "R-1", 5, available=0, pending=5, lots={}, maturing={MATURING: 6, f"2026-01-25/{SOON}": -1}
        ),
        ["direction_wrong", "pending_overdrawn"],
    ),
    "points have no lot": (lambda: nothing().earned("R-1", 5, lots={}), ["lots_unbalanced"]),
    "a lot has more than its points": (lambda: nothing().earned("R-1", 5, lots={SOON: 6}), ["lots_unbalanced"]),
    "pending points never mature": (
        lambda: nothing().earned("R-1", 5, available=0, pending=5, lots={}),
        ["pending_unbalanced"],
    ),
    "more is released than was held": (
        lambda: earned().held(9, {SOON: 9}, status="released").ended(K.RELEASE, {SOON: 10}),
        ["end_of_other_amount", "held_overdrawn"],
    ),
    "a debt is paid that there was not": (
        lambda: nothing().earned("R-1", 5, available=0, debt=5, lots={}),
        ["debt_overpaid"],
    ),
    "a debt of a point stands beside points": (
        lambda: (
            nothing()
            .earned("R-1", 100, says={"policy": "clamp_with_debt"})
            .reversed(100, available=-99, debt=-1, lots={SOON: -99})
        ),
        ["debt_beside_points"],
    ),
    "a debt stands beside points": (
        lambda: (
            nothing()
            .earned("R-1", 100, says={"policy": "clamp_with_debt"})
            .reversed(100, available=-90, debt=-10, lots={SOON: -90})
        ),
        ["debt_beside_points"],
    ),
    "points are spent that there were not": (lambda: nothing().adjusted(-5, lots={}), ["overdrawn"]),
    "a debt is paid before a balance below zero is raised": (
        lambda: owing_both().earned("R-9", 5, available=0, debt=5, lots={}),
        ["debt_paid_too_soon"],
    ),
    "an entry tells another available balance": (lambda: says(available=150), ["balance_after_wrong"]),
    "an entry tells other pending points": (lambda: says(pending=1), ["balance_after_wrong"]),
    "an entry tells other held points": (lambda: says(held=1), ["balance_after_wrong"]),
    "an entry tells another debt": (lambda: says(debt=1), ["balance_after_wrong"]),
    "points are left to who was erased": (lambda: erased(99), ["forfeiture_wrong"]),
    "points are forfeited of who was not erased": (
        lambda: earned().post(K.FORFEITURE, "R-1", source="erasure", available=-100, expired=100, lots={SOON: -100}),
        ["forfeiture_wrong"],
    ),
    "points come after the end": (
        lambda: erased().adjusted(5).adjusted(-5),
        ["entry_after_erasure", "entry_after_erasure"],
    ),
    "tiers do not follow one another": (
        lambda: (
            earned()
            .post(K.TIER, "R-1", movement={"changes": {}, "tier": "silver"}, says={"tier_from": "bronze"})
            .post(K.TIER, "R-2", movement={"changes": {}, "tier": "gold"}, says={"tier_from": "bronze"})
        ),
        ["tier_chain_broken"],
    ),
    "the first tier is not that of the day of enrollment": (
        lambda: (
            earned()
            .record("MEMBER", entry_tier="gold")
            .post(K.TIER, "R-1", movement={"changes": {}, "tier": "silver"}, says={"tier_from": "bronze"})
        ),
        ["tier_chain_broken"],
    ),
}

LOTS: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "a hold takes the last to expire": (lambda: two_lots().held(9, {LATER: 9}), ["not_first_to_expire"]),
    "an adjustment takes the last to expire": (
        lambda: two_lots().adjusted(-9, lots={SOON: -8, LATER: -1}),
        ["not_first_to_expire"],
    ),
    "a renewal leaves an older lot": (
        lambda: stars().post(K.RENEWAL, "-", source="stars", wallet="stars", lots={SOON: -6, LATER: 6}),
        ["renewal_wrong"],
    ),
    "a renewal brings points nearer to their end": (
        lambda: stars().post(K.RENEWAL, "-", source="stars", wallet="stars", lots={SOON: -7, "2026-02-28": 7}),
        ["renewal_wrong"],
    ),
    "a renewal moves nothing": (
        lambda: stars().post(K.RENEWAL, "-", source="stars", wallet="stars"),
        ["renewal_wrong"],
    ),
    "a renewal makes points": (
        lambda: stars().post(K.RENEWAL, "-", source="stars", wallet="stars", lots={SOON: -7, LATER: 8}),
        ["lots_unbalanced", "renewal_wrong"],
    ),
}

BOOK: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "the book says another available balance": (
        lambda: earned().book(wallets={POINTS: Wallet(available=101, lots={SOON: 100})}),
        ["wallet_available_wrong"],
    ),
    "the book says pending points": (
        lambda: earned().book(wallets={POINTS: Wallet(100, 1, lots={SOON: 100})}),
        ["wallet_pending_wrong"],
    ),
    "the book says held points": (
        lambda: earned().book(wallets={POINTS: Wallet(100, 0, 1, lots={SOON: 100})}),
        ["wallet_held_wrong"],
    ),
    "the book says a debt": (
        lambda: earned().book(wallets={POINTS: Wallet(100, 0, 0, 1, lots={SOON: 100})}),
        ["wallet_debt_wrong"],
    ),
    "the book says that points live longer": (
        lambda: earned().book(wallets={POINTS: Wallet(100, lots={LATER: 100})}),
        ["wallet_lots_wrong"],
    ),
    "the book says that points mature": (
        lambda: earned().book(wallets={POINTS: Wallet(100, lots={SOON: 100}, maturing={f"2026-12-01/{LATER}": 5})}),
        ["wallet_maturing_wrong"],
    ),
    "the book has a wallet of its own": (
        lambda: earned().book(wallets={POINTS: Wallet(100, lots={SOON: 100}), "cash": Wallet(held=7)}),
        ["wallet_held_wrong"],
    ),
    "the book lacks a wallet": (
        lambda: stars().earned("R-2", 3).book(wallets={POINTS: Wallet(3, lots={SOON: 3})}),
        ["wallet_available_wrong", "wallet_lots_wrong"],
    ),
    "the book's number is ahead": (lambda: earned().book(seq=2), ["wallet_seq_wrong"]),
    "the book says another tier": (
        lambda: earned().record("MEMBER", entry_tier="bronze").book(tier="gold"),
        ["wallet_tier_wrong"],
    ),
    "the book says that more counts": (
        lambda: earned().book(qualifying={"2026": 500}),
        ["wallet_qualifying_wrong"],
    ),
    "the book is settled to before its last entry": (
        lambda: earned().book(settled_to=at("2026-01-10T02:59:59.999Z")),
        ["wallet_settled_to_wrong"],
    ),
    "the book was never settled": (lambda: earned().book(settled_to=None), ["wallet_settled_to_wrong"]),
    "the book has forgotten a hold": (
        lambda: earned().held(9, {SOON: 9}, until=UNTIL).book(holds={}),
        ["wallet_holds_wrong"],
    ),
    "the book has a hold that there is not": (
        lambda: earned().book(holds={"rdm_1": HELD}),
        ["wallet_holds_wrong"],
    ),
    "the book's hold is of other lots": (
        lambda: earned().held(9, {SOON: 9}, until=UNTIL).book(holds={"rdm_1": replace(HELD, lots={LATER: 9})}),
        ["wallet_holds_wrong"],
    ),
    "the book's hold is of another wallet": (
        lambda: earned().held(9, {SOON: 9}, until=UNTIL).book(holds={"rdm_1": replace(HELD, wallet="cash")}),
        ["wallet_holds_wrong"],
    ),
    "the book's hold times out at another moment": (
        lambda: (
            earned().held(9, {SOON: 9}, until=UNTIL).book(holds={"rdm_1": replace(HELD, expires_at=at("2026-02-01"))})
        ),
        ["wallet_holds_wrong"],
    ),
}


def parts(*, by_rule: int = 60, by_line: int = 30, counts: str = "purchase", times: int = 1) -> Forgery:
    """100 points of two rules, some of them of a line; the first purchase."""
    line = Line(1, Money.of("10.00", "EUR"), {POINTS: by_line})
    says = {
        "activity": "purchase",
        "amount": Money.of("10.00", "EUR"),
        "rules": {POINTS: "a"},
        "rule_points": {POINTS: {"a": by_rule, "b": 40}},
        "lines": {"1": line},
    }
    qualifying = {"2026": 100, f"count.{counts}/ever": times}
    return nothing().earned("R-1", 100, says=says, movement={"qualifying": qualifying})


PARTS: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "rules gave more than it did": (lambda: parts(by_rule=61), ["earned_parts_wrong"]),
    "rules gave less": (lambda: parts(by_rule=59), ["earned_parts_wrong"]),
    "a line earned more than all": (lambda: parts(by_line=101), ["earned_parts_wrong"]),
    "a line earned less than nothing": (lambda: parts(by_line=-1), ["earned_parts_wrong"]),
    "another activity is counted": (lambda: parts(counts="review"), ["qualifying_wrong"]),
    "it is counted twice": (lambda: parts(times=2), ["qualifying_wrong"]),
}
PLANTED = SUMS | LOTS | BOOK | PARTS


def test_an_honest_accrual_of_several_rules() -> None:
    assert codes(parts().items()) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = PLANTED[planted]
    assert codes(forged().items()) == sorted(expected)


def test_what_is_off_from_some_entry_on_is_found_there_once() -> None:
    forgery = two_lots().earned("R-3", 5).earned("R-4", 5)
    for place in (1, 2, 3):
        entry = forgery.entries[place]
        off = replace(entry.after[POINTS], available=entry.after[POINTS].available + 1)
        forgery.entries[place] = replace(entry, after={POINTS: off})
    (finding,) = audited(forgery.items())
    assert (finding.code, finding.where) == ("balance_after_wrong", "accrual:pos:R-2")
    assert finding.detail == "entries add up to 150, 0, 0, 0 in 'points', it says 151, 0, 0, 0"
    assert (finding.program, finding.member_id) == ("acme", "mbr_x")


def test_what_an_entry_says_nothing_of_is_found() -> None:
    forgery = stars()
    forgery.entries[0] = replace(forgery.entries[0], after={POINTS: Balances()})
    (finding,) = audited(forgery.items())
    assert (finding.code, finding.where) == ("balance_after_wrong", "accrual:pos:R-1")


def test_years_without_points_are_no_difference() -> None:
    assert codes(earned().book(qualifying={"2026": 100, "2025": 0}).items()) == []


def test_a_book_that_was_settled_later_than_its_last_entry_is_right() -> None:
    assert codes(earned().book(settled_to=START.replace(day=20)).items()) == []
