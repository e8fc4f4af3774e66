"""Limits of what one member redeems: what counts, from when, until when, and what is given back."""

from dataclasses import replace
from typing import Any

import pytest

from loyalty.core.errors import RedemptionNotFound
from loyalty.core.table import Table
from loyalty.merging.service import MergeService
from loyalty.rewards.errors import DailyRedemptionLimitExceeded, MemberTooNew, RewardLimitReached
from loyalty.rewards.limits import LIMITS_SK, Taken
from loyalty.rewards.model import Party
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import MEMBER, World

CARD = BASE["rewards"][2]


def mug(*per_member: tuple[str, int], **changes: Any) -> dict[str, Any]:
    limits = [{"per": per, "count": count} for per, count in per_member]
    return {"id": "mug", "name": "Mug", "type": "product", "points": 10, "per_member": limits, **changes}


def world_of(table: Table, *rewards: dict[str, Any], version: int = 1, **limits: Any) -> World:
    return World(table, of=program(version, rewards=[*rewards, CARD], limits={"backdating_days": 36_500, **limits}))


def rich(table: Table, *rewards: dict[str, Any], **limits: Any) -> World:
    world = world_of(table, *rewards, **limits).enroll()
    world.accrue("R-1", "10000")
    return world


def taken(world: World, member: str = MEMBER) -> Taken:
    return Taken.read(world.table.read(f"M#acme#{member}", LIMITS_SK))


# World.clock begins on Sunday, 15 March 2026, noon UTC, which is in the ISO week 11.
@pytest.mark.parametrize(
    ("per", "still", "again"),
    [
        ("day", "2026-03-15T23:59:59Z", "2026-03-16T00:00:00Z"),
        ("week", "2026-03-15T23:59:59Z", "2026-03-16T00:00:00Z"),
        ("month", "2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z"),
        ("year", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_a_limit_counts_in_its_window_and_in_the_next_anew(table: Table, per: str, still: str, again: str) -> None:
    world = rich(table, mug((per, 2)))
    first, _ = world.hold("k-1", "mug", 2)
    world.capture(first.redemption_id)
    world.clock.set(still)
    with pytest.raises(RewardLimitReached, match=r"2 of 'mug' a " + per):
        world.hold("k-2", "mug")
    world.clock.set(again)
    world.hold("k-2", "mug")
    world.proven()


def test_a_limit_for_ever_counts_for_ever(table: Table) -> None:
    world = rich(table, mug(("ever", 1)))
    world.capture(world.hold("k-1", "mug")[0].redemption_id)
    world.clock.advance(days=300)
    with pytest.raises(RewardLimitReached, match="in all"):
        world.hold("k-2", "mug")


def test_a_window_is_of_the_programs_days(table: Table) -> None:
    jakarta = program(rewards=[mug(("day", 1))], time_zone="Asia/Jakarta", limits={"backdating_days": 36_500})
    world = World(table, of=jakarta).enroll()
    world.accrue("R-1", "100")
    world.hold("k-1", "mug")
    world.clock.set("2026-03-15T16:59:59Z")  # 23:59:59 in Jakarta
    with pytest.raises(RewardLimitReached):
        world.hold("k-2", "mug")
    world.clock.set("2026-03-15T17:00:00Z")
    world.hold("k-2", "mug")


def test_of_several_limits_the_narrowest_decides(table: Table) -> None:
    world = rich(table, mug(("day", 1), ("month", 2)))
    for day in (15, 16):
        world.clock.set(f"2026-03-{day}T12:00:00Z")
        world.capture(world.hold(f"k-{day}", "mug")[0].redemption_id)
    world.clock.set("2026-03-17T12:00:00Z")
    with pytest.raises(RewardLimitReached, match="a month"):
        world.hold("k-17", "mug")


def test_another_reward_counts_by_itself(table: Table) -> None:
    world = rich(table, mug(("ever", 1)), mug(("ever", 1), id="cup", name="Cup"))
    world.hold("k-1", "mug")
    world.hold("k-2", "cup")
    with pytest.raises(RewardLimitReached, match="'cup'"):
        world.hold("k-3", "cup")


@pytest.mark.parametrize("end", ["release", "cancel"])
def test_what_is_given_back_counts_no_more(table: Table, end: str) -> None:
    world = rich(table, mug(("ever", 1)))
    held, _ = world.hold("k-1", "mug")
    if end == "cancel":
        world.capture(held.redemption_id)
        with pytest.raises(RewardLimitReached):
            world.hold("k-2", "mug")
    getattr(world, end)(held.redemption_id)
    getattr(world, end)(held.redemption_id)  # again gives nothing more back
    second, _ = world.hold("k-2", "mug")
    with pytest.raises(RewardLimitReached):
        world.hold("k-3", "mug")
    assert taken(world).used == {}
    assert list(taken(world).holds) == [second.redemption_id]
    world.proven()


@pytest.mark.parametrize("settled", [False, True])
def test_a_hold_that_timed_out_counts_no_more_whoever_notices(table: Table, *, settled: bool) -> None:
    world = rich(table, mug(("ever", 1)))
    world.hold("k-1", "mug", hold_minutes=60)
    world.clock.set("2026-03-15T12:59:59.999Z")
    with pytest.raises(RewardLimitReached):
        world.hold("k-2", "mug")
    world.clock.set("2026-03-15T13:00:00Z")
    if settled:
        assert world.settle() == 1
    second, _ = world.hold("k-2", "mug")
    assert list(taken(world).holds) == [second.redemption_id]
    world.proven()


def test_what_was_captured_in_time_counts_after_its_time_out(table: Table) -> None:
    world = rich(table, mug(("ever", 1)))
    held, _ = world.hold("k-1", "mug", hold_minutes=60)
    world.capture(held.redemption_id)
    world.clock.advance(days=2)
    with pytest.raises(RewardLimitReached):
        world.hold("k-2", "mug")
    assert (taken(world).used, taken(world).holds) == ({"reward:mug/ever": 1}, {})


def test_a_gift_card_counts_from_its_hold_and_is_given_back_by_its_release(table: Table) -> None:
    world = World(table, of=program(rewards=[{**CARD, "per_member": [{"per": "ever", "count": 2}]}])).enroll()
    world.accrue("R-1", "1000")
    held, _ = world.hold("k-1", "card", 2)
    world.clock.advance(days=90)
    with pytest.raises(RewardLimitReached):
        world.hold("k-2", "card")
    world.release(held.redemption_id, by=Party.FULFILLMENT)
    second, _ = world.hold("k-2", "card", 2)
    world.capture(second.redemption_id, by=Party.FULFILLMENT)
    assert taken(world).used == {"reward:card/ever": 2}


def test_a_hold_sent_again_is_answered_although_it_used_the_limit_up(table: Table) -> None:
    world = rich(table, mug(("ever", 1)))
    first = world.hold("k-1", "mug")
    before = world.dump()
    assert world.hold("k-1", "mug") == (first[0], True)
    assert world.dump() == before


def test_a_refusal_writes_nothing(table: Table) -> None:
    world = rich(table, mug(("ever", 1)))
    before = world.dump()
    with pytest.raises(RewardLimitReached):
        world.hold("k-1", "mug", 2)
    assert world.dump() == before


def test_redemptions_and_points_of_a_day_are_limited_too(table: Table) -> None:
    world = rich(table, mug(), redemptions_per_day=2, points_per_day=50)
    world.hold("k-1", "mug", 3)
    with pytest.raises(DailyRedemptionLimitExceeded, match="50 points a day"):
        world.hold("k-2", "mug", 3)
    second, _ = world.hold("k-2", "mug", 2)
    with pytest.raises(DailyRedemptionLimitExceeded, match="2 redemptions a day"):
        world.hold("k-3", "mug")
    world.release(second.redemption_id)
    world.hold("k-3", "mug", 2)
    world.clock.set("2026-03-16")
    world.hold("k-4", "mug", 5)
    assert {key for hold in taken(world).holds.values() for key in hold.used} == {
        "program:points/2026-03-15", "program:redemptions/2026-03-15",
        "program:points/2026-03-16", "program:redemptions/2026-03-16",
    }  # fmt: skip


def test_a_new_member_waits(table: Table) -> None:
    world = rich(table, mug(), redeem_after_days=3)
    world.clock.set("2026-03-17T23:59:59Z")
    with pytest.raises(MemberTooNew, match="1 more"):
        world.hold("k-1", "mug")
    world.clock.set("2026-03-18T00:00:00Z")
    world.hold("k-1", "mug")


def test_windows_that_are_over_are_left_out(table: Table) -> None:
    world = rich(table, mug(("day", 5), ("ever", 50)))
    for day in (15, 16, 17):
        world.clock.set(f"2026-03-{day}T12:00:00Z")
        world.capture(world.hold(f"k-{day}", "mug")[0].redemption_id)
    assert taken(world).used == {"reward:mug/2026-03-17": 1, "reward:mug/ever": 3}


def test_a_cancellation_on_a_later_day_gives_back_what_still_counts(table: Table) -> None:
    world = rich(table, mug(("day", 1), ("month", 1)))
    held, _ = world.hold("k-1", "mug")
    world.capture(held.redemption_id)
    world.clock.set("2026-03-16")
    world.cancel(held.redemption_id)
    world.hold("k-2", "mug")
    world.proven()


def test_what_was_held_under_a_limit_is_given_back_though_the_program_has_none_now(table: Table) -> None:
    world = rich(table, mug(("ever", 1)))
    held, _ = world.hold("k-1", "mug")
    world_of(table, mug(), version=2).release(held.redemption_id)
    assert taken(world).holds == {}
    world_of(table, mug(("ever", 1)), version=3).hold("k-2", "mug")


def test_who_was_merged_counts_with_whom_they_were_merged_into(table: Table) -> None:
    world = rich(table, mug(("ever", 2)))
    old, new = "mbr_old", "mbr_new"
    world.enroll(old, new)
    for member in (old, new):
        world.accrue(f"R-{member}", "100", member=member)
        bought, _ = world.hold("k", "mug", member=member)
        world.capture(bought.redemption_id, member=member)
    olds, _ = world.hold("k", "mug", member=old)
    MergeService(world.ledger, world.reversals).merge(world.program, new, absorbed=old, actor="staff-1")
    with pytest.raises(RewardLimitReached):
        world.hold("k-2", "mug", member=new)
    world.cancel(olds.redemption_id, member=new)
    third, _ = world.hold("k-2", "mug", member=new)
    with pytest.raises(RewardLimitReached):
        world.hold("k-3", "mug", member=old)
    assert world.redemptions.get("acme", old, third.redemption_id) == third
    with pytest.raises(RedemptionNotFound):
        world.redemptions.get("acme", MEMBER, third.redemption_id)


@pytest.mark.parametrize(
    ("used", "holds"),
    [({"reward:mug/ever": 2}, True), ({}, True), ({"reward:mug/ever": 1}, False)],
    ids=["too many", "too few", "an open hold is lost"],
)
def test_the_audit_finds_counts_that_redemptions_do_not_say(table: Table, used: dict[str, int], *, holds: bool) -> None:
    world = rich(table, mug(("ever", 5)))
    world.capture(world.hold("k-1", "mug")[0].redemption_id)
    world.hold("k-2", "mug")
    found = taken(world)
    table.write([replace(found, used=used, holds=found.holds if holds else {}).put("acme", MEMBER)])
    assert [finding.code for finding in world.audit()] == ["limits_wrong"]
