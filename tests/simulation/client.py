"""What stands in the place of botocore's client, underneath pynamodb: the narrowest seam that leaves the library whole.

``table.connection._client`` is all that :class:`loyalty.core.table.Table` and pynamodb ask for; of it, they call
``_make_api_call`` and, for scans, the operations by their names. What botocore does there and a history can tell is done
here too, in the same way (``test_client`` compares the two): a transaction gets its token, one for all attempts; what may
pass is tried once more after a random wait; and an error answer becomes a ``ClientError``. The real client would do the
same in half a millisecond more, most of it spent on signing and JSON.
"""

import random
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final, Protocol

from botocore import xform_name
from botocore.exceptions import ClientError, HTTPClientError

from loyalty.core.table import RETRIES, Table
from tests.simulation.dynamodb.errors import Refused

OPERATIONS: Final = (
    "BatchGetItem",
    "CreateTable",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
)
ENDPOINT: Final = "https://dynamodb.memory"
_LONGEST_WAIT: Final = 20.0
_SERVER_ERRORS: Final = frozenset({500, 502, 503, 504})
_THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
"""Of botocore's list, those that DynamoDB answers with."""


class Service(Protocol):
    """What answers requests: the engine itself, or faults in front of it."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]: ...


class MemoryClient:
    """A client of ``service`` with botocore's standard retries.

    Args:
        service: who answers.
        name: makes its tokens its own.
        attempts: how often a call is tried at most.
        rng: draws the waits between them.
        sleep: waits.
    """

    _request_signer: Final = None
    """pynamodb makes a client of its own in the place of one whose signer lacks credentials; this one has no signer."""

    def __init__(
        self,
        service: Service,
        *,
        name: str = "client",
        attempts: int = 1,
        rng: random.Random | None = None,
        sleep: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.meta = SimpleNamespace(endpoint_url=ENDPOINT)
        self._service = service
        self._name = name
        self._attempts = attempts
        self._rng = rng or random.Random(0)  # noqa: S311 -- waits, not secrets
        self._sleep = sleep
        self._transactions = 0
        self._by_name = {xform_name(operation): operation for operation in OPERATIONS}

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        operation = self.__dict__.get("_by_name", {}).get(name)
        if operation is None:
            raise AttributeError(name)
        return lambda **request: self._make_api_call(operation, request)

    def get_waiter(self, name: str) -> Any:  # noqa: ARG002 -- as botocore's
        """Nothing in memory is worth waiting for."""
        return SimpleNamespace(wait=lambda **_: None)

    def _make_api_call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems" and "ClientRequestToken" not in request:
            self._transactions += 1
            request = {**request, "ClientRequestToken": f"{self._name}-{self._transactions}"}
        attempt = 1
        while True:
            try:
                return self._service.call(operation, request)
            except Refused as refusal:
                if attempt == self._attempts or not _may_pass(refusal):
                    raise _client_error(refusal, operation) from refusal
            except HTTPClientError:
                if attempt == self._attempts:
                    raise
            self._sleep(self._rng.random() * min(2 ** (attempt - 1), _LONGEST_WAIT))
            attempt += 1


def table_over(
    service: Service,
    name: str,
    *,
    client: str = "client",
    rng: random.Random | None = None,
    sleep: Callable[[float], None] = lambda _: None,
) -> Table:
    """The real table over ``service``, with as many retries as the real one makes."""
    table = Table(name, region="eu-south-1", sleep=sleep)
    memory: Any = MemoryClient(service, name=client, attempts=1 + RETRIES, rng=rng, sleep=sleep)
    table.connection._client = memory
    return table


def _may_pass(refusal: Refused) -> bool:
    return refusal.code in _THROTTLED or refusal.status in _SERVER_ERRORS


def _client_error(refusal: Refused, operation: str) -> ClientError:
    response: Any = {
        "Error": {"Code": refusal.code, "Message": refusal.message},
        "ResponseMetadata": {"HTTPStatusCode": refusal.status, "HTTPHeaders": {}, "RetryAttempts": 0},
        **refusal.members,
    }
    return ClientError(response, operation)
