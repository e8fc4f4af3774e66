"""The sandbox supplier over real HTTP."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.local.supplier.orders import OrderBook
from infra.local.supplier.server import SANDBOX_KEY, SandboxSupplier

ORDERS = "/api/v2/orders"


class Client:
    """Speaks to the supplier; every call gives the status and the document."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        self._address = urlsplit(url).netloc
        self.timeout = timeout

    def call(self, method: str, path: str, document: Any = None, key: str | None = SANDBOX_KEY) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._address, timeout=self.timeout)
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        try:
            connection.request(method, path, None if document is None else json.dumps(document), headers)
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body else None
        finally:
            connection.close()

    def order(self, **changes: Any) -> tuple[int, Any]:
        return self.call("POST", ORDERS, order(**changes))

    def faults(self, *rules: dict[str, Any]) -> None:
        assert self.call("PUT", "/_sandbox/faults", list(rules))[0] == 200

    def count(self) -> int:
        return len(self.call("GET", "/_sandbox/orders")[1])


def order(
    external_id: str | None = "R-1", denomination: float = 25, method: str = "LINK", **reward: Any
) -> dict[str, Any]:
    return {
        "external_id": external_id,
        "payment": {"funding_source_id": "balance"},
        "reward": {
            "value": {"denomination": denomination, "currency_code": "USD"},
            "delivery": {"method": method},
            "recipient": {"name": "Ada", "email": "ada@example.com"},
            "products": ["OKMHM2X2OHYV"],
            **reward,
        },
    }


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with SandboxSupplier(book=OrderBook(tmp_path / "orders.jsonl")) as supplier:
        yield Client(supplier.url)


def test_a_new_order_is_executed_and_shows_its_link_once(client: Client) -> None:
    status, answer = client.order()
    made = answer["order"]
    assert (status, made["status"], made["external_id"]) == (200, "EXECUTED", "R-1")
    assert made["rewards"][0]["delivery"]["link"].startswith("http://127.0.0.1:")
    assert made["payment"] == {"subtotal": 25, "total": 25, "fees": 0}
    reward_id = made["rewards"][0]["id"]
    _, asked = client.call("GET", f"{ORDERS}/{made['id']}")
    assert "link" not in asked["order"]["rewards"][0]["delivery"]
    _, asked = client.call("GET", f"/api/v2/rewards/{reward_id}")
    assert "link" not in asked["reward"]["delivery"]
    status, answer = client.call("POST", f"/api/v2/rewards/{reward_id}/generate_link")
    assert status == 200
    assert answer["reward"]["link"] != made["rewards"][0]["delivery"]["link"]


def test_a_link_answers_whoever_has_it(client: Client) -> None:
    link = urlsplit(client.order()[1]["order"]["rewards"][0]["delivery"]["link"])
    status, page = client.call("GET", link.path, key=None)
    assert status == 200
    assert "gift card" in page["reward"]


def test_the_same_external_id_is_the_same_order(client: Client) -> None:
    first = client.order()[1]["order"]
    status, answer = client.order()
    assert (status, answer["order"]["id"]) == (201, first["id"])
    assert "link" not in answer["order"]["rewards"][0]["delivery"]
    assert client.count() == 1


def test_orders_are_found_by_external_id_and_listed_newest_first(client: Client) -> None:
    for external_id in ("R-1", "R-2", "R-3"):
        client.order(external_id=external_id)
    status, answer = client.call("GET", f"{ORDERS}?external_id=R-2")
    assert (status, [each["external_id"] for each in answer["orders"]]) == (200, ["R-2"])
    _, page = client.call("GET", f"{ORDERS}?limit=2&offset=1")
    assert ([each["external_id"] for each in page["orders"]], page["total_count"]) == (["R-2", "R-1"], 3)
    assert client.call("GET", f"{ORDERS}?external_id=R-9")[1] == {"orders": [], "total_count": 0}


@pytest.mark.parametrize("key", [None, "wrong"])
def test_a_wrong_key_is_refused(client: Client, key: str | None) -> None:
    status, answer = client.call("POST", ORDERS, order(), key=key)
    assert status == 401
    assert set(answer["errors"]) == {"message", "payload"}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "payment"),
        (order() | {"payment": {"funding_source_id": "nope"}}, "payment"),
        (order(external_id=""), "external_id"),
        (order(products=[]), "reward"),
        (order(products=["UNKNOWN"]), "reward"),
        (order(denomination=0.5), "reward"),
        (order(denomination=2001), "reward"),
        (order(value={"denomination": True, "currency_code": "USD"}), "reward"),
        (order(value={"denomination": 5, "currency_code": "EUR"}), "reward"),
        (order(method="PIGEON"), "reward"),
        (order(recipient={}), "reward"),
        ("not an object", "payment"),
    ],
)
def test_an_invalid_order_names_the_field_and_orders_nothing(client: Client, document: Any, field: str) -> None:
    status, answer = client.call("POST", ORDERS, document)
    assert status == 400
    assert answer["errors"]["message"] == "Order failed: validation failure"
    assert field in answer["errors"]["payload"]
    assert client.count() == 0


def test_what_is_not_there_is_404(client: Client) -> None:
    for method, path in (
        ("GET", f"{ORDERS}/NOPE"),
        ("GET", "/api/v2/rewards/NOPE"),
        ("GET", "/api/v2/nope"),
        ("GET", "/_sandbox/nope"),
    ):
        assert client.call(method, path)[0] == 404


def test_products_and_funding_sources(client: Client) -> None:
    products = client.call("GET", "/api/v2/products?currency=USD")[1]["products"]
    assert [(each["id"], each["skus"]) for each in products] == [("OKMHM2X2OHYV", [{"min": 1, "max": 2000}])]
    assert client.call("GET", "/api/v2/funding_sources")[1]["funding_sources"][0]["id"] == "balance"


def test_a_reward_can_be_canceled_once(client: Client) -> None:
    made = client.order()[1]["order"]
    path = f"/api/v2/rewards/{made['rewards'][0]['id']}/cancel"
    assert client.call("POST", path)[0] == 200
    assert client.call("GET", f"{ORDERS}/{made['id']}")[1]["order"]["status"] == "CANCELED"
    assert client.call("POST", path)[0] == 400


@pytest.mark.parametrize(("fault", "status"), [("refuse", 400), ("out_of_stock", 400), ("error_500", 500)])
def test_refusals_order_nothing_and_are_spent(client: Client, fault: str, status: int) -> None:
    client.faults({"fault": fault, "times": 1})
    assert client.order()[0] == status
    assert client.count() == 0
    assert client.order()[0] == 200


def test_a_refusal_may_have_another_status(client: Client) -> None:
    client.faults({"fault": "error_500", "status": 429})
    assert client.order()[0] == 429


def test_a_hang_answers_nothing_and_orders_nothing(client: Client) -> None:
    client.faults({"fault": "hang", "delay": 0.2, "times": 1})
    with pytest.raises(http.client.RemoteDisconnected):
        client.order()
    assert client.count() == 0


def test_a_late_answer_leaves_an_order_that_can_be_asked_for(client: Client) -> None:
    client.faults({"fault": "late_after_success", "delay": 2, "times": 1})
    client.timeout = 0.2
    with pytest.raises(TimeoutError):
        client.order()
    client.timeout = 5.0
    assert client.count() == 1
    assert client.call("GET", f"{ORDERS}?external_id=R-1")[1]["orders"][0]["status"] == "EXECUTED"


def test_a_duplicate_makes_two_orders_unless_an_external_id_makes_it_one(client: Client) -> None:
    client.faults({"fault": "duplicate"})
    client.order(external_id=None)
    assert client.count() == 2
    assert client.order(external_id="R-1")[0] == 201
    assert client.count() == 3


def test_a_pending_order_is_settled_after_being_asked_for(client: Client) -> None:
    client.faults({"fault": "pending", "settle_after": 2})
    status, answer = client.order()
    assert (status, answer["order"]["status"]) == (202, "OPEN")
    path = f"{ORDERS}/{answer['order']['id']}"
    assert [client.call("GET", path)[1]["order"]["status"] for _ in range(3)] == ["OPEN", "OPEN", "EXECUTED"]


def test_faults_strike_only_what_they_match_and_are_cleared(client: Client) -> None:
    client.faults({"fault": "refuse", "match": {"external_id": "R-2*", "product": "OKMHM2X2OHYV"}})
    assert client.order(external_id="R-1")[0] == 200
    assert client.order(external_id="R-22")[0] == 400
    assert client.call("DELETE", "/_sandbox/faults")[0] == 204
    assert client.call("GET", "/_sandbox/faults") == (200, [])
    assert client.order(external_id="R-22")[0] == 200


@pytest.mark.parametrize(
    "rules",
    [
        {},
        "refuse",
        [{"match": {}}],
        [{"fault": "moonfall"}],
        [{"fault": "refuse", "often": 1}],
        [{"fault": "hang", "delay": "long"}],
    ],
)
def test_a_bad_rule_is_refused_and_changes_nothing(client: Client, rules: Any) -> None:
    client.faults({"fault": "refuse"})
    assert client.call("PUT", "/_sandbox/faults", rules)[0] == 400
    assert [rule["fault"] for rule in client.call("GET", "/_sandbox/faults")[1]] == ["refuse"]


def test_orders_are_kept_as_lines_without_their_links(tmp_path: Path) -> None:
    journal = tmp_path / "orders.jsonl"
    with SandboxSupplier(book=OrderBook(journal)) as supplier:
        client = Client(supplier.url)
        client.order()
        client.order()
        client.order(external_id="R-2")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["external_id"] for line in lines] == ["R-1", "R-2"]
    assert "link" not in lines[0]["rewards"][0]["delivery"]


def test_stopping_does_not_wait_for_a_hanging_request(tmp_path: Path) -> None:
    started = time.monotonic()
    with SandboxSupplier() as supplier:
        client = Client(supplier.url, timeout=0.1)
        client.faults({"fault": "hang", "delay": 30})
        with pytest.raises(TimeoutError):
            client.order()
    assert time.monotonic() - started < 5
