"""A gift card that is replaced while its member is being erased: no card is stored, nor ordered, for somebody who is gone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from loyalty.core.errors import MemberErased
from loyalty.fulfillment.errors import RecipientErased
from loyalty.fulfillment.run import RunStatus
from loyalty.households.service import HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.members.erasure import ErasureReason, ErasureStatus
from loyalty.merging.service import MergeService
from loyalty.privacy.closing import closing, require_no_holds
from loyalty.privacy.erasing import Asked, Erasing
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.privacy.errors import ErasureBlocked
from loyalty.privacy.steps import ErasureSteps
from loyalty.referrals.memory import Memory
from tests.ledgerkit.world import MEMBER
from tests.unit.fulfillment.rig import Rig, no_sleep
from tests.unit.fulfillment.tables import tapped
from tests.unit.fulfillment.test_decisions import decide
from tests.unit.privacy.rig import ForgettingFiles

ANN, BOB = Asked("staff-1", "desk"), Asked("staff-2", "office")
SURVIVOR: Final = "mbr_" + "s" * 26


def erasing(rig: Rig) -> Erasing:
    """Erasures over the table of the rig."""
    store, world = ErasureStore(rig.table), rig.world
    steps = ErasureSteps(
        store=store,
        ledger=world.ledger,
        books=world.store,
        households=HouseholdService(HouseholdStore(rig.table), world.clock),
        files=ForgettingFiles(),
        screening=Memory(rig.table, world.clock),
        clock=world.clock,
        sleep=no_sleep,
    )
    return Erasing(store=store, books=world.store, steps=steps, clock=world.clock)


def ask(rig: Rig, member: str = MEMBER) -> Erasing:
    """What one person asked for."""
    asked = erasing(rig)
    asked.ask(rig.world.program, member, ErasureReason.REQUEST, ANN)
    return asked


@contextmanager
def interrupted(rig: Rig, act: Callable[[], object]) -> Iterator[None]:
    """Right before the first transaction within the block is written, ``act`` comes between."""
    waiting = [act]

    def come(name: str) -> None:
        if name == "before TransactWriteItems" and waiting:
            waiting.pop()()

    with tapped(rig.table, come):
        yield
    assert not waiting, "nothing was written, so nothing came between"


def cards(rig: Rig) -> list[str]:
    """Whose cards are stored."""
    return [pk for pk, sk in rig.world.dump() if sk == "CARD"]


def test_an_erasure_waits_for_a_card_that_is_being_replaced(rig: Rig) -> None:
    rig.execute()
    asked = ask(rig)
    decide(rig, "reissue")
    for step in ("screen", "replace", "order"):
        with pytest.raises(ErasureBlocked, match=rig.held.redemption_id):
            asked.approve(rig.world.program, MEMBER, BOB)
        rig.take(step)
    assert rig.run.status is RunStatus.DELIVERING
    with pytest.raises(ErasureBlocked, match="delivering"):
        asked.approve(rig.world.program, MEMBER, BOB)
    rig.take("capture")
    assert cards(rig)
    asked.approve(rig.world.program, MEMBER, BOB)
    assert asked.run(rig.world.program, MEMBER).status is ErasureStatus.ERASED
    assert cards(rig) == []
    assert rig.world.audit() == []


@pytest.mark.parametrize("decision", ["reissue", "cancel"])
def test_what_a_person_began_before_the_steps_stops_them(rig: Rig, decision: str) -> None:
    """Between the check of the approval and its writing: no condition of either sees the other."""
    rig.execute()
    asked = ask(rig)
    with interrupted(rig, lambda: decide(rig, decision)):
        asked.approve(rig.world.program, MEMBER, BOB)
    with pytest.raises(ErasureBlocked, match=rig.held.redemption_id):
        asked.run(rig.world.program, MEMBER)
    assert rig.world.book(MEMBER).erased_at is None
    rig.execute()
    if decision == "reissue":  # the old card is taken back; of another one there is no sense any more
        assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "recipient_erased")
        decide(rig, "resolve", give_back=True)
    asked.approve(rig.world.program, MEMBER, BOB)
    assert asked.run(rig.world.program, MEMBER).status is ErasureStatus.ERASED
    assert not [order for order in rig.orders if order.status == "EXECUTED"]
    assert rig.world.audit() == []


def test_a_run_that_needs_a_person_stands_in_the_way(rig: Rig) -> None:
    rig.execute()
    decide(rig, "reissue")
    rig.faults({"fault": "refuse"})
    rig.execute()
    assert rig.run.status is RunStatus.ATTENTION
    with pytest.raises(ErasureBlocked, match="attention"):
        ask(rig)


def test_no_card_is_replaced_while_an_erasure_is_approved(rig: Rig) -> None:
    rig.execute()
    asked = ask(rig)
    before = rig.run
    with (
        interrupted(rig, lambda: asked.approve(rig.world.program, MEMBER, BOB)),
        pytest.raises(RecipientErased, match="withdraw"),
    ):
        decide(rig, "reissue")
    with pytest.raises(RecipientErased, match="withdraw"):
        decide(rig, "reissue")
    assert rig.run == before


def test_nor_of_whoever_the_member_absorbed(rig: Rig) -> None:
    rig.execute()
    rig.world.enroll(SURVIVOR)
    merging = MergeService(rig.world.ledger, rig.world.reversals)
    merging.merge(rig.world.program, SURVIVOR, absorbed=MEMBER, actor="staff-1")
    asked = ask(rig, SURVIVOR)
    decide(rig, "reissue")
    with pytest.raises(ErasureBlocked, match=rig.held.redemption_id):
        asked.approve(rig.world.program, SURVIVOR, BOB)
    rig.execute()
    asked.approve(rig.world.program, SURVIVOR, BOB)
    with pytest.raises(RecipientErased, match="withdraw"):
        decide(rig, "reissue")
    asked.run(rig.world.program, SURVIVOR)
    with pytest.raises(RecipientErased, match="was erased"):
        decide(rig, "reissue")
    assert cards(rig) == []
    with pytest.raises(MemberErased):
        rig.reveal()
    assert rig.world.audit() == []


def test_a_member_who_is_absorbed_in_that_very_moment_is_looked_at_anew(rig: Rig) -> None:
    rig.execute()
    rig.world.enroll(SURVIVOR)
    ask(rig, SURVIVOR).approve(rig.world.program, SURVIVOR, BOB)
    merging = MergeService(rig.world.ledger, rig.world.reversals)

    def merge() -> None:
        merging.merge(rig.world.program, SURVIVOR, absorbed=MEMBER, actor="staff-1")

    with interrupted(rig, merge), pytest.raises(RecipientErased):
        decide(rig, "reissue")


def test_what_is_tried_again_after_an_erasure_orders_no_other_card(rig: Rig) -> None:
    """Taken back and not given again; then the book is closed by other means than an erasure that looks at runs."""
    rig.execute()
    decide(rig, "reissue")
    rig.faults({"fault": "refuse"})
    rig.execute()
    closed = closing(
        rig.world.program,
        MEMBER,
        actor=None,
        approved_by=None,
        records=(),
        require_free=require_no_holds,
        beside=lambda _situation: [],
    )
    rig.world.ledger.post(rig.world.program.scope, MEMBER, closed)
    rig.faults()
    decide(rig, "retry")
    rig.execute()
    assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "recipient_erased")
    assert "EXECUTED" not in {order.status for order in rig.orders}


def test_a_card_whose_points_are_held_is_ordered_as_ever(rig: Rig) -> None:
    """The hold keeps the erasure from going on, not the other way round."""
    rig.execute()
    asked = ask(rig)
    asked.approve(rig.world.program, MEMBER, BOB)
    rig.held = rig.hold("k-2")
    with pytest.raises(ErasureBlocked, match=rig.held.redemption_id):
        asked.run(rig.world.program, MEMBER)
    assert rig.execute().succeeded
    assert [order.status for order in rig.orders] == ["EXECUTED", "EXECUTED"]
