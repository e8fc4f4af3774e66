"""The sample day on the deployed platform, with IAM enforcement: it ends where its script says, and once is as twice."""

import io
from typing import Any

import pytest
from rich.console import Console

from infra.local.cloud import LocalCloud
from infra.local.sample_access import Access, Shop
from infra.local.sample_day import play
from infra.local.sample_player import Day
from infra.local.sample_script import sample

pytestmark = pytest.mark.e2e


def standings(day: Day) -> dict[str, Any]:
    return {one.key: (one.wallet, [entry["entry_id"] for entry in one.statement]) for one in day.standings}


def test_the_day_played_twice_ends_as_if_played_once(local_cloud: LocalCloud) -> None:
    printed = io.StringIO()
    console = Console(file=printed, width=120)
    first = play(local_cloud, lambda _line: None, console)
    again = play(local_cloud, lambda _line: None, console)
    assert standings(first) == standings(again)
    for one in first.standings:
        assert one.wallet["available"] == first.script.expected[one.key].available
        assert one.name in printed.getvalue()
    assert first.deliveries == again.deliveries
    assert first.deliveries[0].link in printed.getvalue()


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("an_unknown_event", "unknown_event"),
        ("a_topic_nobody_handles", "unknown_topic"),
        ("an_amount_that_is_a_float", "malformed_payload"),
    ],
)
def test_an_event_that_can_never_count_waits_with_its_reason(local_cloud: LocalCloud, file: str, reason: str) -> None:
    Shop(Access.from_env(local_cloud.variables)).deliver(sample(f"accrual_events/{file}.json"))
    sqs = local_cloud.client("sqs")
    queue_url = sqs.get_queue_url(QueueName="loyalty-local-inbound-dlq")["QueueUrl"]
    for _ in range(30):
        answer = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1, MessageAttributeNames=["All"])
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            assert message["MessageAttributes"]["reason"]["StringValue"] == reason
            return
    pytest.fail("nothing arrived in the dead-letter queue")
