"""Ada, whose referrals are paid, and a budget that both sides may share."""

from collections.abc import Iterator

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.brought import Brought
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN

BUDGET = {
    "id": "spring",
    "name": "Spring",
    "starts_at": "2026-01-01T00:00",
    "ends_at": "2026-12-31T00:00",
}


@pytest.fixture
def brought(table: Table) -> Iterator[Brought]:
    """Ada brings others; whatever a test does, the audit finds nothing afterwards."""
    brought = Brought(table)
    brought.moves.enroll(ADA, BOB, CLEO, DAN)
    yield brought
    assert brought.world.audit() == []


def spent(brought: Brought) -> int:
    """Of the budget, by all of its shards."""
    return sum(int(raw["spent"]["N"]) for (pk, _), raw in brought.world.dump().items() if pk.startswith("B#"))
