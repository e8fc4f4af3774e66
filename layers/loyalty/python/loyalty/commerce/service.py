"""What inbound events do: points for members, points back, something kept for a stranger, or nothing.

::

    plan     each event: its program, what it asks for, under which hashes its member may be found
    look     what became of all of them before, and who has the hashes       one round trip for a hundred items
    lanes    what belongs together in order; lanes side by side
    post     per member: everything that can be posted, at once               two round trips
    settle   what could not be: kept; refused; looked at again

Every way through is safe to take again, whole or from any point where it was cut off: the ledger counts an identity
once, what is written beside an entry is in the entry's own transaction, and everything else is conditional.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from loyalty.accruals.model import Activity
from loyalty.accruals.service import AccrualService
from loyalty.commerce.claims import Claims
from loyalty.commerce.comings import Comings, Members
from loyalty.commerce.items import NO_LINES
from loyalty.commerce.keeping import Keeping
from loyalty.commerce.model import (
    PLATFORMS,
    CustomerRef,
    Ignored,
    Inbound,
    MemberActivity,
    MemberSignal,
    Purchase,
    Refund,
)
from loyalty.commerce.outcomes import FINAL, PROGRAM_UNKNOWN, Outcome
from loyalty.commerce.postings import Postings, Programs
from loyalty.commerce.records import Record, Unclaimed, in_order, refund_of
from loyalty.commerce.store import CommerceStore, Wanted
from loyalty.commerce.tasks import Task, elsewhere, lanes, run_of
from loyalty.core.clock import Clock
from loyalty.core.errors import ProgramNotFound, Rejected, Unavailable, WalletBusy
from loyalty.programs.model import Program

ATTEMPTS: Final = 3
"""Times that a task is looked at, because a member came, or another delivery, at the same moment."""


class Hashes(Protocol):
    """Keyed hashes of buyers."""

    def digests(self, program: str, customer: CustomerRef) -> tuple[str, ...]:
        """Under which a member may be found; the first that somebody has wins."""


def _in_time() -> bool:
    return False


class InboundService:
    """Applies inbound events. ``default_program`` takes the events that name neither a program nor a bound shop."""

    def __init__(
        self,
        *,
        store: CommerceStore,
        programs: Programs,
        members: Members,
        buyers: Hashes,
        accruals: AccrualService,
        clock: Clock,
        default_program: str | None = None,
    ) -> None:
        self._store = store
        self._programs = programs
        self._buyers = buyers
        self._postings = Postings(store, accruals, programs, clock)
        self._keeping = Keeping(store, clock)
        self._claims = Claims(store, self.work, clock)
        self._comings = Comings(members, programs, accruals, self._claims)
        self._clock = clock
        self._default_program = default_program

    def apply(self, event: Inbound) -> list[Outcome]:
        """Does what one event asks for. A member's coming may claim several things, or none.

        Raises:
            Rejected: ``program_unknown`` or ``too_many_refunds``.
            LoyaltyError: the ledger's refusal; ``outcomes.final`` tells whether another delivery can go better.
            TransactionRefused: others write the same items at the moment; deliver the event again.
            Unfinished: a member's coming moves more than one delivery does; deliver the event again.
        """
        task = self.plan(event)
        for lane in self.look([task]):
            self.work(lane)
        if isinstance(task.done, Exception):
            raise task.done
        return task.done or []

    def plan(self, event: Inbound) -> Task:
        """The event as a task; never raises for what is wrong with it, but ends the task."""
        if isinstance(event, Ignored):
            return Task(event, done=[Outcome.IGNORED])
        if isinstance(event, MemberSignal):
            return Task(event)
        if isinstance(event, Refund):
            task = Task(event, fresh=Outcome.REVERSED)
        else:
            named = event.member_id if isinstance(event, MemberActivity) else None
            task = Task(event, activity=_activity(event), named=named)
        try:
            self._belongs_to(task, self._program(event))
        except Exception as error:  # noqa: BLE001 - one event's failure is not the batch's
            task.done = error
        return task

    def look(self, tasks: Sequence[Task]) -> list[list[Task]]:
        """What became of the events before, all in one look; the lanes in which those that are not done belong together.

        Raises:
            Unavailable: the table does not answer.
        """
        left = [task for task in tasks if task.done is None]
        self._look([task for task in left if not isinstance(task.asked, MemberSignal)])
        return lanes(left)

    def work(self, lane: Sequence[Task], late: Callable[[], bool] = _in_time) -> None:
        """Takes a lane's tasks to their ends, in order. Where ``late``, the rest is left to the next delivery."""
        left = list(lane)
        while left:
            if late():
                for task in left:
                    task.done = Unavailable("There was no time left for this event; deliver it again.")
                return
            run = run_of(left)
            if run is not None:
                self._postings.post(run)
            else:
                self._by_itself(left[0])
            gone = run.tasks if run is not None else left[:1]
            for task in gone:
                self._settle(task, late)
            left = left[len(gone) :]
            _share(gone, left)
            again = [task for task in gone if task.done is None]
            self._look_again(again)
            _share(again, left)
            left = [*(task for task in again if task.done is None), *left]

    def _by_itself(self, task: Task) -> None:
        """What is not posted as it is: it may be kept, refused, or belong elsewhere."""
        try:
            match task.asked:
                case MemberSignal() as signal:
                    task.done = self._comings.came(signal)
                case Unclaimed():
                    self._claims.drop(task, task.asked)
                case Purchase() | MemberActivity() if task.record.kept and elsewhere(task):
                    self._belongs_to(task, self._current(task.record.program))  # it came when its shop belonged to it
                case _:
                    self._keeping.keep(task)
        except Exception as error:  # noqa: BLE001 - one event's failure is not its lane's
            task.done = error

    def _settle(self, task: Task, late: Callable[[], bool]) -> None:
        """Posts the refunds that waited for a purchase, which counts now, and were not posted with it."""
        record, task.unsettled = task.unsettled, None
        if record is None or not record.refunds or not isinstance(task.done, list):
            return
        try:
            program = self._current(record.program)
            parts = [
                Task(refund_of(record, *kept), program, fresh=Outcome.REFUND_POSTED, record=record, looks=1)
                for kept in in_order(record.refunds)
            ]
            self.work(parts, late)
            ends = {part.asked.source_id: _settled(part) for part in parts if isinstance(part.asked, Refund)}
            task.done = [*task.done, *(outcome for end in ends.values() for outcome in end)]
            left = [refund_id for refund_id, end in ends.items() if Outcome.REFUND_REFUSED in end]
            if len(left) < len(ends):
                task.record = self._store.settle(record, left, self._clock())
        except Exception as error:  # noqa: BLE001 - as above
            task.done = error

    def _look_again(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            if task.looks >= ATTEMPTS:
                task.done = WalletBusy("The purchase is being changed at the moment; deliver the event again.")
        left = [task for task in tasks if task.done is None]
        try:
            self._look(left)
        except Exception as error:  # noqa: BLE001 - as above
            for task in left:
                task.done = error

    def _look(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        wanted = [
            Wanted(task.program.document.id if task.program else None, *task.purchase, task.digests) for task in tasks
        ]
        for task, found in zip(tasks, self._store.look(wanted, self._clock()), strict=True):
            task.record, task.owners = found.record, found.owners
            task.looks += 1

    def _belongs_to(self, task: Task, program: Program | None) -> None:
        """Sets the program of a task, and with it the hashes of its buyer."""
        task.program = program
        customer = task.asked.customer if isinstance(task.asked, Purchase | MemberActivity) else None
        task.digests = self._buyers.digests(program.document.id, customer) if program and customer else ()

    def _program(self, event: Purchase | MemberActivity | Refund) -> Program | None:
        """The event's program by today's settings; None where only its record may tell."""
        of_shop = self._programs.for_shop(event.shop) if not isinstance(event, MemberActivity) and event.shop else None
        program = event.program or of_shop or self._default_program
        if program:
            return self._current(program)
        if event.source in PLATFORMS:
            return None
        raise Rejected(PROGRAM_UNKNOWN, "The event names no program, and there is no default program.")

    def _current(self, program: str | None) -> Program:
        try:
            return self._programs.current(program or "")
        except ProgramNotFound:
            raise Rejected(PROGRAM_UNKNOWN, f"There is no program '{program}'.") from None


def _share(known: Sequence[Task], left: Sequence[Task]) -> None:
    """Tells the tasks that are left what others know of their records now."""
    latest: dict[str, Record] = {}
    for task in known:
        if task.record.version >= latest.get(task.identity, task.record).version:
            latest[task.identity] = task.record
    for task in left:
        task.record = latest.get(task.identity, task.record)


def _settled(part: Task) -> list[Outcome]:
    if isinstance(part.done, FINAL):
        return [Outcome.REFUND_REFUSED]
    if isinstance(part.done, Exception):
        raise part.done
    return part.done or []


def _activity(event: Purchase | MemberActivity) -> Activity:
    purchase = event if isinstance(event, Purchase) else None
    return Activity(
        activity="purchase" if isinstance(event, Purchase) else event.activity,
        source=event.source,
        source_id=event.source_id,
        occurred_at=event.occurred_at,
        channel=event.channel,
        amount=event.amount,
        refund_basis=purchase.refund_basis if purchase else None,
        details=NO_LINES if isinstance(event, Purchase) else event.details or NO_LINES,
        lines=event.lines,
        tax=event.tax,
        shipping=None if isinstance(event, Purchase) else event.shipping,
        store=None if isinstance(event, Purchase) else event.store,
        attributes={} if isinstance(event, Purchase) else event.attributes,
    )
