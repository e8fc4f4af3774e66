"""What a person of finance decides about a run.

::

    approve     awaiting_approval ─► ordering                          by somebody else than who asked for it
    reject      awaiting_approval ─► (points back) ─► rejected
    retry       attention         ─► screening: another execution goes on where the run stands;
                                     awaiting_approval, where somebody still has to approve it
    cancel      open, fulfilled   ─► (order cancelled, points back) ─► cancelled; kept where the supplier will not
    resolve     attention         ─► resolved: the points are spent, or given back, on the person's word
    reissue     fulfilled         ─► (card taken back) ─► ordering ─► fulfilled with another card

Each is written down first, under the run's revision, then told to the state machine. An execution that was not told, but
goes on, finds it where it looks next; where none goes on, another one is started. Where all of that is lost, the same
decision again does it again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from loyalty.core.clock import Clock
from loyalty.core.table import Operation, Table
from loyalty.fulfillment.errors import (
    NotAwaitingApproval,
    NoteRequired,
    NotReissuable,
    NotResolvable,
    NotRetryable,
    RunChanged,
    RunEnded,
    SelfApproval,
)
from loyalty.fulfillment.executions import ExecutionPort
from loyalty.fulfillment.journal import Did, Journal, after
from loyalty.fulfillment.model import Answer, Progress, RedemptionMoved
from loyalty.fulfillment.recipients import Recipients
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.fulfillment.runs import RunStore
from loyalty.fulfillment.trail import decision_line
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Party, RedemptionStatus
from loyalty.rewards.service import RedemptionService

MAX_NOTE: Final = 1_000
_AFTER: Final = {
    RunStatus.FULFILLED: "Its card was issued: it can be reissued, or cancelled.",
    RunStatus.RESOLVED: "Somebody settled it by hand; points are given or taken by an adjustment.",
    **dict.fromkeys(
        (RunStatus.REFUSED, RunStatus.REJECTED, RunStatus.EXPIRED, RunStatus.CANCELLED),
        "Its points went back: the member can redeem again.",
    ),
}
"""What can still be done about a run that is over."""
_ATTEMPTS: Final = 4


@dataclass(frozen=True, slots=True)
class _Person:
    """Who decides what, and why."""

    name: str
    actor: str
    note: str | None

    def did(self) -> Did:
        """The decision as a step."""
        return Did(self.name, by=self.actor, note=self.note)


class Decisions:
    """Each decision is written down first, conditionally, and then told to the state machine; repeated, it says so again."""

    def __init__(
        self,
        *,
        table: Table,
        programs: ProgramStore,
        redemptions: RedemptionService,
        executions: ExecutionPort,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._runs = RunStore(table)
        self._recipients = Recipients(table)
        self._journal = Journal(table, clock, sleep=sleep)
        self._programs = programs
        self._redemptions = redemptions
        self._executions = executions
        self._clock = clock

    def approve(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        """Lets a run that awaits approval order its card.

        Raises:
            FulfillmentRunNotFound: there is no such run.
            NotAwaitingApproval: it needs no approval, was decided, or its deadline has passed.
            SelfApproval: ``actor`` asked for it, or named who did, and the program wants somebody else.
            RunEnded: it is over.
            RunChanged: others were faster, every time.
        """
        person = _Person("approve", actor, _checked(note))

        def write(run: Run) -> Run:
            if run.approved_by == actor:
                return run
            self._require_awaiting(run)
            if run.asked_by(actor) and self._programs.current(program).document.four_eyes.approvals:
                raise SelfApproval(f"'{actor}' asked for this redemption; somebody else has to approve it.")
            return self._write(run, person, status=RunStatus.ORDERING, approved_by=actor)

        return self._tell(self._decided(program, redemption_id, write), Progress.CLEAR)

    def reject(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Ends a run that awaits approval: the points go back.

        Raises:
            FulfillmentRunNotFound, NotAwaitingApproval, RunEnded, RunChanged: as of :meth:`approve`.
            NoteRequired: it says not why.
        """
        person = _Person("reject", actor, _required(note))

        def write(run: Run) -> Run:
            if RunStatus.REJECTED in {run.ends_as, run.status} and run.decided_by == actor:
                return run
            self._require_awaiting(run)
            return self._write(run, person, ends_as=RunStatus.REJECTED, reason="rejected")

        return self._tell(self._decided(program, redemption_id, write), Progress.NOT_ORDERED)

    def retry(self, program: str, redemption_id: str, *, actor: str, note: str | None = None) -> Run:
        """Starts the state machine anew for a run that needs attention, or whose execution died.

        Raises:
            FulfillmentRunNotFound, RunChanged: as of :meth:`approve`.
            RunEnded: it is over.
            NotRetryable: its execution goes on by itself.
        """
        person = _Person("retry", actor, _checked(note))

        def write(run: Run) -> Run:
            if run.ended and _settled(run):
                raise RunEnded(f"The run is {run.status}; there is nothing to try again.")
            if run.status is RunStatus.ATTENTION:
                unapproved = bool(run.flags) and run.approved_by is None
                status = RunStatus.AWAITING_APPROVAL if unapproved else RunStatus.SCREENING
                reason = run.flags[0] if unapproved else None
                again = {"status": status, "reason": reason, "candidate": 0, "turn_at": None}
                return self._write(run, person, executions=run.executions + 1, **again)
            running = self._executions.running(run)
            if running is None:
                return run  # written, and not started
            if running:
                if run.executions > 1 and run.decided_by == actor:
                    return run
                raise NotRetryable(f"The run is {run.status} and under way; wait for it, or cancel it.")
            return self._write(run, person, executions=run.executions + 1)

        return self._start(self._decided(program, redemption_id, write))

    def cancel(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Gives a run up: what was ordered is cancelled at the supplier, then the points go back.

        This is what is asked for, not what has happened: where the supplier will not take back a card that was paid
        for, the run is fulfilled again, with the reason ``void_refused`` and the step ``cancel`` refused.

        Raises:
            FulfillmentRunNotFound, RunChanged, NoteRequired: as of :meth:`reject`.
            RunEnded: its points are back, or it was settled otherwise.
        """
        person = _Person("cancel", actor, _required(note))

        def write(run: Run) -> Run:
            if RunStatus.CANCELLED in {run.ends_as, run.status}:
                return run
            if run.ends_as is not None or (run.ended and run.status is not RunStatus.FULFILLED):
                raise RunEnded(f"The run is {run.ends_as or run.status}; there is nothing to cancel.")
            over = run.status in {RunStatus.ATTENTION, RunStatus.FULFILLED}
            # Its execution sleeps until its turn, for hours maybe: another one gives the points back.
            another = over or run.turn_at is not None
            changes = {"ends_as": RunStatus.CANCELLED, "replaces": 0, "reason": "cancelling", "turn_at": None}
            token = None if another else run.task_token
            return self._write(run, person, executions=run.executions + another, task_token=token, **changes)

        return self._tell(self._decided(program, redemption_id, write), Progress.NOT_ORDERED)

    def resolve(self, program: str, redemption_id: str, *, actor: str, note: str, give_back: bool = False) -> Run:
        """Closes a run that needs attention and was settled outside of the platform.

        The member was served, so the points are spent; with ``give_back`` they were not, and the points go back, also
        captured ones, without a word of the supplier's.

        Raises:
            FulfillmentRunNotFound, RunChanged, NoteRequired: as of :meth:`reject`.
            NotResolvable: it needs nobody's attention.
            FulfillmentInProgress: ``give_back``, and a card is stored whose points are held.
            WalletBusy: see :meth:`RedemptionService.capture`.
        """
        person = _Person("resolve", actor, _required(note))

        def write(run: Run) -> Run:
            if run.status is RunStatus.RESOLVED:
                return run
            if run.status is not RunStatus.ATTENTION or run.ends_as is not None:
                raise NotResolvable(f"The run is {run.status}; only one that needs attention can be resolved.")
            now = self._clock()
            changed, operations = after(run, person.did(), now, **_resolved(person, now))
            self._settle(
                run,
                [*operations, decision_line(run, changed, person.name, actor=person.actor, at=now)],
                give_back=give_back,
            )
            return changed

        return self._decided(program, redemption_id, write)

    def reissue(self, program: str, redemption_id: str, *, actor: str, note: str) -> Run:
        """Has the supplier take an issued card back, and orders another one; its points stay spent.

        Raises:
            FulfillmentRunNotFound, RunChanged, NoteRequired: as of :meth:`reject`.
            NotReissuable: no card was issued, or it is being given up.
            RecipientErased: the member was erased, or their erasure is approved.
        """
        person = _Person("reissue", actor, _required(note))

        def write(run: Run) -> Run:
            if run.replaces and run.decided_by == actor:
                return run
            if run.status is not RunStatus.FULFILLED or run.ends_as is not None or run.replaces:
                raise NotReissuable(f"The run is {run.ends_as or run.status}; only an issued card can be replaced.")
            there = self._recipients.require(run)
            changes = {"executions": run.executions + 1, "replaces": run.orders, "reason": "reissue"}
            return self._write(run, person, *there, **changes)

        return self._start(self._decided(program, redemption_id, write))

    def _require_awaiting(self, run: Run) -> None:
        if run.ended:
            raise RunEnded(f"The run is {run.status}; there is nothing to approve or reject. {_AFTER[run.status]}")
        if run.status is not RunStatus.AWAITING_APPROVAL or run.ends_as is not None:
            raise NotAwaitingApproval(f"The run is {run.ends_as or run.status}; there is nothing to approve or reject.")
        if run.approve_until is not None and self._clock() >= run.approve_until:
            raise NotAwaitingApproval("The deadline of this approval has passed; the points are going back.")

    def _decided(self, program: str, redemption_id: str, write: Callable[[Run], Run]) -> Run:
        """What ``write`` makes of the run, read anew where another writer was faster."""
        for _ in range(_ATTEMPTS):
            try:
                return write(self._runs.get(program, redemption_id))
            except RedemptionMoved:
                continue
        raise RunChanged("The run is changing at this moment; look at it and decide again.")

    def _write(self, run: Run, person: _Person, *also: Operation, **changes: Any) -> Run:
        now = self._clock()
        who: dict[str, Any] = {"decided_by": person.actor, "decided_at": now, "note": person.note}
        line = decision_line(run, replace(run, **who, **changes), person.name, actor=person.actor, at=now)
        return self._journal.write(run, person.did(), line, *also, **who, **changes)

    def _settle(self, run: Run, operations: list[Operation], *, give_back: bool) -> None:
        program = self._programs.current(run.program)
        whose = run.member_id, run.redemption_id
        redemption = self._redemptions.get(run.program, *whose)
        if give_back and redemption.status is RedemptionStatus.CAPTURED:
            self._redemptions.cancel(program, *whose, by=Party.FULFILLMENT, giving=operations)
        elif redemption.status is not RedemptionStatus.HELD:
            self._journal.commit(operations)
        elif give_back:
            self._redemptions.release(
                program,
                *whose,
                by=Party.FULFILLMENT,
                order_requests=redemption.order_requests,
                giving=operations,
            )
        else:
            self._redemptions.capture(program, *whose, by=Party.FULFILLMENT, giving=operations)

    def _tell(self, run: Run, progress: Progress) -> Run:
        """Has the decision carried out: by the execution that waits for it, the one that goes on, or another one."""
        if _settled(run) or (run.task_token is not None and self._executions.wake(run.task_token, Answer(progress))):
            return run

        def go_on(run: Run) -> Run:
            if _settled(run) or self._executions.running(run) is not False:
                return run
            return self._journal.write(run, Did("restart"), executions=run.executions + 1, task_token=None)

        run = self._decided(run.program, run.redemption_id, go_on)
        return run if _settled(run) else self._start(run)

    def _start(self, run: Run) -> Run:
        """Starts the run's execution; one that was started before is left alone."""
        self._executions.start(run)
        return run


def _settled(run: Run) -> bool:
    """Whether the machine has nothing to do: the run is over, or a person's, and nobody asked for more since."""
    return (run.ended or run.status is RunStatus.ATTENTION) and run.ends_as is None and not run.replaces


def _resolved(person: _Person, now: Any) -> dict[str, Any]:
    who = {"decided_by": person.actor, "decided_at": now, "note": person.note}
    return {**who, "status": RunStatus.RESOLVED, "reason": None, "task_token": None}


def _checked(note: str | None) -> str | None:
    if note is not None and len(note) > MAX_NOTE:
        raise NoteRequired(f"A note has {MAX_NOTE:,} characters at most.", pointer="/note")
    return note


def _required(note: str) -> str:
    if not note.strip():
        raise NoteRequired("Say why, in a note: it stays with the run.", pointer="/note")
    return _checked(note) or note
