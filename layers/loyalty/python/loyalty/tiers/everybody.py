"""Recalculating the tiers of many members: after a new version of the program has other thresholds, or ends tiers.

::

    read the checkpoint of the shard                       one item
    a page of its members, from the index                  keys and tiers
        recalculate who is meant, several side by side     their wallets, nothing of their history
        write down how far it is                           one item, if nobody was quicker
    … until the shard is walked, or the time is up

A run may be cut off anywhere, and goes on under its name: at most one page is done again, and under one name nobody is
changed twice. Two executions of one run do the same pages, of which one of them writes each down.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.errors import LoyaltyError, MemberNotFound
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import Program
from loyalty.tiers.errors import RecalculationStopped, TierUnknown
from loyalty.tiers.runs import SHARDS, Checkpoint, Recalculated, Run
from loyalty.tiers.service import TierService
from loyalty.tiers.store import RunStore

WORKERS: Final = 8
"""Members recalculated side by side; each waits for DynamoDB most of the time."""
PAGE: Final = 100
TOLERATED: Final = 10
"""Percent of a page: if more fail, something is wrong with more than them, and the shard stops before this page."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)

_Outcome = bool | str
"""Whether a member stands elsewhere now; or the name of the error for which they could not be recalculated."""


def _ignore(_checkpoint: Checkpoint) -> None:
    """Report nothing."""


class Recalculation:
    """Recalculates one member, or many, shard by shard. Any number of them may run at once."""

    def __init__(
        self, table: Table, clock: Clock, *, workers: int = WORKERS, page: int = PAGE, tolerated: int = TOLERATED
    ) -> None:
        """``workers`` members are recalculated side by side; ``page`` are listed at once, ``tolerated`` % of it may fail."""
        self._store = LedgerStore(table)
        self._runs = RunStore(table, clock)
        self._tiers = TierService(Ledger(table, clock))
        self._clock = clock
        self._workers = workers
        self._page = page
        self._tolerated = tolerated

    def one(self, program: Program, member_id: str, run: Run) -> bool:
        """Whether the member stands elsewhere now. Under one run it happens once.

        Raises:
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        posted = self._tiers.recalculate(program, member_id, cause=run.cause, posted_at=self._clock())
        return posted is not None and not posted.replayed

    def begin(self, program: Program, run: Run) -> Recalculated:
        """How far the run is, before it begins or goes on.

        Raises:
            TierUnknown: no ladder of the program has such a tier.
            RecalculationDiffers: under this name others were recalculated.
        """
        _require_tier(program, run)
        return self.progress(run)

    def progress(self, run: Run) -> Recalculated:
        """How far the run is.

        Raises:
            RecalculationDiffers: under this name others were recalculated.
        """
        return Recalculated.of(self._runs.checkpoints(run))

    def many(
        self, program: Program, run: Run, *, progress: Callable[[Recalculated], None] = lambda _: None
    ) -> Recalculated:
        """All shards, one after the other, from where the run is; what it has done in all.

        Raises:
            TierUnknown, RecalculationDiffers: see :meth:`begin`.
            RecalculationStopped: see :meth:`shard`.
        """
        _require_tier(program, run)
        at = self._runs.checkpoints(run)

        def told(checkpoint: Checkpoint) -> None:
            at[checkpoint.shard] = checkpoint
            progress(Recalculated.of(at))

        for shard in SHARDS:
            told(self.shard(program, run, shard, told=told))
        return Recalculated.of(at)

    def shard(
        self,
        program: Program,
        run: Run,
        shard: int,
        *,
        deadline: datetime = NEVER,
        told: Callable[[Checkpoint], None] = _ignore,
    ) -> Checkpoint:
        """Goes on in a shard until nobody is left there, or takes up nobody after ``deadline`` (UTC).

        Who cannot be recalculated is counted, named and passed.

        Raises:
            RecalculationDiffers: under this name others were recalculated.
            RecalculationStopped: too many of a page failed. It is not written down, and done again when the run goes on.
        """
        at = self._runs.checkpoint(run, shard)
        with ThreadPoolExecutor(self._workers) as pool:
            while not at.done and self._clock() < deadline:
                at = self._step(pool, program, at, deadline)
                told(at)
        return at

    def _step(self, pool: ThreadPoolExecutor, program: Program, at: Checkpoint, deadline: datetime) -> Checkpoint:
        """One page, or as much of it as there is time for."""
        run = at.run
        page = self._store.members(run.program, at.shard, limit=self._page, after=at.after)
        meant = [one.member_id for one in page.members if run.tier is None or run.tier in one.tiers]
        known: list[tuple[str, _Outcome]] = []
        for member_id, outcome in zip(
            meant, pool.map(lambda one: self._outcome(program, one, run, deadline), meant), strict=True
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

    def _outcome(self, program: Program, member_id: str, run: Run, deadline: datetime) -> _Outcome | None:
        """None where the time was up before."""
        if self._clock() >= deadline:
            return None
        try:
            return self.one(program, member_id, run)
        except MemberNotFound:
            return False  # gone since they were listed
        except Exception as error:  # noqa: BLE001 - one member's failure is not the run's
            return error.code if isinstance(error, LoyaltyError) else type(error).__name__

    def _require_tolerable(self, outcomes: Sequence[_Outcome]) -> None:
        errors = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
        if errors.total() * 100 > self._tolerated * self._page:
            names = ", ".join(f"{count} {name}" for name, count in errors.most_common())
            raise RecalculationStopped(
                f"{errors.total()} of {len(outcomes)} members could not be recalculated: {names}. Mend the cause; the run "
                "goes on under its name, from these."
            )


def _require_tier(program: Program, run: Run) -> None:
    known = {one.id for parts in program.document.all_ladders.values() for one in parts.tiers}
    if run.tier is not None and run.tier not in known:
        raise TierUnknown(f"There is no tier '{run.tier}' in '{run.program}'; there are {', '.join(sorted(known))}.")
