"""The sandbox supplier's faults at each of its endpoints, its account, and its order list by time."""

import http.client
import time
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.supplier.faults import _MEETS, BadRule, Endpoint, Fault, Faults, Rule
from infra.local.supplier.server import SandboxSupplier
from tests.unit.local.test_supplier import ORDERS, Client


@pytest.fixture
def client() -> Iterator[Client]:
    with SandboxSupplier() as supplier:
        yield Client(supplier.url)


def made(client: Client, external_id: str = "R-0") -> tuple[str, str]:
    """Ids of a new order and its reward."""
    order = client.order(external_id=external_id)[1]["order"]
    return order["id"], order["rewards"][0]["id"]


def ask(client: Client, endpoint: str) -> tuple[int, Any]:
    """One good request at the endpoint, for an order that is there."""
    order_id, reward_id = made(client)
    client_calls = {
        "orders": lambda: client.order(external_id="R-1"),
        "show": lambda: client.call("GET", f"{ORDERS}/{order_id}"),
        "list": lambda: client.call("GET", f"{ORDERS}?external_id=R-0"),
        "link": lambda: client.call("POST", f"/api/v2/rewards/{reward_id}/generate_link"),
        "cancel": lambda: client.call("POST", f"/api/v2/rewards/{reward_id}/cancel"),
        "balance": lambda: client.call("GET", "/api/v2/funding_sources"),
    }
    return client_calls[endpoint]()


REQUESTS = [each.value for each in Endpoint if each is not Endpoint.WEBHOOKS]


@pytest.mark.parametrize("endpoint", REQUESTS)
@pytest.mark.parametrize(
    ("fault", "status"), [("refuse", 400), ("error_500", 500), ("rate_limit", 429), ("nonsense", 200)]
)
def test_a_fault_meets_its_endpoint_and_is_spent(client: Client, endpoint: str, fault: str, status: int) -> None:
    others = [each for each in REQUESTS if each != endpoint]
    client.faults({"fault": fault, "endpoint": endpoint, "times": 1, "match": {}})
    if endpoint == "orders":
        assert client.order(external_id="R-9")[0] == status
    else:
        for other in others:
            assert ask(client, other)[0] < 300
            client.call("DELETE", "/_sandbox/orders")
        assert ask(client, endpoint)[0] == status
    assert client.call("GET", "/_sandbox/faults")[1][0]["times"] == 0


@pytest.mark.parametrize("endpoint", REQUESTS)
def test_a_lost_reply_is_carried_out(client: Client, endpoint: str) -> None:
    client.faults({"fault": "lost_reply", "endpoint": endpoint, "times": 1})
    with pytest.raises(http.client.RemoteDisconnected):
        ask(client, endpoint)
    states = {order["external_id"]: order["status"] for order in client.call("GET", "/_sandbox/orders")[1]}
    assert states == {"R-0": "CANCELED" if endpoint == "cancel" else "EXECUTED"}


def test_an_answer_after_success_may_be_an_error_too(client: Client) -> None:
    client.faults({"fault": "error_500", "after": True, "times": 1})
    assert client.order()[0] == 500
    assert client.count() == 1
    assert client.order()[0] == 201


def test_a_page_where_json_is_expected(client: Client) -> None:
    connection = http.client.HTTPConnection(client._address, timeout=5)
    connection.request("PUT", "/_sandbox/faults", '[{"fault": "html", "endpoint": "balance"}]')
    connection.getresponse().read()
    connection.request("GET", "/api/v2/funding_sources", headers={"Authorization": "Bearer TEST_loyalty_local_sandbox"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/html; charset=utf-8")
    assert answer.read().startswith(b"<html>")
    connection.close()


def test_peace_is_asked_for_in_seconds(client: Client) -> None:
    client.faults({"fault": "rate_limit", "endpoint": "list", "delay": 12})
    connection = http.client.HTTPConnection(client._address, timeout=5)
    connection.request("GET", f"{ORDERS}?limit=1", headers={"Authorization": "Bearer TEST_loyalty_local_sandbox"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Retry-After")) == (429, "12")
    connection.close()
    assert client.order()[0] == 200  # the rule meets lists alone


@pytest.mark.parametrize(("rule", "amount"), [({}, 50), ({"amount": "24.99"}, 24.99)])
def test_a_wrong_amount_is_made_and_stays_wrong(client: Client, rule: dict[str, Any], amount: float) -> None:
    client.faults({"fault": "wrong_amount", "times": 1} | rule)
    for _ in range(2):
        shown = client.order()[1]["order"]
        assert shown["rewards"][0]["value"]["denomination"] == amount
    assert client.call("GET", "/_sandbox/orders")[1][0]["payment"]["total"] == amount


def test_a_list_may_lie_about_amounts_and_show_things_twice(client: Client) -> None:
    made(client)
    client.faults({"fault": "wrong_amount", "endpoint": "list", "times": 1}, {"fault": "duplicate", "endpoint": "list"})
    (lied,) = client.call("GET", ORDERS)[1]["orders"]
    assert lied["rewards"][0]["value"]["denomination"] == 50
    twice = client.call("GET", ORDERS)[1]
    assert (len({order["id"] for order in twice["orders"]}), len(twice["orders"]), twice["total_count"]) == (1, 2, 2)
    assert client.call("GET", "/_sandbox/orders")[1][0]["rewards"][0]["value"]["denomination"] == 25


def test_two_orders_under_one_key_are_both_paid_and_listed(client: Client) -> None:
    client.faults({"fault": "double_order", "times": 1})
    assert client.order()[0] == 200
    assert [order["external_id"] for order in client.call("GET", f"{ORDERS}?external_id=R-1")[1]["orders"]] == [
        "R-1"
    ] * 2
    assert client.call("GET", "/_sandbox/balance")[1]["available_cents"] == 100_000_000 - 5_000


def test_a_late_success_appears_after_being_asked_for(client: Client) -> None:
    client.faults({"fault": "late_success", "settle_after": 2, "times": 1})
    assert client.order()[0] == 504
    counts = [client.call("GET", f"{ORDERS}?external_id=R-1")[1]["total_count"] for _ in range(4)]
    assert counts == [0, 0, 1, 1]
    assert client.count() == 1  # its own list has it from the start


def test_a_late_success_appears_after_a_time_whatever_is_asked(client: Client) -> None:
    client.faults({"fault": "late_success", "settle_seconds": 0.3, "times": 1})
    started = time.monotonic()
    assert client.order()[0] == 504
    seen: list[Any] = []
    while not seen and time.monotonic() < started + 5:
        seen = client.call("GET", f"{ORDERS}?external_id=R-1")[1]["orders"]
    assert 0.25 < time.monotonic() - started < 4
    assert client.order()[0] == 201


def test_a_pending_order_settles_by_itself_after_a_time(client: Client) -> None:
    client.faults({"fault": "pending", "settle_seconds": 0.3})
    order_id = client.order()[1]["order"]["id"]
    statuses = [client.call("GET", f"{ORDERS}/{order_id}")[1]["order"]["status"] for _ in range(5)]
    assert statuses == ["OPEN"] * 5
    time.sleep(0.5)
    assert client.call("GET", f"{ORDERS}/{order_id}")[1]["order"]["status"] == "EXECUTED"


def test_orders_are_paid_from_the_account_and_paid_back(client: Client) -> None:
    assert client.call("PUT", "/_sandbox/balance", {"available_cents": 5_000}) == (200, {"available_cents": 5_000})
    _, reward_id = made(client)
    source = client.call("GET", "/api/v2/funding_sources")[1]["funding_sources"][0]
    assert source["meta"]["available_cents"] == 2_500
    assert client.order(external_id="R-1")[0] == 200
    status, answer = client.order(external_id="R-2")
    assert (status, answer["errors"]["message"]) == (402, "Order failed: not enough funds")
    assert client.count() == 2
    client.call("POST", f"/api/v2/rewards/{reward_id}/cancel")
    assert client.call("GET", "/_sandbox/balance")[1] == {"available_cents": 2_500}
    assert client.call("PUT", "/_sandbox/balance", {"available_cents": -1})[0] == 400


def test_costs_are_in_dollars_whatever_the_card_is_in(client: Client) -> None:
    value = {"denomination": 25, "currency_code": "EUR"}
    _, answer = client.order(value=value, products=["Q24BD9EZ332J"])
    assert answer["order"]["payment"] == {"subtotal": 27.5, "total": 27.5, "fees": 0}


def test_an_order_that_fails_is_paid_back(client: Client) -> None:
    client.faults({"fault": "pending", "settle_after": 100})
    order_id, _ = made(client)
    assert client.call("POST", f"/_sandbox/orders/{order_id}/settle", {"status": "FAILED"})[1]["status"] == "FAILED"
    assert client.call("GET", "/_sandbox/balance")[1] == {"available_cents": 100_000_000}
    assert client.call("POST", f"/_sandbox/orders/{order_id}/settle", {"status": "moon"})[0] == 400
    assert client.call("POST", "/_sandbox/orders/NOPE/settle")[0] == 404


def test_a_used_reward_cannot_be_cancelled(client: Client) -> None:
    order_id, reward_id = made(client)
    assert client.call("POST", f"/_sandbox/orders/{order_id}/redeem")[0] == 200
    assert client.call("POST", f"/api/v2/rewards/{reward_id}/cancel")[0] == 400


def test_orders_are_listed_by_time_a_hundred_at_most(client: Client) -> None:
    made(client)
    path = f"{ORDERS}?created_at[gte]={{}}&created_at[lte]={{}}"
    for start, end, count in (("2026-01-01", "2999-01-01", 1), ("2999-01-01", "2999-01-02", 0), ("2020", "x", None)):
        bounds = (f"{start}T00:00:00Z", f"{end}T00:00:00Z")
        status, answer = client.call("GET", path.format(*bounds))
        assert (status, answer.get("total_count")) == ((200, count) if count is not None else (400, None))


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("endpoint", list(Endpoint))
def test_a_fault_without_a_meaning_at_an_endpoint_is_refused(fault: Fault, endpoint: Endpoint) -> None:
    if endpoint in _MEETS[fault]:
        assert Rule(fault, endpoint).endpoint is endpoint
    else:
        with pytest.raises(BadRule, match="does not meet"):
            Faults().replace([{"fault": fault.value, "endpoint": endpoint.value}])
