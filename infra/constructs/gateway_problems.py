"""What API Gateway itself refuses, in the same words and shape (RFC 9457) as the functions' refusals."""

import json
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_apigateway as apigateway

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:problem-type:loyalty:"
HEADERS: Final = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src; frame-ancestors",
}
"""Of every answer, as of the functions' own. A directive without a source allows none, as 'none' does: what a quote means
inside the quotes of a gateway's value is written nowhere."""


@dataclass(frozen=True)
class GatewayProblem:
    """The answer to one kind of gateway response."""

    status: int
    code: str
    detail: str
    headers: tuple[tuple[str, str], ...] = ()


_UNAUTHORIZED: Final = GatewayProblem(
    401,
    "unauthenticated",
    "Send a current access token of the client credentials flow as a bearer token.",
    (("WWW-Authenticate", "Bearer"),),
)
_FORBIDDEN: Final = GatewayProblem(403, "forbidden", "The caller may not do this.")
_NOT_FOUND: Final = GatewayProblem(404, "route_not_found", "There is no such route.")
_INSUFFICIENT_SCOPE: Final = GatewayProblem(
    403,
    "insufficient_scope",
    # The gateway knows no scope here, and of the route its path.
    "Send a token with the scope that docs/openapi.json names for $context.resourcePath and this method. Where the client has "
    "none such, ask the operator.",
    (("WWW-Authenticate", "Bearer error=insufficient_scope"),),
)
_NO_PLAN: Final = GatewayProblem(403, "no_plan", "This client is in no usage plan: ask the operator to give it one.")
_THROTTLED: Final = GatewayProblem(
    429, "throttled", "Too many requests: wait and send it again.", (("Retry-After", "1"),)
)
QUOTA_RETRY_SECONDS: Final = 3_600
"""The gateway cannot tell how long it is until midnight. Whoever asks again each hour is let in an hour late at most."""
_QUOTA_EXCEEDED: Final = GatewayProblem(
    429,
    "quota_exceeded",
    "This client has used up its requests of the day: the next ones are from midnight, UTC, or by a larger plan.",
    (("Retry-After", str(QUOTA_RETRY_SECONDS)),),
)
_UNDECIDED: Final = GatewayProblem(
    503,
    "temporarily_unavailable",
    "Nobody could tell whether this request may pass; nothing was done: send it again.",
    (("Retry-After", "1"),),
)
_INTERNAL: Final = GatewayProblem(
    500, "internal_error", "Something failed here: quote the request's id when asking for help."
)
_TIMEOUT: Final = GatewayProblem(504, "timeout", "No answer in time: the same request may be sent again.")

GATEWAY_PROBLEMS: Final = {
    "ACCESS_DENIED": _INSUFFICIENT_SCOPE,  # by nothing but the authorizer: no policy of the API denies anything
    "API_CONFIGURATION_ERROR": _INTERNAL,
    "AUTHORIZER_CONFIGURATION_ERROR": _INTERNAL,
    "AUTHORIZER_FAILURE": _UNDECIDED,
    "BAD_REQUEST_BODY": GatewayProblem(400, "bad_request", "The body is malformed."),
    "BAD_REQUEST_PARAMETERS": GatewayProblem(400, "bad_request", "A parameter is malformed."),
    "DEFAULT_4XX": GatewayProblem(400, "bad_request", "The request is malformed."),
    "DEFAULT_5XX": _INTERNAL,
    "EXPIRED_TOKEN": _UNAUTHORIZED,
    "INTEGRATION_FAILURE": GatewayProblem(
        502, "bad_gateway", "Something failed here: the same request may be sent again."
    ),
    "INTEGRATION_TIMEOUT": _TIMEOUT,
    "INVALID_API_KEY": _NO_PLAN,  # the authorizer named one that no plan has
    "INVALID_SIGNATURE": _UNAUTHORIZED,
    "MISSING_AUTHENTICATION_TOKEN": _NOT_FOUND,  # what the gateway calls a route or method that does not exist
    "QUOTA_EXCEEDED": _QUOTA_EXCEEDED,
    "REQUEST_TOO_LARGE": GatewayProblem(413, "body_too_large", "The body is too large."),
    "RESOURCE_NOT_FOUND": _NOT_FOUND,
    "THROTTLED": _THROTTLED,
    "UNAUTHORIZED": _UNAUTHORIZED,
    "UNSUPPORTED_MEDIA_TYPE": GatewayProblem(415, "unsupported_media_type", "Send application/json."),
    "WAF_FILTERED": _FORBIDDEN,
}


def add_gateway_problems(api: apigateway.RestApi) -> None:
    """Give each gateway response its problem; the template's key is fixed by the gateway, the header says the truth."""
    for name, problem in GATEWAY_PROBLEMS.items():
        response = api.add_gateway_response(
            f"Problem-{name}",
            type=apigateway.ResponseType.of(name),
            status_code=str(problem.status),
            response_headers={
                "Content-Type": f"'{MEDIA_TYPE}'",
                **{header: f"'{value}'" for header, value in (*HEADERS.items(), *problem.headers)},
            },
            templates={"application/json": _body(problem)},
        )
        # the gateway changes in a deployment only, and a deployment must come after what it deploys
        if api.latest_deployment is not None:
            api.latest_deployment.node.add_dependency(response)


def _body(problem: GatewayProblem) -> str:
    return json.dumps(
        {
            "type": TYPE_PREFIX + problem.code,
            "title": problem.code.replace("_", " ").capitalize(),
            "status": problem.status,
            "detail": problem.detail,
            "code": problem.code,
            "instance": "urn:request:$context.requestId",
        }
    )
