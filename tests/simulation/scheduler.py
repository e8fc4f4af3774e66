"""Many clients, one at a time: a seeded choice of who goes on, in simulated time.

A client is a plain function on a thread of its own. It runs until it pauses, before each request and in each sleep; there
it draws who goes on, hands over the baton, a lock that only one client holds, and waits for its own. So nothing runs in
parallel, and the seed decides everything.

Threads, and not greenlets: a hand-over costs 10 to 30 microseconds instead of 0.2, where the library's part of a request
takes 50 to 150, and it needs no compiled dependency.
"""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any, Final

MOST_CLIENTS: Final = 1000
MOST_STEPS: Final = 200_000
LONGEST_STEP: Final = 20_000
"""Microseconds that pass, at most, from one pause to the next."""


class Crash(BaseException):
    """The client's process ended here. Not an Exception: nothing in the code under test may survive it."""


class Endless(BaseException):
    """The clients took more steps than any history should: they wait for each other, or for nothing."""


class _Abandoned(BaseException):
    """The history ended while this client waited."""


class SimTime:
    """The one true time of a simulation; it moves only when told to."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.elapsed = 0
        """Microseconds."""

    @property
    def now(self) -> datetime:
        return self.start + timedelta(microseconds=self.elapsed)

    def advance(self, **by: float) -> None:
        """As ``timedelta``: ``advance(days=1)``."""
        self.elapsed += timedelta(**by) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SimClock:
    """A client's own clock, which may be wrong by ``skew``."""

    time: SimTime
    skew: timedelta = timedelta()

    def __call__(self) -> datetime:
        return self.time.now + self.skew


class Client:
    """A program that runs, will run, or has run."""

    def __init__(self, name: str, program: Callable[[], object], wakes: int) -> None:
        self.name = name
        self.ended = False
        self.crashed = False
        self._program = program
        self._wakes = wakes
        self._baton = Lock()
        self._future: Future[None] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; ``details`` are whatever shows it."""

    elapsed: int
    client: str
    what: str
    details: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.elapsed / 1e6:11.6f} {self.client}: {self.what} {' '.join(map(repr, self.details))}"


class Scheduler:
    """Runs clients until all have ended.

    Args:
        rng: chooses who goes on, and how long each step takes.
        time: the simulated time.
        most_steps: after so many pauses :class:`Endless` is raised.
    """

    def __init__(self, rng: random.Random, time: SimTime, *, most_steps: int = MOST_STEPS) -> None:
        self.time = time
        self.trace: list[Step] = []
        self._rng = rng
        self._most_steps = most_steps
        self._steps = 0
        self._clients: list[Client] = []
        self._current: Client | None = None
        self._failed: Client | None = None
        self._stopping = False
        self._over = Lock()
        """Held until the last client has ended, or one has failed."""
        self._over.acquire()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def current(self) -> str:
        """The name of the client whose turn it is; empty outside of :meth:`run`."""
        return "" if self._current is None else self._current.name

    def spawn(self, name: str, program: Callable[[], object], *, after: float = 0.0) -> Client:
        """A new client, which may start in ``after`` seconds; from outside of :meth:`run`, or from another client."""
        client = Client(name, program, self.time.elapsed + round(after * 1e6))
        client._baton.acquire()
        self._clients.append(client)
        return client

    def run(self) -> None:
        """Runs all clients to their ends; a crash is one. May be called again, with other clients.

        Raises:
            Endless: they do not come to an end.
            BaseException: whatever else a client raised; the others are abandoned where they are.
        """
        self._stopping, self._steps = False, 0
        with ThreadPoolExecutor(MOST_CLIENTS) as self._pool:
            try:
                if self._clients:
                    self._go_on(self._next())
                    self._over.acquire()
            finally:
                self._abandon()
        self._current = None
        failed, self._failed = self._failed, None
        if failed is not None and failed._future is not None:
            failed._future.result()

    def pause(self) -> None:
        """Lets others go on, or not: called by the running client; outside of :meth:`run` it does nothing."""
        if self._current is not None:
            self._yield(self._current, wakes=0)

    def sleep(self, seconds: float) -> None:
        """As :meth:`pause`, and not to go on before ``seconds`` have passed."""
        if self._current is None:
            self.time.advance(seconds=seconds)
        else:
            self._yield(self._current, wakes=self.time.elapsed + round(seconds * 1e6))

    def join(self, client: Client, *, every: float = 0.05) -> None:
        """Called by one client, waits for the end of another."""
        while not client.ended:
            self.sleep(every)

    def note(self, what: str, *details: Any) -> None:
        """Adds a step to the trace."""
        self.trace.append(Step(self.time.elapsed, self.current, what, details))

    def digest(self) -> str:
        """A hash of the whole trace: equal where two histories are, to the last bit."""
        return sha256("\n".join(map(str, self.trace)).encode(errors="surrogatepass")).hexdigest()

    def _yield(self, client: Client, wakes: int) -> None:
        if self._stopping:
            raise _Abandoned
        self._steps += 1
        if self._steps > self._most_steps:
            raise Endless(f"{self._steps} steps, and still there: {', '.join(other.name for other in self._clients)}")
        client._wakes = wakes
        self.time.elapsed += self._rng.randrange(LONGEST_STEP)
        successor = self._next()
        if successor is not client:
            self._go_on(successor)
            self._wait(client)

    def _next(self) -> Client:
        awake = [client for client in self._clients if client._wakes <= self.time.elapsed]
        if not awake:
            self.time.elapsed = min(client._wakes for client in self._clients)
            awake = [client for client in self._clients if client._wakes <= self.time.elapsed]
        return awake[self._rng.randrange(len(awake))]

    def _go_on(self, client: Client) -> None:
        self._current = client
        if client._future is None and self._pool is not None:
            client._future = self._pool.submit(self._live, client)
        client._baton.release()

    def _wait(self, client: Client) -> None:
        """Until it is the client's turn."""
        client._baton.acquire()
        if self._stopping:
            raise _Abandoned

    def _live(self, client: Client) -> None:
        """A client's life, on its thread."""
        failed = True
        try:
            self._wait(client)
            client._program()
            failed = False
        except (Crash, _Abandoned) as end:
            client.crashed = isinstance(end, Crash)
            failed = False
        finally:
            client.ended = True
            self._clients.remove(client)
            if failed:
                self._failed = self._failed or client
            if not self._stopping:
                if self._clients and not failed:
                    self._go_on(self._next())
                else:
                    self._over.release()

    def _abandon(self) -> None:
        """Ends the clients that are left, one after the other."""
        self._stopping = True
        for client in list(self._clients):
            if client._future is not None:
                client._baton.release()
                wait([client._future])
        self._clients.clear()
