"""The sweep: whatever fell due is written down, for members too whom nothing else brings to the ledger.

See :mod:`loyalty.sweeping.walk` for how the index is walked; each member is settled in two round trips. Balances do not wait
for it (see :mod:`loyalty.ledger.settlement`); entries, and the events made of them, do.
"""

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from loyalty.core.clock import Clock
from loyalty.core.error_names import code_of
from loyalty.core.errors import MemberNotFound, WalletBusy
from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import shard_name
from loyalty.ledger.model import Scope
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import DuePage, LedgerStore
from loyalty.programs.store import ProgramStore
from loyalty.sweeping.walk import (
    PAGE,
    SHARDS,
    WORKERS,
    Act,
    Due,
    DueWalk,
    Failure,
    Sweep,
    add,
    ignore,
    parsed,
)

__all__ = ["SHARDS", "WORKERS", "Failure", "Sweep", "Sweeper"]


class Sweeper(DueWalk):
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
        super().__init__(clock, workers=workers, page=page)
        self._store = LedgerStore(table)
        self._ledger = Ledger(table, clock, sleep=sleep)
        self._programs = ProgramStore(table, clock)

    def shard_name(self, shard: int) -> str:
        """The key of a shard with books."""
        return shard_name(shard)

    def due(self, shard: int, until: datetime, *, limit: int, start: RawItem | None = None) -> DuePage:
        """A page of the books in which something fell due."""
        return self._store.due(shard, until, limit=limit, start=start)

    def acting(self, programs: Collection[str]) -> Act:
        """Settles members of these programs."""
        return partial(self._settle, {program: self._scope(program) for program in programs})

    def everybody(self, program: str, *, progress: Callable[[Sweep], None] = ignore) -> Sweep:
        """Settles every member of a program, due or not, which puts each where they belong in the due index.

        For when a new version of the program warns earlier than the one that books were last written by. Reads the
        whole table.

        Raises:
            ProgramNotFound: nothing was ever published under that id.
        """
        act = partial(self._settle, {program: self._programs.current(program).scope})
        sweep, never = Sweep(self._clock()), datetime.max.replace(tzinfo=UTC)
        found = (parsed(pk) for pk in self._store.partitions(program))
        with ThreadPoolExecutor(self._workers) as pool:
            while page := list(islice(found, self._page)):
                for outcome in pool.map(lambda one: self.one(act, one, never), page):
                    add(sweep, outcome)
                progress(sweep)
        sweep.finished = True
        return sweep

    def _scope(self, program: str) -> Scope | str:
        """The program's scope, or the name of the error that keeps its members from being settled."""
        try:
            return self._programs.current(program).scope
        except Exception as error:  # noqa: BLE001 - one program's failure is not the others'
            return code_of(error)

    def _settle(self, scopes: Mapping[str, Scope | str], member: Due) -> int | Failure:
        """The entries written."""
        scope = scopes[member.program]
        if isinstance(scope, str):
            return Failure(member.pk, scope)
        try:
            return self._ledger.settle(scope, member.member_id)
        except (WalletBusy, MemberNotFound):
            # Whoever was in the way settled it first, as every posting does; or the index was behind.
            return 0
