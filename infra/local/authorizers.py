"""What a Lambda authorizer decides at the gateway, as API Gateway takes it; ministack leaves out three things.

- It knows no ``context.*`` among the sources of an authorizer's identity, takes them for missing, and answers 401.
- It drops ``usageIdentifierKey``, by which an authorizer says whose usage plan counts, and looks for a header.
- Through CloudFormation it loses ``ApiKeySourceType``, which says that the header does not count.
"""
# ruff: noqa: SLF001 -- what is wrapped here is private to ministack; tests notice when it changes

import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from ministack.services import apigateway_v1  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

BY_AUTHORIZER: Final = "AUTHORIZER"
USAGE_KEY: Final = "usageIdentifierKey"
_CONTEXT: Final = "context."


@dataclass
class _Asked:
    """The request under way: what ``context.*`` means in it, and the key by which it is counted."""

    context: Mapping[str, str] = field(default_factory=dict)
    by_authorizer: bool = False
    usage_key: str = ""


_ASKED: ContextVar[_Asked] = ContextVar("asked", default=_Asked())  # noqa: B039 - never changed: each request sets its own


def patch() -> None:
    """Wrap the loaded gateway; call it once, before the server starts."""
    gateway = apigateway_v1
    gateway._authorize_request_v1 = authorizing(gateway._authorize_request_v1)
    gateway._request_identity_sources = with_context(gateway._request_identity_sources)
    gateway._invoke_authorizer_lambda = keeping_usage_key(gateway._invoke_authorizer_lambda)
    gateway._api_key_from_request = named_by_authorizer(gateway._api_key_from_request)
    apis = provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RestApi"]
    apis["create"] = with_key_source(apis["create"])


def authorizing(authorize: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Wrap the authorization of a request so that what it is, and who it is counted for, is known until it is answered."""

    @functools.wraps(authorize)
    async def wrapper(api_id: str, *request: Any) -> Any:
        _, _, method, _, resource, *_ = request
        source = (apigateway_v1._rest_apis.get(api_id) or {}).get("apiKeySource")
        asked = _Asked({"httpMethod": method, "resourcePath": resource["path"]}, source == BY_AUTHORIZER)
        _ASKED.set(asked)
        error, context = await authorize(api_id, *request)
        if context and USAGE_KEY in context:
            asked.usage_key = context[USAGE_KEY]
            context = {name: value for name, value in context.items() if name != USAGE_KEY}
        return error, context

    return wrapper


def with_context(identity: Callable[..., tuple[bool, list[str]]]) -> Callable[..., tuple[bool, list[str]]]:
    """Wrap the search for a request's identity so that ``context.httpMethod`` and ``context.resourcePath`` are found."""

    @functools.wraps(identity)
    def wrapper(sources: str, headers: Any, query: Any, stage: Any) -> tuple[bool, list[str]]:
        present, values = True, list[str]()
        for source in filter(None, (one.strip() for one in (sources or "").split(","))):
            if source.startswith(_CONTEXT):
                value = _ASKED.get().context.get(source.removeprefix(_CONTEXT), "")
                found, more = bool(value), [value]
            else:
                found, more = identity(source, headers, query, stage)
            present, values = present and found, values + more
        return present, values

    return wrapper


def keeping_usage_key(invoke: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Wrap the call of an authorizer so that its usage key is kept with its context, and so for as long as its verdict."""

    @functools.wraps(invoke)
    async def wrapper(*request: Any) -> Any:
        result = await invoke(*request)
        body = _object((result or {}).get("body"))
        if body is None or not body.get(USAGE_KEY):
            return result
        return {**result, "body": {**body, "context": {**(body.get("context") or {}), USAGE_KEY: body[USAGE_KEY]}}}

    return wrapper


def named_by_authorizer(key_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap the search for a request's key so that, where the API says so, it is the authorizer's and never a header's."""

    @functools.wraps(key_of)
    def wrapper(headers: Any) -> Any:
        asked = _ASKED.get()
        return asked.usage_key if asked.by_authorizer else key_of(headers)

    return wrapper


def with_key_source(create: Callable[..., tuple[str, Any]]) -> Callable[..., tuple[str, Any]]:
    """Wrap the provisioning of a REST API so that it has the source of keys that its template names."""

    @functools.wraps(create)
    def wrapper(logical_id: str, properties: Mapping[str, Any], stack: str) -> tuple[str, Any]:
        api_id, attributes = create(logical_id, properties, stack)
        if "ApiKeySourceType" in properties:
            apigateway_v1._rest_apis[api_id]["apiKeySource"] = properties["ApiKeySourceType"]
        return api_id, attributes

    return wrapper


def _object(body: Any) -> dict[str, Any] | None:
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    return body if isinstance(body, dict) else None
