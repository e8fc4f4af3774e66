"""Both engines, each with an empty table of the same shape."""

from collections.abc import Iterator

import pytest

from tests.engines.dynamodb_local import DynamoDbLocal
from tests.engines.fixtures import dynamodb_client
from tests.simulation.client import MemoryClient
from tests.simulation.engine import MemoryDynamoDb
from tests.simulation.pair import TABLE, Pair, create_conformance_table


@pytest.fixture(scope="module")
def pair(dynamodb_local: DynamoDbLocal) -> Iterator[Pair]:
    made = Pair(MemoryClient(MemoryDynamoDb()), dynamodb_client(dynamodb_local.endpoint))
    create_conformance_table(made.memory)
    create_conformance_table(made.local)
    yield made
    made.local.delete_table(TableName=TABLE)
    made.local.close()
