"""Compensation: what was ordered is cancelled at its supplier, where a person gave the run up; then the points go back.

::

    each order      ask the supplier once more
      none, dead    ─► it counts as dead
        but         its last request may still be under way: wait, and ask again
                    the supplier had acknowledged it, and now shows none: a person has to look
      stands        counted again in its month's budget, where it was taken for dead
                    given up by a person, or in time: cancel it; where the supplier will not, a person has to look
                    else: it was not refused after all; it is delivered
    points          back from the hold, or from the capture, with the end of the run in the same transaction

Whatever led here, the supplier is asked by this step itself. The points move only if no order was requested since.
"""

from collections.abc import Sequence
from dataclasses import replace

from loyalty.core.clock import Clock
from loyalty.core.errors import RecordChanged
from loyalty.core.table import Operation, Table
from loyalty.core.telemetry import logger
from loyalty.fulfillment import budget
from loyalty.fulfillment.cases import ENDS, Case, CaseStore, unapproved
from loyalty.fulfillment.journal import ASKED, Did, Journal, after
from loyalty.fulfillment.model import Answer, OrderStands, Progress, RedemptionMoved
from loyalty.fulfillment.ordering import ORDER_STANDS, SupplierBook
from loyalty.fulfillment.orders import Order, ended_puts, order_put
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.recent import RecentStore
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.programs.store import ProgramStore
from loyalty.rewards.errors import FulfillmentInProgress
from loyalty.rewards.model import Party, Redemption, RedemptionStatus
from loyalty.rewards.service import RedemptionService
from loyalty.suppliers.model import OrderState, Outcome, SupplierOrder

VOID_REFUSED = "void_refused"


class GivingBack:
    """Takes back what was ordered, and gives the points back."""

    def __init__(
        self,
        *,
        table: Table,
        programs: ProgramStore,
        redemptions: RedemptionService,
        suppliers: SupplierBook,
        journal: Journal,
        policy: FulfillmentPolicy,
        clock: Clock,
    ) -> None:
        self._cases = CaseStore(table, clock)
        self._recent = RecentStore(table)
        self._programs = programs
        self._redemptions = redemptions
        self._suppliers = suppliers
        self._journal = journal
        self._policy = policy
        self._clock = clock

    def release(self, case: Case) -> Answer:
        """Gives the points back, after each supplier that was asked said once more that it has no order.

        Raises:
            OrderStands: the points are spent, and nobody gave the card up.
            RedemptionMoved: the run changed, or an order was requested, meanwhile.
            WalletBusy: see :meth:`RedemptionService.release`.
            SupplierError: it did not say.
        """
        run = case.run
        if run.ended and run.ends_as is None:
            return Answer(ENDS.get(run.status, Progress.CLOSED))
        if (waits := unapproved(case)) is not None:
            return waits
        for order in self._cases.orders(run):
            if order.cancelled_at is None:
                answer, case = self._settle(case, order)
                if answer is not None:
                    return answer
        if case.redemption.status is RedemptionStatus.CAPTURED and case.run.ends_as is not RunStatus.CANCELLED:
            return self._attention(case, "reissue_refused", Did("release", outcome=Outcome.REFUSED.value))
        return self._give_back(case)

    def unopened(self, redemption: Redemption) -> Answer:
        """Gives points back for which nothing could be ordered, so that no run was opened."""
        self._back(redemption, ())
        return Answer(Progress.RELEASED)

    def replace(self, case: Case) -> Answer:
        """Takes the card back that is to be replaced; then another one may be ordered.

        Raises:
            RedemptionMoved, SupplierError: as of :meth:`release`.
        """
        run, order = case.run, case.order
        if not run.replaces or order is None:
            return Answer(Progress.CLEAR)
        changes = {"replaces": 0, "status": RunStatus.ORDERING, "candidate": 0, "reason": "reissue", "tries": 0}
        if order.dead:
            self._journal.write(run, Did("replace"), **changes)
            return Answer(Progress.CLEAR)
        found = self._suppliers.get(order.supplier).find(order.external_id)
        if found is None:
            return self._attention(case, "order_vanished", self._did("replace", order, Outcome.AMBIGUOUS))
        if not self._void(case, order, found):
            return self._kept(case, order)
        dead, also = self._died(order, stood=True)
        self._journal.write(self._fresh(run), self._did("cancel", dead, "done"), *also, **changes)
        return Answer(Progress.CLEAR)

    def _settle(self, case: Case, order: Order) -> tuple[Answer | None, Case]:
        """Makes certain that an order is dead; the answer where it is not, and the case after what was written."""
        found = self._suppliers.get(order.supplier).find(order.external_id)
        if found is None and (answer := self._unsure(case, order)) is not None:
            return answer, case
        if found is None or found.state is OrderState.DEAD:
            return None, self._note_dead(case, order, found)
        return self._take_back(case, order, found)

    def _take_back(self, case: Case, order: Order, found: SupplierOrder) -> tuple[Answer | None, Case]:
        """Cancels an order that stands, where somebody gave it up or it came too late; else it is delivered."""
        if order.dead:
            case, order = self._note_standing(case, order)
        if case.run.ends_as not in {None, RunStatus.REFUSED}:
            if not self._void(case, order, found):
                return self._kept(case, order), case
            return None, self._note_dead(case, order, found, voided=True)
        if not case.held:
            raise OrderStands(f"the supplier has an order, and the redemption is {case.redemption.status}")
        if order.number != case.run.orders:
            # One that was refused, or not found, before another supplier was asked: it must not become a second card.
            if not self._void(case, order, found):
                case = replace(case, run=self._fresh(case.run))
                return self._attention(case, ORDER_STANDS, self._did("cancel", order, Outcome.REFUSED)), case
            return None, self._note_dead(case, order, found, voided=True)
        if case.run.ends_as is not None:
            self._journal.write(
                case.run, self._did("release", order, Outcome.AMBIGUOUS, note="delivered"), ends_as=None
            )
        return Answer(Progress.UNKNOWN, self._policy.settle_seconds), case

    def _unsure(self, case: Case, order: Order) -> Answer | None:
        """Why an order that the supplier does not show cannot be taken for none; None: it can."""
        if order.acknowledged:
            return self._attention(case, "order_vanished", self._did("release", order, Outcome.AMBIGUOUS))
        wait = 0 if order.dead else order.arrives_within(self._clock(), self._policy.settle_seconds)
        return Answer(Progress.UNKNOWN, wait) if wait else None

    def _note_standing(self, case: Case, order: Order) -> tuple[Case, Order]:
        """Writes down that an order which was taken for dead stands; the case and the order after it.

        It is in its month's budget again, and be it beyond it: the money is spent.
        """
        run, document = case.run, self._programs.current(order.program).document
        limited = document.fulfillment.budget(order.value.currency) is not None
        month = budget.month_of(order.asked_at, document.zone) if limited else None
        counted = [] if month is None else [budget.counted(order.program, month, order.value, None)]
        stands = replace(order, outcome=Outcome.PENDING, settled_at=None, budget=month)
        did = self._did("release", order, Outcome.AMBIGUOUS, note="it stands")
        self._journal.write(self._fresh(run), did, order_put(stands, order), *counted)
        return self._cases.get(run.program, run.member_id, run.redemption_id), stands

    def _void(self, case: Case, order: Order, found: SupplierOrder) -> bool:
        """Whether the supplier took the order back. That it is asked to is written down first."""
        if found.state is OrderState.DEAD:
            return True
        self._journal.write(self._fresh(case.run), self._did("cancel", order, ASKED))
        return self._suppliers.get(order.supplier).cancel(found)

    def _note_dead(self, case: Case, order: Order, found: SupplierOrder | None, *, voided: bool = False) -> Case:
        """Writes down that an order is dead, where that was not known; the case after it."""
        if order.dead and not voided:
            return case
        stood = voided or order.outcome is Outcome.ISSUED
        dead, also = self._died(order, stood=stood)
        if case.held and case.redemption.supplier_order_id is not None and order.number == case.run.orders:
            also.append(self._cases.undelivered(case.redemption))
        name, outcome = ("cancel", "done") if voided else ("release", Outcome.REFUSED)
        note = "not found" if found is None else None
        self._journal.write(self._fresh(case.run), self._did(name, dead, outcome, note=note), *also)
        return self._cases.get(case.run.program, case.run.member_id, case.run.redemption_id)

    def _died(self, order: Order, *, stood: bool) -> tuple[Order, list[Operation]]:
        now = self._clock()
        dead = (
            replace(order, cancelled_at=now, budget=None)
            if stood
            else replace(order, outcome=Outcome.REFUSED, settled_at=now, budget=None)
        )
        return dead, [order_put(dead, order), *ended_puts(dead), *budget.given_back(order)]

    def _kept(self, case: Case, order: Order) -> Answer:
        """The supplier does not take its card back: who has paid for it keeps it; else a person has to look."""
        did = self._did(
            "cancel", order, Outcome.REFUSED, error="CardNotVoidable: the supplier did not take the card back"
        )
        run = self._fresh(case.run)
        if case.redemption.status is RedemptionStatus.CAPTURED:
            kept = {"ends_as": None, "replaces": 0, "reason": VOID_REFUSED, "status": RunStatus.FULFILLED}
            self._journal.write(run, did, **kept)
            return Answer(Progress.CLOSED)
        return self._attention(replace(case, run=run), VOID_REFUSED, did)

    def _give_back(self, case: Case) -> Answer:
        run = case.run
        status = run.ends_as or RunStatus.REFUSED
        reason = run.reason if status is not RunStatus.REFUSED else run.reason or "supplier_refused"
        changed, operations = after(
            run,
            Did("release"),
            self._clock(),
            status=status,
            reason=reason,
            ends_as=None,
            task_token=None,
            tries=0,
            waiting_since=None,
        )
        operations += self._recent.without(run)
        if case.redemption.status in {RedemptionStatus.RELEASED, RedemptionStatus.CANCELLED}:
            self._journal.commit(operations)
        else:
            self._back(case.redemption, operations)
        logger.info("points given back", extra={"redemption_id": run.redemption_id, "status": changed.status})
        return Answer(ENDS.get(status, Progress.CLOSED))

    def _back(self, redemption: Redemption, giving: Sequence[Operation]) -> None:
        program = self._programs.current(redemption.program)
        whose = redemption.member_id, redemption.redemption_id
        try:
            if redemption.status is RedemptionStatus.CAPTURED:
                self._redemptions.cancel(program, *whose, by=Party.FULFILLMENT, giving=giving)
            else:
                self._redemptions.release(
                    program, *whose, by=Party.FULFILLMENT, order_requests=redemption.order_requests, giving=giving
                )
        except (FulfillmentInProgress, RecordChanged) as refusal:
            raise RedemptionMoved("the run, or what was asked of a supplier, changed meanwhile") from refusal

    def _attention(self, case: Case, reason: str, did: Did) -> Answer:
        changes = {"status": RunStatus.ATTENTION, "reason": reason, "ends_as": None, "replaces": 0, "tries": 0}
        self._journal.write(case.run, did, **changes, task_token=None, waiting_since=None)
        return Answer(Progress.ATTENTION)

    def _fresh(self, run: Run) -> Run:
        """The run as it is now, if it still wants the same: our own notes of a moment ago changed its revision."""
        now = self._cases.run(run.program, run.redemption_id)
        if now is None:
            raise AssertionError("a run is never deleted")
        if (now.ends_as, now.replaces, now.orders, now.status) != (run.ends_as, run.replaces, run.orders, run.status):
            raise RedemptionMoved("the run changed meanwhile: the next attempt reads it anew")
        return now

    def _did(self, name: str, order: Order, outcome: str, **more: str | None) -> Did:
        return Did(name, str(outcome), supplier=order.supplier, external_id=order.external_id, **more)  # type: ignore[arg-type]
