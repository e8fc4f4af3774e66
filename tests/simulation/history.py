"""Histories: what clients will ask for, when, how often, and what will go wrong. Plain values, drawn from a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from tests.simulation.drawing import Draws
from tests.simulation.faults import Faults
from tests.simulation.oracle.commands import Command
from tests.simulation.programs import changed_program, drawn_program, drawn_start

JUMPS: Final = {
    "seconds": 4,
    "hours": 3,
    "midnight": 3,
    "month": 2,
    "due": 4,
    "tier": 3,
    "days": 3,
    "months": 2,
    "year": 0.5,
}
"""How time goes on between bursts, and how often in which way."""


@dataclass(frozen=True, slots=True)
class Jump:
    """How long until the next burst. ``kind`` says to where, ``by`` how many seconds after (or before) that."""

    kind: str
    by: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that a client sends ``after`` so many seconds of a burst.

    ``ago``: where the command tells when something happened, so long before the burst.
    """

    command: Command
    client: int
    after: float
    ago: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Burst:
    """Some seconds in which clients are at work side by side; then time jumps."""

    jump: Jump
    sent: tuple[Sent, ...]
    sweeps: tuple[float, ...] = ()
    """When sweepers start."""
    stands: tuple[float, float] | None = None
    """Time stands after so many seconds, and is so many seconds later when it goes on: as for a frozen machine."""


@dataclass(frozen=True, slots=True)
class History:
    """One history."""

    seed: int
    documents: tuple[dict[str, Any], ...]
    """The versions of the program; the second is published after half of the bursts."""
    start: datetime
    members: tuple[str, ...]
    faults: Faults
    bursts: tuple[Burst, ...] = field(repr=False)

    @property
    def commands(self) -> list[Command]:
        """Each once."""
        return list(dict.fromkeys(sent.command for burst in self.bursts for sent in burst.sent))


def drawn(seed: int) -> History:
    """The history of that seed."""
    rng = random.Random(f"history/{seed}")  # noqa: S311 -- repeatable, and no secret
    zone, start = drawn_start(rng)
    first = drawn_program(rng, zone, start)
    documents = (first, changed_program(rng, first, start)) if rng.random() < 0.5 else (first,)
    members = tuple(f"mbr_{number}" for number in range(1, rng.choice([2, 3, 3, 4]) + 1))
    draws = Draws(rng, documents, members)
    bursts = tuple(_burst(rng, draws, first=number == 0) for number in range(rng.randint(3, 6)))
    return History(seed, documents, start, members, _faults(rng), bursts)


def _burst(rng: random.Random, draws: Draws, *, first: bool) -> Burst:
    clients = rng.randint(2, 6)
    sent: list[Sent] = []
    if first:
        sent = [Sent(command, rng.randrange(clients), 0.0, ago) for command, ago in draws.welcome()]
    for _ in range(rng.randint(2, 8)):
        began, together = rng.choice([0.0, rng.uniform(0, 0.2), rng.uniform(0, 2)]), rng.randrange(clients)
        for place, (command, ago) in enumerate(draws.some()):
            client = together if rng.random() < 0.6 else rng.randrange(clients)
            once = Sent(command, client, began + place * rng.choice([0.0, 0.1, 0.3]), ago)
            sent += [once, *_again(rng, once, clients)]
    sweeps = tuple(rng.uniform(0, 2) for _ in range(rng.choice([0, 0, 1, 2])))
    stands = (rng.uniform(0, 0.5), rng.choice([5.0, 70.0, 90_000.0])) if rng.random() < 0.15 else None
    return Burst(_jump(rng), tuple(sent), sweeps, stands)


def _again(rng: random.Random, once: Sent, clients: int) -> Sequence[Sent]:
    """The same once or twice more, now and then: at once or a little later, by the same client or by another."""
    times = rng.choices([0, 1, 2], [14, 4, 1])[0]
    laters = [rng.choice([0.0, rng.uniform(0, 1)]) for _ in range(times)]
    return [replace(once, client=rng.randrange(clients), after=once.after + later) for later in laters]


def _jump(rng: random.Random) -> Jump:
    kind = rng.choices(list(JUMPS), list(JUMPS.values()))[0]
    day = 86_400.0
    longest = {"seconds": 90.0, "hours": day, "days": 20 * day, "months": 100 * day}
    if kind in longest:
        return Jump(kind, rng.uniform(0.5, longest[kind]))
    if kind == "year":
        return Jump(kind, 366 * day)
    return Jump(kind, rng.choice([-2.5, -0.5, 0.0, 0.0, 0.1, 1.0, 3.0, rng.uniform(-3, 3)]))


def _faults(rng: random.Random) -> Faults:
    """Calm, rough, or anything in between."""
    return Faults.of_all_kinds(rng.choice([0.0, 0.004, 0.01, 0.02, 0.04]))


def only(history: History, kept: Sequence[Command]) -> History:
    """The same history with no other commands than these: what is left of it when it is shrunk."""
    wanted = set(kept)
    bursts = [
        Burst(burst.jump, tuple(one for one in burst.sent if one.command in wanted), burst.sweeps, burst.stands)
        for burst in history.bursts
    ]
    return History(history.seed, history.documents, history.start, history.members, history.faults, tuple(bursts))
