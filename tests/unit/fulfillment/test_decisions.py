"""What a person does about a run that is stuck, unwanted, or was fulfilled with a bad card."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment import budget
from loyalty.fulfillment.errors import (
    FulfillmentRunNotFound,
    NoteRequired,
    NotReissuable,
    NotResolvable,
    NotRetryable,
    RunChanged,
    RunEnded,
)
from loyalty.fulfillment.journal import Did
from loyalty.fulfillment.model import Progress
from loyalty.fulfillment.run import RunStatus
from loyalty.rewards.model import RedemptionStatus
from loyalty.vault.errors import CardNotDelivered
from tests.ledgerkit.programs import program
from tests.unit.fulfillment.rig import COFFEE, Rig, gift_card

ANNA = "person:anna"


def decide(rig: Rig, what: str, **more: Any) -> RunStatus:
    decision: Callable[..., Any] = getattr(rig.decisions, what)
    status: RunStatus = decision("acme", rig.held.redemption_id, actor=ANNA, note="because", **more).status
    return status


@pytest.fixture
def stuck(table: Table, sandbox: SandboxSupplier) -> Rig:
    """A run that needs attention: the supplier made the order, and cannot be asked about it."""
    rig = Rig(table, sandbox, read_seconds=0.2)
    rig.faults({"fault": "late_after_success", "delay": 0.4, "times": 1})
    assert rig.step("order") is Progress.UNKNOWN
    rig.take("attention", error="Lambda.ServiceException")
    assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "service_exception")
    return rig


def test_a_retry_finds_the_order_that_was_made(stuck: Rig) -> None:
    assert decide(stuck, "retry") is RunStatus.SCREENING
    assert decide(stuck, "retry") is RunStatus.SCREENING  # again: nothing more
    assert stuck.executions.started == [stuck.held.redemption_id, f"{stuck.held.redemption_id}-2"]
    assert stuck.execute().way == ["Screen", "Settle", "Query", "Capture", "Fulfilled"]
    stuck.fulfilled()


def test_a_retry_whose_start_was_lost_starts_it_the_next_time(stuck: Rig) -> None:
    decide(stuck, "retry")
    name = stuck.executions.started.pop()
    stuck.executions.alive.discard(name)
    decide(stuck, "retry")
    assert stuck.executions.started[-1] == name
    assert stuck.run.executions == 2


def test_a_run_whose_execution_died_can_be_tried_again_and_one_that_lives_cannot(rig: Rig) -> None:
    rig.step("order")
    rig.executions.alive.add(rig.held.redemption_id)
    with pytest.raises(NotRetryable):
        decide(rig, "retry")
    rig.executions.alive.clear()
    decide(rig, "retry")
    assert rig.executions.started[-1] == f"{rig.held.redemption_id}-2"
    assert rig.execute().succeeded
    with pytest.raises(RunEnded):
        decide(rig, "retry")


def test_cancelling_takes_back_what_the_supplier_has_and_gives_the_points_back(stuck: Rig) -> None:
    assert decide(stuck, "cancel") is RunStatus.ATTENTION
    assert stuck.execute().way == ["Screen", "Release", "Closed"]
    assert [order.status for order in stuck.orders] == ["CANCELED"]
    assert stuck.ends() == ["release"]
    stuck.written_down(RunStatus.CANCELLED)
    assert "cancel asked" in stuck.told()
    assert decide(stuck, "cancel") is RunStatus.CANCELLED
    with pytest.raises(RunEnded):
        decide(stuck, "retry")


def test_a_running_execution_carries_a_cancellation_out(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 99})

    def cancel(token: str) -> Any:
        rig.executions.alive.add(rig.held.redemption_id)
        decide(rig, "cancel")
        return rig.executions.answers[token]

    run = rig.machine(woken=cancel).run(rig.request())
    assert run.way == ["Screen", "Order", "Listen", "Query", "Release", "Closed"]
    assert [order.status for order in rig.orders] == ["CANCELED"]
    assert rig.executions.started == [rig.held.redemption_id]
    rig.written_down(RunStatus.CANCELLED)


def test_a_cancellation_that_is_carried_out_while_it_is_told_starts_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The execution wakes, gives the points back and ends, all before it is looked for."""
    rig.faults({"fault": "pending", "settle_after": 99})
    assert rig.step("order") is Progress.PENDING

    def look(_run: Any) -> bool:
        monkeypatch.undo()
        rig.take("release")
        return False

    monkeypatch.setattr(rig.executions, "running", look)
    assert decide(rig, "cancel") is RunStatus.CANCELLED
    assert rig.executions.started == [rig.held.redemption_id]
    rig.written_down(RunStatus.CANCELLED)


def test_a_card_that_was_paid_for_is_voided_and_its_points_come_back(table: Table, sandbox: SandboxSupplier) -> None:
    rig = Rig(table, sandbox, of=_budgeted())
    rig.execute()
    rig.fulfilled()
    decide(rig, "cancel")
    assert rig.execute().way == ["Screen", "Release", "Closed"]
    assert rig.ends() == ["capture", "cancellation"]
    assert (rig.world.proven().available, rig.redemption.status) == (1000, RedemptionStatus.CANCELLED)
    assert rig.run.status is RunStatus.CANCELLED
    assert [(order.issued, order.budget) for order in rig.ours] == [(False, None)]
    assert budget.spent(table, "acme", "2026-03", "USD") == Money.of("0.00", "USD")
    with pytest.raises(CardNotDelivered):
        rig.reveal()


def test_where_the_supplier_will_not_the_member_keeps_the_card(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.execute()
    monkeypatch.setattr(rig.client, "cancel", lambda _order: False)
    decide(rig, "cancel")
    assert rig.execute().way == ["Screen", "Release", "Closed"]
    assert (rig.run.status, rig.run.reason) == (RunStatus.FULFILLED, "void_refused")
    assert (rig.timeline[-1].error or "").startswith("CardNotVoidable")
    rig.fulfilled()


def test_a_card_stored_and_not_paid_for_that_cannot_be_voided_needs_a_person(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.step("order")
    decide(rig, "cancel")
    monkeypatch.setattr(rig.client, "cancel", lambda _order: False)
    assert rig.execute().error == "Unresolved"
    assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "void_refused")
    rig.still_held()
    decide(rig, "retry")
    assert rig.execute().succeeded
    rig.fulfilled()


def test_a_card_stored_and_not_paid_for_is_voided(rig: Rig) -> None:
    rig.step("order")
    decide(rig, "cancel")
    assert rig.execute().succeeded
    rig.written_down(RunStatus.CANCELLED)
    assert (rig.ends(), rig.redemption.supplier_order_id) == (["release"], None)


def test_a_reissued_card_takes_the_place_of_the_old_one_and_costs_no_points(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox, of=_budgeted())
    rig.execute()
    old = rig.reveal()
    decide(rig, "reissue")
    assert rig.execute().way == ["Screen", "Replace", "Order", "Capture", "Fulfilled"]
    assert sorted(order.status for order in rig.orders) == ["CANCELED", "EXECUTED"]
    assert rig.ends() == ["capture"]
    assert rig.reveal() != old
    assert [order.external_id for order in rig.ours] == [rig.held.redemption_id, f"{rig.held.redemption_id}.2"]
    rig.written_down(RunStatus.FULFILLED)
    assert budget.spent(table, "acme", "2026-03", "USD") == Money.of("10.00", "USD")
    assert rig.world.proven().available == 800
    decide(rig, "reissue")
    assert rig.execute().succeeded
    assert [order.issued for order in rig.ours] == [False, False, True]


def test_a_reissue_that_is_refused_needs_a_person_who_can_give_the_points_back(rig: Rig) -> None:
    rig.execute()
    decide(rig, "reissue")
    rig.faults({"fault": "refuse"})
    assert rig.execute().error == "Unresolved"
    assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "reissue_refused")
    decide(rig, "cancel")
    assert rig.execute().succeeded
    assert rig.ends() == ["capture", "cancellation"]
    assert rig.world.proven().available == 1000
    rig.written_down(RunStatus.CANCELLED)


def test_a_reissue_the_supplier_will_not_make_room_for_leaves_the_old_card(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.execute()
    monkeypatch.setattr(rig.client, "cancel", lambda _order: False)
    decide(rig, "reissue")
    assert rig.execute().way == ["Screen", "Replace", "Closed"]
    assert rig.run.reason == "void_refused"
    rig.fulfilled()


def test_only_an_issued_card_is_reissued(stuck: Rig) -> None:
    with pytest.raises(NotReissuable):
        decide(stuck, "reissue")


@pytest.mark.parametrize(("give_back", "end"), [(False, "capture"), (True, "release")])
def test_what_was_settled_elsewhere_is_closed_with_its_points(stuck: Rig, give_back: bool, end: str) -> None:
    assert decide(stuck, "resolve", give_back=give_back) is RunStatus.RESOLVED
    assert decide(stuck, "resolve", give_back=give_back) is RunStatus.RESOLVED
    assert stuck.ends() == [end]
    assert stuck.world.proven().held == 0
    assert stuck.execute().way == ["Screen", "Closed"]
    with pytest.raises(RunEnded):
        decide(stuck, "cancel")


def test_what_needs_nobody_is_not_resolved(rig: Rig) -> None:
    rig.take("screen")
    with pytest.raises(NotResolvable):
        decide(rig, "resolve")


@pytest.mark.parametrize("what", ["reject", "cancel", "resolve", "reissue"])
def test_these_say_why(rig: Rig, what: str) -> None:
    with pytest.raises(NoteRequired):
        getattr(rig.decisions, what)("acme", rig.held.redemption_id, actor=ANNA, note="")


def test_a_run_that_is_none_is_not_found(rig: Rig) -> None:
    with pytest.raises(FulfillmentRunNotFound):
        decide(rig, "approve")


def test_who_is_overtaken_every_time_is_told_so(stuck: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    found = stuck.run
    stuck.journal.write(found, Did("looked"))
    monkeypatch.setattr(type(stuck.decisions._runs), "get", lambda *_: found)
    with pytest.raises(RunChanged):
        decide(stuck, "retry")
    assert stuck.executions.started == [stuck.held.redemption_id]


def _budgeted() -> Any:
    rules = {"monthly_budget": [{"value": "100.00", "currency": "USD"}]}
    return program(rewards=[gift_card(), COFFEE], fulfillment=rules)
