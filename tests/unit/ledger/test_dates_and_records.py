"""Tiers over New Year, and what a table that does not answer is called."""

from typing import Any

import pytest

from loyalty.core.errors import Unavailable
from loyalty.core.table import Table
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.world import MEMBER, World


def test_an_upgrade_that_waits_over_new_year_still_comes(table: Table) -> None:
    world = World(table, clock=SettableClock(at("2026-12-31T23:59:58Z"))).enroll()
    posted_at = world.accrue("R-1", "600").entry.posted_at
    world.clock.set("2027-01-01T00:00:03Z")
    upgraded = world.tiers.recalculate(world.program, MEMBER, cause="accrual:pos:R-1", posted_at=posted_at)
    assert upgraded is not None
    world.proven()
    assert world.book().tier == "silver"


def test_a_table_that_never_answers_for_a_key_is_unavailable() -> None:
    slept: list[float] = []
    table = Table("busy", region="eu-south-1", sleep=slept.append)

    class Busy:
        def batch_get_item(self, _name: str, keys: list[Any], **_: Any) -> dict[str, Any]:
            left = [{name: {"S": value} for name, value in key.items()} for key in keys]
            return {"Responses": {}, "UnprocessedKeys": {"busy": {"Keys": left}}}

    table.connection = Busy()  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        table.get_many([("pk", "sk")])
    assert 0 < len(slept) < 10
