"""A table in moto. What it cannot be trusted with, such as threads, integration tests cover."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from loyalty.core.table import Table
from tests.apikit.members import Members
from tests.ledgerkit.tables import create_table


@pytest.fixture(scope="module")
def engine() -> Iterator[Table]:
    """One connection for a module: making one costs more than a test."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        yield Table("members", region="eu-south-1")


@pytest.fixture
def members(engine: Table) -> Iterator[Members]:
    create_table(engine.client, engine.name)
    yield Members(engine)
    engine.client.delete_table(TableName=engine.name)
