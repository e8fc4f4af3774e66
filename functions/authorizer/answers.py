"""What the gateway asks and is answered, translated."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from loyalty.clients.access import Refusal, Verdict

SCOPES_FILE: Final = "scopes.json"
"""Generated from the gateway's own routes, and packaged with the function."""
_VERSION: Final = "2012-10-17"


class Unauthorized(Exception):
    """The one error that the gateway answers with 401: it knows it by its text."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def packaged_scopes(folder: Path) -> Mapping[str, str]:
    """The scope of each route, by ``METHOD /path/{parameter}``."""
    scopes: dict[str, str] = json.loads((folder / SCOPES_FILE).read_text())
    return scopes


def authorization(event: Mapping[str, Any]) -> Sequence[str]:
    """The values of the request's ``Authorization`` headers, however the name is written."""
    given: Mapping[str, Sequence[str]] = event.get("multiValueHeaders") or {}
    return [value for name, values in given.items() if name.lower() == "authorization" for value in values]


def route(event: Mapping[str, Any]) -> str:
    """The route that the gateway matched, by its own word and not by the path."""
    context = event["requestContext"]
    return f"{context['httpMethod']} {context['resourcePath']}"


def output(verdict: Verdict, event: Mapping[str, Any]) -> dict[str, Any]:
    """The gateway's answer. It is kept for the token, method and route that it was asked about, and for no other.

    Raises:
        Unauthorized: the request bears no token of a client that is let in.
    """
    if verdict.refusal is Refusal.UNAUTHENTICATED or verdict.client_id is None:
        raise Unauthorized
    effect = "Deny" if verdict.refusal else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": every_path_of_route(event)}
    answer: dict[str, Any] = {
        "principalId": verdict.client_id,
        "policyDocument": {"Version": _VERSION, "Statement": [statement]},
        "context": {"client_id": verdict.client_id},
    }
    return answer if verdict.usage_key is None else answer | {"usageIdentifierKey": verdict.usage_key}


def every_path_of_route(event: Mapping[str, Any]) -> str:
    """The ARN of the route's method, with ``*`` for what its path leaves open.

    Made of the pattern and not of the path: a ``*`` that a caller wrote into a path would be one of the policy. A ``*`` spans
    slashes, so that this ARN alone would fit longer routes too; what confines it is that the gateway keeps it under the
    method and route, and asks again for any other.
    """
    prefix = "/".join(str(event["methodArn"]).split("/", 3)[:3])
    pattern = str(event["requestContext"]["resourcePath"])
    parts = ["*" if part.startswith("{") else part for part in pattern.strip("/").split("/")]
    return f"{prefix}/{'/'.join(parts)}"
