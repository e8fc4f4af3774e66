"""A whole simulated world from one seed: engine, faults, time, and the clients' own tables and clocks.

::

    simulation = Simulation(seed, Faults.of_all_kinds())
    simulation.direct.write([...])                      # set-up: no faults, no pauses
    simulation.start("worker", lambda process: Ledger(process.table, process.clock, sleep=process.sleep).post(...))
    simulation.run()
    assert invariant(simulation.direct), simulation.story()
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from loyalty.audit import store as trail
from loyalty.core import backoff, ids, pii
from loyalty.core.table import Table
from tests.ledgerkit.tables import create_table
from tests.simulation.client import MemoryClient, table_over
from tests.simulation.engine import PAGE_BYTES, MemoryDynamoDb
from tests.simulation.faults import Dice, Fault, Faults, FaultyService
from tests.simulation.scheduler import MOST_STEPS, Client, Scheduler, SimClock, SimTime

START: Final = datetime(2026, 3, 15, 12, tzinfo=UTC)
TABLE: Final = "ledger"
NO_FAULTS: Final = Faults()


@dataclass(frozen=True, slots=True)
class Process:
    """What one process has of its own: its connection to the table, its clock, its sleep, and a word in the trace."""

    name: str
    table: Table
    clock: SimClock
    sleep: Callable[[float], None]
    note: Callable[..., None]


class Simulation:
    """One history. Everything random in it comes from ``seed``.

    Args:
        seed: names the history; the same seed and faults give the same history, bit for bit.
        faults: what may go wrong; nothing, unless said otherwise.
        start: the time at which it begins.
        page_bytes: what a page of Query or Scan holds.
        create: declares the table, as on any other engine.
    """

    def __init__(
        self,
        seed: int | str,
        faults: Faults = NO_FAULTS,
        *,
        start: datetime = START,
        page_bytes: int = PAGE_BYTES,
        most_steps: int = MOST_STEPS,
        create: Callable[[Any, str], None] = create_table,
    ) -> None:
        self.seed = seed
        self.time = SimTime(start)
        self.scheduler = Scheduler(self._rng("schedule"), self.time, most_steps=most_steps)
        self._dice = Dice(faults, self._rng("faults"), self.scheduler)
        lag = faults.index_lag if faults.stale_index else 0
        self.engine = MemoryDynamoDb(
            page_bytes=page_bytes, index_lag=lag, show=self._dice.show, author=lambda: self.scheduler.current
        )
        self._service = FaultyService(self.engine, self._dice)
        self._draws = self._rng("clients")
        self._library = self._rng("library")
        self._processes: Counter[str] = Counter()
        create(MemoryClient(self.engine), TABLE)
        self.direct = table_over(self.engine, TABLE, client="direct")
        """The table without faults and pauses, for setting up before and auditing after."""

    @property
    def struck(self) -> Counter[Fault]:
        """The faults that befell so far."""
        return self._dice.struck

    def heal(self) -> None:
        """Nothing goes wrong from now on: what is left undone can be done, or never will be."""
        self._dice.faults = replace(NO_FAULTS, skew_seconds=self._dice.faults.skew_seconds)

    def start(self, name: str, program: Callable[[Process], object], *, after: float = 0.0) -> Client:
        """A new process, which runs ``program`` once, beginning in ``after`` seconds; also from within another one."""
        process = self.process(name)
        return self.scheduler.spawn(process.name, lambda: program(process), after=after)

    def process(self, name: str) -> Process:
        """A table, a clock and a sleep; each process of the same name has others."""
        self._processes[name] += 1
        name = f"{name}.{self._processes[name]}"
        sleep = self.scheduler.sleep
        skew = timedelta(seconds=self._draws.uniform(-1, 1) * self._dice.faults.skew_seconds)
        table = table_over(self._service, TABLE, client=name, rng=self._rng(name), sleep=sleep)
        return Process(name, table, SimClock(self.time, skew), sleep, self.scheduler.note)

    def run(self) -> None:
        """Runs every process to its end, and lets the indexes catch up.

        Raises:
            BaseException: what a process raised, other than by a crash.
        """
        with determined(self._library):
            self.scheduler.run()
        self.engine.settle()

    def digest(self) -> str:
        """A hash of all that happened."""
        return self.scheduler.digest()

    def story(self, last: int = 60) -> str:
        """The end of the history, for whoever has to understand it."""
        steps: Sequence[object] = self.scheduler.trace[-last:]
        return "\n".join([f"seed {self.seed!r}, {self._dice.faults}", *map(str, steps)])

    def _rng(self, purpose: str) -> random.Random:
        """A generator for each purpose, so that one that is drawn from more often does not move the others."""
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 -- repeatable, and no secret


@contextmanager
def determined(rng: random.Random) -> Iterator[None]:
    """Within it, what the library draws from the operating system's randomness comes from ``rng``.

    The only place where the simulator reaches into the library: its sources of randomness are not handed in, for good
    reasons of their own (see :mod:`loyalty.core.backoff`).
    """
    secrets = SimpleNamespace(randbits=rng.getrandbits, choice=rng.choice)
    # Of its own, so that a line more moves nothing else in a history.
    lines = random.Random("lines")  # noqa: S311 -- repeatable, and no secret
    with (
        patch.object(backoff, "_RANDOM", rng),
        patch.object(ids, "secrets", secrets),
        patch.object(pii, "os", SimpleNamespace(urandom=rng.randbytes)),
        patch.object(trail, "secrets", SimpleNamespace(token_hex=lambda size: lines.randbytes(size).hex())),
    ):
        yield
