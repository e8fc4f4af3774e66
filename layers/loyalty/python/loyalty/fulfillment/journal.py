"""Writing a run down: each change of it goes with a step of its timeline, in one transaction with whatever else changes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from loyalty.core.backoff import jitter
from loyalty.core.clock import Clock
from loyalty.core.money import Money
from loyalty.core.table import Operation, Put, Table, TransactionRefused
from loyalty.fulfillment.model import RedemptionMoved
from loyalty.fulfillment.run import ENDED, Run, RunStatus, Step
from loyalty.fulfillment.runs import RunItem, StepItem, run_item, step_item

ASKED: Final = "asked"
DONE: Final = "done"
_ATTEMPTS: Final = 5
_BASE_SECONDS: Final = 0.02
_CAP_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Did:
    """A step before it has a number and a moment; see :class:`Step`."""

    name: str
    outcome: str = DONE
    supplier: str | None = None
    external_id: str | None = None
    request_id: str | None = None
    cost: Money | None = None
    error: str | None = None
    by: str | None = None
    note: str | None = None


def after(run: Run, did: Did, now: datetime, **changes: Any) -> tuple[Run, list[Operation]]:
    """The run after a step and ``changes``, and the operations that write both if the run is as it was read."""
    status: RunStatus = changes.get("status", run.status)
    changed = replace(
        run,
        **changes,
        steps=run.steps + 1,
        revision=run.revision + 1,
        updated_at=now,
        ended_at=(run.ended_at if run.status is status and run.ended_at else now) if status in ENDED else None,
    )
    unchanged = RunItem.revision == run.revision
    return changed, [Put(run_item(changed), unchanged), _step(changed, did, now)]


def opened(run: Run, did: Did, now: datetime) -> tuple[Run, list[Operation]]:
    """A new run with its first step, and the operations that write both unless there is one."""
    first = replace(run, steps=1, revision=1, updated_at=now)
    return first, [Put(run_item(first), RunItem.pk.does_not_exist()), _step(first, did, now)]


def _step(run: Run, did: Did, now: datetime) -> Put:
    what = {field.name: getattr(did, field.name) for field in fields(did)}
    return Put(step_item(run, Step(number=run.steps, at=now, **what)), StepItem.pk.does_not_exist())


class Journal:
    """Writes runs. What another writer overtook is a :class:`RedemptionMoved`: it is read and decided anew."""

    def __init__(self, table: Table, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._clock = clock
        self._sleep = sleep

    def open(self, run: Run, did: Did, *also: Operation) -> Run:
        """Writes a new run.

        Raises:
            RedemptionMoved: another invocation opened it.
        """
        first, operations = opened(run, did, self._clock())
        self.commit([*operations, *also])
        return first

    def write(self, run: Run, did: Did, *also: Operation, **changes: Any) -> Run:
        """Writes a step, what it changes in the run, and ``also``; all of it, or nothing.

        Raises:
            RedemptionMoved: the run, or what one of the other operations needs, is not as it was read.
        """
        changed, operations = after(run, did, self._clock(), **changes)
        self.commit([*operations, *also])
        return changed

    def commit(self, operations: Sequence[Operation]) -> None:
        """One transaction, tried again while another one is at work on one of the items.

        Raises:
            RedemptionMoved: a condition did not hold.
            TransactionRefused: other transactions were in the way every time.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._table.write(operations)
            except TransactionRefused as refusal:
                if refusal.failed or not refusal.contended:
                    raise RedemptionMoved("it changed meanwhile: the next attempt reads it anew") from refusal
                if attempt + 1 == _ATTEMPTS:
                    raise
                self._sleep(jitter(attempt, base=_BASE_SECONDS, cap=_CAP_SECONDS))
        raise AssertionError("unreachable")
