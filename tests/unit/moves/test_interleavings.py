"""What another request did between a run's read and its write: the run sees it, and does right by it."""

from dataclasses import replace

import pytest

from loyalty.adjustments.errors import AdjustmentAlreadyPosted, AdjustmentAlreadyRejected
from loyalty.core.errors import InsufficientPoints
from loyalty.households.errors import HouseholdFull, HouseholdHasPoints, MemberInHousehold, MemberNotInHousehold
from loyalty.ledger.model import EntryKind
from loyalty.merging.errors import MemberHasOpenHolds
from loyalty.transfers.errors import DailyTransferLimitExceeded
from tests.ledgerkit.interleaving import interrupted
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves

FAR = "2027-03-31"


def test_a_rejection_between_an_approvals_read_and_write(moves: Moves) -> None:
    adjustment_id = moves.adjust(5_000)[0].adjustment_id
    with (
        interrupted(moves.world.table.client, lambda: moves.reject(adjustment_id, actor="staff-3")),
        pytest.raises(AdjustmentAlreadyRejected),
    ):
        moves.approve(adjustment_id)
    assert moves.world.entries(ADA) == []


def test_an_approval_between_a_rejections_read_and_write(moves: Moves) -> None:
    adjustment_id = moves.adjust(5_000)[0].adjustment_id
    with (
        interrupted(moves.world.table.client, lambda: moves.approve(adjustment_id, actor="staff-3")),
        pytest.raises(AdjustmentAlreadyPosted),
    ):
        moves.reject(adjustment_id)
    assert moves.wallet().available == 5_000


def test_of_two_who_approve_what_lies_with_a_merged_member_the_second_is_told(moves: Moves) -> None:
    adjustment, _ = moves.adjust(5000, member=BOB)
    moves.merge(BOB)
    with (
        interrupted(moves.world.table.client, lambda: moves.approve(adjustment.adjustment_id, actor="staff-3")),
        pytest.raises(AdjustmentAlreadyPosted),
    ):
        moves.approve(adjustment.adjustment_id)


def test_two_approvals_at_once(moves: Moves) -> None:
    adjustment_id = moves.adjust(5_000)[0].adjustment_id
    with (
        interrupted(moves.world.table.client, lambda: moves.approve(adjustment_id, actor="staff-3")),
        pytest.raises(AdjustmentAlreadyPosted),
    ):
        moves.approve(adjustment_id)
    (entry,) = moves.world.entries(ADA)
    assert entry.facts.approved_by == "staff-3"


@pytest.mark.parametrize("points", [500, 5_000])
def test_the_same_request_twice_at_once(moves: Moves, points: int) -> None:
    with interrupted(moves.world.table.client, lambda: moves.adjust(points)):
        adjustment, replayed = moves.adjust(points)
    assert replayed
    assert moves.store.get("acme", ADA, adjustment.adjustment_id) == adjustment
    assert len(moves.world.entries(ADA)) == (points < 1_000)


def test_two_gifts_of_the_last_points(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 50})
    with (
        interrupted(moves.world.table.client, lambda: moves.give(50, key="1", to=CLEO)),
        pytest.raises(InsufficientPoints),
    ):
        moves.give(50, key="2")
    assert (moves.wallet(BOB).available, moves.wallet(CLEO).available) == (0, 50)


def test_two_gifts_that_pass_the_limit_together(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 1_000})
    with (
        interrupted(moves.world.table.client, lambda: moves.give(300, key="1", to=CLEO)),
        pytest.raises(DailyTransferLimitExceeded),
    ):
        moves.give(300, key="2")


def test_a_gift_whose_receiver_is_absorbed_meanwhile(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 50})
    with interrupted(moves.world.table.client, lambda: moves.merge(BOB, into=CLEO)):
        transfer, _ = moves.give(50)
    assert (transfer.receiver, moves.wallet(CLEO).available) == (CLEO, 50)


def test_a_gift_while_its_giver_is_absorbed(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 50})
    with interrupted(moves.world.table.client, lambda: moves.give(20)):
        moves.merge(ADA, into=CLEO)
    assert (moves.wallet(CLEO).available, moves.wallet(BOB).available) == (30, 20)


def test_points_held_while_their_member_is_about_to_be_absorbed(moves: Moves) -> None:
    moves.grant(BOB, {FAR: 50})
    with (
        interrupted(moves.world.table.client, lambda: moves.world.hold("key", member=BOB)),
        pytest.raises(MemberHasOpenHolds),
    ):
        moves.merge()
    assert moves.world.book(BOB).merged_into is None


@pytest.mark.parametrize("sent_to", [ADA, BOB])
def test_an_accrual_sent_again_while_its_member_is_absorbed(moves: Moves, sent_to: str) -> None:
    """It was posted to Bob; before the write of the second delivery he becomes Ada."""
    moves.world.accrue("R-1", "100", member=BOB)
    with interrupted(moves.world.table.client, moves.merge):
        posted = moves.world.accrue("R-1", "100", member=sent_to)
    assert (posted.replayed, posted.entry.member_id) == (True, BOB)
    assert moves.wallet(ADA).available == 100


def test_an_accrual_while_its_member_is_absorbed(moves: Moves) -> None:
    with interrupted(moves.world.table.client, moves.merge):
        posted = moves.world.accrue("R-1", "100", member=BOB)
    assert posted.entry.member_id == ADA
    assert moves.world.accrue("R-1", "100", member=ADA).replayed


def test_a_merge_during_which_an_accrual_came(moves: Moves) -> None:
    with interrupted(moves.world.table.client, lambda: moves.world.accrue("R-1", "100", member=BOB)):
        moves.merge()
    assert moves.wallet(ADA).available == 100
    assert moves.world.accrue("R-1", "100", member=ADA).replayed


def test_a_member_who_joins_while_being_absorbed(moves: Moves) -> None:
    household_id = moves.found(CLEO).household_id
    with (
        interrupted(moves.world.table.client, lambda: moves.join(household_id, BOB)),
        pytest.raises(MemberInHousehold),
    ):
        moves.merge()
    assert moves.world.book(BOB).merged_into is None


def test_a_member_who_is_absorbed_while_joining(moves: Moves) -> None:
    household_id = moves.found(CLEO).household_id
    with interrupted(moves.world.table.client, moves.merge):
        found = moves.join(household_id, BOB)
    assert sorted(found.household.members) == [ADA, CLEO]


def test_a_member_who_is_absorbed_while_founding(moves: Moves) -> None:
    with interrupted(moves.world.table.client, moves.merge):
        household = moves.found(BOB)
    assert (household.head, list(household.members)) == (ADA, [ADA])


def test_a_member_who_founds_twice_at_once(moves: Moves) -> None:
    with (
        interrupted(moves.world.table.client, lambda: moves.found(ADA, key="1")),
        pytest.raises(MemberInHousehold),
    ):
        moves.found(ADA, key="2")


def test_a_household_founded_twice_by_one_key_at_once(moves: Moves) -> None:
    first: list[object] = []
    with interrupted(moves.world.table.client, lambda: first.append(moves.found(ADA))):
        again, replayed = moves.households.create(moves.program, ADA, client_id="app", idempotency_key="h")
    assert (replayed, first) == (True, [again.household])


def test_two_who_join_for_the_last_place(moves: Moves) -> None:
    moves.enroll(DAN)
    household_id = moves.found(ADA, BOB).household_id
    with (
        interrupted(moves.world.table.client, lambda: moves.join(household_id, CLEO)),
        pytest.raises(HouseholdFull),
    ):
        moves.join(household_id, DAN)


def test_a_member_who_leaves_while_putting_points_in(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 50})
    household_id = moves.found(ADA, BOB).household_id
    with (
        interrupted(moves.world.table.client, lambda: moves.leave(household_id, ADA)),
        pytest.raises(MemberNotInHousehold),
    ):
        moves.contribute(household_id, 50)
    assert moves.wallet(household_id).available == 0


def test_a_member_who_leaves_while_taking_points_out(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 50})
    household_id = moves.found(ADA, BOB).household_id
    moves.contribute(household_id, 50)
    with (
        interrupted(moves.world.table.client, lambda: moves.leave(household_id, BOB)),
        pytest.raises(MemberNotInHousehold),
    ):
        moves.withdraw(household_id, 50, member=BOB)
    assert moves.wallet(household_id).available == 50


def test_points_that_come_while_the_last_one_leaves(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 50})
    household_id = moves.found(ADA).household_id
    with (
        interrupted(moves.world.table.client, lambda: moves.contribute(household_id, 50)),
        pytest.raises(HouseholdHasPoints),
    ):
        moves.leave(household_id, ADA)
    assert moves.households.read(moves.program, household_id).household.closed_at is None


def test_a_change_of_profile_while_its_member_is_absorbed(moves: Moves) -> None:
    before = moves.members.get("acme", BOB)
    assert before is not None
    after = replace(before, version=2, lookups={"email": "new"})
    with interrupted(moves.world.table.client, lambda: moves.members.replace(before, after)):
        moves.merge()
    stored = moves.members.get("acme", BOB)
    assert stored is not None
    assert (stored.version, stored.merged_into, dict(stored.lookups)) == (3, ADA, {"email": "new"})
    assert moves.owners()["U#acme#new"] == ADA
    assert BOB not in moves.owners().values()


def test_a_clock_that_is_behind_gives_no_points_that_have_expired_for_the_receiver(moves: Moves) -> None:
    """One function's clock is past midnight, another's is not: no lot comes to a book in which it has expired."""
    for member_id in (ADA, BOB):
        moves.grant(member_id, {"2026-03-20": 50})
    moves.world.clock.set("2026-03-21T00:00:01Z")
    assert moves.world.settle(BOB) == 1
    moves.world.clock.set("2026-03-20T23:59:59Z")
    with pytest.raises(InsufficientPoints):
        moves.give(50)
    moves.merge(ADA, into=BOB)
    moves.world.clock.set("2026-03-22T00:00:00Z")
    moves.world.settle(BOB)
    assert moves.wallet(BOB).available == 0
    assert moves.world.accrue("R-1", "10", member=BOB).replayed is False
    assert [entry.key.kind for entry in moves.world.entries(ADA)][-2:] == [EntryKind.EXPIRY, EntryKind.MERGE_OUT]
