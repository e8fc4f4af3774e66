"""One activity earns in several wallets, at once or after a return window, and may renew what was there."""

import pytest

from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World
from tests.unit.accruals.rules import CASHBACK, INACTIVITY, pending, rule


@pytest.fixture
def several(table: Table) -> World:
    """One point and five cents of cashback per EUR."""
    of = program(earn_rules=[rule(), rule(points=5, wallet="cashback")], wallets=[CASHBACK])
    return World(table, of=of).enroll()


def test_one_entry_earns_in_every_wallet_that_has_a_rule(several: World) -> None:
    entry = several.accrue("R-1", "100").entry
    assert entry.facts.rules == {"points": "purchase-points", "cashback": "purchase-cashback"}
    assert {name: balances.available for name, balances in entry.after.items()} == {"points": 100, "cashback": 500}
    assert several.wallet().lots == {"2027-03-31": 100}
    assert several.wallet(wallet="cashback").lots == {"9999-12-31": 500}
    assert several.book().qualifying == {"2026": 100}
    assert several.proven().available == 100


def test_a_reversal_takes_its_part_from_every_wallet(several: World) -> None:
    several.accrue("R-1", "100")
    entry = several.refund("F-1", "R-1", "33.33").entry
    assert {name: change.points for name, change in entry.movement.changes.items()} == {"points": -33, "cashback": -166}
    several.refund("F-2", "R-1", everything=True)
    assert (several.proven().available, several.wallet(wallet="cashback").available) == (0, 0)
    assert several.book().qualifying == {"2026": 0}


def test_what_earns_cashback_alone_does_not_count_towards_tiers(table: Table) -> None:
    of = program(earn_rules=[rule(points=5, wallet="cashback")], wallets=[CASHBACK])
    world = World(table, of=of).enroll()
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "100")
    assert (world.book().qualifying, world.wallet(wallet="cashback").available) == ({}, 0)
    assert world.proven().available == 0


def test_points_of_a_return_window_are_pending_then_spendable_by_themselves(table: Table) -> None:
    world = World(table, of=pending(14)).enroll()
    entry = world.accrue("R-1", "100").entry
    assert (entry.balances.available, entry.balances.pending) == (0, 100)
    assert entry.movement.change().postings == {Account.ISSUED: -100, Account.PENDING: 100}
    assert world.wallet().maturing == {"2026-03-29/2027-03-31": 100}
    assert world.book().qualifying == {"2026": 100}
    world.clock.set("2026-03-28T23:59:59.999Z")
    assert (world.now().wallet().available, world.now().wallet().pending) == (0, 100)
    world.clock.set("2026-03-29T00:00:00Z")
    assert (world.now().wallet().available, world.now().wallet().pending) == (100, 0)
    world.settle()
    assert world.proven().lots == {"2027-03-31": 100}


def test_pending_points_live_from_the_day_on_which_they_may_be_spent(table: Table) -> None:
    """One month and a window of 90 days: counted from the posting, they would mature expired."""
    world = World(table, of=pending(90, expiry={"policy": "rolling", "months": 1})).enroll()
    world.accrue("R-1", "100")
    assert world.wallet().maturing == {"2026-06-13/2026-07-31": 100}
    world.clock.set("2026-07-31T12:00:00Z")
    assert world.now().wallet().available == 100


def test_a_reversal_within_the_window_takes_the_pending_points(table: Table) -> None:
    world = World(table, of=pending(14)).enroll()
    world.accrue("R-1", "100")
    world.accrue("R-2", "50")
    entry = world.refund("F-1", "R-1", "40").entry
    assert entry.movement.change().postings == {Account.PENDING: -40, Account.ISSUED: 40}
    assert (world.wallet().pending, world.wallet().available) == (110, 0)
    world.refund("F-2", "R-1", "60")
    assert world.wallet().maturing == {"2026-03-29/2027-03-31": 50}
    assert world.book().qualifying == {"2026": 50}
    world.clock.set("2026-03-29T12:00:00Z")
    assert world.now().wallet().available == 50
    world.proven()


def test_a_reversal_after_the_window_takes_the_points_where_they_went(table: Table) -> None:
    world = World(table, of=pending(14)).enroll()
    world.accrue("R-1", "100")
    world.clock.set("2026-04-10T12:00:00Z")
    entry = world.refund("F-1", "R-1", "40").entry
    assert [one.key.kind for one in world.entries()] == [EntryKind.ACCRUAL, EntryKind.MATURITY, EntryKind.REVERSAL]
    assert entry.movement.change().lots == {"2027-03-31": -40}
    assert world.proven().available == 60


def test_a_window_of_one_wallet_leaves_the_other_spendable(table: Table) -> None:
    of = program(earn_rules=[rule(), rule(points=5, wallet="cashback", days=30)], wallets=[CASHBACK])
    world = World(table, of=of).enroll()
    world.accrue("R-1", "10")
    assert (world.wallet().available, world.wallet(wallet="cashback").pending) == (10, 50)
    world.refund("F-1", "R-1", "5")
    assert (world.wallet().available, world.wallet(wallet="cashback").pending) == (5, 25)
    world.proven()


def test_activity_renews_the_whole_balance_where_it_expires_by_inactivity(table: Table) -> None:
    world = World(table, of=program(earn_rules=[rule()], expiry=INACTIVITY)).enroll()
    world.accrue("R-1", "100")
    world.clock.set("2026-05-02T12:00:00Z")
    entry = world.accrue("R-2", "30").entry
    assert entry.movement.change().lots == {"2026-11-30": 30}
    assert [one.key.kind for one in world.entries()] == [EntryKind.ACCRUAL, EntryKind.ACCRUAL, EntryKind.RENEWAL]
    assert world.proven().lots == {"2026-11-30": 130}
    # A purchase that earns nothing is activity too.
    world.clock.set("2026-07-02T12:00:00Z")
    world.accrue("R-3", "0.10")
    assert world.proven().lots == {"2027-01-31": 130}


def test_pending_points_renew_by_the_day_of_the_purchase(table: Table) -> None:
    world = World(table, of=pending(60, expiry=INACTIVITY)).enroll()
    world.accrue("R-1", "100")
    world.clock.set("2026-06-02T12:00:00Z")
    world.accrue("R-2", "30")
    assert world.wallet().lots == {"2026-12-31": 100}
    assert world.wallet().maturing == {"2026-08-01/2027-02-28": 30}
    world.proven()
