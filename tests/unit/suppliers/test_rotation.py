"""Rotation by Secrets Manager's four steps, over its moto stand-in: what dies between any two of them harms nothing."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from loyalty.suppliers.model import SupplierAccessDenied, SupplierProtocolError, SupplierUnavailable
from loyalty.suppliers.rotation import Rotation, RotationRefused, probe, refreshed
from loyalty.suppliers.secret import XoxodayKeys
from tests.contract.suppliers.published import XOXODAY_REFRESH, conforms, xoxoday_answer
from tests.unit.suppliers.canned import Canned, canned_server

TOKEN = "a-rotation-of-thirty-two-characters"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
VALUE = {
    "client_id": "id",
    "client_secret": "cs",
    "refresh_token": "refresh-1",
    "access_token": "access-1",
    "webhook_key": "wk",
    "note": "kept",
}


class Supplier:
    """Gives a new pair for each refresh token that it has given, and knows which access tokens it takes."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.good = {"access-1"}
        self.refuses = False

    def refresh(self, keys: XoxodayKeys) -> tuple[str, str]:
        self.asked.append(keys.refresh_token)
        number = len(self.asked) + 1
        self.good.add(f"access-{number}")
        return f"access-{number}", f"refresh-{number}"

    def probe(self, keys: XoxodayKeys) -> None:
        if self.refuses or keys.access_token not in self.good:
            raise SupplierAccessDenied("not taken")


class World:
    def __init__(self) -> None:
        self.secrets = boto3.client("secretsmanager", region_name="eu-south-1")
        self.arn = self.secrets.create_secret(Name="xoxoday", SecretString=json.dumps(VALUE))["ARN"]
        self.supplier = Supplier()
        # A schedule would call a function; what it leaves behind for the steps is this.
        self.begin(TOKEN)
        self.rotation = Rotation(
            secret=self.arn,
            secrets_manager=self,
            refresh=self.supplier.refresh,
            probe=self.supplier.probe,
        )

    def begin(self, token: str) -> None:
        self.under_way = token

    def describe_secret(self, **asked: Any) -> dict[str, Any]:
        """As the service tells it of a secret under rotation; moto knows versions only once they have a value."""
        told = self.secrets.describe_secret(**asked)
        versions = {**told["VersionIdsToStages"]}
        versions.setdefault(self.under_way, ["AWSPENDING"])
        return {**told, "RotationEnabled": True, "VersionIdsToStages": versions}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.secrets, name)

    def take(self, *steps: str) -> None:
        for step in steps:
            self.rotation.take(step, self.arn, self.under_way)

    def value(self, stage: str = "AWSCURRENT") -> dict[str, str]:
        text = self.secrets.get_secret_value(SecretId=self.arn, VersionStage=stage)["SecretString"]
        return dict(json.loads(text))


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def test_a_rotation_puts_new_tokens_in_force_and_keeps_what_else_is_there(world: World) -> None:
    world.take(*STEPS)
    assert world.value() == VALUE | {"access_token": "access-2", "refresh_token": "refresh-2"}
    assert world.value("AWSPREVIOUS") == VALUE


def test_nothing_is_in_force_before_the_last_step(world: World) -> None:
    for step in STEPS[:-1]:
        world.take(step)
        assert world.value() == VALUE


def test_steps_may_be_repeated_and_the_supplier_is_asked_once(world: World) -> None:
    world.take(*[step for step in STEPS for _ in range(3)], *STEPS)
    assert world.supplier.asked == ["refresh-1"]
    assert world.value()["access_token"] == "access-2"


def test_tokens_that_were_never_stored_are_asked_for_again_with_the_old_refresh_token(world: World) -> None:
    """It stays good for six hours: a rotation that dies after the supplier answered begins anew."""
    store, world.put_secret_value = world.secrets.put_secret_value, None  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        world.take("createSecret")
    world.put_secret_value = store  # type: ignore[attr-defined]
    world.take(*STEPS)
    assert world.supplier.asked == ["refresh-1", "refresh-1"]
    assert world.value()["refresh_token"] == "refresh-3"


def test_tokens_that_the_supplier_does_not_take_never_come_into_force(world: World) -> None:
    world.supplier.refuses = True
    world.take("createSecret", "setSecret")
    with pytest.raises(SupplierAccessDenied):
        world.take("testSecret")
    assert world.value() == VALUE


def test_the_next_rotation_goes_on_from_the_last(world: World) -> None:
    world.take(*STEPS)
    world.begin("another-rotation-of-32-characters!!")
    world.take(*STEPS)
    assert world.supplier.asked == ["refresh-1", "refresh-2"]
    assert world.value()["access_token"] == "access-3"


@pytest.mark.parametrize(
    ("step", "secret", "token", "why"),
    [
        ("createSecret", "arn:of:another", TOKEN, "another secret"),
        ("deleteSecret", None, TOKEN, "no step"),
        ("createSecret", None, "a-rotation-that-nobody-has-begun!!", "under way"),
    ],
)
def test_what_is_no_rotation_of_ours_is_refused(
    world: World, step: str, secret: str | None, token: str, why: str
) -> None:
    with pytest.raises(RotationRefused, match=why):
        world.rotation.take(step, secret or world.arn, token)
    assert world.supplier.asked == []


@pytest.fixture
def canned() -> Iterator[Canned]:
    with canned_server() as server:
        yield server


KEYS = XoxodayKeys.model_validate(VALUE)


def test_a_refresh_is_asked_for_as_documented(canned: Canned) -> None:
    """https://developers.xoxoday.com/reference/refresh-token"""
    answer = {
        "access_token": "eyJ.new",
        "token_type": "bearer",
        "expires_in": 1296000,
        "refresh_token": "r2",
        "access_token_expiry": "1788000000000",
        "refresh_token_expiry": "1789000000000",
    }
    canned.body = json.dumps(answer).encode()
    assert refreshed(canned.url + "/chef", KEYS) == ("eyJ.new", "r2")
    ((method, path, headers, body),) = canned.asked
    assert (method, path) == ("POST", "/chef/v1/oauth/token/user")
    assert "Authorization" not in headers
    conforms(json.loads(body), XOXODAY_REFRESH)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"error": "invalid_grant"}', SupplierAccessDenied),
        (401, b"{}", SupplierAccessDenied),
        (429, b'{"message": "auth.request_limit_exceeded"}', SupplierUnavailable),
        (500, b"", SupplierUnavailable),
        (200, b'{"access_token": "planted"}', SupplierProtocolError),
        (200, b'{"access_token": "plan ted", "refresh_token": "r"}', SupplierProtocolError),
        (200, b"<html>planted</html>", SupplierProtocolError),
    ],
)
def test_tokens_that_are_not_given(canned: Canned, status: int, body: bytes, expected: type[Exception]) -> None:
    canned.status, canned.body = status, body
    with pytest.raises(expected) as caught:
        refreshed(canned.url, KEYS)
    assert "planted" not in str(caught.value)
    assert len(canned.asked) == 1


def test_the_test_asks_for_the_balance_with_what_is_pending(canned: Canned) -> None:
    canned.body = json.dumps(xoxoday_answer("getBalance", {"value": 1, "currency": "INR"})).encode()
    probe(canned.url, KEYS)
    assert canned.asked[0][2]["Authorization"] == "Bearer access-1"
    canned.status = 401
    with pytest.raises(SupplierAccessDenied):
        probe(canned.url, KEYS)
