import pytest

from loyalty.core.errors import MemberNotFound
from loyalty.core.table import Table
from loyalty.ledger.model import EntryKind
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import World


@pytest.mark.parametrize(("amount", "tier"), [("499", None), ("500", "silver"), ("1999", "silver"), ("2000", "gold")])
def test_a_year_s_points_reach_a_tier(world: World, amount: str, tier: str | None) -> None:
    world.accrue("R-1", amount)
    posted = world.recalculate("R-1")
    if tier is None:
        assert posted is None
    else:
        assert posted is not None
        assert (posted.entry.key.kind, posted.entry.points) == (EntryKind.TIER, 0)
        assert (posted.entry.facts.tier_from, posted.entry.movement.tier) == ("bronze", tier)
    world.proven()
    assert world.book().tier == (tier or "bronze")


def test_the_cause_delivered_again_changes_nothing(world: World) -> None:
    world.accrue("R-1", "500")
    world.recalculate("R-1")
    before = world.dump()
    assert world.recalculate("R-1") is None
    assert world.recalculate("another") is None
    assert world.dump() == before


def test_points_spent_still_count_and_points_refunded_do_not(world: World) -> None:
    world.accrue("R-1", "450")
    world.hold("key", "coffee", 9)
    world.accrue("R-2", "40")
    assert world.recalculate("R-2") is None
    world.refund("F-1", "R-1", "10")
    world.accrue("R-3", "15")
    assert world.recalculate("R-3") is None
    world.accrue("R-4", "5")
    assert world.recalculate("R-4") is not None


def test_the_year_is_that_of_the_program_s_zone(table: Table) -> None:
    clock = SettableClock(at("2025-12-31T16:59:59Z"))
    world = World(table, of=program(time_zone="Asia/Jakarta"), clock=clock).enroll()
    world.accrue("R-1", "499")
    world.clock.set("2025-12-31T17:00:00Z")
    world.accrue("R-2", "1")
    assert world.recalculate("R-2") is None
    assert world.book().qualifying == {"2025": 499, "2026": 1}


def test_an_accrual_counts_for_the_year_in_which_it_was_posted_however_late_its_event_comes(world: World) -> None:
    posted_at = world.accrue("R-1", "500").entry.posted_at
    world.clock.set("2027-01-01T00:00:01Z")
    assert world.recalculate("R-0") is None
    posted = world.recalculate("R-1", posted_at=posted_at)
    assert posted is not None
    assert posted.entry.movement.tier == "silver"


def test_nobody_falls(world: World) -> None:
    world.accrue("R-1", "2000")
    world.recalculate("R-1")
    world.refund("F-1", "R-1", "2000")
    assert world.recalculate("F-1") is None
    world.clock.set("2027-02-01")
    assert world.recalculate("later") is None
    assert world.book().tier == "gold"


def test_the_next_accrual_earns_by_the_new_tier(world: World) -> None:
    world.accrue("R-1", "500")
    world.recalculate("R-1")
    assert world.accrue("R-2", "100").entry.points == 125


def test_a_tier_that_the_program_dropped_counts_as_the_first(world: World) -> None:
    world.accrue("R-1", "500")
    world.recalculate("R-1")
    tiers = [BASE["tiers"][0], {**BASE["tiers"][2], "threshold": 400}]
    later = World(world.table, of=program(version=2, tiers=tiers))
    posted = later.recalculate("again")
    assert posted is not None
    assert (posted.entry.facts.tier_from, posted.entry.movement.tier) == ("silver", "gold")
    later.proven()


def test_a_member_that_is_none_is_named(world: World) -> None:
    with pytest.raises(MemberNotFound):
        world.recalculate("R-1", member="mbr_nobody")
