"""What cannot be posted yet waits: purchases by nobody we know, and refunds of what has not come or counts for nobody."""

from typing import Final

from loyalty.accruals.errors import CurrencyMismatch, OccurredInFuture
from loyalty.accruals.model import CLOCK_SKEW
from loyalty.commerce.model import MemberActivity, Purchase, Refund
from loyalty.commerce.outcomes import PROGRAM_UNKNOWN, TOO_MANY_REFUNDS, Outcome
from loyalty.commerce.records import KeptRefund, Record
from loyalty.commerce.store import CommerceStore
from loyalty.commerce.tasks import Task
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import EntryExistsWithDifferentRequest, Rejected
from loyalty.programs.model import Program

MOST_KEPT_REFUNDS: Final = 50
"""Of one purchase that is kept, or has not come."""


class Keeping:
    """Keeps tasks; where one has to be looked at again, it is not done on return."""

    def __init__(self, store: CommerceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def keep(self, task: Task) -> None:
        """Keeps what nobody known did, or a refund.

        Raises:
            Rejected: ``program_unknown`` or ``too_many_refunds``.
            EntryExistsWithDifferentRequest: it counted for another member, or came before with another content.
            CurrencyMismatch, OccurredInFuture: the ledger would refuse the refund too.
            TransactionRefused: others write the same items at the moment; deliver the event again.
        """
        if isinstance(task.asked, Refund):
            self._keep_refund(task, task.asked)
        elif isinstance(task.asked, Purchase | MemberActivity):
            self._keep_purchase(task)

    def _keep_purchase(self, task: Task) -> None:
        before, activity = task.record, task.activity
        if before.counted or activity is None:
            raise EntryExistsWithDifferentRequest(
                f"'{before.source}:{before.source_id}' counted for another member before; send a new source_id."
            )
        program = _required(task.program).document.id
        after = self._store.keep(before, program, activity, task.digests, self._clock())
        if after is not None:
            task.record, task.done = after, [_kept(before, after)]

    def _keep_refund(self, task: Task, event: Refund) -> None:
        """Refused as the ledger would: once it is kept, nobody delivers it again."""
        now, record = self._clock(), task.record
        refund = KeptRefund(from_text(to_text(event.occurred_at)), event.amount, now)  # as it will be read
        if event.source_id in record.refunds:
            if record.refunds[event.source_id] != refund:
                raise EntryExistsWithDifferentRequest(
                    f"'{event.source}:{event.source_id}' came before with another content; send a new source_id."
                )
            task.done = [Outcome.REPLAYED]
            return
        program = record.program if record.seen else _required(task.program).document.id
        if event.occurred_at > now + CLOCK_SKEW:
            raise OccurredInFuture("The refund lies in the future.")
        if record.kept and event.amount.currency != record.currency:
            raise CurrencyMismatch(f"The purchase was in {record.currency}, the refund is in {event.amount.currency}.")
        if len(record.refunds) >= MOST_KEPT_REFUNDS:
            raise Rejected(TOO_MANY_REFUNDS, f"{MOST_KEPT_REFUNDS} refunds of that purchase wait already.")
        after = self._store.keep_refund(record, program or "", event.source_id, refund, now, shop=event.shop)
        if after is not None:
            task.record, task.done = after, [_waits(after)]


def _required(program: Program | None) -> Program:
    if program is None:
        raise Rejected(PROGRAM_UNKNOWN, "The shop is bound to no program, and there is no default program.")
    return program


def _kept(before: Record, after: Record) -> Outcome:
    if after is before or before.digests:
        return Outcome.KEPT_BEFORE
    return Outcome.KEPT if after.digests else Outcome.ANONYMOUS


def _waits(after: Record) -> Outcome:
    if after.awaited:
        return Outcome.REFUND_WAITING
    return Outcome.REFUND_KEPT if after.digests else Outcome.REFUND_ANONYMOUS
