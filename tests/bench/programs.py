"""What an accrual pays for knowing the program, and for tiers: the program is read once a minute, tiers are decided in the
book that is read and written anyway, and the change of a tier follows by itself.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from loyalty.programs.publication import CACHE_SECONDS
from loyalty.programs.store import ProgramStore
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.meter import Cost
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

LADDERS = 3
MEMBER = f"mbr_01jd{'0' * 21}p"
_TIERS = [{"id": "low", "name": "Low", "threshold": 0}, {"id": "high", "name": "High", "threshold": 150}]
_REQUESTS = 1_000


def figures(running: Running) -> Iterator[Figure]:
    """Reads of the program, and the accruals and recalculations of a member on several ladders whose tiers end."""
    table = running.table("programs")
    world = World(table, of=program(id="aurora-sample", **_ladders())).enroll(MEMBER)
    yield from _reads_of_the_program(running, world)
    world.accrue("R-000000104", "100.00", member=MEMBER, channel="web")
    accrual = running.cost(table, lambda: world.accrue("R-000000105", "100.00", member=MEMBER, channel="web"))
    yield from _figures("accrual_on_ladders", accrual, 2, 5, 1)
    changed = running.cost(table, lambda: world.recalculate("R-000000105", member=MEMBER))
    if world.book(MEMBER).tier != "high" or len(world.book(MEMBER).standings) != LADDERS:
        raise AssertionError("the member was not raised on every ladder")
    yield from _figures("tiers_changed", changed, 2, 3 + 3 * LADDERS, 1)
    same = running.cost(table, lambda: world.recalculate("R-000000105", member=MEMBER))
    yield from _figures("tiers_unchanged", same, 1, 0, 1)
    running.drop(table)


def _reads_of_the_program(running: Running, world: World) -> Iterator[Figure]:
    seconds = [0.0]
    store = ProgramStore(world.table, world.clock, seconds=lambda: seconds[0])
    document = world.program.document
    store.publish(document, expected_version=0, actor="bench")
    store.clients.bind("app", {document.id})

    def requests(number: int) -> Cost:
        return running.cost(world.table, lambda: [store.for_client(document.id, "app") for _ in range(number)])

    yield Figure("program.first_request.round_trips", requests(1).round_trips, "round trips", 2)
    seconds[0] = CACHE_SECONDS - 1
    yield Figure(
        "program.thousand_requests_within_a_minute.round_trips", requests(_REQUESTS).round_trips, "round trips", 0
    )
    seconds[0] = CACHE_SECONDS
    world.clock.now += timedelta(seconds=CACHE_SECONDS)
    yield Figure(
        "program.thousand_requests_a_minute_later.round_trips", requests(_REQUESTS).round_trips, "round trips", 2
    )


def _figures(name: str, cost: Cost, round_trips: int, write_units: int, read_units: float) -> Iterator[Figure]:
    yield Figure(f"{name}.round_trips", cost.round_trips, "round trips", round_trips)
    yield Figure(f"{name}.write_units", cost.write_units, "write units", write_units)
    yield Figure(f"{name}.read_units", cost.read_units, "read units", read_units)


def _ladders() -> dict[str, Any]:
    ends = {"by": "one_level", "grace_days": 31, "warn_days": [30]}
    months = {"metric": "spend", "currency": "EUR", "period": "rolling_months", "months": 12}
    visits = {"metric": "activities", "activities": ["purchase"], "period": "anniversary_year"}
    few = [_TIERS[0], {**_TIERS[1], "threshold": 2}]
    return {
        "tiers": _TIERS,
        "downgrade": ends,
        "earn_rules": [
            {"id": "base", "activity": "purchase", "rates": [{"points": 1, "per": "1.00", "currency": "EUR"}]}
        ],
        "ladders": [
            {"id": "spend", "name": "Spend", "tiers": _TIERS, "qualification": months, "downgrade": ends},
            {"id": "visits", "name": "Visits", "tiers": few, "qualification": visits, "downgrade": ends},
        ],
    }
