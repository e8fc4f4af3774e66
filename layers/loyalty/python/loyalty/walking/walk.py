"""Doing something to each member of a program, from checkpoints.

::

    read the checkpoint of the shard                       one item
    a page of its members, from the index                  keys and tiers
        do it to who is meant, several side by side
        write down how far it is                           one item, if nobody was quicker
    … until the shard is walked, or the time is up

A run may be cut off anywhere, and goes on under its name: at most one page is done again, so that what is done must bear
being done twice. Two executions of one run do the same pages, of which one of them writes each down.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.error_names import code_of
from loyalty.core.errors import MemberNotFound
from loyalty.core.table import Table
from loyalty.ledger.store import LedgerStore, ListedMember
from loyalty.walking.errors import RunStopped
from loyalty.walking.runs import SHARDS, Checkpoint, Run, Walked
from loyalty.walking.store import RunStore

WORKERS: Final = 8
"""Members worked on side by side; each waits for AWS most of the time."""
PAGE: Final = 100
TOLERATED: Final = 10
"""Percent of a page: if more fail, something is wrong with more than them, and the shard stops before this page."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)

_Outcome = bool | str
"""Whether something was changed of a member; or the name of the error for which it could not be."""


def everyone(_member: ListedMember) -> bool:
    """Whoever is in the index is meant."""
    return True


def ignore(_checkpoint: Checkpoint) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to a member, and to whom.

    Args:
        act: by a member's id; whether anything was changed. What it raises is counted under its name, and passed.
        meant: of whom is in the index, those it is done to.
    """

    act: Callable[[str], bool]
    meant: Callable[[ListedMember], bool] = everyone


class Walk:
    """Walks many members, shard by shard. Any number of walks may be under way at once."""

    def __init__(
        self, table: Table, clock: Clock, *, workers: int = WORKERS, page: int = PAGE, tolerated: int = TOLERATED
    ) -> None:
        """``workers`` members are worked on side by side; ``page`` are listed at once, ``tolerated`` % of it may fail."""
        self._store = LedgerStore(table)
        self._runs = RunStore(table, clock)
        self._clock = clock
        self._workers = workers
        self._page = page
        self._tolerated = tolerated

    def progress(self, run: Run) -> Walked:
        """How far the run is.

        Raises:
            RunDiffers: under this name the run is of something else.
        """
        return Walked.of(self._runs.checkpoints(run))

    def many(self, run: Run, work: Work, *, progress: Callable[[Walked], None] = lambda _: None) -> Walked:
        """All shards, one after the other, from where the run is; what it has done in all.

        Raises:
            RunDiffers, RunStopped: see :meth:`shard`.
        """
        at = self._runs.checkpoints(run)

        def told(checkpoint: Checkpoint) -> None:
            at[checkpoint.shard] = checkpoint
            progress(Walked.of(at))

        for shard in SHARDS:
            told(self.shard(run, shard, work, told=told))
        return Walked.of(at)

    def shard(
        self,
        run: Run,
        shard: int,
        work: Work,
        *,
        deadline: datetime = NEVER,
        told: Callable[[Checkpoint], None] = ignore,
    ) -> Checkpoint:
        """Goes on in a shard until nobody is left there, or takes up nobody after ``deadline`` (UTC).

        Of whom it fails is counted, named and passed.

        Raises:
            RunDiffers: under this name the run is of something else.
            RunStopped: too many of a page failed. It is not written down, and done again when the run goes on.
        """
        at = self._runs.checkpoint(run, shard)
        with ThreadPoolExecutor(self._workers) as pool:
            while not at.done and self._clock() < deadline:
                at = self._step(pool, work, at, deadline)
                told(at)
        return at

    def _step(self, pool: ThreadPoolExecutor, work: Work, at: Checkpoint, deadline: datetime) -> Checkpoint:
        """One page, or as much of it as there is time for."""
        run = at.run
        page = self._store.members(run.program, at.shard, limit=self._page, after=at.after)
        meant = [one.member_id for one in page.members if work.meant(one)]
        known: list[tuple[str, _Outcome]] = []
        for member_id, outcome in zip(
            meant, pool.map(lambda one: self._outcome(work, one, deadline), meant), strict=True
        ):
            if outcome is None:
                break  # whoever comes after is taken up again
            known.append((member_id, outcome))
        self._require_tolerable([outcome for _, outcome in known])
        if len(known) == len(meant):
            later = at.on(known, after=page.next_after or at.after, done=page.next_after is None)
        elif known:
            later = at.on(known, after=known[-1][0], done=False)
        else:
            return at
        return later if self._runs.save(later) else self._runs.checkpoint(run, at.shard)

    def _outcome(self, work: Work, member_id: str, deadline: datetime) -> _Outcome | None:
        """None where the time was up before."""
        if self._clock() >= deadline:
            return None
        try:
            return work.act(member_id)
        except MemberNotFound:
            return False  # gone since they were listed
        except Exception as error:  # noqa: BLE001 - one member's failure is not the run's
            return code_of(error)

    def _require_tolerable(self, outcomes: Sequence[_Outcome]) -> None:
        errors = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
        if errors.total() * 100 > self._tolerated * self._page:
            names = ", ".join(f"{count} {name}" for name, count in errors.most_common())
            raise RunStopped(
                f"{errors.total()} of {len(outcomes)} members failed: {names}. Mend the cause; the run "
                "goes on under its name, from these."
            )
