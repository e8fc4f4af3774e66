"""The next supplier is asked once the one before has refused for good, or is not there and was asked for nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.table import Table
from loyalty.fulfillment.model import Progress
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.run import RunStatus
from loyalty.suppliers.model import Outcome
from tests.ledgerkit.programs import program
from tests.unit.fulfillment.rig import BOOKSHOP, COFFEE, Rig, gift_card

QUICK = FulfillmentPolicy(permits_per_second=1_000, breaker_failures=1, breaker_seconds=600)


@pytest.fixture
def second() -> Iterator[SandboxSupplier]:
    with SandboxSupplier() as supplier:
        yield supplier


@pytest.fixture
def rig(table: Table, sandbox: SandboxSupplier, second: SandboxSupplier) -> Rig:
    card: dict[str, Any] = gift_card()
    card["gift_card"]["fallbacks"] = [{"supplier": "tango", "product": BOOKSHOP}]
    return Rig(table, sandbox, of=program(rewards=[card, COFFEE]), others=[("tango", second)], policy=QUICK)


def outcomes(rig: Rig) -> list[tuple[str, str, Outcome]]:
    first = rig.held.redemption_id
    return [(each.supplier, each.external_id.removeprefix(first), each.outcome) for each in rig.ours]


def test_a_refusal_for_good_goes_to_the_next_supplier_under_a_key_of_its_own(rig: Rig, second: SandboxSupplier) -> None:
    rig.faults({"fault": "out_of_stock"})
    assert rig.execute().way == ["Screen", "Order", "Order", "Capture", "Fulfilled"]
    assert outcomes(rig) == [("tremendous", "", Outcome.REFUSED), ("tango", ".2", Outcome.ISSUED)]
    assert (len(rig.orders), len(second.api.book.all())) == (0, 1)
    assert (rig.run.supplier, rig.run.supplier_order_id) == ("tango", second.api.book.all()[0].id)
    assert rig.ends() == ["capture"]
    assert "/rewards/payout/" in rig.reveal()


def test_where_all_refuse_the_points_go_back(rig: Rig, second: SandboxSupplier) -> None:
    rig.faults({"fault": "refuse"})
    second.api.faults.replace([{"fault": "refuse"}])
    assert rig.execute().error == "OrderRefused"
    assert [outcome for *_, outcome in outcomes(rig)] == [Outcome.REFUSED] * 2
    rig.given_back()


@pytest.mark.parametrize("fault", ["error_500", "late_after_success", "hang"])
def test_what_may_have_been_ordered_is_never_ordered_elsewhere(
    table: Table, sandbox: SandboxSupplier, second: SandboxSupplier, rig: Rig, fault: str
) -> None:
    rig.client._transport._timeout = rig.client._transport._timeout.__class__(connect=0.5, read=0.2)
    rig.faults({"fault": fault, "delay": 1})
    rig.execute()
    assert second.api.book.all() == []
    assert rig.run.orders == 1


def test_a_supplier_that_is_left_alone_is_passed_over(rig: Rig, second: SandboxSupplier) -> None:
    rig.gates.tell("tremendous", answer=False)
    assert rig.execute().way == ["Screen", "Order", "Order", "Capture", "Fulfilled"]
    assert outcomes(rig) == [("tango", "", Outcome.ISSUED)]
    assert [step.note for step in rig.timeline if step.name == "failover"] == ["breaker_open"]
    assert len(second.api.book.all()) == 1


def test_without_another_supplier_an_order_waits_for_the_one_it_has(table: Table, sandbox: SandboxSupplier) -> None:
    rig = Rig(table, sandbox, policy=QUICK)
    rig.gates.tell("tremendous", answer=False)
    run = rig.execute()
    assert run.succeeded
    assert "Pause" in run.way
    rig.fulfilled()


def test_an_order_that_turns_up_at_the_first_supplier_is_cancelled_before_points_move(
    rig: Rig, second: SandboxSupplier
) -> None:
    """It refused, and carried it out all the same; the second one refuses, too."""
    rig.faults({"fault": "refuse", "times": 1})
    second.api.faults.replace([{"fault": "refuse"}])
    assert [rig.step("order"), rig.step("order")] == [Progress.CLEAR, Progress.NOT_ORDERED]
    rig.client._call("POST", "/orders", body=_body(rig))
    assert rig.execute().error == "OrderRefused"
    assert [order.status for order in rig.orders] == ["CANCELED"]
    assert rig.ends() == ["release"]
    assert rig.run.status is RunStatus.REFUSED


def test_an_order_that_was_refused_and_stands_is_delivered_and_not_made_elsewhere(
    rig: Rig, second: SandboxSupplier
) -> None:
    rig.faults({"fault": "refuse", "after": True, "times": 1})
    assert rig.execute().way == [
        "Screen", "Order", "Order", "Release", "Settle", "Query", "Capture", "Fulfilled",
    ]  # fmt: skip
    assert second.api.book.all() == []
    rig.fulfilled()


def test_an_order_that_stands_and_cannot_be_taken_back_is_followed_by_none(rig: Rig, second: SandboxSupplier) -> None:
    """It turned up after the second supplier had refused, too: a person has to look, however often it is retried."""
    rig.faults({"fault": "refuse", "times": 1}, {"fault": "refuse", "endpoint": "cancel"})
    second.api.faults.replace([{"fault": "refuse", "times": 1}])
    assert [rig.step("order"), rig.step("order")] == [Progress.CLEAR, Progress.NOT_ORDERED]
    rig.client._call("POST", "/orders", body=_body(rig))
    for _ in range(2):
        assert rig.execute().error == "Unresolved"
        assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "order_stands")
        rig.decisions.retry("acme", rig.held.redemption_id, actor="person:anna")
    assert [order.outcome for order in rig.ours] == [Outcome.PENDING, Outcome.REFUSED]
    assert second.api.book.all() == []
    rig.still_held()


def test_nobody_else_is_asked_before_who_refused_has_said_that_it_has_none(rig: Rig, second: SandboxSupplier) -> None:
    rig.faults({"fault": "refuse"}, {"fault": "error_500", "endpoint": "list", "times": 1})
    assert rig.step("order") is Progress.CLEAR
    answer = rig.take("order")
    assert (answer.status, rig.run.reason) == (Progress.AGAIN, "supplier_unavailable")
    assert 60 <= (answer.wait or 0) <= 75
    assert (rig.run.orders, second.api.book.all()) == (1, [])
    rig.world.clock.advance(seconds=600)
    assert rig.step("order") is Progress.ORDERED
    assert outcomes(rig)[-1] == ("tango", ".2", Outcome.ISSUED)


def test_who_was_away_for_a_moment_is_asked_again_once_the_next_one_has_no_money(
    table: Table, sandbox: SandboxSupplier, second: SandboxSupplier
) -> None:
    """The first one's balance could not be read once; the second one's account is empty."""
    card: dict[str, Any] = gift_card()
    card["gift_card"]["fallbacks"] = [{"supplier": "tango", "product": BOOKSHOP}]
    patient = FulfillmentPolicy(breaker_failures=100, balance_seconds=1)
    rig = Rig(table, sandbox, of=program(rewards=[card, COFFEE]), others=[("tango", second)], policy=patient)
    second.api.account.put(0)
    rig.faults({"fault": "error_500", "endpoint": "balance", "times": 1})
    assert [rig.step("order"), rig.step("order")] == [Progress.CLEAR, Progress.AGAIN]
    assert (rig.run.status, rig.run.candidate) == (RunStatus.AWAITING_FUNDS, 0)
    rig.world.clock.advance(seconds=300)
    assert rig.execute().way == ["Screen", "Order", "Capture", "Fulfilled"]
    assert outcomes(rig) == [("tremendous", "", Outcome.ISSUED)]


def test_who_refused_is_not_asked_again_while_the_next_one_has_no_money(rig: Rig, second: SandboxSupplier) -> None:
    rig.faults({"fault": "refuse"})
    second.api.account.put(0)
    assert [rig.step("order"), rig.step("order")] == [Progress.CLEAR, Progress.AGAIN]
    assert (rig.run.status, rig.run.candidate) == (RunStatus.AWAITING_FUNDS, 1)


def _body(rig: Rig) -> dict[str, Any]:
    return {
        "external_id": rig.held.redemption_id,
        "payment": {"funding_source_id": "balance"},
        "reward": {
            "value": {"denomination": 10, "currency_code": "USD"},
            "delivery": {"method": "LINK"},
            "recipient": {"name": "m"},
            "products": [BOOKSHOP],
        },
    }
