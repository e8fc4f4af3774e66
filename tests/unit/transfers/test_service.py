"""Gifts between members: lots keep their last day, limits hold, and both books move or none."""

from collections.abc import Callable

import pytest

from loyalty.core.errors import IdempotencyKeyReused, InsufficientPoints, LoyaltyError, MemberNotFound, WalletNotFound
from loyalty.core.table import Table
from loyalty.ledger.model import Account, EntryKind
from loyalty.transfers.errors import (
    DailyTransferLimitExceeded,
    TransferAboveMaximum,
    TransferBelowMinimum,
    TransfersNotOffered,
    TransferToSelf,
    WalletNotTransferable,
)
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves, generous

LOTS = {"2026-04-30": 30, "2026-12-31": 400, "2027-03-31": 1_000}


@pytest.fixture
def rich(moves: Moves) -> Moves:
    moves.grant(ADA, LOTS)
    return moves


def test_points_keep_their_last_day(rich: Moves) -> None:
    transfer, replayed = rich.give(100)
    assert (transfer.giver, transfer.receiver, transfer.points, replayed) == (ADA, BOB, 100, False)
    assert dict(rich.wallet(ADA).lots) == {"2026-12-31": 330, "2027-03-31": 1_000}
    assert dict(rich.wallet(BOB).lots) == {"2026-04-30": 30, "2026-12-31": 70}
    assert (transfer.giver_after.available, transfer.receiver_after.available) == (1_330, 100)


def test_both_statements_show_it_and_come_to_nothing_together(rich: Moves) -> None:
    transfer, _ = rich.give(100)
    out, into = rich.world.entries(ADA)[-1], rich.world.entries(BOB)[-1]
    assert (out.key.kind, into.key.kind) == (EntryKind.TRANSFER_OUT, EntryKind.TRANSFER_IN)
    assert out.key.source_id == into.key.source_id == transfer.transfer_id
    assert (out.facts.other_member, into.facts.other_member) == (BOB, ADA)
    assert out.posted_at == into.posted_at
    assert out.movement.change().postings == {Account.AVAILABLE: -100, Account.TRANSFERRED: 100}
    assert into.movement.change().postings == {Account.AVAILABLE: 100, Account.TRANSFERRED: -100}


def test_gifts_never_count_towards_a_tier(rich: Moves) -> None:
    rich.give(300)
    assert rich.world.book(BOB).qualifying == {}


def test_a_gift_pays_what_the_receiver_owes(rich: Moves) -> None:
    rich.world.accrue("R-1", "60", member=BOB)
    rich.adjust(-60, member=BOB)
    rich.world.refund("F-1", "R-1", "60", member=BOB)
    assert rich.wallet(BOB).available == -60
    rich.give(100)
    assert (rich.wallet(BOB).available, dict(rich.wallet(BOB).lots)) == (40, {"2026-12-31": 40})


def test_what_is_pending_or_expired_cannot_be_given(moves: Moves) -> None:
    moves.grant(ADA, {"2026-03-20": 50, "2027-03-31": 20})
    moves.world.clock.set("2026-03-21T00:00:00Z")
    with pytest.raises(InsufficientPoints):
        moves.give(50)
    moves.give(20)
    assert (moves.wallet(ADA).available, moves.wallet(BOB).available) == (0, 20)


def test_another_wallet_goes_to_the_same_wallet(moves: Moves) -> None:
    moves.grant(ADA, {"9999-12-31": 50}, wallet="stars")
    moves.give(20, wallet="stars")
    assert (moves.wallet(ADA, "stars").available, moves.wallet(BOB, "stars").available) == (30, 20)
    assert moves.wallet(BOB).available == 0


def test_sent_again_it_gives_its_first_result(rich: Moves) -> None:
    first, _ = rich.give(100)
    rich.give(7, key="later")
    rich.world.clock.advance(days=1)
    before = rich.world.dump()
    assert rich.give(100) == (first, True)
    assert rich.world.dump() == before


def test_sent_again_when_nothing_is_left_it_still_is_the_first_result(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 100})
    first, _ = moves.give(100)
    assert moves.give(100) == (first, True)
    moves.world.program = generous(2, transfers=None)
    assert moves.give(100) == (first, True)


@pytest.mark.parametrize("changed", [{"points": 101}, {"to": CLEO}, {"wallet": "stars"}])
def test_a_key_used_for_another_transfer_is_refused(rich: Moves, changed: dict[str, object]) -> None:
    rich.give(100)
    before = rich.world.dump()
    with pytest.raises(IdempotencyKeyReused):
        rich.give(**{"points": 100, **changed})  # type: ignore[arg-type]
    assert rich.world.dump() == before


def test_a_days_gifts_are_bounded_whoever_gets_them(rich: Moves) -> None:
    rich.give(300, key="1")
    rich.give(199, key="2", to=CLEO)
    before = rich.world.dump()
    with pytest.raises(DailyTransferLimitExceeded) as refusal:
        rich.give(5, key="3")
    assert "1 points may still be given today" in refusal.value.detail
    assert rich.world.dump() == before


def test_the_day_is_the_programs_own(table: Table) -> None:
    moves = Moves(table, of=generous(time_zone="Asia/Jakarta")).enroll()  # seven hours ahead
    moves.grant(ADA, {"2027-03-31": 2_000})
    moves.world.clock.set("2026-03-16T16:59:59Z")
    moves.give(300, key="1")
    moves.give(200, key="2")
    with pytest.raises(DailyTransferLimitExceeded):
        moves.give(5, key="3")
    moves.world.clock.set("2026-03-16T17:00:00Z")
    moves.give(5, key="3")


def test_every_wallet_has_a_day_of_its_own(rich: Moves) -> None:
    rich.grant(ADA, {"9999-12-31": 300}, key="stars", wallet="stars")
    rich.give(300, key="1")
    rich.give(200, key="2")
    rich.give(300, key="3", wallet="stars")
    with pytest.raises(DailyTransferLimitExceeded):
        rich.give(5, key="4")


def test_what_was_given_on_a_day_is_forgotten_by_itself(rich: Moves) -> None:
    rich.give(100)
    (raw,) = [raw for (_, sk), raw in rich.world.dump().items() if sk == "LIMIT#transfer#2026-03-15"]
    assert raw["moved"] == {"M": {"points": {"N": "100"}}}
    assert raw["ttl"] == {"N": "1773792000"}  # 2026-03-18T00:00:00Z


REFUSED: dict[str, tuple[Callable[[Moves], object], type[LoyaltyError], str | None]] = {
    "to oneself": (lambda moves: moves.give(100, to=ADA), TransferToSelf, "/to_member_id"),
    "to nobody": (lambda moves: moves.give(100, to=DAN), MemberNotFound, None),
    "from nobody": (lambda moves: moves.give(100, giver=DAN), MemberNotFound, None),
    "no points": (lambda moves: moves.give(0), TransferBelowMinimum, "/points"),
    "fewer than no points": (lambda moves: moves.give(-100), TransferBelowMinimum, "/points"),
    "too few": (lambda moves: moves.give(4), TransferBelowMinimum, "/points"),
    "too many": (lambda moves: moves.give(301), TransferAboveMaximum, "/points"),
    "far too many": (lambda moves: moves.give(10**40), TransferAboveMaximum, "/points"),
    "more than there are": (lambda moves: moves.give(200, giver=BOB, to=ADA), InsufficientPoints, None),
    "a wallet of nobody": (lambda moves: moves.give(100, wallet="purse"), WalletNotFound, "/wallet"),
    "a wallet that stays": (lambda moves: moves.give(100, wallet="cash"), WalletNotTransferable, "/wallet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_a_name_and_writes_nothing(rich: Moves, case: str) -> None:
    act, error, pointer = REFUSED[case]
    before = rich.world.dump()
    with pytest.raises(error) as refusal:
        act(rich)
    assert refusal.value.pointer == pointer
    assert rich.world.dump() == before


def test_a_program_without_transfers_has_none(table: Table) -> None:
    moves = Moves(table, of=generous(transfers=None)).enroll()
    moves.grant(ADA, LOTS)
    before = moves.world.dump()
    with pytest.raises(TransfersNotOffered):
        moves.give(100)
    assert moves.world.dump() == before


def test_a_refused_gift_leaves_its_key_free(rich: Moves) -> None:
    with pytest.raises(TransferAboveMaximum):
        rich.give(301)
    assert rich.give(100)[1] is False


def test_points_that_expired_meanwhile_are_written_down_on_both_sides(moves: Moves) -> None:
    moves.grant(ADA, {"2026-03-20": 5, "2027-03-31": 50})
    moves.grant(BOB, {"2026-03-20": 7})
    moves.world.clock.set("2026-03-25T12:00:00Z")
    moves.give(50)
    assert [entry.key.kind for entry in moves.world.entries(ADA)][-2:] == [EntryKind.EXPIRY, EntryKind.TRANSFER_OUT]
    assert [entry.key.kind for entry in moves.world.entries(BOB)][-2:] == [EntryKind.EXPIRY, EntryKind.TRANSFER_IN]
    assert dict(moves.wallet(BOB).lots) == {"2027-03-31": 50}


def test_a_long_list_of_what_fell_due_is_written_first(table: Table) -> None:
    """Two books with so much due that both would not fit into one transaction."""
    many = {f"2026-04-{day:02}": day for day in range(1, 29)}
    warned = {"policy": "rolling", "months": 12, "warn_days": [3, 2, 1]}
    moves = Moves(table, of=generous(expiry=warned)).enroll()
    for member in (ADA, BOB):
        moves.grant(member, {**many, "2027-03-31": 100})
    moves.world.clock.set("2026-05-02T12:00:00Z")
    transfer, _ = moves.give(100)
    assert (transfer.giver_after.available, transfer.receiver_after.available) == (0, 200)
    for member in (ADA, BOB):
        assert sum(entry.key.kind is EntryKind.EXPIRY for entry in moves.world.entries(member)) == 28
        assert [entry.seq for entry in moves.world.entries(member)] == list(range(1, moves.world.book(member).seq + 1))


def test_a_transfer_is_two_round_trips(rich: Moves) -> None:
    with recorded(rich.world.table.client) as calls:
        rich.give(100)
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]
