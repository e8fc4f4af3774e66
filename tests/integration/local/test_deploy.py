"""A small platform deployed into a ministack that enforces IAM."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.deploy import Deployed, DeployFailed, deploy
from infra.local.ministack import ACCESS_KEY, SECRET_KEY, Ministack
from infra.local.processes import free_port
from tests.integration.local.platform import LAYER_PYDANTIC, stack, write_layer
from tests.integration.local.sockets import addresses_of

pytestmark = pytest.mark.integration


class Cloud:
    """A ministack, and what was deployed into it."""

    def __init__(self, workdir: Path) -> None:
        self.ministack = Ministack(workdir, free_port(), "eu-south-1", persistent=True, tied=True)
        self.session = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name="eu-south-1")
        self.lines: list[str] = []
        self._layer = workdir / "layer"
        write_layer(self._layer)

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.ministack.endpoint)  # type: ignore[call-overload]

    def deploy(self, version: str = "1", **more: Any) -> Deployed:
        self.lines.clear()
        (deployed,) = deploy(
            self.session, self.ministack.endpoint, [stack(self._layer, version, **more)], {}, self.lines.append
        )
        return deployed

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    cloud.ministack.start()
    yield cloud
    cloud.ministack.stop()


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> dict[str, str]:
    return dict(cloud.deploy().outputs)


def test_what_is_left_out_is_printed(cloud: Cloud, outputs: dict[str, str]) -> None:
    cloud.deploy()
    assert any("left out AWS::Events::Archive Archive" in line for line in cloud.lines)


def test_it_listens_on_loopback_only(cloud: Cloud, outputs: dict[str, str]) -> None:
    cloud.invoke(outputs["Function"], {"refuse": "a worker runs now too"})
    pid = cloud.ministack.server.pid()
    assert pid is not None
    assert addresses_of(pid) == {"127.0.0.1"}


def test_roles_are_enforced_with_their_conditions(cloud: Cloud, outputs: dict[str, str]) -> None:
    denied = "AccessDeniedException"
    assert cloud.invoke(outputs["Function"], {}) == {
        "read member": "allowed",
        "read other": denied,
        "write members": "allowed",
        "write other too": denied,
        "scan": denied,
        "encrypt in context": "allowed",
        "encrypt for another program": denied,
        "encrypt without context": denied,
        "encrypt with more context": denied,
        "version": "1",
        "pydantic": LAYER_PYDANTIC,
    }


def test_layers_are_unpacked_once_for_all_workers(cloud: Cloud, outputs: dict[str, str]) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: cloud.invoke(outputs["Function"], {}), range(3)))
    assert {answer["pydantic"] for answer in answers} == {LAYER_PYDANTIC}
    unpacked = cloud.ministack.workdir / "layers"
    assert [path.name for path in unpacked.rglob("pydantic")] == ["pydantic"]
    assert list((cloud.ministack.workdir / "tmp").rglob("pydantic")) == []


def test_an_exception_carries_its_class_name(cloud: Cloud, outputs: dict[str, str]) -> None:
    answer = cloud.invoke(outputs["Function"], {"refuse": "one\nError: two"})
    assert (answer["errorType"], answer["errorMessage"]) == ("Refused", "one\nError: two")


def test_step_functions_catches_by_that_name(cloud: Cloud, outputs: dict[str, str]) -> None:
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=outputs["Machine"])["executionArn"]
    deadline = time.monotonic() + 20
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"caught": "Refused"})


def test_what_cloudformation_drops_is_restored(cloud: Cloud, outputs: dict[str, str]) -> None:
    dynamodb, name = cloud.client("dynamodb"), outputs["Table"]
    assert dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["AttributeName"] == "ttl"
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"]
    assert table["SSEDescription"]["SSEType"] == "KMS"


def test_second_deployment_updates_in_place_and_keeps_the_data(cloud: Cloud, outputs: dict[str, str]) -> None:
    dynamodb = cloud.client("dynamodb")
    dynamodb.put_item(TableName=outputs["Table"], Item={"pk": {"S": "kept"}, "sk": {"S": "x"}})
    assert cloud.deploy().outcome == "unchanged"
    queue = {"Type": "AWS::SQS::Queue", "Properties": {}}
    updated = cloud.deploy("2", Queue=queue)
    assert (updated.outcome, updated.outputs["Table"]) == ("updated", outputs["Table"])
    assert cloud.invoke(outputs["Function"], {})["version"] == "2"
    cloud.ministack.stop()
    cloud.ministack.start()
    assert cloud.deploy("2", Queue=queue).outcome == "unchanged"
    found = cloud.client("dynamodb").get_item(TableName=outputs["Table"], Key={"pk": {"S": "kept"}, "sk": {"S": "x"}})
    assert "Item" in found
    assert cloud.invoke(outputs["Function"], {})["read member"] == "allowed"


def test_a_failure_names_the_resource_and_the_reason(cloud: Cloud, outputs: dict[str, str]) -> None:
    with pytest.raises(DeployFailed, match=r"Broken \(AWS::Moon::Rocket\)|AWS::Moon::Rocket"):
        cloud.deploy("2", Broken={"Type": "AWS::Moon::Rocket", "Properties": {}})
