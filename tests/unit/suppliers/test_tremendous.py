"""The client: against the sandbox supplier where it is right, against canned answers where it is not."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.suppliers.model import (
    OrderRefused,
    OrderRequest,
    OrderState,
    SupplierAccessDenied,
    SupplierError,
    SupplierOrder,
    SupplierProtocolError,
    SupplierTimeout,
    SupplierUnavailable,
)
from loyalty.suppliers.transport import MAX_ANSWER_BYTES
from loyalty.suppliers.tremendous import Tremendous
from tests.unit.fulfillment.rig import BOOKSHOP, FixedKey
from tests.unit.suppliers.canned import Canned, canned_server

EXECUTED = SupplierOrder("ORDER1", "rdm_1", OrderState.EXECUTED, reward_id="R1")
SECRET_LINK = "https://supplier.example/rewards/payout/planted-link"
FIVE = {"denomination": 5, "currency_code": "USD"}
REQUEST = OrderRequest("rdm_1", BOOKSHOP, Money.of("12.50", "USD"), "mbr_1")


def client_of(supplier: SandboxSupplier, **more: Any) -> Tremendous:
    return Tremendous(supplier.url, FixedKey(supplier.key), **more)


@pytest.fixture
def canned() -> Iterator[Canned]:
    with canned_server() as server:
        yield server


def order_document(**changes: Any) -> dict[str, Any]:
    reward = {
        "id": "REWARD1",
        "value": {"denomination": 12.5, "currency_code": "USD"},
        "delivery": {"method": "LINK", "status": "SUCCEEDED", "link": SECRET_LINK},
    }
    return {"id": "ORDER1", "external_id": "rdm_1", "status": "EXECUTED", "rewards": [reward], "new": 1} | changes


def make(client: Tremendous, call: str) -> object:
    match call:
        case "order":
            return client.order(REQUEST)
        case "find":
            return client.find("rdm_1")
        case _:
            return client.card(EXECUTED)


def failing(canned: Canned, expected: type[SupplierError], call: str = "order") -> str:
    """Makes the call, which must fail so; what is said of it never repeats the answer."""
    with pytest.raises(expected) as caught:
        make(Tremendous(canned.url, FixedKey("key")), call)
    assert type(caught.value) is expected
    assert "planted" not in str(caught.value)
    assert "planted" not in repr(caught.value.__cause__)
    return str(caught.value)


def test_an_order_and_everything_that_can_be_asked_of_it(sandbox: SandboxSupplier) -> None:
    client = client_of(sandbox)
    assert client.find("rdm_1") is None
    made = client.order(REQUEST)
    assert made.state is OrderState.EXECUTED
    assert made.card is not None
    assert (made.card.link or "").startswith(sandbox.url + "/rewards/payout/")
    again = client.order(REQUEST)
    assert (again.order_id, again.reward_id, again.card) == (made.order_id, made.reward_id, None)
    found = client.find("rdm_1")
    assert found == again
    assert client.card(made).link not in {None, made.card.link}
    assert len(sandbox.api.book.all()) == 1


def test_the_link_is_in_no_representation(sandbox: SandboxSupplier) -> None:
    client = client_of(sandbox)
    made = client.order(REQUEST)
    assert "payout" not in repr(made)
    assert "payout" not in repr(client.card(made))


@pytest.mark.parametrize(
    ("amount", "currency", "number"),
    [("12.50", "USD", 12.5), ("30.00", "USD", 30), ("250000.00", "IDR", 250000), ("1.005", "KWD", 1.005)],
)
def test_an_amount_is_an_exact_json_number(canned: Canned, amount: str, currency: str, number: float) -> None:
    reward = {"id": "R1", "value": {"denomination": number, "currency_code": currency}}
    canned.body = json.dumps({"order": order_document(rewards=[reward])}).encode()
    request = OrderRequest("rdm_1", BOOKSHOP, Money.of(amount, currency), "mbr_1")
    Tremendous(canned.url, FixedKey("key")).order(request)
    sent = json.loads(canned.asked[0][3], parse_float=Decimal)
    assert sent["reward"]["value"] == {"denomination": Decimal(str(number)), "currency_code": currency}


def test_an_amount_that_no_json_number_keeps_is_not_sent(canned: Canned) -> None:
    request = OrderRequest("rdm_1", BOOKSHOP, Money.of("12345678901234567.89", "USD"), "mbr_1")
    with pytest.raises(ValueError, match="digits"):
        Tremendous(canned.url, FixedKey("key")).order(request)
    assert canned.asked == []


def test_an_order_that_is_not_settled_is_pending(sandbox: SandboxSupplier) -> None:
    sandbox.api.faults.replace([{"fault": "pending", "settle_after": 1}])
    client = client_of(sandbox)
    assert client.order(REQUEST).state is OrderState.PENDING
    states = [order.state for order in (client.find("rdm_1"), client.find("rdm_1")) if order is not None]
    assert states == [OrderState.PENDING, OrderState.EXECUTED]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("EXECUTED", OrderState.EXECUTED),
        ("OPEN", OrderState.PENDING),
        ("CART", OrderState.PENDING),
        ("PENDING APPROVAL", OrderState.PENDING),
        ("PENDING INTERNAL PAYMENT APPROVAL", OrderState.PENDING),
        ("FAILED", OrderState.DEAD),
        ("CANCELED", OrderState.DEAD),
    ],
)
def test_every_documented_status_has_a_meaning(canned: Canned, status: str, state: OrderState) -> None:
    canned.body = json.dumps({"order": order_document(status=status)}).encode()
    assert Tremendous(canned.url, FixedKey("key")).order(REQUEST).state is state


@pytest.mark.parametrize("fault", ["refuse", "out_of_stock"])
def test_a_refusal_names_the_fields(sandbox: SandboxSupplier, fault: str) -> None:
    sandbox.api.faults.replace([{"fault": fault}])
    with pytest.raises(OrderRefused, match=r"answered 400, naming reward\.(recipient|products)"):
        client_of(sandbox).order(REQUEST)
    assert sandbox.api.book.all() == []


@pytest.mark.parametrize("status", [400, 402, 404, 409, 422])
def test_only_an_error_of_this_api_is_a_refusal(canned: Canned, status: int) -> None:
    canned.status = status
    canned.body = (
        b'{"errors": {"message": "planted", "payload": {"reward": {"x Y": "planted", "products": "planted"}}}}'
    )
    assert failing(canned, OrderRefused) == f"the supplier answered {status}, naming reward.products"
    canned.body = b'{"errors": {"message": "planted"}}'
    assert failing(canned, OrderRefused) == f"the supplier answered {status}"
    for body in (b"<html>planted</html>", b'["planted"]', b'{"error": "planted"}', b"", b'{"a":' * 100_000):
        canned.body = body
        failing(canned, SupplierProtocolError)


def test_a_refusal_to_show_an_order_refuses_no_order(canned: Canned) -> None:
    canned.status, canned.body = 400, b'{"errors": {"message": "planted", "payload": {}}}'
    failing(canned, SupplierProtocolError, "find")
    failing(canned, SupplierProtocolError, "link")


@pytest.mark.parametrize("call", ["order", "find", "link"])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, SupplierUnavailable),
        (500, SupplierUnavailable),
        (502, SupplierUnavailable),
        (503, SupplierUnavailable),
        (504, SupplierUnavailable),
        (408, SupplierTimeout),
        (401, SupplierAccessDenied),
        (403, SupplierAccessDenied),
        (204, SupplierProtocolError),
        (302, SupplierProtocolError),
    ],
)
def test_other_statuses(canned: Canned, status: int, expected: type[SupplierError], call: str) -> None:
    canned.status, canned.body = status, b""
    canned.headers = {"Location": "https://planted.example/"}
    failing(canned, expected, call)
    repeated = call == "find" and status in {502, 503, 504}
    assert len(canned.asked) == (2 if repeated else 1)


@pytest.mark.parametrize(
    "document",
    [
        {"order": order_document(external_id="rdm_2")},
        {"order": order_document(external_id=None)},
        {"order": order_document(status="planted")},
        {"order": order_document(rewards=[])},
        {"order": order_document(id="planted/../../rewards")},
        {"order": order_document(rewards=[{"id": "R", "delivery": {"link": "http://planted.example/"}}])},
        {"order": order_document(rewards=[{"id": "R", "delivery": {"link": "javascript:planted"}}])},
        {"order": order_document(rewards=[{"id": "R", "delivery": {"link": "https://[planted"}}])},
        {"order": order_document(rewards=[{"id": "R", "delivery": {"link": "https://planted.example/" + "x" * 3000}}])},
        {"planted": 1},
        [],
    ],
)
def test_an_answer_that_is_not_the_apis_proves_nothing(canned: Canned, document: Any) -> None:
    canned.body = json.dumps(document).encode()
    failing(canned, SupplierProtocolError)


@pytest.mark.parametrize("body", [b"", b"planted", b'{"order":', b"\xff\xfe", b'{"order":' * 50_000])
def test_an_answer_that_is_no_json_proves_nothing(canned: Canned, body: bytes) -> None:
    canned.body = body
    for call in ("order", "find", "link"):
        failing(canned, SupplierProtocolError, call)


def test_an_answer_beyond_the_limit_proves_nothing(canned: Canned) -> None:
    canned.body = json.dumps({"order": order_document(), "padding": "x" * MAX_ANSWER_BYTES}).encode()
    failing(canned, SupplierProtocolError)


def test_a_list_that_ignores_the_filter_proves_nothing(canned: Canned) -> None:
    canned.body = json.dumps({"orders": [order_document(external_id="rdm_2")]}).encode()
    failing(canned, SupplierProtocolError, "find")
    canned.body = json.dumps({"orders": [order_document(), order_document(id="ORDER2")]}).encode()
    failing(canned, SupplierProtocolError, "find")


def test_an_answer_cut_off_is_no_answer(canned: Canned) -> None:
    canned.body, canned.cut_after = json.dumps({"order": order_document()}).encode(), 20
    failing(canned, SupplierTimeout)


def test_silence_is_no_answer(sandbox: SandboxSupplier) -> None:
    sandbox.api.faults.replace([{"fault": "late_after_success", "delay": 5}])
    with pytest.raises(SupplierTimeout):
        client_of(sandbox, read_seconds=0.2).order(REQUEST)
    assert len(sandbox.api.book.all()) == 1


def test_a_closed_port_is_unavailable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        client = Tremendous(f"http://127.0.0.1:{bound.getsockname()[1]}", FixedKey("key"))
        with pytest.raises(SupplierUnavailable):
            client.find("rdm_1")


def test_a_certificate_that_nobody_signed_is_not_trusted(tmp_path: Path) -> None:
    with canned_server(tmp_path) as canned:
        failing(canned, SupplierTimeout, "find")
        assert canned.asked == []


def test_a_refused_key_is_read_anew(sandbox: SandboxSupplier) -> None:
    key = FixedKey("old", sandbox.key)
    client = Tremendous(sandbox.url, key)
    with pytest.raises(SupplierAccessDenied):
        client.order(REQUEST)
    assert key.forgotten == 1
    assert client.order(REQUEST).state is OrderState.EXECUTED


MORE = pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"denomination": 12.49, "currency_code": "USD"}, "12.49 USD"),
        ({"denomination": 1250, "currency_code": "USD"}, "1250.00 USD"),
        ({"denomination": 12.5, "currency_code": "EUR"}, "12.50 EUR"),
        (None, "no value"),
    ],
)


@MORE
def test_an_order_of_another_value_is_delivered_to_nobody(canned: Canned, value: Any, said: str) -> None:
    reward = {"id": "R1", "value": value, "delivery": {"link": SECRET_LINK}}
    canned.body = json.dumps({"order": order_document(rewards=[reward])}).encode()
    message = failing(canned, SupplierProtocolError)
    assert message == f"the supplier's order is of {said}; asked for was 12.50 USD"


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-1", "12.505", "1e400", '"12.50 planted"', "true", "[]"])
def test_an_amount_that_is_no_money_proves_nothing(canned: Canned, amount: str) -> None:
    text = json.dumps({"order": order_document()}).replace('"denomination": 12.5', f'"denomination": {amount}')
    canned.body = text.encode()
    failing(canned, SupplierProtocolError)


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


@pytest.mark.parametrize("url", ["http://supplier.example", "ftp://127.0.0.1", "supplier.example", "", "https://"])
def test_the_supplier_is_reached_over_tls(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Tremendous(url, FixedKey("key"))


def test_what_is_sent(canned: Canned) -> None:
    canned.body = json.dumps({"orders": []}).encode()
    Tremendous(canned.url, FixedKey("the-key")).find("rdm_a&b=c")
    method, path, headers, body = canned.asked[0]
    assert (method, path, body) == ("GET", "/api/v2/orders?external_id=rdm_a%26b%3Dc&limit=2", b"")
    assert headers["Authorization"] == "Bearer the-key"
    assert headers["Accept-Encoding"] == "identity"
