"""Every fault of a supplier at every call to it, and a crash before and after every call that leaves the process.

The state machine's own definition runs over the real steps, decisions and ledger. At the end: a card at most once at the
supplier, captured if and only if issued, and holds closed, or a run that waits with its reason written.
"""

import os
from contextlib import suppress

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.fulfillment.errors import RunEnded
from loyalty.fulfillment.run import RunStatus
from tests.ledgerkit.programs import program
from tests.unit.fulfillment.faults import LAG_SECONDS, ON_ORDER, ON_OTHERS, WAITS, FaultySupplier, require_sound
from tests.unit.fulfillment.rig import COFFEE, Book, Killed, Rig, gift_card
from tests.unit.fulfillment.tables import new_table, tapped
from tests.unit.fulfillment.test_cut_points import fused

MANY = 60
STRIDE = int(os.environ.get("LOYALTY_FAULT_STRIDE", "3"))
"""Crash at every n-th call; 1 is all of them."""
BUDGETED = program(
    rewards=[gift_card(), COFFEE], fulfillment={"monthly_budget": [{"value": "1000.00", "currency": "USD"}]}
)


@pytest.fixture
def faulty() -> FaultySupplier:
    return FaultySupplier()


def rig_with(sandbox: SandboxSupplier, supplier: FaultySupplier) -> Rig:
    rig = Rig(new_table(), sandbox, of=BUDGETED)
    rig.rebuild(Book(supplier))
    supplier.clock = rig.world.clock
    return rig


def settled(rig: Rig, supplier: FaultySupplier) -> None:
    """The fault is over; whoever is asked to, tries again, and everything ends."""
    supplier.plan.clear()
    supplier.during = lambda _: None
    rig.world.clock.advance(seconds=LAG_SECONDS)
    supplier.arrive()
    if rig.run.status is RunStatus.ATTENTION and rig.run.reason != "wrong_amount":
        rig.decisions.retry("acme", rig.held.redemption_id, actor="person:anna")
        rig.execute()
        require_sound(rig, supplier)
    if not rig.run.ended:
        rig.decisions.cancel("acme", rig.held.redemption_id, actor="person:anna", note="not wanted")
        rig.executions.alive.clear()
        rig.execute()
    supplier.settle()
    require_sound(rig, supplier)
    assert rig.run.ended, (rig.run.status, rig.run.reason)


@pytest.mark.parametrize("times", [1, MANY], ids=["once", "for ever"])
@pytest.mark.parametrize("fault", ON_ORDER)
def test_every_fault_of_an_order(sandbox: SandboxSupplier, faulty: FaultySupplier, fault: str, times: int) -> None:
    rig = rig_with(sandbox, faulty)
    faulty.plan["order"] = [fault] * times
    if fault == "out_of_funds" and times == MANY:
        faulty.plan["order"] = [fault] * 12
    rig.execute()
    require_sound(rig, faulty)
    settled(rig, faulty)


@pytest.mark.parametrize("times", [1, 3, MANY], ids=["once", "some", "for ever"])
@pytest.mark.parametrize("fault", ON_OTHERS)
@pytest.mark.parametrize(
    ("call", "order"), [("find", "reply_lost"), ("find", "hang"), ("card", ""), ("find", "refuse")]
)
def test_every_fault_of_a_question(  # noqa: PLR0917 - one row of the matrix
    sandbox: SandboxSupplier,
    faulty: FaultySupplier,
    call: str,
    order: str,
    fault: str,
    times: int,
) -> None:
    rig = rig_with(sandbox, faulty)
    faulty.plan |= {"order": [order], call: [fault] * times}
    rig.execute()
    require_sound(rig, faulty)
    if times == MANY:
        assert rig.run.status in WAITS
    settled(rig, faulty)


@pytest.mark.parametrize("fault", [*ON_OTHERS, "will_not", "behind"])
@pytest.mark.parametrize("call", ["cancel", "find"])
@pytest.mark.parametrize("what", ["cancel", "reissue"])
def test_every_fault_while_a_card_is_taken_back(
    sandbox: SandboxSupplier, faulty: FaultySupplier, what: str, call: str, fault: str
) -> None:
    rig = rig_with(sandbox, faulty)
    rig.execute()
    rig.world.clock.advance(seconds=LAG_SECONDS)
    decide = getattr(rig.decisions, what)
    decide("acme", rig.held.redemption_id, actor="person:anna", note="a bad card")
    faulty.plan[call] = [fault]
    rig.execute()
    require_sound(rig, faulty)
    settled(rig, faulty)


@pytest.mark.parametrize("fault", ["", *ON_ORDER])
def test_a_crash_before_and_after_every_call_under_every_fault(sandbox: SandboxSupplier, fault: str) -> None:
    places = _places(rig_with(sandbox, fault_once(fault)))
    assert places >= 16
    for place in range(0, places, STRIDE):
        supplier = fault_once(fault)
        rig = rig_with(sandbox, supplier)
        with fused(rig):
            rig.fuse.arm(place)
            rig.execute()
            assert rig.fuse.blown
        require_sound(rig, supplier)
        assert rig.run.ended or fault == "wrong_amount", (place, rig.run)
        settled(rig, supplier)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        *(("cancel", fault) for fault in ("", "unavailable", "hang", "reply_lost", "nonsense", "will_not")),
        *(("find", fault) for fault in ("unavailable", "hang", "nonsense", "behind")),
    ],
)
@pytest.mark.parametrize("what", ["cancel", "reissue"])
def test_a_crash_at_every_call_while_a_card_is_taken_back_under_every_fault(
    sandbox: SandboxSupplier, what: str, call: str, fault: str
) -> None:
    def taking_back() -> tuple[Rig, FaultySupplier]:
        supplier = FaultySupplier()
        rig = rig_with(sandbox, supplier)
        rig.execute()
        rig.world.clock.advance(seconds=LAG_SECONDS)
        getattr(rig.decisions, what)("acme", rig.held.redemption_id, actor="person:anna", note="a bad card")
        supplier.plan[call] = [fault] if fault else []
        return rig, supplier

    places = _places(taking_back()[0])
    assert places >= 10
    for place in range(0, places, STRIDE):
        rig, supplier = taking_back()
        with fused(rig):
            rig.fuse.arm(place)
            rig.execute()
            assert rig.fuse.blown
        require_sound(rig, supplier)
        settled(rig, supplier)


@pytest.mark.parametrize("fault", ["", *ON_ORDER])
def test_a_person_gives_up_at_every_call_under_every_fault(sandbox: SandboxSupplier, fault: str) -> None:
    """While it is on its way, before and after each call to the table and the keys, and while each of the supplier is made."""
    for place in range(0, 200, STRIDE):
        supplier = fault_once(fault)
        rig = rig_with(sandbox, supplier)
        rig.executions.alive.add(rig.held.redemption_id)
        if not _given_up(rig, supplier, place):
            assert place >= 16
            break
        require_sound(rig, supplier)
        rig.executions.alive.clear()
        settled(rig, supplier)


def _given_up(rig: Rig, supplier: FaultySupplier, place: int) -> bool:
    """One execution, and a person who cancels at its n-th call; whether there was one."""
    passed, nested = 0, False

    def told(_call: str) -> None:
        nonlocal passed, nested
        if nested:
            return
        nested, passed = passed == place, passed + 1
        if nested and rig.runs.find("acme", rig.held.redemption_id) is not None:
            with suppress(RunEnded):
                rig.decisions.cancel("acme", rig.held.redemption_id, actor="person:anna", note="not wanted")
        nested = False

    supplier.during = told
    with tapped(rig.table, told):
        rig.execute()
    return passed > place


@pytest.mark.parametrize("fault", ["", *ON_ORDER])
def test_an_execution_that_dies_at_every_call_is_retried_by_a_person(sandbox: SandboxSupplier, fault: str) -> None:
    """The whole execution is gone with the process, as where it was aborted."""
    places = _places(rig_with(sandbox, fault_once(fault)))
    for place in range(0, places, STRIDE):
        supplier = fault_once(fault)
        rig = rig_with(sandbox, supplier)
        with fused(rig):
            rig.fuse.arm(place)
            with pytest.raises(Killed):
                rig.execute(fatal=True)
            rig.fuse.arm()
        supplier.arrive()
        if rig.runs.find("acme", rig.held.redemption_id) is None or not rig.run.ended:
            rig.execute()
        require_sound(rig, supplier)
        assert rig.run.ended or fault == "wrong_amount", (place, rig.run)
        settled(rig, supplier)


def fault_once(fault: str) -> FaultySupplier:
    supplier = FaultySupplier()
    supplier.plan = {"order": [fault]} if fault else {}
    return supplier


def _places(rig: Rig) -> int:
    with fused(rig):
        rig.fuse.arm()
        rig.execute()
    return len(rig.fuse.passed)
