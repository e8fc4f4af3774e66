"""Recalculations on real engines: cut off at every call, done twice at once, while members come and go."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from loyalty.core.table import Table
from loyalty.ledger.keys import partition
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import TierRun
from loyalty.walking.errors import RunDiffers, RunStopped
from loyalty.walking.runs import SHARDS, Walked
from tests.ledgerkit.calls import Cut, Killed, dead_from, items_read, recorded
from tests.ledgerkit.climbers import CHEAPER, Climbers, of_shard
from tests.ledgerkit.moves import Moves
from tests.ledgerkit.tables import empty_table

pytestmark = pytest.mark.integration

WORKERS = 8
RUN = TierRun("acme", "x")


@pytest.fixture
def climbers(table: Table) -> Climbers:
    return Climbers(table, workers=WORKERS)


def test_members_of_all_shards_are_raised_once(climbers: Climbers) -> None:
    members = [member for shard in SHARDS for member in of_shard(shard, 3)]
    climbers.join(*members)
    assert climbers.recalculate(page=2) == Walked(members=48, changed=48)
    assert climbers.tiers(members) == ["silver"] * 48
    ledger = climbers.ledger()
    assert climbers.recalculate("y") == Walked(members=48, changed=0)
    assert climbers.ledger() == ledger
    assert climbers.world.audit() == []


def test_a_run_that_dies_anywhere_is_gone_on_with(table: Table) -> None:
    """Cut off before and after each call of a shard, then run again: the ledger is that of an undisturbed run."""
    members = of_shard(3, 3)
    climbers = Climbers(table).join(*members)

    def walk() -> None:
        climbers.service(page=2).shard(CHEAPER, RUN, 3)

    start = climbers.world.dump()
    with recorded(table.client) as calls:
        walk()
    wanted = climbers.ledger()
    assert wanted != start
    for number in range(1, len(calls.names) + 1):
        for cut in Cut:
            empty_table(table)
            for raw in start.values():
                table.client.put_item(TableName=table.name, Item=raw)
            with pytest.raises(Killed), dead_from(table.client, number, cut):
                walk()
            with items_read(table.client) as read:
                walk()
            assert climbers.ledger() == wanted, f"cut off {cut} number {number}"
            at = climbers.checkpoints()[3]
            assert (at.members, at.failed, at.done) == (3, 0, True), f"cut off {cut} number {number}"
            assert sum(read) <= 1 + 3 + 3, "the checkpoint, three rows of the index, three wallets"


def test_two_executions_of_a_run_at_once_raise_and_count_everybody_once(climbers: Climbers) -> None:
    members = [member for shard in SHARDS for member in of_shard(shard, 3)]
    climbers.join(*members)
    with ThreadPoolExecutor(2) as pool:
        runs = [run.result() for run in [pool.submit(climbers.recalculate, page=2) for _ in range(2)]]
    done = climbers.service().progress(RUN)
    assert (done.members, done.failed, done.unfinished) == (48, 0, ())
    assert all(run.unfinished == () for run in runs)
    assert [climbers.raised(member) for member in members] == [["run:x"]] * 48
    assert climbers.world.audit() == []


def between_pages(act: Callable[[], object]) -> Callable[[object], None]:
    """Does something once, after the first page."""
    waiting = [act]

    def told(_: object) -> None:
        if waiting:
            waiting.pop()()

    return told


def test_who_enrolls_meanwhile_ahead_of_the_run_is_met_by_it(climbers: Climbers) -> None:
    first, second, ahead = of_shard(5, 3)
    climbers.join(first, second)
    run = between_pages(lambda: climbers.join(ahead))
    climbers.service(page=1).shard(CHEAPER, RUN, 5, told=run)
    assert climbers.tiers([first, second, ahead]) == ["silver"] * 3


@pytest.mark.parametrize(("gone", "into"), [(1, 0), (1, 2), (0, 2)], ids=["behind the run", "ahead of it", "seen"])
def test_who_is_merged_meanwhile_stands_where_they_should(climbers: Climbers, gone: int, into: int) -> None:
    """Alone neither has enough for silver; together they have, and are on silver with the merge."""
    members = of_shard(7, 3)
    moves = Moves(climbers.table, of=CHEAPER, clock=climbers.world.clock)
    moves.enroll(*members)
    for member in members:
        climbers.world.accrue("R-1", "60", member=member)
    run = between_pages(lambda: moves.merge(members[gone], into=members[into]))
    climbers.service(page=1).shard(CHEAPER, RUN, 7, told=run)
    at = climbers.checkpoints()[7]
    assert (at.done, at.failed) == (True, 0)
    assert climbers.world.book(members[into]).tier == "silver"
    assert climbers.recalculate("y") == Walked(members=2, changed=0)
    assert climbers.world.audit() == []


def test_the_time_is_up_in_the_middle_of_a_page(table: Table) -> None:
    """Whoever was taken up is ticked off; the next step begins with the others."""
    members = of_shard(2, 4)
    climbers = Climbers(table).join(*members)
    start = climbers.world.clock()
    looks = iter(range(100))

    def ticking() -> object:
        return start + timedelta(seconds=next(looks))

    service = Recalculation(table, ticking, workers=1)  # type: ignore[arg-type]
    at = service.shard(CHEAPER, RUN, 2, deadline=start + timedelta(seconds=6))
    assert 0 < at.members < 4
    assert (at.after, at.done) == (members[at.members - 1], False)
    with items_read(table.client) as read:
        assert climbers.service().shard(CHEAPER, RUN, 2).members == 4
    assert sum(read) == 1 + 2 * (4 - at.members)
    assert climbers.tiers(members) == ["silver"] * 4


def test_too_many_failures_stop_the_shard_before_their_page(climbers: Climbers) -> None:
    members = of_shard(9, 6)
    climbers.join(*members)
    stored = climbers.world.dump()
    wallets = [stored[partition("acme", member), "WALLET"] for member in members[3:]]
    for raw in wallets:
        climbers.table.client.put_item(TableName=climbers.table.name, Item=raw | {"wallets": {"S": "?"}})
    with pytest.raises(RunStopped, match=r"2 of 2 members .* Mend the cause"):
        climbers.service(page=2, tolerated=50).shard(CHEAPER, RUN, 9)
    at = climbers.checkpoints()[9]
    # The second page has one of the three: that many may fail.
    assert (at.after, at.members, at.failed, list(at.failures)) == (members[3], 4, 1, [members[3]])
    for raw in wallets:
        climbers.table.client.put_item(TableName=climbers.table.name, Item=raw)
    assert climbers.service(page=2, tolerated=50).shard(CHEAPER, RUN, 9).done
    assert climbers.tiers(members) == ["silver"] * 3 + ["bronze"] + ["silver"] * 2
    assert climbers.recalculate("y", page=2).changed == 1


def test_a_run_is_of_those_whom_it_was_of_when_it_began(climbers: Climbers) -> None:
    climbers.join("mbr_1")
    climbers.recalculate()
    with pytest.raises(RunDiffers, match="The run 'x' is of everybody, and this one would be of tier:silver"):
        climbers.service().many(CHEAPER, TierRun("acme", "x", "silver"))
    assert climbers.service().many(CHEAPER, TierRun("acme", "y", "silver")).members == 1
