"""Recalculating many members: after a version with other thresholds, and the first that ends tiers."""

from datetime import date
from typing import Any

import pytest

from loyalty.core.table import Table
from loyalty.programs.model import Program
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.grants import Asked, TierGrants
from loyalty.tiers.runs import TierRun
from loyalty.walking.runs import Walked
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.climbers import CHEAPER, Climbers, of_shard
from tests.ledgerkit.interleaving import interrupted
from tests.ledgerkit.ladders import TIERS, laddered
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

MEMBERS = ("mbr_a", "mbr_b", "mbr_c")


@pytest.fixture
def world(table: Table) -> World:
    """A has 600 points, B 100, C none; it is the 15th of March, and no tier ever ends."""
    world = World(table, of=program(tiers=TIERS)).enroll(*MEMBERS)
    world.accrue("R-1", "600", member="mbr_a")
    world.recalculate("R-1", member="mbr_a")
    world.accrue("R-2", "100", member="mbr_b")
    return world


def run(world: World, of: Program, name: str = "1", **more: Any) -> Walked:
    world.program = of
    return Recalculation(world.table, world.clock, workers=1).many(of, TierRun("acme", name, **more))


def tiers(world: World) -> list[str]:
    return [world.now(member).tier for member in MEMBERS]


def test_lower_thresholds_raise_who_reaches_them_now(world: World) -> None:
    cheaper = program(version=2, tiers=[TIERS[0], {**TIERS[1], "threshold": 100}, TIERS[2]])
    assert tiers(world) == ["silver", "bronze", "bronze"]
    assert run(world, cheaper) == Walked(members=3, changed=1)
    assert tiers(world) == ["silver", "silver", "bronze"]
    before = world.dump()
    assert run(world, cheaper, "2") == Walked(members=3, changed=0)
    noted = {key for key in world.dump() if key[0] == "P#acme"}
    assert {key: raw for key, raw in world.dump().items() if key not in noted} == {
        key: raw for key, raw in before.items() if key not in noted
    }


def test_the_first_version_that_ends_tiers_says_until_when(world: World) -> None:
    ending = laddered(version=2)
    world.clock.set("2027-05-01T12:00:00Z")
    assert run(world, ending) == Walked(members=3, changed=1)
    standing = world.now("mbr_a").standings["status"]
    # What was earned in 2026 counts through 2027.
    assert (standing.tier, str(standing.valid_until), standing.kept) == ("silver", "2027-12-31", False)
    world.clock.set("2028-01-01T00:00:00Z")
    assert tiers(world) == ["bronze", "bronze", "bronze"]


def test_a_tier_that_nothing_earns_any_more_is_kept_through_the_running_period(world: World) -> None:
    world.clock.set("2028-05-01T12:00:00Z")
    run(world, laddered(version=2, downgrade={"after_reversal": "at_once"}))
    standing = world.now("mbr_a").standings["status"]
    assert (standing.tier, str(standing.valid_until), standing.kept) == ("silver", "2028-12-31", True)
    world.refund("F-1", "R-1", everything=True, member="mbr_a")
    world.recalculate("F-1", member="mbr_a")
    assert tiers(world)[0] == "silver"
    world.clock.set("2029-01-01T00:00:00Z")
    assert tiers(world)[0] == "bronze"


def test_a_tier_of_a_further_ladder_or_beneath_a_grant_begins_to_end_like_any_other(table: Table) -> None:
    club = {"id": "club", "name": "Club", "tiers": TIERS}
    world = World(table, of=program(tiers=TIERS, ladders=[club])).enroll(*MEMBERS)
    world.accrue("R-1", "600", member="mbr_a")
    world.recalculate("R-1", member="mbr_a")
    asked = Asked("status", "goodwill", "staff-1", "app", "T-1")
    TierGrants(world.ledger).grant(world.program, "mbr_a", asked, tier="gold", until=date(2026, 3, 20))
    world.clock.set("2026-05-01T12:00:00Z")
    run(world, laddered(version=2, ladders=[{**club, "downgrade": {"by": "achievement"}}]))
    standings = world.now("mbr_a").standings
    assert {name: (one.tier, str(one.valid_until)) for name, one in standings.items()} == {
        "status": ("silver", "2027-12-31"),
        "club": ("silver", "2027-12-31"),
    }
    world.clock.set("2028-01-01T00:00:00Z")
    assert [one.tier for one in world.now("mbr_a").standings.values()] == ["bronze", "bronze"]


def test_nobody_is_lowered_where_thresholds_rise_but_by_a_refund(world: World) -> None:
    dearer = [TIERS[0], {**TIERS[1], "threshold": 900}, TIERS[2]]
    run(world, laddered(version=2, downgrade={"after_reversal": "at_once"}))
    assert run(world, laddered(version=3, tiers=dearer, downgrade={"after_reversal": "at_once"}), "run:2").changed == 0
    assert tiers(world)[0] == "silver"
    world.refund("F-1", "R-1", "1", member="mbr_a")
    world.tiers.recalculate(world.program, "mbr_a", cause="reversal:pos:F-1", posted_at=world.clock())
    assert tiers(world)[0] == "bronze"


def test_those_on_a_tier_alone(world: World) -> None:
    assert run(world, laddered(version=2), "1", tier="silver") == Walked(members=1, changed=1)
    assert run(world, laddered(version=2), "2", tier="gold") == Walked()


def test_whoever_cannot_be_recalculated_is_named_and_passed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Recalculation.one

    def one(self: Recalculation, program: Program, member_id: str, run: TierRun) -> bool:
        if member_id == "mbr_a":
            raise RuntimeError("nora@example.com")
        return plain(self, program, member_id, run)

    monkeypatch.setattr(Recalculation, "one", one)
    done = run(world, laddered(version=2))
    assert (done.members, done.failed, done.failures) == (3, 1, (("mbr_a", "RuntimeError"),))


def test_a_member_who_stands_where_they_should_is_one_read(world: World) -> None:
    with recorded(world.table.client) as calls:
        assert not Recalculation(world.table, world.clock).one(world.program, "mbr_c", TierRun("acme", "1"))
    assert calls.names == ["GetItem"]


def test_an_execution_that_is_behind_another_one_does_not_put_it_back(table: Table) -> None:
    """It finds out when it writes down its first page, and goes on from where the other is."""
    members = of_shard(4, 3)
    climbers = Climbers(table)
    climbers.world.enroll(*members)
    one = TierRun("acme", "x")
    other = climbers.service(page=1)
    with recorded(table.client) as calls, interrupted(table.client, lambda: other.shard(CHEAPER, one, 4)):
        at = climbers.service(page=1).shard(CHEAPER, one, 4)
    assert (at.members, at.done) == (3, True)
    assert climbers.checkpoints()[4] == at
    # Each reads the checkpoint; the other all wallets, this one the first, and the checkpoint again.
    assert calls.names.count("GetItem") == 2 + 3 + 1 + 1


def test_a_run_keeps_the_names_of_the_first_twenty_of_a_shard(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr(Recalculation, "one", broken)
    members = of_shard(4, 25)
    climbers = Climbers(table)
    climbers.world.enroll(*members)
    done = climbers.service(page=5, tolerated=100).many(CHEAPER, TierRun("acme", "x"))
    assert (done.members, done.failed, done.unfinished) == (25, 25, ())
    assert done.failures == tuple((member, "RuntimeError") for member in members[:20])
