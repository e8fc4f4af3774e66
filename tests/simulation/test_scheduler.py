"""One seed, one history; and among the seeds, the histories that matter."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pynamodb.exceptions import PynamoDBException

from infra.local.ministack import REPOSITORY
from loyalty.attribution.codes import new_referral_code
from loyalty.core.backoff import jitter
from loyalty.core.ids import new_member_id
from loyalty.core.table import Put
from tests.simulation.counters import count, counter, increment, increment_carelessly
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Crash, Endless
from tests.simulation.simulation import Process, Simulation

SEEDS = range(50)


def incremented(seed: int, program: Callable[[Process], None], faults: Faults | None = None) -> Simulation:
    """Three processes that increment one counter."""
    simulation = Simulation(seed, faults or Faults())
    simulation.direct.write([Put(counter("1", 0))])
    for _ in range(3):
        simulation.start("worker", program)
    simulation.run()
    return simulation


def test_interleavings_find_a_lost_update() -> None:
    lost = [seed for seed in SEEDS if count(incremented(seed, increment_carelessly)) != 3]
    assert lost
    assert len(lost) < len(SEEDS)  # run one after the other, even careless processes do no harm


def test_what_is_written_with_a_condition_loses_nothing() -> None:
    assert all(count(incremented(seed, increment)) == 3 for seed in SEEDS)


@pytest.mark.parametrize("faults", [Faults(), Faults.of_all_kinds(0.1)], ids=["no faults", "all faults"])
def test_a_seed_is_a_history(faults: Faults) -> None:
    def storm(seed: int) -> Simulation:
        simulation = Simulation(seed, faults)
        simulation.direct.write([Put(counter("1", 0))])
        for _ in range(3):
            simulation.start("worker", lambda process: suppressed(increment, process))
        simulation.run()
        return simulation

    first, second = [storm(seed) for seed in range(10)], [storm(seed) for seed in range(10)]
    assert [one.digest() for one in first] == [one.digest() for one in second]
    assert [one.scheduler.trace for one in first] == [one.scheduler.trace for one in second]
    assert len({one.digest() for one in first}) == 10


def suppressed(program: Callable[[Process], None], process: Process) -> None:
    """Gives up at the first error, as a function does whose event will come again."""
    try:
        program(process)
    except PynamoDBException as error:
        process.note(type(error).__name__)


def test_a_seed_is_a_history_in_any_process() -> None:
    program = (
        "from tests.simulation.counters import increment\n"
        "from tests.simulation.faults import Faults\n"
        "from tests.simulation.test_scheduler import incremented\n"
        "print(incremented(7, increment, Faults(conflict=0.3, slow_commit=0.5, stall=0.3)).digest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(REPOSITORY))},
            cwd=REPOSITORY,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1


def test_sleeping_costs_simulated_time_only() -> None:
    simulation = Simulation(1)
    seen: list[tuple[str, timedelta]] = []

    def sleeper(process: Process) -> None:
        process.sleep(3600)
        seen.append((process.name, process.clock() - simulation.time.start))

    simulation.start("late", sleeper, after=86_400)
    simulation.start("early", sleeper)
    simulation.run()
    assert [name for name, _ in seen] == ["early.1", "late.1"]
    assert timedelta(hours=1) <= seen[0][1] < timedelta(hours=1, seconds=1)
    assert timedelta(hours=25) <= seen[1][1] < timedelta(hours=25, seconds=1)


def test_clocks_are_wrong_by_at_most_their_skew() -> None:
    simulation = Simulation(1, Faults(skew_seconds=2.0))
    skews = [simulation.process("worker").clock() - simulation.time.now for _ in range(100)]
    assert max(skews) > timedelta(seconds=1)
    assert min(skews) < timedelta(seconds=-1)
    assert max(map(abs, skews)) <= timedelta(seconds=2)


def end_the_process() -> None:
    raise Crash


def test_a_crash_is_nothing_that_a_program_can_catch() -> None:
    simulation = Simulation(1)
    reached: list[str] = []

    def crash(process: Process) -> None:
        try:
            end_the_process()
        except Exception:  # noqa: BLE001 -- the point of the test
            reached.append("caught")

    crashed = simulation.start("worker", crash)
    other = simulation.start("worker", lambda process: process.sleep(1))
    simulation.run()
    assert crashed.ended
    assert crashed.crashed
    assert other.ended
    assert not other.crashed
    assert not reached


def test_an_error_ends_the_history_and_leaves_no_thread() -> None:
    simulation = Simulation(1)
    cleaned: list[str] = []

    def wait(process: Process) -> None:
        try:
            process.sleep(1)
        finally:
            process.sleep(1)
            cleaned.append("never")

    def fail(process: Process) -> None:
        process.sleep(0.5)
        raise ValueError("as expected")

    waiting = simulation.start("waiting", wait)
    simulation.start("failing", fail)
    simulation.start("never started", wait, after=60)
    with pytest.raises(ValueError, match="as expected"):
        simulation.run()
    assert waiting.ended
    assert not cleaned
    simulation.start("afterwards", lambda process: cleaned.append(process.name))
    simulation.run()
    assert cleaned == ["afterwards.1"]


def test_a_history_without_an_end_is_named() -> None:
    simulation = Simulation(1, most_steps=100)

    def wait_for_ever(process: Process) -> None:
        while True:
            process.sleep(1)

    simulation.start("worker", wait_for_ever)
    with pytest.raises(Endless, match=r"worker\.1"):
        simulation.run()


def test_a_process_starts_others_and_waits_for_them() -> None:
    simulation = Simulation(1)
    simulation.direct.write([Put(counter("1", 0))])
    counted: list[int | None] = []

    def dispatch(process: Process) -> None:
        for worker in [simulation.start("worker", increment, after=after) for after in (0, 2)]:
            simulation.scheduler.join(worker)
        counted.append(count(simulation))

    simulation.start("dispatcher", dispatch)
    simulation.run()
    assert counted == [2]


def test_what_the_library_draws_comes_from_the_seed() -> None:
    def draws(seed: int) -> list[object]:
        drawn: list[object] = []

        def program(process: Process) -> None:
            drawn.extend([jitter(3, base=1, cap=60), new_member_id(process.clock()), new_referral_code()])

        simulation = Simulation(seed)
        simulation.start("worker", program)
        simulation.run()
        return drawn

    assert draws(1) == draws(1) != draws(2)
    assert jitter(3, base=1, cap=60) != jitter(3, base=1, cap=60)
