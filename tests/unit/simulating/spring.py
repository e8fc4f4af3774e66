"""Three members, eight things that they did in March, and other rules: small enough to be reckoned by hand."""

from typing import Any

from loyalty.core.table import Table
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.deeds import BASE_RULE, rule
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

ADA, BOB, CLEO = "mbr_ada", "mbr_bob", "mbr_cleo"
BASE = {**BASE_RULE, "caps": [{"per": "month", "points": 300}]}
SALE = {
    "id": "sale", "name": "Sale", "starts_at": "2026-01-01T00:00", "ends_at": "2027-01-01T00:00", "budget_points": 100,
}  # fmt: skip
BRONZE = {"id": "bronze", "name": "Bronze", "threshold": 0}
SILVER = {"id": "silver", "name": "Silver", "threshold": 250, "multiplier": "1.5"}

NOW: dict[str, Any] = {
    "earn_rules": [BASE, rule("double", multiplier="2", campaign="sale")],
    "campaigns": [SALE],
    "tiers": [BRONZE, SILVER],
    "point_cost": {"amount": "0.005", "currency": "EUR"},
}
"""One point per EUR, at most 300 a month; twice while the budget lasts; from 250 on half as many more."""

DRAFT: dict[str, Any] = {
    **NOW,
    "earn_rules": [
        {**BASE, "rates": [{"points": 2, "per": "1", "currency": "EUR"}]}, rule("double", multiplier="2", campaign="sale")
    ],
    "campaigns": [{**SALE, "budget_points": 50}],
    "tiers": [BRONZE, {**SILVER, "threshold": 150}],
}  # fmt: skip
"""Two points per EUR, half the budget, and silver from 150 on."""


def spring(table: Table) -> World:
    """What they did, posted under :data:`NOW`::

          what                       now   draft
    R-1   ada buys for 100, bronze   200   250     twice, of the draft's budget as much as there is
    R-2   bob buys for 100, bronze   100   200     nothing is left of it
    R-3   ada buys for 100           100   100     on silver in the draft: 300, of which the cap leaves 100
          bob returns R-2           -100  -200
    R-4   cleo buys for 40, bronze    40    80
    R-5   bob buys for 10             10    30     on silver in the draft
          half of R-1 comes back    -100  -125     of the budget 50, 25
    R-6   cleo buys for 60, bronze   110   145     twice, as far as that goes
    """
    world = World(table, of=program(**NOW), clock=SettableClock(at("2026-02-01"))).enroll(ADA, BOB, CLEO)
    for day, member, act in (
        (1, ADA, "R-1 100"), (2, BOB, "R-2 100"), (3, ADA, "R-3 100"), (4, BOB, "back R-2"), (5, CLEO, "R-4 40"),
        (6, BOB, "R-5 10"), (7, ADA, "back R-1 50"), (8, CLEO, "R-6 60"),
    ):  # fmt: skip
        world.clock.now = world.occurred_at = at(f"2026-03-{day:02}T12:00:00Z")
        name, *more = act.split()
        if name == "back":
            posted = world.refund(f"F-{day}", *more, member=member, everything=len(more) == 1)
        else:
            posted = world.accrue(name, *more, member=member)
        cause = posted.entry.entry_id
        world.tiers.recalculate(world.program, member, cause=cause, posted_at=world.clock())
    return world
