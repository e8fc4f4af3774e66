"""Ordering a card, and asking what became of it.

::

    order   allowed? · write that we order (run, step, order, redemption, budget) · ask for the order ─┐
    query                                             ask whether the order exists                     ├► outcome
                                                                                                       │
    issued     (ask for its card) · write run, step, order, redemption and card                      ◄─┘
    pending    write that; the supplier tells, or is asked again
    refused    write that; the next supplier, or none
    ambiguous  write that; the same order again, or the question

Wherever a step dies, the order says at least as much as we did: what is not written down, the supplier is asked.
"""

from dataclasses import replace
from typing import Final, Protocol

from loyalty.core.clock import Clock
from loyalty.core.table import Operation, Put, Table
from loyalty.fulfillment import budget
from loyalty.fulfillment.cases import Card, Case, CaseStore, decided, source_of, unapproved
from loyalty.fulfillment.errors import RecipientErased
from loyalty.fulfillment.gate import Gates
from loyalty.fulfillment.journal import ASKED, Did, Journal
from loyalty.fulfillment.model import Answer, Progress
from loyalty.fulfillment.orders import Order, OrderItem, external_id, order_item, order_put
from loyalty.fulfillment.outcomes import Outcomes, order_of
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.recipients import Recipients
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.fulfillment.screening import OVER_BUDGET
from loyalty.fulfillment.trouble import told
from loyalty.fulfillment.turns import Turns
from loyalty.fulfillment.waiting import Waiting
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import RedemptionStatus
from loyalty.suppliers.model import (
    OrderRefused,
    OrderRequest,
    OrderState,
    Outcome,
    Supplier,
    SupplierError,
)
from loyalty.suppliers.registry import UnknownSupplier
from loyalty.vault.store import CardVault

ORDER_STANDS: Final = "order_stands"


class SupplierBook(Protocol):
    """Where suppliers are found by name, as :class:`loyalty.suppliers.registry.Suppliers`."""

    def get(self, name: str) -> Supplier:
        """The supplier. Raises :class:`UnknownSupplier` where the stage has none of this name."""


class Ordering:
    """One order at a time for each run; the next supplier only once the one before has refused for good."""

    def __init__(
        self,
        *,
        table: Table,
        programs: ProgramStore,
        suppliers: SupplierBook,
        vault: CardVault,
        gates: Gates,
        journal: Journal,
        policy: FulfillmentPolicy,
        clock: Clock,
    ) -> None:
        self._cases = CaseStore(table, clock)
        self._recipients = Recipients(table)
        self._programs = programs
        self._suppliers = suppliers
        self._gates = gates
        self._journal = journal
        self._clock = clock
        self._outcomes = Outcomes(table=table, vault=vault, gates=gates, journal=journal, policy=policy, clock=clock)
        self._waiting = Waiting(
            table=table,
            programs=programs,
            gates=gates,
            turns=Turns(table, policy, clock),
            journal=journal,
            outcomes=self._outcomes,
            policy=policy,
            clock=clock,
        )

    def order(self, case: Case) -> Answer:
        """Orders the card, unless it is stored already.

        Raises:
            RewardNotFound, OrderRefused: there is nothing that could be ordered.
            RedemptionMoved: the redemption or its run changed; nothing was asked, or the answer is asked for again.
        """
        if (answer := self._before(case)) is not None:
            return answer
        card = self._cases.card(case.redemption)
        known = case.order if case.order is not None and not case.order.dead else None
        name = known.supplier if known else source_of(case.run, card).supplier
        try:
            supplier = self._suppliers.get(name)
        except UnknownSupplier as error:
            return self._outcomes.attention(case, "unknown_supplier", Did("order", supplier=name, error=str(error)))
        waits = self._none_stands(case, card) if known is None else None
        if (waits := waits or self._waiting.needed(case, card, supplier, first=known is None)) is not None:
            return waits
        before = case.run
        try:
            case, fresh = self._intend(case, card, known)
        except RecipientErased as gone:
            did = Did("order", supplier=name, error=gone.detail)
            return self._outcomes.attention(case, "recipient_erased", did)
        return self._ask(before, case, card, supplier, fresh=fresh)

    def _ask(self, before: Run, case: Case, card: Card, supplier: Supplier, *, fresh: bool) -> Answer:
        """Asks for the order that was written down; ``before`` is the run as it was until then."""
        order = order_of(case)
        request = OrderRequest(order.external_id, order.product, order.value, recipient=case.redemption.member_id)
        try:
            answer_of = supplier.order(request)
        except SupplierError as error:
            if isinstance(error, OrderRefused) and error.out_of_funds:
                did = self._outcomes.did(
                    "order", order, Outcome.AMBIGUOUS, request_id=error.request_id, error=told(error)
                )
                return self._waiting.for_funds(case, "supplier_balance_low", did, before=before)
            return self._outcomes.failed(case, card, error, fresh=fresh)
        self._gates.tell(supplier.name, answer=True)
        return self._outcomes.settled(case, card, supplier, answer_of, "order")

    def query(self, case: Case) -> Answer:
        """Asks the supplier what became of the order, and stores the card if there is one.

        Raises:
            OrderStands: there is an order for points that went back.
            RedemptionMoved: see :meth:`order`.
        """
        if (answer := decided(case) or unapproved(case)) is not None:
            return answer
        order = case.order
        if order is None or order.dead or order.issued:
            return self._none_open(case)
        supplier = self._suppliers.get(order.supplier)
        try:
            found = supplier.find(order.external_id)
        except SupplierError as error:
            return self._outcomes.unheard(case, error)
        self._gates.tell(supplier.name, answer=True)
        card = self._cases.card(case.redemption)
        if found is not None:
            return self._outcomes.settled(case, card, supplier, found, "query")
        if order.outcome is Outcome.PENDING:
            return self._outcomes.attention(
                case, "order_vanished", self._outcomes.did("query", order, Outcome.AMBIGUOUS)
            )
        # One that was not answered may still arrive late: it is given up here, and not ordered from another supplier.
        return self._outcomes.dead(
            case, card, self._outcomes.did("query", order, Outcome.REFUSED, note="not found"), elsewhere=False
        )

    def _none_stands(self, case: Case, card: Card) -> Answer | None:
        """Why no other order may be begun; None: those before are dead, and the last one's supplier still says so.

        A refusal is an answer to one request, and it is not sure that one of two cards can be taken back.
        """
        last = case.order
        if any(not each.dead for each in self._cases.orders(case.run)):
            return self._outcomes.attention(case, ORDER_STANDS, Did("order"))
        if last is None or last.cancelled_at is not None:
            return None
        try:
            found = self._suppliers.get(last.supplier).find(last.external_id)
        except SupplierError as error:
            return self._waiting.for_word(case, card, last, error)
        dead = found is None or found.state is OrderState.DEAD
        return None if dead else Answer(Progress.NOT_ORDERED)  # which asks again, and has it delivered

    def _none_open(self, case: Case) -> Answer:
        """The card is stored; or nobody refused it for good: a fault of our own outlasted every repeat."""
        if case.order is not None and case.order.issued:
            return Answer(Progress.ORDERED)
        if case.redemption.status not in {RedemptionStatus.HELD, RedemptionStatus.CAPTURED}:
            return Answer(Progress.NOT_ORDERED)
        return self._outcomes.attention(case, "nobody_asked", Did("query"))

    def _before(self, case: Case) -> Answer | None:
        """Where the case goes on where nothing is to be ordered now."""
        if (answer := decided(case) or unapproved(case)) is not None:
            return answer
        if case.order is not None and case.order.issued:
            return Answer(Progress.ORDERED)
        if case.redemption.status not in {RedemptionStatus.HELD, RedemptionStatus.CAPTURED}:
            return Answer(Progress.NOT_ORDERED)
        if not case.held and case.order is None:
            return self._outcomes.attention(case, "captured_without_card", Did("order"))
        return None

    def _intend(self, case: Case, card: Card, known: Order | None) -> tuple[Case, bool]:
        """Writes down what is about to be asked for; the case after it, and whether it is the order's first request.

        Raises:
            RecipientErased: the points are spent, and nobody is left who could be shown another card.
            RedemptionMoved: see :meth:`order`.
        """
        run, now = case.run, self._clock()
        fresh = known is None
        # What was counted while money was missing says nothing of the requests.
        anew = fresh or run.status is RunStatus.AWAITING_FUNDS
        also: list[Operation] = [self._cases.requested(case.redemption)]
        if known is None:
            known, more = self._new_order(run, card)
            also += more if case.held else [*more, *self._recipients.require(run)]
        else:
            again = replace(known, last_asked_at=now)
            also.append(order_put(again, known))
            known = again
        did = Did("order", ASKED, supplier=known.supplier, external_id=known.external_id)
        changed = self._journal.write(
            run,
            did,
            *also,
            status=RunStatus.ORDERING,
            reason=None,
            supplier=known.supplier,
            product=known.product,
            external_id=known.external_id,
            orders=known.number,
            tries=0 if anew else run.tries,
            waiting_since=now if anew else run.waiting_since,
            turn_at=None,
        )
        return Case(case.redemption, changed, known), fresh

    def _new_order(self, run: Run, card: Card) -> tuple[Order, list[Operation]]:
        now, number = self._clock(), run.orders + 1
        source = source_of(run, card)
        program = self._programs.current(run.program).document
        limit = program.fulfillment.budget(card.value.currency)
        month = None if limit is None else budget.month_of(now, program.zone)
        order = Order(
            program=run.program,
            redemption_id=run.redemption_id,
            number=number,
            supplier=source.supplier,
            external_id=external_id(run.redemption_id, number),
            product=source.product,
            value=card.value,
            asked_at=now,
            budget=month,
        )
        also: list[Operation] = [Put(order_item(order), OrderItem.pk.does_not_exist())]
        if month is not None:
            beyond = OVER_BUDGET in run.flags
            also.append(budget.counted(run.program, month, card.value, None if beyond else limit))
        return order, also
