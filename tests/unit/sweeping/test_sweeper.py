"""What a run does, what it leaves, and what cannot stop it. Engines: tests/integration/sweeping."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from loyalty.core.errors import ProgramNotFound, WalletBusy
from loyalty.ledger.keys import due_shard
from loyalty.ledger.model import EntryKind
from loyalty.ledger.service import Ledger
from loyalty.sweeping.service import SHARDS, Failure, Sweep
from tests.ledgerkit.clock import at
from tests.ledgerkit.overdue import START, Overdue, spread, together

LOT = "2026-04-30"
LATER = "2026-06-01"


def with_lots(world: Overdue, members: list[str]) -> None:
    """Each with a warning at 31 March and 23 April, and an expiry on 1 May."""
    world.enroll(*members)
    for member in members:
        world.earn("R-1", 100, LOT, member=member)


def test_nothing_is_due_of_members_whose_points_live(world: Overdue) -> None:
    with_lots(world, ["mbr_1"])
    before = world.dump()
    sweep = world.sweep()
    assert (sweep.members, sweep.entries, sweep.lag, sweep.finished) == (0, 0, timedelta(), True)
    assert world.dump() == before


def test_everything_that_fell_due_is_written_down_in_order(world: Overdue) -> None:
    with_lots(world, ["mbr_1"])
    world.earn("R-2", 40, "2026-12-31", member="mbr_1", pending_until="2026-03-20")
    world.hold("red_1", 30, START + timedelta(days=10), member="mbr_1")
    world.clock.set(LATER)
    sweep = world.sweep()
    kinds = [EntryKind.MATURITY, EntryKind.TIMEOUT, EntryKind.WARNING, EntryKind.WARNING, EntryKind.EXPIRY]
    assert world.kinds("mbr_1")[3:] == kinds
    assert (sweep.members, sweep.entries, sweep.current, sweep.failures) == (1, 5, 0, [])
    assert sweep.lag == at(LATER) - at("2026-03-20")
    wallet = world.book("mbr_1").wallet()
    assert (wallet.available, wallet.pending, wallet.held, wallet.lots) == (40, 0, 0, {"2026-12-31": 40})
    assert world.due() == []


def test_a_second_run_does_nothing(world: Overdue) -> None:
    with_lots(world, spread(2))
    world.clock.set(LATER)
    assert world.sweep().members == 2 * len(SHARDS)
    before = world.dump()
    again = world.sweep()
    assert (again.members, again.current, again.entries, again.lag) == (0, 0, 0, timedelta())
    assert world.dump() == before


def test_a_share_of_the_shards_is_that_share_alone_but_the_lag_is_everybodys(world: Overdue) -> None:
    members = spread(1)
    with_lots(world, members[1:])
    world.clock.set("2026-03-20")
    world.enroll(members[0])
    world.earn("R-1", 100, "2026-12-31", member=members[0], pending_until="2026-03-21")
    world.clock.set(LATER)
    mine = int(due_shard(members[0])[-2:])
    sweep = world.sweep([mine])
    assert (sweep.members, sweep.finished) == (1, True)
    assert sweep.lag == at(LATER) - at("2026-03-21")
    assert world.sweep([mine]).lag == at(LATER) - at("2026-03-31")
    assert len(world.due()) == len(members) - 1


def test_there_are_no_other_shards(world: Overdue) -> None:
    with pytest.raises(ValueError, match="no shard 16"):
        world.sweep([0, 16])


def test_a_run_that_is_cut_off_at_its_number_is_gone_on_with(world: Overdue) -> None:
    members = together(7)
    with_lots(world, members)
    world.clock.set(LATER)
    first = world.sweep(most=3, page=2)
    assert (first.members, first.finished) == (3, False)
    assert len(world.due()) == 4
    second = world.sweep(page=2)
    assert (second.members, second.finished) == (4, True)
    assert world.due() == []


def test_a_run_ends_at_its_deadline_and_the_longest_due_are_done_by_then(world: Overdue) -> None:
    members = together(5)
    for day, member in enumerate(members, start=16):
        world.enroll(member)
        world.earn("R-1", 100, "2026-12-31", member=member, pending_until=f"2026-03-{day}")
    world.clock.set(LATER)
    deadline = world.clock() + timedelta(minutes=4)

    def slowly(_: Sweep) -> None:
        world.clock.advance(minutes=2)

    sweep = world.sweeper(page=1).run(deadline=deadline, progress=slowly)
    assert (sweep.members, sweep.finished) == (2, False)
    assert sorted(world.due()) == sorted(members[2:])
    assert world.sweep().finished


def test_a_run_without_time_touches_nobody(world: Overdue) -> None:
    with_lots(world, ["mbr_1"])
    world.clock.set(LATER)
    before = world.dump()
    sweep = world.sweeper().run(deadline=world.clock())
    assert (sweep.members, sweep.finished, sweep.lag) == (0, False, at(LATER) - at("2026-03-31"))
    assert world.dump() == before


def test_members_not_reached_before_the_deadline_are_left_and_not_passed(world: Overdue, monkeypatch: Any) -> None:
    members = together(4)
    with_lots(world, members)
    world.clock.set(LATER)
    settle = Ledger.settle

    def slow(ledger: Ledger, *what: Any) -> int:
        world.clock.advance(minutes=3)
        return settle(ledger, *what)

    monkeypatch.setattr(Ledger, "settle", slow)
    sweep = world.sweeper().run(deadline=world.clock() + timedelta(minutes=4))
    assert (sweep.members, sweep.finished) == (2, False)
    assert len(world.due()) == 2


def test_no_shard_waits_for_the_end_of_another(world: Overdue) -> None:
    """A page of each in turn: a backlog in one shard keeps none of the others waiting."""
    crowd = together(6)
    others = [member for member in spread(1) if due_shard(member) != due_shard(crowd[0])]
    with_lots(world, crowd + others)
    world.clock.set(LATER)
    seen: list[int] = []
    world.sweeper(page=1).run(
        deadline=world.clock() + timedelta(hours=1), progress=lambda sweep: seen.append(sweep.members)
    )
    told = [len(SHARDS) + extra for extra in range(6)]
    assert seen == [*told, told[-1]], "behind a page that is full DynamoDB has another, if an empty one"


def test_a_poisoned_member_is_passed_once_and_named(world: Overdue) -> None:
    members = together(5)
    with_lots(world, members[2:])
    for member in members[:2]:
        world.poison(member)
    world.clock.set(LATER)
    sweep = world.sweep(page=1)
    assert sorted(failure.where for failure in sweep.failures) == sorted(f"M#acme#{member}" for member in members[:2])
    assert (sweep.members, sweep.finished) == (3, True)
    assert sorted(world.due()) == sorted(members[:2])
    assert world.sweep(page=1).members == 0


def test_a_crowd_of_poisoned_members_does_not_use_up_the_number(world: Overdue) -> None:
    members = together(6)
    with_lots(world, members[4:])
    for member in members[:4]:
        world.poison(member)
    world.clock.set(LATER)
    sweep = world.sweep(most=2)
    assert (sweep.members, len(sweep.failures)) == (2, 4)


def test_a_program_that_cannot_be_read_keeps_only_its_own_members(world: Overdue) -> None:
    members = together(4)
    with_lots(world, members[2:])
    for member in members[:2]:
        world.poison(member, "ghost")
    world.clock.set(LATER)
    sweep = world.sweep()
    assert {failure.error for failure in sweep.failures} == {ProgramNotFound.code}
    assert (sweep.members, len(sweep.failures)) == (2, 2)


@pytest.mark.parametrize("pk", ["nonsense", "M#acme", "M#acme#mbr_1#more"])
def test_what_is_no_member_is_passed(world: Overdue, pk: str) -> None:
    with_lots(world, ["mbr_0"])
    due = {"due_shard": {"S": due_shard("mbr_0")}, "due_at": {"S": "2026-01-01"}}
    key = {"pk": {"S": pk}, "sk": {"S": "WALLET"}}
    world.table.client.put_item(TableName=world.table.name, Item={**key, **due})
    world.clock.set(LATER)
    sweep = world.sweep()
    assert sweep.failures == [Failure(pk, "ValueError")]
    assert sweep.members == 1


def test_a_moment_that_is_none_hides_no_other(world: Overdue) -> None:
    with_lots(world, ["mbr_0", "mbr_1"])
    raw = world.dump()["M#acme#mbr_0", "WALLET"]
    world.table.client.put_item(TableName=world.table.name, Item={**raw, "due_at": {"S": "1"}})
    world.clock.set(LATER)
    sweep = world.sweep()
    assert (sweep.lag, sweep.members, sweep.failures) == (at(LATER) - at("2026-03-31"), 2, [])
    assert world.due() == []


def test_a_member_who_is_busy_is_being_settled_by_someone_else(world: Overdue, monkeypatch: Any) -> None:
    with_lots(world, ["mbr_1"])
    world.clock.set(LATER)

    def busy(*_: Any) -> int:
        raise WalletBusy("-")

    monkeypatch.setattr(Ledger, "settle", busy)
    sweep = world.sweep()
    assert (sweep.current, sweep.members, sweep.failures, sweep.finished) == (1, 0, [], True)


def test_the_index_may_name_whom_the_table_has_not(world: Overdue) -> None:
    with_lots(world, ["mbr_1"])
    world.clock.set(LATER)

    def gone(**_: Any) -> None:
        world.table.client.delete_item(
            TableName=world.table.name, Key={"pk": {"S": "M#acme#mbr_1"}, "sk": {"S": "WALLET"}}
        )

    world.table.client.meta.events.register("after-call.dynamodb.Query", gone)
    try:
        sweep = world.sweep()
    finally:
        world.table.client.meta.events.unregister("after-call.dynamodb.Query", gone)
    assert (sweep.members, sweep.failures, sweep.finished) == (0, [], True)


def _refuse(world: Overdue, shard: str | None, *, after: int = 0) -> Any:
    """Queries of a shard (None: of all) fail, but for the first so many."""
    left = [after]

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if shard in {None, params["ExpressionAttributeValues"][":shard"]["S"]}:
            if not left[0]:
                raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")
            left[0] -= 1

    world.table.client.meta.events.register("provide-client-params.dynamodb.Query", refuse)
    return refuse


@pytest.mark.parametrize("after", [0, 1, 2], ids=["its head", "its first page", "its second page"])
def test_a_shard_that_cannot_be_read_stops_no_other(world: Overdue, after: int) -> None:
    crowd = together(3)
    others = [member for member in spread(1) if due_shard(member) != due_shard(crowd[0])]
    with_lots(world, crowd + others)
    world.clock.set(LATER)
    refuse = _refuse(world, due_shard(crowd[0]), after=after)
    try:
        sweep = world.sweep(page=1)
    finally:
        world.table.client.meta.events.unregister("provide-client-params.dynamodb.Query", refuse)
    assert sweep.failures == [Failure(due_shard(crowd[0]), "ClientError.ThrottlingException")]
    assert sweep.members == len(others) + max(0, after - 1)
    assert sweep.lag == at(LATER) - at("2026-03-31")
    assert world.sweep().members == 3 - max(0, after - 1)


def test_where_no_shard_can_be_read_nobody_knows_the_lag(world: Overdue) -> None:
    refuse = _refuse(world, None)
    try:
        sweep = world.sweep()
    finally:
        world.table.client.meta.events.unregister("provide-client-params.dynamodb.Query", refuse)
    assert sweep.lag is None
    assert len(sweep.failures) == len(SHARDS)


def test_a_book_in_the_wrong_place_of_the_index_is_moved_and_no_entry_made(world: Overdue) -> None:
    """As after the program began to warn earlier."""
    with_lots(world, ["mbr_1"])
    raw = world.dump()["M#acme#mbr_1", "WALLET"]
    early = {**raw, "due_at": {"S": "2026-03-16T00:00:00.000Z"}}
    world.table.client.put_item(TableName=world.table.name, Item=early)
    world.clock.set("2026-03-17")
    sweep = world.sweep()
    assert (sweep.current, sweep.entries) == (1, 0)
    after = world.dump()["M#acme#mbr_1", "WALLET"]
    assert after == {**raw, "settled_to": after["settled_to"]}
    assert world.due() == []
