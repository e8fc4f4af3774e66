"""DynamoDB in memory behind a botocore client of the usual make: its events, serializers, retries and errors are all there.

Only what the client would send is answered here, by the engine that the simulation uses and that is held against AWS's
DynamoDB Local (``tests/simulation/test_conformance.py``). That is ten times as quick as moto, and stricter.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS

from tests.simulation.dynamodb.errors import Refused
from tests.simulation.engine import MemoryDynamoDb

_AWS: Final = ".amazonaws.com"


class _Body(BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk


class _InPlaceOfAws:
    """Answers whatever any client of DynamoDB would send to AWS, while there is a service; else nothing is changed."""

    service: MemoryDynamoDb | None = None

    def __init__(self) -> None:
        self._one_at_a_time = Lock()

    def __call__(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
        service_name, operation = event_name.split(".")[1:]
        if self.service is None or service_name != "dynamodb" or not _is_of_aws(request.url):
            return None
        assert isinstance(request.body, bytes)
        asked = json.loads(request.body, object_hook=_read)
        with self._one_at_a_time:
            status, answered = _answer(self.service, operation, asked)
        return AWSResponse(request.url, status, HTTPHeaders(), _Body(json.dumps(answered, default=_written).encode()))


_IN_PLACE: Final = _InPlaceOfAws()
# First of all, so that moto's answer does not count where a test has it for other services; and as unspecific as can be,
# so that what tests register for DynamoDB's requests is heard before.
BUILTIN_HANDLERS.insert(0, ("before-send", _IN_PLACE))


@contextmanager
def dynamodb_in_memory() -> Iterator[None]:
    """DynamoDB without any table yet, for every client in the process that has no endpoint of its own."""
    before, _IN_PLACE.service = _IN_PLACE.service, MemoryDynamoDb()
    try:
        yield
    finally:
        _IN_PLACE.service = before


def forgotten(client: Any) -> bool:
    """Empties every table that is in memory; False where ``client`` speaks to another engine."""
    if _IN_PLACE.service is None or not _is_of_aws(client.meta.endpoint_url):
        return False
    _IN_PLACE.service.clear()
    return True


def _is_of_aws(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(_AWS)


def _answer(service: MemoryDynamoDb, operation: str, request: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    if operation == "DescribeTable":  # asked by who waits for a table: there is no wait in memory
        return 200, {"Table": {"TableStatus": "ACTIVE"}}
    try:
        return 200, service.call(operation, request)
    except Refused as refusal:
        return refusal.status, {"__type": f"#{refusal.code}", "message": refusal.message, **refusal.members}


def _read(part: dict[str, Any]) -> dict[str, Any]:
    """Bytes are base64 on the wire, and bytes to the service."""
    return {"B": b64decode(part["B"])} if isinstance(part.get("B"), str) else part


def _written(part: bytes) -> str:
    return b64encode(part).decode()
