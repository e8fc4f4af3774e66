"""Tango RaaS v2: requests conform to what it publishes, and each (status, body) comes to one outcome.

The bodies are those of its sandbox, as public projects recorded them; see :mod:`tests.contract.suppliers.published`.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from loyalty.core.money import Money
from loyalty.suppliers.model import GiftCard, OrderRequest, OrderState, Outcome, SupplierOrder, SupplierProtocolError
from loyalty.suppliers.secret import TangoKeys
from loyalty.suppliers.tango import Tango
from tests.contract.suppliers.outcomes import outcome
from tests.contract.suppliers.published import (
    TANGO_LIST_QUERY,
    TANGO_ORDER,
    TANGO_PUBLISHED_ERROR,
    TANGO_SANDBOX_LIST_ITEM,
    TANGO_SANDBOX_ORDER,
    conforms,
    tango_list,
)
from tests.unit.suppliers.canned import Canned

REQUEST = OrderRequest("rdm_1.2", "U561593", Money.of("1", "USD"), "mbr_1")
ORDER = TANGO_SANDBOX_ORDER | {"externalRefID": "rdm_1.2"}
ISSUED = SupplierOrder("RA180426-1401-64", "rdm_1.2", OrderState.EXECUTED)
REFUSED, PENDING, MADE, AMBIGUOUS = Outcome.REFUSED, Outcome.PENDING, Outcome.ISSUED, Outcome.AMBIGUOUS
TEN = {"value": 10, "currencyCode": "USD"}
EURO = {"value": 1, "currencyCode": "EUR"}


class Held:
    def __init__(self) -> None:
        self.forgotten = 0

    def read(self) -> TangoKeys:
        return TangoKeys(platform_name="acme", platform_key="planted-key")

    def forget(self) -> None:
        self.forgotten += 1


def client_of(canned: Canned) -> Tango:
    return Tango(canned.url, Held(), customer="sdkautotest4", account="sdkautotest5")


@pytest.mark.parametrize(
    ("status", "body", "expected", "error"),
    [
        (201, ORDER, MADE, ""),
        (200, ORDER, MADE, ""),  # the same externalRefID: the order made before
        (201, ORDER | {"status": "PENDING", "reward": None}, PENDING, ""),
        (200, ORDER | {"status": "FAILED", "reward": None}, REFUSED, ""),
        (400, TANGO_PUBLISHED_ERROR, REFUSED, "OrderRefused"),
        (422, TANGO_PUBLISHED_ERROR | {"httpCode": 422}, REFUSED, "OrderRefused"),
        (422, TANGO_PUBLISHED_ERROR, AMBIGUOUS, "SupplierProtocolError"),  # somebody else's status
        (401, TANGO_PUBLISHED_ERROR | {"httpCode": 401}, AMBIGUOUS, "SupplierAccessDenied"),
        (403, TANGO_PUBLISHED_ERROR | {"httpCode": 403}, AMBIGUOUS, "SupplierAccessDenied"),
        (429, TANGO_PUBLISHED_ERROR | {"httpCode": 429}, AMBIGUOUS, "SupplierUnavailable"),
        (500, TANGO_PUBLISHED_ERROR | {"httpCode": 500}, AMBIGUOUS, "SupplierUnavailable"),
        (503, b"planted", AMBIGUOUS, "SupplierUnavailable"),
        (400, b"<html>planted</html>", AMBIGUOUS, "SupplierProtocolError"),
        (200, ORDER | {"utid": "U000001"}, AMBIGUOUS, "SupplierProtocolError"),
        (200, ORDER | {"denomination": TEN}, AMBIGUOUS, "SupplierProtocolError"),
        (200, ORDER | {"denomination": EURO}, AMBIGUOUS, "SupplierProtocolError"),
        (201, ORDER | {"denomination": None}, AMBIGUOUS, "SupplierProtocolError"),
        (201, ORDER | {"externalRefID": "planted"}, AMBIGUOUS, "SupplierProtocolError"),
        (201, TANGO_SANDBOX_ORDER, AMBIGUOUS, "SupplierProtocolError"),  # without any
        (201, ORDER | {"status": "planted"}, AMBIGUOUS, "SupplierProtocolError"),
        (301, b"", AMBIGUOUS, "SupplierProtocolError"),
    ],
)
def test_what_an_answer_comes_to(canned: Canned, status: int, body: Any, expected: Outcome, error: str) -> None:
    """A repeated ``externalRefID`` answers 200 (201 is a new order) with the order that there is, also where that was for
    another item: https://developers.tangocard.com/docs/best-practices. So item, value and currency are compared.
    """
    assert outcome(canned, status, body, lambda: client_of(canned).order(REQUEST)) == (expected, error)
    ((method, path, headers, sent),) = canned.asked
    assert (method, path) == ("POST", "/raas/v2/orders")
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"acme:planted-key").decode()
    document = json.loads(sent)
    conforms(document, TANGO_ORDER)
    assert "mbr_1" not in sent.decode()


def test_a_refusal_names_field_code_and_request(canned: Canned) -> None:
    canned.status, canned.body = 400, json.dumps(TANGO_PUBLISHED_ERROR).encode()
    canned.headers = {"X-REQUEST-ID": "492fc1a0-ae5b-441b-a12a-ff6c028ceded"}
    with pytest.raises(Exception, match=r"naming utid, i18nKey 422\.024") as refused:
        client_of(canned).order(REQUEST)
    assert getattr(refused.value, "request_id", None) == "492fc1a0-ae5b-441b-a12a-ff6c028ceded"


def test_what_the_sandbox_says_of_an_order(canned: Canned) -> None:
    canned.body = json.dumps(ORDER).encode()
    made = client_of(canned).order(REQUEST)
    assert (made.order_id, made.value, made.cost) == ("RA180426-1401-64", Money.of("1", "USD"), Money.of("1", "USD"))
    assert made.created_at == datetime(2018, 4, 26, 20, 8, 59, 624000, tzinfo=UTC)
    assert made.card == GiftCard(link="https://sandbox.rewardlink.io/r/1/planted")
    assert client_of(canned).card(made) == made.card
    assert canned.asked[-1][:2] == ("GET", "/raas/v2/orders/RA180426-1401-64")


def test_an_order_is_found_in_a_list_without_its_credentials(canned: Canned) -> None:
    canned.body = json.dumps(tango_list(TANGO_SANDBOX_LIST_ITEM)).encode()
    found = client_of(canned).find("11111111-11")
    assert found is not None
    assert (found.order_id, found.value, found.card) == ("RA170224-130-95", Money.of("10", "USD"), None)
    query = dict(parse_qsl(urlsplit(canned.asked[0][1]).query))
    conforms(query, TANGO_LIST_QUERY)
    assert query == {"accountIdentifier": "sdkautotest5", "externalRefID": "11111111-11"}
    canned.body = json.dumps(tango_list()).encode()
    assert client_of(canned).find("rdm_1") is None


@pytest.mark.parametrize(
    "orders",
    [
        [TANGO_SANDBOX_LIST_ITEM],
        [TANGO_SANDBOX_LIST_ITEM | {"externalRefID": "rdm_1", "referenceOrderID": f"RA-{each}"} for each in (1, 2)],
    ],
)
def test_a_list_with_somebody_elses_order_or_two_of_ours_proves_nothing(canned: Canned, orders: Any) -> None:
    canned.body = json.dumps(tango_list(*orders)).encode()
    with pytest.raises(SupplierProtocolError):
        client_of(canned).find("rdm_1")


CODE = {"label": "Claim Code", "value": "AQ4-planted", "type": "text", "credentialType": "claimCode"}
NUMBER = {"label": "Card Number", "value": "6006-planted", "type": "text", "credentialType": "cardNumber"}
PIN = {"label": "PIN", "value": "1234", "type": "text", "credentialType": "pin"}
EXPIRES = {"label": "Expiration Date", "value": "2027-01-31T00:00:00Z", "type": "date"}
BARCODE = {"label": "Barcode", "value": "https://b.example/planted", "type": "barcode", "credentialType": "barcode"}


@pytest.mark.parametrize(
    ("credentials", "card"),
    [
        ([CODE], GiftCard(code="AQ4-planted")),
        ([NUMBER, PIN, EXPIRES, BARCODE], GiftCard(code="6006-planted", pin="1234", expires_on="2027-01-31")),
        (
            [{"label": "Redemption URL", "value": "https://c.example/1", "type": "url"}],
            GiftCard(link="https://c.example/1"),
        ),
        ([], None),
        ([PIN], None),
        ([NUMBER, CODE], None),  # two for one place: half of a card would be delivered
        ([CODE, {"label": "Moonword", "value": "planted", "type": "text"}], None),
        ([{"label": "Redemption URL", "value": "http://c.example/planted", "type": "url"}], None),
    ],
)
def test_credentials_have_their_place_or_the_card_is_not_delivered(
    canned: Canned, credentials: list[Any], card: GiftCard | None
) -> None:
    canned.body = json.dumps(ORDER | {"reward": {"credentialList": credentials}}).encode()
    if card is not None:
        assert client_of(canned).card(ISSUED) == card
        return
    with pytest.raises(SupplierProtocolError) as caught:
        client_of(canned).card(ISSUED)
    assert "planted" not in str(caught.value)


def test_the_balance_is_the_accounts_own_currency_rounded_down(canned: Canned) -> None:
    """https://developers.tangocard.com/docs/get-details-for-a-specific-account"""
    account = {
        "accountIdentifier": "sdkautotest5",
        "currencyCode": "USD",
        "currentBalance": 9127.888,
        "status": "ACTIVE",
    }
    canned.body = json.dumps(account).encode()
    assert client_of(canned).balance("USD") == Money.of("9127.88", "USD")
    assert canned.asked[0][:2] == ("GET", "/raas/v2/accounts/sdkautotest5")
    canned.body = json.dumps(account | {"currentBalance": -3}).encode()
    assert client_of(canned).balance("USD") == Money.of("0", "USD")
    with pytest.raises(SupplierProtocolError, match="another currency than EUR"):
        client_of(canned).balance("EUR")


def test_a_list_beyond_what_the_api_shows_is_not_whole(canned: Canned) -> None:
    """At most 10,000: https://developers.tangocard.com/docs/get-a-list-of-orders"""
    period = datetime(2017, 2, 1, tzinfo=UTC), datetime(2017, 3, 1, tzinfo=UTC)
    canned.body = json.dumps(tango_list(TANGO_SANDBOX_LIST_ITEM)).encode()
    assert [order.external_id for order in client_of(canned).orders(*period)] == ["11111111-11"]
    conforms(dict(parse_qsl(urlsplit(canned.asked[0][1]).query)), TANGO_LIST_QUERY)
    canned.body = json.dumps(tango_list(TANGO_SANDBOX_LIST_ITEM, total=10_000)).encode()
    with pytest.raises(SupplierProtocolError, match="ask for a shorter time"):
        list(client_of(canned).orders(*period))
    canned.body = json.dumps(tango_list(TANGO_SANDBOX_LIST_ITEM, total=2)).encode()
    with pytest.raises(SupplierProtocolError, match="fewer orders than it counts"):
        list(client_of(canned).orders(*period))


def test_nothing_is_cancelled_and_nothing_asked_for_it(canned: Canned) -> None:
    assert client_of(canned).cancel(ISSUED) is False
    assert canned.asked == []


def test_refused_credentials_are_read_anew(canned: Canned) -> None:
    canned.status, held = 401, Held()
    with pytest.raises(Exception, match="answered 401"):
        Tango(canned.url, held, customer="sdkautotest4", account="sdkautotest5").find("rdm_1")
    assert held.forgotten == 1
