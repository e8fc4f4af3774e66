"""``loyalty redrive``, against queues as AWS has them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from loyalty.cli import dead_letters, redrive
from loyalty.cli.app import app
from loyalty.cli.dead_letters import Unmovable
from loyalty.cli.destinations import WorkQueue
from loyalty.commerce.dead_letters import DeadLetters
from loyalty.core.errors import Rejected
from loyalty.ledger.items import entry_put
from loyalty.ledger.model import POINTS, Balances, Entry, EntryKey, EntryKind, Facts, Movement
from loyalty.publishing.outbox import read
from tests.ledgerkit.tables import create_table

REGION = "eu-south-1"
RUNNER = CliRunner()
PII = "nora@example.com"
MEMBER = {"pk": {"S": "M#aurora#mbr_1"}, "sk": {"S": "MEMBER"}, "version": {"N": "3"}}


@dataclass
class Stage:
    """The queues of a stage, and a queue that hears what is on its bus."""

    sqs: Any
    urls: dict[str, str]

    def refuse(self, body: str, reason: str, queue: str = "inbound-dlq") -> None:
        DeadLetters(self.sqs, self.urls[queue]).send(body, Rejected(reason, "-"))

    def put(self, queue: str, body: str, **labels: str) -> None:
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in labels.items()}
        self.sqs.send_message(QueueUrl=self.urls[queue], MessageBody=body, MessageAttributes=attributes)

    def take(self, queue: str) -> list[dict[str, Any]]:
        """What is visible in a queue; it is there no more."""
        found = self.sqs.receive_message(
            QueueUrl=self.urls[queue], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(found.get("Messages", []))

    def bodies(self, queue: str) -> list[str]:
        return sorted(message["Body"] for message in self.take(queue))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "LOYALTY_STAGE": "test",
        "LOYALTY_TABLE": "loyalty-test",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dead_letters, "_WAIT_SECONDS", 0)
    with mock_aws():
        sqs = boto3.client("sqs")
        names = ["inbound", "inbound-dlq", "undelivered", "tier-recalculation", "unpublished", "heard"]
        yield Stage(sqs, {name: sqs.create_queue(QueueName=f"loyalty-test-{name}")["QueueUrl"] for name in names})


def run(*arguments: str, answer: str | None = None) -> Result:
    return RUNNER.invoke(app, ["redrive", *arguments], input=answer)


def test_the_list_counts_by_reason_and_moves_nothing(stage: Stage) -> None:
    stage.refuse(PII, "program_unknown")
    stage.refuse(PII, "program_unknown")
    stage.put("inbound-dlq", PII)
    result = run("inbound", "--list", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "queue": "inbound", "reasons": {"program_unknown": 2, "retries_exhausted": 1}, "asked": 0, "moved": 0, "left": 3,
    }  # fmt: skip
    shown = run("inbound", "--list")
    assert "program_unknown" in shown.stdout
    assert PII not in shown.output + result.output
    assert len(stage.bodies("inbound-dlq")) == 3
    assert stage.bodies("inbound") == []


def test_all_are_moved_as_they_came_without_their_labels(stage: Stage) -> None:
    for number in range(23):
        stage.refuse(f"event {number}", "program_unknown")
    result = run("inbound", "--yes")
    assert (result.exit_code, "23 of 23 moved; 0 left" in result.stdout) == (0, True)
    moved = [message for _ in range(3) for message in stage.take("inbound")]
    assert {message["Body"] for message in moved} == {f"event {number}" for number in range(23)}
    assert not any("MessageAttributes" in message for message in moved)
    assert stage.bodies("inbound-dlq") == []


def test_a_reason_and_a_number_choose_and_the_rest_is_seen_again(stage: Stage) -> None:
    stage.refuse("a", "program_unknown")
    stage.refuse("b", "program_unknown")
    stage.refuse("c", "malformed_payload")
    result = run("inbound", "--reason", "program_unknown", "--max", "1", "--yes", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["asked"], report["moved"], report["left"], report["stayed"]) == (1, 1, 2, {})
    (moved,) = stage.bodies("inbound")
    assert stage.bodies("inbound-dlq") == sorted({"a", "b", "c"} - {moved})


@pytest.mark.parametrize(("answer", "code", "moved"), [("y\n", 0, ["a"]), ("n\n", 1, []), ("", 1, [])])
def test_it_asks_first(stage: Stage, answer: str, code: int, moved: list[str]) -> None:
    stage.refuse("a", "program_unknown")
    result = run("inbound", answer=answer)
    assert result.exit_code == code
    assert "program_unknown" in result.stdout
    assert stage.bodies("inbound") == moved
    assert stage.bodies("inbound-dlq") == ([] if moved else ["a"])


def test_nothing_that_waits_is_nothing_to_ask_about(stage: Stage) -> None:
    result = run("inbound")
    assert (result.exit_code, "nothing waits" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["inbox"], 2, "inbound"),
        (["inbound", "--json"], 2, "--yes"),
        (["inbound", "--max", "0"], 2, "--max"),
        (["inbound", "--stage", "elsewhere"], 1, "loyalty-elsewhere-inbound-dlq"),
    ],
)
def test_a_wrong_call_is_named(stage: Stage, arguments: list[str], code: int, said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, said in result.stderr) == (code, True)


def test_where_aws_fails_it_stops_and_says_how_far_it_came(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in "abc":
        stage.refuse(body, "program_unknown")
    calls: list[str] = []
    send = WorkQueue.move

    def fails_at_the_second(queue: WorkQueue, letter: dead_letters.Letter) -> None:
        calls.append(letter.message_id)
        if len(calls) == 2:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": letter.body}}, "SendMessage")
        send(queue, letter)

    monkeypatch.setattr(WorkQueue, "move", fails_at_the_second)
    result = run("inbound", "--yes", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["moved"], report["left"]) == (1, 1, 2)
    assert report["stayed"] == {calls[1]: "AWS did not do it: AccessDenied"}
    assert len(stage.bodies("inbound")) == 1
    assert len(stage.bodies("inbound-dlq")) == 2


def test_what_cannot_be_moved_is_named_and_the_rest_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        stage.refuse("a", "program_unknown")
    monkeypatch.setattr(WorkQueue, "move", _refuse)
    result = run("inbound", "--yes")
    assert result.exit_code == 1
    assert result.stdout.count("stayed: because") == 2


def _refuse(queue: WorkQueue, letter: dead_letters.Letter) -> None:
    raise Unmovable("because")


def test_what_eventbridge_could_not_deliver_goes_where_it_was_meant_to(stage: Stage) -> None:
    arn = f"arn:aws:sqs:{REGION}:123456789012:loyalty-test-tier-recalculation"
    stage.put("undelivered", "event", ERROR_CODE="SQS_ACCESS_DENIED", TARGET_ARN=arn)
    stage.put("undelivered", "stray", ERROR_CODE="NO_PERMISSIONS", TARGET_ARN=arn.replace("loyalty", "somebody"))
    result = run("undelivered", "--yes", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["moved"]) == (1, 1)
    assert report["reasons"] == {"SQS_ACCESS_DENIED": 1, "NO_PERMISSIONS": 1}
    assert stage.bodies("tier-recalculation") == ["event"]
    assert stage.bodies("undelivered") == ["stray"]


def test_what_eventbridge_left_encrypted_stays(stage: Stage) -> None:
    arn = f"arn:aws:sqs:{REGION}:123456789012:loyalty-test-tier-recalculation"
    sealed = json.dumps(
        {"source": "aws.events", "detail-type": "Encrypted Events", "detail": {"encrypted-payload": "A"}}
    )
    stage.put("undelivered", sealed, ERROR_CODE="SDK_CLIENT_ERROR", TARGET_ARN=arn)
    result = run("undelivered", "--yes")
    assert (result.exit_code, "decrypt it first" in result.stdout) == (1, True)
    assert stage.bodies("tier-recalculation") == []


# --- The table's changes that never became events -------------------------------------------------


@dataclass
class Outbox:
    stage: Stage
    dynamodb: Any

    def put(self, item: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName="loyalty-test", Item=item)

    def set_aside(self, change: str, item: dict[str, Any]) -> None:
        """As the publisher does it, of an image that it cannot read."""
        keys = {name: item[name] for name in ("pk", "sk")}
        broken = {"SequenceNumber": "7", "Keys": keys, "NewImage": {**keys, "sk": {"S": "ENTRY#nonsense"}}}
        _, (record,) = read([{"eventName": change, "dynamodb": broken}])
        self.stage.refuse(record.body, "unreadable_record", "unpublished")

    def heard(self) -> list[tuple[str, str]]:
        events = [json.loads(body) for body in self.stage.bodies("heard")]
        return sorted((event["detail-type"], event["detail"]["id"]) for event in events)


@pytest.fixture
def outbox(stage: Stage) -> Outbox:
    events, dynamodb = boto3.client("events"), boto3.client("dynamodb")
    create_table(dynamodb, "loyalty-test")
    view: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    dynamodb.update_table(TableName="loyalty-test", StreamSpecification=view)
    events.create_event_bus(Name="loyalty-test-bus")
    events.put_rule(Name="all", EventBusName="loyalty-test-bus", EventPattern=json.dumps({"source": ["loyalty"]}))
    arn = stage.sqs.get_queue_attributes(QueueUrl=stage.urls["heard"], AttributeNames=["QueueArn"])
    events.put_targets(
        Rule="all", EventBusName="loyalty-test-bus", Targets=[{"Id": "1", "Arn": arn["Attributes"]["QueueArn"]}]
    )
    return Outbox(stage, dynamodb)


def entry() -> dict[str, Any]:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    key = EntryKey(EntryKind.ACCRUAL, "pos", "R-1")
    facts = Facts(occurred_at=now, program_version=1)
    item = entry_put(Entry("aurora", "mbr_1", key, 1, Movement(), {POINTS: Balances()}, facts, now, "h")).item
    raw: dict[str, Any] = item.serialize()
    return raw


def test_a_change_put_aside_is_published_as_the_table_tells_it(outbox: Outbox) -> None:
    for item in (entry(), MEMBER):
        outbox.put(item)
    outbox.set_aside("INSERT", entry())
    outbox.set_aside("MODIFY", MEMBER)
    assert run("unpublished", "--yes").exit_code == 0
    assert outbox.heard() == [
        ("member.updated", "aurora/mbr_1/member:3"),
        ("points.accrued", "aurora/mbr_1/accrual:pos:R-1"),
    ]
    assert outbox.stage.bodies("unpublished") == []


def test_a_change_that_is_still_no_event_stays(outbox: Outbox) -> None:
    outbox.put(entry() | {"seq": {"S": PII}})
    outbox.set_aside("INSERT", entry())
    outbox.set_aside("INSERT", MEMBER)
    outbox.stage.put("unpublished", PII)
    result = run("unpublished", "--yes", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["moved"]) == (1, 0)
    assert report["reasons"] == {"unreadable_record": 2, "unknown": 1}
    assert sorted(why.split(":")[0] for why in report["stayed"].values()) == [
        "it is neither the publisher's nor Lambda's message", "its item is no longer in the table", "still unreadable",
    ]  # fmt: skip
    assert PII not in result.output


def batch(outbox: Outbox, first: int, last: int, **changes: str) -> str:
    """What Lambda sends of a batch that it gave up on: the records from ``first`` to ``last``."""
    streams = boto3.client("dynamodbstreams")
    arn = outbox.dynamodb.describe_table(TableName="loyalty-test")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    place = {"streamArn": arn, "shardId": shard, "batchSize": last - first + 1}
    span = {"startSequenceNumber": numbers[first], "endSequenceNumber": numbers[last]}
    context = {"requestId": "r", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 101}
    return json.dumps({"version": "1.0", "requestContext": context, "DDBStreamBatchInfo": place | span | changes})


def test_a_batch_that_lambda_gave_up_on_is_published_from_the_stream(outbox: Outbox) -> None:
    lookup = {"pk": {"S": "U#aurora#x"}, "sk": {"S": "LOOKUP"}}
    for item in (MEMBER | {"version": {"N": "1"}}, lookup, entry(), MEMBER):
        outbox.put(item)
    outbox.stage.put("unpublished", batch(outbox, 1, 2))
    result = run("unpublished", "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["reasons"]) == (0, {"RetryAttemptsExhausted": 1})
    assert outbox.heard() == [("points.accrued", "aurora/mbr_1/accrual:pos:R-1")]


def test_a_batch_that_the_stream_forgot_stays(outbox: Outbox) -> None:
    outbox.put(MEMBER)
    gone = boto3.client("dynamodb").describe_table(TableName="loyalty-test")["Table"]["LatestStreamArn"]
    outbox.stage.put("unpublished", batch(outbox, 0, 0, streamArn=gone.replace("loyalty-test", "loyalty-gone")))
    result = run("unpublished", "--yes", "--json")
    (why,) = json.loads(result.stdout)["stayed"].values()
    assert (result.exit_code, "24 hours" in why) == (1, True)


def test_the_table_is_needed_for_its_changes_only(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_TABLE")
    assert run("inbound", "--list").exit_code == 0
    result = run("unpublished", "--list")
    assert (result.exit_code, "--table" in result.stderr) == (2, True)


def test_every_queue_of_dead_letters_can_be_redriven() -> None:
    assert {"inbound", "tier-recalculation", "fulfillment-start", "undelivered", "unpublished"} < set(redrive.QUEUES)
