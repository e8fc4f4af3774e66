"""Schedules of a template start their function in the local cloud, as EventBridge Scheduler does on AWS."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from infra.local.deploy import deploy
from infra.local.ministack import ACCESS_KEY, SECRET_KEY, Ministack
from infra.local.processes import free_port
from tests.integration.local.platform import stack, write_layer

pytestmark = pytest.mark.integration

REGION: Final = "eu-south-1"
PATIENCE: Final = 45.0
"""Seconds; ministack looks for what is to be started every ten."""
HANDLER: Final = """
import json, os, boto3

def handler(event, context):
    key = {"pk": {"S": "M#started"}, "sk": {"S": json.dumps(event)}}
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=key)
"""

RESOURCES: Final[dict[str, Any]] = {
    "Clocked": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.14",
            "Handler": "index.handler",
            "Code": {"ZipFile": HANDLER},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Timeout": 20,
            "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
        },
    },
    "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Clocked"}}},
    "Alias": {
        "Type": "AWS::Lambda::Alias",
        "Properties": {
            "FunctionName": {"Ref": "Clocked"},
            "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
            "Name": "live",
        },
    },
    "Starting": {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"Service": "scheduler.amazonaws.com"},
                    }
                ],
            },
        },
    },
    "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "sweeps"}},
}


def _schedule(name: str, expression: str, shards: list[int]) -> dict[str, Any]:
    return {
        "Type": "AWS::Scheduler::Schedule",
        "DependsOn": ["Group"],
        "Properties": {
            "Name": name,
            "GroupName": "sweeps",
            "ScheduleExpression": expression,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": {"Ref": "Alias"},
                "RoleArn": {"Fn::GetAtt": ["Starting", "Arn"]},
                "Input": json.dumps({"shards": shards}),
            },
        },
    }


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[Ministack]:
    server = Ministack(tmp_path, free_port(), REGION, persistent=False, tied=True)
    server.start()
    yield server
    server.stop()


def test_a_schedule_starts_the_alias_with_its_input_when_it_is_due(ministack: Ministack, tmp_path: Path) -> None:
    session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    write_layer(tmp_path / "layer")
    schedules = {
        "Now": _schedule("now", "at(2026-01-01T00:00:00)", [0, 4]),
        "Soon": _schedule("soon", "rate(5 minutes)", [1, 5]),
    }
    tiny = stack(tmp_path / "layer", "1", **RESOURCES, **schedules)
    (deployed,) = deploy(session, ministack.endpoint, [tiny], {}, lambda _line: None)
    scheduler: Any = session.client("scheduler", endpoint_url=ministack.endpoint)
    names = [each["Name"] for each in scheduler.list_schedules(GroupName="sweeps")["Schedules"]]
    assert sorted(names) == ["now", "soon"]
    dynamodb = session.client("dynamodb", endpoint_url=ministack.endpoint)
    started: list[Any] = []
    until = time.monotonic() + PATIENCE
    while not started and time.monotonic() < until:
        time.sleep(0.5)
        items = dynamodb.scan(TableName=deployed.outputs["Table"])["Items"]
        started = [json.loads(item["sk"]["S"]) for item in items if item["pk"] == {"S": "M#started"}]
    assert started == [{"shards": [0, 4]}]
