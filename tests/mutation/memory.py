"""The fixtures of :mod:`tests.ledgerkit.moto` over DynamoDB in memory: the ``conftest.py`` with which mutants are tested.

A botocore client all the same, with its events, its serializers and its errors; what it would send is answered here. That
is several times as quick as moto, and a table is made anew for every mutant.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from loyalty.core.table import Table
from tests.ledgerkit.tables import create_table, empty_table
from tests.ledgerkit.world import World
from tests.simulation.dynamodb.errors import Refused
from tests.simulation.engine import MemoryDynamoDb


class _Body(BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk


@pytest.fixture(scope="module")
def moto_table() -> Iterator[Table]:
    service = MemoryDynamoDb()

    def answer(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        assert isinstance(request.body, bytes)
        status, answered = _answer(service, event_name.rpartition(".")[2], json.loads(request.body, object_hook=_read))
        return AWSResponse(request.url, status, HTTPHeaders(), _Body(json.dumps(answered, default=_written).encode()))

    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        table = Table("ledger", region="eu-south-1")
        # What tests register is more specific, and comes first.
        table.client.meta.events.register("before-send", answer)
        create_table(table.client, table.name)
        yield table


@pytest.fixture
def table(moto_table: Table) -> Table:
    """An empty table."""
    empty_table(moto_table)
    return moto_table


@pytest.fixture
def world(table: Table) -> World:
    """One member, no points."""
    return World(table).enroll()


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
