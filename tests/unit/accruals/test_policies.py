"""What a reversal does about points that are spent, held or owed: each policy by hand-computed numbers."""

import pytest

from loyalty.core.errors import ReversalRefused
from loyalty.core.table import Table
from loyalty.ledger.model import Account
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World
from tests.unit.accruals.rules import CASHBACK, pending, rule


def spent(table: Table, policy: str, reward: int = 1) -> World:
    """100 points earned; 50, or 100, of them spent."""
    world = World(table, of=program(reversal=policy)).enroll()
    world.accrue("R-1", "100")
    world.capture(world.hold("k", "coffee", reward)[0].redemption_id)
    return world


class TestAllowNegative:
    def test_the_balance_goes_below_zero_and_later_points_bring_it_up(self, table: Table) -> None:
        world = spent(table, "allow_negative")
        entry = world.refund("F-1", "R-1", "80").entry
        assert entry.movement.change().postings == {Account.AVAILABLE: -80, Account.ISSUED: 80}
        assert entry.movement.change().lots == {"2027-03-31": -50}
        assert (world.wallet().available, world.wallet().lots, world.wallet().debt) == (-30, {}, 0)
        world.accrue("R-2", "40")
        assert world.proven().lots == {"2027-03-31": 10}

    def test_pending_points_bring_it_up_when_they_mature(self, table: Table) -> None:
        world = spent(table, "allow_negative", 2)
        world.refund("F-1", "R-1", "100")
        later = World(table, of=pending(7), clock=world.clock)
        later.accrue("R-2", "130")
        assert (later.wallet().available, later.wallet().pending) == (-100, 130)
        later.clock.advance(days=7)
        later.settle()
        assert later.proven().lots == {"2027-03-31": 30}
        # The part that brought the balance up is gone: what is taken back now is owed again.
        later.refund("F-2", "R-2", "50")
        assert later.proven().available == -20


class TestClampWithDebt:
    def test_the_balance_stops_at_zero_and_the_rest_is_owed(self, table: Table) -> None:
        world = spent(table, "clamp_with_debt")
        entry = world.refund("F-1", "R-1", "80").entry
        assert entry.movement.change().postings == {Account.AVAILABLE: -50, Account.DEBT: -30, Account.ISSUED: 80}
        assert (world.wallet().available, world.wallet().debt) == (0, 30)
        assert (entry.balances.available, entry.balances.debt) == (0, 30)
        world.accrue("R-2", "20")
        assert (world.wallet().available, world.wallet().debt, world.wallet().lots) == (0, 10, {})
        world.accrue("R-3", "15")
        assert (world.proven().available, world.wallet().debt, world.wallet().lots) == (5, 0, {"2027-03-31": 5})

    def test_a_debt_adds_up_and_is_paid_by_released_points_too(self, table: Table) -> None:
        world = World(table, of=program(reversal="clamp_with_debt")).enroll()
        world.accrue("R-1", "100")
        redemption, _ = world.hold("k", "coffee", 2)
        world.refund("F-1", "R-1", "40")
        world.refund("F-2", "R-1", "20")
        assert (world.wallet().available, world.wallet().held, world.wallet().debt) == (0, 100, 60)
        world.release(redemption.redemption_id)
        assert (world.proven().available, world.wallet().debt, world.wallet().held) == (40, 0, 0)


class TestRefuse:
    def test_it_is_refused_by_name_and_nothing_is_written(self, table: Table) -> None:
        world = spent(table, "refuse")
        before = world.dump()
        with pytest.raises(ReversalRefused):
            world.refund("F-1", "R-1", "51")
        with pytest.raises(ReversalRefused):
            world.refund("F-1", "R-1", everything=True)
        assert world.dump() == before
        assert world.refund("F-1", "R-1", "50").entry.points == -50
        assert world.proven().available == 0

    def test_other_points_stand_in_for_spent_ones(self, table: Table) -> None:
        world = spent(table, "refuse", 2)
        world.accrue("R-2", "60")
        assert world.refund("F-1", "R-1", "60").entry.movement.change().lots == {"2027-03-31": -60}
        with pytest.raises(ReversalRefused):
            world.refund("F-2", "R-1", "40")
        assert world.proven().available == 0

    def test_one_wallet_that_cannot_keeps_the_other_as_it_is(self, table: Table) -> None:
        """100 points and 500 cents; all points are spent."""
        of = program(
            reversal="refuse", earn_rules=[rule(), rule(points=5, wallet="cashback")], wallets=[CASHBACK]
        )  # fmt: skip
        world = World(table, of=of).enroll()
        world.accrue("R-1", "100")
        world.capture(world.hold("k", "coffee", 2)[0].redemption_id)
        before = world.dump()
        with pytest.raises(ReversalRefused):
            world.refund("F-1", "R-1", "10")
        assert world.dump() == before

    def test_pending_points_are_never_refused(self, table: Table) -> None:
        world = World(table, of=pending(14, reversal="refuse")).enroll()
        world.accrue("R-1", "100")
        assert world.refund("F-1", "R-1", everything=True).entry.points == 0
        assert world.proven().pending == 0


def test_held_points_are_spent_points_until_they_come_back(table: Table) -> None:
    world = World(table, of=program()).enroll()
    world.accrue("R-1", "100")
    redemption, _ = world.hold("k", "coffee", 2)
    world.refund("F-1", "R-1", "100")
    assert (world.wallet().available, world.wallet().held) == (-100, 100)
    world.release(redemption.redemption_id)
    assert (world.proven().available, world.wallet().lots) == (0, {})


def test_the_policy_of_the_day_of_the_accrual_holds(table: Table) -> None:
    world = spent(table, "refuse")
    lenient = World(table, of=program(version=2, reversal="allow_negative"), clock=world.clock)
    with pytest.raises(ReversalRefused):
        lenient.refund("F-1", "R-1", "80")
    lenient.accrue("R-2", "10")
    lenient.capture(lenient.hold("k-2", "ten", 6)[0].redemption_id)
    strict = World(table, of=program(version=3, reversal="refuse"), clock=world.clock)
    assert strict.refund("F-2", "R-2", "10").entry.balances.available == -10
    strict.proven()


def test_points_go_from_their_own_lot_first_and_then_first_to_expire(table: Table) -> None:
    world = World(table).enroll()
    world.accrue("R-1", "30")
    world.clock.set("2026-04-15")
    world.accrue("R-2", "30")
    world.clock.set("2026-05-15")
    world.accrue("R-3", "30")
    world.hold("k", "ten", 4)  # all of R-1, ten of R-2
    assert world.refund("F-3", "R-3", "10").entry.movement.change().lots == {"2027-05-31": -10}
    assert world.refund("F-1", "R-1", "25").entry.movement.change().lots == {"2027-04-30": -20, "2027-05-31": -5}
    assert world.proven().lots == {"2027-05-31": 15}
