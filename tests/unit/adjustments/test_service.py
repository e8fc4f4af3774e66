"""Points given and taken by hand: at once up to a limit, by two people above it, each once."""

from collections.abc import Callable

import pytest

from loyalty.adjustments.errors import AdjustmentAlreadyPosted, AdjustmentAlreadyRejected, AdjustmentIsZero
from loyalty.adjustments.model import Adjustment, AdjustmentStatus
from loyalty.core.errors import (
    AdjustmentNotFound,
    AdjustmentReasonUnknown,
    IdempotencyKeyReused,
    InsufficientPoints,
    LoyaltyError,
    MemberNotFound,
    PointsLimitExceeded,
    SecondPersonRequired,
    WalletNotFound,
)
from loyalty.core.table import Table
from loyalty.ledger.model import Account
from tests.ledgerkit.moves import ADA, BOB, DAN, Moves, generous

POSTED, PROPOSED, REJECTED = AdjustmentStatus.POSTED, AdjustmentStatus.PROPOSED, AdjustmentStatus.REJECTED


def proposed(moves: Moves, points: int = 5_000) -> str:
    adjustment, _ = moves.adjust(points)
    assert adjustment.status is PROPOSED
    return adjustment.adjustment_id


def test_points_given_live_as_long_as_points_earned_that_day(moves: Moves) -> None:
    adjustment, replayed = moves.adjust(500)
    assert (adjustment.status, adjustment.posted_to, replayed) == (POSTED, ADA, False)
    assert dict(moves.wallet().lots) == {"2027-03-31": 500}
    (entry,) = moves.world.entries(ADA)
    assert entry.movement.change().postings == {Account.ADJUSTED: -500, Account.AVAILABLE: 500}
    assert (entry.facts.reason, entry.facts.actor, entry.facts.approved_by) == ("goodwill", "staff-1", None)
    assert entry.entry_id == f"adjustment:adjustment:{adjustment.adjustment_id}"


def test_points_given_never_count_towards_a_tier(moves: Moves) -> None:
    moves.adjust(999)
    assert moves.world.book(ADA).qualifying == {}


def test_points_taken_expire_first(moves: Moves) -> None:
    moves.grant(ADA, {"2026-04-30": 30, "2026-12-31": 100})
    moves.adjust(-50)
    assert dict(moves.wallet().lots) == {"2026-12-31": 80}
    assert moves.world.entries(ADA)[-1].movement.change().postings == {Account.AVAILABLE: -50, Account.ADJUSTED: 50}


def test_points_given_pay_what_is_owed_first(moves: Moves) -> None:
    moves.world.accrue("R-1", "100", member=ADA)
    moves.adjust(-80)
    moves.world.refund("F-1", "R-1", "100", member=ADA)
    assert moves.wallet().available == -80
    moves.adjust(100, key="again")
    assert (moves.wallet().available, dict(moves.wallet().lots)) == (20, {"2027-03-31": 20})


def test_another_wallet_has_its_own_expiry(moves: Moves) -> None:
    moves.adjust(40, wallet="stars")
    assert dict(moves.wallet(wallet="stars").lots) == {"9999-12-31": 40}
    assert moves.wallet().available == 0


def test_the_limit_itself_needs_nobody_else(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 5_000})
    for number, (points, status) in enumerate(
        [(1_000, POSTED), (1_001, PROPOSED), (-1_000, POSTED), (-1_001, PROPOSED)]
    ):
        assert moves.adjust(points, key=str(number))[0].status is status
    assert moves.wallet().available == 5_000


def test_a_proposal_moves_nothing_until_somebody_else_approves(moves: Moves) -> None:
    adjustment_id = proposed(moves)
    assert moves.world.entries(ADA) == []
    approved = moves.approve(adjustment_id)
    assert (approved.status, approved.decided_by, approved.posted_to) == (POSTED, "staff-2", ADA)
    (entry,) = moves.world.entries(ADA)
    assert (entry.points, entry.facts.actor, entry.facts.approved_by) == (5_000, "staff-1", "staff-2")
    assert moves.store.get("acme", ADA, adjustment_id) == approved


def test_a_rejected_proposal_stays_without_effect_for_ever(moves: Moves) -> None:
    adjustment_id = proposed(moves)
    rejected = moves.reject(adjustment_id)
    assert (rejected.status, rejected.decided_by) == (REJECTED, "staff-2")
    assert moves.reject(adjustment_id) == rejected
    before = moves.world.dump()
    for act in (moves.approve, lambda one: moves.reject(one, actor="staff-3")):
        with pytest.raises(AdjustmentAlreadyRejected):
            act(adjustment_id)
    assert moves.world.dump() == before
    assert moves.wallet().available == 0


@pytest.mark.parametrize(
    ("actor", "client_id"), [("staff-1", "office"), ("Staff-1", "office"), ("staff-2", "app"), ("staff-2", "APP")]
)
def test_neither_who_proposed_nor_their_client_decides(moves: Moves, actor: str, client_id: str) -> None:
    adjustment_id = proposed(moves)
    before = moves.world.dump()
    for act in (moves.approve, moves.reject):
        with pytest.raises(SecondPersonRequired):
            act(adjustment_id, actor=actor, client_id=client_id)
    assert moves.world.dump() == before


def test_approved_again_by_the_same_person_is_the_first_result(moves: Moves) -> None:
    adjustment_id = proposed(moves)
    first = moves.approve(adjustment_id)
    moves.world.clock.advance(hours=1)
    before = moves.world.dump()
    assert moves.approve(adjustment_id) == first
    assert moves.world.dump() == before


def test_who_comes_second_is_told_that_it_is_posted(moves: Moves) -> None:
    adjustment_id = proposed(moves)
    moves.approve(adjustment_id)
    before = moves.world.dump()
    for act in (moves.approve, moves.reject):
        with pytest.raises(AdjustmentAlreadyPosted):
            act(adjustment_id, actor="staff-3")
    assert moves.world.dump() == before


def test_what_was_posted_at_once_cannot_be_approved(moves: Moves) -> None:
    adjustment, _ = moves.adjust(10)
    for act in (moves.approve, moves.reject):
        with pytest.raises(AdjustmentAlreadyPosted):
            act(adjustment.adjustment_id)


def test_a_debit_that_is_no_longer_covered_stays_proposed(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 2_000})
    adjustment_id = proposed(moves, -1_500)
    moves.adjust(-900, key="other")
    before = moves.world.dump()
    with pytest.raises(InsufficientPoints):
        moves.approve(adjustment_id)
    assert moves.world.dump() == before
    assert moves.store.get("acme", ADA, adjustment_id).status is PROPOSED
    moves.adjust(400, key="covered")
    moves.approve(adjustment_id)
    assert moves.wallet().available == 0


@pytest.mark.parametrize("points", [500, 5_000])
def test_sent_again_it_gives_its_first_result(moves: Moves, points: int) -> None:
    first, _ = moves.adjust(points)
    moves.world.clock.advance(hours=1)
    before = moves.world.dump()
    assert moves.adjust(points) == (first, True)
    assert moves.world.dump() == before


def test_a_proposal_sent_again_after_it_was_decided_is_still_shown_as_proposed(moves: Moves) -> None:
    first, _ = moves.adjust(5_000)
    moves.approve(first.adjustment_id)
    assert moves.adjust(5_000) == (first, True)
    assert moves.wallet().available == 5_000


def test_a_limit_that_changed_meanwhile_changes_no_first_result(moves: Moves) -> None:
    small, _ = moves.adjust(500, key="small")
    large, _ = moves.adjust(5_000, key="large")
    for limit in (0, 100_000):
        moves.world.program = generous(2, limits={"adjustment_points": limit}, adjustment_reasons=["other"])
        assert moves.adjust(500, key="small") == (small, True)
        assert moves.adjust(5_000, key="large") == (large, True)
    assert len(moves.world.entries(ADA)) == 1


@pytest.mark.parametrize(
    "changed",
    [{"points": 501}, {"points": 5_000}, {"reason": "complaint"}, {"actor": "staff-3"}, {"wallet": "stars"}],
)
@pytest.mark.parametrize("points", [500, 4_000])
def test_a_key_used_for_something_else_is_refused(moves: Moves, points: int, changed: dict[str, object]) -> None:
    moves.adjust(points)
    before = moves.world.dump()
    with pytest.raises(IdempotencyKeyReused):
        moves.adjust(**{"points": points, **changed})  # type: ignore[arg-type]
    assert moves.world.dump() == before


REFUSED: dict[str, tuple[Callable[[Moves], object], type[LoyaltyError], str | None]] = {
    "no points": (lambda moves: moves.adjust(0), AdjustmentIsZero, "/points"),
    "more than one posting": (lambda moves: moves.adjust(1_000_000_001), PointsLimitExceeded, "/points"),
    "less than one posting": (lambda moves: moves.adjust(-(10**40)), PointsLimitExceeded, "/points"),
    "no reason": (lambda moves: moves.adjust(10, reason=None), AdjustmentReasonUnknown, "/reason"),
    "a reason of nobody": (lambda moves: moves.adjust(10, reason="because"), AdjustmentReasonUnknown, "/reason"),
    "a wallet of nobody": (lambda moves: moves.adjust(10, wallet="purse"), WalletNotFound, "/wallet"),
    "more than there is": (lambda moves: moves.adjust(-101), InsufficientPoints, None),
    "a proposal of more than there is": (lambda moves: moves.adjust(-1_001), InsufficientPoints, None),
    "a member of nobody": (lambda moves: moves.adjust(10, member=DAN), MemberNotFound, None),
    "a proposal for a member of nobody": (lambda moves: moves.adjust(5_000, member=DAN), MemberNotFound, None),
    "approval of nothing": (lambda moves: moves.approve("adj_" + "0" * 26), AdjustmentNotFound, None),
    "rejection of nothing": (lambda moves: moves.reject("adj_" + "0" * 26), AdjustmentNotFound, None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_a_name_and_writes_nothing(moves: Moves, case: str) -> None:
    act, error, pointer = REFUSED[case]
    moves.grant(ADA, {"2027-03-31": 100})
    before = moves.world.dump()
    with pytest.raises(error) as refusal:
        act(moves)
    assert refusal.value.pointer == pointer
    assert moves.world.dump() == before


def test_a_proposal_is_the_members_own(moves: Moves) -> None:
    adjustment_id = proposed(moves)
    with pytest.raises(AdjustmentNotFound):
        moves.approve(adjustment_id, member=BOB)


def listed(moves: Moves, status: AdjustmentStatus, **more: object) -> list[Adjustment]:
    return moves.store.page("acme", ADA, status=status, limit=100).adjustments


def test_adjustments_are_listed_by_status(moves: Moves) -> None:
    moves.adjust(10, key="posted")
    waiting = [moves.adjust(2_000 + number, key=str(number))[0] for number in range(3)]
    moves.approve(waiting[0].adjustment_id)
    moves.reject(waiting[1].adjustment_id)
    assert [one.points for one in listed(moves, PROPOSED)] == [2_002]
    assert sorted(one.points for one in listed(moves, POSTED)) == [10, 2_000]
    assert [one.points for one in listed(moves, REJECTED)] == [2_001]


def test_pages_show_each_adjustment_once(moves: Moves) -> None:
    wanted = sorted(moves.adjust(2_000 + number, key=str(number))[0].adjustment_id for number in range(7))
    for limit in (1, 2, 3, 7, 8):
        seen: list[str] = []
        after: str | None = None
        while True:
            page = moves.store.page("acme", ADA, status=PROPOSED, limit=limit, after=after)
            seen += [one.adjustment_id for one in page.adjustments]
            if (after := page.next_after) is None:
                break
        assert seen == wanted


def test_a_list_of_a_member_of_nobody_is_refused(moves: Moves) -> None:
    assert moves.store.page("acme", BOB, status=PROPOSED, limit=5).adjustments == []
    with pytest.raises(MemberNotFound):
        moves.store.page("acme", DAN, status=PROPOSED, limit=5)


def test_a_program_may_ask_for_two_people_always(table: Table) -> None:
    moves = Moves(table, of=generous(limits={"adjustment_points": 0})).enroll()
    assert moves.adjust(1)[0].status is PROPOSED
