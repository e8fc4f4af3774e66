import pytest

from loyalty.core.table import Table
from tests.ledgerkit.moto import moto_table, table
from tests.ledgerkit.overdue import Overdue

__all__ = ["moto_table", "table"]


@pytest.fixture
def world(table: Table) -> Overdue:
    """A program, and nobody."""
    return Overdue(table)
