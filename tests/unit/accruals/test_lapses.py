"""Points that expired before their purchase was given back are not taken twice."""

import pytest

from loyalty.core.errors import ReversalRefused
from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind
from loyalty.programs.model import Program
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, World
from tests.unit.accruals.rules import CASHBACK, INACTIVITY, merge, pending, rule

LATER = "2027-04-02T12:00:00Z"
"""Two days after points of March 2026 expired."""


def lapsed(world: World, wallet: str = "points", lot: str = "2027-03-31", member: str = MEMBER) -> int | None:
    raw = world.dump().get((f"M#acme#{member}", f"LAPSED#{wallet}#{lot}"))
    return int(raw["points"]["N"]) if raw else None


@pytest.mark.parametrize("swept", [True, False])
def test_what_expired_is_given_back_by_the_program_and_not_by_the_member(world: World, swept: bool) -> None:
    world.accrue("R-1", "100")
    world.clock.set(LATER)
    if swept:
        world.settle()
    entry = world.refund("F-1", "R-1", "40").entry
    assert entry.movement.change().postings == {Account.EXPIRED: -40, Account.ISSUED: 40}
    kinds = [one.key.kind for one in world.entries() if one.key.kind is not EntryKind.WARNING]
    assert kinds == [EntryKind.ACCRUAL, EntryKind.EXPIRY, EntryKind.REVERSAL]
    assert lapsed(world) == 40
    assert world.refund("F-2", "R-1", everything=True).entry.points == 0
    assert lapsed(world) == 100
    assert world.proven().available == 0
    assert world.book().qualifying == {"2026": 0}


def test_what_was_spent_before_the_rest_expired_is_owed(world: World) -> None:
    """Of 100, 60 are spent and 40 expire. Whoever gives back 70 gets those 40 first, and owes 30."""
    world.accrue("R-1", "100")
    world.capture(world.hold("k", "ten", 6)[0].redemption_id)
    world.clock.set(LATER)
    entry = world.refund("F-1", "R-1", "70").entry
    assert entry.movement.change().postings == {Account.AVAILABLE: -30, Account.EXPIRED: -40, Account.ISSUED: 70}
    assert world.refund("F-2", "R-1", "30").entry.points == -30
    assert (lapsed(world), world.proven().available) == (40, -60)


def test_two_accruals_of_one_lot_share_what_expired_of_it(world: World) -> None:
    """200 of one month, 60 spent, 140 expired: the first takes 100 of these, the second the 40 that are left."""
    world.accrue("R-1", "100")
    world.accrue("R-2", "100")
    world.capture(world.hold("k", "ten", 6)[0].redemption_id)
    world.clock.set(LATER)
    assert world.refund("F-1", "R-1", everything=True).entry.points == 0
    assert world.refund("F-2", "R-2", everything=True).entry.points == -60
    assert (lapsed(world), world.proven().available) == (140, -60)


def test_what_was_taken_back_in_time_did_not_expire(world: World) -> None:
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "30")
    world.clock.set(LATER)
    assert world.refund("F-2", "R-1", "70").entry.points == 0
    assert (lapsed(world), world.proven().available) == (70, 0)


def test_points_that_paid_a_debt_did_not_expire(world: World) -> None:
    """40 are owed when 100 come: 60 go into the lot and expire; 40 more are the member's to give back."""
    world.accrue("R-0", "40")
    world.capture(world.hold("k", "ten", 4)[0].redemption_id)
    world.refund("F-0", "R-0", "40")
    assert world.wallet().available == -40
    world.clock.set("2026-04-15")
    world.accrue("R-1", "100")
    world.accrue("R-2", "100")
    world.clock.set("2027-05-02")
    assert world.refund("F-1", "R-1", "50").entry.points == 0
    assert world.refund("F-2", "R-1", "50").entry.points == -40
    assert world.refund("F-3", "R-2", everything=True).entry.points == 0
    assert (lapsed(world, lot="2027-04-30"), world.proven().available) == (160, -40)


def indebted(table: Table, *, reversal: str = "allow_negative", points: int = 100, days: int = 0) -> World:
    """A member who owes points of 1 March; purchases are pending for so many days, reviews are not.

    What is earned until the end of March, or matures until then, expires with April.
    """
    rules = [rule(days=days), rule(activity="review")]
    of = program(earn_rules=rules, reversal=reversal, expiry={"policy": "rolling", "months": 1, "warn_days": []})
    world = World(table, of=of, clock=SettableClock(at("2026-03-01T12:00:00Z"))).enroll()
    world.accrue("R-0", "100", activity="review")
    world.capture(world.hold("k", "coffee", 2)[0].redemption_id)
    world.refund("F-0", "R-0", str(points))
    assert world.wallet().available - world.wallet().debt == -points
    return world


@pytest.mark.parametrize("days", [0, 10])
@pytest.mark.parametrize("reversal", ["allow_negative", "clamp_with_debt"])
def test_points_that_paid_a_debt_as_they_matured_did_not_expire(table: Table, reversal: str, days: int) -> None:
    """Whether they were pending first makes no difference: what expired is another purchase's."""
    world = indebted(table, reversal=reversal, days=days)
    world.accrue("R-1", "100")
    world.clock.set("2026-03-12")
    world.accrue("R-2", "100", activity="review")
    world.clock.set("2026-05-05")
    world.refund("F-1", "R-1", everything=True)
    wallet = world.proven()
    assert wallet.available - wallet.debt == -100
    assert lapsed(world, lot="2026-04-30") is None
    assert world.refund("F-2", "R-2", everything=True).entry.points == 0
    assert lapsed(world, lot="2026-04-30") == 100


def test_what_matured_together_put_in_together_what_paid_no_debt(table: Table) -> None:
    """Of 140 that mature on one day 40 pay a debt, and 100 expire."""
    world = indebted(table, points=40, days=10)
    world.accrue("R-1", "60")
    world.accrue("R-2", "80")
    world.clock.set("2026-05-05")
    assert world.refund("F-1", "R-1", everything=True).entry.points == 0
    assert world.refund("F-2", "R-2", "30").entry.points == 0
    assert world.refund("F-3", "R-2", "50").entry.points == -40
    assert (lapsed(world, lot="2026-04-30"), world.proven().available) == (100, -40)


def test_no_purchase_put_in_more_than_matured_into_the_lot(table: Table) -> None:
    """80 are owed when 100 mature: with those of another purchase, 120 expire, of which 20 are the first one's."""
    world = indebted(table, points=80, days=10)
    world.accrue("R-1", "100")
    world.clock.set("2026-03-12")
    world.accrue("R-2", "100", activity="review")
    world.clock.set("2026-05-05")
    assert world.refund("F-1", "R-1", "15").entry.points == 0
    assert world.refund("F-2", "R-1", "85").entry.points == -80
    assert world.refund("F-3", "R-2", everything=True).entry.points == 0
    assert (lapsed(world, lot="2026-04-30"), world.proven().available) == (120, -80)


def test_what_was_given_back_while_it_was_pending_was_never_put_in(table: Table) -> None:
    world = indebted(table, points=40, days=10)
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "30")
    world.clock.set("2026-05-05")
    assert world.refund("F-2", "R-1", "30").entry.points == 0
    assert world.refund("F-3", "R-1", "40").entry.points == -40
    assert (lapsed(world, lot="2026-04-30"), world.proven().available) == (30, -40)


def test_points_that_were_pending_first_expire_as_well(table: Table) -> None:
    world = World(table, of=pending(20)).enroll()
    world.accrue("R-1", "100")
    assert world.wallet().maturing == {"2026-04-04/2027-04-30": 100}
    world.clock.set("2027-05-02")
    assert world.refund("F-1", "R-1", "60").entry.points == 0
    assert (lapsed(world, lot="2027-04-30"), world.proven().available) == (60, 0)


def test_a_lot_that_was_spent_and_never_expired_owes_everything(world: World) -> None:
    world.accrue("R-1", "100")
    world.capture(world.hold("k", "coffee", 2)[0].redemption_id)
    world.clock.set(LATER)
    assert world.refund("F-1", "R-1", "60").entry.points == -60
    assert (lapsed(world), world.proven().available) == (None, -60)


def test_other_live_points_are_left_alone_while_expired_ones_are_there(world: World) -> None:
    world.accrue("R-1", "100")
    world.clock.set("2026-06-15")
    world.accrue("R-2", "50")
    world.clock.set(LATER)
    world.refund("F-1", "R-1", everything=True)
    assert world.proven().lots == {"2027-06-30": 50}


def test_where_reversals_may_be_refused_expired_points_still_count(table: Table) -> None:
    world = World(table, of=program(reversal="refuse")).enroll()
    world.accrue("R-1", "100")
    world.capture(world.hold("k", "ten", 6)[0].redemption_id)
    world.clock.set(LATER)
    world.settle()
    before = world.dump()
    with pytest.raises(ReversalRefused):
        world.refund("F-1", "R-1", "41")
    assert world.dump() == before
    assert world.refund("F-1", "R-1", "40").entry.points == 0
    assert world.proven().available == 0


def test_each_wallet_has_expired_points_of_its_own(table: Table) -> None:
    short = CASHBACK | {"expiry": {"policy": "rolling", "months": 1}}
    of = program(earn_rules=[rule(), rule(points=5, wallet="cashback")], wallets=[short])
    world = World(table, of=of).enroll()
    world.accrue("R-1", "100")
    world.clock.set("2026-05-02")
    entry = world.refund("F-1", "R-1", "50").entry
    assert entry.movement.change().postings == {Account.AVAILABLE: -50, Account.ISSUED: 50}
    assert entry.movement.change("cashback").postings == {Account.EXPIRED: -250, Account.ISSUED: 250}
    assert lapsed(world, "cashback", "2026-04-30") == 250
    world.clock.set(LATER)
    world.refund("F-2", "R-1", "50")
    assert (lapsed(world, "cashback", "2026-04-30"), lapsed(world)) == (500, 50)
    assert world.proven().available == 0


class TestInactivity:
    def test_points_that_lived_on_expired_with_the_lot_that_they_lived_on_in(self, table: Table) -> None:
        """100 of March would expire in September; a purchase of May keeps them until November."""
        world = World(table, of=program(earn_rules=[rule()], expiry=INACTIVITY)).enroll()
        world.accrue("R-1", "100")
        world.clock.set("2026-05-02")
        world.accrue("R-2", "30")
        world.clock.set("2026-12-02")
        assert world.refund("F-1", "R-1", "40").entry.points == 0
        assert lapsed(world, lot="2026-11-30") == 40
        assert world.refund("F-2", "R-1", "60").entry.points == 0
        assert world.refund("F-3", "R-2", "30").entry.points == 0
        assert lapsed(world, lot="2026-11-30") == 130
        assert world.proven().available == 0

    def test_points_that_still_live_are_taken_from_where_they_are(self, table: Table) -> None:
        world = World(table, of=program(earn_rules=[rule()], expiry=INACTIVITY)).enroll()
        world.accrue("R-1", "100")
        for month in ("2026-05-02", "2026-08-02", "2026-11-02"):
            world.clock.set(month)
            world.accrue(f"R-{month}", "10")
        world.clock.set("2026-12-02")
        assert world.refund("F-1", "R-1", "40").entry.movement.change().lots == {"2027-05-31": -40}
        assert world.proven().available == 90

    def test_what_expired_later_belongs_to_later_purchases(self, table: Table) -> None:
        """All of the first purchase was spent; what expired years later is another purchase's."""
        world = World(table, of=program(earn_rules=[rule()], expiry=INACTIVITY)).enroll()
        world.accrue("R-1", "100")
        world.accrue("R-2", "20")
        world.capture(world.hold("k", "coffee", 2)[0].redemption_id)
        world.clock.set("2027-06-02")  # 20 expired in September 2026
        world.accrue("R-3", "300")
        world.clock.set("2028-02-02")
        assert world.refund("F-1", "R-1", "100").entry.points == -80
        assert (lapsed(world, lot="2026-09-30"), lapsed(world, lot="2027-12-31")) == (20, None)
        assert world.proven().available == -80


def test_the_maturity_is_read_with_the_lots(table: Table) -> None:
    world = World(table, of=pending(20)).enroll()
    world.accrue("R-1", "100")
    world.clock.set("2027-05-02")
    world.settle()
    with recorded(world.table.client) as calls:
        assert world.refund("F-1", "R-1", "60").entry.points == 0
    assert calls.names == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]


class TestLaterVersions:
    """What the program says of expiry now is not what it said to the accrual."""

    def version(self, number: int, policy: str) -> Program:
        return program(number, earn_rules=[rule()], expiry={"policy": policy, "months": 1, "warn_days": []})

    def world(self, table: Table, *policies: str) -> World:
        """50 points of January, earned by the first version; something that earns nothing in February, by the second."""
        world = World(table, of=self.version(1, policies[0]), clock=SettableClock(at("2026-01-10T12:00:00Z"))).enroll()
        world.accrue("R-1", "50")
        world.program = self.version(2, policies[1])
        world.clock.set("2026-02-10")
        world.accrue("R-2", "0")
        return world

    def test_points_that_lived_on_expired_though_the_program_renews_none_now(self, table: Table) -> None:
        world = self.world(table, "inactivity", "inactivity")
        assert world.wallet().lots == {"2026-03-31": 50}
        world.program = self.version(3, "rolling")
        world.clock.set("2026-05-10")
        assert world.refund("F-1", "R-1", "30").entry.points == 0
        assert (lapsed(world, lot="2026-03-31"), world.wallet().available) == (30, 0)

    def test_points_that_a_later_version_let_live_on_expired_with_that_lot(self, table: Table) -> None:
        world = self.world(table, "rolling", "inactivity")
        world.clock.set("2026-05-10")
        assert world.refund("F-1", "R-1", "30").entry.points == 0
        assert lapsed(world, lot="2026-03-31") == 30

    def test_where_no_version_renews_a_later_lot_is_another_purchases(self, table: Table) -> None:
        world = self.world(table, "rolling", "rolling")
        world.capture(world.hold("k", "coffee")[0].redemption_id)
        world.accrue("R-3", "70")
        world.clock.set("2026-05-10")
        assert world.refund("F-1", "R-1", "30").entry.points == -30
        assert lapsed(world, lot="2026-03-31") is None

    def test_an_entry_that_does_not_say_is_judged_by_today(self, table: Table) -> None:
        world = self.world(table, "inactivity", "inactivity")
        raw = world.dump()["M#acme#mbr_1", "ENTRY#accrual#pos#R-1"]
        assert raw.pop("renewed") == {"SS": ["points"]}
        table.client.put_item(TableName=table.name, Item=raw)
        world.clock.set("2026-05-10")
        assert world.refund("F-1", "R-1", "30").entry.points == 0
        world.program = self.version(3, "rolling")
        assert world.refund("F-2", "R-1", "20").entry.points == -20

    def test_an_accrual_tells_which_of_its_wallets_activity_renews(self, table: Table) -> None:
        short = CASHBACK | {"expiry": INACTIVITY}
        of = program(earn_rules=[rule(), rule(wallet="cashback"), rule(activity="review")], wallets=[short])
        world = World(table, of=of).enroll()
        assert world.accrue("R-1").entry.facts.renewed == ("cashback",)
        assert world.accrue("R-2", activity="review").entry.facts.renewed == ()
        stored = {sk: "renewed" in raw for (_, sk), raw in world.dump().items() if sk.startswith("ENTRY#accrual")}
        assert stored == {"ENTRY#accrual#pos#R-1": True, "ENTRY#accrual#pos#R-2": False}


def test_it_costs_one_more_read_only_where_the_lot_has_expired(world: World) -> None:
    world.accrue("R-1", "100")
    world.clock.set("2027-03-31T12:00:00Z")
    with recorded(world.table.client) as calls:
        world.refund("F-1", "R-1", "10")
        assert calls.names == ["BatchGetItem", "TransactWriteItems"]
    world.clock.set(LATER)
    world.settle()
    with recorded(world.table.client) as calls:
        world.refund("F-2", "R-1", "10")
    assert calls.names.count("TransactWriteItems") == 1
    assert calls.names.count("BatchGetItem") == 2
    with recorded(world.table.client) as calls:
        assert world.refund("F-2", "R-1", "10").replayed
    assert world.proven().available == 0


class TestMerged:
    @pytest.mark.parametrize(("merged_on", "home"), [("2027-04-02", "mbr_old"), ("2026-06-01", "mbr_1")])
    def test_points_that_expired_before_a_merge_or_after_it(self, world: World, merged_on: str, home: str) -> None:
        world.enroll("mbr_old")
        world.accrue("R-1", "100", member="mbr_old")
        world.clock.set(merged_on)
        merge(world, "mbr_old", MEMBER)
        world.clock.set(LATER)
        assert world.refund("F-1", "R-1", "40", member="mbr_old").entry.points == 0
        assert world.refund("F-2", "R-1", "60").entry.points == 0
        assert lapsed(world, member=home) == 100
        assert world.wallet().available == 0

    @pytest.mark.parametrize("merged_on", ["2026-03-05", "2026-03-20", "2026-05-05"])
    def test_points_that_matured_before_a_merge_or_after_it(self, table: Table, merged_on: str) -> None:
        """100 that mature pay 40 that are owed, of the member themself or of who they are merged into."""
        world = indebted(table, points=40, days=10)
        world.enroll("mbr_new")
        world.accrue("R-1", "100")
        world.accrue("R-2", "70", activity="review", member="mbr_new")
        world.clock.set(merged_on)
        if merged_on < "2026-03-11":
            world.capture(world.hold("all", "ten", 7, member="mbr_new")[0].redemption_id, member="mbr_new")
        merge(world, MEMBER, "mbr_new")
        world.clock.set("2026-05-06")
        assert world.refund("F-1", "R-1", "60", member="mbr_new").entry.points == 0
        assert world.refund("F-2", "R-1", "40", member="mbr_new").entry.points == -40
        home = MEMBER if merged_on > "2026-05" else "mbr_new"
        assert lapsed(world, lot="2026-04-30", member=home) == 60
        assert world.audit() == []
