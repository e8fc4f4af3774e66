"""Tiers granted by staff: a floor until its last day, and warnings of tiers that are about to be lost."""

from datetime import date
from typing import Any

import pytest

from loyalty.core.errors import AdjustmentReasonUnknown, IdempotencyKeyReused, InsufficientPoints, LoyaltyError
from loyalty.core.table import Table
from loyalty.ledger.draft import Posted
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import EntryKind
from loyalty.rewards.errors import TierRequired
from loyalty.tiers.errors import LadderNotFound, TierGrantDateRefused, TierNotGranted, TierUnknown
from loyalty.tiers.grants import Asked, TierGrants
from tests.ledgerkit.ladders import TIERS, Climb, laddered
from tests.ledgerkit.programs import BASE, program

CLUB = {
    "id": "club",
    "name": "Club",
    "tiers": [{"id": "guest", "name": "Guest", "threshold": 0}, {"id": "friend", "name": "Friend", "threshold": 3}],
    "qualification": {"metric": "activities", "activities": ["review"], "period": "lifetime"},
}


def climb(table: Table, **changes: Any) -> Climb:
    return Climb(table, laddered(time_zone="Asia/Jakarta", ladders=[CLUB], **changes), "2025-01-10T12:00")


def grant(member: Climb, tier: str, until: str, *, key: str = "k", ladder: str = STATUS, **more: str) -> Posted:
    asked = Asked(
        ladder, **{"reason": "goodwill", "actor": "staff-1", "client_id": "app", "idempotency_key": key, **more}
    )
    grants = TierGrants(member.world.ledger)
    return grants.grant(member.world.program, "mbr_1", asked, tier=tier, until=date.fromisoformat(until))


def end(member: Climb, *, key: str = "end", ladder: str = STATUS) -> Posted:
    asked = Asked(ladder, "correction", "staff-2", "app", key)
    return TierGrants(member.world.ledger).end(member.world.program, "mbr_1", asked)


def kinds(member: Climb) -> list[str]:
    return [entry.entry_id for entry in member.world.entries() if entry.key.kind is EntryKind.TIER_WARNING]


def test_a_granted_tier_is_a_floor_until_its_last_day_is_over(table: Table) -> None:
    member = climb(table)
    member.on("2025-02-01T12:00")
    entry = grant(member, "gold", "2025-06-30").entry
    assert (entry.facts.tier_from, entry.tier_to, entry.facts.actor, entry.facts.reason) == (
        "bronze", "gold", "staff-1", "goodwill",
    )  # fmt: skip
    assert member.on("2025-03-01T12:00", "earn 600") == "gold 2026-12-31"  # silver was earned beneath it
    assert member.on("2025-06-30T23:59:59") == "gold 2026-12-31"
    assert member.on("2025-07-01T00:00") == "silver 2026-12-31"
    assert member.on("2027-01-01T00:00") == "bronze"
    member.world.settle()
    member.world.proven()


def test_a_granted_tier_that_nothing_was_earned_beneath_ends_in_the_first(table: Table) -> None:
    member = climb(table, downgrade={"by": "never"})
    member.on("2025-02-01T12:00")
    grant(member, "gold", "2025-06-30")
    assert [member.on(day) for day in ("2025-06-30T23:59", "2025-07-01T00:00")] == ["gold", "bronze"]
    member.world.settle()
    member.world.proven()


def test_a_lower_tier_than_the_earned_one_changes_nothing_until_that_is_over(table: Table) -> None:
    member = climb(table)
    member.on("2025-02-01T12:00", "earn 2000")
    grant(member, "silver", "2027-03-31")
    assert member.on("2026-12-31T23:59") == "gold 2026-12-31"
    assert [member.on(day) for day in ("2027-01-01T00:00", "2027-04-01T00:00")] == ["silver", "bronze"]
    member.world.settle()
    member.world.proven()


def test_a_grant_can_be_ended_before_its_day(table: Table) -> None:
    member = climb(table)
    member.on("2025-02-01T12:00")
    grant(member, "gold", "2025-06-30")
    entry = end(member).entry
    assert (entry.facts.tier_from, entry.tier_to, entry.facts.actor) == ("gold", "bronze", "staff-2")
    assert end(member).replayed
    with pytest.raises(TierNotGranted):
        end(member, key="another")
    assert member.on("2025-07-02T00:00") == "bronze"
    grant(member, "silver", "2025-08-31", key="k-2")  # on which it ends again
    assert member.on("2025-09-01T00:00") == "bronze"
    member.world.settle()
    member.world.proven()


def test_the_same_key_is_the_same_grant(table: Table) -> None:
    member = climb(table)
    member.on("2025-02-01T12:00")
    first = grant(member, "gold", "2025-06-30")
    again = grant(member, "gold", "2025-06-30")
    assert (again.replayed, again.entry) == (True, first.entry)
    with pytest.raises(IdempotencyKeyReused):
        grant(member, "gold", "2025-07-01")


REFUSED: dict[str, tuple[dict[str, str], type[LoyaltyError]]] = {
    "no such ladder": ({"tier": "gold", "until": "2025-06-30", "ladder": "nowhere"}, LadderNotFound),
    "no such tier": ({"tier": "diamond", "until": "2025-06-30"}, TierUnknown),
    "a tier of another ladder": ({"tier": "friend", "until": "2025-06-30"}, TierUnknown),
    "the first tier": ({"tier": "bronze", "until": "2025-06-30"}, TierUnknown),
    "a day that has passed": ({"tier": "gold", "until": "2025-01-31"}, TierGrantDateRefused),
    "for ever": ({"tier": "gold", "until": "2030-03-01"}, TierGrantDateRefused),
    "a reason of its own": ({"tier": "gold", "until": "2025-06-30", "reason": "whim"}, AdjustmentReasonUnknown),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_granted_is_named_and_nothing_is_written(case: str, table: Table) -> None:
    asked, refusal = REFUSED[case]
    member = climb(table)
    member.on("2025-02-01T00:00")  # the 31st of January in UTC
    before = member.world.dump()
    with pytest.raises(refusal):
        grant(member, **asked)
    assert member.world.dump() == before


def test_today_and_five_years_are_days_that_can_be_granted(table: Table) -> None:
    member = climb(table)
    member.on("2025-02-01T00:00")
    grant(member, "gold", "2025-02-01")
    assert [member.on(day) for day in ("2025-02-01T23:59", "2025-02-02T00:00")] == ["gold", "bronze"]
    grant(member, "gold", "2030-02-06", key="k-2")  # 1,830 days on


def test_a_member_is_warned_once_of_each_number_of_days(table: Table) -> None:
    member = climb(table, downgrade={"warn_days": [30, 7]})
    member.on("2025-05-01T12:00", "earn 600")
    member.on("2026-11-30T23:59:59", "settle")
    assert kinds(member) == []
    member.on("2026-12-01T00:00", "settle")
    assert kinds(member) == ["tier_warning:status:2026-12-31/30"]
    (entry,) = [entry for entry in member.world.entries() if entry.key.kind is EntryKind.TIER_WARNING]
    assert (entry.facts.tier_from, entry.facts.falls_to) == ("silver", "bronze")
    member.on("2027-03-01T00:00", "settle")
    assert kinds(member) == ["tier_warning:status:2026-12-31/30", "tier_warning:status:2026-12-31/7"]
    member.world.proven()


def test_days_of_grace_come_before_the_last_day(table: Table) -> None:
    member = climb(table, downgrade={"warn_days": [10], "grace_days": 31})
    member.on("2025-05-01T12:00", "earn 600")
    member.on("2027-02-01T00:00", "settle")
    (entry,) = [entry for entry in member.world.entries() if entry.key.kind is EntryKind.TIER_WARNING]
    # Noon and midnight in Jakarta are seven hours earlier in UTC.
    assert (entry.key.source_id, entry.facts.occurred_at.isoformat()) == (
        "2027-01-31/10", "2027-01-20T17:00:00+00:00",
    )  # fmt: skip


def test_nobody_is_warned_of_a_tier_that_is_earned_again_or_granted_beyond(table: Table) -> None:
    member = climb(table, downgrade={"warn_days": [30, 7]})
    member.on("2025-05-01T12:00", "earn 600")
    member.on("2026-11-01T12:00", "earn 500")
    member.on("2027-01-01T12:00", "settle")
    assert kinds(member) == []
    grant(member, "silver", "2028-03-31")
    member.on("2028-03-01T12:00", "settle")
    assert kinds(member) == []
    member.world.proven()


def test_a_grant_that_ends_before_is_no_reason_to_warn_of_a_tier_that_is_earned_again(table: Table) -> None:
    member = climb(table, downgrade={"warn_days": [30, 7]})
    member.on("2025-05-01T12:00", "earn 600")
    member.on("2026-06-01T12:00", "earn 500")
    grant(member, "gold", "2026-12-10")
    member.on("2026-12-02T12:00", "settle")  # gold still, and silver at the end of the year as before it
    assert kinds(member) == []
    grant(member, "gold", "2026-12-31", key="to the last day")
    member.on("2027-01-01T12:00", "settle")
    assert kinds(member) == []
    member.world.proven()


def test_earned_again_between_two_warnings_there_is_no_second(table: Table) -> None:
    member = climb(table, downgrade={"warn_days": [30, 7]})
    member.on("2025-05-01T12:00", "earn 600")
    member.on("2026-12-10T12:00", "earn 500")
    member.on("2027-01-01T12:00", "settle")
    assert kinds(member) == ["tier_warning:status:2026-12-31/30"]


def test_a_reward_may_ask_for_a_tier_of_any_ladder(table: Table) -> None:
    reward = {**BASE["rewards"][0], "tiers": ["gold", "friend"]}
    member = Climb(table, laddered(rewards=[reward], ladders=[CLUB]), "2025-01-10T12:00")
    member.on("2025-02-01T12:00")
    with pytest.raises(TierRequired, match="gold, friend"):
        member.world.hold("k", "coffee")
    grant(member, "friend", "2025-02-28", ladder="club")
    with pytest.raises(InsufficientPoints):
        member.world.hold("k", "coffee")
    member.on("2025-02-28T12:00", "earn 60")
    assert member.world.hold("k", "coffee")[0].points == 50
    member.on("2025-03-01T00:00", "earn 60")
    with pytest.raises(TierRequired):
        member.world.hold("k-2", "coffee")


def test_the_multiplier_is_that_of_the_moment_whatever_was_written_down(table: Table) -> None:
    tiers = [TIERS[0], {**TIERS[1], "multiplier": "2"}]
    member = Climb(table, program(tiers=tiers, downgrade={"by": "achievement"}), "2025-01-10T12:00")
    member.on("2025-05-01T12:00", "earn 500")
    member.world.clock.set("2026-12-31T23:59:59Z")
    assert member.world.accrue("X-1", "10").entry.points == 20
    member.world.clock.set("2027-01-01T00:00:00Z")
    assert member.world.accrue("X-2", "10").entry.points == 10
