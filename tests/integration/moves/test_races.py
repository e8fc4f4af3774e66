"""Many writers at once, over several books: each request counts once, no point is spent twice, none is lost."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from loyalty.core.errors import LoyaltyError, RecordChanged, WalletBusy
from loyalty.core.table import Table
from loyalty.ledger.model import Account, Entry, EntryKind
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves, generous
from tests.ledgerkit.world import total

pytestmark = pytest.mark.integration

EVE, FAY = ("mbr_" + letter * 26 for letter in "ef")
FAR = "2027-03-31"
_COME_BACK = (WalletBusy, RecordChanged)


def together(threads: int, calls: list[Callable[[], object]]) -> Counter[str]:
    """Runs ``calls`` over so many threads that start at once; outcomes by name."""
    barrier = Barrier(threads)

    def run(mine: list[Callable[[], object]]) -> list[str]:
        barrier.wait(timeout=30)
        return [_outcome(call) for call in mine]

    with ThreadPoolExecutor(threads) as pool:
        shares = list(pool.map(run, [calls[number::threads] for number in range(threads)]))
    return Counter(outcome for share in shares for outcome in share)


def _outcome(call: Callable[[], object]) -> str:
    # A writer that is told to come back comes back, as a client would.
    for _ in range(40):
        try:
            result = call()
        except _COME_BACK:
            continue
        except LoyaltyError as refusal:
            return refusal.code
        return "done" if not isinstance(result, tuple) else "again" if _replayed(result) else "done"
    return WalletBusy.code


def _replayed(result: tuple[Any, Any]) -> bool:
    """Of a service's result and flag, or of the two sides of a merge."""
    return result[1] if isinstance(result[1], bool) else bool(result[1].replayed)


def entries(moves: Moves, *members: str) -> list[Entry]:
    return [entry for member_id in members for entry in moves.world.entries(member_id)]


def proven(moves: Moves) -> None:
    assert moves.world.audit() == []


def test_gifts_in_both_directions_at_once_are_all_made(moves: Moves) -> None:
    for member_id in (ADA, BOB):
        moves.grant(member_id, {"2026-12-31": 100, FAR: 100})
    gifts: list[Callable[[], object]] = []
    for number in range(32):
        giver, receiver = (ADA, BOB) if number % 2 else (BOB, ADA)
        gifts.append(partial(moves.give, 5, key=str(number), giver=giver, to=receiver))
    assert together(16, gifts) == {"done": 32}
    assert moves.lots((ADA, BOB)) == {"2026-12-31": 200, FAR: 200}
    assert total(entries(moves, ADA, BOB), Account.TRANSFERRED) == 0
    assert (moves.wallet(ADA).available, moves.wallet(BOB).available) == (200, 200)
    proven(moves)


def test_what_is_there_is_given_once_whoever_asks(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 100})
    gifts = [partial(moves.give, 10, key=str(number), to=(BOB, CLEO)[number % 2]) for number in range(32)]
    assert together(16, [*gifts]) == {"done": 10, "insufficient_points": 22}
    assert moves.wallet(ADA).available == 0
    assert moves.wallet(BOB).available + moves.wallet(CLEO).available == 100
    proven(moves)


def test_a_double_click_gives_once(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 100})
    assert together(8, [partial(moves.give, 50)] * 16) == {"done": 1, "again": 15}
    assert moves.wallet(BOB).available == 50
    proven(moves)


def test_the_limit_of_a_day_holds_however_many_ask_at_once(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 5_000})
    gifts = [partial(moves.give, 100, key=str(number)) for number in range(16)]
    assert together(16, [*gifts]) == {"done": 5, "daily_transfer_limit_exceeded": 11}
    assert moves.wallet(BOB).available == 500
    proven(moves)


def test_two_people_who_approve_at_once_post_once(moves: Moves) -> None:
    adjustment_id = moves.adjust(5_000)[0].adjustment_id
    approvals = [partial(moves.approve, adjustment_id, actor=f"staff-{number}") for number in range(2, 10)]
    assert together(8, [*approvals]) == {"done": 1, "adjustment_already_posted": 7}
    assert [entry.points for entry in moves.world.entries(ADA)] == [5_000]
    proven(moves)


def test_a_proposal_is_approved_or_rejected_but_never_both(moves: Moves) -> None:
    for number in range(4):
        adjustment_id = moves.adjust(5_000, key=str(number))[0].adjustment_id
        decisions: list[Callable[[], object]] = [partial(moves.approve, adjustment_id, actor="staff-2")] * 4
        decisions += [partial(moves.reject, adjustment_id, actor="staff-3")] * 4
        before = len(moves.world.entries(ADA))
        outcomes = together(8, decisions)
        posted = len(moves.world.entries(ADA)) - before
        refused = "adjustment_already_posted" if posted else "adjustment_already_rejected"
        assert outcomes == {"done": 4, refused: 4}
        assert posted in {0, 1}
    proven(moves)


@pytest.mark.parametrize(("points", "entries_made"), [(500, 1), (5_000, 0)])
def test_one_request_of_many_clicks_is_one_adjustment(moves: Moves, points: int, entries_made: int) -> None:
    assert together(8, [partial(moves.adjust, points)] * 16) == {"done": 1, "again": 15}
    assert len(moves.world.entries(ADA)) == entries_made
    assert sum(sk.startswith("ADJUSTMENT#") for _, sk in moves.world.dump()) == 1
    proven(moves)


def test_a_merge_among_accruals_refunds_and_gifts_loses_and_doubles_nothing(moves: Moves) -> None:
    """Everything is sent while the merge is under way, and once more under the survivor's id when it is done."""
    moves.grant(CLEO, {FAR: 500})
    for number in range(8):
        moves.world.accrue(f"B-{number}", "20", member=BOB)
    merge = partial(moves.merge, BOB, into=ADA)
    early: list[Callable[[], object]] = []
    for number in range(8):
        early.append(partial(moves.world.accrue, f"R-{number}", "10", member=BOB))
        early.append(partial(moves.world.accrue, f"A-{number}", "1", member=ADA))
        early.append(partial(moves.world.refund, f"F-{number}", f"B-{number}", "6", member=BOB))
        early.append(partial(moves.give, 5, key=f"to-{number}", giver=CLEO, to=BOB))
        early.append(partial(moves.give, 5, key=f"from-{number}", giver=BOB, to=CLEO))
        early.append(partial(moves.adjust, 2, key=str(number), member=BOB))
        early.append(merge)
    outcomes = together(16, early)
    assert outcomes.keys() <= {"done", "again"}, outcomes
    # Whatever came before the merge counts under the survivor's id too, and never again.
    again: list[Callable[[], object]] = [*early]
    for number in range(8):
        again.append(partial(moves.world.accrue, f"R-{number}", "10", member=ADA))
        again.append(partial(moves.world.accrue, f"B-{number}", "20", member=ADA))
        again.append(partial(moves.world.refund, f"F-{number}", f"B-{number}", "6", member=ADA))
    before = moves.world.dump()
    assert together(16, again).keys() <= {"done", "again"}
    assert moves.world.dump() == before
    expected = 8 * (20 + 10 + 1 - 6 + 2)
    assert moves.wallet(ADA).available == expected
    assert (moves.wallet(BOB).available, moves.wallet(CLEO).available) == (0, 500)
    accruals = Counter(entry.key for entry in entries(moves, ADA, BOB) if entry.key.kind is EntryKind.ACCRUAL)
    assert len(accruals) == 24
    assert set(accruals.values()) == {1}
    kinds = Counter(entry.key.kind for entry in entries(moves, ADA, BOB))
    assert (kinds[EntryKind.MERGE_IN], kinds[EntryKind.MERGE_OUT]) == (1, 1)
    proven(moves)


def test_of_two_merges_in_opposite_directions_one_happens(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 10})
    moves.grant(BOB, {FAR: 20})
    merges: list[Callable[[], object]] = [partial(moves.merge, BOB, into=ADA), partial(moves.merge, ADA, into=BOB)] * 4
    outcomes = together(8, merges)
    assert outcomes == {"done": 1, "again": 3, "member_merged": 4}
    assert moves.wallet(ADA).available + moves.wallet(BOB).available == 30
    proven(moves)


def test_a_chain_of_merges_at_once_ends_with_one_who_has_everything(moves: Moves) -> None:
    for number, member_id in enumerate((ADA, BOB, CLEO)):
        moves.grant(member_id, {FAR: 10**number})
    merges: list[Callable[[], object]] = [partial(moves.merge, CLEO, into=BOB), partial(moves.merge, BOB, into=ADA)] * 4
    together(8, merges)
    _outcome(partial(moves.merge, CLEO, into=ADA))  # if Bob was absorbed first, Cleo was refused
    book = moves.world.store.current("acme", CLEO)
    assert book is not None
    assert (book.member_id, book.wallet().available) == (ADA, 111)
    assert set(moves.owners().values()) <= {ADA, BOB}
    proven(moves)


def test_a_member_who_joins_and_is_absorbed_at_once_does_one_of_the_two(moves: Moves) -> None:
    household_id = moves.found(CLEO).household_id
    calls: list[Callable[[], object]] = [partial(moves.join, household_id, BOB), partial(moves.merge, BOB, into=ADA)]
    outcomes = together(2, calls)
    inside = set(moves.households.read(moves.program, household_id).household.members)
    if outcomes == {"done": 2}:  # absorbed first: the survivor joined in Bob's place
        assert inside == {CLEO, ADA}
    else:
        assert outcomes == {"done": 1, "member_in_household": 1}
        assert inside == {CLEO, BOB}
        assert moves.world.book(BOB).merged_into is None
    proven(moves)


def test_a_household_is_never_fuller_than_it_may_be(moves: Moves) -> None:
    moves.enroll(DAN, EVE, FAY)
    household_id = moves.found(ADA).household_id
    joins = [partial(moves.join, household_id, member_id) for member_id in (BOB, CLEO, DAN, EVE, FAY)]
    assert together(5, [*joins]) == {"done": 2, "household_full": 3}
    assert len(moves.households.read(moves.program, household_id).household.members) == 3
    proven(moves)


def test_nobody_is_in_two_households_however_quick(moves: Moves) -> None:
    one, two = moves.found(ADA, key="1").household_id, moves.found(BOB, key="2").household_id
    calls: list[Callable[[], object]] = [partial(moves.join, one, CLEO), partial(moves.join, two, CLEO)] * 2
    outcomes = together(4, calls)
    assert outcomes == {"done": 2, "member_in_household": 2}
    proven(moves)


def test_a_pool_is_emptied_once(moves: Moves) -> None:
    moves.grant(ADA, {FAR: 100})
    household_id = moves.found(ADA, BOB, CLEO).household_id
    moves.contribute(household_id, 100)
    takes = [
        partial(moves.withdraw, household_id, 10, member=(ADA, BOB, CLEO)[number % 3], key=str(number))
        for number in range(24)
    ]
    assert together(12, [*takes]) == {"done": 10, "insufficient_points": 14}
    assert moves.wallet(household_id).available == 0
    assert sum(moves.wallet(member_id).available for member_id in (ADA, BOB, CLEO)) == 100
    proven(moves)


def test_nobody_leaves_a_household_while_putting_points_into_it(moves: Moves) -> None:
    for number in range(4):
        moves.grant(ADA, {FAR: 10}, key=str(number))
        household_id = moves.found(ADA, key=str(number)).household_id
        calls: list[Callable[[], object]] = [
            partial(moves.leave, household_id, ADA), partial(moves.contribute, household_id, 10, key=str(number)),
        ]  # fmt: skip
        outcomes = together(2, calls)
        found = moves.households.read(moves.program, household_id)
        if found.household.closed_at is not None:
            assert outcomes == {"done": 1, "member_not_in_household": 1}
            assert found.book.wallet().available == 0
        else:
            assert outcomes == {"done": 1, "household_has_points": 1}
            moves.withdraw(household_id, 10, key=str(number))
            moves.leave(household_id, ADA)
    proven(moves)


def test_a_change_of_profile_during_a_merge_is_kept_or_refused(table: Table) -> None:
    """The absorbed member's lookups lead to the survivor, whichever of the two was first."""
    moves = Moves(table, of=generous()).enroll()
    before = moves.members.get("acme", BOB)
    assert before is not None
    moved = {**before.lookups, "phone": "phone-B"}

    def change() -> str:
        after = type(before)(**{
            **{name: getattr(before, name) for name in before.__slots__}, "version": 2, "lookups": moved,
        })  # fmt: skip
        return "changed" if not moves.members.replace(before, after) else "refused"

    calls: list[Callable[[], object]] = [change, partial(moves.merge, BOB, into=ADA)]
    together(2, calls)
    assert moves.world.book(BOB).merged_into == ADA
    stored = moves.members.get("acme", BOB)
    assert stored is not None
    assert stored.merged_into == ADA
    assert BOB not in moves.owners().values()
    assert len([owner for owner in moves.owners().values() if owner == ADA]) == 6 + ("phone" in stored.lookups)
