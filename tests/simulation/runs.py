"""One history after the other, or many side by side: played, judged, counted."""

import os
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.bugs import BUGS
from tests.simulation.coverage import Counts, counted
from tests.simulation.history import History, drawn, only
from tests.simulation.judge.replay import Replay
from tests.simulation.judge.verdict import judge
from tests.simulation.judge.violation import Violation
from tests.simulation.oracle.commands import Command
from tests.simulation.scenario import Played, play

_CHUNK = 4
_AT_ONCE = 64
"""Histories with a bug that are begun at once: none of them runs on for long once one is found."""


@dataclass(slots=True)
class Run:
    """What became of a history. ``what`` names the broken promise, ``text`` says how it was broken."""

    seed: int
    what: str | None = None
    text: str = ""
    counts: Counts = field(default_factory=Counts)
    calls: int = 0
    digest: str = ""
    """Of all that happened."""
    played: Played | None = field(default=None, repr=False)
    """Of a run in this process."""


def run(history: History) -> Run:
    """Plays and judges one history."""
    found = Run(history.seed)
    played: Played | None = None
    replay: Replay | None = None
    try:
        found.played = played = play(history)
        replay = judge(played)
    except Violation as violation:
        found.what, found.text = violation.what, str(violation)
    except Exception as error:  # noqa: BLE001 - whatever it is, the history is not right
        found.what, found.text = type(error).__name__, traceback.format_exc()
    if played is not None:
        found.counts, found.calls = counted(played, replay), len(played.calls)
        found.digest = played.simulation.digest()
    return found


def run_seed(seed: int, bug: str | None = None) -> Run:
    """The history of a seed, with one of the seeded bugs where it is named; carries no more than can be sent."""
    with BUGS[bug]() if bug else nullcontext():
        found = run(drawn(seed))
    found.played = None
    return found


@contextmanager
def cores() -> Iterator[Executor]:
    """A process on each core."""
    # Not forked: whoever asks may have threads.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def run_all(pool: Executor, seeds: Sequence[int], bug: str | None = None) -> Iterator[Run]:
    """Many histories side by side, in the order of their seeds."""
    bugs: Iterable[str | None] = [bug] * len(seeds)
    return pool.map(run_seed, seeds, bugs, chunksize=_CHUNK)


def first_found(pool: Executor, bug: str, most: int) -> Run | None:
    """The first history, from seed 0 on, that a bug makes break a promise."""
    for start in range(0, most, _AT_ONCE):
        for found in run_all(pool, range(start, min(start + _AT_ONCE, most)), bug):
            if found.what is not None:
                return found
    return None


def shrunk(history: History, what: str) -> History:
    """The history with as few commands as break the same promise: found by leaving out half, a quarter, … of them."""
    commands: list[Command] = history.commands
    size = len(commands) // 2
    while size:
        start = 0
        while start < len(commands):
            fewer = commands[:start] + commands[start + size :]
            if run(only(history, fewer)).what == what:
                commands = fewer
            else:
                start += size
        size //= 2
    return only(history, commands)
