import pytest

from loyalty.core.table import Table
from tests.ledgerkit.overdue import Overdue


@pytest.fixture
def world(table: Table) -> Overdue:
    """A program, and nobody."""
    return Overdue(table)
