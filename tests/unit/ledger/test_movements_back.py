"""Points that are taken back, come back, or go over to another member, on wallets drawn by hand."""

from collections.abc import Mapping
from datetime import date

import pytest

from loyalty.core.errors import ReversalRefused
from loyalty.ledger import movements
from loyalty.ledger.model import Account, Change, ReversalPolicy, Wallet
from loyalty.ledger.movements import Taken
from tests.unit.ledger.wallets import (
    CLAMP,
    EMPTY,
    LAST,
    LATER,
    NEGATIVE,
    PAST,
    REFUSE,
    SOON,
    TODAY,
    WAITING,
    after,
    wallet,
)


class TestReverse:
    EARNED = Change({Account.AVAILABLE: 10, Account.ISSUED: -10}, {LATER: 10})

    def test_points_leave_the_lot_they_were_earned_into_though_another_expires_sooner(self) -> None:
        before = wallet({SOON: 50, LATER: 10})
        change = movements.reverse(before, Taken(10), earned=self.EARNED, policy=REFUSE)
        assert change == Change({Account.AVAILABLE: -10, Account.ISSUED: 10}, {LATER: -10})
        assert after(before, change) == wallet({SOON: 50})

    def test_what_was_spent_of_that_lot_comes_first_to_expire_from_the_others(self) -> None:
        before = wallet({LAST: 5, SOON: 4, LATER: 2})
        change = movements.reverse(before, Taken(8), earned=self.EARNED, policy=REFUSE)
        assert change.lots == {LATER: -2, SOON: -4, LAST: -2}
        assert after(before, change) == wallet({LAST: 3})

    def test_no_points_change_nothing(self) -> None:
        assert movements.reverse(wallet({SOON: 4}), Taken(0), earned=self.EARNED, policy=REFUSE) == Change()

    @pytest.mark.parametrize(
        ("policy", "left", "postings"),
        [
            (NEGATIVE, wallet(negative=6), {Account.AVAILABLE: -10, Account.ISSUED: 10}),
            (CLAMP, wallet(debt=6), {Account.AVAILABLE: -4, Account.DEBT: -6, Account.ISSUED: 10}),
        ],
    )
    def test_the_policy_says_what_becomes_of_points_that_no_lot_holds(
        self, policy: ReversalPolicy, left: Wallet, postings: dict[Account, int]
    ) -> None:
        before = wallet({SOON: 4})
        change = movements.reverse(before, Taken(10), earned=self.EARNED, policy=policy)
        assert (change.postings, change.lots) == (postings, {SOON: -4})
        assert after(before, change) == left

    def test_the_policy_may_refuse_and_says_what_is_left(self) -> None:
        with pytest.raises(ReversalRefused, match="10 points are to be taken back and 4 are left"):
            movements.reverse(wallet({SOON: 4}, held=6), Taken(10), earned=self.EARNED, policy=REFUSE)

    @pytest.mark.parametrize(
        ("before", "policy", "left"),
        [
            (wallet(negative=6), NEGATIVE, wallet(negative=16)),
            (wallet(debt=6), CLAMP, wallet(debt=16)),
            (wallet(negative=6), CLAMP, wallet(negative=6, debt=10)),
            (wallet(debt=6), NEGATIVE, wallet(negative=10, debt=6)),
        ],
    )
    def test_what_is_owed_adds_up_though_the_policy_changed(
        self, before: Wallet, policy: ReversalPolicy, left: Wallet
    ) -> None:
        assert after(before, movements.reverse(before, Taken(10), earned=self.EARNED, policy=policy)) == left

    def test_pending_points_leave_their_bucket_and_nothing_else(self) -> None:
        earned = Change({Account.PENDING: 10, Account.ISSUED: -10}, {}, {WAITING: 10})
        before = wallet({SOON: 50}, maturing={WAITING: 15})
        change = movements.reverse(before, Taken(4), earned=earned, policy=REFUSE)
        assert change == Change({Account.PENDING: -4, Account.ISSUED: 4}, {}, {WAITING: -4})
        assert after(before, change) == wallet({SOON: 50}, maturing={WAITING: 11})

    def test_matured_points_leave_the_lot_that_they_matured_into(self) -> None:
        earned = Change({Account.PENDING: 10, Account.ISSUED: -10}, {}, {WAITING: 10})
        before = wallet({SOON: 50, LATER: 10}, maturing={f"2026-04-02/{LATER}": 5})
        change = movements.reverse(before, Taken(10), earned=earned, policy=REFUSE)
        assert change == Change({Account.AVAILABLE: -10, Account.ISSUED: 10}, {LATER: -10})

    @pytest.mark.parametrize(
        ("taken", "postings", "lots"),
        [
            (Taken(10, expired=10), {Account.EXPIRED: -10, Account.ISSUED: 10}, {}),
            (Taken(10, expired=7), {Account.AVAILABLE: -3, Account.EXPIRED: -7, Account.ISSUED: 10}, {SOON: -3}),
        ],
    )
    def test_expired_points_are_not_taken_a_second_time(
        self, taken: Taken, postings: dict[Account, int], lots: dict[str, int]
    ) -> None:
        earned = Change({Account.AVAILABLE: 10, Account.ISSUED: -10}, {PAST: 10})
        change = movements.reverse(wallet({SOON: 50}), taken, earned=earned, policy=REFUSE)
        assert (change.postings, change.lots) == (postings, lots)

    def test_only_what_is_not_expired_counts_for_the_policy(self) -> None:
        earned = Change({Account.AVAILABLE: 10, Account.ISSUED: -10}, {PAST: 10})
        before = wallet({SOON: 2})
        change = movements.reverse(before, Taken(10, expired=7), earned=earned, policy=CLAMP)
        assert after(before, change) == wallet(debt=1)


class TestEndsOfAHold:
    @staticmethod
    def _back(before: Wallet, lots: Mapping[str, int], *, today: date = TODAY, grace_days: int = 30) -> Change:
        return movements.give_back(before, lots, source=Account.HELD, today=today, grace_days=grace_days)

    def test_captured_points_are_redeemed_and_no_lot_moves(self) -> None:
        before = wallet({SOON: 4}, held=7)
        change = movements.capture(before, {SOON: 4, LATER: 3}, 7, today=TODAY, grace_days=30)
        assert change == Change({Account.HELD: -7, Account.REDEEMED: 7})
        assert after(before, change) == wallet({SOON: 4})

    @pytest.mark.parametrize(
        ("captured", "back"),
        [
            (0, {SOON: 4, LATER: 2, LAST: 1}),
            (3, {SOON: 1, LATER: 2, LAST: 1}),
            (4, {LATER: 2, LAST: 1}),
            (5, {LATER: 1, LAST: 1}),
            (7, {}),
        ],
    )
    def test_a_partial_capture_spends_the_first_to_expire_and_the_rest_goes_back(
        self, captured: int, back: dict[str, int]
    ) -> None:
        before = wallet(held=7)
        change = movements.capture(before, {LAST: 1, SOON: 4, LATER: 2}, captured, today=TODAY, grace_days=30)
        assert after(before, change) == wallet(back)
        assert change.postings.get(Account.REDEEMED, 0) == captured
        assert change.postings[Account.HELD] == -7

    def test_what_a_partial_capture_gives_back_of_an_expired_lot_has_its_days_of_grace(self) -> None:
        before = wallet(held=7)
        change = movements.capture(before, {PAST: 4, LATER: 3}, 1, today=TODAY, grace_days=20)
        assert after(before, change) == wallet({"2026-04-30": 3, LATER: 3})

    @pytest.mark.parametrize("points", [-1, 8])
    def test_no_more_is_captured_than_is_held(self, points: int) -> None:
        with pytest.raises(AssertionError, match="capture of more than the hold"):
            movements.capture(wallet(held=7), {SOON: 7}, points, today=TODAY, grace_days=30)

    def test_released_points_return_to_their_lots(self) -> None:
        before = wallet({SOON: 4, LATER: 2, LAST: 5})
        held = after(before, movements.spend(before, 7, Account.HELD))
        assert after(held, self._back(held, {SOON: 4, LATER: 2, LAST: 1})) == before

    def test_a_lot_s_last_day_is_a_day_to_come_back_to(self) -> None:
        assert self._back(wallet(held=4), {SOON: 4}, today=date(2026, 3, 31)).lots == {SOON: 4}

    @pytest.mark.parametrize(
        ("today", "grace_days", "lot"),
        [
            (date(2026, 4, 1), 0, "2026-04-30"),
            (date(2026, 4, 1), 29, "2026-04-30"),
            (date(2026, 4, 1), 30, "2026-05-31"),
            (date(2028, 1, 30), 30, "2028-02-29"),  # a leap year
            (date(2027, 1, 30), 29, "2027-02-28"),
            (date(2026, 12, 15), 30, "2027-01-31"),
        ],
    )
    def test_points_of_a_lot_that_expired_meanwhile_get_days_of_grace_to_the_end_of_that_month(
        self, today: date, grace_days: int, lot: str
    ) -> None:
        assert self._back(wallet(held=4), {SOON: 4}, today=today, grace_days=grace_days).lots == {lot: 4}

    def test_lots_that_expired_become_one_and_join_a_lot_that_lives(self) -> None:
        change = self._back(wallet(held=9), {PAST: 4, SOON: 3, "2026-05-31": 2}, today=date(2026, 4, 15))
        assert change.lots == {"2026-05-31": 9}

    @pytest.mark.parametrize(
        ("debt", "lots", "left"),
        [(3, {SOON: 1, LATER: 2}, 0), (4, {LATER: 2}, 0), (6, {}, 0), (10, {}, 4)],
    )
    def test_a_debt_opened_meanwhile_is_paid_first(self, debt: int, lots: dict[str, int], left: int) -> None:
        before = wallet(held=6, debt=debt)
        assert after(before, self._back(before, {SOON: 4, LATER: 2})) == wallet(lots, debt=left)

    def test_what_was_redeemed_can_come_back_too(self) -> None:
        change = movements.give_back(EMPTY, {SOON: 4}, source=Account.REDEEMED, today=TODAY, grace_days=30)
        assert change == Change({Account.REDEEMED: -4, Account.AVAILABLE: 4}, {SOON: 4})

    def test_more_than_is_held_cannot_end(self) -> None:
        before = wallet(held=7)
        with pytest.raises(AssertionError, match="below zero"):
            after(before, self._back(before, {SOON: 8}))


class TestMerge:
    @pytest.mark.parametrize(
        ("into", "other", "merged"),
        [
            (wallet({SOON: 4}), wallet({SOON: 1, LATER: 2}), wallet({SOON: 5, LATER: 2})),
            (wallet(), wallet({LATER: 2}), wallet({LATER: 2})),
            (wallet({SOON: 4}, held=3), wallet(), wallet({SOON: 4}, held=3)),
            (wallet({SOON: 4, LATER: 3}), wallet(debt=5), wallet({LATER: 2})),
            (wallet(debt=5), wallet({SOON: 4, LATER: 3}), wallet({LATER: 2})),
            (wallet({SOON: 4, LATER: 3}), wallet(negative=5), wallet({LATER: 2})),
            (wallet(negative=5), wallet({SOON: 4}), wallet(negative=1)),
            (wallet(negative=5, debt=2), wallet({SOON: 6}), wallet(debt=1)),
            (wallet(negative=5), wallet(negative=2, debt=9), wallet(negative=7, debt=9)),
            (wallet({SOON: 4}), wallet(negative=5, debt=2), wallet(negative=1, debt=2)),
            (wallet(debt=1), wallet(debt=2), wallet(debt=3)),
            (
                wallet({SOON: 4}, maturing={WAITING: 1}),
                wallet(maturing={WAITING: 2, f"2026-04-02/{LATER}": 5}),
                wallet({SOON: 4}, maturing={WAITING: 3, f"2026-04-02/{LATER}": 5}),
            ),
            (wallet(debt=9), wallet(maturing={WAITING: 10}), wallet(debt=9, maturing={WAITING: 10})),
        ],
    )
    def test_points_and_debts_of_both_come_together_and_pay_each_other(
        self, into: Wallet, other: Wallet, merged: Wallet
    ) -> None:
        gained, lost = movements.merge(into, other), movements.empty(other)
        assert after(into, gained) == merged
        assert after(other, lost) == EMPTY
        assert gained.postings.get(Account.TRANSFERRED, 0) + lost.postings.get(Account.TRANSFERRED, 0) == 0
