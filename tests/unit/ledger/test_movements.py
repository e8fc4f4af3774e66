"""Every kind of movement on wallets drawn by hand; the property tests walk the rest."""

from dataclasses import replace
from datetime import date

import pytest

from loyalty.core.errors import InsufficientPoints
from loyalty.ledger import movements
from loyalty.ledger.model import Account, Movement, Wallet

EMPTY = Wallet("acme", "mbr_1", "bronze")
TODAY = date(2026, 3, 15)
PAST, SOON, LATER, LAST = "2026-02-28", "2026-03-31", "2026-06-30", "2026-12-31"


def wallet(lots: dict[str, int], *, held: int = 0, debt: int = 0, qualifying: int = 0) -> Wallet:
    available = sum(lots.values()) - debt
    return replace(EMPTY, available=available, lots=lots, held=held, debt=debt, qualifying={"2026": qualifying}, seq=7)


class TestAccrue:
    def test_points_become_a_lot_and_qualify(self) -> None:
        movement = movements.accrue(EMPTY, 10, lot=LATER, year="2026")
        assert movement.postings == {Account.AVAILABLE: 10, Account.ISSUED: -10}
        after = movements.apply(EMPTY, movement)
        assert (after.seq, after.available, after.lots, after.qualifying) == (1, 10, {LATER: 10}, {"2026": 10})

    def test_points_of_one_month_share_a_lot(self) -> None:
        after = movements.apply(wallet({LATER: 5}), movements.accrue(wallet({LATER: 5}), 10, lot=LATER, year="2026"))
        assert after.lots == {LATER: 15}

    def test_no_points_post_nothing_but_have_their_place(self) -> None:
        movement = movements.accrue(EMPTY, 0, lot=LATER, year="2026")
        assert movement == Movement()
        assert movements.apply(EMPTY, movement) == replace(EMPTY, seq=1)

    @pytest.mark.parametrize(("debt", "earned", "lot", "left"), [(30, 10, 0, 20), (30, 30, 0, 0), (30, 40, 10, 0)])
    def test_a_debt_is_paid_first_and_all_points_qualify(self, debt: int, earned: int, lot: int, left: int) -> None:
        before = wallet({}, debt=debt)
        after = movements.apply(before, movements.accrue(before, earned, lot=LATER, year="2026"))
        assert after.available == earned - debt
        assert after.debt == left
        assert after.lots == ({LATER: lot} if lot else {})
        assert after.qualifying == {"2026": earned}


class TestReverse:
    def test_points_leave_the_lot_they_were_earned_into_though_another_expires_sooner(self) -> None:
        before = wallet({SOON: 50, LATER: 10}, qualifying=60)
        after = movements.apply(before, movements.reverse(before, 10, earned_lots={LATER: 10}, year="2026"))
        assert after.lots == {SOON: 50}
        assert after.qualifying == {"2026": 50}

    def test_what_was_spent_of_that_lot_comes_first_to_expire_from_the_others(self) -> None:
        before = wallet({LAST: 5, SOON: 4, LATER: 2})
        movement = movements.reverse(before, 8, earned_lots={LATER: 10}, year="2026")
        assert movement.lots == {LATER: -2, SOON: -4, LAST: -2}
        assert movement.debt == 0

    def test_what_no_lot_holds_becomes_a_debt(self) -> None:
        before = wallet({SOON: 4})
        after = movements.apply(before, movements.reverse(before, 10, earned_lots={LATER: 10}, year="2026"))
        assert (after.available, after.debt, after.lots) == (-6, 6, {})

    def test_debts_add_up(self) -> None:
        before = wallet({}, debt=6)
        after = movements.apply(before, movements.reverse(before, 10, earned_lots={}, year="2026"))
        assert (after.available, after.debt) == (-16, 16)

    def test_it_qualifies_less_in_the_year_of_the_accrual(self) -> None:
        before = replace(wallet({LATER: 10}), qualifying={"2025": 10, "2026": 3})
        after = movements.apply(before, movements.reverse(before, 10, earned_lots={LATER: 10}, year="2025"))
        assert after.qualifying == {"2025": 0, "2026": 3}


class TestExpire:
    def test_nothing_is_to_expire(self) -> None:
        assert movements.expire(wallet({SOON: 5, LATER: 5}), TODAY) is None
        assert movements.expire(EMPTY, TODAY) is None

    def test_every_lot_whose_last_day_is_over_goes(self) -> None:
        before = wallet({"2025-12-31": 1, PAST: 5, SOON: 7})
        movement = movements.expire(before, TODAY)
        assert movement is not None
        assert movement.postings == {Account.AVAILABLE: -6, Account.EXPIRED: 6}
        assert movements.apply(before, movement).lots == {SOON: 7}

    @pytest.mark.parametrize(("today", "gone"), [("2026-03-30", False), ("2026-03-31", False), ("2026-04-01", True)])
    def test_a_lot_s_last_day_is_a_day_to_spend_on(self, today: str, gone: bool) -> None:
        assert (movements.expire(wallet({SOON: 5}), date.fromisoformat(today)) is not None) == gone
        assert wallet({SOON: 5}).spendable(date.fromisoformat(today)) == (0 if gone else 5)

    def test_points_that_never_expire_do_not(self) -> None:
        assert movements.expire(wallet({movements.NEVER: 5}), date(9999, 12, 31)) is None

    def test_qualifying_points_stay(self) -> None:
        before = wallet({PAST: 5}, qualifying=5)
        movement = movements.expire(before, TODAY)
        assert movement is not None
        assert movements.apply(before, movement).qualifying == {"2026": 5}


class TestHold:
    def test_it_takes_the_first_to_expire(self) -> None:
        before = wallet({LAST: 5, SOON: 4, LATER: 2})
        movement = movements.hold(before, 7, TODAY)
        assert movement.postings == {Account.AVAILABLE: -7, Account.HELD: 7}
        assert movement.lots == {SOON: -4, LATER: -2, LAST: -1}
        after = movements.apply(before, movement)
        assert (after.available, after.held, after.lots) == (4, 7, {LAST: 4})

    def test_every_point_may_be_held(self) -> None:
        before = wallet({SOON: 4})
        assert movements.apply(before, movements.hold(before, 4, TODAY)).lots == {}

    @pytest.mark.parametrize(
        "before",
        [EMPTY, wallet({SOON: 4}), wallet({PAST: 100, SOON: 4}), wallet({SOON: 4}, held=100), wallet({}, debt=100)],
    )
    def test_held_expired_and_owed_points_are_not_spendable(self, before: Wallet) -> None:
        with pytest.raises(InsufficientPoints) as refusal:
            movements.hold(before, 5, TODAY)
        assert refusal.value.code == "insufficient_points"
        assert f"{max(0, before.spendable(TODAY))} can be spent" in refusal.value.detail

    def test_an_expired_lot_is_passed_over(self) -> None:
        assert movements.hold(wallet({PAST: 100, SOON: 4}), 4, TODAY).lots == {SOON: -4}

    @pytest.mark.parametrize("points", [-1, -50])
    def test_fewer_than_no_points_are_never_held(self, points: int) -> None:
        with pytest.raises(AssertionError, match="fewer than no points"):
            movements.hold(wallet({SOON: 4}, held=50), points, TODAY)


class TestEndsOfAHold:
    def test_captured_points_are_redeemed_and_no_lot_moves(self) -> None:
        before = wallet({SOON: 4}, held=7)
        movement = movements.capture(7)
        assert movement.postings == {Account.HELD: -7, Account.REDEEMED: 7}
        after = movements.apply(before, movement)
        assert (after.available, after.held, after.lots) == (4, 0, {SOON: 4})

    def test_released_points_return_to_their_lots(self) -> None:
        before = wallet({SOON: 4, LATER: 2, LAST: 5})
        held = movements.apply(before, movements.hold(before, 7, TODAY))
        after = movements.apply(held, movements.release(held, {SOON: 4, LATER: 2, LAST: 1}))
        assert after == replace(before, seq=before.seq + 2)

    @pytest.mark.parametrize(
        ("debt", "lots", "left"),
        [(3, {SOON: 1, LATER: 2}, 0), (4, {LATER: 2}, 0), (6, {}, 0), (10, {}, 4)],
    )
    def test_a_debt_opened_meanwhile_is_paid_first(self, debt: int, lots: dict[str, int], left: int) -> None:
        before = wallet({}, held=6, debt=debt)
        after = movements.apply(before, movements.release(before, {SOON: 4, LATER: 2}))
        assert (after.available, after.held, after.debt, after.lots) == (6 - debt, 0, left, lots)

    @pytest.mark.parametrize("movement", [movements.capture(8), movements.release(EMPTY, {SOON: 8})])
    def test_more_than_is_held_cannot_end(self, movement: Movement) -> None:
        with pytest.raises(AssertionError, match="below zero"):
            movements.apply(wallet({}, held=7), movement)


class TestApply:
    @pytest.mark.parametrize(
        ("movement", "broken"),
        [
            (Movement(postings={Account.AVAILABLE: 5}, lots={SOON: 5}), "sum to zero"),
            (Movement(postings={Account.AVAILABLE: 5, Account.ISSUED: -5}), "lots less debt"),
            (Movement(postings={Account.AVAILABLE: 5, Account.ISSUED: -5}, lots={SOON: 4}), "lots less debt"),
            (Movement(lots={SOON: -5, LATER: 5}), "lot below zero"),
            (Movement(debt=5, lots={LATER: 5}), "debt beside points"),
            (Movement(debt=-5, lots={LATER: -5}), "below zero"),
            (Movement(postings={Account.HELD: -1, Account.REDEEMED: 1}), "below zero"),
            (Movement(postings={Account.PENDING: -1, Account.ISSUED: 1}), "below zero"),
        ],
    )
    def test_what_would_break_an_invariant_is_never_applied(self, movement: Movement, broken: str) -> None:
        with pytest.raises(AssertionError, match=broken):
            movements.apply(wallet({LATER: 5}), movement)

    def test_the_tier_changes_only_where_the_movement_says_so(self) -> None:
        assert movements.apply(EMPTY, Movement(tier="gold")).tier == "gold"
        assert movements.apply(EMPTY, Movement()).tier == "bronze"

    def test_a_wallet_is_never_changed_in_place(self) -> None:
        lots = {LATER: 5}
        before = wallet(lots)
        movements.apply(before, movements.accrue(before, 9, lot=LATER, year="2026"))
        assert before.lots is lots
        assert lots == {LATER: 5}
