"""Proxy events as a REST API sends them, and answers as a client sees them."""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from loyalty.core.http import handle
from loyalty.core.problems import MEDIA_TYPE, TYPE_PREFIX, ProblemBody

CONTEXT = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-south-1:000000000000:function:test",
    aws_request_id="lambda-request",
)


@dataclass(frozen=True)
class Context:
    """As Lambda gives it, with so many seconds left."""

    seconds: float

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)

    def __getattr__(self, name: str) -> Any:
        return getattr(CONTEXT, name)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def problem(self, status: int, code: str) -> dict[str, Any]:
        """The problem that this reply is; fails unless it is a complete one of that status and code."""
        assert (self.status, self.json.get("code")) == (status, code), self.text
        assert self.headers["Content-Type"] == MEDIA_TYPE
        body = ProblemBody.model_validate(self.json, extra="forbid").model_dump(exclude_none=True)
        assert body["status"] == status
        assert body["type"] == TYPE_PREFIX + code
        assert body["title"]
        assert body["detail"].endswith(".")
        assert body["instance"] == "urn:request:req-1"
        return body


def proxy_event(
    method: str,
    path: str,
    *,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    client_id: str | None = "app",
) -> dict[str, Any]:
    headers = {"Accept": "*/*"} | ({"Content-Type": "application/json"} if body else {}) | (headers or {})
    authorizer = {"principalId": client_id, "client_id": client_id} if client_id else None
    return {
        "resource": "/{proxy+}",
        "httpMethod": method,
        "path": path,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"requestId": "req-1", "stage": "v", "path": f"/v{path}", "authorizer": authorizer},
        "body": body,
        "isBase64Encoded": False,
    }


class Gateway:
    """Sends requests to one API in this process."""

    def __init__(self, app: APIGatewayRestResolver, client_id: str = "app") -> None:
        self._app = app
        self._client_id = client_id

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Header names are written with ``_`` for ``-``."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(proxy_event(method, path, body=text, headers=names, client_id=self._client_id))

    def send(self, event: dict[str, Any]) -> Reply:
        answer = handle(self._app, event, CONTEXT)
        assert set(answer) == {"statusCode", "body", "isBase64Encoded", "multiValueHeaders"}
        headers = {name: ", ".join(values) for name, values in answer["multiValueHeaders"].items()}
        return Reply(answer["statusCode"], headers, answer["body"])
