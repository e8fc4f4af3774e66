"""What suppliers tell by themselves: signed or refused, once or twice, awaited or not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.supplier_callback.keys import WebhookKeys
from functions.supplier_callback.routes import routes
from loyalty.core.http import api, handle
from loyalty.core.table import Table
from loyalty.fulfillment.callbacks import Callbacks, Received
from loyalty.fulfillment.model import NothingAwaited, Progress
from loyalty.fulfillment.run import RunStatus
from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.registry import UnknownSupplier
from loyalty.suppliers.webhooks import MAX_BODY_BYTES, Callback, signature
from tests.apikit.gateway import CONTEXT
from tests.unit.fulfillment.rig import Rig

KEY = "webhook-key"


@pytest.fixture
def pending(rig: Rig) -> Rig:
    """A run whose order the supplier has not settled, and whose execution listens."""
    rig.faults({"fault": "pending", "settle_after": 0})
    assert rig.step("order") is Progress.PENDING
    rig.take("listen", token="t-1")
    return rig


def callbacks(rig: Rig) -> Callbacks:
    return Callbacks(rig.table, rig.executions, rig.world.clock)


def told_of(rig: Rig, event: str = "ORDERS.APPROVED", delivery: str = "e-1") -> Callback:
    return Callback("tremendous", delivery, event, None, order_id=rig.orders[0].id)


def test_news_of_an_order_wakes_the_execution_which_asks(pending: Rig) -> None:
    assert callbacks(pending).receive(told_of(pending)) is Received.TOLD
    assert pending.executions.answers == {"t-1": {"status": "unknown"}}
    assert pending.run.news_at == pending.world.clock()
    assert pending.told()[-1] == "callback done"
    assert pending.execute().succeeded
    pending.fulfilled()


def test_by_the_cards_own_name_it_is_found_too(pending: Rig) -> None:
    about = Callback("tremendous", "e-1", "REWARDS.DELIVERY.SUCCEEDED", None, reward_id=pending.orders[0].reward_id)
    assert callbacks(pending).receive(about) is Received.TOLD


def test_a_second_delivery_writes_nothing_and_wakes_once_more(pending: Rig) -> None:
    pending.executions.waiting = set()  # the first one's process died before it woke anybody
    assert callbacks(pending).receive(told_of(pending)) is Received.TOLD
    before = pending.world.dump()
    pending.executions.waiting = None
    assert callbacks(pending).receive(told_of(pending)) is Received.REPEATED
    assert pending.world.dump() == before
    assert pending.executions.answers == {"t-1": {"status": "unknown"}}


def test_news_that_came_before_anybody_listened_is_not_waited_for(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 9})
    rig.step("order")
    callbacks(rig).receive(told_of(rig))
    with pytest.raises(NothingAwaited):
        rig.take("listen", token="t-1")
    assert rig.step("query") is Progress.PENDING
    assert rig.run.news_at is None


def test_news_of_what_nobody_waits_for_is_ignored(pending: Rig) -> None:
    stranger = Callback("tremendous", "e-9", "ORDERS.APPROVED", None, order_id="SOMEBODYELSE")
    assert callbacks(pending).receive(stranger) is Received.IGNORED
    pending.step("query")
    pending.step("query")
    pending.step("capture")
    before = pending.world.dump()
    assert callbacks(pending).receive(told_of(pending)) is Received.IGNORED
    assert pending.world.dump() == before


def key_of(name: str) -> str:
    """Of a stage that has one supplier."""
    if name != "tremendous":
        raise UnknownSupplier(name)
    return KEY


def _post(
    rig: Rig, body: bytes, signed: str | None, supplier: str = "tremendous", key_of: Callable[[str], str] = key_of
) -> dict[str, Any]:

    event = {
        "httpMethod": "POST",
        "path": f"/v1/suppliers/{supplier}/callbacks",
        "resource": "/v1/suppliers/{supplier}/callbacks",
        "headers": {"Content-Type": "application/json"}
        | ({} if signed is None else {"Tremendous-Webhook-Signature": signed}),
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "r-1"},
        "body": body.decode(),
        "isBase64Encoded": False,
    }
    answer: dict[str, Any] = handle(api(routes(key_of, callbacks(rig))), event, CONTEXT)
    return answer


def _body(rig: Rig) -> bytes:
    resource = {"id": rig.orders[0].id, "type": "orders"}
    return json.dumps({"event": "ORDERS.APPROVED", "uuid": "e-1", "payload": {"resource": resource}}).encode()


def test_a_signed_callback_is_taken_twice_with_one_effect(pending: Rig) -> None:
    body = _body(pending)
    answers = [_post(pending, body, signature(body, KEY)) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [200, 200]
    assert pending.told().count("callback done") == 1


@pytest.mark.parametrize(
    ("body", "signed", "supplier", "status", "code"),
    [
        (None, "sha256=00", "tremendous", 401, "callback_refused"),
        (None, "", "tremendous", 401, "callback_refused"),
        (b"{}", None, "tremendous", 422, "callback_malformed"),
        (b"[1]", None, "tremendous", 422, "callback_malformed"),
        (None, None, "nobody", 404, "supplier_unknown"),
    ],
)
def test_what_is_no_callback_changes_nothing(  # noqa: PLR0917 - one row each
    pending: Rig, body: bytes | None, signed: str | None, supplier: str, status: int, code: str
) -> None:
    before = pending.world.dump()
    sent = _body(pending) if body is None else body
    answer = _post(pending, sent, signature(sent, KEY) if signed is None else signed, supplier)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)
    assert pending.world.dump() == before
    assert pending.run.status is RunStatus.PENDING


@pytest.mark.parametrize(
    ("body", "signed", "supplier", "status", "code"),
    [
        (b"{}", None, "tremendous", 401, "callback_refused"),
        (b"{}", "", "tremendous", 401, "callback_refused"),
        (b"{}", "sha256=00", "tango", 404, "supplier_unknown"),
        (b" " * (MAX_BODY_BYTES + 1), "sha256=00", "tremendous", 413, "body_too_large"),
    ],
    ids=["no header", "an empty one", "whose callbacks are never taken", "too large"],
)
def test_who_proves_nothing_does_not_have_the_key_fetched(  # noqa: PLR0917 - one row each
    rig: Rig, body: bytes, signed: str | None, supplier: str, status: int, code: str
) -> None:
    asked: list[str] = []

    def never(name: str) -> str:
        asked.append(name)
        return KEY

    answer = _post(rig, body, signed, supplier, never)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)
    assert asked == []


class Secrets:
    """Secrets Manager, and how often it was asked."""

    def __init__(self) -> None:
        self.texts = {"arn:t": json.dumps({"api_key": "a", "webhook_key": KEY}), "arn:x": ""}
        self.asked: list[str] = []

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803 - boto3's names
        assert VersionStage == "AWSCURRENT"
        self.asked.append(SecretId)
        return {"SecretString": self.texts[SecretId]}


def test_a_key_is_kept_for_a_minute_and_so_is_that_there_is_none() -> None:
    secrets, now = Secrets(), [datetime(2026, 11, 22, tzinfo=UTC)]
    keys = WebhookKeys({"tremendous": "arn:t", "xoxoday": "arn:x"}, lambda: now[0], secrets)
    for _ in range(5):
        assert keys.get("tremendous") == KEY
        with pytest.raises(SupplierAccessDenied, match="no webhook_key"):
            keys.get("xoxoday")
        with pytest.raises(UnknownSupplier):
            keys.get("tango")
        now[0] += timedelta(seconds=11)
    assert secrets.asked == ["arn:t", "arn:x"]
    secrets.texts = {"arn:t": json.dumps({"webhook_key": "second"}), "arn:x": json.dumps({"webhook_key": "first"})}
    assert keys.get("tremendous") == KEY
    now[0] += timedelta(seconds=5)
    assert (keys.get("tremendous"), keys.get("xoxoday")) == ("second", "first")
    assert secrets.asked == ["arn:t", "arn:x"] * 2


def test_a_run_remembers_no_more_than_its_orders(pending: Rig, table: Table) -> None:
    """What is kept for callbacks goes away by itself."""
    kept = [raw for raw in table.scan() if raw["sk"]["S"].startswith(("PENDING#", "DELIVERY#"))]
    assert len(kept) == 2
    assert all(int(raw["ttl"]["N"]) > pending.world.clock().timestamp() for raw in kept)
