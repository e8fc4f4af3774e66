"""Writes runs and their steps as the state machine does, and decides as it would."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from loyalty.core.clock import Clock
from loyalty.core.money import Money
from loyalty.core.origin import Origin, current
from loyalty.core.table import Put, Table
from loyalty.fulfillment.errors import RunEnded, SelfApproval
from loyalty.fulfillment.run import Run, RunStatus, Step
from loyalty.fulfillment.runs import RunStore, run_item, step_item
from tests.ledgerkit.clock import at

MEMBER: Final = "mbr_01k9t3v5q8w2x4y6z8a0b2c4d6"


def redemption(number: int) -> str:
    """The id of the run that a test calls by a number."""
    return f"rdm_{number:026d}"


def a_run(number: int, opened: str, **changes: Any) -> Run:
    """A run of 25.00 USD; ``value`` and ``cost`` as ``10.00 USD``, moments as text."""
    for name in ("value", "cost"):
        if isinstance(changes.get(name), str):
            changes[name] = Money.parse(changes[name])
    for name in ("ended_at", "approve_until", "decided_at"):
        if isinstance(changes.get(name), str):
            changes[name] = at(changes[name])
    run = Run(
        program="acme",
        redemption_id=redemption(number),
        member_id=MEMBER,
        reward_id="card-25",
        points=2500,
        value=Money.of("25.00", "USD"),
        requested_by="client:app",
        opened_at=at(opened),
        updated_at=at(opened),
    )
    return replace(run, **changes)


def step(number: int, moment: str, name: str, outcome: str, **more: Any) -> Step:
    """A step of a timeline."""
    return Step(number=number, at=at(moment), name=name, outcome=outcome, **more)


def write(table: Table, run: Run, steps: Sequence[Step] = ()) -> Run:
    """Stores a run with its steps, in place of what was there."""
    run = replace(run, steps=len(steps) or run.steps)
    table.write([Put(run_item(run)), *(Put(step_item(run, one)) for one in steps)])
    return run


class FakeDecisions:
    """Moves a run to where the decision leads, at once, with a step; remembers what it was asked.

    Four eyes as in the state machine: who asked for the card is refused.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._runs = RunStore(table)
        self.asked: list[tuple[str, str, str, str | None]] = []
        self.origins: list[Origin] = []

    def approve(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        return self._move("approve", program, redemption_id, RunStatus.ORDERING, by=actor, note=note)

    def reject(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        return self._move("reject", program, redemption_id, RunStatus.REJECTED, by=actor, note=note)

    def retry(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        return self._move("retry", program, redemption_id, RunStatus.ORDERING, by=actor, note=note)

    def cancel(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        return self._move("cancel", program, redemption_id, RunStatus.CANCELLED, by=actor, note=note)

    def resolve(self, program: str, redemption_id: str, *, actor: str, note: str, give_back: bool = False) -> Run:
        return self._move(
            "give_back" if give_back else "resolve", program, redemption_id, RunStatus.RESOLVED, by=actor, note=note
        )

    def reissue(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        return self._move("reissue", program, redemption_id, RunStatus.ORDERING, by=actor, note=note)

    def _move(self, name: str, program: str, redemption_id: str, to: RunStatus, *, by: str, note: str | None) -> Run:
        run = self._runs.get(program, redemption_id)
        if name == "approve" and by == run.requested_by:
            raise SelfApproval("Somebody else has to approve it.")
        if run.ended and name != "reissue":
            raise RunEnded("The run has ended.")
        self.asked.append((name, redemption_id, by, note))
        self.origins.append(current())
        now: datetime = self._clock()
        moved = replace(run, status=to, decided_by=by, decided_at=now, note=note, updated_at=now, steps=run.steps + 1)
        moved = replace(moved, approved_by=by if name == "approve" else run.approved_by)
        moved = replace(moved, ended_at=now if moved.ended else None, revision=run.revision + 1)
        done = Step(number=moved.steps, at=now, name=name, outcome="done", by=by, note=note)
        self._table.write([Put(run_item(moved)), Put(step_item(moved, done))])
        return moved
