"""Accruals and reversals of members who were merged: posted once, found under every id."""

from functools import partial
from typing import Any

import pytest

from loyalty.accruals.errors import AccrualFullyReversed, AmountExceedsAccrual, OccurredInFuture
from loyalty.accruals.model import Activity, Refund
from loyalty.core.errors import EntryExistsWithDifferentRequest, EntryNotFound, LoyaltyError
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.draft import Posted
from tests.ledgerkit.calls import Cut, killed_at
from tests.ledgerkit.clock import at
from tests.ledgerkit.world import NOON, World
from tests.unit.accruals.rules import merge, pending

OLD, NEW, NEWEST = "mbr_old", "mbr_new", "mbr_newest"


@pytest.fixture
def merged(world: World) -> World:
    """100 earned by the old member, who was then merged into the new one, and that into the newest."""
    world.enroll(OLD, NEW, NEWEST)
    world.accrue("R-1", "100", member=OLD)
    merge(world, OLD, NEW)
    merge(world, NEW, NEWEST)
    assert world.wallet(NEWEST).available == 100
    return world


@pytest.mark.parametrize("sent_to", [OLD, NEW, NEWEST])
@pytest.mark.parametrize("again", [OLD, NEW, NEWEST])
def test_a_reversal_finds_the_accrual_under_every_id_and_takes_from_who_has_the_points(
    merged: World, sent_to: str, again: str
) -> None:
    entry = merged.refund("F-1", "R-1", "30", member=sent_to).entry
    assert (entry.member_id, entry.points) == (NEWEST, -30)
    before = merged.dump()
    assert merged.refund("F-1", "R-1", "30", member=again) == Posted(entry, replayed=True)
    with pytest.raises(EntryExistsWithDifferentRequest):
        merged.refund("F-1", "R-1", "31", member=again)
    assert merged.dump() == before
    merged.refund("F-2", "R-1", everything=True, member=again)
    with pytest.raises(AccrualFullyReversed):
        merged.refund("F-3", "R-1", "0.01", member=sent_to)
    assert merged.wallet(NEWEST).available == 0


@pytest.mark.parametrize("sent_to", [OLD, NEW, NEWEST])
def test_what_was_posted_before_a_merge_is_never_posted_again(merged: World, sent_to: str) -> None:
    before = merged.dump()
    again = merged.accrue("R-1", "100", member=sent_to)
    assert (again.replayed, again.entry.member_id) == (True, OLD)
    with pytest.raises(EntryExistsWithDifferentRequest):
        merged.accrue("R-1", "101", member=sent_to)
    assert merged.dump() == before


@pytest.mark.parametrize(("sent_to", "given_back_at"), [(OLD, NEWEST), (NEWEST, OLD), (OLD, NEW), (OLD, OLD)])
def test_what_is_sent_to_a_merged_member_is_posted_to_who_it_is_now(
    merged: World, sent_to: str, given_back_at: str
) -> None:
    assert merged.accrue("R-2", "50", member=sent_to).entry.member_id == NEWEST
    assert merged.refund("F-2", "R-2", "20", member=given_back_at).entry.balances.available == 130
    assert ("M#acme#mbr_newest", "REVERSED#pos#R-2") in merged.dump()


@pytest.mark.parametrize("sent_to", [OLD, NEW, NEWEST])
def test_a_reversal_of_nothing_is_not_found_under_any_id(merged: World, sent_to: str) -> None:
    before = merged.dump()
    with pytest.raises(EntryNotFound):
        merged.refund("F-1", "R-0", "1", member=sent_to)
    assert merged.dump() == before


def test_a_reversal_that_waits_is_posted_with_its_accrual_after_a_merge(world: World) -> None:
    world.enroll(OLD, NEW)
    world.reversals.reverse(world.program, OLD, _refund("F-1", "R-1", "30"))
    merge(world, OLD, NEW)
    world.reversals.reverse(world.program, OLD, _refund("F-2", "R-1", "20"))
    world.accrue("R-1", "100", member=OLD)
    assert [entry.points for entry in world.entries(NEW)[1:]] == [100, -30, -20]
    assert not [sk for _, sk in world.dump() if sk.startswith(("WAITING#", "AWAITED#"))]


@pytest.mark.parametrize("sent_to", [OLD, NEW, NEWEST])
def test_a_reversal_that_waited_with_one_for_what_was_posted_to_another_is_posted_by_their_merge(
    world: World, sent_to: str
) -> None:
    world.enroll(OLD, NEW, NEWEST)
    refund = Refund("pos", "F-1", "R-1", NOON, amount=Money.of("30", "EUR"))
    world.reversals.reverse(world.program, NEW, refund)
    world.accrue("R-1", "100", member=OLD)
    merge(world, OLD, NEWEST)
    merge(world, NEW, NEWEST)
    assert (world.book(NEWEST).awaiting, world.wallet(NEWEST).available) == (0, 70)
    assert world.reversals.page("acme", NEW, limit=10).items == []
    posted = world.reversals.reverse(world.program, sent_to, refund)
    assert isinstance(posted, Posted)
    assert (posted.entry.member_id, posted.replayed) == (NEWEST, True)
    world.proven()


def test_a_merge_that_was_cut_off_before_what_waited_goes_on_with_it_when_it_is_sent_again(world: World) -> None:
    world.enroll(OLD, NEW)
    world.reversals.reverse(world.program, OLD, _refund("F-1", "R-1", "30"))
    world.accrue("R-1", "100", member=NEW)
    with killed_at(world.table.client, 3, Cut.BEFORE):
        merge(world, OLD, NEW)
    assert (world.book(NEW).awaiting, world.wallet(NEW).available) == (1, 100)
    merge(world, OLD, NEW)
    assert (world.book(NEW).awaiting, world.wallet(NEW).available) == (0, 70)
    world.proven()


def test_what_its_accrual_refuses_waits_on_after_a_merge(world: World) -> None:
    world.enroll(OLD, NEW)
    world.reversals.reverse(world.program, OLD, _refund("F-1", "R-1", "130"))
    world.reversals.reverse(world.program, OLD, _refund("F-2", "R-2", "1"))
    world.accrue("R-1", "100", member=NEW)
    merge(world, OLD, NEW)
    assert (world.book(NEW).awaiting, world.wallet(NEW).available) == (2, 100)
    assert [finding.code for finding in world.audit()] == ["waiting_although_posted"]


@pytest.mark.parametrize("kept_with", [OLD, NEW])
@pytest.mark.parametrize("sent_to", [OLD, NEW])
def test_an_accrual_finds_what_waits_for_it_under_every_id(world: World, kept_with: str, sent_to: str) -> None:
    world.enroll(OLD, NEW)
    world.reversals.reverse(world.program, kept_with, _refund("F-1", "R-1", "30"))
    merge(world, OLD, NEW)
    world.accrue("R-1", "100", member=sent_to)
    assert (world.book(NEW).awaiting, world.wallet(NEW).available) == (0, 70)
    world.proven()


def test_what_waited_with_both_is_posted_once(world: World) -> None:
    world.enroll(OLD, NEW)
    for member in (OLD, NEW):
        world.reversals.reverse(world.program, member, _refund("F-1", "R-1", "30"))
    world.reversals.reverse(world.program, OLD, _refund("F-2", "R-1", "10"))
    world.reversals.reverse(world.program, NEW, _refund("F-2", "R-1", "11"))
    merge(world, OLD, NEW)
    world.accrue("R-1", "100", member=NEW)
    assert (world.book(NEW).awaiting, world.wallet(NEW).available) in {(0, 60), (0, 59)}
    codes = {one.code for home in (OLD, NEW) for one in world.reversals.page("acme", home, limit=9).items}
    assert codes == {EntryExistsWithDifferentRequest.code}
    world.proven()


def test_a_merged_member_is_one_since_the_first_of_them_enrolled(world: World) -> None:
    world.clock.set("2026-01-02T12:00:00Z")
    world.enroll(OLD)
    world.clock.set("2026-11-01T12:00:00Z")
    world.enroll(NEW)
    merge(world, OLD, NEW)
    world.accrue("R-1", "100", member=NEW, occurred_at=at("2026-09-15T12:00:00Z"))
    assert world.wallet(NEW).available == 100


def test_what_was_read_of_one_of_them_and_changed_before_the_next_was_read_refuses_nothing(table: Table) -> None:
    world = World(table, of=pending(30)).enroll(OLD, NEW, NEWEST)
    world.accrue("R-1", "100", member=NEW)
    world.reversals.reverse(world.program, OLD, _refund("F-9", "R-9", "1"))
    merge(world, OLD, NEWEST)
    merge(world, NEW, NEWEST)
    others = iter([partial(world.refund, "F-1", "R-1", "60", member=NEWEST)])

    def interfere(request: Any, **_: object) -> None:
        if OLD.encode() in request.body:  # the others' records are read by then
            for other in others:
                other()

    world.table.client.meta.events.register("before-send.dynamodb.BatchGetItem", interfere)
    with pytest.raises(AmountExceedsAccrual):
        world.refund("F-2", "R-1", "60", member=NEWEST)
    assert next(others, None) is None
    assert world.wallet(NEWEST).pending == 40
    assert world.refund("F-2", "R-1", "40", member=NEWEST).entry.facts.amount == Money.of("40", "EUR")
    world.proven(NEWEST)


@pytest.mark.parametrize(("one", "other"), [(OLD, NEW), (NEW, OLD)])
def test_two_who_had_the_same_receipt_before_they_were_merged_are_proven(world: World, one: str, other: str) -> None:
    world.enroll(OLD, NEW)
    world.accrue("R-1", "100", member=one)
    world.accrue("R-0", "50", member=other)
    world.clock.advance(days=40)
    world.accrue("R-1", "100", member=other)
    taken = world.refund("F-1", "R-1", everything=True, member=other).entry
    assert taken.movement.change().lots.keys().isdisjoint(world.wallet(other).lots)
    merge(world, one, other)
    world.proven()


def test_a_batch_to_a_merged_member_has_a_result_for_each(merged: World) -> None:
    accruals, program = merged.accruals, merged.program
    later = Activity("purchase", "pos", "R-3", at("2027-01-01"), amount=Money.of("1", "EUR"))
    results = accruals.post_all(
        program,
        OLD,
        [
            accruals.posting(program, _activity("R-1", "100")),
            accruals.posting(program, _activity("R-2", "50")),
            accruals.posting(program, later),
            accruals.reversal(program, _refund("F-2", "R-2", "20")),
            accruals.reversal(program, _refund("F-1", "R-1", "30")),
            accruals.reversal(program, _refund("F-0", "R-0", "30")),
        ],
    )
    assert [_told(result) for result in results] == [
        "again 100", "new 50", OccurredInFuture.code, "new -20", "new -30", EntryNotFound.code,
    ]  # fmt: skip
    assert merged.wallet(NEWEST).available == 100


def test_a_batch_may_reverse_what_it_brings_even_where_that_was_waited_for(world: World) -> None:
    accruals, program = world.accruals, world.program
    world.reversals.reverse(program, "mbr_1", _refund("F-1", "R-1", "30"))
    results = accruals.post_all(
        program,
        "mbr_1",
        [
            accruals.posting(program, _activity("R-1", "100")),
            accruals.posting(program, _activity("R-2", "10")),
            accruals.reversal(program, _refund("F-2", "R-1", "30")),
            accruals.reversal(program, _refund("F-3", "R-2", "3")),
        ],
    )
    assert [_told(result) for result in results] == ["new 100", "new 10", "new -30", "new -3"]
    assert world.proven().available == 100 - 30 - 30 + 10 - 3


def _activity(source_id: str, amount: str) -> Activity:
    return Activity("purchase", "pos", source_id, NOON, amount=Money.of(amount, "EUR"))


def _refund(source_id: str, of: str, amount: str) -> Refund:
    return Refund("pos", source_id, of, NOON, Money.of(amount, "EUR"))


def _told(result: Posted | LoyaltyError) -> str:
    if isinstance(result, LoyaltyError):
        return result.code
    return f"{'again' if result.replayed else 'new'} {result.entry.points}"
