"""HTTP at the edge of a function: parsing that never ends in a 5xx, who is calling, shared field types.

A function's ``handler.py`` is ``APP = api(routes(...))`` and ``handle(APP, event, context)``; its routes take typed
parameters and raise named errors, which become problems here and in :mod:`loyalty.core.problems` alone.
"""

import base64
import binascii
import json
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header

from loyalty.core import problems
from loyalty.core.error_names import name_of
from loyalty.core.errors import (
    BodyTooLarge,
    MalformedJson,
    PreconditionRequired,
    RouteNotFound,
    Unauthenticated,
    UnsupportedMediaType,
)
from loyalty.core.four_eyes import client_actor
from loyalty.core.json_objects import parse_object
from loyalty.core.origin import Origin, coming_from
from loyalty.core.problems import Problem
from loyalty.core.telemetry import count, logger, metrics

MAX_BODY_BYTES: Final = 64 * 1024
_FRAMES: Final = 6
HEADERS: Final = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Of every answer that says nothing else of them itself. No ``Access-Control-…``: browsers' pages are no callers."""
REPLAYED_HEADER: Final = "Idempotent-Replayed"
"""``true`` where the answer is the first one's, because the same request came before."""

T = TypeVar("T")

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="A value of your own: new for each operation, the same when you send one again.",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=r'^(\*|"[0-9]{1,18}")$',
        description="The ETag that the change is meant for; 412 where it is no longer the current one.",
    ),
]

IfNoneMatchAny = Annotated[
    Literal["*"] | None,
    Header(alias="If-None-Match", description="`*`: only if there is none yet; 412 where there is."),
]

Event = dict[str, Any]
Answer = dict[str, Any]


def api(*routers: Router) -> APIGatewayRestResolver:
    """An API of these routes: requests and responses are validated, every error is a problem."""
    app = APIGatewayRestResolver(
        enable_validation=True,
        response_validation_error_http_code=500,
        json_body_deserializer=parse_object,
        debug=False,
    )

    def refuse(error: Exception) -> Response[str]:
        return _response(_problem(error), request_id(app.current_event.raw_event))

    app.exception_handler(Exception)(refuse)
    for router in routers:
        app.include_router(router)
    return app


class Observer(Protocol):
    """Is told of answers, of whose program and client they are as far as that is known. Never raises."""

    def answered(self, program: str | None, client_id: str | None, answer: Mapping[str, Any]) -> None:
        """Of one answer, before it is sent."""


def handle(app: APIGatewayRestResolver, event: Event, context: Any, *, told: Observer | None = None) -> Answer:
    """Answers one proxy event. Never raises: what goes wrong is a problem, logged without the request's content.

    ``told`` is told of the answer.
    """
    return _observed(event, context, app, told)


@logger.inject_lambda_context(clear_state=True, log_event=False)
def _observed(event: Event, _context: Any, app: APIGatewayRestResolver, told: Observer | None) -> Answer:
    logger.set_correlation_id(request_id(event))
    try:
        with coming_from(origin_of(event)):
            answer: Answer = app.resolve(_with_text_body(event), _context)
        # Of an answer without a body Powertools gives null, which not every gateway takes for none.
        answer["body"] = answer["body"] or ""
    except Exception as error:  # noqa: BLE001 - the outermost boundary: whatever it is becomes an answer
        answer = _as_answer(_problem(error), request_id(event))
    try:
        if told is not None:
            told.answered((event.get("pathParameters") or {}).get("program"), _client_of(event), answer)
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()
    return _hardened(answer)


def _hardened(answer: Answer) -> Answer:
    """The answer with :data:`HEADERS`, each unless it has one of that name."""
    given = answer["multiValueHeaders"]
    named = {name.lower() for name in given}
    more = {name: [value] for name, value in HEADERS.items() if name.lower() not in named}
    return answer | {"multiValueHeaders": given | more}


def caller(router: Router) -> str:
    """The OAuth2 client that the gateway's authorizer let in.

    Raises:
        Unauthenticated: the request came without an authorizer's word.
    """
    client_id = _client_of(router.current_event.raw_event)
    if client_id is None:
        raise Unauthenticated("Send an access token of the client credentials flow as a bearer token.")
    return client_id


def _client_of(event: Mapping[str, Any]) -> str | None:
    """The client that the authorizer let in; None where there was none."""
    client_id = (_context_of(event).get("authorizer") or {}).get("client_id")
    return client_id if isinstance(client_id, str) and client_id else None


def origin_of(event: Mapping[str, Any]) -> Origin:
    """Where the request comes from, as the gateway saw it; nothing of it is the caller's word."""
    client_id = _client_of(event)
    address = (_context_of(event).get("identity") or {}).get("sourceIp")
    return Origin(None if client_id is None else client_actor(client_id), address, request_id(event))


def done_once(body: T, *, replayed: bool, status: HTTPStatus = HTTPStatus.CREATED) -> Response[T]:
    """The answer to what is done once however often it is sent, and whether it came before."""
    return Response(
        status_code=status,
        content_type="application/json",
        headers={REPLAYED_HEADER: str(replayed).lower()},
        body=body,
    )


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version that ``If-Match`` asks for; None where any will do."""
    return None if if_match in (None, "*") else int(if_match.strip('"'))


def required_version(if_match: str | None) -> int | None:
    """The version that ``If-Match`` asks for; None where it says that any will do.

    Raises:
        PreconditionRequired: there is no ``If-Match``.
    """
    if if_match is None:
        raise PreconditionRequired("Send If-Match with the ETag that you read, so that nobody's change is lost.")
    return version_of(if_match)


def request_id(event: Mapping[str, Any]) -> str:
    """The gateway's id of this request, which a client can quote."""
    return str(_context_of(event).get("requestId") or "unknown")


def _with_text_body(event: Event) -> Event:
    """The event with its body as text, once all that must hold before anything parses it does."""
    body = event.get("body")
    if not body:
        return event
    raw = _bytes_of(body, encoded=bool(event.get("isBase64Encoded")))
    if len(raw) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"The body may have {MAX_BODY_BYTES} bytes at most.")
    headers = event.get("headers") or {}
    others = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    given = [value for name, value in headers.items() if name.lower() == "content-type"]
    if not all(map(_is_json, given)):
        raise UnsupportedMediaType("Send the body as application/json in UTF-8.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise MalformedJson("The body is not valid UTF-8.") from None
    if "\ufffd" in text:
        # What a gateway puts in the place of bytes that it could not decode.
        raise MalformedJson("The body is not valid UTF-8, or holds the replacement character U+FFFD.")
    # Powertools compares media types by case.
    return event | {"body": text, "isBase64Encoded": False, "headers": others | {"Content-Type": "application/json"}}


def _is_json(content_type: str) -> bool:
    media_type, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = [one.removeprefix("charset=").strip('"') for one in parameters if one.startswith("charset=")]
    return media_type == "application/json" and set(charsets) <= {"utf-8"}


def _bytes_of(body: str, *, encoded: bool) -> bytes:
    try:
        return base64.b64decode(body, validate=True) if encoded else body.encode()
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise MalformedJson("The body is not valid UTF-8.") from None


def _problem(error: Exception) -> Problem:
    if isinstance(error, RequestValidationError):
        problem = problems.of_validation(error.errors())
    elif isinstance(error, NotFoundError):
        problem = problems.of(RouteNotFound("There is no such route; the OpenAPI document lists those that exist."))
    elif isinstance(error, ServiceError):
        problem = Problem(error.status_code, "http_error", "The request cannot be served.")
    else:
        problem = problems.of(error)
    if problem.status < 500:
        logger.info("refused", extra={"status": problem.status, "code": problem.code})
    else:
        _report(error, problem)
    return problem


def _report(error: Exception, problem: Problem) -> None:
    """Logs where it happened, but not the exception's text: pydantic and AWS put the offending values into it."""
    if problem.code == problems.INTERNAL:
        count("UnexpectedError")
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]]
    places = [
        {"place": list(map(str, one["loc"])), "type": one["type"]}
        for one in (error.errors() if isinstance(error, ResponseValidationError) else ())
    ]
    logger.error(
        "failed", extra={"code": problem.code, "error_type": name_of(error), "frames": frames, "response": places}
    )


def _response(problem: Problem, request: str) -> Response[str]:
    return Response(
        status_code=problem.status,
        content_type=problems.MEDIA_TYPE,
        body=json.dumps(problem.body(request)),
        headers=dict(problem.headers),
    )


def _as_answer(problem: Problem, request: str) -> Answer:
    headers = {"Content-Type": problems.MEDIA_TYPE} | dict(problem.headers)
    return {
        "statusCode": problem.status,
        "body": json.dumps(problem.body(request)),
        "isBase64Encoded": False,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
    }


def _context_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return event.get("requestContext") or {}
