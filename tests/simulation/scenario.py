"""A history played through: clients, sweepers, time that jumps, and a record of every call."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, Final, Self, TypeGuard
from unittest.mock import patch

from loyalty.commerce import batch
from loyalty.core.table import Table
from loyalty.ledger.items import new_book_put
from loyalty.ledger.keys import entry_sk, parse_entry_id, partition
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.store import ProgramStore
from loyalty.sweeping import service as sweeping
from tests.simulation.acting import Client
from tests.simulation.answers import CRASHED, DEFINITE, UNKNOWN, Answer
from tests.simulation.engine import SlowCommit
from tests.simulation.events import lookup_of
from tests.simulation.history import Burst, History
from tests.simulation.jumping import leap
from tests.simulation.naming import PROGRAM, Ids
from tests.simulation.oracle.commands import Accrue, Command, EndHold, Grant, Recalculate, TakeBack
from tests.simulation.oracle.days import ONE_DAY, Calendar
from tests.simulation.showing import shown
from tests.simulation.simulation import Process, Simulation

_AGAIN: Final = 0.6
"""How likely an undecided command is sent again in the next burst."""
_ROUNDS: Final = 3
_MOST_SECONDS: Final = 3600
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Call:
    """One delivery of a command: what was true when it was sent and when its answer came, or its client ended."""

    command: Command
    version: int
    client: str
    skew: timedelta
    sent_at: datetime
    """The true time."""
    sent_after: int
    """The number of the last change of the table before."""
    answer: Answer = field(default_factory=lambda: Answer(CRASHED))
    ended_at: datetime = _NEVER
    ended_after: int = 0
    under_way: Sequence[SlowCommit] = ()
    """What was becoming visible when the call ended, so that its client may have seen a part of it."""

    @property
    def clocks(self) -> tuple[datetime, datetime]:
        """What the client's own clock showed first and last."""
        return self.sent_at + self.skew, self.ended_at + self.skew

    def __str__(self) -> str:
        answer = f"{self.answer.what} {self.answer.code}".strip()
        return f"{self.client}, v{self.version}, changes {self.sent_after}-{self.ended_after}: {shown(self.command)} → {answer}"


@dataclass(slots=True)
class Played:
    """What came of a history."""

    history: History
    simulation: Simulation
    programs: Sequence[Program]
    first_change: int
    """The number of the last change of the table before the history began."""
    opened_at: dict[str, datetime]
    commands: list[Command] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    undecided: list[Command] = field(default_factory=list)
    """Commands without a definite outcome, even after everything was healed."""
    sweeps: int = 0

    @property
    def table(self) -> Table:
        return self.simulation.direct


class Serial:
    """In the place of a pool of threads: the simulator has clients of its own for what goes on side by side."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, act: Callable[..., Any], *many: Sequence[Any]) -> Iterator[Any]:
        return iter([act(*one) for one in zip(*many, strict=False)])


@contextmanager
def serial() -> Iterator[None]:
    """Within it, the library starts no threads."""
    with patch.object(sweeping, "ThreadPoolExecutor", Serial), patch.object(batch, "ThreadPoolExecutor", Serial):
        yield


def play(history: History) -> Played:
    """Plays a history through, heals what was wrong, and sends everything until it has an outcome.

    Raises:
        BaseException: whatever a client raised that no client should see.
    """
    return _Play(history).run()


class _Play:
    def __init__(self, history: History) -> None:
        self._history = history
        self._rng = random.Random(f"deliveries/{history.seed}")  # noqa: S311 -- repeatable, and no secret
        self._known: dict[tuple[str, str], str] = {}
        self._resolved: dict[Command, Command] = {}
        self._calendar = Calendar(history.documents[0]["time_zone"])
        simulation = Simulation(history.seed, history.faults, start=history.start)
        documents = [ProgramDocument.model_validate(document) for document in history.documents]
        self._versions = [Program(version=number, document=one) for number, one in enumerate(documents, start=1)]
        self._store = ProgramStore(simulation.direct, lambda: simulation.time.now)
        self._store.publish(documents[0], expected_version=0, actor="simulation")
        opened_at = {member: history.start - ONE_DAY * number for number, member in enumerate(history.members)}
        for member, moment in opened_at.items():
            book = new_book_put(PROGRAM, member, documents[0].tiers[0].id, moment)
            simulation.direct.write([book, lookup_of(member)])
        self._simulation = simulation
        self._played = Played(history, simulation, self._versions, len(simulation.engine.changes), opened_at)

    def run(self) -> Played:
        with serial():
            for number, burst in enumerate(self._history.bursts):
                self._burst(number, burst)
            self._simulation.heal()
            self._again(clients=3)
            self._repeat()
            for _ in range(_ROUNDS):
                self._again(clients=1)
            self._sweep_all()
        self._played.undecided = self._open()
        return self._played

    def _burst(self, number: int, burst: Burst) -> None:
        leap(burst.jump, self._simulation, self._history, self._versions[-1], self._rng)
        changed = len(self._history.bursts) // 2
        if len(self._versions) > 1 and number == changed:
            self._store.publish(self._versions[1].document, expected_version=1, actor="simulation")
        now = _milliseconds(self._simulation.time.now)
        work: dict[int, list[tuple[float, Command]]] = {}
        undecided = self._open()
        for sent in burst.sent:
            command = self._resolve(sent.command, now - sent.ago)
            work.setdefault(sent.client, []).append((sent.after, command))
        for command in undecided:
            if self._rng.random() < _AGAIN:
                work.setdefault(self._rng.randrange(6), []).append((self._rng.uniform(0, 1), command))
        for todo in work.values():
            # For a while, some clients go on with the version that they know.
            latest = number > changed or (number == changed and self._rng.random() < 0.5)
            self._start(sorted(todo, key=lambda one: one[0]), self._versions[-1 if latest else 0])
        for after in burst.sweeps:
            self._simulation.start("sweeper", self._sweep, after=after)
        if burst.stands is not None:
            self._simulation.start("time", partial(self._stand, *burst.stands))
        self._simulation.run()

    def _again(self, clients: int) -> None:
        work: dict[int, list[tuple[float, Command]]] = {}
        for command in self._open():
            work.setdefault(self._rng.randrange(clients), []).append((0.0, command))
        for todo in work.values():
            self._start(todo, self._versions[-1])
        self._simulation.run()

    def _repeat(self) -> None:
        """Everything has its outcome: sent once more, some of it, by one client, changes nothing that was posted."""
        some = [(0.0, command) for command in self._played.commands if self._rng.random() < 0.25]
        self._start(some, self._versions[-1])
        self._simulation.run()

    def _open(self) -> list[Command]:
        """Commands whose clients do not know what became of them."""
        decided = {call.command for call in self._played.calls if call.answer.what in DEFINITE}
        return [command for command in self._played.commands if command not in decided and self._can_be_sent(command)]

    def _can_be_sent(self, command: Command) -> bool:
        return not isinstance(command, Recalculate) or self._posted_at(command) is not None

    def _resolve(self, command: Command, occurred_at: datetime) -> Command:
        """The command as it is sent, with the moments that are known now."""
        if command not in self._resolved:
            resolved = command
            if isinstance(command, Accrue | TakeBack):
                resolved = replace(command, occurred_at=occurred_at)
            if isinstance(command, Grant):
                resolved = replace(command, until=self._calendar.date_of(occurred_at) + ONE_DAY * command.days)
            self._resolved[command] = resolved
            self._played.commands.append(resolved)
        return self._resolved[command]

    def _start(self, todo: Sequence[tuple[float, Command]], program: Program) -> None:
        def work(process: Process) -> None:
            began, client = self._simulation.time.elapsed, Client(process, self._known)
            for after, commands in _batches(todo):
                early = after - (self._simulation.time.elapsed - began) / 1e6
                if early > 0:
                    process.sleep(early)
                self._deliver(process, client, commands, program)

        self._simulation.start("client", work)

    def _deliver(self, process: Process, client: Client, commands: Sequence[Command], program: Program) -> None:
        simulation = self._simulation
        now, changes = simulation.time.now, len(simulation.engine.changes)
        calls = []
        for command in commands:
            known = self._with_cause(command)
            if known is not None:
                simulation.scheduler.note("sends", known)
                calls.append(Call(known, program.version, process.name, process.clock.skew, now, changes))
        self._played.calls += calls
        try:
            for call, answer in zip(calls, _answers(client, [call.command for call in calls], program), strict=True):
                call.answer = answer
                simulation.scheduler.note("is told", answer.what, answer.code)
        finally:
            for call in calls:
                call.ended_at = simulation.time.now
                call.ended_after = len(simulation.engine.changes)
                call.under_way = tuple(simulation.engine.slow_commits)

    def _with_cause(self, command: Command) -> Command | None:
        """With what is known of its cause, where it has one; None where that has not happened."""
        if isinstance(command, EndHold):
            hold = command.hold
            return replace(
                command, name=self._known.get((hold.member, hold.key)) or Ids().redemption(hold.member, hold.key)
            )
        if not isinstance(command, Recalculate):
            return command
        found = self._posted_at(command)
        return None if found is None else replace(command, posted_at=found)

    def _posted_at(self, command: Recalculate) -> datetime | None:
        """When the cause was posted: the ledger's stream tells of it; None where nothing was posted yet."""
        sk = entry_sk(parse_entry_id(command.cause))
        for member in self._history.members:
            raw = self._played.table.read(partition(PROGRAM, member), sk)
            if raw is not None:
                return datetime.fromisoformat(raw["posted_at"]["S"])
        return None

    def _sweep(self, process: Process) -> None:
        sweeper = sweeping.Sweeper(process.table, process.clock, workers=1, page=2, sleep=process.sleep)
        sweep = sweeper.run(deadline=process.clock() + timedelta(seconds=_MOST_SECONDS))
        self._played.sweeps += 1
        self._simulation.scheduler.note("swept", sweep.members, sweep.entries, len(sweep.failures))

    def _sweep_all(self) -> None:
        """Until nothing is due any more: whatever waits is found by the index alone."""
        self._simulation.time.advance(seconds=5)
        self._simulation.engine.settle()
        self._simulation.start("sweeper", self._sweep_everybody if len(self._versions) > 1 else self._sweep)
        self._simulation.run()

    def _sweep_everybody(self, process: Process) -> None:
        """As an operator does after a version by which other things fall due than the index says."""
        sweeping.Sweeper(process.table, process.clock, workers=1, sleep=process.sleep).everybody(PROGRAM)
        self._sweep(process)

    def _stand(self, after: float, seconds: float, _: Process) -> None:
        self._simulation.scheduler.sleep(after)
        self._simulation.time.advance(seconds=seconds)
        self._simulation.scheduler.note("time stood still, and is later by", seconds)


def _is_event(command: Command) -> TypeGuard[Accrue | TakeBack]:
    return isinstance(command, Accrue | TakeBack) and command.by_event


def _batches(todo: Sequence[tuple[float, Command]]) -> Iterator[tuple[float, list[Command]]]:
    """Events that follow each other are delivered in one batch; everything else by itself."""
    for of_queue, group in groupby(todo, lambda one: _is_event(one[1])):
        members = list(group)
        if of_queue:
            yield members[0][0], list(dict.fromkeys(command for _, command in members))
        else:
            yield from ((after, [command]) for after, command in members)


def _answers(client: Client, commands: Sequence[Command], program: Program) -> list[Answer]:
    events = [command for command in commands if _is_event(command)]
    if events:
        return client.events.act(events, program)
    return [client.act(command, program) for command in commands]


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def undecided(call: Call) -> bool:
    """Whether the client does not know what became of it."""
    return call.answer.what in {UNKNOWN, CRASHED}
