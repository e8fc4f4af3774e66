"""Verify on long and busy days: no false alarm while lines come, and no more in memory than a day or two."""

import gc
from datetime import timedelta
from typing import Any

from loyalty.audit.chain import Link
from loyalty.audit.verify import Verifier
from loyalty.core.table import Page, Table
from tests.ledgerkit.clock import at
from tests.ledgerkit.trails import ACME, Trails

NOON = at("2026-03-16T12:00:00Z")


class Busy(Table):
    """Gives chains in short pages; between two of them another line is linked."""

    def __init__(self, trails: Trails) -> None:
        self.__dict__ |= trails.table.__dict__
        self.trails = trails
        self.came = 0

    def query(self, pk: str, **how: Any) -> Page:
        if not pk.startswith(f"AL#{ACME}#"):
            return super().query(pk, **how)
        page = super().query(pk, **how | {"limit": 8})
        if page.last_key is not None and self.came < 40:
            self.came += 1
            self.trails.grow(f"members/mbr_later_{self.came}")
        return page


def test_lines_that_come_while_a_long_day_is_read_are_no_finding(table: Table) -> None:
    trails = Trails(table, NOON)
    trails.grow(*(f"members/mbr_{number}" for number in range(8)))
    busy = Busy(trails)
    proof = Verifier(busy, trails.clock).verify()
    assert busy.came
    assert proof.findings == []


def test_links_of_earlier_days_are_let_go(table: Table) -> None:
    trails = Trails(table, NOON)
    for day in range(6):
        trails.clock.now = NOON + timedelta(days=day)
        trails.grow("a", "b", "c")
    gc.collect()
    before = sum(isinstance(one, Link) for one in gc.get_objects())
    most: list[int] = []

    def look(_: Any) -> None:
        most.append(sum(isinstance(one, Link) for one in gc.get_objects()) - before)

    proof = Verifier(table, trails.clock, None, look).verify()
    assert (proof.findings, proof.days) == ([], 6)
    assert max(most) <= 6, "of two days"
