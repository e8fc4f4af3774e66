"""The function as Lambda starts it: its environment, its logs and metrics, its dead-letter queue."""

import importlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag
from moto import mock_aws

from loyalty.core import aws
from tests.ledgerkit.tables import create_table
from tests.unit.commerce.shopify_samples import ORDER, REFUND, SHOP, envelope

REGION = "eu-south-1"


class Context:
    function_name = "accrual_events"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-south-1:123456789012:function:accrual_events"
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


class Deployed:
    def __init__(self, module: ModuleType, sqs: Any, queue_url: str) -> None:
        self.module = module
        self._sqs = sqs
        self._queue_url = queue_url

    def deliver(self, *bodies: str, receives: int = 1) -> dict[str, Any]:
        records = [
            {"messageId": f"m{place}", "body": body, "attributes": {"ApproximateReceiveCount": str(receives)}}
            for place, body in enumerate(bodies)
        ]
        answer: dict[str, Any] = self.module.handler({"Records": records}, Context())
        return answer

    def dead_letters(self) -> list[tuple[str, str]]:
        found = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        return [(one["MessageAttributes"]["reason"]["StringValue"], one["Body"]) for one in found]


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        session = boto3.Session(region_name=REGION)
        create_table(session.client("dynamodb"), "loyalty")
        sqs = session.client("sqs")
        queue_url = sqs.create_queue(QueueName="inbound-dlq")["QueueUrl"]
        key = session.client("kms").create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]
        for name, value in {
            "LOYALTY_STAGE": "test",
            "LOYALTY_TABLE": "loyalty",
            "LOYALTY_LOOKUP_KEY": key["Arn"],
            "LOYALTY_INBOUND_DLQ": queue_url,
            "LOYALTY_DEFAULT_PROGRAM": "",
            "POWERTOOLS_SERVICE_NAME": "accrual_events",
        }.items():
            monkeypatch.setenv(name, value)
        aws.client.cache_clear()
        aws._session.cache_clear()
        reset_cold_start_flag()
        sys.modules.pop("functions.accrual_events.handler", None)
        module = importlib.import_module("functions.accrual_events.handler")
        yield Deployed(module, sqs, queue_url)
        sys.modules.pop("functions.accrual_events.handler", None)
        aws.client.cache_clear()
        aws._session.cache_clear()


def test_a_batch_through_the_function(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for log in deployed.module.logger.handlers:
        monkeypatch.setattr(log, "stream", sys.stdout)  # capsys came after the logger
    programs = importlib.import_module("tests.ledgerkit.programs")
    store = deployed.module.SERVICE._programs
    store.publish(programs.document(id="acme", shopify_shops=[SHOP]), expected_version=0, actor="test")
    kept = json.dumps(envelope("orders/paid", ORDER))
    guest = json.dumps(envelope("orders/paid", ORDER | {"id": 2, "customer": None, "email": "", "contact_email": ""}))
    malformed = json.dumps(envelope("orders/paid", ORDER | {"id": 3, "subtotal_price": 1.5}))
    too_early = json.dumps(envelope("refunds/create", REFUND | {"order_id": 4}))
    of_the_kept = json.dumps(envelope("refunds/create", REFUND))
    of_the_guests = json.dumps(envelope("refunds/create", REFUND | {"id": 5, "order_id": 2}))

    answer = deployed.deliver(kept, guest, malformed, too_early, of_the_kept, of_the_guests)

    assert answer == {"batchItemFailures": []}
    assert deployed.dead_letters() == [("malformed_payload", malformed)]
    written = capsys.readouterr().out
    metrics = json.loads(next(line for line in written.splitlines() if '"_aws"' in line))
    counted = {name: values for name, values in metrics.items() if isinstance(values, list)}
    assert counted["UnmatchedPurchase"] == [1.0, 1.0]
    assert counted["UnclaimablePurchase"] == counted["EventsRejected"] == counted["RefundsWaiting"] == [1.0]
    assert counted["UnmatchedRefund"] == [1.0, 1.0]
    assert counted["UnclaimableRefund"] == [1.0]
    assert counted["EventsReceived"] == [6.0]
    assert "event refused" in written
    assert "planted" not in written
    assert str(ORDER["customer"]["id"]) not in written


def test_a_missing_variable_is_named(deployed: Deployed) -> None:
    with pytest.raises(RuntimeError, match="LOYALTY_INBOUND_DLQ"):
        deployed.module.EventSettings.load({"LOYALTY_STAGE": "s", "LOYALTY_TABLE": "t", "LOYALTY_LOOKUP_KEY": "k"})
