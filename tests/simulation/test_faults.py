"""Every fault strikes, and does what it says: to the table, to the client, and to nobody else."""

from collections import Counter as Tally
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from pynamodb.exceptions import PynamoDBException

from loyalty.core.errors import Unavailable
from loyalty.core.table import Put, TransactionRefused
from loyalty.core.transactions import error_code
from tests.simulation.counters import PK, Counter, count, counter
from tests.simulation.faults import LATE, Fault, Faults
from tests.simulation.pair import create_conformance_table
from tests.simulation.simulation import Process, Simulation

SEEDS = range(40)
ERRORS = (PynamoDBException, TransactionRefused, Unavailable, ClientError, BotoCoreError)


class Observed:
    """What one process saw."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.crashed = False
        self.result: Any = None


def put_two(process: Process) -> None:
    process.table.write([Put(counter("1", 1), Counter.pk.does_not_exist()), Put(counter("2", 1))])


def read_two(process: Process) -> tuple[int, ...]:
    found = process.table.get_many([(PK, "1"), (PK, "2")])
    return tuple(int(found[PK, sk]["total"]["N"]) for sk in ("1", "2") if (PK, sk) in found)


def observe(simulation: Simulation, program: Callable[[Process], object]) -> Observed:
    """Runs one process to its end."""
    observed = Observed()

    def run(process: Process) -> None:
        try:
            observed.result = program(process)
        except ERRORS as error:
            observed.error = error

    client = simulation.start("observed", run)
    simulation.run()
    observed.crashed = client.crashed
    return observed


def code(observed: Observed) -> str | None:
    assert isinstance(observed.error, PynamoDBException)
    return error_code(observed.error)


def test_without_faults_nothing_goes_wrong() -> None:
    simulation = Simulation(1)
    observed = observe(simulation, put_two)
    assert observed.error is None
    assert not simulation.struck
    assert [step.what for step in simulation.scheduler.trace] == ["TransactWriteItems"]


def test_a_crash_before_the_request_leaves_nothing() -> None:
    simulation = Simulation(1, Faults(crash_before=1))
    assert observe(simulation, put_two).crashed
    assert simulation.engine.changes == []


def test_a_crash_after_the_request_leaves_what_was_written() -> None:
    simulation = Simulation(1, Faults(crash_after=1))
    assert observe(simulation, put_two).crashed
    assert (count(simulation, "1"), count(simulation, "2")) == (1, 1)


def test_a_lost_request_is_sent_again_and_never_arrives() -> None:
    simulation = Simulation(1, Faults(lost_request=1))
    observed = observe(simulation, put_two)
    assert code(observed) is None
    assert isinstance(observed.error, PynamoDBException)
    assert isinstance(observed.error.cause, ConnectionClosedError)
    assert simulation.struck == {Fault.LOST_REQUEST: 2}
    assert simulation.engine.changes == []


def test_a_lost_reply_is_asked_for_again_and_nothing_is_written_twice() -> None:
    simulation = Simulation(1, Faults(lost_reply=1))
    assert code(observe(simulation, put_two)) is None
    assert simulation.struck == {Fault.LOST_REPLY: 2}
    assert len(simulation.engine.changes) == 2
    unnoticed = 0
    for seed in SEEDS:
        simulation = Simulation(seed, Faults(lost_reply=0.5))
        unnoticed += observe(simulation, put_two).error is None and bool(simulation.struck)
        assert len(simulation.engine.changes) == 2
    assert unnoticed


def test_a_late_request_is_made_when_nobody_waits_any_more() -> None:
    ends = Tally[str]()
    in_time = Tally[int]()
    for seed in SEEDS:
        simulation = Simulation(seed, Faults(late_request=1))

        def write(process: Process, simulation: Simulation = simulation) -> None:
            try:
                put_two(process)
            finally:
                process.note("written", len(simulation.engine.changes))

        ends[str(observe(simulation, write).error)] += 1
        written = [step.details[0] for step in simulation.scheduler.trace if step.what == "written"]
        in_time[written[0]] += 1
        assert len(simulation.engine.changes) == 2
    assert in_time.keys() == {0, 2}
    assert ends.keys() == {"Failed to write transaction items"}
    for seed in SEEDS:
        observed = observe(Simulation(seed, Faults(late_request=0.7)), put_two)
        ends[str(observed.error)] += 1
    assert ends.keys() == {
        "Failed to write transaction items",
        "transaction cancelled: TransactionInProgress",
        "None",
    }


def test_a_change_tells_whose_client_wrote_it_though_it_had_given_up() -> None:
    at_once, late = Simulation(1), Simulation(1, Faults(late_request=1))
    observe(at_once, put_two)
    observe(late, put_two)
    assert {change.author for change in at_once.engine.changes} == {"observed.1"}
    assert {change.author for change in late.engine.changes} == {f"{LATE}observed.1"}


def test_after_a_server_error_a_write_may_have_been_made() -> None:
    written = Tally[int]()
    for seed in SEEDS:
        simulation = Simulation(seed, Faults(server_error=1))
        assert code(observe(simulation, put_two)) == "InternalServerError"
        written[len(simulation.engine.changes)] += 1
    assert written.keys() == {0, 2}


def test_throttling_writes_nothing() -> None:
    for seed in SEEDS:
        simulation = Simulation(seed, Faults(throttled=1))
        throttled = {"ProvisionedThroughputExceededException", "ThrottlingException"}
        assert code(observe(simulation, put_two)) in throttled
        assert code(observe(simulation, read_two)) in throttled
        assert simulation.engine.changes == []
    simulation = Simulation(1, Faults(item_throttled=1))
    assert code(observe(simulation, put_two)) == "TransactionCanceledException"
    assert simulation.engine.changes == []


def test_a_conflict_is_told_beside_the_conditions_that_fail() -> None:
    seen = set()
    for seed in SEEDS:
        simulation = Simulation(seed, Faults(conflict=1))
        simulation.direct.write([Put(counter("1", 7))])
        error = observe(simulation, put_two).error
        assert isinstance(error, TransactionRefused)
        assert error.contended
        assert len(simulation.engine.changes) == 1
        seen.add((str(error), *error.failed))
    assert seen == {
        ("transaction cancelled: TransactionConflict",),
        ("transaction cancelled: TransactionConflict, TransactionConflict",),
        ("transaction cancelled: ConditionalCheckFailed, TransactionConflict", 0),
    }
    single = Simulation(1, Faults(conflict=1))
    wrong = observe(single, lambda process: process.table.client.delete_item(TableName="ledger", Key=KEY)).error
    assert "TransactionConflictException" in str(wrong)


KEY = {"pk": {"S": PK}, "sk": {"S": "1"}}


def two_writers_and_a_reader(seed: int, faults: Faults) -> tuple[Simulation, set[tuple[int, ...]], Tally[str]]:
    simulation = Simulation(seed, faults)
    simulation.direct.write([Put(counter("1", 0)), Put(counter("2", 0))])
    seen: set[tuple[int, ...]] = set()
    ends = Tally[str]()

    def write(process: Process) -> None:
        try:
            process.table.write([Put(counter("1", 1)), Put(counter("2", 1))])
        except TransactionRefused as refusal:
            ends[str(refusal)] += 1
        else:
            ends["written"] += 1

    for _ in range(2):
        simulation.start("writer", write)
    simulation.start("reader", lambda process: seen.add(read_two(process)))
    simulation.run()
    return simulation, seen, ends


@pytest.mark.parametrize(
    ("faults", "torn"),
    [
        (Faults(), set()),
        (Faults(torn_read=1), {(0, 1)}),
        (Faults(slow_commit=1), {(0, 1), (1, 0)}),
    ],
    ids=["no faults", "torn reads", "slow commits"],
)
def test_reads_may_be_torn(faults: Faults, torn: set[tuple[int, ...]]) -> None:
    seen: set[tuple[int, ...]] = set()
    for seed in SEEDS:
        simulation, found, _ = two_writers_and_a_reader(seed, faults)
        seen |= found
        assert (count(simulation, "1"), count(simulation, "2")) == (1, 1)
    assert seen == {(0, 0), (1, 1)} | torn


def test_writers_meet_conflicts_during_a_slow_commit() -> None:
    ends = Tally[str]()
    for seed in SEEDS:
        ends += two_writers_and_a_reader(seed, Faults(slow_commit=1))[2]
    assert ends["written"] > len(SEEDS)
    assert ends["transaction cancelled: TransactionConflict, TransactionConflict"]
    assert ends.total() == 2 * len(SEEDS)


def test_a_batch_is_answered_in_part() -> None:
    for seed in SEEDS:
        simulation = Simulation(seed, Faults(unprocessed_keys=0.5))
        put_two(simulation.process("set-up"))
        observed = observe(simulation, read_two)
        assert observed.result == (1, 1) or isinstance(observed.error, Unavailable)
    simulation = Simulation(1, Faults(unprocessed_keys=1))
    observed = observe(simulation, lambda process: process.table.get_many([(PK, "1")]))
    assert isinstance(observed.error, Unavailable)
    assert simulation.struck == {Fault.UNPROCESSED_KEYS: 5}


def held(process: Process, **more: Any) -> list[str]:
    """Who is in the global index."""
    answer = process.table.client.query(
        TableName="ledger",
        IndexName="by_holder",
        KeyConditionExpression="holder = :h",
        ExpressionAttributeValues={":h": {"S": "me"}},
        **more,
    )
    return [item["sk"]["S"] for item in answer["Items"]]


def test_a_global_index_follows_its_table() -> None:
    seen = set()
    for seed in SEEDS:
        simulation = Simulation(seed, Faults(stale_index=0.5, index_lag=2), create=create_conformance_table)
        for sk in "1234":
            simulation.direct.write([Put(counter(sk, 0, holder="me"))])
        simulation.direct.write([Put(counter("3", 0))])
        seen.add("".join(observe(simulation, held).result))
        assert "".join(observe(simulation, held).result) == "124"  # run to its end, the index has caught up
    assert seen == {"123", "1234", "12", "124"}
    simulation = Simulation(1, create=create_conformance_table)
    refused = observe(simulation, lambda process: held(process, ConsistentRead=True)).error
    assert isinstance(refused, ClientError)
    assert refused.response["Error"]["Code"] == "ValidationException"


def test_a_stall_takes_time() -> None:
    stalled = Simulation(1, Faults(stall=1, latest_seconds=1000))
    observe(stalled, put_two)
    assert (stalled.time.now - stalled.time.start).total_seconds() > 10


def test_a_healed_simulation_has_no_faults() -> None:
    simulation = Simulation(1, Faults(lost_request=1))
    simulation.heal()
    assert observe(simulation, put_two).error is None


def test_everything_happens_at_some_time() -> None:
    struck = Tally[Fault]()
    for seed in range(30):
        simulation = Simulation(seed, Faults.of_all_kinds(0.1), create=create_conformance_table)
        for _ in range(2):
            simulation.start("worker", work)
        simulation.run()
        struck += simulation.struck
    assert struck.keys() == set(Fault)


def work(process: Process) -> None:
    for _ in range(5):
        for program in (put_two, read_two, held):
            try:
                program(process)
            except ERRORS as error:
                process.note(type(error).__name__)
