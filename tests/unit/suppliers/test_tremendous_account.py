"""What the client does beside ordering: cancels, asks for the balance, lists; and every fault at every one of its calls."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.suppliers.model import (
    OrderRefused,
    OrderState,
    SupplierError,
    SupplierProtocolError,
    SupplierTimeout,
    SupplierUnavailable,
)
from loyalty.suppliers.tremendous import Tremendous
from tests.unit.fulfillment.rig import FixedKey
from tests.unit.suppliers.canned import Canned, canned_server
from tests.unit.suppliers.test_tremendous import REQUEST, client_of, order_document

FIVE = {"denomination": 5, "currency_code": "USD"}


@pytest.fixture
def canned() -> Iterator[Canned]:
    with canned_server() as server:
        yield server


def test_a_card_is_cancelled_once_and_a_second_time_says_so_again(sandbox: SandboxSupplier) -> None:
    client = client_of(sandbox)
    made = client.order(REQUEST)
    assert (client.cancel(made), client.cancel(made)) == (True, True)
    assert [order.state for order in [client.find("rdm_1")] if order] == [OrderState.DEAD]
    assert client.balance("USD") == Money.of("1000000", "USD")


def test_a_card_that_somebody_used_is_not_cancelled(sandbox: SandboxSupplier) -> None:
    client = client_of(sandbox)
    made = client.order(REQUEST)
    sandbox.api.book.redeem(made.order_id)
    assert client.cancel(made) is False
    assert [order.state for order in [client.find("rdm_1")] if order] == [OrderState.EXECUTED]


def test_a_cancellation_whose_answer_was_lost_is_found_done(sandbox: SandboxSupplier) -> None:
    client = client_of(sandbox)
    made = client.order(REQUEST)
    sandbox.api.faults.replace([{"fault": "lost_reply", "endpoint": "cancel", "times": 1}])
    with pytest.raises(SupplierTimeout):
        client.cancel(made)
    assert client.cancel(made) is True


def test_an_order_whose_cost_was_given_back_is_dead_though_it_is_executed(canned: Canned) -> None:
    payment = {"subtotal": 12.5, "total": 12.75, "refund": {"total": 12.5}}
    canned.body = json.dumps({"orders": [order_document(payment=payment)]}).encode()
    found = Tremendous(canned.url, FixedKey("key")).find("rdm_1")
    assert found is not None
    assert (found.state, found.cost) == (OrderState.DEAD, Money.of("12.75", "USD"))


def test_the_balance_goes_down_with_orders_and_is_reckoned_in_other_currencies(sandbox: SandboxSupplier) -> None:
    client = client_of(sandbox, rates={"EUR": Decimal("1.25"), "KWD": Decimal(3)})
    sandbox.api.account.put(10_001)
    assert client.balance("USD") == Money.of("100.01", "USD")
    assert client.balance("EUR") == Money.of("80.00", "EUR")  # 80.008, rounded down
    assert client.balance("KWD") == Money.of("33.336", "KWD")
    client.order(REQUEST)
    assert client.balance("USD") == Money.of("87.51", "USD")
    with pytest.raises(SupplierProtocolError, match="set a rate for IDR"):
        client.balance("IDR")


def test_want_of_funds_is_a_refusal_that_says_so(sandbox: SandboxSupplier) -> None:
    sandbox.api.account.put(1_249)
    with pytest.raises(OrderRefused) as refused:
        client_of(sandbox).order(REQUEST)
    assert refused.value.out_of_funds
    sandbox.api.faults.replace([{"fault": "refuse"}])
    with pytest.raises(OrderRefused) as refused:
        client_of(sandbox).order(REQUEST)
    assert not refused.value.out_of_funds
    assert refused.value.request_id is not None


def test_how_long_to_leave_it_in_peace(sandbox: SandboxSupplier) -> None:
    sandbox.api.faults.replace([{"fault": "rate_limit", "delay": 7}])
    with pytest.raises(SupplierUnavailable) as busy:
        client_of(sandbox).order(REQUEST)
    assert busy.value.retry_after == 7


def test_every_order_of_a_time_is_listed_once_page_after_page(sandbox: SandboxSupplier) -> None:
    client = client_of(sandbox)
    moments = [datetime(2026, 11, 22, tzinfo=UTC) + timedelta(minutes=number) for number in range(230)]
    for number, moment in enumerate(moments):
        order, _ = sandbox.api.book.make(
            {"external_id": f"rdm_{number}", "reward": {"value": FIVE, "delivery": {"method": "LINK"}}}
        )
        order.created_at = moment.isoformat()
    start, end = moments[5], moments[225]
    listed = list(client.orders(start, end))
    assert [order.external_id for order in listed] == [f"rdm_{number}" for number in range(224, 4, -1)]
    assert {order.value for order in listed} == {Money.of("5", "USD")}
    assert {order.cost for order in listed} == {Money.of("5", "USD")}
    assert all(order.card is None for order in listed)


def test_a_list_that_is_not_whole_is_no_list(canned: Canned) -> None:
    start, end = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    listed = [order_document(created_at="2026-11-22T10:00:00Z")]
    canned.body = json.dumps({"orders": listed, "total_count": 2}).encode()
    client = Tremendous(canned.url, FixedKey("key"))
    with pytest.raises(SupplierProtocolError, match="counts 2 orders and lists 1"):
        list(client.orders(start, end))
    canned.body = json.dumps({"orders": [order_document(created_at=None)], "total_count": 1}).encode()
    with pytest.raises(SupplierProtocolError, match="without its moment"):
        list(client.orders(start, end))


@pytest.mark.parametrize(
    ("endpoint", "call"),
    [
        ("list", lambda client, _: client.find("rdm_1")),
        ("link", lambda client, order: client.card(order)),
        ("cancel", lambda client, order: client.cancel(order)),
        ("balance", lambda client, _: client.balance("USD")),
        ("show", lambda client, order: client.by_id(order.order_id)),
        ("orders", lambda client, _: client.order(REQUEST)),
    ],
)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("html", SupplierProtocolError),
        ("nonsense", SupplierProtocolError),
        ("error_500", SupplierUnavailable),
        ("rate_limit", SupplierUnavailable),
        ("lost_reply", SupplierTimeout),
    ],
)
def test_every_fault_at_every_call(
    sandbox: SandboxSupplier, endpoint: str, call: Any, fault: str, expected: type[SupplierError]
) -> None:
    client = client_of(sandbox)
    made = client.order(REQUEST)
    sandbox.api.faults.replace([{"fault": fault, "endpoint": endpoint}])
    with pytest.raises(expected) as caught:
        call(client, made)
    assert type(caught.value) is expected
