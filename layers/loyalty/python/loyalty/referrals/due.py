"""Works off referrals whose moment has come: deadlines, reminders, payments once the return window is over."""

from collections.abc import Callable, Collection
from datetime import datetime

from loyalty.attribution.store import due_shard
from loyalty.core.clock import Clock
from loyalty.core.table import RawItem, Table
from loyalty.ledger.store import DuePage
from loyalty.referrals.lifecycle import Lifecycle, Woken
from loyalty.referrals.looking import Looker
from loyalty.sweeping.walk import PAGE, WORKERS, Act, Due, DueWalk


class DueReferrals(DueWalk):
    """Wakes what is due, shard by shard; ``told`` is told what came of each. Any number of them may run at once."""

    def __init__(
        self,
        table: Table,
        lifecycle: Lifecycle,
        clock: Clock,
        *,
        told: Callable[[Woken], None],
        workers: int = WORKERS,
        page: int = PAGE,
    ) -> None:
        super().__init__(clock, workers=workers, page=page)
        self._looker = Looker(table)
        self._lifecycle = lifecycle
        self._told = told

    def shard_name(self, shard: int) -> str:
        """The key of a shard with referrals."""
        return due_shard(shard)

    def due(self, shard: int, until: datetime, *, limit: int, start: RawItem | None = None) -> DuePage:
        """A page of the referrals that are due."""
        return self._looker.due(shard, until, limit=limit, start=start)

    def acting(self, programs: Collection[str]) -> Act:  # noqa: ARG002 - of whatever program
        """Wakes referrals; programs are read, and kept, by who is woken."""
        return self._wake

    def _wake(self, one: Due) -> int:
        """The steps that were taken."""
        woken = self._lifecycle.woken(one.program, one.member_id)
        if woken is None:
            return 0
        self._told(woken)
        return len(woken.steps)
