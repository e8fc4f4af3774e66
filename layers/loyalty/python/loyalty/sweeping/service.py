"""The sweep: whatever fell due is written down, for members too whom nothing else brings to the ledger.

::

    the head of each shard of the due index            how long the oldest has waited
    a page of each shard in turn, longest due first    keys only
        settle its members, several side by side       2 round trips each
    … until the shards are walked, or the time is up

Balances do not wait for it (see :mod:`loyalty.ledger.settlement`); entries, and the events made of them, do. A run may
be cut off anywhere, repeated, or run beside another one: what is settled is not in the index any more, and what is left
is found by the next run.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from loyalty.core.clock import Clock, from_text
from loyalty.core.errors import LoyaltyError, MemberNotFound, WalletBusy
from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import parse_partition, shard_name
from loyalty.ledger.model import Scope
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import DueBook, LedgerStore
from loyalty.programs.store import ProgramStore
from loyalty_contract import DUE_SHARDS

SHARDS: Final = tuple(range(DUE_SHARDS))
"""All of the due index."""
WORKERS: Final = 8
"""Members settled side by side; each waits for DynamoDB most of the time."""
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """Whose partition could not be settled, or which shard could not be read, and the error's name."""

    where: str
    error: str


@dataclass(slots=True)
class Sweep:
    """What a run has done so far. Each member whom the index named is one of ``members``, ``current``, ``failures``."""

    at: datetime
    """What fell due until then (UTC) is settled."""
    lag: timedelta | None = None
    """How long the oldest of all that was due had waited, in any shard; None: none could be read."""
    members: int = 0
    """Members of whom something was written down."""
    current: int = 0
    """Members of whom nothing was due any more: somebody else settled them meanwhile."""
    failures: list[Failure] = field(default_factory=list)
    entries: int = 0
    finished: bool = False
    """Nothing is left but the failures; if not, its time or number was up."""


@dataclass(frozen=True, slots=True)
class _Member:
    program: str
    member_id: str
    pk: str


@dataclass(slots=True)
class _Walk:
    """Through a shard, from page to page. It only goes on: whoever cannot be settled is passed once."""

    shard: int
    start: RawItem | None = None


def _ignore(_sweep: Sweep) -> None:
    """Report nothing."""


class Sweeper:
    """Settles what is due, shard by shard. Any number of them may run at once."""

    def __init__(
        self,
        table: Table,
        clock: Clock,
        *,
        workers: int = WORKERS,
        page: int = PAGE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``workers`` members are settled side by side; ``page`` keys are read at once."""
        self._store = LedgerStore(table)
        self._ledger = Ledger(table, clock, sleep=sleep)
        self._programs = ProgramStore(table, clock)
        self._clock = clock
        self._workers = workers
        self._page = page

    def run(
        self,
        shards: Iterable[int] = SHARDS,
        *,
        deadline: datetime,
        most: int | None = None,
        progress: Callable[[Sweep], None] = _ignore,
    ) -> Sweep:
        """Settles the members that are due in ``shards``, the longest due first.

        Takes up no member after ``deadline`` (UTC), nor when ``most`` were settled. A member who cannot be settled is
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

    def everybody(self, program: str, *, progress: Callable[[Sweep], None] = _ignore) -> Sweep:
        """Settles every member of a program, due or not, which puts each where they belong in the due index.

        For when a new version of the program warns earlier than the one that books were last written by. Reads the
        whole table.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
        """
        scopes: dict[str, Scope | str] = {program: self._programs.current(program).scope}
        sweep, never = Sweep(self._clock()), datetime.max.replace(tzinfo=UTC)
        found = (_parsed(DueBook(pk, "")) for pk in self._store.partitions(program))
        with ThreadPoolExecutor(self._workers) as pool:
            while page := list(islice(found, self._page)):
                for outcome in pool.map(lambda one: self._settle(one, scopes, never), page):
                    _add(sweep, outcome)
                progress(sweep)
        sweep.finished = True
        return sweep

    def _is_over(self, sweep: Sweep, deadline: datetime, most: int | None) -> bool:
        return self._clock() >= deadline or (most is not None and sweep.members >= most)

    def _head(self, shard: int, until: datetime) -> DueBook | Failure | None:
        """The longest due of a shard."""
        try:
            return next(iter(self._store.due(shard, until, limit=1).books), None)
        except Exception as error:  # noqa: BLE001 - the other shards are read all the same
            return Failure(shard_name(shard), name_of(error))

    def _step(self, pool: ThreadPoolExecutor, walk: _Walk, sweep: Sweep, deadline: datetime, most: int | None) -> bool:
        """Settles the next page of a shard; False where nothing comes after it."""
        if self._is_over(sweep, deadline, most):
            return True
        limit = self._page if most is None else min(self._page, most - sweep.members)
        try:
            page = self._store.due(walk.shard, sweep.at, limit=limit, start=walk.start)
        except Exception as error:  # noqa: BLE001 - as above
            sweep.failures.append(Failure(shard_name(walk.shard), name_of(error)))
            return False
        found = [_parsed(book) for book in page.books]
        scopes = {
            program: self._scope(program) for program in {one.program for one in found if isinstance(one, _Member)}
        }
        outcomes = list(pool.map(lambda one: self._settle(one, scopes, deadline), found))
        for outcome in outcomes:
            _add(sweep, outcome)
        if None in outcomes:
            return True
        walk.start = page.next
        return page.next is not None

    def _scope(self, program: str) -> Scope | str:
        """The program's scope, or the name of the error that keeps its members from being settled."""
        try:
            return self._programs.current(program).scope
        except Exception as error:  # noqa: BLE001 - one program's failure is not the others'
            return name_of(error)

    def _settle(
        self, member: _Member | Failure, scopes: Mapping[str, Scope | str], deadline: datetime
    ) -> int | Failure | None:
        """The entries written; None where the time was up before."""
        if isinstance(member, Failure):
            return member
        if self._clock() >= deadline:
            return None
        scope = scopes[member.program]
        if isinstance(scope, str):
            return Failure(member.pk, scope)
        try:
            return self._ledger.settle(scope, member.member_id)
        except (WalletBusy, MemberNotFound):
            # Whoever was in the way settled it first, as every posting does; or the index was behind.
            return 0
        except Exception as error:  # noqa: BLE001 - one member's failure is not the run's
            return Failure(member.pk, name_of(error))


def _add(sweep: Sweep, outcome: int | Failure | None) -> None:
    if isinstance(outcome, Failure):
        sweep.failures.append(outcome)
    elif outcome is not None:
        sweep.entries += outcome
        sweep.members += outcome > 0
        sweep.current += outcome == 0


def _parsed(book: DueBook) -> _Member | Failure:
    try:
        return _Member(*parse_partition(book.pk), book.pk)
    except ValueError as error:
        return Failure(book.pk, name_of(error))


def _lag(heads: Iterable[DueBook | Failure | None], now: datetime) -> timedelta | None:
    read = [head for head in heads if not isinstance(head, Failure)]
    if not read:
        return None
    oldest = min((_moment(head, now) for head in read if head is not None), default=now)
    return max(now - oldest, timedelta())


def _moment(book: DueBook, now: datetime) -> datetime:
    """Since when; ``now`` where what is stored is no moment, which settling the book puts right."""
    try:
        return from_text(book.due_at)
    except ValueError:
        return now


def name_of(error: Exception) -> str:
    """An error by its name alone: what it says may quote what is stored."""
    return error.code if isinstance(error, LoyaltyError) else type(error).__name__
