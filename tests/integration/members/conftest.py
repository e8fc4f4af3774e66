"""Members on real engines, with keys in memory."""

import pytest

from infra.local.ministack import ACCESS_KEY, SECRET_KEY
from loyalty.core.table import Table
from tests.apikit.members import Members
from tests.engines.fixtures import REGION, TableEngine


@pytest.fixture
def members(table_engine: TableEngine, monkeypatch: pytest.MonkeyPatch) -> Members:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return Members(Table(table_engine.table_name, endpoint=table_engine.endpoint_url, region=REGION))
