"""Segments on real engines: what a member is in decides what they earn, and of many writers none overwrites another."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.core.errors import MemberMerged, Stale
from loyalty.core.table import Table
from loyalty.members.errors import MemberChanged
from loyalty.segments.model import Assignment
from tests.ledgerkit.deeds import BASE_RULE, rule
from tests.ledgerkit.moves import ADA, BOB, Moves
from tests.ledgerkit.programs import SEGMENTS, program

pytestmark = pytest.mark.integration
STAFF, VIP, FOUNDER = (Assignment(name) for name in ("staff", "vip", "founder"))
DOUBLE = rule("double", multiplier="2", when="'staff' in member.segments")


@pytest.fixture
def moves(table: Table) -> Moves:
    """A program that gives its staff twice as much."""
    return Moves(table, of=program(earn_rules=[BASE_RULE, DOUBLE], segments=SEGMENTS)).enroll()


def segments(moves: Moves, member: str = ADA) -> list[str]:
    return [one.segment for one in moves.segments.get(moves.program, member).assignments]


def test_who_is_staff_earns_twice_as_much(moves: Moves) -> None:
    assert moves.world.accrue("R-1", "100", member=ADA).entry.points == 100
    moves.assign(STAFF)
    assert moves.world.accrue("R-2", "100", member=ADA).entry.points == 200
    moves.assign(VIP)
    assert moves.world.accrue("R-3", "100", member=ADA).entry.points == 100
    assert moves.world.proven(ADA).available == 400


def test_of_many_who_read_the_same_version_one_assigns(moves: Moves) -> None:
    moves.assign(FOUNDER)

    def assign(number: int) -> bool:
        try:
            moves.segments.assign(moves.program, ADA, [(STAFF, VIP)[number % 2]], if_version=1)
        except (Stale, MemberChanged):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(assign, range(16)))
    found = moves.segments.get(moves.program, ADA)
    assert (done.count(True), found.version) == (1, 2)
    assert segments(moves) == [("staff", "vip")[done.index(True) % 2]]


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_what_is_assigned_beside_a_merge_is_handed_over_or_refused(moves: Moves, known: bool) -> None:
    if known:
        moves.assign(FOUNDER, member=BOB)
    with ThreadPoolExecutor(2) as pool:
        merged = pool.submit(moves.merge, BOB, into=ADA)
        assigned = pool.submit(moves.assign, STAFF, member=BOB)
    merged.result()
    refusal = assigned.exception()
    assert refusal is None or isinstance(refusal, MemberMerged)
    before = ["founder"] if known else []
    assert segments(moves) == (before if refusal else ["staff"])
    assert segments(moves, BOB) == segments(moves)
    assert moves.world.audit() == []
