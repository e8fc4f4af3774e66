import pytest

from loyalty.core.table import Table
from tests.unit.commerce.world import Commerce


@pytest.fixture
def commerce(table: Table) -> Commerce:
    return Commerce(table)
