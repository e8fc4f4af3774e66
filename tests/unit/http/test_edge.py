"""What every API has in common, on routes made for it."""

import json
from typing import Annotated

import pytest
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.exceptions import ForbiddenError
from aws_lambda_powertools.event_handler.openapi.params import Query
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from pydantic import Field
from pynamodb.exceptions import GetError

from loyalty.core import errors
from loyalty.core.fields import MemberId, MoneyBody, ProgramId, RequestBody, ResponseBody, UtcDatetime
from loyalty.core.http import HEADERS, IdempotencyKey, IfMatch, api, caller, handle, version_of
from loyalty.core.origin import NOWHERE, Origin, current
from loyalty.core.table import TransactionRefused
from tests.apikit.gateway import CONTEXT, Gateway, Reply, proxy_event

ORDERS = "/v1/programs/acme/members/mbr_01k9t3v5q8w2x4y6z8a0b2c4d6/orders"


class Order(RequestBody):
    amount: MoneyBody
    occurred_at: UtcDatetime
    points: Annotated[int, Field(strict=True, ge=0)] = 0


class OrderView(ResponseBody):
    client: str
    amount: str
    occurred_at: str
    key: str


def aws_error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "X")  # type: ignore[typeddict-item]


FAILURES: dict[str, Exception] = {
    "bug": ZeroDivisionError("secret"),
    "denied": aws_error("AccessDeniedException"),
    "http": ForbiddenError("no"),
    "throttled": aws_error("ThrottlingException"),
    "internal": aws_error("InternalServerError", 500),
    "wrapped": GetError("x", aws_error("ProvisionedThroughputExceededException")),
    "unreachable": EndpointConnectionError(endpoint_url="https://kms"),
    "timeout": GetError("x", ReadTimeoutError(endpoint_url="https://dynamodb")),
    "contended": TransactionRefused({}, ["TransactionConflict"], contended=True),
    "refused": TransactionRefused({0: None}, ["ConditionalCheckFailed"], contended=False),
    "stale": errors.Stale("Read it again."),
    "busy": errors.WalletBusy("Send it again."),
}


@pytest.fixture(scope="module")
def call() -> Gateway:
    router = Router()

    @router.post("/v1/programs/<program>/members/<member_id>/orders", status_code=201)
    def post_order(program: ProgramId, member_id: MemberId, body: Order, key: IdempotencyKey) -> Response[OrderView]:
        view = OrderView(
            client=caller(router), amount=str(body.amount.to_money()), occurred_at=body.occurred_at.isoformat(), key=key
        )
        return Response(201, content_type="application/json", body=view)

    @router.get("/v1/list")
    def get_list(limit: Annotated[int, Query(ge=1, le=100)] = 20, if_match: IfMatch = None) -> dict[str, int | None]:
        return {"limit": limit, "version": version_of(if_match)}

    @router.get("/v1/fail/<how>")
    def fail(how: str) -> dict[str, int]:
        raise FAILURES[how]

    @router.get("/v1/kept")
    def kept() -> Response[dict[str, int]]:
        return Response(200, content_type="application/json", body={}, headers={"cache-control": "private, max-age=60"})

    @router.get("/v1/lie")
    def lie() -> OrderView:
        return {"client": "secret", "amount": 7}  # type: ignore[return-value]

    return Gateway(api(router))


def post(call: Gateway, **headers: str) -> Reply:
    body = {"amount": {"value": "105.00", "currency": "USD"}, "occurred_at": "2026-11-22T10:30:00+01:00"}
    return call("POST", ORDERS, body, **headers)


def test_parsed_values_reach_the_route(call: Gateway) -> None:
    reply = post(call, Idempotency_Key="order-1")
    assert reply.status == 201
    assert reply.json == {
        "client": "app",
        "amount": "105.00 USD",
        "occurred_at": "2026-11-22T09:30:00+00:00",
        "key": "order-1",
    }


def test_header_names_have_no_case(call: Gateway) -> None:
    assert post(call, **{"iDEMPOTENCY-kEY": "order-1"}).status == 201


def test_an_idempotency_key_is_required(call: Gateway) -> None:
    post(call).problem(400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["", " ", "a b", "a,b", "a@b", "k" * 129, "\u00e4", "a\n"])
def test_idempotency_keys_have_a_form(call: Gateway, key: str) -> None:
    problem = post(call, Idempotency_Key=key).problem(400, "invalid_header")
    assert problem["errors"][0]["header"] == "Idempotency-Key"


def test_a_header_sent_twice_is_refused(call: Gateway) -> None:
    event = proxy_event("POST", ORDERS, body='{"a": 1}', headers={"Idempotency-Key": "b"})
    event["multiValueHeaders"]["Idempotency-Key"] = ["a", "b"]
    call.send(event).problem(400, "invalid_header")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (ORDERS.replace("acme", "A"), "program_not_found"),
        (ORDERS.replace("mbr_", "x"), "member_not_found"),
        (ORDERS.replace("acme", "A").replace("mbr_", "x"), "program_not_found"),
        (ORDERS + "/x", "route_not_found"),
        ("/", "route_not_found"),
        ("//", "route_not_found"),
        ("/v1/programs//members/x/orders", "route_not_found"),
        ("/v1/%00", "route_not_found"),
    ],
)
def test_paths_that_lead_nowhere(call: Gateway, path: str, code: str) -> None:
    call("POST", path, {"amount": 1}).problem(404, code)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"])
def test_methods_that_a_path_does_not_have(call: Gateway, method: str) -> None:
    call(method, ORDERS).problem(404, "route_not_found")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "", "1" * 5000, "1,2", "NaN", "1e2", "\u0661"])
def test_limits_of_query_parameters(call: Gateway, limit: str) -> None:
    reply = call.send(proxy_event("GET", "/v1/list", query={"limit": limit}))
    assert reply.problem(422, "invalid")["errors"][0]["parameter"] == "limit"


def test_a_query_parameter_sent_twice_is_refused(call: Gateway) -> None:
    event = proxy_event("GET", "/v1/list", query={"limit": "2"})
    event["multiValueQueryStringParameters"]["limit"] = ["1", "2"]
    call.send(event).problem(422, "invalid")


@pytest.mark.parametrize(("value", "version"), [(None, None), ("*", None), ('"7"', 7)])
def test_if_match(call: Gateway, value: str | None, version: int | None) -> None:
    reply = call("GET", "/v1/list", **({} if value is None else {"If-Match": value}))
    assert reply.json == {"limit": 20, "version": version}


@pytest.mark.parametrize("value", ["7", 'W/"7"', '"7", "8"', '"x"', '""', '"' + "9" * 19 + '"'])
def test_if_match_that_is_no_etag_of_ours(call: Gateway, value: str) -> None:
    call("GET", "/v1/list", If_Match=value).problem(400, "invalid_header")


def test_a_body_where_none_is_read_is_still_limited(call: Gateway) -> None:
    call("GET", "/v1/list", "x" * 70_000).problem(413, "body_too_large")


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("bug", 500, "internal_error"),
        ("denied", 500, "internal_error"),
        ("refused", 500, "internal_error"),
        ("http", 403, "http_error"),
        ("throttled", 503, "temporarily_unavailable"),
        ("internal", 503, "temporarily_unavailable"),
        ("wrapped", 503, "temporarily_unavailable"),
        ("unreachable", 503, "temporarily_unavailable"),
        ("timeout", 503, "temporarily_unavailable"),
        ("contended", 503, "temporarily_unavailable"),
        ("stale", 412, "precondition_failed"),
        ("busy", 409, "wallet_busy"),
    ],
)
def test_failures(call: Gateway, capsys: pytest.CaptureFixture[str], how: str, status: int, code: str) -> None:
    reply = call("GET", f"/v1/fail/{how}")
    reply.problem(status, code)
    assert "secret" not in reply.text
    assert ("Retry-After" in reply.headers) == (status == 503 or how == "busy")
    assert ("UnexpectedError" in capsys.readouterr().out) == (code == "internal_error")


def test_an_answer_that_breaks_its_own_schema_is_our_fault(call: Gateway) -> None:
    reply = call("GET", "/v1/lie")
    reply.problem(500, "internal_error")
    assert "secret" not in reply.text


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/list", 200), ("/v1/nowhere", 404), ("/v1/fail/bug", 500), ("/v1/fail/busy", 409)]
)
def test_every_answer_has_the_headers_of_the_edge(call: Gateway, path: str, status: int) -> None:
    reply = call("GET", path)
    assert reply.status == status
    assert reply.headers.items() >= HEADERS.items()
    assert not [name for name in reply.headers if name.startswith("Access-Control")]


def test_what_an_answer_says_of_its_own_cache_stays(call: Gateway) -> None:
    reply = call("GET", "/v1/kept")
    assert "Cache-Control" not in reply.headers
    assert reply.headers["cache-control"] == "private, max-age=60"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_that_cannot_be_read_has_them_too(call: Gateway) -> None:
    assert call("GET", "/v1/list", "x" * 70_000).headers.items() >= HEADERS.items()


@pytest.mark.parametrize("event", [{}, {"httpMethod": "GET"}, {"httpMethod": None, "path": None}, {"body": 5}])
def test_what_is_no_proxy_event_is_answered(call: Gateway, event: dict[str, object]) -> None:
    assert json.loads(call.send(event).text)["status"] == 500


def test_what_is_done_comes_from_the_token_and_the_gateway_and_nothing_else() -> None:
    seen: list[Origin] = []
    router = Router()

    @router.post("/v1/act")
    def act() -> dict[str, int]:
        seen.append(current())
        return {}

    event = proxy_event("POST", "/v1/act", body='{"by": "eve"}')
    event["headers"] = {**(event.get("headers") or {}), "X-Forwarded-For": "203.0.113.9"}
    event["requestContext"]["identity"] = {"sourceIp": "192.0.2.7"}
    assert handle(api(router), event, CONTEXT)["statusCode"] == 200
    (origin,) = seen
    assert (origin.address, origin.request_id) == ("192.0.2.7", "req-1")
    assert (origin.by or "").startswith("client:")
    assert current() == NOWHERE, "it ends with the request"
