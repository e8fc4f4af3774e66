"""What a request leaves behind on the deployed platform: events, logs, items, the history of its execution."""

import json
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from infra.local.cloud import LocalCloud
from tests.e2e.partner import eventually


def events(cloud: LocalCloud, url: str, member_id: str, kinds: AbstractSet[str]) -> list[dict[str, Any]]:
    """What the queue overheard, once events of all these kinds about the member are among it."""
    return overhear(
        cloud,
        url,
        f"the events {', '.join(sorted(kinds))}",
        lambda heard: (
            kinds <= {event["detail-type"] for event in heard if event["detail"].get("member_id") == member_id}
        ),
    )


def overhear(
    cloud: LocalCloud, url: str, what: str, enough: Callable[[list[dict[str, Any]]], bool]
) -> list[dict[str, Any]]:
    """What the queue overheard, once it is enough."""
    sqs, heard = cloud.client("sqs"), []

    def look() -> bool | None:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            heard.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return enough(heard) or None

    eventually(what, look)
    return heard


def items(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Every item of the table, as it is stored."""
    return [item for page in _pages(cloud, "dynamodb", "scan", TableName=cloud.table) for item in page["Items"]]


def log_lines(cloud: LocalCloud) -> Iterator[str]:
    """Every line of every log group."""
    groups = [
        group["logGroupName"] for page in _pages(cloud, "logs", "describe_log_groups") for group in page["logGroups"]
    ]
    assert any("accrual_events" in name or "accrual-events" in name for name in groups)
    for group in groups:
        for page in _pages(cloud, "logs", "filter_log_events", logGroupName=group):
            yield from (event["message"] for event in page["events"])


def history(cloud: LocalCloud, machine: str, execution: str) -> list[dict[str, Any]]:
    """The events of an execution; ``machine`` is the ARN of its state machine."""
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"
    return [
        event
        for page in _pages(cloud, "stepfunctions", "get_execution_history", executionArn=arn)
        for event in page["events"]
    ]


def _pages(cloud: LocalCloud, service: str, operation: str, **arguments: str) -> Iterator[dict[str, Any]]:
    yield from cloud.client(service).get_paginator(operation).paginate(**arguments)
