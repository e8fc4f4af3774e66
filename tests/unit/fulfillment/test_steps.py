"""The steps one by one, and the state machine's own definition over them."""

import pytest
from botocore.exceptions import ConnectionClosedError
from pynamodb.exceptions import TransactWriteError

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.errors import RedemptionNotFound
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment.model import OrderNotDelivered, Progress, RedemptionMoved
from loyalty.fulfillment.run import RunStatus
from loyalty.rewards.model import Party
from loyalty.suppliers.model import OrderRequest, Outcome, SupplierUnavailable
from tests.ledgerkit.programs import document
from tests.ledgerkit.world import MEMBER, NOON
from tests.unit.fulfillment.rig import BOOKSHOP, COFFEE, LIBRERIA, Rig, gift_card, step_request


def order_request(rig: Rig) -> OrderRequest:
    return OrderRequest(rig.held.redemption_id, BOOKSHOP, Money.of("10.00", "USD"), MEMBER)


def test_a_card_is_ordered_stored_and_paid_for(rig: Rig) -> None:
    run = rig.machine().run(rig.request())
    assert (run.succeeded, run.way) == (True, ["Screen", "Order", "Capture", "Fulfilled"])
    assert rig.redemption.order_requested_at == NOON
    rig.fulfilled()


def test_the_intent_is_stored_before_the_supplier_is_asked(rig: Rig) -> None:
    rig.faults({"fault": "error_500"})
    assert rig.step("order") is Progress.AGAIN
    assert rig.redemption.order_requested_at == NOON
    assert rig.redemption.supplier_order_id is None
    assert rig.told() == ["screen done", "order asked", "order ambiguous"]
    assert [(order.number, order.outcome) for order in rig.ours] == [(1, Outcome.AMBIGUOUS)]


def test_the_first_request_is_the_one_that_is_remembered(rig: Rig) -> None:
    rig.faults({"fault": "error_500", "times": 1})
    assert rig.step("order") is Progress.AGAIN
    rig.world.clock.advance(hours=1)
    assert rig.step("order") is Progress.ORDERED
    assert rig.redemption.order_requested_at == NOON


def test_the_supplier_learns_no_more_than_it_must(rig: Rig) -> None:
    rig.step("order")
    assert rig.orders[0].request == {
        "external_id": rig.held.redemption_id,
        "payment": {"funding_source_id": "balance"},
        "reward": {
            "value": {"denomination": 10, "currency_code": "USD"},
            "delivery": {"method": "LINK"},
            "recipient": {"name": MEMBER},
            "products": ["OKMHM2X2OHYV"],
        },
    }


def test_several_of_a_reward_are_one_card_of_their_whole_value(rig: Rig) -> None:
    three = rig.hold("k-3", quantity=3)
    assert rig.step("order", three) is Progress.ORDERED
    assert rig.orders[0].request["reward"]["value"] == {"denomination": 30, "currency_code": "USD"}


def test_the_card_is_that_of_the_catalogue_at_the_time_of_the_hold(rig: Rig) -> None:
    changed = document(rewards=[gift_card(LIBRERIA, "99.00", "EUR"), COFFEE])
    rig.programs.publish(changed, expected_version=1, actor="test")
    assert rig.step("order") is Progress.ORDERED
    assert rig.orders[0].request["reward"]["products"] == ["OKMHM2X2OHYV"]


def test_a_step_may_be_repeated(rig: Rig) -> None:
    assert [rig.step("order") for _ in range(3)] == [Progress.ORDERED] * 3
    assert rig.step("query") is Progress.ORDERED
    assert [rig.step(step) for step in ("capture", "capture", "order", "query", "screen")] == [Progress.CAPTURED] * 5
    rig.fulfilled()


def test_what_is_stored_is_ciphertext_for_this_member(rig: Rig) -> None:
    rig.step("order")
    rig.step("capture")
    link = rig.reveal()
    assert link.rsplit("/", 1)[-1] not in str(rig.world.dump())
    (context,) = rig.keys.contexts
    assert context == {
        "program": "acme", "member": MEMBER, "purpose": "gift_card", "redemption": rig.held.redemption_id,
    }  # fmt: skip


def test_a_refusal_gives_the_points_back(rig: Rig) -> None:
    rig.faults({"fault": "out_of_stock"})
    run = rig.machine().run(rig.request())
    assert (run.error, run.way) == ("OrderRefused", ["Screen", "Order", "Release", "Refused"])
    rig.given_back()
    assert [rig.step(step) for step in ("release", "release", "order", "query")] == [Progress.RELEASED] * 4
    rig.given_back()


def test_a_refusal_speaks_for_its_own_request_alone(rig: Rig) -> None:
    rig.faults({"fault": "error_500", "times": 1}, {"fault": "refuse"})
    assert [rig.step("order") for _ in range(2)] == [Progress.AGAIN, Progress.UNKNOWN]
    run = rig.machine().run(rig.request())
    assert run.way == ["Screen", "Settle", "Query", "Release", "Refused"]
    rig.given_back()


def test_an_overloaded_supplier_is_asked_again_with_the_same_key(rig: Rig) -> None:
    rig.faults({"fault": "error_500", "times": 2}, {"fault": "error_500", "status": 429, "times": 2})
    assert rig.machine().run(rig.request()).succeeded
    rig.fulfilled()


def test_a_passing_fault_of_ours_is_no_reason_to_give_the_card_up(rig: Rig) -> None:
    """Throttled before anything was sent: there is no order, and yet nobody has refused one."""
    faults = [
        TransactWriteError("busy"),
        ConnectionClosedError(endpoint_url="http://dynamodb"),
        RedemptionMoved("raced"),
    ]
    run = rig.machine(faults).run(rig.request())
    assert run.way == ["Screen", "Order", "Capture", "Fulfilled"]
    rig.fulfilled()


def test_a_request_that_may_be_under_way_is_asked_for_and_not_repeated(table: Table, sandbox: SandboxSupplier) -> None:
    rig = Rig(table, sandbox, read_seconds=0.2)
    rig.faults({"fault": "hang", "delay": 5, "times": 1})
    assert rig.step("order") is Progress.UNKNOWN
    assert rig.step("query") is Progress.NOT_ORDERED
    assert rig.orders == []


def test_an_order_whose_answer_is_lost_is_found_and_gets_a_new_link(table: Table, sandbox: SandboxSupplier) -> None:
    rig = Rig(table, sandbox, read_seconds=0.2)
    rig.faults({"fault": "late_after_success", "delay": 5})
    run = rig.machine().run(rig.request())
    assert run.way == ["Screen", "Order", "Settle", "Query", "Capture", "Fulfilled"]
    assert "POST generate_link" in " ".join(rig.fuse.passed)
    rig.fulfilled()


def test_an_order_that_never_arrived_is_given_back_once_the_supplier_says_so(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox, read_seconds=0.2)
    rig.faults({"fault": "hang", "delay": 5})
    run = rig.machine().run(rig.request())
    assert run.way == ["Screen", "Order", "Settle", "Query", "Release", "Refused"]
    rig.given_back()


def test_a_request_that_the_network_doubled_is_one_order(rig: Rig) -> None:
    rig.faults({"fault": "duplicate"})
    assert rig.machine().run(rig.request()).succeeded
    rig.fulfilled()


def test_an_order_that_is_not_settled_is_waited_for(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 2})
    run = rig.machine().run(rig.request())
    assert run.succeeded
    assert run.trail.count("Listen") == 3
    rig.fulfilled()


def test_an_order_that_came_to_nothing_is_given_back(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 9})
    assert rig.step("order") is Progress.PENDING
    rig.sandbox.book.cancel(rig.orders[0].reward_id)
    assert rig.step("query") is Progress.NOT_ORDERED
    assert rig.step("release") is Progress.RELEASED
    assert rig.ends() == ["release"]
    assert rig.world.proven().available == 1000
    rig.written_down(RunStatus.REFUSED)


def test_points_are_never_given_back_while_the_supplier_has_an_order(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 9})
    assert rig.step("order") is Progress.PENDING
    assert rig.step("release") is Progress.UNKNOWN
    rig.still_held()


def test_points_are_never_given_back_once_a_card_is_stored(rig: Rig) -> None:
    rig.step("order")
    assert rig.step("release") is Progress.UNKNOWN
    rig.still_held()
    assert rig.execute().succeeded
    rig.fulfilled()


def test_points_are_never_captured_without_a_card(rig: Rig) -> None:
    with pytest.raises(OrderNotDelivered):
        rig.step("capture")
    rig.still_held()


def test_a_supplier_that_is_away_leaves_the_points_held_for_a_person(table: Table) -> None:
    with SandboxSupplier() as closing:
        rig = Rig(table, closing)
        rig.gates.permit("tremendous", Money.of("0.00", "USD"), rig.client.balance)
    run = rig.machine().run(rig.request())
    assert run.error == "Unresolved"
    assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "supplier_unavailable")
    assert rig.told()[:3] == ["screen done", "order asked", "order ambiguous"]
    with pytest.raises(SupplierUnavailable):
        rig.step("release")
    rig.still_held()


def test_nothing_is_asked_of_a_supplier_whose_balance_cannot_be_read(table: Table) -> None:
    with SandboxSupplier() as closing:
        rig = Rig(table, closing)
    assert rig.step("order") is Progress.AGAIN
    assert rig.execute().error == "Unresolved"
    assert (rig.run.status, rig.run.reason, rig.run.orders) == (RunStatus.ATTENTION, "supplier_unavailable", 0)
    rig.still_held()


def test_a_supplier_that_comes_back_without_the_order_is_believed(rig: Rig) -> None:
    rig.faults({"fault": "error_500"})
    run = rig.machine().run(rig.request())
    assert run.way == [
        "Screen", *["Order", "Pause"] * 5, "Order", "Settle", "Query", "Release", "Refused",
    ]  # fmt: skip
    assert rig.told().count("order asked") == 6
    rig.given_back()


def test_an_order_that_arrived_after_it_was_given_up_is_delivered_while_the_points_are_held(rig: Rig) -> None:
    """The supplier had denied it; before the points go back it is asked once more."""
    rig.faults({"fault": "error_500"})
    for _ in range(6):
        rig.step("order")
    assert rig.step("query") is Progress.NOT_ORDERED
    rig.faults()
    rig.client.order(order_request(rig))
    assert rig.step("release") is Progress.UNKNOWN
    assert rig.execute().succeeded
    rig.fulfilled()


def test_of_two_executions_at_once_one_stores_the_card(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 1})
    assert [rig.step("order"), rig.step("query")] == [Progress.PENDING] * 2
    other: list[Progress] = []
    # The other execution stores its card between this one's reading and writing.
    rig.keys.before_new = lambda: other.append(_query_once(rig))
    with pytest.raises(RedemptionMoved):
        rig.step("query")
    assert other == [Progress.ORDERED]
    assert rig.step("query") is Progress.ORDERED
    rig.step("capture")
    rig.fulfilled()


def _query_once(rig: Rig) -> Progress:
    rig.keys.before_new = lambda: None
    return rig.step("query")


def test_what_is_no_gift_card_is_never_ordered(rig: Rig) -> None:
    coffee = rig.hold("k-c", "coffee")
    assert rig.take("screen", coffee).status is Progress.NOT_ORDERED
    assert rig.orders == []


@pytest.mark.parametrize("step", ["screen", "order", "query", "capture", "release", "attention"])
def test_another_members_redemption_is_not_found(rig: Rig, step: str) -> None:
    rig.world.enroll("mbr_2")
    with pytest.raises(RedemptionNotFound):
        rig.steps.step(step_request({**rig.request(), "member_id": "mbr_2", "step": step}))
    assert rig.orders == []


def test_a_reward_that_its_version_does_not_have_gives_the_points_back(rig: Rig) -> None:
    rig.table.client.delete_item(TableName=rig.table.name, Key={"pk": {"S": "P#acme"}, "sk": {"S": "CONFIG#000001"}})
    run = rig.machine().run(rig.request())
    assert (run.error, run.way) == ("OrderRefused", ["Screen", "Release", "Refused"])
    assert (rig.orders, rig.ends()) == ([], ["release"])
    assert rig.world.proven().available == 1000


def test_a_redemption_captured_without_a_card_is_not_ordered(rig: Rig) -> None:
    rig.take("screen")
    rig.world.capture(rig.held.redemption_id, by=Party.FULFILLMENT)
    assert rig.step("order") is Progress.ATTENTION
    assert rig.run.reason == "captured_without_card"
    assert rig.orders == []
