import pytest

from loyalty.core.table import Table
from tests.unit.commerce.world import Commerce


@pytest.fixture
def commerce(table: Table) -> Commerce:
    """The inbound path: a program, nobody yet."""
    return Commerce(table)
