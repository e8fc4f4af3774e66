"""Xoxoday Plum: requests conform to what it publishes, and each (status, body) comes to one outcome."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.core.money import Money
from loyalty.suppliers.model import GiftCard, OrderRequest, OrderState, Outcome, SupplierOrder, SupplierProtocolError
from loyalty.suppliers.secret import XoxodayKeys
from loyalty.suppliers.xoxoday import Xoxoday
from tests.contract.suppliers.outcomes import outcome
from tests.contract.suppliers.published_xoxoday import (
    XOXODAY_HISTORY_ITEM,
    XOXODAY_ORDER,
    XOXODAY_STAGING_VOUCHER,
    xoxoday_answer,
    xoxoday_error,
    xoxoday_request,
)
from tests.unit.suppliers.canned import Canned

REQUEST = OrderRequest("rdm_1", "1007", Money.of("100", "INR"), "mbr_1")
ISSUED = SupplierOrder("6474256", "rdm_1", OrderState.EXECUTED)
REFUSED, PENDING, MADE, AMBIGUOUS = Outcome.REFUSED, Outcome.PENDING, Outcome.ISSUED, Outcome.AMBIGUOUS
VOUCHER = XOXODAY_ORDER["vouchers"][0]
DETAIL = XOXODAY_ORDER["voucherDetails"][0]
NOT_THERE = (404, xoxoday_error(404, "PLE10016"))


class Held:
    def __init__(self) -> None:
        self.forgotten = 0

    def read(self) -> XoxodayKeys:
        return XoxodayKeys(
            client_id="id", client_secret="planted", refresh_token="planted", access_token="planted-token"
        )

    def forget(self) -> None:
        self.forgotten += 1


def client_of(canned: Canned, **more: Any) -> Xoxoday:
    return Xoxoday(canned.url + "/chef", Held(), **more)


def placed(**changes: Any) -> Any:
    return xoxoday_answer("placeOrder", XOXODAY_ORDER | changes)


def requests_of(canned: Canned) -> list[Any]:
    """The data of every request, each held against what is published."""
    assert {(method, path) for method, path, _, _ in canned.asked} == {("POST", "/chef/v1/oauth/api")}
    assert {headers["Authorization"] for _, _, headers, _ in canned.asked} == {"Bearer planted-token"}
    return [xoxoday_request(body) for _, _, _, body in canned.asked]


@pytest.mark.parametrize(
    ("status", "body", "expected", "error"),
    [
        (200, placed(), MADE, ""),
        (200, placed(deliveryStatus="pending", vouchers=[]), PENDING, ""),
        (200, placed(deliveryStatus="cancelled", vouchers=[]), REFUSED, ""),
        (200, placed(vouchers=[XOXODAY_STAGING_VOUCHER]), AMBIGUOUS, "SupplierProtocolError"),
        (200, placed(voucherDetails=[DETAIL | {"denomination": 1000}]), AMBIGUOUS, "SupplierProtocolError"),
        (200, placed(vouchers=[VOUCHER | {"currency": "USD"}], voucherDetails=[]), AMBIGUOUS, "SupplierProtocolError"),
        (200, placed(vouchers=[], voucherDetails=[]), AMBIGUOUS, "SupplierProtocolError"),
        (200, placed(vouchers=[VOUCHER, VOUCHER]), AMBIGUOUS, "SupplierProtocolError"),
        (200, placed(quantity=2), AMBIGUOUS, "SupplierProtocolError"),
        (200, placed(poNumber="planted"), AMBIGUOUS, "SupplierProtocolError"),
        (200, placed(deliveryStatus="planted"), AMBIGUOUS, "SupplierProtocolError"),
        (200, xoxoday_answer("getOrderDetails", XOXODAY_ORDER), AMBIGUOUS, "SupplierProtocolError"),
        (200, {"data": {"placeOrder": {"status": 0, "data": XOXODAY_ORDER}}}, AMBIGUOUS, "SupplierProtocolError"),
        (200, b"<html>planted</html>", AMBIGUOUS, "SupplierProtocolError"),
        (401, {"error": "invalid_token", "error_description": "planted"}, AMBIGUOUS, "SupplierAccessDenied"),
        (400, {"error": "invalid_token", "error_description": "planted"}, AMBIGUOUS, "SupplierAccessDenied"),
        (400, xoxoday_error(400, "PLE10014"), AMBIGUOUS, "SupplierAccessDenied"),
        (429, {"message": "auth.request_limit_exceeded"}, AMBIGUOUS, "SupplierUnavailable"),
        (500, {"code": 500, "error": "planted"}, AMBIGUOUS, "SupplierTimeout"),
        (503, b"<html>planted</html>", AMBIGUOUS, "SupplierTimeout"),
        (502, xoxoday_error(502, "PLE10025"), AMBIGUOUS, "SupplierTimeout"),
        (502, xoxoday_error(502, "PLE10035"), AMBIGUOUS, "SupplierTimeout"),
        (400, b"<html>planted</html>", AMBIGUOUS, "SupplierProtocolError"),
    ],
)
def test_what_an_answer_comes_to(canned: Canned, status: int, body: Any, expected: Outcome, error: str) -> None:
    """Example and codes: https://developers.xoxoday.com/reference, https://developers.xoxoday.com/docs/error-handling-1"""
    assert outcome(canned, status, body, lambda: client_of(canned).order(REQUEST)) == (expected, error)
    (data,) = requests_of(canned)
    assert (data["poNumber"], data["tag"], data["productId"], data["denomination"]) == ("rdm_1", "mbr_1", 1007, 100)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "PLE10001", "OrderRefused"),
        (400, "PLE10018", "OrderRefused"),
        (401, "PLE10019", "OrderRefused"),
        (502, "PLE10024", "OrderRefused"),
        (409, "PLE10041", "OrderRefused"),
        (422, "PLE10004", "SupplierUnavailable"),
        (422, "PLE10010", "SupplierUnavailable"),
    ],
)
def test_a_rejection_counts_only_where_the_supplier_then_has_no_such_order(
    canned: Canned, status: int, code: str, error: str
) -> None:
    """A ``poNumber`` that was used is rejected, under no code that would be told:
    https://developers.xoxoday.com/docs/concepts-1. So every rejection is followed by the question for the order.
    """
    rejection = (status, json.dumps(xoxoday_error(status, code)).encode())
    canned.then = [rejection, (NOT_THERE[0], json.dumps(NOT_THERE[1]).encode())]
    expected = Outcome.REFUSED if error == "OrderRefused" else Outcome.AMBIGUOUS
    assert outcome(canned, 0, b"", lambda: client_of(canned).order(REQUEST)) == (expected, error)
    assert [data["poNumber"] for data in requests_of(canned)] == ["rdm_1", "rdm_1"]

    canned.then = [rejection, (200, json.dumps(xoxoday_answer("getOrderDetails", XOXODAY_ORDER)).encode())]
    assert outcome(canned, 0, b"", lambda: client_of(canned).order(REQUEST)) == (Outcome.ISSUED, "")

    other = XOXODAY_ORDER | {"vouchers": [VOUCHER | {"amount": 1000}], "voucherDetails": []}
    canned.then = [rejection, (200, json.dumps(xoxoday_answer("getOrderDetails", other)).encode())]
    assert outcome(canned, 0, b"", lambda: client_of(canned).order(REQUEST)) == (
        Outcome.AMBIGUOUS,
        "SupplierProtocolError",
    )


def test_what_the_documented_example_says_of_an_order(canned: Canned) -> None:
    canned.body = json.dumps(placed(orderDate="2024-02-07 12:25:45")).encode()
    made = client_of(canned, utc_offset_minutes=330).order(REQUEST)
    assert (made.order_id, made.value, made.cost) == ("6474256", Money.of("100", "INR"), Money.of("100", "INR"))
    assert made.created_at == datetime(2024, 2, 7, 6, 55, 45, tzinfo=UTC)
    assert made.card == GiftCard(code="DEMO-planted", pin="DEMO-PIN", expires_on="2028-02-14")


def test_an_older_shape_writes_amounts_as_text_and_has_no_summary(canned: Canned) -> None:
    """https://xoxoday.gitbook.io/plum/…/orders/getorderdetails-api"""
    older = XOXODAY_ORDER | {"vouchers": [VOUCHER | {"amount": "100", "pin": ""}]}
    del older["voucherDetails"]
    canned.body = json.dumps(xoxoday_answer("getOrderDetails", older)).encode()
    found = client_of(canned).find("rdm_1")
    assert found is not None
    assert (found.value, found.card) == (Money.of("100", "INR"), GiftCard(code="DEMO-planted", expires_on="2028-02-14"))
    assert requests_of(canned) == [{"poNumber": "rdm_1", "orderId": 0, "sendMailToReceiver": 0}]
    assert client_of(canned).card(ISSUED) == found.card


@pytest.mark.parametrize(
    ("kind", "code", "card"),
    [
        ("code", "C-planted", GiftCard(code="C-planted", pin="DEMO-PIN", expires_on="2028-02-14")),
        ("url", "https://v.example/1", GiftCard(link="https://v.example/1", pin="DEMO-PIN", expires_on="2028-02-14")),
        (
            "urlPin",
            "https://v.example/1",
            GiftCard(link="https://v.example/1", pin="DEMO-PIN", expires_on="2028-02-14"),
        ),
        ("url", "http://v.example/planted", None),
        ("carrier pigeon", "planted", None),
        ("code", "", None),
    ],
)
def test_vouchers_are_of_four_kinds(canned: Canned, kind: str, code: str, card: GiftCard | None) -> None:
    order = XOXODAY_ORDER | {"vouchers": [VOUCHER | {"type": kind, "voucherCode": code}]}
    canned.body = json.dumps(xoxoday_answer("getOrderDetails", order)).encode()
    if card is not None:
        assert client_of(canned).card(ISSUED) == card
        return
    with pytest.raises(SupplierProtocolError) as caught:
        client_of(canned).card(ISSUED)
    assert "planted" not in str(caught.value)


def test_no_such_order(canned: Canned) -> None:
    canned.status, canned.body = NOT_THERE[0], json.dumps(NOT_THERE[1]).encode()
    assert client_of(canned).find("rdm_1") is None
    canned.body = json.dumps({"code": 404, "error": "planted"}).encode()
    with pytest.raises(SupplierProtocolError):
        client_of(canned).find("rdm_1")


def test_the_wallet_is_in_one_currency(canned: Canned) -> None:
    canned.body = json.dumps(xoxoday_answer("getBalance", {"value": 5870.029, "currency": "INR"})).encode()
    assert client_of(canned).balance("INR") == Money.of("5870.02", "INR")
    with pytest.raises(SupplierProtocolError, match="kept in INR, not in USD"):
        client_of(canned).balance("USD")
    assert requests_of(canned) == [{}, {}]


def test_orders_of_a_time_are_listed_by_whole_days_in_the_suppliers_own_zone(canned: Canned) -> None:
    """16:41:33 at +05:30 is 11:11:33 UTC. A day on either side is asked for and left out here."""
    before = XOXODAY_HISTORY_ITEM | {"orderId": 7, "orderDate": "2019-12-27 05:29:59"}
    canned.body = json.dumps(xoxoday_answer("getOrderHistory", [XOXODAY_HISTORY_ITEM, before])).encode()
    client = client_of(canned, utc_offset_minutes=330)
    listed = list(client.orders(datetime(2019, 12, 27, tzinfo=UTC), datetime(2019, 12, 28, tzinfo=UTC)))
    assert [(order.order_id, order.external_id, order.state) for order in listed] == [
        ("1316578", "rdm_1", OrderState.PENDING)
    ]
    assert listed[0].value == Money.of("221", "INR")
    assert listed[0].created_at == datetime(2019, 12, 27, 11, 11, 33, tzinfo=UTC)
    (data,) = requests_of(canned)
    assert (data["startDate"], data["endDate"]) == ("2019-12-26", "2019-12-29")


def test_a_list_ends_with_a_short_page_and_one_that_repeats_itself_is_not_whole(canned: Canned) -> None:
    period = datetime(2019, 12, 27, tzinfo=UTC), datetime(2019, 12, 28, tzinfo=UTC)
    page = [XOXODAY_HISTORY_ITEM | {"orderId": number} for number in range(100)]
    more = [XOXODAY_HISTORY_ITEM | {"orderId": 100}]
    pages = [json.dumps(xoxoday_answer("getOrderHistory", each)).encode() for each in (page, more)]
    canned.then = [(200, each) for each in pages]
    assert len(list(client_of(canned).orders(*period))) == 101
    assert [data["page"] for data in requests_of(canned)] == [1, 2]
    canned.then = []
    canned.body = pages[0]
    with pytest.raises(SupplierProtocolError, match="repeats itself"):
        list(client_of(canned).orders(*period))
    canned.status, canned.body = 404, json.dumps(xoxoday_error(404, "PLE10027")).encode()
    assert list(client_of(canned).orders(*period)) == []


def test_nothing_is_cancelled_and_a_product_is_a_number(canned: Canned) -> None:
    assert client_of(canned).cancel(ISSUED) is False
    with pytest.raises(Exception, match="is a number"):
        client_of(canned).order(OrderRequest("rdm_1", "OKMHM2X2OHYV", Money.of("100", "INR"), "mbr_1"))
    assert canned.asked == []
