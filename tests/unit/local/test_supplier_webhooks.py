"""What the sandbox supplier posts, taken by the code that takes it on the platform."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.local.supplier.server import SandboxSupplier
from infra.local.supplier.webhooks import SANDBOX_WEBHOOK_KEY
from loyalty.suppliers.model import OrderState
from loyalty.suppliers.webhooks import BadSignature, Callback, verify
from tests.unit.local.test_supplier import Client


@dataclass
class Receiver:
    """Takes posts; the first of them get the statuses in ``fails``."""

    url: str = ""
    fails: list[int] = field(default_factory=list)
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait_for(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        until = time.monotonic() + 10
        while len(self.posts) < count and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)  # and no more than that
        assert len(self.posts) == count
        return self.posts


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    taken = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.posts.append((dict(self.headers.items()), body))
            self.send_response(taken.fails.pop(0) if taken.fails else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken.url = f"http://127.0.0.1:{server.server_address[1]}/callbacks"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield taken
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(receiver: Receiver) -> Iterator[Client]:
    with SandboxSupplier() as supplier:
        client = Client(supplier.url)
        assert client.call("PUT", "/_sandbox/webhooks", {"url": receiver.url})[0] == 200
        yield client


def taken(post: tuple[dict[str, str], bytes]) -> Callback:
    return verify(*post, SANDBOX_WEBHOOK_KEY)


def test_what_becomes_of_an_order_is_told_signed(client: Client, receiver: Receiver) -> None:
    client.faults({"fault": "pending", "settle_after": 100})
    order = client.order()[1]["order"]
    client.call("POST", f"/_sandbox/orders/{order['id']}/settle")
    client.call("POST", f"/api/v2/rewards/{order['rewards'][0]['id']}/cancel")
    told = [taken(post) for post in receiver.wait_for(3)]
    assert [(each.event, each.order_id, each.reward_id, each.state) for each in told] == [
        ("ORDERS.CREATED", order["id"], None, None),
        ("ORDERS.APPROVED", order["id"], None, OrderState.EXECUTED),
        ("REWARDS.CANCELED", None, order["rewards"][0]["id"], OrderState.DEAD),
    ]
    assert len({each.delivery_id for each in told}) == 3
    assert [each["statuses"] for each in client.call("GET", "/_sandbox/webhooks")[1]] == [[200]] * 3
    assert "link" not in b" ".join(body for _, body in receiver.posts).decode()


def test_a_callback_may_come_twice_under_one_name(client: Client, receiver: Receiver) -> None:
    client.faults({"fault": "duplicate", "endpoint": "webhooks", "match": {"event": "ORDERS.CREATED"}, "times": 1})
    client.order()
    first, second = receiver.wait_for(2)
    assert taken(first) == taken(second)


def test_a_callback_may_be_signed_by_somebody_else(client: Client, receiver: Receiver) -> None:
    client.faults({"fault": "wrong_signature", "endpoint": "webhooks", "match": {"external_id": "R-1"}})
    client.order()
    (post,) = receiver.wait_for(1)
    with pytest.raises(BadSignature):
        taken(post)


@pytest.mark.parametrize(("fails", "posts"), [([500, 503], 3), ([500] * 9, 3), ([401], 1)])
def test_who_fails_is_told_again_a_few_times(client: Client, receiver: Receiver, fails: list[int], posts: int) -> None:
    receiver.fails = fails
    client.order()
    told = receiver.wait_for(posts)
    assert len({json.loads(body)["uuid"] for _, body in told}) == 1


def test_the_published_way_of_asking_for_callbacks(client: Client, receiver: Receiver) -> None:
    client.call("DELETE", "/_sandbox/webhooks")
    client.order(external_id="R-0")
    status, answer = client.call("POST", "/api/v2/webhooks", {"url": receiver.url})
    assert (status, answer["webhook"]["url"]) == (200, receiver.url)
    client.order()
    (post,) = receiver.wait_for(1)
    assert verify(*post, answer["webhook"]["private_key"]).event == "ORDERS.CREATED"


@pytest.mark.parametrize("control", [True, False])
def test_nothing_leaves_this_machine(client: Client, control: bool) -> None:
    call: Callable[..., tuple[int, object]] = client.call
    url = {"url": "https://example.com/callbacks"}
    status = call("PUT", "/_sandbox/webhooks", url)[0] if control else call("POST", "/api/v2/webhooks", url)[0]
    assert status == 400
