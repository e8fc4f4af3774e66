"""A table in memory, and what stands over it."""

from collections.abc import Iterator

import pytest

from loyalty.core.table import Table
from tests.apikit.members import Members
from tests.ledgerkit.fixtures import memory_table, table, world
from tests.ledgerkit.moves import Moves

__all__ = ["memory_table", "table", "world"]


@pytest.fixture
def moves(table: Table) -> Iterator[Moves]:
    """Three members, no points; whatever a test does, the audit finds nothing afterwards."""
    moves = Moves(table).enroll()
    yield moves
    assert moves.world.audit() == []


@pytest.fixture
def members(table: Table) -> Members:
    """Nobody yet, and what enrolls them."""
    return Members(table)
