"""Every place of the local cloud where something may be left behind, as text, and how to look for a value in it."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote, quote_plus

from infra.local.cloud import LocalCloud
from tests.e2e.traces import items, log_lines

ASSETS: Final = "cdk-"
"""Buckets with the code that was deployed."""
PAGE: Final = 10
AS_SENT: Final = frozenset({"loyalty-local-inbound", "loyalty-local-inbound-dlq"})
"""Queues with events of commerce as the platform sent them, encrypted and for 14 days at most: dead letters are redriven as they came."""


def places(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """Name and content: items, stream, logs, execution histories, files, metrics, messages that wait in a queue."""
    yield from (("an item", _shown(item)) for item in items(cloud))
    yield from (("the stream", _shown(record)) for record in _stream(cloud))
    yield from (("a log", line) for line in log_lines(cloud))
    yield from _histories(cloud)
    yield from _files(cloud)
    for page in cloud.client("cloudwatch").get_paginator("list_metrics").paginate():
        yield from (("a metric", json.dumps(metric)) for metric in page["Metrics"])
    yield from _messages(cloud)


def forms(value: str) -> set[str]:
    """The value as it may be written: plain, in JSON, percent-encoded, in base64 at any offset, in hexadecimal digits."""
    raw = value.encode()
    escaped = json.dumps(value)[1:-1]
    return {value, escaped, quote(value), quote(value, safe=""), quote_plus(value), raw.hex(), *_base64(raw)}


def found(cloud: LocalCloud, values: Iterable[str], *, more: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Which of the values stands where, in any of its forms; none is how it should be.

    Args:
        cloud: searched everywhere.
        values: long enough not to occur by chance.
        more: further places, such as events that a test overheard.
    """
    wanted = {form.lower(): value for value in values for form in forms(value)}
    pattern = re.compile("|".join(sorted(map(re.escape, wanted), key=len, reverse=True)))
    hits = set()
    for place, text in (*places(cloud), *more):
        hits |= {f"{wanted[hit]} stands in {place}" for hit in pattern.findall(text.lower())}
    return sorted(hits)


def _base64(raw: bytes) -> Iterator[str]:
    """What stays the same of it in base64 whatever goes before and after."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        sure = text[(0, 2, 3)[before] : len(text) - 1]
        yield from {sure, sure.replace("+", "-").replace("/", "_")}


def _shown(value: Any) -> str:
    """Bytes as text where they are text, and in base64, as the table keeps them."""
    return json.dumps(value, default=lambda raw: [bytes(raw).decode(errors="replace"), base64.b64encode(raw).decode()])


def _stream(cloud: LocalCloud) -> Iterator[Any]:
    streams = cloud.client("dynamodbstreams")
    (stream,) = streams.list_streams(TableName=cloud.table)["Streams"]
    description = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
    for shard in description["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            answer = streams.get_records(ShardIterator=iterator, Limit=1000)
            yield from (record["dynamodb"].get("NewImage", {}) for record in answer["Records"])
            yield from (record["dynamodb"].get("OldImage", {}) for record in answer["Records"])
            iterator = answer.get("NextShardIterator") if answer["Records"] else None


def _histories(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    states = cloud.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"]):
            for execution in page["executions"]:
                name = f"an execution of {machine['name']}"
                described = states.describe_execution(executionArn=execution["executionArn"])
                yield name, json.dumps(described, default=str)
                history = states.get_paginator("get_execution_history").paginate(executionArn=execution["executionArn"])
                yield from ((name, json.dumps(each["events"], default=str)) for each in history)


def _files(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    s3 = cloud.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith(ASSETS):
            continue
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for one in page.get("Contents", []):
                answer = s3.get_object(Bucket=bucket["Name"], Key=one["Key"])
                yield "the name of a file", one["Key"]
                yield (
                    f"the file {one['Key']}",
                    answer["Body"].read().decode(errors="replace") + json.dumps(answer["Metadata"]),
                )


def _messages(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """Of every queue of the platform, dead-letter queues among them; they stay in it."""
    sqs = cloud.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", []):
        if url.rsplit("/", 1)[1] in AS_SENT:
            continue
        seen: set[str] = set()
        taken: list[str] = []
        while True:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=PAGE, VisibilityTimeout=30, MessageAttributeNames=["All"]
            )
            fresh = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
            if not fresh:
                break
            for message in fresh:
                seen.add(message["MessageId"])
                taken.append(message["ReceiptHandle"])
                yield f"a message in {url.rsplit('/', 1)[1]}", json.dumps(message, default=repr)
        for handle in taken:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
