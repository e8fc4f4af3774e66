"""From an event to the ledger, with the record of the event beside the entry."""

from loyalty.accruals.service import AccrualService, Activity
from loyalty.accruals.service import Refund as Reversal
from loyalty.commerce.model import Refund
from loyalty.commerce.outcomes import FINAL, Outcome
from loyalty.commerce.records import Record
from loyalty.commerce.store import CommerceStore
from loyalty.core.clock import Clock
from loyalty.core.errors import RecordChanged
from loyalty.programs.model import Program


class Postings:
    """Posts what events ask for, and then what was kept beside them.

    ::

        accrual + record: counted, its refunds due     one transaction
        each refund that is due                        one transaction each, the ledger counts it once
        record: no refunds due; nothing kept           one transaction

    Cut off anywhere, the next delivery of the event or of the claim finds the record, and goes on from there.
    """

    def __init__(self, store: CommerceStore, accruals: AccrualService, clock: Clock) -> None:
        self._store = store
        self._accruals = accruals
        self._clock = clock

    def count(
        self, record: Record, program: Program, member_id: str, activity: Activity, fresh: Outcome
    ) -> list[Outcome]:
        """Points for an activity that waits or is new; ``fresh`` is what it is called where this call posts it.

        Raises:
            RecordChanged: the record is not as it was read any more: look again.
            TransactionRefused: see :meth:`settle`.
            LoyaltyError: see :meth:`AccrualService.accrue`.
        """
        after, operations = self._store.counted(record, program.document.id, member_id, activity, self._clock())
        posted = self._accruals.accrue(program, member_id, activity, operations=operations)
        # It was posted by somebody who leaves no record, such as a partner: then the record is written by itself.
        if posted.replayed and not self._store.write(operations):
            raise RecordChanged("Another delivery of this event came first.")
        return [Outcome.REPLAYED if posted.replayed else fresh, *self.settle(after, program)]

    def repeat(self, record: Record, program: Program, activity: Activity) -> list[Outcome]:
        """What counted before, told again: the ledger says whether it is still the same.

        Raises:
            EntryExistsWithDifferentRequest: it is another content now.
            TransactionRefused: see :meth:`settle`.
        """
        self._accruals.accrue(program, record.member_id or "", activity)
        return [Outcome.REPLAYED, *self.settle(record, program)]

    def reverse(self, program: Program, member_id: str, refund: Refund, fresh: Outcome) -> list[Outcome]:
        """Takes points back, at most what is left of the purchase.

        Raises:
            LoyaltyError: see :meth:`AccrualService.reverse`.
        """
        reversal = Reversal(
            refund.source, refund.source_id, refund.purchase_source_id, refund.occurred_at, refund.amount
        )
        posted = self._accruals.reverse(program, member_id, reversal, clamp=True)
        if posted.replayed:
            return [Outcome.REPLAYED]
        return [fresh, Outcome.CLAMPED] if posted.entry.facts.amount != refund.amount else [fresh]

    def settle(self, record: Record, program: Program) -> list[Outcome]:
        """Posts the refunds that came while a purchase, which counts now, was kept.

        Raises:
            TransactionRefused: another delivery of the same does so too; deliver the event again.
        """
        if not record.refunds or record.member_id is None:
            return []
        outcomes: list[Outcome] = []
        for refund_id, kept in sorted(record.refunds.items(), key=lambda item: (item[1].occurred_at, item[0])):
            refund = Refund(record.source, refund_id, record.source_id, kept.occurred_at, kept.amount)
            try:
                outcomes += self.reverse(program, record.member_id, refund, Outcome.REFUND_POSTED)
            except FINAL:
                outcomes.append(Outcome.REFUND_REFUSED)
        if Outcome.REFUND_REFUSED not in outcomes:
            self._store.settle(record, self._clock())
        return outcomes
