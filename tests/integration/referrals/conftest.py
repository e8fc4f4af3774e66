"""Referrals on real engines, each test with a table of its own."""

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.brought import Brought
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN


@pytest.fixture
def brought(table: Table) -> Brought:
    """Four members, no referral yet."""
    brought = Brought(table)
    brought.moves.enroll(ADA, BOB, CLEO, DAN)
    return brought
