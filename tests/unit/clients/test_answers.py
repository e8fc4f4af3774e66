"""What the gateway asks and is answered."""

from pathlib import Path
from typing import Any

import pytest

from functions.authorizer.answers import (
    Unauthorized,
    authorization,
    every_path_of_route,
    output,
    packaged_scopes,
    route,
)
from infra.routes import ROUTES
from loyalty.clients.access import Refusal, Verdict

FOLDER = Path(__file__).parents[3] / "functions" / "authorizer"
API = "arn:aws:execute-api:eu-south-1:111122223333:abc123/live"
WALLET = "/v1/programs/{program}/members/{member_id}/wallet"


def event(path: str = "/v1/programs/acme/members/mbr_1/wallet", **headers: list[str]) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": f"{API}/GET{path}",
        "multiValueHeaders": headers,
        "requestContext": {"httpMethod": "GET", "resourcePath": WALLET, "requestId": "r-1"},
    }


def test_the_packaged_scopes_are_those_of_the_routes() -> None:
    assert packaged_scopes(FOLDER) == {f"{one.method} {one.path}": one.scope for one in ROUTES if one.scope}


def test_an_allow_is_for_the_client_by_its_key_and_for_no_other_route() -> None:
    assert output(Verdict("app", usage_key="app"), event()) == {
        "principalId": "app",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": f"{API}/GET/v1/programs/*/members/*/wallet",
                }
            ],
        },
        "context": {"client_id": "app"},
        "usageIdentifierKey": "app",
    }


def test_a_missing_scope_is_a_deny_and_a_missing_client_the_gateways_401() -> None:
    denied = output(Verdict("app", refusal=Refusal.INSUFFICIENT_SCOPE), event())
    assert denied["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert "usageIdentifierKey" not in denied
    for verdict in (
        Verdict("app", refusal=Refusal.UNAUTHENTICATED),
        Verdict(refusal=Refusal.UNAUTHENTICATED),
        Verdict(),
    ):
        with pytest.raises(Unauthorized) as raised:
            output(verdict, event())
        assert str(raised.value) == "Unauthorized"


@pytest.mark.parametrize("path", ["/v1/programs/*", "/v1/programs/a/members/*/wallet", "/v1/programs/?/x", "//"])
def test_what_a_caller_writes_into_a_path_is_no_part_of_the_policy(path: str) -> None:
    assert every_path_of_route(event(path)) == f"{API}/GET/v1/programs/*/members/*/wallet"


def test_the_header_is_found_however_it_is_written_and_counted() -> None:
    assert authorization(event(Authorization=["Bearer a"])) == ["Bearer a"]
    assert authorization(event(authorization=["Bearer a"], AUTHORIZATION=["Bearer b"])) == ["Bearer a", "Bearer b"]
    assert authorization(event() | {"multiValueHeaders": None}) == []
    assert route(event()) == f"GET {WALLET}"
