"""Many members at once want what is left of a budget, and of caps: all of it is given, and no more."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from loyalty.accruals.model import Refund
from loyalty.core.errors import WalletBusy
from loyalty.core.table import Table
from loyalty.ledger.draft import Posted
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import NOON, World

pytestmark = pytest.mark.integration

MEMBERS = [f"mbr_{number:02}" for number in range(8)]
EACH = 6
BUDGET = 1000
CAP = 220


@pytest.fixture
def rush(table: Table) -> World:
    campaign = {
        "id": "sale", "name": "Sale", "starts_at": "2026-01-01T00:00", "ends_at": "2027-01-01T00:00",
        "budget_points": BUDGET, "caps": [{"per": "day", "points": CAP}],
    }  # fmt: skip
    rules = [{"id": "review", "activity": "review", "fixed_points": 50, "campaign": "sale"}]
    return World(table, of=program(earn_rules=rules, campaigns=[campaign])).enroll(*MEMBERS)


def _until_done(act: Callable[[], Posted]) -> Posted:
    # A writer that is told to come back comes back, as a client would.
    while True:
        try:
            return act()
        except WalletBusy:
            continue


def _review(world: World, member: str, number: int) -> int:
    posted = _until_done(lambda: world.accrue(f"{member}-{number}", None, activity="review", member=member))
    return posted.entry.points


def _spent(world: World) -> int:
    return sum(int(raw["spent"]["N"]) for (pk, _), raw in world.dump().items() if pk.startswith("B#"))


def test_a_rush_on_a_budget_gives_all_of_it_and_no_more(rush: World) -> None:
    barrier = Barrier(len(MEMBERS))

    def run(member: str) -> list[int]:
        barrier.wait(timeout=10)
        return [_review(rush, member, number) for number in range(EACH)]

    with ThreadPoolExecutor(len(MEMBERS)) as pool:
        given = list(pool.map(run, MEMBERS))
    # 8 members want 300 each, of which caps leave them 220: 1,760, of which the budget has 1,000.
    assert sum(map(sum, given)) == BUDGET == _spent(rush)
    assert all(sum(points) <= CAP for points in given)
    assert rush.audit() == []


def test_what_comes_back_in_a_rush_is_given_again(rush: World) -> None:
    for member in MEMBERS:
        for number in range(EACH):
            _review(rush, member, number)
    assert _spent(rush) == BUDGET
    barrier = Barrier(len(MEMBERS))

    def run(member: str) -> None:
        barrier.wait(timeout=10)
        for number in range(EACH):
            refund = Refund("pos", f"{member}-F{number}", f"{member}-{number}", NOON, everything=True)
            _until_done(partial(rush.accruals.reverse, rush.program, member, refund))
            _review(rush, member, number + 100)

    with ThreadPoolExecutor(len(MEMBERS)) as pool:
        list(pool.map(run, MEMBERS))
    assert _spent(rush) <= BUDGET
    assert rush.audit() == []
