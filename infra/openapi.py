"""The OpenAPI document, from the functions' routes.

Powertools writes the operations and schemas; what it cannot know is added here: the scope of each route, RFC 9457
problems in place of its own error bodies, response headers, examples.
"""

import importlib
import importlib.util
import inspect
import json
import pkgutil
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.api_gateway import Router

import loyalty
import loyalty_contract as contract
from infra.examples import PROBLEM, REQUESTS, RESPONSES
from infra.links import add_links
from infra.routes import LINK_FUNCTION, ROUTES, Route
from loyalty.core import errors, problems
from loyalty.core.http import api

ROOT: Final = Path(__file__).resolve().parent.parent
VERSION: Final = "3.1.0"
GATEWAY_CODES: Final[Mapping[int, tuple[str, ...]]] = {
    400: ("bad_request",),
    403: ("forbidden", "insufficient_scope", "no_plan"),
    429: ("throttled", "quota_exceeded"),
    502: ("bad_gateway",),
    504: ("timeout",),
}
"""Codes that only the gateway gives, by status."""

_DESCRIPTION: Final = """\
Points, tiers and rewards for members of programs.

Every request is made by an OAuth2 client, which is bound to its programs. A body that moves points has an identity:
an accrual its `source` and `source_id`, a redemption its `Idempotency-Key`. Sent again unchanged, it gives its first
result with `Idempotent-Replayed: true`; with another content it is refused. Points are whole numbers, amounts of money
decimal strings, times RFC 3339 in UTC. Whatever is refused is a problem (RFC 9457) with a stable `code`."""
_HEADERS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "Idempotent-Replayed": (
        "`true`: this is the first result of a request that came before.",
        {"enum": ["true", "false"]},
    ),
    "Location": ("Where the new resource is read, or where a link leads.", {}),
    "ETag": ("The version, to send as `If-Match`.", {}),
    "Cache-Control": ("How long the answer may be used again, by this client.", {}),
    "Content-Language": ("Of the names in the answer.", {}),
    "Vary": ("The header that the answer depends on.", {}),
    "Retry-After": ("Seconds to wait before the same request is sent again.", {"pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("`Bearer`: send an access token.", {}),
}
_PROBLEM_HEADERS: Final = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
_PROGRAM_HEADERS: Final = {
    "get_program": ["ETag", "Cache-Control", "Content-Language", "Vary"],
    "get_draft": ["ETag"],
    "put_draft": ["ETag"],
    "get_versions": ["ETag"],
    "post_version": ["Location"],
    "post_rollback": ["Location"],
}
"""Headers of answers of the function ``program``, by operation."""
_WITHOUT_BODY: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED, HTTPStatus.FOUND})
_HIDDEN: Final = frozenset({"HTTPValidationError", "ValidationError", "ResponseValidationError"})
"""Error bodies that Powertools documents and that this API never sends."""


class RoutesDiffer(Exception):
    """A function serves other routes than the gateway sends it."""


def document() -> dict[str, Any]:
    """The whole document.

    Raises:
        RoutesDiffer: see the message.
    """
    apis = {function: function_api(function) for function in sorted({route.function for route in ROUTES})}
    written = [
        json.loads(one.get_openapi_json_schema(title="", version="", openapi_version=VERSION)) for one in apis.values()
    ]
    paths: dict[str, dict[str, Any]] = {}
    for part in written:
        for path, operations in part["paths"].items():
            paths.setdefault(path, {}).update(operations)
    _require_same_routes(paths)
    schemas = {
        name: schema
        for part in written
        for name, schema in part["components"]["schemas"].items()
        if name not in _HIDDEN
    }
    definitions = problems.ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= definitions.pop("$defs") | {"Problem": definitions | {"title": "Problem", "examples": [PROBLEM]}}
    ordered: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        operation = paths[route.path][route.method.lower()]
        ordered.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation)
    add_links(ordered)
    result = {
        "openapi": VERSION,
        "info": {"title": "Loyalty", "version": project_version(), "description": _DESCRIPTION},
        "servers": [{"url": "https://api.example.com", "description": "Yours is the stack's output `ApiUrl`."}],
        "paths": ordered,
        "components": {
            "schemas": {name: schemas[name] for name in sorted(schemas)},
            "responses": {str(status): _problem_response(status, codes) for status, codes in codes_by_status().items()},
            "headers": {
                name: {"description": text, "schema": {"type": "string"} | schema}
                for name, (text, schema) in _HEADERS.items()
            },
            "securitySchemes": {"oauth2": _security_scheme()},
        },
    }
    return dict(tidy(result))


def function_api(function: str) -> APIGatewayRestResolver:
    """The API of a function, of services that are not there: defining routes calls none of them.

    Its routers are made by ``routes`` of its module of that name, and by whatever is called ``…_routes`` beside it.
    """
    return api(*(maker(*[None] * len(inspect.signature(maker).parameters)) for maker in _makers(function)))


def _makers(function: str) -> Iterator[Callable[..., Router]]:
    for path in sorted((ROOT / "functions" / function).glob("*.py")):
        if path.stem not in {"handler", "__init__"}:
            module = importlib.import_module(f"functions.{function}.{path.stem}")
            for name, made in vars(module).items():
                here = getattr(made, "__module__", None) == module.__name__
                if here and (name == "routes" or name.endswith("_routes")):
                    yield made


def project_version() -> str:
    """The version in ``pyproject.toml``."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _require_same_routes(paths: Mapping[str, Mapping[str, Any]]) -> None:
    served = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    routed = {(route.method, route.path) for route in ROUTES}
    if served != routed:
        differences = sorted(f"{method} {path}" for method, path in served ^ routed)
        raise RoutesDiffer(f"in the functions or in infra/routes.py, but not in both: {', '.join(differences)}")


def _operation(route: Route, operation: dict[str, Any]) -> dict[str, Any]:
    suffix = re.sub(r"\W", "_", f"{route.path}_{route.method.lower()}")
    name = operation["operationId"].removesuffix(suffix)
    operation["operationId"] = name
    operation["security"] = [] if route.scope is None else [{"oauth2": [f"{contract.SCOPE_SERVER}/{route.scope}"]}]
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header":
            parameter["name"] = "-".join(word.capitalize() for word in parameter["name"].split("-"))
    success = {status: one for status, one in operation["responses"].items() if int(status) < 400}
    for status, response in success.items():
        response["description"] = HTTPStatus(int(status)).phrase
        if int(status) in _WITHOUT_BODY:
            response.pop("content", None)
        example = RESPONSES.get(f"{name} {status}", RESPONSES.get(name) if status == min(success) else None)
        if example is not None:
            next(iter(response["content"].values()))["example"] = example
        headers = _headers(route, name, int(status))
        if headers:
            response["headers"] = {header: {"$ref": f"#/components/headers/{header}"} for header in headers}
    if name in REQUESTS:
        operation["requestBody"]["content"]["application/json"]["example"] = REQUESTS[name]
    refused = {str(status): {"$ref": f"#/components/responses/{status}"} for status in _statuses(route, operation)}
    operation["responses"] = success | refused
    return operation


def _headers(route: Route, name: str, status: int) -> list[str]:
    if route.function == "program":
        return _PROGRAM_HEADERS.get(name, [])
    created = ["Idempotent-Replayed"] if status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED} else []
    if route.function == "privacy":
        return ["ETag"] if route.path.endswith("/preferences") else [one for one in created if name != "post_erasure"]
    if route.function == LINK_FUNCTION:
        return ["Location", "Cache-Control"]
    if route.path.endswith("/referral-code"):
        return ["ETag"]
    if route.function != "enrollment":
        return created
    return [*created, *(["Location"] if created else []), "ETag"]


def _statuses(route: Route, operation: Mapping[str, Any]) -> list[int]:
    """Which problems a route may answer with."""
    parameters = operation.get("parameters", [])
    places = {parameter["in"] for parameter in parameters}
    has_body = "requestBody" in operation
    conditional = any(parameter["name"] == "If-Match" for parameter in parameters)
    # Its body is verified before it is read, so that the framework knows of none.
    signed = route.function == "supplier_callback"
    has_body = has_body or signed
    conditions = {
        400: has_body or bool(places & {"header", "query"}),
        401: route.scope is not None or signed,
        403: route.scope is not None,
        404: "path" in places,
        410: any(parameter["name"] == "member_id" for parameter in parameters) or _names_a_member(route),
        409: route.path.endswith("/quote")
        or (route.method != "GET" and route.scope is not None and not route.scope.endswith(".read")),
        412: conditional,
        413: has_body,
        415: has_body,
        422: has_body or "query" in places or route.path.endswith(("/draft/diff", "/stock")),
        428: conditional and route.function in {"program", "privacy"},
        429: True,
        500: True,
        502: True,
        503: route.scope is not None or route.function == LINK_FUNCTION,
        504: True,
    }
    return [status for status, holds in conditions.items() if holds]


def _names_a_member(route: Route) -> bool:
    """Whether its body does: who was erased joins no household, nor moves points of one."""
    return route.method == "POST" and "/households" in route.path


def codes_by_status() -> dict[int, list[str]]:
    """Every code that a client may meet, by status: those of the error tree and those of the gateway."""
    _import_errors()
    found = {500: [problems.INTERNAL]} | {status: list(codes) for status, codes in GATEWAY_CODES.items()}
    for kind in _subclasses(errors.LoyaltyError):
        if not issubclass(kind, errors.Rejected | errors.Undecided | errors.RunRefused):
            found.setdefault(problems.status_of(kind), []).append(kind.code)
    return {status: sorted(found[status]) for status in sorted(found)}


def _import_errors() -> None:
    """Every feature's refusals, whichever of them the routes name."""
    for package in pkgutil.iter_modules(loyalty.__path__, "loyalty."):
        if importlib.util.find_spec(f"{package.name}.errors"):
            importlib.import_module(f"{package.name}.errors")


def _subclasses(kind: type[errors.LoyaltyError]) -> Iterable[type[errors.LoyaltyError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


def _problem_response(status: int, codes: Iterable[str]) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    return {
        "description": f"{phrase}: {', '.join(f'`{code}`' for code in codes)}.",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        **_problem_headers(status),
    }


def _problem_headers(status: int) -> dict[str, Any]:
    name = _PROBLEM_HEADERS.get(status)
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"}}} if name else {}


def _security_scheme() -> dict[str, Any]:
    return {
        "type": "oauth2",
        "description": "The token's URL is the stack's output `TokenUrl`.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "https://auth.example.com/oauth2/token",
                "scopes": {f"{contract.SCOPE_SERVER}/{scope}": text for scope, text in contract.SCOPES.items()},
            }
        },
    }


def tidy(value: Any) -> Any:
    """Whole bounds as whole numbers, no titles that only repeat the name, maps closed to names that do not fit, Markdown."""
    if isinstance(value, str):
        return value.replace("``", "`")
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, dict):
        return value
    closed = {"additionalProperties": False} if "patternProperties" in value else {}
    return {
        name: _without_title(tidy(item)) if name in ("schema", "items") else _properties(name, item)
        for name, item in (value | closed).items()
    }


def _properties(name: str, value: Any) -> Any:
    tidied = tidy(value)
    if name == "properties" and isinstance(tidied, dict):
        return {field: _without_title(schema) for field, schema in tidied.items()}
    return tidied


def _without_title(schema: Any) -> Any:
    return {name: item for name, item in schema.items() if name != "title"} if isinstance(schema, dict) else schema
