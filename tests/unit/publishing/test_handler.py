"""The publisher as Lambda starts it: what it cannot read is put aside, and nothing waits behind it."""

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

import loyalty_contract as contract
from loyalty.core import aws
from loyalty.publishing.outbox import Outgoing
from tests.apikit.gateway import CONTEXT

REGION = "eu-south-1"
PLANTED = "nora@example.com"
MODULE = "functions.publisher.handler"


class Deployed:
    """The function, its dead-letter queue, and a bus that takes all but what it is told to refuse."""

    def __init__(self, module: ModuleType, sqs: Any, queue_url: str) -> None:
        self.module = module
        self.published: list[str] = []
        self.refuses: set[str] = set()
        self._sqs = sqs
        self._queue_url = queue_url

    def publish(self, events: list[Outgoing]) -> list[Outgoing]:
        failed = [event for event in events if event.sequence_number in self.refuses]
        self.published += [event.sequence_number for event in events if event not in failed]
        return failed

    def deliver(self, *records: dict[str, Any]) -> list[str]:
        """Sequence numbers from which the batch is to be delivered again."""
        answer = self.module.handler({"Records": list(records)}, CONTEXT)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def dead_letters(self) -> list[dict[str, Any]]:
        found = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(found.get("Messages", []))


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        queue_url = sqs.create_queue(QueueName="unpublished")["QueueUrl"]
        for name, value in {
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            contract.ENV_STAGE: "test",
            contract.ENV_BUS: "bus",
            contract.ENV_UNPUBLISHED: queue_url,
            "POWERTOOLS_SERVICE_NAME": "publisher",
        }.items():
            monkeypatch.setenv(name, value)
        aws.client.cache_clear()
        aws._session.cache_clear()
        reset_cold_start_flag()
        sys.modules.pop(MODULE, None)
        deployed = Deployed(importlib.import_module(MODULE), sqs, queue_url)
        monkeypatch.setattr(deployed.module, "PUBLISHER", deployed)
        for log in deployed.module.logger.handlers:
            monkeypatch.setattr(log, "stream", sys.stdout)
        yield deployed
        sys.modules.pop(MODULE, None)
        aws.client.cache_clear()
        aws._session.cache_clear()


def record(number: int, sk: str = "MEMBER", **attributes: dict[str, str]) -> dict[str, Any]:
    keys = {"pk": {"S": "M#aurora#mbr_1"}, "sk": {"S": sk}}
    image = {**keys, "version": {"N": "1"}, **attributes}
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "Keys": keys, "NewImage": image}}


UNREADABLE = {
    "entry of an unknown kind": record(2, "ENTRY#gift#pos#R-1", note={"S": PLANTED}),
    "entry without its attributes": record(2, "ENTRY#accrual#pos#R-1", note={"S": PLANTED}),
    "entry under an unknown account": record(
        2, "ENTRY#accrual#pos#R-1", seq={"N": "1"}, postings={"M": {PLANTED: {"N": "1"}}}  # type: ignore[dict-item]
    ),
    "redemption in an unknown status": record(2, "REDEMPTION#rdm_1", status={"S": PLANTED}),
    "member whose version is no number": record(2, version={"N": PLANTED}),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_record_that_is_no_event_is_put_aside_and_the_rest_is_published(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    for log in deployed.module.logger.handlers:
        monkeypatch.setattr(log, "stream", sys.stdout)  # capsys came after the logger
    broken = UNREADABLE[case]
    assert deployed.deliver(record(1), broken, record(3)) == []
    assert deployed.published == ["1", "3"]
    (letter,) = deployed.dead_letters()
    assert json.loads(letter["Body"]) == {
        "change": "INSERT", "keys": broken["dynamodb"]["Keys"], "sequence_number": "2",
    }  # fmt: skip
    labels = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert labels["reason"] == "unreadable_record"
    assert labels["detail"].isidentifier()
    written = capsys.readouterr().out
    assert '"EventsUnpublishable":[1.0]' in written.replace(" ", "")
    assert '"level":"ERROR"' in written
    assert PLANTED not in written + json.dumps(letter)


def test_what_comes_after_a_failure_is_delivered_again_and_put_aside_once(deployed: Deployed) -> None:
    broken = UNREADABLE["redemption in an unknown status"]
    deployed.refuses = {"1"}
    assert deployed.deliver(record(1), broken) == ["1"]
    assert deployed.dead_letters() == []
    deployed.refuses = {"3"}
    assert deployed.deliver(record(1), broken, record(3)) == ["3"]
    assert len(deployed.dead_letters()) == 1


def test_a_record_that_could_not_be_put_aside_is_not_passed_over(deployed: Deployed) -> None:
    aws.client("sqs").delete_queue(QueueUrl=deployed._queue_url)
    with pytest.raises(Exception, match="does not exist"):
        deployed.deliver(UNREADABLE["redemption in an unknown status"])


def test_a_missing_variable_is_named(deployed: Deployed) -> None:
    with pytest.raises(RuntimeError, match="LOYALTY_UNPUBLISHED"):
        deployed.module.PublisherSettings.load({"LOYALTY_STAGE": "s", "LOYALTY_BUS": "b"})
