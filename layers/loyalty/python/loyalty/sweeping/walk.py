"""A walk through a sharded index of what is due: whose it is, shard by shard, the longest due first.

::

    the head of each shard                             how long the oldest has waited
    a page of each shard in turn, longest due first    keys only
        work off its members, several side by side
    … until the shards are walked, or the time is up

A run may be cut off anywhere, repeated, or run beside another one: what is done is not in the index any more, and what is
left is found by the next run.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.clock import Clock, from_text
from loyalty.core.error_names import code_of
from loyalty.core.table import RawItem
from loyalty.ledger.keys import parse_partition
from loyalty.ledger.store import DueBook, DuePage
from loyalty_contract import DUE_SHARDS

SHARDS: Final = tuple(range(DUE_SHARDS))
"""All of the due index."""
WORKERS: Final = 8
"""Members worked off side by side; each waits for DynamoDB most of the time."""
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """Whose partition could not be worked off, or which shard could not be read, and the error's name."""

    where: str
    error: str


@dataclass(slots=True)
class Sweep:
    """What a run has done so far. Each member whom the index named is one of ``members``, ``current``, ``failures``."""

    at: datetime
    """What fell due until then (UTC) is worked off."""
    lag: timedelta | None = None
    """How long the oldest of all that was due had waited, in any shard; None: none could be read."""
    members: int = 0
    """Members of whom something was written down."""
    current: int = 0
    """Members of whom nothing was due any more: somebody else was first."""
    failures: list[Failure] = field(default_factory=list)
    entries: int = 0
    """What was written down of them, by whatever the walk counts."""
    finished: bool = False
    """Nothing is left but the failures; if not, its time or number was up."""


@dataclass(frozen=True, slots=True)
class Due:
    """A member in whose partition something is due."""

    program: str
    member_id: str
    pk: str


Act = Callable[[Due], int | Failure]
"""Works off one member: how much was written down, or why it could not be. What it raises is a failure too."""


@dataclass(slots=True)
class _Walk:
    """Through a shard, from page to page. It only goes on: whoever cannot be worked off is passed once."""

    shard: int
    start: RawItem | None = None


def ignore(_sweep: Sweep) -> None:
    """Report nothing."""


class DueWalk(ABC):
    """Works off what is due, shard by shard. Any number of them may run at once."""

    def __init__(self, clock: Clock, *, workers: int = WORKERS, page: int = PAGE) -> None:
        """``workers`` members are worked off side by side; ``page`` keys are read at once."""
        self._clock = clock
        self._workers = workers
        self._page = page

    @abstractmethod
    def shard_name(self, shard: int) -> str:
        """The key of a shard."""

    @abstractmethod
    def due(self, shard: int, until: datetime, *, limit: int, start: RawItem | None = None) -> DuePage:
        """A page of what fell due in a shard by ``until`` (UTC)."""

    @abstractmethod
    def acting(self, programs: Collection[str]) -> Act:
        """What works off members of these programs: asked for once a page. It must not raise."""

    def run(
        self,
        shards: Iterable[int] = SHARDS,
        *,
        deadline: datetime,
        most: int | None = None,
        progress: Callable[[Sweep], None] = ignore,
    ) -> Sweep:
        """Works off the members that are due in ``shards``, the longest due first.

        Takes up no member after ``deadline`` (UTC), nor when ``most`` were worked off. A member of whom it cannot be done is
        counted and passed; the next run meets them again, at the head of their shard.

        Raises:
            ValueError: there is no such shard.
        """
        wanted = tuple(shards)
        if unknown := set(wanted) - set(SHARDS):
            raise ValueError(f"there is no shard {min(unknown)}; there are {len(SHARDS)}")
        sweep = Sweep(self._clock())
        with ThreadPoolExecutor(self._workers) as pool:
            heads = dict(zip(SHARDS, pool.map(lambda shard: self._head(shard, sweep.at), SHARDS), strict=True))
            sweep.lag = _lag(heads.values(), sweep.at)
            sweep.failures += [head for shard in wanted if isinstance(head := heads[shard], Failure)]
            walks = [_Walk(shard) for shard in wanted if isinstance(heads[shard], DueBook)]
            while walks and not self._is_over(sweep, deadline, most):
                walks = [walk for walk in walks if self._step(pool, walk, sweep, deadline, most)]
                progress(sweep)
        sweep.finished = not walks
        return sweep

    def _is_over(self, sweep: Sweep, deadline: datetime, most: int | None) -> bool:
        return self._clock() >= deadline or (most is not None and sweep.members >= most)

    def _head(self, shard: int, until: datetime) -> DueBook | Failure | None:
        """The longest due of a shard."""
        try:
            return next(iter(self.due(shard, until, limit=1).books), None)
        except Exception as error:  # noqa: BLE001 - the other shards are read all the same
            return Failure(self.shard_name(shard), code_of(error))

    def _step(self, pool: ThreadPoolExecutor, walk: _Walk, sweep: Sweep, deadline: datetime, most: int | None) -> bool:
        """Works off the next page of a shard; False where nothing comes after it."""
        if self._is_over(sweep, deadline, most):
            return True
        limit = self._page if most is None else min(self._page, most - sweep.members)
        try:
            page = self.due(walk.shard, sweep.at, limit=limit, start=walk.start)
        except Exception as error:  # noqa: BLE001 - as above
            sweep.failures.append(Failure(self.shard_name(walk.shard), code_of(error)))
            return False
        found = [parsed(book.pk) for book in page.books]
        act = self.acting({one.program for one in found if isinstance(one, Due)})
        outcomes = list(pool.map(lambda one: self.one(act, one, deadline), found))
        for outcome in outcomes:
            add(sweep, outcome)
        if None in outcomes:
            return True
        walk.start = page.next
        return page.next is not None

    def one(self, act: Act, due: Due | Failure, deadline: datetime) -> int | Failure | None:
        """What came of one member; None where the time was up before."""
        if isinstance(due, Failure):
            return due
        if self._clock() >= deadline:
            return None
        try:
            return act(due)
        except Exception as error:  # noqa: BLE001 - one member's failure is not the run's
            return Failure(due.pk, code_of(error))


def add(sweep: Sweep, outcome: int | Failure | None) -> None:
    """Counts what came of one member."""
    if isinstance(outcome, Failure):
        sweep.failures.append(outcome)
    elif outcome is not None:
        sweep.entries += outcome
        sweep.members += outcome > 0
        sweep.current += outcome == 0


def parsed(pk: str) -> Due | Failure:
    """Whose partition it is."""
    try:
        return Due(*parse_partition(pk), pk)
    except ValueError as error:
        return Failure(pk, code_of(error))


def _lag(heads: Iterable[DueBook | Failure | None], now: datetime) -> timedelta | None:
    read = [head for head in heads if not isinstance(head, Failure)]
    if not read:
        return None
    oldest = min((_moment(head, now) for head in read if head is not None), default=now)
    return max(now - oldest, timedelta())


def _moment(book: DueBook, now: datetime) -> datetime:
    """Since when; ``now`` where what is stored is no moment, which working it off puts right."""
    try:
        return from_text(book.due_at)
    except ValueError:
        return now
