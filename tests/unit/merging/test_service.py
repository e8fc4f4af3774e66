"""Two members who are one person: everything that both had, nothing twice, and both ids lead to it."""

from collections.abc import Callable, Sequence

import pytest

from loyalty.core.errors import EntryExistsWithDifferentRequest, LoyaltyError, MemberMerged, MemberNotFound
from loyalty.core.table import RawItem, Table
from loyalty.households.errors import MemberInHousehold
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Account, EntryKind
from loyalty.merging.decision import MAX_ABSORBED
from loyalty.merging.errors import MemberHasOpenHolds, MergeLimitExceeded, MergeWithSelf
from loyalty.transfers.errors import TransferToSelf
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves, generous
from tests.ledgerkit.programs import BASE

WITH_RETURNS = generous(
    earn_rules=[{**BASE["earn_rules"][0], "return_days": 14}, {"id": "stars", "activity": "purchase", "wallet": "stars", "fixed_points": 3}],
)  # fmt: skip
DEBTORS = generous(reversal="clamp_with_debt")


def kinds(moves: Moves, member_id: str) -> list[EntryKind]:
    return [entry.key.kind for entry in moves.world.entries(member_id)]


def owe(moves: Moves, member_id: str, points: int) -> None:
    """A member who spent what was then taken back."""
    name = f"owed-{member_id[-1]}"
    moves.world.accrue(name, str(points), member=member_id)
    moves.adjust(-points, member=member_id, key=name)
    moves.world.refund(f"back-{name}", name, str(points), member=member_id)


def test_lots_of_both_are_one_members(moves: Moves) -> None:
    moves.grant(ADA, {"2026-12-31": 100, "2027-03-31": 50})
    moves.grant(BOB, {"2026-04-30": 7, "2027-03-31": 20})
    survivor, absorbed = moves.merge()
    assert dict(moves.wallet(ADA).lots) == {"2026-04-30": 7, "2026-12-31": 100, "2027-03-31": 70}
    assert (survivor.entry.points, absorbed.entry.points) == (27, -27)
    assert (survivor.entry.facts.other_member, absorbed.entry.facts.other_member) == (BOB, ADA)
    assert survivor.entry.facts.actor == absorbed.entry.facts.actor == "staff-1"
    book = moves.world.book(BOB)
    assert (book.merged_into, book.wallet().balances.available, dict(book.wallet().lots)) == (ADA, 0, {})
    assert list(moves.world.book(ADA).absorbed) == [BOB]


def test_a_read_that_sees_half_of_the_opposite_merge_is_not_believed(
    moves: Moves, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves.grant(ADA, {"2027-03-31": 10})
    moves.grant(BOB, {"2027-03-31": 20})
    key = (partition("acme", BOB), BOOK_SK)
    before = moves.world.table.get_many([key])
    moves.merge(BOB, into=ADA)
    whole = Table.get_many
    # Of the merge, Ada's book is visible already and Bob's is not yet.

    def half(table: Table, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], RawItem]:
        return {**whole(table, keys), **{key: raw for key, raw in before.items() if key in keys}}

    monkeypatch.setattr(Table, "get_many", half)
    with pytest.raises(MemberMerged) as refused:
        moves.merge(ADA, into=BOB)
    assert (refused.value.member_id, refused.value.into) == (BOB, ADA)
    assert moves.wallet(ADA).available == 30


def test_pending_points_mature_for_the_survivor(table: Table) -> None:
    moves = Moves(table, of=WITH_RETURNS).enroll()
    moves.world.accrue("R-1", "100", member=ADA)
    moves.world.accrue("R-2", "30", member=BOB)
    moves.merge()
    assert (moves.wallet(ADA).pending, moves.wallet(ADA).available, moves.wallet(BOB).pending) == (130, 0, 0)
    assert moves.wallet(ADA, "stars").available == 6
    moves.world.clock.set("2026-03-29T00:00:00Z")
    assert (moves.wallet(ADA).pending, moves.wallet(ADA).available) == (0, 130)
    assert moves.world.settle(BOB) == 0


@pytest.mark.parametrize(
    ("ada", "bob", "available", "lots"),
    [(50, -80, -30, {}), (100, -80, 20, {"2027-03-31": 20}), (-80, 100, 20, {"2027-03-31": 20}), (-80, -5, -85, {})],
)
def test_what_one_owes_the_other_pays(moves: Moves, ada: int, bob: int, available: int, lots: dict[str, int]) -> None:
    for member_id, points in ((ADA, ada), (BOB, bob)):
        if points < 0:
            owe(moves, member_id, -points)
        else:
            moves.grant(member_id, {"2027-03-31": points})
    moves.merge()
    assert (moves.wallet(ADA).available, dict(moves.wallet(ADA).lots)) == (available, lots)
    assert moves.wallet(BOB).available == 0


@pytest.mark.parametrize(("ada", "debt", "left"), [(50, 30, 0), (100, 0, 20), (0, 80, 0)])
def test_a_debt_moves_too(table: Table, ada: int, debt: int, left: int) -> None:
    moves = Moves(table, of=DEBTORS).enroll()
    if ada:
        moves.grant(ADA, {"2027-03-31": ada})
    owe(moves, BOB, 80)
    assert (moves.wallet(BOB).available, moves.wallet(BOB).debt) == (0, 80)
    moves.merge()
    assert (moves.wallet(ADA).available, moves.wallet(ADA).debt, moves.wallet(BOB).debt) == (left, debt, 0)
    postings = moves.world.entries(BOB)[-1].movement.change().postings
    assert postings == {Account.DEBT: 80, Account.TRANSFERRED: -80}


def test_what_counts_towards_tiers_is_added_and_may_raise_the_tier(moves: Moves) -> None:
    moves.world.accrue("R-1", "300", member=ADA)
    moves.world.accrue("R-2", "250", member=BOB)
    moves.merge()
    book = moves.world.book(ADA)
    assert (dict(book.qualifying), book.tier) == ({"2026": 550}, "silver")
    assert not any(moves.world.book(BOB).qualifying.values())
    tier = moves.world.entries(ADA)[-1]
    assert (tier.key.kind, tier.facts.tier_from, tier.movement.tier) == (EntryKind.TIER, "bronze", "silver")
    assert tier.key.source_id == BOB


@pytest.mark.parametrize(
    ("ada", "bob", "tier", "raised"), [("600", "10", "silver", False), ("10", "600", "silver", True)]
)
def test_the_higher_tier_stays(moves: Moves, ada: str, bob: str, tier: str, raised: bool) -> None:
    for member_id, amount in ((ADA, ada), (BOB, bob)):
        moves.world.accrue(f"R-{member_id}", amount, member=member_id)
        moves.world.recalculate(f"R-{member_id}", member=member_id)
    moves.world.clock.set("2027-01-15T12:00:00Z")  # what they earned was last year's
    moves.merge()
    assert moves.world.book(ADA).tier == tier
    assert (kinds(moves, ADA)[-1] is EntryKind.TIER) is raised


def test_whatever_found_the_absorbed_finds_the_survivor(moves: Moves) -> None:
    before = moves.owners()
    moves.merge()
    assert moves.owners() == {pk: ADA if member_id == BOB else member_id for pk, member_id in before.items()}
    stored = moves.members.get("acme", BOB)
    assert stored is not None
    assert (stored.merged_into, stored.version) == (ADA, 2)
    assert stored.sealed.ciphertext == b"text"


def test_merged_again_it_is_the_first_result(moves: Moves) -> None:
    moves.grant(BOB, {"2027-03-31": 20})
    first = moves.merge()
    moves.world.clock.advance(days=1)
    before = moves.world.dump()
    again = moves.merge(actor="staff-2")
    assert [one.entry for one in again] == [one.entry for one in first]
    assert [one.replayed for one in (*first, *again)] == [False, False, True, True]
    assert moves.world.dump() == before


def test_an_accrual_sent_again_under_either_id_counts_once(moves: Moves) -> None:
    moves.world.accrue("R-1", "100", member=BOB)
    moves.merge()
    before = moves.world.dump()
    for member_id in (BOB, ADA):
        posted = moves.world.accrue("R-1", "100", member=member_id)
        assert (posted.replayed, posted.entry.member_id) == (True, BOB)
        with pytest.raises(EntryExistsWithDifferentRequest):
            moves.world.accrue("R-1", "101", member=member_id)
    assert moves.world.dump() == before
    assert moves.wallet(ADA).available == 100


def test_a_new_accrual_under_the_old_id_is_the_survivors_and_counts_once(moves: Moves) -> None:
    moves.merge()
    assert moves.world.accrue("R-1", "100", member=BOB).entry.member_id == ADA
    for member_id in (BOB, ADA):
        assert moves.world.accrue("R-1", "100", member=member_id).replayed
    assert moves.wallet(ADA).available == 100


def test_a_refund_of_what_the_absorbed_bought_takes_it_from_the_survivor(moves: Moves) -> None:
    moves.world.accrue("R-1", "100", member=BOB)
    moves.merge()
    moves.world.refund("F-1", "R-1", "40", member=BOB)
    moves.world.refund("F-2", "R-1", "60", member=ADA)
    assert moves.wallet(ADA).available == 0
    assert not any(moves.world.book(ADA).qualifying.values())


def test_chains_lead_to_the_last_survivor(moves: Moves) -> None:
    moves.world.accrue("R-1", "100", member=BOB)
    moves.merge(BOB, into=ADA)
    moves.merge(ADA, into=CLEO)
    assert sorted(moves.world.book(CLEO).absorbed) == [ADA, BOB]
    assert moves.wallet(CLEO).available == 100
    for member_id in (BOB, ADA, CLEO):
        assert moves.world.accrue("R-1", "100", member=member_id).replayed
    moves.world.accrue("R-2", "10", member=BOB)
    assert moves.wallet(CLEO).available == 110
    assert moves.merge(BOB, into=ADA)[0].replayed


def test_transfers_follow_a_merge_on_either_side(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 100})
    moves.enroll(DAN)
    moves.merge(ADA, into=DAN)
    moves.merge(BOB, into=CLEO)
    transfer, replayed = moves.give(40)
    assert (transfer.giver, transfer.receiver, replayed) == (DAN, CLEO, False)
    assert moves.give(40) == (transfer, True)


def test_a_transfer_sent_again_after_both_sides_were_merged_counts_once(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 100})
    moves.enroll(DAN)
    first, _ = moves.give(40)
    moves.merge(ADA, into=DAN)
    moves.merge(BOB, into=CLEO)
    before = moves.world.dump()
    assert moves.give(40) == (first, True)
    assert moves.world.dump() == before


@pytest.mark.parametrize("order", [(ADA, BOB), (BOB, ADA)])
def test_a_transfer_sent_again_counts_once_whoever_was_merged_before_and_after_it(
    moves: Moves, order: tuple[str, str]
) -> None:
    """One side was merged before the first delivery, the other before the second."""
    moves.grant(ADA, {"2027-03-31": 100})
    moves.enroll(DAN)
    survivors = {ADA: DAN, BOB: CLEO}
    moves.merge(order[0], into=survivors[order[0]])
    first, _ = moves.give(40)
    moves.merge(order[1], into=survivors[order[1]])
    before = moves.world.dump()
    assert moves.give(40) == (first, True)
    assert moves.world.dump() == before


def test_a_transfer_between_two_who_became_one_is_refused(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 100})
    first, _ = moves.give(40, key="before")
    moves.merge()
    before = moves.world.dump()
    with pytest.raises(TransferToSelf):
        moves.give(40)
    assert moves.give(40, key="before") == (first, True)
    assert moves.world.dump() == before


def test_an_adjustment_follows_and_counts_once(moves: Moves) -> None:
    posted, _ = moves.adjust(10, member=BOB, key="before")
    proposed, _ = moves.adjust(5_000, member=BOB, key="proposed")
    moves.merge()
    assert moves.adjust(10, member=BOB, key="before") == (posted, True)
    assert moves.adjust(5_000, member=BOB, key="proposed") == (proposed, True)
    later, replayed = moves.adjust(20, member=BOB, key="later")
    assert (later.posted_to, replayed) == (ADA, False)
    assert moves.adjust(20, member=BOB, key="later") == (later, True)
    assert moves.approve(proposed.adjustment_id, member=BOB).posted_to == ADA
    assert moves.approve(proposed.adjustment_id, member=BOB).posted_to == ADA
    assert moves.wallet(ADA).available == 5_030


def test_a_proposal_sent_again_after_a_merge_and_under_another_limit_is_the_first_result(moves: Moves) -> None:
    proposed, _ = moves.adjust(5_000, member=BOB)
    moves.merge()
    moves.world.program = generous(limits={"adjustment_points": 100_000})
    assert moves.adjust(5_000, member=BOB) == (proposed, True)
    assert moves.wallet(ADA).available == 0


@pytest.mark.parametrize("asked_for", [ADA, BOB])
@pytest.mark.parametrize("decided_for", [ADA, BOB])
@pytest.mark.parametrize("asked_first", [True, False])
def test_a_proposal_is_found_under_either_id(moves: Moves, asked_for: str, decided_for: str, asked_first: bool) -> None:
    if not asked_first:
        moves.merge()
    adjustment_id = moves.adjust(5_000, member=asked_for)[0].adjustment_id
    if asked_first:
        moves.merge()
    assert moves.store.get("acme", decided_for, adjustment_id).points == 5_000
    assert moves.approve(adjustment_id, member=decided_for).posted_to == ADA
    assert moves.wallet(ADA).available == 5_000


def test_a_household_may_take_the_survivor_in_under_the_old_id(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 100})
    household_id = moves.found(CLEO).household_id
    moves.merge()
    assert sorted(moves.join(household_id, BOB).household.members) == [ADA, CLEO]
    assert moves.contribute(household_id, 40, member=BOB)[0].giver == ADA
    assert moves.households.of_member(moves.program, BOB).household.household_id == household_id


def hold(moves: Moves, member_id: str) -> str:
    moves.grant(member_id, {"2027-03-31": 100})
    return moves.world.hold("key", member=member_id)[0].redemption_id


REFUSED: dict[str, tuple[Callable[[Moves], object], Callable[[Moves], object], type[LoyaltyError]]] = {
    "with itself": (lambda _: None, lambda moves: moves.merge(ADA), MergeWithSelf),
    "of nobody": (lambda _: None, lambda moves: moves.merge(DAN), MemberNotFound),
    "into nobody": (lambda _: None, lambda moves: moves.merge(into=DAN), MemberNotFound),
    "of one with points on hold": (lambda moves: hold(moves, BOB), lambda moves: moves.merge(), MemberHasOpenHolds),
    "of one in a household": (lambda moves: moves.found(BOB), lambda moves: moves.merge(), MemberInHousehold),
    "of one who is somebody else": (
        lambda moves: moves.merge(into=CLEO), lambda moves: moves.merge(), MemberMerged,
    ),
    "into one who is somebody else": (
        lambda moves: moves.merge(ADA, into=CLEO), lambda moves: moves.merge(), MemberMerged,
    ),
    "the other way round": (lambda moves: moves.merge(), lambda moves: moves.merge(ADA, into=BOB), MemberMerged),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_a_name_and_writes_nothing(moves: Moves, case: str) -> None:
    prepare, act, error = REFUSED[case]
    prepare(moves)
    before = moves.world.dump()
    with pytest.raises(error):
        act(moves)
    assert moves.world.dump() == before


def test_a_hold_that_timed_out_is_in_nobodys_way(moves: Moves) -> None:
    hold(moves, BOB)
    moves.world.clock.advance(days=8)
    moves.merge()
    assert moves.wallet(ADA).available == 100


def test_the_survivors_own_holds_stay(moves: Moves) -> None:
    redemption_id = hold(moves, ADA)
    moves.grant(BOB, {"2027-03-31": 20}, key="other")
    moves.merge()
    assert (moves.wallet(ADA).available, moves.wallet(ADA).held) == (70, 50)
    moves.world.capture(redemption_id, member=ADA)
    assert moves.wallet(ADA).held == 0


def test_a_member_absorbs_a_bounded_number_of_others(moves: Moves) -> None:
    others = [f"mbr_{letter * 26}" for letter in "defghjkmnpq"[: MAX_ABSORBED + 1]]
    moves.enroll(*others)
    moves.world.accrue("R-1", "5", member=others[0])
    for member_id in others[: MAX_ABSORBED - 1]:
        moves.merge(member_id)
    moves.merge(others[-1], into=others[-2])
    before = moves.world.dump()
    with pytest.raises(MergeLimitExceeded):
        moves.merge(others[-2])
    assert moves.world.dump() == before
    moves.merge(BOB)
    assert len(moves.world.book(ADA).absorbed) == MAX_ABSORBED
    assert moves.world.accrue("R-1", "5", member=ADA).replayed
    moves.world.accrue("R-2", "5", member=ADA)
    assert moves.wallet(ADA).available == 10


def test_a_member_without_a_profile_is_merged_all_the_same(moves: Moves) -> None:
    moves.world.enroll("mbr_old")
    moves.grant("mbr_old", {"2027-03-31": 5})
    moves.merge("mbr_old")
    assert moves.wallet(ADA).available == 5


def test_what_fell_due_is_written_down_first(moves: Moves) -> None:
    moves.grant(BOB, {"2026-03-20": 7, "2027-03-31": 20})
    moves.world.clock.set("2026-03-21T12:00:00Z")
    moves.merge()
    assert kinds(moves, BOB)[-2:] == [EntryKind.EXPIRY, EntryKind.MERGE_OUT]
    assert dict(moves.wallet(ADA).lots) == {"2027-03-31": 20}


def test_a_merge_of_two_who_were_away_for_long_fits_into_transactions(table: Table) -> None:
    """So much fell due for both, and so many were absorbed before, that one transaction would not take it."""
    moves = Moves(table, of=generous(expiry={"policy": "rolling", "months": 12, "warn_days": []})).enroll()
    others = [f"mbr_{letter * 26}" for letter in "defghjkmn"]
    moves.enroll(*others)
    for member_id in others:
        moves.merge(member_id)
    days = [f"2026-{month:02}-{day:02}" for month in (4, 5) for day in range(1, 20)]
    for member_id in (ADA, BOB):
        moves.world.accrue(f"R-{member_id}", "300", member=member_id)
        moves.grant(member_id, dict.fromkeys(days, 1))
    moves.world.clock.set("2026-06-01T12:00:00Z")
    moves.merge()
    assert dict(moves.wallet(ADA).lots) == {"2027-03-31": 600}
    assert (moves.world.book(ADA).tier, kinds(moves, ADA).count(EntryKind.EXPIRY)) == ("silver", len(days))
    assert moves.world.audit() == []


def test_the_absorbed_members_statement_stays_readable(moves: Moves) -> None:
    moves.world.accrue("R-1", "100", member=BOB)
    moves.merge()
    assert kinds(moves, BOB) == [EntryKind.ACCRUAL, EntryKind.MERGE_OUT]
    assert kinds(moves, ADA) == [EntryKind.MERGE_IN]


def test_a_merge_is_two_round_trips(moves: Moves) -> None:
    moves.grant(BOB, {"2027-03-31": 20})
    with recorded(moves.world.table.client) as calls:
        moves.merge()
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]
