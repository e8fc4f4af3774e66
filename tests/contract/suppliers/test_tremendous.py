"""Tremendous v2: requests conform to what it publishes, and each (status, body) comes to one outcome."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from loyalty.core.money import Money
from loyalty.suppliers.model import OrderRequest, Outcome
from loyalty.suppliers.tremendous import Tremendous
from tests.contract.suppliers.outcomes import outcome
from tests.contract.suppliers.published import (
    TREMENDOUS_LIST_QUERY,
    TREMENDOUS_ORDER,
    conforms,
    tremendous_error,
    tremendous_order,
)
from tests.unit.fulfillment.rig import FixedKey
from tests.unit.suppliers.canned import Canned

REQUEST = OrderRequest("rdm_1", "Q24BD9EZ332J", Money.of("25.00", "EUR"), "mbr_1")
ORDER = tremendous_order()
REWARD = ORDER["rewards"][0]
MISSING = tremendous_error("Order failed: validation failure", {"payment": {"funding_source_id": "planted"}})
REFUSED, PENDING, ISSUED, AMBIGUOUS = Outcome.REFUSED, Outcome.PENDING, Outcome.ISSUED, Outcome.AMBIGUOUS


@pytest.mark.parametrize(
    ("status", "body", "expected", "error"),
    [
        (200, {"order": ORDER}, ISSUED, ""),
        (201, {"order": ORDER}, ISSUED, ""),  # the same external_id: the order made before
        (202, {"order": tremendous_order(status="PENDING APPROVAL")}, PENDING, ""),
        (201, {"order": tremendous_order(status="CANCELED")}, REFUSED, ""),
        (201, {"order": tremendous_order(status="FAILED")}, REFUSED, ""),
        (400, MISSING, REFUSED, "OrderRefused"),
        (402, tremendous_error("planted", {}), REFUSED, "OrderRefused"),
        (422, tremendous_error("planted", {}), REFUSED, "OrderRefused"),
        (401, tremendous_error("planted", {}), AMBIGUOUS, "SupplierAccessDenied"),
        (429, tremendous_error("planted", {}), AMBIGUOUS, "SupplierUnavailable"),
        (500, tremendous_error("planted", {}), AMBIGUOUS, "SupplierUnavailable"),
        (503, b"<html>planted</html>", AMBIGUOUS, "SupplierUnavailable"),
        (400, b"<html>planted</html>", AMBIGUOUS, "SupplierProtocolError"),
        (200, b"<html>planted</html>", AMBIGUOUS, "SupplierProtocolError"),
        (200, {"order": tremendous_order(external_id="planted")}, AMBIGUOUS, "SupplierProtocolError"),
        (201, {"order": tremendous_order(rewards=[REWARD, REWARD])}, AMBIGUOUS, "SupplierProtocolError"),
        (
            201,
            {"order": tremendous_order(rewards=[REWARD | {"value": {"denomination": 250, "currency_code": "EUR"}}])},
            AMBIGUOUS,
            "SupplierProtocolError",
        ),
        (
            201,
            {"order": tremendous_order(rewards=[REWARD | {"value": {"denomination": 25, "currency_code": "USD"}}])},
            AMBIGUOUS,
            "SupplierProtocolError",
        ),
        (200, {"order": tremendous_order(status="planted")}, AMBIGUOUS, "SupplierProtocolError"),
        (302, b"", AMBIGUOUS, "SupplierProtocolError"),
    ],
)
def test_what_an_answer_comes_to(canned: Canned, status: int, body: Any, expected: Outcome, error: str) -> None:
    """A duplicate ``external_id`` answers 201 with the original order:
    https://developers.tremendous.com/reference/core-orders-create
    """
    client = Tremendous(canned.url, FixedKey("key"))
    assert outcome(canned, status, body, lambda: client.order(REQUEST)) == (expected, error)
    ((method, path, _, sent),) = canned.asked
    assert (method, path) == ("POST", "/api/v2/orders")
    conforms(json.loads(sent), TREMENDOUS_ORDER)


def test_what_a_documented_order_says(canned: Canned) -> None:
    canned.body = json.dumps({"order": ORDER}).encode()
    made = Tremendous(canned.url, FixedKey("key")).order(REQUEST)
    assert (made.order_id, made.reward_id) == ("LB5YVVE7Q2LU", "LVZ2T9XKVSH1")
    assert (made.value, made.cost) == (Money.of("25.00", "EUR"), Money.of("27.50", "USD"))
    assert made.created_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert made.card is not None
    assert made.card.link == "https://testflight.tremendous.com/rewards/payout/planted"


def test_lists_are_asked_for_as_documented_and_their_end_is_left_out(canned: Canned) -> None:
    """``created_at[lte]`` includes its moment, so an order made then is left to the next period."""
    late = tremendous_order(id="L2", created_at="2026-11-23T00:00:00.000Z")
    canned.body = json.dumps({"orders": [late, ORDER], "total_count": 2}).encode()
    client = Tremendous(canned.url, FixedKey("key"))
    listed = list(client.orders(datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)))
    assert [order.order_id for order in listed] == ["LB5YVVE7Q2LU"]
    ((_, path, _, _),) = canned.asked
    query = dict(parse_qsl(urlsplit(path).query))
    conforms(query, TREMENDOUS_LIST_QUERY)
    assert (query["created_at[gte]"], query["limit"]) == ("2026-11-22T00:00:00.000Z", "100")


def test_the_balance_is_in_us_cents(canned: Canned) -> None:
    """https://developers.tremendous.com/docs/paying-for-orders"""
    balance = {
        "method": "balance",
        "id": "GCTHLCMFVYMD",
        "usage_permissions": ["api_orders", "dashboard_orders"],
        "status": "active",
        "meta": {"available_cents": 600000, "pending_cents": 0},
    }
    bank = {"method": "bank_account", "id": "3SZHCQGNNVGH", "meta": {"bank_name": None}}
    canned.body = json.dumps({"funding_sources": [bank, balance]}).encode()
    assert Tremendous(canned.url, FixedKey("key")).balance("USD") == Money.of("6000.00", "USD")
