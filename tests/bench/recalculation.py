"""What a recalculation of all members reads: each wallet once, pages of an index, and nothing of anybody's history."""

from collections.abc import Iterator

from loyalty.programs.model import Program
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import TierRun
from loyalty.walking.runs import SHARDS, Walked
from loyalty.walking.walk import PAGE
from tests.bench.engine import Running
from tests.bench.figures import Figure
from tests.bench.history import items
from tests.bench.meter import Cost
from tests.bench.operations import bench_program
from tests.bench.progress import bar
from tests.ledgerkit.bulk import load
from tests.ledgerkit.world import World

MEMBERS, SHORT, LONG = 400, 1, 100
RAISED = 6
"""Write units of a member who changes on one ladder: wallet and entry twice, the entry's copy and the member's place in the
indexes once."""


def figures(running: Running) -> Iterator[Figure]:
    """Of a run in which everybody is raised, and of one in which nobody is, with short and with long histories.

    One member at a time, as the meter counts.
    """
    short, long = (_costs(running, entries) for entries in (SHORT, LONG))
    pages = len(SHARDS) + MEMBERS // PAGE
    for name, cost in long.items():
        yield Figure(
            f"recalculation.{name}.wallets_read", cost.operations.count("GetItem") - len(SHARDS), "items", MEMBERS
        )
        yield Figure(f"recalculation.{name}.index_pages", cost.operations.count("Query"), "pages", pages)
        yield Figure(f"recalculation.{name}.read_units_per_member", cost.read_units / MEMBERS, "units", 1.1)
    yield Figure("recalculation.raised.write_units_per_member", _per_member(long["raised"]), "units", RAISED + 0.2)
    yield Figure("recalculation.as_they_were.write_units_per_member", _per_member(long["as_they_were"]), "units", 0.2)
    grown = sum(
        abs(getattr(long[name], what) - getattr(short[name], what))
        for name in long
        for what in ("round_trips", "read_units", "write_units")
    )
    yield Figure(f"recalculation.growth_from_{SHORT}_to_{LONG}_entries", grown, "units", 0)


def _per_member(cost: Cost) -> float:
    return cost.write_units / MEMBERS


def _costs(running: Running, entries: int) -> dict[str, Cost]:
    table = running.table(f"recalculation-{entries}")
    world = World(table, of=bench_program())
    members = [f"mbr_{number:026}" for number in range(MEMBERS)]
    with bar(f"{MEMBERS * entries:,} entries of {MEMBERS} members", MEMBERS * (entries + 1)) as told:
        load(running.client, table.name, (raw for one in members for raw in items(world, one, entries)), told=told)
    cheaper = _cheaper(world.program)

    def recalculate(name: str) -> None:
        done = Recalculation(table, world.clock, workers=1).many(cheaper, TierRun(cheaper.document.id, name))
        if done != Walked(MEMBERS, MEMBERS if name == "first" else 0):
            raise AssertionError(f"the run did something else than what is measured: {done}")

    def run(name: str) -> Cost:
        return running.cost(table, lambda: recalculate(name))

    costs = {"raised": run("first"), "as_they_were": run("second")}
    running.drop(table)
    return costs


def _cheaper(program: Program) -> Program:
    """A version by which one point is enough for the second tier."""
    first, second, *_ = program.document.tiers
    tiers = (first, second.model_copy(update={"threshold": 1}))
    return Program(version=2, document=program.document.model_copy(update={"tiers": tiers}))
