"""Two secrets of a client in the local cloud, as Cognito has them."""

import json
from typing import Any

import pytest
from ministack.services import cognito  # type: ignore[import-untyped]

from infra.local import client_secrets
from tests.unit.local.running import finished

FIRST = "first-secret"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A confidential client of the pool ``p``."""
    made = {"ClientId": "app", "ClientSecret": FIRST, "CreationDate": 1_700_000_000.0}
    pool = {"_clients": {"app": made, "open": {"ClientId": "open", "ClientSecret": None}}}
    missing: tuple[Any, ...] = (400, {}, b'{"__type": "ResourceNotFoundException"}')
    monkeypatch.setattr(cognito, "_resolve_pool", lambda pool_id: (pool, None) if pool_id == "p" else (None, missing))
    monkeypatch.setattr(
        cognito, "_find_pool_by_client_id", lambda client_id: ("p", pool, pool["_clients"].get(client_id))
    )
    return made


def call(action: str, **data: str) -> tuple[int, dict[str, Any]]:
    async def others(action: str, _data: Any) -> tuple[int, dict[str, str], bytes]:
        return 418, {}, json.dumps({"action": action}).encode()

    async def once() -> Any:
        return await client_secrets.with_secrets(others)(action, {"UserPoolId": "p", "ClientId": "app"} | data)

    status, _, body = finished(once())
    return status, json.loads(body)


def taken(secret: str) -> bool:
    """Whether the token endpoint, which compares with the client's one secret, would take this one."""
    _, compared = client_secrets.with_either(lambda *_: ("app", secret))({}, {})
    _, _, client = cognito._find_pool_by_client_id("app")
    return bool(compared == client["ClientSecret"])


@pytest.mark.usefixtures("client")
def test_either_secret_is_taken_until_it_is_deleted() -> None:
    status, added = call("AddUserPoolClientSecret")
    second = added["ClientSecretDescriptor"]
    assert status == 200
    assert (taken(FIRST), taken(second["ClientSecretValue"]), taken(""), taken("other")) == (True, True, False, False)
    _, listed = call("ListUserPoolClientSecrets")
    assert [set(one) for one in listed["ClientSecrets"]] == [{"ClientSecretId", "ClientSecretCreateDate"}] * 2
    old, new = [one["ClientSecretId"] for one in listed["ClientSecrets"]]
    assert new == second["ClientSecretId"]
    assert call("DeleteUserPoolClientSecret", ClientSecretId=old)[0] == 200
    assert (taken(FIRST), taken(second["ClientSecretValue"])) == (False, True)


@pytest.mark.usefixtures("client")
def test_a_third_and_the_last_are_refused() -> None:
    call("AddUserPoolClientSecret")
    assert call("AddUserPoolClientSecret")[1]["__type"] == "LimitExceededException"
    ids = [one["ClientSecretId"] for one in call("ListUserPoolClientSecrets")[1]["ClientSecrets"]]
    assert call("DeleteUserPoolClientSecret", ClientSecretId="other")[1]["__type"] == "ResourceNotFoundException"
    assert call("DeleteUserPoolClientSecret", ClientSecretId=ids[1])[0] == 200
    assert call("DeleteUserPoolClientSecret", ClientSecretId=ids[0])[1]["__type"] == "InvalidParameterException"
    assert taken(FIRST)


@pytest.mark.usefixtures("client")
def test_a_secret_of_ones_own_is_not_told_again() -> None:
    given = "g" * 24
    _, added = call("AddUserPoolClientSecret", ClientSecret=given)
    assert "ClientSecretValue" not in added["ClientSecretDescriptor"]
    assert taken(given)


@pytest.mark.usefixtures("client")
def test_of_who_has_no_secret_there_is_nothing_and_other_calls_pass() -> None:
    for other in ({"ClientId": "open"}, {"ClientId": "nobody"}, {"UserPoolId": "q"}):
        assert call("ListUserPoolClientSecrets", **other)[1]["__type"] == "ResourceNotFoundException"
    assert call("DescribeUserPool") == (418, {"action": "DescribeUserPool"})
