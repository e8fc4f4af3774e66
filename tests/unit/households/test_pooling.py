"""Points into the pool and out of it: transfers that only members of the household may make."""

from collections.abc import Callable

import pytest

from loyalty.core.errors import (
    HouseholdNotFound,
    IdempotencyKeyReused,
    InsufficientPoints,
    LoyaltyError,
    MemberNotFound,
    PointsLimitExceeded,
)
from loyalty.households.errors import DailyHouseholdLimitExceeded, HouseholdsNotOffered, MemberNotInHousehold
from loyalty.ledger.model import Account, EntryKind
from loyalty.transfers.errors import TransferBelowMinimum
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves, generous

NOBODYS = "hsh_" + "0" * 26
LOTS = {"2026-04-30": 30, "2027-03-31": 1_000}


@pytest.fixture
def pool(moves: Moves) -> str:
    """Ada's and Bob's household; Ada has the points."""
    moves.grant(ADA, LOTS)
    return moves.found(ADA, BOB).household_id


def test_points_keep_their_last_day_in_the_pool_and_out_of_it(moves: Moves, pool: str) -> None:
    moves.contribute(pool, 100)
    assert dict(moves.wallet(pool).lots) == {"2026-04-30": 30, "2027-03-31": 70}
    transfer, replayed = moves.withdraw(pool, 50, member=BOB)
    assert (transfer.giver, transfer.receiver, replayed) == (pool, BOB, False)
    assert dict(moves.wallet(pool).lots) == {"2027-03-31": 50}
    assert dict(moves.wallet(BOB).lots) == {"2026-04-30": 30, "2027-03-31": 20}
    assert dict(moves.wallet(ADA).lots) == {"2027-03-31": 930}


def test_the_statement_of_the_pool_names_the_members(moves: Moves, pool: str) -> None:
    moves.contribute(pool, 100)
    moves.withdraw(pool, 50, member=BOB)
    into, out = moves.world.entries(pool)
    assert (into.key.kind, into.facts.other_member) == (EntryKind.TRANSFER_IN, ADA)
    assert (out.key.kind, out.facts.other_member) == (EntryKind.TRANSFER_OUT, BOB)
    assert out.movement.change().postings == {Account.AVAILABLE: -50, Account.TRANSFERRED: 50}
    assert moves.world.entries(ADA)[-1].entry_id == into.entry_id.replace("transfer_in", "transfer_out")


def test_points_in_the_pool_expire_on_their_day(moves: Moves, pool: str) -> None:
    moves.contribute(pool, 100)
    moves.world.clock.set("2026-05-01T00:00:00Z")
    assert moves.wallet(pool).available == 70
    assert moves.world.settle(pool) == 1 + 2  # two warnings came first


@pytest.mark.parametrize("act", ["contribute", "withdraw"])
def test_sent_again_it_gives_its_first_result(moves: Moves, pool: str, act: str) -> None:
    moves.contribute(pool, 150, key="first")
    first, _ = getattr(moves, act)(pool, 50)
    moves.contribute(pool, 10, key="later")
    moves.leave(pool, ADA)
    before = moves.world.dump()
    assert getattr(moves, act)(pool, 50) == (first, True)
    assert moves.world.dump() == before


@pytest.mark.parametrize("act", ["contribute", "withdraw"])
@pytest.mark.parametrize("changed", [{"points": 51}, {"member": BOB}])
def test_a_key_used_for_something_else_is_refused(
    moves: Moves, pool: str, act: str, changed: dict[str, object]
) -> None:
    moves.grant(BOB, LOTS)
    moves.contribute(pool, 150, key="first")
    getattr(moves, act)(pool, 50)
    before = moves.world.dump()
    with pytest.raises(IdempotencyKeyReused):
        getattr(moves, act)(**{"household_id": pool, "points": 50, **changed})
    assert moves.world.dump() == before


def test_one_key_may_stand_for_one_contribution_and_one_withdrawal(moves: Moves, pool: str) -> None:
    moves.contribute(pool, 50)
    moves.withdraw(pool, 50)
    assert moves.wallet().available == 1_030


def test_what_a_member_takes_out_on_a_day_is_bounded(moves: Moves, pool: str) -> None:
    moves.contribute(pool, 500)
    moves.withdraw(pool, 150, member=BOB, key="1")
    before = moves.world.dump()
    with pytest.raises(DailyHouseholdLimitExceeded):
        moves.withdraw(pool, 51, member=BOB, key="2")
    assert moves.world.dump() == before
    moves.withdraw(pool, 50, member=BOB, key="3")
    moves.withdraw(pool, 200, member=ADA, key="4")
    moves.world.clock.set("2026-03-16T00:00:00Z")
    moves.withdraw(pool, 100, member=BOB, key="5")
    assert moves.wallet(BOB).available == 300


REFUSED: dict[str, tuple[Callable[[Moves, str], object], type[LoyaltyError]]] = {
    "a stranger puts in": (lambda moves, pool: moves.contribute(pool, 10, member=CLEO), MemberNotInHousehold),
    "a stranger takes out": (lambda moves, pool: moves.withdraw(pool, 10, member=CLEO), MemberNotInHousehold),
    "nobody puts in": (lambda moves, pool: moves.contribute(pool, 10, member=DAN), MemberNotFound),
    "nobody takes out": (lambda moves, pool: moves.withdraw(pool, 10, member=DAN), MemberNotFound),
    "into nothing": (lambda moves, _: moves.contribute(NOBODYS, 10), HouseholdNotFound),
    "out of nothing": (lambda moves, _: moves.withdraw(NOBODYS, 10), HouseholdNotFound),
    "no points in": (lambda moves, pool: moves.contribute(pool, 0), TransferBelowMinimum),
    "fewer than none out": (lambda moves, pool: moves.withdraw(pool, -10), TransferBelowMinimum),
    "too many in": (lambda moves, pool: moves.contribute(pool, 1_000_000_001), PointsLimitExceeded),
    "too many out": (lambda moves, pool: moves.withdraw(pool, 10**40), PointsLimitExceeded),
    "more than the member has": (lambda moves, pool: moves.contribute(pool, 1, member=BOB), InsufficientPoints),
    "more than the pool has": (lambda moves, pool: moves.withdraw(pool, 101), InsufficientPoints),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_a_name_and_writes_nothing(moves: Moves, pool: str, case: str) -> None:
    act, error = REFUSED[case]
    moves.contribute(pool, 100, key="first")
    before = moves.world.dump()
    with pytest.raises(error):
        act(moves, pool)
    assert moves.world.dump() == before


def test_who_has_left_takes_nothing_out(moves: Moves, pool: str) -> None:
    moves.contribute(pool, 100)
    moves.leave(pool, ADA)
    for act in (moves.contribute, moves.withdraw):
        with pytest.raises(MemberNotInHousehold):
            act(pool, 10, key="later")


def test_a_program_that_stops_offering_households_still_gives_the_points_back(moves: Moves, pool: str) -> None:
    moves.contribute(pool, 500)
    moves.world.program = generous(2, households=None)
    with pytest.raises(HouseholdsNotOffered):
        moves.contribute(pool, 10, key="more")
    moves.withdraw(pool, 500)
    assert moves.wallet().available == 1_030


@pytest.mark.parametrize("act", ["contribute", "withdraw"])
def test_pooling_is_two_round_trips(moves: Moves, pool: str, act: str) -> None:
    moves.contribute(pool, 100, key="first")
    with recorded(moves.world.table.client) as calls:
        getattr(moves, act)(pool, 50)
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]
