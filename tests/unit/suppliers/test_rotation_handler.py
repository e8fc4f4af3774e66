"""The rotating function as Secrets Manager calls it: its real composition root, moto for AWS, a supplier over HTTP."""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

from loyalty.core import aws
from loyalty.core.telemetry import logger
from loyalty.suppliers.model import SupplierAccessDenied
from loyalty.suppliers.rotation import RotationRefused
from tests.apikit.gateway import CONTEXT
from tests.contract.suppliers.published_xoxoday import xoxoday_answer
from tests.unit.suppliers.canned import Canned, canned_server
from tests.unit.suppliers.test_rotation import STEPS, VALUE

TOKENS = {"access_token": "planted-2", "refresh_token": "planted-r2", "token_type": "bearer", "expires_in": 1296000}
BALANCE = xoxoday_answer("getBalance", {"value": 1, "currency": "INR"})


@pytest.fixture
def canned() -> Iterator[Canned]:
    with canned_server() as server:
        yield server


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, canned: Canned) -> Iterator[str]:
    """A secret under rotation, and the environment of a stage that has the supplier."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-south-1",
        "LOYALTY_STAGE": "test",
        "POWERTOOLS_SERVICE_NAME": "supplier_rotation",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    with mock_aws():
        arn = aws.client("secretsmanager").create_secret(Name="xoxoday", SecretString=json.dumps(VALUE))["ARN"]
        suppliers = {"xoxoday": {"url": f"{canned.url}/chef", "secret": arn}}
        monkeypatch.setenv("LOYALTY_SUPPLIERS", json.dumps(suppliers))
        yield arn
    aws.client.cache_clear()


def begin(arn: str) -> str:
    """Begins a rotation as the service does: an empty version that is pending. Returns its id."""
    secrets = aws.client("secretsmanager")
    (before,) = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    token = str(
        secrets.rotate_secret(
            SecretId=arn,
            RotationRules={"AutomaticallyAfterDays": 7},
            ClientRequestToken="a-rotation-of-32-characters-or-more",
        )["VersionId"]
    )
    # Without a function of its own to call, moto puts the empty version in force at once: back to how it begins.
    secrets.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=before, RemoveFromVersionId=token
    )
    stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSPENDING" not in stages.get(token, []):
        secrets.update_secret_version_stage(SecretId=arn, VersionStage="AWSPENDING", MoveToVersionId=token)
    return token


def function() -> ModuleType:
    sys.modules.pop("functions.supplier_rotation.handler", None)
    return importlib.import_module("functions.supplier_rotation.handler")


def event(step: str, arn: str, token: str) -> dict[str, Any]:
    return {"Step": step, "SecretId": arn, "ClientRequestToken": token}


def current(arn: str) -> Any:
    asked = {"SecretId": arn, "VersionStage": "AWSCURRENT"}
    return json.loads(aws.client("secretsmanager").get_secret_value(**asked)["SecretString"])


def test_a_rotation_asks_the_supplier_and_logs_no_token(canned: Canned, secret: str, log: io.StringIO) -> None:
    canned.then = [(200, json.dumps(each).encode()) for each in (TOKENS, BALANCE)]
    handler = function()
    token = begin(secret)
    for step in STEPS:
        handler.handler(event(step, secret, token), CONTEXT)
    assert current(secret) == VALUE | {"access_token": "planted-2", "refresh_token": "planted-r2"}
    assert [path for _, path, _, _ in canned.asked] == ["/chef/v1/oauth/token/user", "/chef/v1/oauth/api"]
    assert log.getvalue().count("rotation step") == 4
    assert not [word for word in ("planted", "access-1", "refresh-1", '"cs"') if word in log.getvalue()]


def test_what_fails_is_told_by_its_name_and_changes_nothing(canned: Canned, secret: str) -> None:
    canned.status, canned.body = 400, b'{"error": "invalid_grant"}'
    token = begin(secret)
    with pytest.raises(SupplierAccessDenied, match="make a new pair"):
        function().handler(event("createSecret", secret, token), CONTEXT)
    assert current(secret) == VALUE


def test_a_stage_without_such_a_supplier_rotates_nothing(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    access = {"url": "https://x.example", "secret": secret}
    monkeypatch.setenv("LOYALTY_SUPPLIERS", json.dumps({"tremendous": access}))
    with pytest.raises(RotationRefused, match="no supplier"):
        function().handler(event("createSecret", secret, "token"), CONTEXT)
