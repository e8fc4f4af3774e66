"""Where dead letters go when they are redriven, and what each kind says of why it is one.

A letter may be moved twice (the command was cut off between sending and deleting): every consumer is idempotent.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loyalty.cli.dead_letters import Letter, Unmovable
from loyalty.core.table import RawItem
from loyalty.publishing.outbox import read
from loyalty.publishing.service import Publisher
from loyalty_contract import MEMBER_SK, SORT_KEY, WORK_QUEUES, resource

RETRIES_EXHAUSTED: Final = "retries_exhausted"
"""Of a message without a reason of its own: its function failed at every delivery, and the function's log says why."""
_ENCRYPTED: Final = ("aws.events", "Encrypted Events")
_PAGES: Final = 1000
_TRIMMED: Final = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException", "ExpiredIteratorException"})


class Destination(Protocol):
    """Where the letters of one dead-letter queue go."""

    def reason(self, letter: Letter) -> str:
        """Why it is a dead letter: a stable name."""

    def move(self, letter: Letter) -> None:
        """Brings it on its way; on return it may be deleted. Raises ``Unmovable``."""


class WorkQueue:
    """The queue that the letters were refused from: their bodies go back there, as they are."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def reason(self, letter: Letter) -> str:
        """What the function that refused it said."""
        return letter.labels.get("reason", RETRIES_EXHAUSTED)

    def move(self, letter: Letter) -> None:
        """Sends the body alone: the labels spoke of a refusal that may not come again."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=letter.body)


class Undelivered:
    """The work queue that EventBridge could not reach; it names it on each letter."""

    def __init__(self, sqs: Any, stage: str) -> None:
        self._sqs = sqs
        self._names = frozenset(resource(stage, name) for name in WORK_QUEUES)

    def reason(self, letter: Letter) -> str:
        """EventBridge's own code."""
        return letter.labels.get("ERROR_CODE", RETRIES_EXHAUSTED)

    def move(self, letter: Letter) -> None:
        """Sends the event to the queue that it was meant for."""
        if _encrypted(letter.body):
            raise Unmovable("EventBridge left it encrypted: decrypt it first, or replay the bus's archive")
        name = letter.labels.get("TARGET_ARN", "").rpartition(":")[2]
        if name not in self._names:
            raise Unmovable("it names no work queue of this stage as its target")
        url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        self._sqs.send_message(QueueUrl=url, MessageBody=letter.body)


def _encrypted(body: str) -> bool:
    """Is it the envelope in which EventBridge leaves an event that it could not decrypt?"""
    try:
        event = json.loads(body)
    except ValueError:
        return False
    return isinstance(event, dict) and (event.get("source"), event.get("detail-type")) == _ENCRYPTED


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _Record(_Part):
    """One change that the publisher put aside."""

    change: str
    keys: dict[str, dict[str, str]]


class _Range(_Part):
    stream: str = Field(alias="streamArn")
    shard: str = Field(alias="shardId")
    start: str = Field(alias="startSequenceNumber")
    end: str = Field(alias="endSequenceNumber")


class _Context(_Part):
    condition: str


class _Batch(_Part):
    """Lambda's word on a batch that the publisher failed on until Lambda gave up; it names the records only."""

    context: _Context = Field(alias="requestContext")
    range: _Range = Field(alias="DDBStreamBatchInfo")


class Bus:
    """The event bus: what the table, or while it remembers them the stream, says of the changes is published.

    Args:
        publisher: puts events on the bus.
        dynamodb: a client.
        streams: a client of the table's stream.
        table: name of the table.
    """

    def __init__(self, publisher: Publisher, *, dynamodb: Any, streams: Any, table: str) -> None:
        self._publisher = publisher
        self._dynamodb = dynamodb
        self._streams = streams
        self._table = table

    def reason(self, letter: Letter) -> str:
        """The publisher's reason, or Lambda's condition for giving up."""
        if "reason" in letter.labels:
            return letter.labels["reason"]
        try:
            return _Batch.model_validate_json(letter.body).context.condition
        except ValidationError:
            return "unknown"

    def move(self, letter: Letter) -> None:
        """Publishes the events of the changes; those of a batch that were published before are published again."""
        events, unreadable = read(list(self._records(letter)))
        if unreadable:
            raise Unmovable(f"still unreadable: {unreadable[0].error}")
        if self._publisher.publish(events):
            raise Unmovable("the bus did not take it")

    def _records(self, letter: Letter) -> Iterator[Mapping[str, Any]]:
        try:
            if "reason" in letter.labels:
                yield self._as_it_is(_Record.model_validate_json(letter.body))
            else:
                yield from self._as_they_were(_Batch.model_validate_json(letter.body).range)
        except ValidationError:
            raise Unmovable("it is neither the publisher's nor Lambda's message") from None

    def _as_it_is(self, record: _Record) -> Mapping[str, Any]:
        """The change as the item tells it today: of what never changes, an entry, that is what it told then."""
        found = self._dynamodb.get_item(TableName=self._table, Key=record.keys, ConsistentRead=True)
        item: RawItem | None = found.get("Item")
        if item is None:
            raise Unmovable("its item is no longer in the table")
        before = {"OldImage": item} if record.change == "MODIFY" and item[SORT_KEY]["S"] == MEMBER_SK else {}
        change = {"SequenceNumber": "0", "Keys": record.keys, "NewImage": item, **before}
        return {"eventName": record.change, "dynamodb": change}

    def _as_they_were(self, part: _Range) -> Iterator[Mapping[str, Any]]:
        """The changes as the stream remembers them, for 24 hours."""
        try:
            iterator = self._streams.get_shard_iterator(
                StreamArn=part.stream,
                ShardId=part.shard,
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=part.start,
            )["ShardIterator"]
            for _ in range(_PAGES):
                page = self._streams.get_records(ShardIterator=iterator)
                for record in page["Records"]:
                    number = int(record["dynamodb"]["SequenceNumber"])
                    if number <= int(part.end):
                        yield record
                    if number >= int(part.end):
                        return
                iterator = page.get("NextShardIterator")
                if iterator is None:
                    break
        except ClientError as error:
            if error.response["Error"]["Code"] not in _TRIMMED:
                raise
        raise Unmovable("the stream no longer has its records: it remembers 24 hours")
