"""The platform on real engines: each test runs on ministack and on DynamoDB Local, with a table of its own."""

import pytest

from infra.local.ministack import ACCESS_KEY, SECRET_KEY
from loyalty.core.table import Table
from tests.apikit.members import Members
from tests.engines.fixtures import REGION, TableEngine
from tests.ledgerkit.tables import warm_up
from tests.ledgerkit.world import World


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


@pytest.fixture(scope="session")
def warmed() -> set[str]:
    """Endpoints that have taken a transaction: an engine's first may outlast the short time-outs of the library."""
    return set()


@pytest.fixture
def table(table_engine: TableEngine, warmed: set[str]) -> Table:
    if table_engine.endpoint_url not in warmed:
        warm_up(table_engine.client, table_engine.table_name)
        warmed.add(table_engine.endpoint_url)
    return Table(table_engine.table_name, endpoint=table_engine.endpoint_url, region=REGION)


@pytest.fixture
def world(table: Table) -> World:
    """One member, no points."""
    return World(table).enroll()


@pytest.fixture
def members(table: Table) -> Members:
    """Nobody yet, and what enrolls them; their keys are in memory."""
    return Members(table)
