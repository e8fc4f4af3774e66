"""Households: who is in one, and what happens to its pool when they come and go."""

from collections.abc import Callable

import pytest

from loyalty.core.errors import HouseholdNotFound, LoyaltyError, MemberNotFound
from loyalty.core.table import Table
from loyalty.households.errors import (
    HouseholdClosed,
    HouseholdFull,
    HouseholdHasPoints,
    HouseholdsNotOffered,
    MemberInHousehold,
    MemberNotInHousehold,
)
from loyalty.households.service import HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.keys import HOUSEHOLD_SK, partition
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN, Moves, generous

NOBODYS = "hsh_" + "0" * 26
EVE = "mbr_" + "e" * 26


def members_of(moves: Moves, household_id: str) -> list[str]:
    return sorted(moves.households.read(moves.program, household_id).household.members)


def test_a_household_begins_with_its_head(moves: Moves) -> None:
    household = moves.found(ADA)
    assert household.household_id.startswith("hsh_")
    found = moves.households.read(moves.program, household.household_id)
    assert found.household == household
    assert (household.head, list(household.members)) == (ADA, [ADA])
    assert found.book.wallet().available == 0
    assert moves.households.of_member(moves.program, ADA) == found


def test_founded_again_with_the_same_key_it_is_the_same_household_as_it_was(moves: Moves) -> None:
    first = moves.found(ADA, BOB)
    moves.leave(first.household_id, ADA)
    moves.world.clock.advance(hours=1)
    before = moves.world.dump()
    again, replayed = moves.households.create(moves.program, ADA, client_id="app", idempotency_key="h")
    assert (again.household, replayed) == (first, True)
    assert moves.world.dump() == before


def test_members_come_and_go(moves: Moves) -> None:
    household_id = moves.found(ADA, BOB).household_id
    assert members_of(moves, household_id) == [ADA, BOB]
    moves.join(household_id, CLEO)
    moves.leave(household_id, BOB)
    assert members_of(moves, household_id) == [ADA, CLEO]
    assert moves.households.of_member(moves.program, CLEO).household.household_id == household_id
    with pytest.raises(HouseholdNotFound):
        moves.households.of_member(moves.program, BOB)


def test_while_a_join_becomes_visible_item_by_item_the_same_again_waits_for_it(moves: Moves) -> None:
    household_id = moves.found(ADA).household_id
    client, key = moves.world.table.client, {"pk": {"S": partition("acme", household_id)}, "sk": {"S": HOUSEHOLD_SK}}
    table = moves.world.table.name
    unseen = client.get_item(TableName=table, Key=key)["Item"]
    moves.join(household_id, CLEO)
    seen = client.get_item(TableName=table, Key=key)["Item"]
    client.put_item(TableName=table, Item=unseen)
    store = HouseholdStore(moves.world.table)
    service = HouseholdService(store, moves.world.clock, sleep=lambda _: client.put_item(TableName=table, Item=seen))
    assert sorted(service.join(moves.program, household_id, CLEO).household.members) == [ADA, CLEO]
    assert client.get_item(TableName=table, Key=key)["Item"] == seen


def test_to_join_again_changes_nothing(moves: Moves) -> None:
    household_id = moves.found(ADA, BOB).household_id
    before = moves.world.dump()
    assert sorted(moves.join(household_id, BOB).household.members) == [ADA, BOB]
    assert moves.world.dump() == before


def test_who_left_may_join_another(moves: Moves) -> None:
    first = moves.found(ADA, BOB).household_id
    second = moves.found(CLEO, key="other").household_id
    moves.leave(first, BOB)
    moves.join(second, BOB)
    assert (members_of(moves, first), members_of(moves, second)) == ([ADA], [BOB, CLEO])


def test_when_the_head_goes_whoever_is_in_it_longest_follows(moves: Moves) -> None:
    household_id = moves.found(ADA).household_id
    for member in (CLEO, BOB):
        moves.world.clock.advance(minutes=1)
        moves.join(household_id, member)
    assert moves.leave(household_id, ADA).household.head == CLEO
    assert moves.leave(household_id, BOB).household.head == CLEO


def test_the_last_one_to_go_closes_it_for_good(moves: Moves) -> None:
    household_id = moves.found(ADA).household_id
    closed = moves.leave(household_id, ADA).household
    assert (closed.closed_at, dict(closed.members)) == (moves.world.clock(), {})
    before = moves.world.dump()
    with pytest.raises(HouseholdClosed):
        moves.join(household_id, BOB)
    assert moves.world.dump() == before


def test_the_last_one_does_not_leave_points_behind(moves: Moves) -> None:
    moves.grant(ADA, {"2027-03-31": 100})
    household_id = moves.found(ADA, BOB).household_id
    moves.contribute(household_id, 40)
    moves.leave(household_id, ADA)
    before = moves.world.dump()
    with pytest.raises(HouseholdHasPoints):
        moves.leave(household_id, BOB)
    assert moves.world.dump() == before
    moves.withdraw(household_id, 40, member=BOB)
    assert moves.leave(household_id, BOB).household.closed_at is not None


def test_points_that_have_expired_keep_nobody(moves: Moves) -> None:
    moves.grant(ADA, {"2026-03-20": 40})
    household_id = moves.found(ADA).household_id
    moves.contribute(household_id, 40)
    moves.world.clock.set("2026-03-21T00:00:00Z")
    assert moves.leave(household_id, ADA).household.closed_at is not None
    assert moves.world.settle(household_id) == 1


REFUSED: dict[str, tuple[Callable[[Moves, str], object], type[LoyaltyError]]] = {
    "to found a second": (lambda moves, _: moves.found(ADA, key="second"), MemberInHousehold),
    "to found one for nobody": (lambda moves, _: moves.found(DAN, key="nobody"), MemberNotFound),
    "nobody joins": (lambda moves, household: moves.join(household, DAN), MemberNotFound),
    "to join nothing": (lambda moves, _: moves.join(NOBODYS, CLEO), HouseholdNotFound),
    "to leave nothing": (lambda moves, _: moves.leave(NOBODYS, ADA), HouseholdNotFound),
    "to leave as a stranger": (lambda moves, household: moves.leave(household, CLEO), MemberNotInHousehold),
    "to read nothing": (lambda moves, _: moves.households.read(moves.program, NOBODYS), HouseholdNotFound),
    "to read nobody's": (lambda moves, _: moves.households.of_member(moves.program, DAN), MemberNotFound),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_a_name_and_writes_nothing(moves: Moves, case: str) -> None:
    act, error = REFUSED[case]
    household_id = moves.found(ADA, BOB).household_id
    before = moves.world.dump()
    with pytest.raises(error):
        act(moves, household_id)
    assert moves.world.dump() == before


def test_nobody_is_in_two_households(moves: Moves) -> None:
    moves.found(ADA, BOB)
    other = moves.found(CLEO, key="other").household_id
    before = moves.world.dump()
    with pytest.raises(MemberInHousehold):
        moves.join(other, BOB)
    assert moves.world.dump() == before


def test_it_has_as_many_members_as_the_program_allows(moves: Moves) -> None:
    moves.enroll(DAN, EVE)
    household_id = moves.found(ADA, BOB, CLEO).household_id
    before = moves.world.dump()
    with pytest.raises(HouseholdFull):
        moves.join(household_id, DAN)
    assert moves.world.dump() == before
    moves.leave(household_id, BOB)
    moves.join(household_id, DAN)


def test_a_program_without_households_has_none_but_lets_members_go(table: Table) -> None:
    moves = Moves(table).enroll()
    household_id = moves.found(ADA).household_id
    moves.world.program = generous(2, households=None)
    before = moves.world.dump()
    for act in (lambda: moves.found(CLEO, key="new"), lambda: moves.join(household_id, CLEO)):
        with pytest.raises(HouseholdsNotOffered):
            act()
    assert moves.world.dump() == before
    moves.leave(household_id, ADA)
