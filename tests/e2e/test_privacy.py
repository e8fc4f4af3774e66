"""Planted personal data is found nowhere but under encryption."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.cloud import LocalCloud
from tests.e2e.partner import Bus, Partner, envelope, eventually, shopify_order, unique

pytestmark = pytest.mark.e2e


@pytest.fixture
def overheard(cloud: LocalCloud) -> Iterator[str]:
    """Url of a queue that gets every event that the platform itself publishes."""
    events, sqs = cloud.client("events"), cloud.client("sqs")
    url: str = sqs.create_queue(QueueName=f"overheard-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    name = url.rsplit("/", 1)[1]
    events.put_rule(Name=name, EventBusName=cloud.bus, EventPattern=json.dumps({"source": ["loyalty"]}))
    events.put_targets(Rule=name, EventBusName=cloud.bus, Targets=[{"Id": "1", "Arn": arn}])
    yield url
    events.remove_targets(Rule=name, EventBusName=cloud.bus, Ids=["1"])
    events.delete_rule(Name=name, EventBusName=cloud.bus)
    sqs.delete_queue(QueueUrl=url)


def test_no_personal_data_in_logs_events_or_items(cloud: LocalCloud, partner: Partner, overheard: str) -> None:
    mark = uuid.uuid4().hex[:10]
    email, phone = f"planted-{mark}@example.com", f"+39333{int(mark, 16) % 10**7:07d}"
    given, family = f"Plantedgiven{mark}", f"Plantedfamily{mark}"
    member_id = partner.enroll(email, phone=phone, given_name=given, family_name=family)["member_id"]
    bus, order, stray, unknown = Bus(cloud), unique(), unique(), f"nobody-{mark}@example.com"
    bus.put(envelope("orders/paid", shopify_order(order, "10.00", email=email)))
    bus.put(envelope("orders/paid", shopify_order(stray, "10.00", email=unknown)))
    partner.entry(member_id, f"accrual:shopify:{order}")
    again = partner.call("POST", "/members", {"email": email, "phone": "nonsense", "given_name": given})
    taken = partner.call("POST", "/members", {"email": email, "given_name": "X"})
    heard = _events(cloud, overheard, member_id)
    assert {"member.enrolled", "points.accrued"} <= {event["detail-type"] for event in heard}
    items = [item for page in _pages(cloud, "dynamodb", "scan", TableName=cloud.table) for item in page["Items"]]
    assert any(item["sk"]["S"] == f"UNCLAIMED#shopify#{stray}" for item in items)
    logs = list(_log_lines(cloud))
    assert any(member_id in line or "EventsReceived" in line for line in logs)
    places = {
        "a problem": again.text + taken.text,
        "an event": json.dumps(heard),
        "an item": repr(items),
        "a log": "\n".join(logs),
    }
    for place, text in places.items():
        for planted in (mark, email, phone, given, family, unknown):
            assert planted not in text, f"{planted} stands in {place}"


def _events(cloud: LocalCloud, url: str, member_id: str) -> list[dict[str, Any]]:
    """The events about the member, once enrollment and accrual are among them."""
    sqs, heard = cloud.client("sqs"), []

    def look() -> bool | None:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            heard.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        kinds = {event["detail-type"] for event in heard if event["detail"]["member_id"] == member_id}
        return {"member.enrolled", "points.accrued"} <= kinds or None

    eventually("both events", look)
    return heard


def _pages(cloud: LocalCloud, service: str, operation: str, **arguments: str) -> Iterator[dict[str, Any]]:
    yield from cloud.client(service).get_paginator(operation).paginate(**arguments)


def _log_lines(cloud: LocalCloud) -> Iterator[str]:
    groups = [
        group["logGroupName"] for page in _pages(cloud, "logs", "describe_log_groups") for group in page["logGroups"]
    ]
    assert any("accrual_events" in name or "accrual-events" in name for name in groups)
    for group in groups:
        for page in _pages(cloud, "logs", "filter_log_events", logGroupName=group):
            yield from (event["message"] for event in page["events"])
