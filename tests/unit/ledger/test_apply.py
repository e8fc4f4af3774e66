"""What a movement makes of a book, and what it never does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.ledger import movements
from loyalty.ledger.model import MAX_TIMED_HOLDS, POINTS, Account, Book, Change, Hold, Movement
from loyalty.ledger.movements import NEVER
from tests.unit.ledger.wallets import EMPTY, LATER, NOW, SOON, TODAY, WAITING, wallet


class TestApply:
    BOOK = Book("acme", "mbr_1", "bronze", seq=7, wallets={POINTS: wallet({LATER: 5})})

    def apply(self, movement: Movement, book: Book = BOOK) -> Book:
        return movements.apply(book, movement, settled_to=NOW)

    @pytest.mark.parametrize(
        ("change", "broken"),
        [
            (Change({Account.AVAILABLE: 5}, {SOON: 5}), "sum to zero"),
            (Change({Account.AVAILABLE: 5, Account.ISSUED: -5}), "sum of the lots"),
            (Change({Account.AVAILABLE: 5, Account.ISSUED: -5}, {SOON: 4}), "sum of the lots"),
            (Change({Account.AVAILABLE: -6, Account.ISSUED: 6}, {LATER: -4}), "sum of the lots"),
            (Change({Account.PENDING: 5, Account.ISSUED: -5}), "what matures"),
            (Change(lots={SOON: -5, LATER: 5}), "lot below zero"),
            (Change({Account.HELD: -1, Account.REDEEMED: 1}), "below zero"),
            (Change({Account.PENDING: -1, Account.ISSUED: 1}, {}, {WAITING: -1}), "below zero"),
            (Change(maturing={WAITING: 1, f"2026-04-02/{LATER}": -1}), "bucket of pending points below zero"),
            (Change({Account.DEBT: 1, Account.ISSUED: -1}), "below zero"),
            (Change({Account.DEBT: -1, Account.ISSUED: 1}), "debt beside points"),
        ],
    )
    def test_what_would_break_an_invariant_is_never_applied(self, change: Change, broken: str) -> None:
        with pytest.raises(AssertionError, match=broken):
            self.apply(Movement({POINTS: change}))

    def test_each_entry_has_the_next_number(self) -> None:
        assert self.apply(Movement()) == replace(self.BOOK, seq=8, settled_to=NOW)

    def test_the_tier_changes_only_where_the_movement_says_so(self) -> None:
        assert self.apply(Movement(tier="gold")).tier == "gold"
        assert self.apply(Movement()).tier == "bronze"

    def test_an_empty_bucket_goes_but_for_a_calendar_year_of_points(self) -> None:
        book = replace(self.BOOK, qualifying={"2025": 3, "2026": 5, "points/2026-01": 5, "spend.EUR/2026": 9})
        taken = {"2026": -5, "points/2026-01": -5, "spend.EUR/2026": -4, "activities.stay/ever": 1}
        after = self.apply(Movement(qualifying=taken), book)
        assert after.qualifying == {"2025": 3, "2026": 0, "spend.EUR/2026": 5, "activities.stay/ever": 1}

    def test_qualifying_points_add_up_by_year(self) -> None:
        book = self.apply(Movement(qualifying={"2026": 10, "2025": -3}), replace(self.BOOK, qualifying={"2025": 9}))
        assert book.qualifying == {"2025": 6, "2026": 10}

    def test_a_book_is_never_changed_in_place(self) -> None:
        wallets = {POINTS: wallet({LATER: 5})}
        before = replace(self.BOOK, wallets=wallets)
        self.apply(Movement({POINTS: movements.accrue(before.wallet(), 9, lot=LATER)}), before)
        assert before.wallets is wallets
        assert wallets == {POINTS: wallet({LATER: 5})}

    def test_wallets_stand_for_themselves_and_an_empty_one_is_not_kept(self) -> None:
        cash = movements.accrue(EMPTY, 7, lot=NEVER)
        book = self.apply(Movement({"cashback": cash}))
        assert book.wallets == {POINTS: wallet({LATER: 5}), "cashback": wallet({NEVER: 7})}
        spent = self.apply(Movement({"cashback": movements.spend(book.wallet("cashback"), 7, Account.ADJUSTED)}), book)
        assert spent.wallets == {POINTS: wallet({LATER: 5})}
        assert spent.wallet("cashback") == EMPTY

    def test_nothing_is_posted_before_what_was_posted(self) -> None:
        book = self.apply(Movement())
        with pytest.raises(AssertionError, match="before an earlier one"):
            movements.apply(book, Movement(), settled_to=NOW - timedelta(milliseconds=1))
        assert movements.apply(book, Movement(), settled_to=NOW).seq == 9

    def test_nothing_is_posted_after_a_merge(self) -> None:
        book = self.apply(Movement({POINTS: movements.empty(self.BOOK.wallet())}, merged_into="mbr_2"))
        assert book.merged_into == "mbr_2"
        with pytest.raises(AssertionError, match="was merged"):
            self.apply(Movement(), book)

    def test_nothing_is_left_behind_by_a_merge(self) -> None:
        with pytest.raises(AssertionError, match="left behind"):
            self.apply(Movement(merged_into="mbr_2"))

    def test_who_was_absorbed_is_remembered_once_each(self) -> None:
        book = self.apply(Movement(absorbed=("mbr_2", "mbr_3")))
        assert self.apply(Movement(absorbed=("mbr_3", "mbr_4")), book).absorbed == ("mbr_2", "mbr_3", "mbr_4")


class TestTimedHolds:
    HOLD = Hold(POINTS, {LATER: 2}, NOW + timedelta(hours=1))

    def book(self, holds: int = 0) -> Book:
        before = Book("acme", "mbr_1", "bronze", wallets={POINTS: wallet({LATER: 50})})
        for number in range(holds):
            before = self.open(before, f"rdm_{number}")
        return before

    def open(self, book: Book, name: str, hold: Hold = HOLD) -> Book:
        change = movements.spend(book.wallet(), 2, Account.HELD)
        return movements.apply(book, Movement({POINTS: change}, holds={name: hold}), settled_to=NOW)

    def test_a_hold_opens_and_ends(self) -> None:
        book = self.book(2)
        assert book.holds == {"rdm_0": self.HOLD, "rdm_1": self.HOLD}
        assert self.HOLD.points == 2
        change = movements.capture(book.wallet(), {LATER: 2}, 2, today=TODAY, grace_days=30)
        ended = movements.apply(book, Movement({POINTS: change}, holds={"rdm_0": None}), settled_to=NOW)
        assert ended.holds == {"rdm_1": self.HOLD}

    def test_a_hold_that_is_not_open_cannot_end(self) -> None:
        with pytest.raises(AssertionError, match="end of no hold"):
            movements.apply(self.book(1), Movement(holds={"rdm_7": None}), settled_to=NOW)

    def test_a_hold_has_no_more_than_is_held(self) -> None:
        with pytest.raises(AssertionError, match="more in timed holds"):
            self.open(self.book(), "rdm_0", replace(self.HOLD, lots={LATER: 3}))
        book = self.book(2)
        change = movements.capture(book.wallet(), {LATER: 2}, 2, today=TODAY, grace_days=30)
        with pytest.raises(AssertionError, match="more in timed holds"):
            movements.apply(book, Movement({POINTS: change}), settled_to=NOW)

    def test_so_many_are_open_and_no_more(self) -> None:
        book = self.book(MAX_TIMED_HOLDS)
        with pytest.raises(AssertionError, match="too many holds"):
            self.open(book, "rdm_one_more")
