"""Points that come in and go out, on wallets drawn by hand; the property tests walk the rest."""

from datetime import date

import pytest

from loyalty.core.errors import InsufficientPoints
from loyalty.ledger import movements
from loyalty.ledger.model import Account, Change, Wallet
from loyalty.ledger.movements import NEVER
from tests.unit.ledger.wallets import DAY, EMPTY, LAST, LATER, PAST, SOON, WAITING, after, wallet


class TestAccrue:
    def test_points_become_a_lot(self) -> None:
        change = movements.accrue(EMPTY, 10, lot=LATER)
        assert change == Change({Account.AVAILABLE: 10, Account.ISSUED: -10}, {LATER: 10})
        assert after(EMPTY, change) == wallet({LATER: 10})

    def test_points_of_one_month_share_a_lot(self) -> None:
        before = wallet({LATER: 5})
        assert after(before, movements.accrue(before, 10, lot=LATER)) == wallet({LATER: 15})

    def test_no_points_change_nothing(self) -> None:
        assert movements.accrue(EMPTY, 0, lot=LATER) == Change()
        assert movements.accrue(EMPTY, 0, lot=LATER, matures_on=DAY) == Change()

    def test_points_in_a_return_window_wait_in_their_bucket(self) -> None:
        change = movements.accrue(EMPTY, 10, lot=LATER, matures_on=DAY)
        assert change == Change({Account.PENDING: 10, Account.ISSUED: -10}, {}, {WAITING: 10})
        assert after(EMPTY, change) == wallet(maturing={WAITING: 10})

    def test_points_of_one_day_share_a_bucket(self) -> None:
        before = wallet(maturing={WAITING: 10})
        change = movements.accrue(before, 5, lot=LATER, matures_on=DAY)
        assert after(before, change) == wallet(maturing={WAITING: 15})

    def test_pending_points_pay_no_debt_yet(self) -> None:
        before = wallet(debt=30)
        change = movements.accrue(before, 10, lot=LATER, matures_on=DAY)
        assert after(before, change) == wallet(debt=30, maturing={WAITING: 10})

    @pytest.mark.parametrize(
        ("negative", "debt", "earned", "left"),
        [
            (30, 0, 10, wallet(negative=20)),
            (30, 0, 30, wallet()),
            (30, 0, 40, wallet({LATER: 10})),
            (0, 30, 10, wallet(debt=20)),
            (0, 30, 30, wallet()),
            (0, 30, 40, wallet({LATER: 10})),
            (30, 20, 10, wallet(negative=20, debt=20)),
            (30, 20, 30, wallet(debt=20)),
            (30, 20, 40, wallet(debt=10)),
            (30, 20, 50, wallet()),
            (30, 20, 51, wallet({LATER: 1})),
        ],
    )
    def test_what_is_owed_is_paid_first_a_balance_below_zero_before_a_debt(
        self, negative: int, debt: int, earned: int, left: Wallet
    ) -> None:
        before = wallet(negative=negative, debt=debt)
        change = movements.accrue(before, earned, lot=LATER)
        assert after(before, change) == left
        assert change.postings[Account.ISSUED] == -earned
        assert sum(change.postings.values()) == 0

    @pytest.mark.parametrize("matures_on", [None, DAY])
    def test_fewer_than_no_points_are_never_earned(self, matures_on: date | None) -> None:
        with pytest.raises(AssertionError, match="fewer than no points"):
            movements.accrue(wallet({LATER: 10}), -5, lot=LATER, matures_on=matures_on)


class TestBuckets:
    @pytest.mark.parametrize("lot", [LATER, NEVER])
    def test_a_bucket_names_its_day_and_its_lot(self, lot: str) -> None:
        assert movements.bucket(DAY, lot) == f"2026-03-29/{lot}"
        assert movements.parse_bucket(movements.bucket(DAY, lot)) == ("2026-03-29", lot)


class TestMature:
    def test_a_whole_bucket_becomes_its_lot(self) -> None:
        before = wallet({LATER: 1}, maturing={WAITING: 10, f"2026-04-02/{LATER}": 5})
        change = movements.mature(before, WAITING)
        assert change == Change({Account.PENDING: -10, Account.AVAILABLE: 10}, {LATER: 10}, {WAITING: -10})
        assert after(before, change) == wallet({LATER: 11}, maturing={f"2026-04-02/{LATER}": 5})

    @pytest.mark.parametrize(
        ("negative", "debt", "left"),
        [
            (4, 0, wallet({LATER: 6})),
            (0, 4, wallet({LATER: 6})),
            (4, 7, wallet(debt=1)),
            (12, 7, wallet(negative=2, debt=7)),
        ],
    )
    def test_what_is_owed_is_paid_first(self, negative: int, debt: int, left: Wallet) -> None:
        before = wallet(negative=negative, debt=debt, maturing={WAITING: 10})
        assert after(before, movements.mature(before, WAITING)) == left


class TestExpire:
    def test_a_lot_goes_whole(self) -> None:
        before = wallet({PAST: 5, SOON: 7})
        change = movements.expire(before, PAST)
        assert change == Change({Account.AVAILABLE: -5, Account.EXPIRED: 5}, {PAST: -5})
        assert after(before, change) == wallet({SOON: 7})


class TestRenew:
    def test_all_that_would_expire_sooner_moves(self) -> None:
        before = wallet({SOON: 5, LATER: 7, LAST: 1, NEVER: 2})
        change = movements.renew(before, LAST)
        assert change == Change(lots={SOON: -5, LATER: -7, LAST: 12})
        assert after(before, change) == wallet({LAST: 13, NEVER: 2})

    @pytest.mark.parametrize(
        "before", [EMPTY, wallet({LATER: 5}), wallet({LAST: 5}), wallet(negative=5), wallet(debt=5)]
    )
    def test_there_may_be_nothing_to_renew(self, before: Wallet) -> None:
        assert movements.renew(before, LATER) is None


class TestSpend:
    @pytest.mark.parametrize("to", [Account.HELD, Account.TRANSFERRED, Account.ADJUSTED])
    def test_it_takes_the_first_to_expire(self, to: Account) -> None:
        before = wallet({LAST: 5, SOON: 4, LATER: 2, NEVER: 9})
        change = movements.spend(before, 7, to)
        assert change == Change({Account.AVAILABLE: -7, to: 7}, {SOON: -4, LATER: -2, LAST: -1})
        assert after(before, change).lots == {LAST: 4, NEVER: 9}

    def test_every_point_may_be_spent(self) -> None:
        before = wallet({SOON: 4})
        assert after(before, movements.spend(before, 4, Account.HELD)) == wallet(held=4)

    def test_no_points_may_be_spent(self) -> None:
        assert movements.spend(wallet({SOON: 4}), 0, Account.HELD) == Change()

    @pytest.mark.parametrize(
        ("before", "can"),
        [
            (EMPTY, 0),
            (wallet({SOON: 4}), 4),
            (wallet({SOON: 4}, held=100), 4),
            (wallet({SOON: 4}, maturing={WAITING: 100}), 4),
            (wallet(negative=100), 0),
            (wallet(debt=100), 0),
        ],
    )
    def test_held_pending_and_owed_points_are_not_spendable(self, before: Wallet, can: int) -> None:
        with pytest.raises(InsufficientPoints) as refusal:
            movements.spend(before, 5, Account.HELD)
        assert f"needs 5 points; {can} can be spent" in refusal.value.detail

    @pytest.mark.parametrize("points", [-1, -50])
    def test_fewer_than_no_points_are_never_spent(self, points: int) -> None:
        with pytest.raises(AssertionError, match="fewer than no points"):
            movements.spend(wallet({SOON: 4}, held=50), points, Account.HELD)


class TestCredit:
    def test_points_come_in_by_lot(self) -> None:
        change = movements.credit(wallet({SOON: 1}), Account.TRANSFERRED, {SOON: 4, LATER: 2})
        assert change == Change({Account.TRANSFERRED: -6, Account.AVAILABLE: 6}, {SOON: 4, LATER: 2})

    @pytest.mark.parametrize(
        ("owed", "lots"), [(3, {SOON: 1, LATER: 2}), (4, {LATER: 2}), (5, {LATER: 1}), (6, {}), (9, {})]
    )
    def test_what_is_owed_is_paid_by_the_first_to_expire(self, owed: int, lots: dict[str, int]) -> None:
        before = wallet(debt=owed)
        change = movements.credit(before, Account.ADJUSTED, {LATER: 2, SOON: 4})
        assert change.lots == lots
        assert change.postings.get(Account.DEBT) == min(owed, 6)
        assert after(before, change).debt == max(0, owed - 6)

    def test_a_lot_of_fewer_than_no_points_never_comes_in(self) -> None:
        with pytest.raises(AssertionError, match="fewer than no points"):
            movements.credit(wallet({SOON: 9}), Account.ADJUSTED, {SOON: -1, LATER: 5})


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2026-02-01", "2026-02-28"),
        ("2028-02-29", "2028-02-29"),
        ("2100-02-01", "2100-02-28"),
        ("2026-12-31", "2026-12-31"),
    ],
)
def test_months_end_on_their_last_day(day: str, last: str) -> None:
    assert movements.end_of_month(date.fromisoformat(day)).isoformat() == last
