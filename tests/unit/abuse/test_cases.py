"""What people decide: hold, release with one pair of eyes or two, confirm; what a hold refuses, and what it does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.abuse.errors import RedemptionsOnHold, RiskNotFound, RiskReleased
from loyalty.abuse.model import Person, State
from loyalty.abuse.watch import Kind
from loyalty.core.errors import MemberMerged, MemberNotFound, SecondPersonRequired
from loyalty.core.table import Table
from loyalty.rewards.holding import Wish
from tests.ledgerkit.moves import ADA, BOB, CLEO
from tests.unit.abuse.watched import ANN, BEN, LOTS, Watched


@pytest.fixture
def watched(table: Table) -> Watched:
    return Watched(table)


@pytest.fixture
def held(watched: Watched) -> Watched:
    """Ada is on hold by hand."""
    watched.cases.hold("acme", ADA, ANN, "complaint")
    return watched


Act = Callable[[Watched, str], object]
HOUSE = "with Bob"


@pytest.mark.parametrize(
    "act",
    [
        lambda watched, _: watched.world.hold("k", member=ADA),
        lambda watched, _: watched.moves.give(10, giver=ADA, to=CLEO),
        lambda watched, house: watched.moves.contribute(house, 10, member=ADA),
        lambda watched, house: watched.moves.withdraw(house, 10, member=ADA),
    ],
)
def test_on_hold_no_points_leave_and_released_they_do(watched: Watched, act: Act) -> None:
    house = watched.moves.found(ADA, BOB).household_id
    watched.moves.contribute(house, 50, key="before")
    watched.cases.hold("acme", ADA, ANN, "complaint")
    before = watched.world.dump()
    with pytest.raises(RedemptionsOnHold):
        act(watched, house)
    assert watched.world.dump() == before
    watched.cases.release("acme", ADA, ANN, "called_back", second_person=False)
    act(watched, house)
    assert watched.world.audit() == []


def test_on_hold_everything_else_goes_on(held: Watched) -> None:
    held.world.accrue("R-1", "100", member=ADA)
    held.world.refund("F-1", "R-1", "20", member=ADA)
    held.moves.grant(BOB, LOTS)
    held.moves.give(10, giver=BOB, to=ADA)
    held.moves.adjust(5)
    assert held.world.wallet(ADA).available == 1_000 + 100 - 20 + 10 + 5
    assert held.world.book(ADA).on_hold, "no posting lifts it"
    assert held.world.audit() == []


def test_what_was_held_before_is_answered_and_ended_as_ever(watched: Watched) -> None:
    first, _ = watched.world.hold("k", member=ADA)
    watched.cases.hold("acme", ADA, ANN, "complaint")
    again, replayed = watched.world.hold("k", member=ADA)
    assert (again, replayed) == (first, True)
    watched.world.capture(first.redemption_id, member=ADA)
    assert watched.world.audit() == []


def test_a_quote_says_that_there_is_a_hold(held: Watched) -> None:
    quote = held.world.redemptions.quote(held.world.program, ADA, Wish("coffee", 1))
    assert quote.objections[0].code == "redemptions_on_hold"


class TestRelease:
    def test_two_people_release(self, held: Watched) -> None:
        proposed = held.cases.release("acme", ADA, ANN, "called_back", second_person=True)
        assert (proposed.state, proposed.on_hold) == (State.OPEN, True)
        assert proposed.proposed is not None
        released = held.cases.release("acme", ADA, BEN, "agreed", second_person=True)
        assert (released.state, released.on_hold, released.proposed) == (State.RELEASED, False, None)
        assert not held.world.book(ADA).on_hold
        assert sorted(held.lines()) == ["risk.held", "risk.release_proposed", "risk.released"]
        assert held.store.page("acme", limit=10).items == []

    @pytest.mark.parametrize("other", [replace(BEN, through=ANN.through), replace(BEN, actor="person:Ann")])
    def test_neither_the_same_person_nor_the_same_client_is_a_second_one(self, held: Watched, other: Person) -> None:
        held.cases.release("acme", ADA, ANN, "called_back", second_person=True)
        before = held.world.dump()
        with pytest.raises(SecondPersonRequired):
            held.cases.release("acme", ADA, other, "agreed", second_person=True)
        assert held.world.dump() == before

    def test_asked_for_again_it_is_as_it_is(self, held: Watched) -> None:
        held.cases.release("acme", ADA, ANN, "called_back", second_person=True)
        before = held.world.dump()
        held.cases.release("acme", ADA, ANN, "called_back", second_person=True)
        assert held.world.dump() == before
        held.cases.release("acme", ADA, BEN, "agreed", second_person=True)
        before = held.world.dump()
        held.cases.release("acme", ADA, BEN, "agreed", second_person=True)
        assert held.world.dump() == before

    def test_a_new_signal_takes_a_proposal_back(self, held: Watched) -> None:
        held.cases.release("acme", ADA, ANN, "called_back", second_person=True)
        held.spike()
        assert held.case().proposed is None
        assert held.cases.release("acme", ADA, BEN, "agreed", second_person=True).on_hold

    def test_of_a_released_member_there_is_nothing_to_release(self, held: Watched) -> None:
        held.cases.release("acme", ADA, ANN, "called_back", second_person=False)
        with pytest.raises(RiskReleased):
            held.cases.release("acme", ADA, BEN, "again", second_person=False)
        with pytest.raises(RiskReleased):
            held.cases.confirm("acme", ADA, BEN, "late")


def test_a_confirmed_case_stays_on_hold_and_is_not_listed(watched: Watched) -> None:
    for number in range(3):
        watched.see(watched.note(Kind.REVEAL, str(number)))
    assert not watched.case().on_hold
    confirmed = watched.cases.confirm("acme", ADA, ANN, "stolen_account")
    assert (confirmed.state, confirmed.on_hold, watched.world.book(ADA).on_hold) == (State.CONFIRMED, True, True)
    assert watched.store.page("acme", limit=10).items == []
    assert watched.cases.confirm("acme", ADA, BEN, "too") == confirmed
    released = watched.cases.release("acme", ADA, BEN, "appeal", second_person=False)
    assert (released.state, watched.world.book(ADA).on_hold) == (State.RELEASED, False)


def test_nobody_and_nothing(watched: Watched) -> None:
    with pytest.raises(RiskNotFound):
        watched.case(CLEO)
    for act in (watched.cases.hold, watched.cases.confirm):
        with pytest.raises(MemberNotFound):
            act("acme", "mbr_nobody", ANN, "x")
    watched.moves.merge(BOB, into=ADA)
    with pytest.raises(MemberMerged):
        watched.cases.hold("acme", BOB, ANN, "x")


class TestMerges:
    def test_a_merge_does_not_wash_a_hold_off(self, watched: Watched) -> None:
        watched.cases.hold("acme", BOB, ANN, "complaint")
        watched.moves.merge(BOB, into=ADA)
        case = watched.case(ADA)
        assert (case.member_id, case.on_hold, case.held and case.held.by) == (ADA, True, ANN)
        assert watched.case(BOB).state is State.MERGED
        with pytest.raises(RedemptionsOnHold):
            watched.world.hold("k", member=ADA)
        assert [one.member_id for one in watched.store.page("acme", limit=10).items] == [ADA]
        watched.cases.release("acme", ADA, ANN, "called_back", second_person=False)
        watched.world.hold("k", member=ADA)
        assert watched.world.audit() == []

    def test_both_cases_become_one(self, watched: Watched) -> None:
        watched.spike(BOB)
        for number in range(3):
            watched.see(watched.note(Kind.REVEAL, str(number)))
        watched.cases.confirm("acme", BOB, BEN, "stolen")
        watched.moves.merge(BOB, into=ADA)
        case = watched.case(ADA)
        assert (case.state, case.on_hold) == (State.CONFIRMED, True)
        assert sorted(one.signal for one in case.evidence) == ["many_accruals", "many_reveals"]
        assert watched.world.audit() == []

    def test_a_case_that_is_settled_stays_behind(self, watched: Watched) -> None:
        watched.cases.hold("acme", BOB, ANN, "complaint")
        watched.cases.release("acme", BOB, ANN, "called_back", second_person=False)
        watched.moves.merge(BOB, into=ADA)
        with pytest.raises(RiskNotFound):
            watched.case(ADA)
        watched.world.hold("k", member=ADA)


def test_the_audit_finds_a_hold_without_a_case_and_a_case_without_a_hold(held: Watched) -> None:
    key = {"pk": {"S": f"M#acme#{ADA}"}, "sk": {"S": "WALLET"}}
    held.world.table.client.update_item(TableName="ledger", Key=key, UpdateExpression="REMOVE on_hold")
    assert [finding.code for finding in held.world.audit()] == ["wallet_on_hold_wrong"]
    risk = key | {"sk": {"S": "RISK"}}
    held.world.table.client.update_item(TableName="ledger", Key=risk, UpdateExpression="REMOVE on_hold")
    assert held.world.audit() == []
    setting = {"UpdateExpression": "SET on_hold = :yes", "ExpressionAttributeValues": {":yes": {"BOOL": True}}}
    held.world.table.client.update_item(TableName="ledger", Key=key, **setting)
    assert [finding.code for finding in held.world.audit()] == ["wallet_on_hold_wrong"]


def test_open_cases_come_page_by_page_the_oldest_first(watched: Watched) -> None:
    for member in (CLEO, ADA, BOB):
        watched.cases.hold("acme", member, ANN, "complaint")
        watched.world.clock.now += timedelta(minutes=1)
    first = watched.store.page("acme", limit=2)
    assert [one.member_id for one in first.items] == [CLEO, ADA]
    last = watched.store.page("acme", limit=2, after=first.next)
    assert [one.member_id for one in last.items] == [BOB]
