"""Verdicts of an authorizer at the local gateway: what they are kept under, and for whom a request is counted."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ministack.services import apigateway_v1  # type: ignore[import-untyped]

from infra.local import authorizers
from tests.unit.local.running import finished

SOURCES = "method.request.header.Authorization,context.httpMethod,context.resourcePath"
API_STAGE = ("api", "live")


def ask(monkeypatch: pytest.MonkeyPatch, authorize: Any, source: str = authorizers.BY_AUTHORIZER) -> tuple[Any, Any]:
    """What authorization gives, and the key that the request is counted by then; its header has another one."""
    monkeypatch.setattr(apigateway_v1, "_rest_apis", {"api": {"apiKeySource": source}})
    key_of = authorizers.named_by_authorizer(lambda headers: headers.get("x-api-key"))

    async def once() -> tuple[Any, Any]:
        request: tuple[Any, ...] = (
            "api",
            "live",
            {},
            "GET",
            "/v1/programs/a",
            {"path": "/v1/programs/{program}"},
            {},
            b"",
            {},
        )
        return await authorizers.authorizing(authorize)(*request), key_of({"x-api-key": "of-the-header"})

    return finished(once())


def kept(invoke: Callable[..., Awaitable[Any]]) -> Any:
    """What the gateway has of an authorizer's answer."""

    async def once() -> Any:
        return await authorizers.keeping_usage_key(invoke)({}, {})

    return finished(once())


def test_the_method_and_route_are_part_of_what_a_verdict_is_kept_under(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[bool, list[str]]] = []
    identity = authorizers.with_context(apigateway_v1._request_identity_sources)

    async def authorize(*_: Any) -> tuple[None, None]:
        found.append(identity(SOURCES, {"authorization": "Bearer x"}, {}, {}))
        found.append(identity(SOURCES, {}, {}, {}))
        found.append(identity("context.accountId", {}, {}, {}))
        return None, None

    ask(monkeypatch, authorize)
    assert found == [
        (True, ["Bearer x", "GET", "/v1/programs/{program}"]),
        (False, ["", "GET", "/v1/programs/{program}"]),
        (False, [""]),
    ]


def test_a_request_is_counted_by_the_key_that_the_authorizer_names(monkeypatch: pytest.MonkeyPatch) -> None:
    async def authorize(*_: Any) -> tuple[None, dict[str, str]]:
        return None, {"client_id": "app", authorizers.USAGE_KEY: "of-the-authorizer"}

    assert ask(monkeypatch, authorize) == ((None, {"client_id": "app"}), "of-the-authorizer")


def test_a_header_is_no_key_where_the_authorizer_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def authorize(*_: Any) -> tuple[None, None]:
        return None, None

    assert ask(monkeypatch, authorize) == ((None, None), "")
    assert ask(monkeypatch, authorize, "HEADER") == ((None, None), "of-the-header")


@pytest.mark.parametrize(
    ("body", "context"),
    [
        ({"usageIdentifierKey": "k", "context": {"a": "b"}}, {"a": "b", "usageIdentifierKey": "k"}),
        ('{"usageIdentifierKey": "k"}', {"usageIdentifierKey": "k"}),
        ({"context": {"a": "b"}}, {"a": "b"}),
    ],
)
def test_the_key_is_kept_with_the_verdict(body: Any, context: dict[str, str]) -> None:
    async def invoke(*_: Any) -> dict[str, Any]:
        return {"body": body}

    result = kept(invoke)
    assert result["body"]["context"] == context


@pytest.mark.parametrize("result", [None, {"error": True, "body": {"errorMessage": "Unauthorized"}}, {"body": "x"}])
def test_what_is_no_verdict_stays_as_it_is(result: Any) -> None:
    async def invoke(*_: Any) -> Any:
        return result

    assert kept(invoke) == result


def test_an_api_has_the_source_of_keys_of_its_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apigateway_v1, "_rest_apis", {"api": {"apiKeySource": "HEADER"}})
    create = authorizers.with_key_source(lambda *_: ("api", {}))
    create("Api", {}, "stack")
    assert apigateway_v1._rest_apis["api"]["apiKeySource"] == "HEADER"
    create("Api", {"ApiKeySourceType": "AUTHORIZER"}, "stack")
    assert apigateway_v1._rest_apis["api"]["apiKeySource"] == "AUTHORIZER"
