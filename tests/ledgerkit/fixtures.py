"""A table in memory, as fixtures: quick enough for thousands of examples. What it cannot be trusted with, integration tests cover."""

from collections.abc import Iterator
from typing import Final

import pytest
from moto import mock_aws
from moto.core.config import DefaultConfig

from loyalty.core.table import Table
from tests.ledgerkit.memory import dynamodb_in_memory
from tests.ledgerkit.tables import create_table, empty_table
from tests.ledgerkit.world import World

_OTHERS: Final[DefaultConfig] = {"core": {"passthrough": {"services": ["dynamodb"]}}}
"""Moto stands for every other service, such as STS; of DynamoDB's transactions it knows too little."""


@pytest.fixture(scope="module")
def memory_table() -> Iterator[Table]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        with mock_aws(config=_OTHERS), dynamodb_in_memory():
            table = Table("ledger", region="eu-south-1")
            create_table(table.client, table.name)
            yield table


@pytest.fixture
def table(memory_table: Table) -> Table:
    """An empty table; making one for each test would cost ten times as much."""
    empty_table(memory_table)
    return memory_table


@pytest.fixture
def world(table: Table) -> World:
    """One member, no points."""
    return World(table).enroll()
