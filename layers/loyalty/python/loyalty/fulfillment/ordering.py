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
from datetime import timedelta
from secrets import SystemRandom
from typing import Any, Final, Protocol

from loyalty.core.clock import Clock
from loyalty.core.table import Operation, Put, Table
from loyalty.core.telemetry import count
from loyalty.fulfillment import budget
from loyalty.fulfillment.awaited import awaited_puts
from loyalty.fulfillment.cases import Card, Case, CaseStore, Source, decided, unapproved
from loyalty.fulfillment.gate import Busy, Gates
from loyalty.fulfillment.journal import ASKED, Did, Journal
from loyalty.fulfillment.model import Answer, OrderStands, Progress, RedemptionMoved
from loyalty.fulfillment.orders import Order, OrderItem, external_id, order_item
from loyalty.fulfillment.policy import LONGEST_WAIT_SECONDS, FulfillmentPolicy, backoff
from loyalty.fulfillment.runs import Run, RunStatus
from loyalty.fulfillment.screening import OVER_BUDGET
from loyalty.fulfillment.trouble import reason_metric, reason_of, told
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import RedemptionStatus
from loyalty.suppliers.model import (
    OrderRefused,
    OrderRequest,
    OrderState,
    Outcome,
    Supplier,
    SupplierError,
    SupplierOrder,
    SupplierTimeout,
    SupplierUnavailable,
)
from loyalty.suppliers.registry import UnknownSupplier
from loyalty.vault.store import CardVault

RATE_LIMITED_SECONDS: Final = 20
"""Those who came too fast come back spread over so many seconds."""
FUNDS_DAYS: Final = 30
"""For how long an order waits for money before a person has to look."""
_SPREAD: Final = SystemRandom()


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
        self._table = table
        self._cases = CaseStore(table, clock)
        self._programs = programs
        self._suppliers = suppliers
        self._vault = vault
        self._gates = gates
        self._journal = journal
        self._policy = policy
        self._clock = clock

    def order(self, case: Case) -> Answer:
        """Orders the card, unless it is stored already.

        Raises:
            RewardNotFound, TooManyDecimals, OrderRefused: there is nothing that could be ordered.
            RedemptionMoved: the redemption or its run changed; nothing was asked, or the answer is asked for again.
        """
        if (answer := self._before(case)) is not None:
            return answer
        card = self._cases.card(case.redemption)
        known = case.order if case.order is not None and not case.order.dead else None
        name = known.supplier if known else _source(case.run, card).supplier
        try:
            supplier = self._suppliers.get(name)
        except UnknownSupplier as error:
            return self._attention(case, "unknown_supplier", Did("order", supplier=name, error=str(error)))
        if (wait := self._wait_for(case, card, supplier, first=known is None)) is not None:
            return wait
        case, fresh = self._intend(case, card, known)
        order = _order_of(case)
        request = OrderRequest(order.external_id, order.product, order.value, recipient=case.redemption.member_id)
        try:
            answer_of = supplier.order(request)
        except SupplierError as error:
            return self._failed(case, card, error, fresh=fresh)
        self._gates.tell(supplier.name, answer=True)
        return self._settle(case, card, supplier, answer_of, "order")

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
            return Answer(Progress.ORDERED if order is not None and order.issued else Progress.NOT_ORDERED)
        supplier = self._suppliers.get(order.supplier)
        try:
            found = supplier.find(order.external_id)
        except SupplierError as error:
            return self._unheard(case, error)
        self._gates.tell(supplier.name, answer=True)
        card = self._cases.card(case.redemption)
        if found is not None:
            return self._settle(case, card, supplier, found, "query")
        if order.outcome is Outcome.PENDING:
            return self._attention(case, "order_vanished", self._did("query", order, Outcome.AMBIGUOUS))
        # One that was not answered may still arrive late: it is given up here, and not ordered from another supplier.
        return self._dead(case, card, self._did("query", order, Outcome.REFUSED, note="not found"), elsewhere=False)

    def _before(self, case: Case) -> Answer | None:
        """Where the case goes on where nothing is to be ordered now."""
        if (answer := decided(case) or unapproved(case)) is not None:
            return answer
        if case.order is not None and case.order.issued:
            return Answer(Progress.ORDERED)
        if case.redemption.status not in {RedemptionStatus.HELD, RedemptionStatus.CAPTURED}:
            return Answer(Progress.NOT_ORDERED)
        if not case.held and case.order is None:
            return self._attention(case, "captured_without_card", Did("order"))
        return None

    def _wait_for(self, case: Case, card: Card, supplier: Supplier, *, first: bool) -> Answer | None:
        """Why nothing is sent now, if so: money, or the supplier's gate."""
        if first and (low := self._over_budget(case, card)):
            return self._await_funds(case, low)
        try:
            blocked = self._gates.permit(supplier.name, card.value if first else None, supplier.balance)
        except SupplierError as error:
            self._gates.tell(supplier.name, answer=False)
            return self._elsewhere_or_later(case, card, reason_of(error), 60, told(error), first=first)
        if blocked is None:
            return None
        if not isinstance(blocked, Busy):
            return self._await_funds(case, "supplier_balance_low")
        if blocked.reason == "breaker_open":
            return self._elsewhere_or_later(case, card, blocked.reason, blocked.seconds, None, first=first)
        return Answer(Progress.AGAIN, blocked.seconds + _SPREAD.randrange(RATE_LIMITED_SECONDS))

    def _over_budget(self, case: Case, card: Card) -> str | None:
        program = self._programs.current(case.run.program).document
        limit = program.fulfillment.budget(card.value.currency)
        if limit is None or OVER_BUDGET in case.run.flags:
            return None
        month = budget.month_of(self._clock(), program.zone)
        so_far = budget.spent(self._table, case.run.program, month, card.value.currency)
        return None if budget.fits(so_far, card.value, limit) else "program_budget_spent"

    def _await_funds(self, case: Case, reason: str, did: Did | None = None) -> Answer:
        run, now = case.run, self._clock()
        since = run.waiting_since if run.status is RunStatus.AWAITING_FUNDS and run.waiting_since else now
        tries = run.tries if run.status is RunStatus.AWAITING_FUNDS else 0
        if now >= since + timedelta(days=FUNDS_DAYS):
            return self._attention(case, reason, did or Did("funds", outcome="waiting"))
        did = did or Did("funds", outcome="waiting", note=reason)
        status = RunStatus.AWAITING_FUNDS
        self._journal.write(run, did, status=status, reason=reason, tries=tries + 1, waiting_since=since)
        count(reason_metric(reason))
        return Answer(Progress.AGAIN, backoff(self._policy.funds_seconds, tries))

    def _elsewhere_or_later(
        self, case: Case, card: Card, reason: str, seconds: int, error: str | None, *, first: bool
    ) -> Answer:
        """Nothing was asked of a supplier that is not there: the next one, where the program has one; or after a while."""
        run, now = case.run, self._clock()
        if first and run.candidate + 1 < len(card.sources):
            did = Did("failover", supplier=card.sources[run.candidate].supplier, error=error, note=reason)
            self._journal.write(run, did, candidate=run.candidate + 1, reason=reason)
            return Answer(Progress.CLEAR)
        since = run.waiting_since or now
        if now >= since + timedelta(hours=self._policy.settle_hours):
            return self._attention(case, reason, Did("order", outcome="waiting", error=error))
        if run.reason != reason or run.waiting_since is None:
            supplier = _source(run, card).supplier
            did = Did("order", outcome="waiting", supplier=supplier, error=error, note=reason)
            self._journal.write(run, did, reason=reason, waiting_since=since)
        # The longer it has been away, the less often it is looked for.
        wait = min(max(seconds, int((now - since).total_seconds()) // 2), LONGEST_WAIT_SECONDS)
        return Answer(Progress.AGAIN, wait + _SPREAD.randrange(1 + wait // 4))

    def _intend(self, case: Case, card: Card, known: Order | None) -> tuple[Case, bool]:
        """Writes down what is about to be asked for; the case after it, and whether it is the order's first request."""
        run, now = case.run, self._clock()
        fresh = known is None
        also: list[Operation] = [self._cases.requested(case.redemption)]
        if known is None:
            known, more = self._new_order(run, card)
            also += more
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
            tries=0 if fresh else run.tries,
            waiting_since=run.waiting_since if not fresh else now,
        )
        return Case(case.redemption, changed, known), fresh

    def _new_order(self, run: Run, card: Card) -> tuple[Order, list[Operation]]:
        now, number = self._clock(), run.orders + 1
        source = _source(run, card)
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

    def _settle(self, case: Case, card: Card, supplier: Supplier, answer: SupplierOrder, name: str) -> Answer:
        order = _order_of(case)
        did = self._did(name, order, Outcome.AMBIGUOUS, request_id=answer.request_id)
        if answer.state is OrderState.DEAD:
            return self._dead(case, card, replace(did, outcome=Outcome.REFUSED), elsewhere=True)
        if not case.held and case.redemption.status is not RedemptionStatus.CAPTURED:
            raise OrderStands(f"the supplier has an order, and the redemption is {case.redemption.status}")
        if answer.value is not None and answer.value != order.value:
            return self._attention(case, "wrong_amount", did)
        if answer.state is OrderState.PENDING:
            return self._pending(case, answer, did)
        try:
            # A card is shown once by some suppliers. If its answer was lost, the same one is asked for.
            gift_card = answer.card or supplier.card(answer)
        except SupplierError as error:
            return self._unheard(case, error, name="card")
        vaulted = self._vault.put(
            order.program,
            case.redemption.member_id,
            order.redemption_id,
            gift_card,
            now=self._clock(),
            number=order.number,
        )
        issued = replace(
            order,
            outcome=Outcome.ISSUED,
            supplier_order_id=answer.order_id,
            cost=answer.cost,
            settled_at=self._clock(),
        )
        self._journal.write(
            case.run,
            replace(did, outcome=Outcome.ISSUED, cost=answer.cost),
            _unless_changed(issued, order),
            self._cases.delivered(case.redemption, answer.order_id),
            vaulted,
            status=RunStatus.DELIVERING,
            reason=None,
            supplier_order_id=answer.order_id,
            cost=answer.cost,
            tries=0,
            waiting_since=None,
            task_token=None,
        )
        return Answer(Progress.ORDERED)

    def _pending(self, case: Case, answer: SupplierOrder, did: Did) -> Answer:
        run, order, now = case.run, _order_of(case), self._clock()
        since = run.waiting_since if run.status is RunStatus.PENDING and run.waiting_since else now
        if now >= since + timedelta(hours=self._policy.settle_hours):
            return self._attention(case, "not_settled", replace(did, outcome=Outcome.PENDING))
        known = replace(order, outcome=Outcome.PENDING, supplier_order_id=answer.order_id)
        tries = run.tries if run.status is RunStatus.PENDING else 0
        self._journal.write(
            run,
            replace(did, outcome=Outcome.PENDING),
            _unless_changed(known, order),
            *awaited_puts(known, answer, now),
            status=RunStatus.PENDING,
            reason=None,
            supplier_order_id=answer.order_id,
            tries=tries + 1,
            waiting_since=since,
            news_at=None,
        )
        return Answer(Progress.PENDING, backoff(self._policy.settle_seconds, tries))

    def _failed(self, case: Case, card: Card, error: SupplierError, *, fresh: bool) -> Answer:
        """A request for an order that brought no order back."""
        order, run = _order_of(case), case.run
        refused = isinstance(error, OrderRefused)
        self._gates.tell(order.supplier, answer=refused)
        did = self._did("order", order, Outcome.AMBIGUOUS, request_id=error.request_id, error=told(error))
        if isinstance(error, OrderRefused) and error.out_of_funds:
            return self._await_funds(case, "supplier_balance_low", did)
        if refused and fresh:
            return self._dead(case, card, replace(did, outcome=Outcome.REFUSED), elsewhere=True)
        # A refusal speaks for its own request. An earlier one that lost its answer may still be under way.
        asked = refused or isinstance(error, SupplierTimeout) or run.tries + 1 >= self._policy.requests
        self._journal.write(run, did, reason=reason_of(error), tries=0 if asked else run.tries + 1)
        if asked:
            return Answer(Progress.UNKNOWN, self._policy.settle_seconds)
        wait = backoff(self._policy.retry_seconds, run.tries)
        asked_for = error.retry_after if isinstance(error, SupplierUnavailable) else None
        return Answer(Progress.AGAIN, min(max(wait, int(asked_for or 0)), LONGEST_WAIT_SECONDS))

    def _unheard(self, case: Case, error: SupplierError, name: str = "query") -> Answer:
        """A question without an answer."""
        order, run = _order_of(case), case.run
        self._gates.tell(order.supplier, answer=False)
        did = self._did(name, order, Outcome.AMBIGUOUS, request_id=error.request_id, error=told(error))
        if run.tries + 1 >= self._policy.queries:
            return self._attention(case, reason_of(error), did)
        self._journal.write(run, did, reason=reason_of(error), tries=run.tries + 1)
        return Answer(Progress.UNKNOWN, backoff(self._policy.settle_seconds, run.tries))

    def _dead(self, case: Case, card: Card, did: Did, *, elsewhere: bool) -> Answer:
        """The supplier gives no card for this order. The next supplier is asked where there is one, and it may be."""
        run, order = case.run, _order_of(case)
        following = elsewhere and run.candidate + 1 < len(card.sources)
        settled = replace(order, outcome=Outcome.REFUSED, settled_at=self._clock(), budget=None)
        self._journal.write(
            run,
            did,
            _unless_changed(settled, order),
            *budget.given_back(order),
            reason="supplier_refused",
            candidate=run.candidate + 1 if following else run.candidate,
            tries=0,
            waiting_since=None,
            status=RunStatus.ORDERING,
            supplier_order_id=None,
            # So that no other execution, or this step again, begins another order.
            ends_as=None if following else RunStatus.REFUSED,
        )
        return Answer(Progress.CLEAR if following else Progress.NOT_ORDERED)

    def _attention(self, case: Case, reason: str, did: Did) -> Answer:
        self._journal.write(
            case.run, did, status=RunStatus.ATTENTION, reason=reason, tries=0, waiting_since=None, task_token=None
        )
        return Answer(Progress.ATTENTION)

    def _did(self, name: str, order: Order, outcome: Outcome, **more: Any) -> Did:
        return Did(name, outcome.value, supplier=order.supplier, external_id=order.external_id, **more)


def _source(run: Run, card: Card) -> Source:
    return card.sources[min(run.candidate, len(card.sources) - 1)]


def _order_of(case: Case) -> Order:
    if case.order is None:
        raise RedemptionMoved("the run has no order")
    return case.order


def _unless_changed(order: Order, read: Order) -> Put:
    """Writes the order, if its outcome is still what was read."""
    return Put(order_item(order), OrderItem.outcome == read.outcome.value)
