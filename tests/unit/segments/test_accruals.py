"""What members earn by their segments: on which day, at which cost, and after a merge."""

from datetime import date

import pytest

from loyalty.accruals.model import Activity
from loyalty.accruals.told import segments_of
from loyalty.core.errors import MemberMerged
from loyalty.core.table import Table
from loyalty.ledger.draft import Posted
from loyalty.segments.model import Assignment, MemberSegments, united
from loyalty.segments.store import SegmentStore
from loyalty.simulating.model import Both, Period
from loyalty.simulating.service import simulate
from tests.ledgerkit.calls import items_read, recorded
from tests.ledgerkit.clock import at
from tests.ledgerkit.deeds import BASE_RULE, eur, rule
from tests.ledgerkit.interleaving import interrupted
from tests.ledgerkit.moves import ADA, BOB, CLEO, Moves
from tests.ledgerkit.programs import SEGMENTS, program

DOUBLE = rule("double", multiplier="2", when="'staff' in member.segments")
OF_STAFF = program(
    time_zone="Europe/Rome",
    earn_rules=[BASE_RULE, DOUBLE, {"id": "review", "activity": "review", "fixed_points": 25}],
    segments=SEGMENTS,
)
STAFF, VIP = Assignment("staff"), Assignment("vip")


def through(day: str, segment: str = "staff") -> Assignment:
    return Assignment(segment, date.fromisoformat(day))


@pytest.fixture
def moves(table: Table) -> Moves:
    """Members, and a program that gives its staff twice as much."""
    return Moves(table, of=OF_STAFF).enroll()


def found(moves: Moves, member: str = ADA) -> tuple[MemberSegments, str | None] | None:
    return SegmentStore(moves.world.table).get("acme", member)


@pytest.mark.parametrize(
    ("segments", "occurred_at", "points"),
    [
        ([], "2026-03-15T12:00:00Z", 100),
        ([STAFF], "2026-03-15T12:00:00Z", 200),
        ([VIP], "2026-03-15T12:00:00Z", 100),
        ([VIP, through("2026-03-15")], "2026-03-15T12:00:00Z", 200),
        ([through("2026-03-14")], "2026-03-15T12:00:00Z", 100),
        ([through("2026-03-14")], "2026-03-14T12:00:00Z", 200),  # over when it is told, not when it happened
        ([through("2026-03-14")], "2026-03-14T22:59:59Z", 200),  # the last second of that day in Rome
        ([through("2026-03-14")], "2026-03-14T23:00:00Z", 100),
    ],
)
def test_a_segment_counts_through_its_last_day(
    moves: Moves, segments: list[Assignment], occurred_at: str, points: int
) -> None:
    moves.assign(*segments)
    activity = Activity("purchase", "pos", "R-1", at(occurred_at), amount=eur("100"))
    preview = moves.world.accruals.preview(moves.program, ADA, activity)
    posted = moves.world.accrue("R-1", occurred_at=at(occurred_at), member=ADA)
    assert (posted.entry.points, sum(one.points for one in preview.earned)) == (points, points)
    assert ("staff" in segments_of(posted.entry.facts)) == (points == 200)
    whole = Period(None, at("2026-12-31"))
    replayed = simulate(moves.world.table, moves.program, moves.program, whole).report.total.points["points"]
    assert (replayed.posted, replayed.both) == (points, Both(points, points))
    assert moves.world.audit() == []


def test_who_joins_or_leaves_later_earns_by_that_from_then_on(moves: Moves) -> None:
    assert moves.world.accrue("R-1", member=ADA).entry.points == 100
    moves.assign(STAFF)
    assert moves.world.accrue("R-1", member=ADA).entry.points == 100  # a repeat
    assert moves.world.accrue("R-2", member=ADA).entry.points == 200
    moves.assign()
    assert moves.world.accrue("R-3", member=ADA).entry.points == 100
    moves.world.refund("F-1", "R-2", everything=True, member=ADA)  # what it gave, not what it would give now
    assert moves.wallet(ADA).available == 200


def test_a_segment_that_the_program_does_not_declare_any_more_counts_for_nothing(moves: Moves) -> None:
    moves.assign(STAFF)
    moves.world.program = program(2, earn_rules=[BASE_RULE, DOUBLE], segments=SEGMENTS[2:])
    assert moves.world.accrue("R-1", member=ADA).entry.points == 100


def test_segments_are_read_with_the_book_and_only_where_a_rule_asks(moves: Moves) -> None:
    moves.assign(STAFF)
    client = moves.world.table.client
    with recorded(client) as calls, items_read(client) as items:
        moves.world.accrue("R-1", member=ADA)
    assert (calls.names, items) == (["BatchGetItem", "TransactWriteItems"], [2])
    with recorded(client) as calls, items_read(client) as items:
        moves.world.accrue("V-1", None, activity="review", member=ADA)
    assert (calls.names, items) == (["GetItem", "TransactWriteItems"], [1])


def test_a_batch_of_one_member_reads_them_once(moves: Moves) -> None:
    moves.assign(STAFF)
    accruals, client = moves.world.accruals, moves.world.table.client
    postings = [
        accruals.posting(moves.program, Activity("purchase", "pos", f"R-{number}", moves.world.occurred_at, amount=eur("10")))
        for number in range(3)
    ]  # fmt: skip
    with recorded(client) as calls, items_read(client) as items:
        results = accruals.post_all(moves.program, ADA, postings)
    assert [one.entry.points for one in results if isinstance(one, Posted)] == [20, 20, 20]
    assert (calls.names, items) == (["BatchGetItem", "TransactWriteItems"], [2])


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ([], [STAFF], [STAFF]),
        ([STAFF], [], [STAFF]),
        ([STAFF], [VIP], [STAFF, VIP]),
        ([through("2026-05-01")], [through("2026-06-01")], [through("2026-06-01")]),
        ([through("2026-06-01")], [through("2026-05-01")], [through("2026-06-01")]),
        ([STAFF], [through("2026-06-01")], [STAFF]),
        ([through("2026-06-01")], [STAFF], [STAFF]),
    ],
)
class TestOfTwoWhoAreOne:
    def test_each_segment_goes_on_until_the_later_day(
        self, one: list[Assignment], other: list[Assignment], together: list[Assignment]
    ) -> None:
        assert list(united(one, other)) == together

    def test_a_merge_hands_them_over(
        self, moves: Moves, one: list[Assignment], other: list[Assignment], together: list[Assignment]
    ) -> None:
        for member, segments in ((ADA, one), (BOB, other)):
            if segments:
                moves.assign(*segments, member=member)
        moves.merge(BOB, into=ADA)
        after, gone = found(moves), found(moves, BOB)
        assert after is not None
        assert list(after[0].assignments) == together
        assert gone == (MemberSegments(BOB), ADA)
        assert moves.merge(BOB, into=ADA)[0].replayed
        assert found(moves) == after
        points = 200 if any(each.segment == "staff" for each in together) else 100
        for number, sent_to in enumerate((ADA, BOB)):
            assert moves.world.accrue(f"R-{number}", member=sent_to).entry.points == points
        assert moves.world.audit() == []


def test_what_is_assigned_while_two_are_merged_is_not_lost(moves: Moves) -> None:
    client = moves.world.table.client
    with interrupted(client, lambda: moves.assign(VIP, member=BOB)):
        moves.merge(BOB, into=ADA)
    assert found(moves) == (MemberSegments(ADA, 1, (VIP,)), None)
    moves.assign(through("2026-06-01"), member=CLEO)
    with interrupted(client, lambda: moves.assign(STAFF)):
        moves.merge(CLEO, into=ADA)
    assert found(moves) == (MemberSegments(ADA, 2, (STAFF,)), None)


def test_who_is_merged_while_something_is_assigned_is_assigned_nothing(moves: Moves) -> None:
    with (
        interrupted(moves.world.table.client, lambda: moves.merge(BOB, into=ADA)),
        pytest.raises(MemberMerged) as refused,
    ):
        moves.assign(STAFF, member=BOB)
    assert refused.value.into == ADA
    assert (found(moves), found(moves, BOB)) == ((MemberSegments(ADA), None), (MemberSegments(BOB), ADA))
