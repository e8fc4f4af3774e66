"""Where the survivor of a merge stands: the higher of both, or what both have earned together."""

from typing import Any

import pytest

from loyalty.core.table import Table
from loyalty.ledger.model import EntryKind
from loyalty.tiers.grants import Asked, TierGrants
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.ladders import TIERS, laddered
from tests.ledgerkit.moves import ADA, BOB, Moves

CLUB = {
    "id": "club",
    "name": "Club",
    "tiers": [{"id": "guest", "name": "Guest", "threshold": 0}, {"id": "friend", "name": "Friend", "threshold": 3}],
    "qualification": {"metric": "activities", "activities": ["review"], "period": "lifetime"},
}


def two(table: Table, *days: str, **changes: Any) -> Moves:
    """Ada and Bob, who enrolled on these days."""
    moves = Moves(table, of=laddered(**changes), clock=SettableClock(at(days[0])))
    for member, day in zip((ADA, BOB), days, strict=True):
        moves.world.clock.set(day)
        moves.enroll(member)
    return moves


def earn(moves: Moves, member: str, moment: str, amount: str | None, activity: str = "purchase") -> str:
    moves.world.clock.set(moment)
    moves.world.occurred_at = moves.world.clock()
    name = f"{member[-1]}-{moment}"
    posted = moves.world.accrue(name, amount, member=member, activity=activity)
    cause, now = posted.entry.entry_id, moves.world.clock()
    moves.world.tiers.recalculate(moves.program, member, cause=cause, posted_at=now)
    return name


def stands(moves: Moves, ladder: str = "status") -> str:
    standing = moves.world.now(ADA).standing(ladder, moves.program.scope.ladders[ladder])
    return f"{standing.tier} {standing.valid_until}" if standing.valid_until else standing.tier


@pytest.mark.parametrize(
    ("ada", "bob", "after"),
    [
        # Each earned on a day of 2025 or 2026, or nothing; merged on 2026-07-01.
        (("2025-05-01", "600"), ("2026-05-01", "600"), "silver 2027-12-31"),
        (("2026-05-01", "600"), ("2025-05-01", "600"), "silver 2027-12-31"),
        (("2025-05-01", "600"), ("2025-05-01", "2000"), "gold 2026-12-31"),
        (("2026-05-01", "300"), ("2026-06-01", "300"), "silver 2027-12-31"),
        (("2025-05-01", "300"), ("2026-06-01", "300"), "bronze"),
        (("2026-05-01", "1000"), ("2026-06-01", "1000"), "gold 2027-12-31"),
    ],
)
def test_the_higher_tier_and_what_both_earned(
    ada: tuple[str, str], bob: tuple[str, str], after: str, table: Table
) -> None:
    moves = two(table, "2025-01-01", "2025-01-01")
    for (day, amount), member in sorted([(ada, ADA), (bob, BOB)]):
        earn(moves, member, day, amount)
    moves.world.clock.set("2026-07-01")
    moves.merge()
    assert stands(moves) == after
    moves.world.proven(ADA)


def test_a_granted_tier_goes_along(table: Table) -> None:
    moves = two(table, "2025-01-01", "2025-01-01")
    asked = Asked("status", "goodwill", "staff-1", "app", "k")
    until = at("2025-12-31").date()
    TierGrants(moves.world.ledger).grant(moves.program, BOB, asked, tier="gold", until=until)
    moves.merge()
    assert stands(moves) == "gold"
    moves.world.clock.set("2026-01-01")
    assert stands(moves) == "bronze"
    moves.world.settle(ADA)
    moves.world.proven(ADA)


def test_each_ladder_has_its_own_entry(table: Table) -> None:
    moves = two(table, "2025-01-01", "2025-01-01", ladders=[CLUB])
    earn(moves, ADA, "2025-02-01", "300")
    for day in ("2025-03-01", "2025-03-02", "2025-03-03"):
        earn(moves, BOB, day, None, "review")
    earn(moves, BOB, "2025-04-01", "300")
    moves.merge()
    assert (stands(moves), stands(moves, "club")) == ("silver 2026-12-31", "friend")
    entries = [entry.entry_id for entry in moves.world.entries(ADA) if entry.key.kind is EntryKind.TIER]
    assert entries == [f"tier:merge:{BOB}", f"tier:merge.club:{BOB}"]
    moves.world.proven(ADA)


def test_years_from_an_anniversary_become_those_of_whoever_enrolled_first(table: Table) -> None:
    moves = two(table, "2024-06-01", "2025-03-14", qualification={"period": "anniversary_year"}, tiers=TIERS)
    earn(moves, ADA, "2025-05-31T12:00", "40")
    earn(moves, ADA, "2025-06-01T12:00", "100")
    early = earn(moves, BOB, "2025-07-01T12:00", "300")
    assert dict(moves.world.book(ADA).qualifying) == {"points/2024-06-01": 40, "points/2025-06-01": 100}
    assert dict(moves.world.book(BOB).qualifying) == {"points/2025-03-14": 300}
    moves.merge()
    # Bob's year began on the 14th of March, in the year that Ada's first of June of 2024 began.
    assert dict(moves.world.book(ADA).qualifying) == {"points/2024-06-01": 340, "points/2025-06-01": 100}
    moves.world.refund("F-1", early, "100", member=ADA)
    assert dict(moves.world.book(ADA).qualifying) == {"points/2024-06-01": 240, "points/2025-06-01": 100}
    moves.world.proven(ADA)


def test_the_survivor_s_own_years_move_where_the_other_enrolled_first(table: Table) -> None:
    moves = two(table, "2025-06-01", "2025-06-01", qualification={"period": "anniversary_year"})
    earn(moves, ADA, "2025-07-01T12:00", "100")
    moves.world.clock.set("2024-03-14")
    older = "mbr_" + "d" * 26
    moves.enroll(older)
    moves.world.clock.set("2025-08-01")
    moves.merge(older)
    # Since the 14th of March 2025 there is a year of both.
    assert dict(moves.world.book(ADA).qualifying) == {"points/2025-03-14": 100}
    moves.world.proven(ADA)
