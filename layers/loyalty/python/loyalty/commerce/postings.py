"""From tasks to the ledger, with the record of each event beside its entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from pynamodb.exceptions import PynamoDBException

from loyalty.accruals.model import Activity
from loyalty.accruals.model import Refund as Reversal
from loyalty.accruals.service import AccrualService
from loyalty.commerce.model import Refund
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.records import KeptRefund, Record, in_order, refund_of
from loyalty.commerce.store import CommerceStore
from loyalty.commerce.tasks import Run, Target, Task
from loyalty.core.clock import Clock
from loyalty.core.errors import EntryNotFound, LoyaltyError, RecordChanged, Unavailable, WalletBusy
from loyalty.core.transactions import error_code
from loyalty.ledger.draft import Posted, Posting
from loyalty.programs.model import Program

MOST_IN_WAKE: Final = 20
"""Refunds that are posted in their purchase's own transaction; of more, each is posted by itself."""
_OF_ONE_ITEM: Final = frozenset({"ValidationException", "TransactionCanceledException"})
"""What DynamoDB answers where a single item of a transaction may be the reason."""


class Programs(Protocol):
    """Programs, and the shops bound to them."""

    def current(self, program: str) -> Program:
        """The current version; raises ``ProgramNotFound``."""

    def at(self, program: str, moment: datetime) -> Program | None:
        """The version that was in force at a past moment; None where there was none yet."""

    def for_shop(self, domain: str) -> str | None:
        """The program that a shop's events belong to, or None."""


@dataclass(frozen=True, slots=True)
class _New:
    """What is to count for the first time, its record after it, and the refunds in its wake."""

    activity: Activity
    after: Record
    wake: Sequence[KeptRefund]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A task's posting: of a refund, of something new, or (neither) of what counted before, told again."""

    task: Task
    posting: Posting
    refund: Refund | None = None
    new: _New | None = None


class Postings:
    """Posts what events ask for.

    ::

        accrual + its record: counted + the refunds that waited for it     one transaction, with those of other tasks
        where that is refused: accrual + record, its refunds due           one transaction
                               each refund that is due                     one transaction each
                               record: no refunds due; nothing kept        one transaction

    Cut off anywhere, the next delivery of the event or of the claim finds the record, and goes on from there.
    """

    def __init__(self, store: CommerceStore, accruals: AccrualService, programs: Programs, clock: Clock) -> None:
        self._store = store
        self._accruals = accruals
        self._programs = programs
        self._clock = clock

    def post(self, run: Run) -> None:
        """Ends what can be ended; a task that is not done on return has to be looked at again."""
        target, tasks = run.target, run.tasks
        try:
            program = self._programs.current(target.program)
            prepared = [self._prepare(program, target, task) for task in tasks]
            results = self._accruals.post_all(program, target.member_id, [one.posting for one in prepared])
        except Exception as error:  # noqa: BLE001 - one event's failure is not the others'
            self._failed(run, error)
            return
        written: dict[str, Record] = {}
        for one, result in zip(prepared, results, strict=True):
            try:
                self._conclude(one, target, result, written)
            except Exception as error:  # noqa: BLE001 - as above
                one.task.done = error

    def _failed(self, run: Run, error: Exception) -> None:
        """Nothing came of the run as a whole. Unless the table was away, one of the tasks is why: each goes by itself."""
        if len(run.tasks) == 1 or _outage(error):
            for task in run.tasks:
                task.done = error
        else:
            for task in run.tasks:
                self.post(Run(run.target, [task]))

    def _prepare(self, program: Program, target: Target, task: Task) -> _Prepared:
        record, activity = task.record, task.activity
        if isinstance(task.asked, Refund):
            return _Prepared(task, self._accruals.reversal(program, _reversal(task.asked), clamp=True), task.asked)
        if activity is None:
            raise AssertionError("what is posted is an activity or a refund")
        if record.counted:
            return _Prepared(task, self._accruals.posting(program, activity))
        follow = not task.careful and len(record.refunds) <= MOST_IN_WAKE
        after, operations = self._store.counted(
            record, target.program, target.member_id, activity, self._clock(), refunds_follow=follow
        )
        wake = list(in_order(record.refunds)) if follow else []
        refunds = [_reversal(refund_of(record, refund_id, kept)) for refund_id, kept in wake]
        posting = self._accruals.posting(program, activity, operations, refunds=refunds)
        return _Prepared(task, posting, new=_New(activity, after, [kept for _, kept in wake]))

    def _conclude(
        self, one: _Prepared, target: Target, result: Posted | LoyaltyError, written: dict[str, Record]
    ) -> None:
        """``written`` has the records that this run wrote, by identity."""
        task, new = one.task, one.new
        if isinstance(result, LoyaltyError):
            self._refused(one, result)
        elif one.refund is not None:
            task.done = _reversed(task, one.refund, result)
        elif new is None:
            task.unsettled, task.done = task.record, [Outcome.REPLAYED]
        elif not result.replayed:
            task.record = task.unsettled = written[task.identity] = new.after
            task.done = [task.fresh, *_followed(new)]
        elif task.identity in written:
            task.record, task.done = written[task.identity], [Outcome.REPLAYED]
        else:
            self._adopt(task, target, new.activity)

    def _adopt(self, task: Task, target: Target, activity: Activity) -> None:
        """It was posted by somebody who leaves no record, such as a partner: the record is written by itself."""
        after, operations = self._store.counted(
            task.record, target.program, target.member_id, activity, self._clock(), refunds_follow=False
        )
        if self._store.write(operations):
            task.record = task.unsettled = after
            task.done = [Outcome.REPLAYED]

    def _refused(self, one: _Prepared, refusal: LoyaltyError) -> None:
        """Whether another look may help: the record moved on, or one of the refunds that follow is what is refused."""
        task = one.task
        if isinstance(refusal, RecordChanged):
            task.careful = task.looks > 1
        elif one.new is not None and one.new.wake and not isinstance(refusal, WalletBusy | Unavailable):
            task.careful = True
        elif not (isinstance(refusal, EntryNotFound) and not task.record.counted):
            task.done = refusal


def _reversal(refund: Refund) -> Reversal:
    return Reversal(refund.source, refund.source_id, refund.purchase_source_id, refund.occurred_at, refund.amount)


def _reversed(task: Task, refund: Refund, posted: Posted) -> list[Outcome]:
    if posted.replayed:
        return [Outcome.REPLAYED]
    return [task.fresh, Outcome.CLAMPED] if posted.entry.facts.amount != refund.amount else [task.fresh]


def _followed(new: _New) -> list[Outcome]:
    """What became of refunds that were posted with their purchase, of which nothing had been given back before."""
    outcomes: list[Outcome] = []
    paid = new.activity.refund_basis or new.activity.amount
    left = paid.amount if paid else Decimal(0)
    for kept in new.wake:
        clamped = [Outcome.CLAMPED] if kept.amount.amount > left else []
        outcomes += [Outcome.REFUND_POSTED, *clamped]
        left -= min(left, kept.amount.amount)
    return outcomes


def _outage(error: Exception) -> bool:
    """Whether the table was away: it is for whatever it is asked, and asking again for each would take too long."""
    if isinstance(error, PynamoDBException):
        return error_code(error) not in _OF_ONE_ITEM
    return isinstance(error, LoyaltyError)
