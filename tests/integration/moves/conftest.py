"""Adjustments, transfers, households and merges on real engines, each test with a table of its own."""

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.moves import Moves


@pytest.fixture
def moves(table: Table) -> Moves:
    """Three members, no points."""
    return Moves(table).enroll()
