"""A stop and a start: what was written is told once, before, while nobody listened, and after."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.ministack import ACCESS_KEY, ACCOUNT, SECRET_KEY, Ministack
from infra.local.processes import free_port

pytestmark = pytest.mark.integration

REGION = "eu-south-1"
LISTENER = """
import boto3

told = boto3.resource("dynamodb").Table("told")


def handler(event, context):
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["pk"]["S"]
        told.update_item(Key={"pk": key}, UpdateExpression="ADD times :one", ExpressionAttributeValues={":one": 1})
"""


class Told:
    """A table with a stream, and a function that writes down each key that it is told of."""

    def __init__(self, workdir: Path) -> None:
        self.server = Ministack(workdir, free_port(), REGION, persistent=True, enforce_iam=False, tied=True)
        self._session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
        self.server.start()
        self._mapping = self._make()

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.server.endpoint)  # type: ignore[call-overload]

    def _make(self) -> str:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", LISTENER)
        self._table("told")
        stream = self._table("written", {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})["LatestStreamArn"]
        self.client("lambda").create_function(
            FunctionName="listener",
            Runtime="python3.14",
            Role=f"arn:aws:iam::{ACCOUNT}:role/any",
            Handler="index.handler",
            Code={"ZipFile": packed.getvalue()},
        )
        mapping: str = self.client("lambda").create_event_source_mapping(
            EventSourceArn=stream, FunctionName="listener", StartingPosition="TRIM_HORIZON"
        )["UUID"]
        return mapping

    def _table(self, name: str, stream: dict[str, Any] | None = None) -> Any:
        return self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=stream or {"StreamEnabled": False},
        )["TableDescription"]

    def listen(self, *, enabled: bool) -> None:
        self.client("lambda").update_event_source_mapping(UUID=self._mapping, Enabled=enabled)

    def write(self, *keys: str) -> None:
        for key in keys:
            self.client("dynamodb").put_item(TableName="written", Item={"pk": {"S": key}})

    def restart(self) -> None:
        self.server.stop()
        self.server.start()

    def times(self) -> dict[str, int]:
        found = self.client("dynamodb").scan(TableName="told")["Items"]
        return {item["pk"]["S"]: int(item["times"]["N"]) for item in found}

    def becomes(self, *keys: str) -> None:
        """Each of these, and nothing else, was told once; nor is anything told again after that."""
        deadline = time.monotonic() + 20
        while set(self.times()) < set(keys):
            assert time.monotonic() < deadline, f"told of {self.times()} in vain"
            time.sleep(0.1)
        time.sleep(0.5)
        assert self.times() == dict.fromkeys(keys, 1)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    told = Told(tmp_path)
    yield told
    told.server.stop()


def test_what_is_written_before_during_and_after_a_stop_is_told_once(told: Told) -> None:
    told.write("a", "b", "c")
    told.becomes("a", "b", "c")
    told.restart()
    told.write("d")
    told.becomes("a", "b", "c", "d")
    told.listen(enabled=False)
    told.write("e", "f")
    told.restart()
    assert "e" not in told.times()
    told.listen(enabled=True)
    told.write("g")
    told.becomes("a", "b", "c", "d", "e", "f", "g")


def test_a_state_without_records_leaves_nobody_waiting_beyond_the_end(told: Told) -> None:
    """As it was saved before records were."""
    told.write("a", "b", "c")
    told.becomes("a", "b", "c")
    told.server.stop()
    kept = told.server.workdir / "state" / "dynamodb.json"
    state = json.loads(kept.read_text())
    assert state["payload"].pop("loyalty_streams")["records"]["data"]
    kept.write_text(json.dumps(state))
    told.server.start()
    told.write("d")
    told.becomes("a", "b", "c", "d")
