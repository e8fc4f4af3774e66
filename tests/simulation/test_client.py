"""The client in memory tries again, and gives up, exactly where botocore's own client does under the same table."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, ConnectionClosedError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from loyalty.core.table import Put, Table, TransactionRefused
from loyalty.core.transactions import error_code
from tests.simulation.client import ENDPOINT, table_over
from tests.simulation.counters import PK, Counter, counter
from tests.simulation.dynamodb.errors import Refused, cancelled, conflict_reason

Answer = Refused | Exception | dict[str, Any]
ITEM = {"pk": {"S": PK}, "sk": {"S": "1"}, "total": {"N": "1"}}


def closed() -> Exception:
    return ConnectionClosedError(error="reset", request=None, endpoint_url=ENDPOINT)


FAULTS: dict[str, Answer] = {
    "connection closed": closed(),
    "read timeout": ReadTimeoutError(endpoint_url=ENDPOINT, error="timed out"),
    "server error": Refused("InternalServerError", "Internal server error", status=500),
    "unavailable": Refused("ServiceUnavailable", "Service unavailable", status=503),
    "throughput": Refused("ProvisionedThroughputExceededException", "too fast"),
    "throttled": Refused("ThrottlingException", "too fast"),
    "limited": Refused("RequestLimitExceeded", "too fast"),
    "in progress": Refused("TransactionInProgressException", "in progress"),
    "single conflict": Refused("TransactionConflictException", "in the way"),
    "invalid": Refused("ValidationException", "no"),
    "no table": Refused("ResourceNotFoundException", "no"),
    "other parameters": Refused("IdempotentParameterMismatchException", ""),
    "conflict": cancelled([conflict_reason()]),
    "item throttled": cancelled([{"Code": "ThrottlingError", "Message": "too fast"}]),
    "condition": cancelled([{"Code": "ConditionalCheckFailed", "Message": "no", "Item": ITEM}]),
    "condition, nothing stored": cancelled([{"Code": "ConditionalCheckFailed", "Message": "no"}]),
}


class Script:
    """A service that answers from a list, and keeps what it was asked."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = iter(answers)
        self.tokens: list[str | None] = []

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """As the engine."""
        self.tokens.append(request.get("ClientRequestToken"))
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sent(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """As a handler of botocore, in the place of the network."""
        assert isinstance(request.body, bytes)
        try:
            return _response(200, self.call("", json.loads(request.body)))
        except Refused as refusal:
            return _response(
                refusal.status, {"__type": f"v#{refusal.code}", "message": refusal.message, **refusal.members}
            )


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _response(status: int, body: dict[str, Any]) -> AWSResponse:
    return AWSResponse(ENDPOINT, status, HTTPHeaders(), _Raw(json.dumps(body).encode()))


@pytest.fixture(scope="module")
def real() -> Iterator[Table]:
    """The table over botocore, which waits in no time."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        table = Table("ledger", endpoint=ENDPOINT, region="eu-south-1")
        yield table
        table.client.close()


@contextmanager
def answered(real: Table, script: "Script") -> Iterator[None]:
    """Within it, the script is all that botocore reaches."""
    real.client.meta.events.register("before-send.dynamodb", script.sent)
    yield
    real.client.meta.events.unregister("before-send.dynamodb", script.sent)


def write(table: Table) -> object:
    table.write([Put(counter("1", 1), Counter.pk.does_not_exist())])
    return None


def read(table: Table) -> object:
    return table.read(PK, "1")


def scan(table: Table) -> object:
    return list(table.scan())


def end(table: Table, call: Any) -> object:
    """How a call ends: its result, or all that the library can tell of its error."""
    try:
        return call(table)
    except TransactionRefused as refusal:
        return str(refusal), refusal.failed, refusal.contended
    except PynamoDBException as error:
        reasons = getattr(error, "cancellation_reasons", [])
        return type(error), type(error.cause), error_code(error), [reason and reason.code for reason in reasons]
    except BotoCoreError as error:
        return type(error)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", [write, read])
def test_it_tries_again_where_botocore_does(real: Table, call: Any, fault: str, times: int) -> None:
    success: Answer = {} if call is write else {"Item": ITEM}
    answers: list[Answer] = [FAULTS[fault]] * times + [success]
    memory, wire = Script(answers), Script(answers)
    with answered(real, wire):
        assert end(table_over(memory, "ledger"), call) == end(real, call)
    assert len(memory.tokens) == len(wire.tokens)
    for tokens in (memory.tokens, wire.tokens):
        assert len(set(tokens)) == 1
        assert (tokens[0] is None) is (call is read)


def test_each_transaction_has_a_token_of_its_own() -> None:
    script = Script([{}, {}, {}])
    table = table_over(script, "ledger", client="one")
    write(table)
    write(table)
    write(table_over(script, "ledger", client="two"))
    assert script.tokens == ["one-1", "one-2", "two-1"]


def test_operations_have_their_names(real: Table) -> None:
    pages: list[Answer] = [{"Items": [ITEM], "LastEvaluatedKey": {"pk": {"S": "a"}}}, {"Items": []}]
    memory, wire = Script(pages), Script(pages)
    with answered(real, wire):
        assert scan(table_over(memory, "ledger")) == scan(real) == [ITEM]
    with pytest.raises(AttributeError):
        table_over(memory, "ledger").client.list_tables()
