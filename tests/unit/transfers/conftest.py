from collections.abc import Iterator

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.moto import moto_table, table
from tests.ledgerkit.moves import Moves

__all__ = ["moto_table", "table"]


@pytest.fixture
def moves(table: Table) -> Iterator[Moves]:
    """Three members, no points; whatever a test does, the audit finds nothing afterwards."""
    moves = Moves(table).enroll()
    yield moves
    assert moves.world.audit() == []
