"""What is swept, when it is swept twice, by two at once, behind an index that lags, and cut off anywhere."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import partition
from loyalty.ledger.model import EntryKind
from loyalty.sweeping.service import SHARDS
from tests.ledgerkit.calls import Cut, Killed, dead_from, items_read, recorded
from tests.ledgerkit.overdue import START, Overdue, spread, together
from tests.ledgerkit.tables import empty_table

pytestmark = pytest.mark.integration

LATER = "2026-06-01"
WORKERS = 8
KINDS = [EntryKind.MATURITY, EntryKind.TIMEOUT, EntryKind.WARNING, EntryKind.WARNING, EntryKind.EXPIRY]


def overdue(table: Table, members: list[str]) -> Overdue:
    """Members of whom five things fell due: pending points, a hold, two warnings, a lot."""
    world = Overdue(table, workers=WORKERS).enroll(*members)
    for member in members:
        world.earn("R-1", 100, "2026-04-30", member=member)
        world.earn("R-2", 40, "2026-12-31", member=member, pending_until="2026-03-20")
        world.hold("red_1", 30, START + timedelta(days=10), member=member)
    world.clock.set(LATER)
    return world


def test_members_of_all_shards_are_settled_once(table: Table) -> None:
    members = spread(3)
    world = overdue(table, members)
    assert sorted(world.due()) == sorted(members)
    sweep = world.sweep(page=2)
    assert (sweep.members, sweep.entries, sweep.current, sweep.failures) == (len(members), 5 * len(members), 0, [])
    assert sweep.finished
    for member in members:
        assert world.kinds(member)[3:] == KINDS
        wallet = world.book(member).wallet()
        assert (wallet.available, wallet.pending, wallet.held, wallet.lots) == (40, 0, 0, {"2026-12-31": 40})
    before = world.dump()
    again = world.sweep()
    assert (again.members, again.current, again.lag) == (0, 0, timedelta())
    assert world.dump() == before


def test_members_are_in_the_index_for_as_long_as_something_will_fall_due(table: Table) -> None:
    world = overdue(table, ["mbr_1"])
    world.sweep()
    assert world.dump()["M#acme#mbr_1", "WALLET"]["due_at"] == {"S": "2026-12-01T00:00:00.000Z"}
    world.clock.set("2027-02-01")
    world.sweep()
    book = world.dump()["M#acme#mbr_1", "WALLET"]
    assert not {"due_at", "due_shard"} & set(book)
    world.clock.set("2040-01-01")
    assert world.due() == []


def test_two_sweepers_at_once_write_everything_once(table: Table) -> None:
    members = spread(2)
    world = overdue(table, members)
    with ThreadPoolExecutor(2) as pool:
        sweeps = [run.result() for run in [pool.submit(world.sweep, page=3) for _ in range(2)]]
    assert sum(sweep.entries for sweep in sweeps) == 5 * len(members)
    assert sum(sweep.members for sweep in sweeps) == len(members)
    assert not any(sweep.failures for sweep in sweeps)
    assert all(world.kinds(member)[3:] == KINDS for member in members)
    assert world.due() == []


@contextmanager
def stale_index(world: Overdue) -> Iterator[None]:
    """Queries of the due index answer as they would have when the block began, as an index that lags does."""
    pages: dict[str, list[RawItem]] = {}
    for shard in SHARDS:
        page = world.table.due_page(f"DUE#book#{shard:02}", "9999", limit=1000)
        pages[f"DUE#book#{shard:02}"] = page.items

    def answer(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params["ExpressionAttributeValues"][":shard"]["S"], params["Limit"]

    def replace(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        shard, limit = context["asked"]
        parsed.update(Items=pages[shard][:limit])
        parsed.pop("LastEvaluatedKey", None)

    client = world.table.client
    client.meta.events.register("provide-client-params.dynamodb.Query", answer)
    client.meta.events.register("after-call.dynamodb.Query", replace)
    try:
        yield
    finally:
        client.meta.events.unregister("provide-client-params.dynamodb.Query", answer)
        client.meta.events.unregister("after-call.dynamodb.Query", replace)


def test_an_index_that_lags_names_whom_a_posting_has_settled_already(table: Table) -> None:
    members = together(4)
    world = overdue(table, members)
    with stale_index(world):
        for member in members[:2]:
            world.earn("R-9", 1, "2026-12-31", member=member)
        settled = world.dump()
        sweep = world.sweep()
        assert (sweep.members, sweep.current, sweep.failures) == (2, 2, [])
        unchanged = {key: raw for key, raw in settled.items() if key[0] in {partition("acme", m) for m in members[:2]}}
        assert {key: raw for key, raw in world.dump().items() if key in unchanged} == unchanged
        before = world.dump()
        again = world.sweep()
        assert (again.members, again.current) == (0, 4)
        assert world.dump() == before


def test_a_poisoned_member_at_the_head_holds_nobody_up(table: Table) -> None:
    members = together(6)
    world = overdue(table, members[1:])
    world.poison(members[0])
    sweep = world.sweep(page=1)
    assert [failure.where for failure in sweep.failures] == [f"M#acme#{members[0]}"]
    assert (sweep.members, sweep.finished) == (5, True)
    assert world.due() == [members[0]]


def test_a_run_cut_off_at_its_number_is_gone_on_with(table: Table) -> None:
    members = together(5)
    world = overdue(table, members)
    counts = [(sweep.members, sweep.finished) for sweep in (world.sweep(most=2, page=2) for _ in range(3))]
    assert counts == [(2, False), (2, False), (1, True)]
    assert all(world.kinds(member)[3:] == KINDS for member in members)


def test_a_run_that_dies_anywhere_leaves_only_what_the_next_one_finds(table: Table) -> None:
    """Cut off before and after each of its calls, then run again: the table is that of an undisturbed run."""
    members = together(2)
    world = overdue(table, members)
    start = world.dump()
    with recorded(table.client) as calls:
        world.sweep(workers=1)
    wanted = world.dump()
    assert wanted != start
    # The shards' heads are read by the first calls, one like the other.
    for number in (1, *range(len(SHARDS), len(calls.names) + 1)):
        for cut in Cut:
            empty_table(table)
            for raw in start.values():
                table.client.put_item(TableName=table.name, Item=raw)
            with pytest.raises(Killed), dead_from(table.client, number, cut):
                world.sweep(workers=1)
            world.sweep(workers=1)
            assert world.dump() == wanted, f"cut off {cut} number {number}"


def test_what_a_sweep_of_a_hundred_among_many_reads(table: Table) -> None:
    """Nothing of whom nothing is due: keys of the due, their books, one program, the heads of the shards."""
    due, others = spread(7)[:100], [f"mbr_other_{n}" for n in range(300)]
    world = Overdue(table, workers=WORKERS).enroll(*due, *others)
    for member in others:
        world.earn("R-1", 10, "2030-12-31", member=member)
    for member in due:
        world.earn("R-1", 10, "2030-12-31", member=member, pending_until="2026-03-20")
    world.clock.set("2026-03-21")
    with items_read(table.client) as read:
        assert world.sweep().members == len(due)
    assert sum(read) < 3 * len(due)
