import pytest

from loyalty.core.table import Table
from tests.ledgerkit.moto import moto_table, table
from tests.unit.commerce.world import Commerce

__all__ = ["commerce", "moto_table", "table"]


@pytest.fixture
def commerce(table: Table) -> Commerce:
    return Commerce(table)
