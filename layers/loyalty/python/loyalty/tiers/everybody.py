"""Recalculating the tiers of many members: after a new version of the program has other thresholds, or ends tiers.

Reads of each member their wallet and nothing of their history. Under one run's name nobody is changed twice.
"""

from collections.abc import Callable
from datetime import datetime

from loyalty.core.clock import Clock
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.programs.model import Program
from loyalty.tiers.errors import TierUnknown
from loyalty.tiers.runs import TierRun
from loyalty.tiers.service import TierService
from loyalty.walking.runs import Checkpoint, Walked
from loyalty.walking.walk import NEVER, PAGE, TOLERATED, WORKERS, Walk, Work, ignore


class Recalculation:
    """Recalculates one member, or many, shard by shard. Any number of them may run at once."""

    def __init__(
        self, table: Table, clock: Clock, *, workers: int = WORKERS, page: int = PAGE, tolerated: int = TOLERATED
    ) -> None:
        """For the numbers see :class:`Walk`."""
        self._walk = Walk(table, clock, workers=workers, page=page, tolerated=tolerated)
        self._tiers = TierService(Ledger(table, clock))
        self._clock = clock

    def one(self, program: Program, member_id: str, run: TierRun) -> bool:
        """Whether the member stands elsewhere now. Under one run it happens once.

        Raises:
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        posted = self._tiers.recalculate(program, member_id, cause=run.cause, posted_at=self._clock())
        return posted is not None and not posted.replayed

    def begin(self, program: Program, run: TierRun) -> Walked:
        """How far the run is, before it begins or goes on.

        Raises:
            TierUnknown: no ladder of the program has such a tier.
            RunDiffers: under this name others were recalculated.
        """
        _require_tier(program, run)
        return self.progress(run)

    def progress(self, run: TierRun) -> Walked:
        """How far the run is.

        Raises:
            RunDiffers: under this name others were recalculated.
        """
        return self._walk.progress(run)

    def many(self, program: Program, run: TierRun, *, progress: Callable[[Walked], None] = lambda _: None) -> Walked:
        """All shards, one after the other, from where the run is; what it has done in all.

        Raises:
            TierUnknown, RunDiffers: see :meth:`begin`.
            RunStopped: see :meth:`Walk.shard`.
        """
        _require_tier(program, run)
        return self._walk.many(run, self._work(program, run), progress=progress)

    def shard(
        self,
        program: Program,
        run: TierRun,
        shard: int,
        *,
        deadline: datetime = NEVER,
        told: Callable[[Checkpoint], None] = ignore,
    ) -> Checkpoint:
        """Goes on in a shard; see :meth:`Walk.shard`."""
        return self._walk.shard(run, shard, self._work(program, run), deadline=deadline, told=told)

    def _work(self, program: Program, run: TierRun) -> Work:
        return Work(
            act=lambda member_id: self.one(program, member_id, run),
            meant=lambda one: run.tier is None or run.tier in one.tiers,
        )


def _require_tier(program: Program, run: TierRun) -> None:
    known = {one.id for parts in program.document.all_ladders.values() for one in parts.tiers}
    if run.tier is not None and run.tier not in known:
        raise TierUnknown(f"There is no tier '{run.tier}' in '{run.program}'; there are {', '.join(sorted(known))}.")
