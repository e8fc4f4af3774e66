"""Readings of one card at the same moment: none is without a line of its own in the register."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from loyalty.core.table import Table
from loyalty.vault.errors import CardChanged
from tests.apikit.vaulted import MEMBER, Vaulted

pytestmark = pytest.mark.integration


def test_of_readings_at_the_same_moment_each_has_a_line_of_its_own(table: Table) -> None:
    vaulted = Vaulted(table)
    vaulted.deliver()
    vaulted.capture()

    def read(_: int) -> int:
        try:
            return vaulted.cards.reveal("acme", MEMBER, vaulted.held.redemption_id, client_id="app").access
        except CardChanged:
            return 0

    with ThreadPoolExecutor(8) as threads:
        lines = sorted(line for line in threads.map(read, range(24)) if line)
    assert lines == [access.number for access in vaulted.register()]
    assert lines == list(range(1, len(lines) + 1)) != []
