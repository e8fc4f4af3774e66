"""What a supplier's answer, or its silence, makes of a run: each outcome is written with all that it changes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from loyalty.core.clock import Clock
from loyalty.core.table import Operation, Table
from loyalty.fulfillment import budget
from loyalty.fulfillment.awaited import awaited_puts
from loyalty.fulfillment.cases import Card, Case, CaseStore
from loyalty.fulfillment.gate import Gates
from loyalty.fulfillment.journal import Did, Journal
from loyalty.fulfillment.model import Answer, OrderStands, Progress, RedemptionMoved
from loyalty.fulfillment.orders import Order, ended_puts, order_put
from loyalty.fulfillment.policy import LONGEST_WAIT_SECONDS, FulfillmentPolicy, backoff
from loyalty.fulfillment.run import RunStatus
from loyalty.fulfillment.trouble import reason_of, told
from loyalty.rewards.model import RedemptionStatus
from loyalty.suppliers.model import (
    OrderRefused,
    OrderState,
    Outcome,
    Supplier,
    SupplierError,
    SupplierOrder,
    SupplierTimeout,
    SupplierUnavailable,
)
from loyalty.vault.store import CardVault


class Outcomes:
    """Writes outcomes."""

    def __init__(
        self, *, table: Table, vault: CardVault, gates: Gates, journal: Journal, policy: FulfillmentPolicy, clock: Clock
    ) -> None:
        self._cases = CaseStore(table, clock)
        self._vault = vault
        self._gates = gates
        self._journal = journal
        self._policy = policy
        self._clock = clock

    def settled(self, case: Case, card: Card, supplier: Supplier, answer: SupplierOrder, name: str) -> Answer:
        """An order as the supplier shows it: pending, dead, or issued, in which case its card is stored.

        Raises:
            OrderStands: it is there for points that went back.
            RedemptionMoved: see :class:`Journal`.
        """
        order = order_of(case)
        did = self.did(name, order, Outcome.AMBIGUOUS, request_id=answer.request_id)
        if answer.state is OrderState.DEAD:
            return self.dead(case, card, replace(did, outcome=Outcome.REFUSED), elsewhere=True)
        if not case.held and case.redemption.status is not RedemptionStatus.CAPTURED:
            raise OrderStands(f"the supplier has an order, and the redemption is {case.redemption.status}")
        # It was shown: from here on an empty answer is no "no order" any more.
        known = replace(order, outcome=Outcome.PENDING, supplier_order_id=answer.order_id)
        unsaid = answer.value is None and answer.state is OrderState.PENDING
        if answer.value != order.value and not unsaid:
            return self.attention(case, "wrong_amount", did, order_put(known, order))
        if answer.state is OrderState.PENDING:
            return self._pending(case, answer, known, did)
        try:
            # A card is shown once by some suppliers. If its answer was lost, the same one is asked for.
            gift_card = answer.card or supplier.card(answer)
        except SupplierError as error:
            return self.unheard(case, error, "card", order_put(known, order))
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
            order_put(issued, order),
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

    def _pending(self, case: Case, answer: SupplierOrder, known: Order, did: Did) -> Answer:
        run, order, now = case.run, order_of(case), self._clock()
        since = run.waiting_since if run.status is RunStatus.PENDING and run.waiting_since else now
        if now >= since + timedelta(hours=self._policy.settle_hours):
            return self.attention(case, "not_settled", replace(did, outcome=Outcome.PENDING))
        tries = run.tries if run.status is RunStatus.PENDING else 0
        self._journal.write(
            run,
            replace(did, outcome=Outcome.PENDING),
            order_put(known, order),
            *awaited_puts(known, answer, now),
            status=RunStatus.PENDING,
            reason=None,
            supplier_order_id=answer.order_id,
            tries=tries + 1,
            waiting_since=since,
            news_at=None,
        )
        return Answer(Progress.PENDING, backoff(self._policy.settle_seconds, tries))

    def failed(self, case: Case, card: Card, error: SupplierError, *, fresh: bool) -> Answer:
        """A request for an order that brought no order back."""
        order, run = order_of(case), case.run
        refused = isinstance(error, OrderRefused)
        self._gates.tell(order.supplier, answer=refused)
        did = self.did("order", order, Outcome.AMBIGUOUS, request_id=error.request_id, error=told(error))
        if refused and fresh:
            return self.dead(case, card, replace(did, outcome=Outcome.REFUSED), elsewhere=True)
        # A refusal speaks for its own request. An earlier one that lost its answer may still be under way.
        asked = refused or isinstance(error, SupplierTimeout) or run.tries + 1 >= self._policy.requests
        self._journal.write(run, did, reason=reason_of(error), tries=0 if asked else run.tries + 1)
        if asked:
            return Answer(Progress.UNKNOWN, self._policy.settle_seconds)
        wait = backoff(self._policy.retry_seconds, run.tries)
        asked_for = error.retry_after if isinstance(error, SupplierUnavailable) else None
        return Answer(Progress.AGAIN, min(max(wait, int(asked_for or 0)), LONGEST_WAIT_SECONDS))

    def unheard(self, case: Case, error: SupplierError, name: str = "query", *also: Operation) -> Answer:
        """A question without an answer."""
        order, run = order_of(case), case.run
        self._gates.tell(order.supplier, answer=False)
        did = self.did(name, order, Outcome.AMBIGUOUS, request_id=error.request_id, error=told(error))
        if run.tries + 1 >= self._policy.queries:
            return self.attention(case, reason_of(error), did, *also)
        self._journal.write(run, did, *also, reason=reason_of(error), tries=run.tries + 1)
        return Answer(Progress.UNKNOWN, backoff(self._policy.settle_seconds, run.tries))

    def dead(self, case: Case, card: Card, did: Did, *, elsewhere: bool) -> Answer:
        """The supplier gives no card for this order. The next supplier is asked where there is one, and it may be."""
        run, order = case.run, order_of(case)
        following = elsewhere and run.candidate + 1 < len(card.sources)
        settled = replace(order, outcome=Outcome.REFUSED, settled_at=self._clock(), budget=None)
        self._journal.write(
            run,
            did,
            order_put(settled, order),
            *ended_puts(settled),
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

    def attention(self, case: Case, reason: str, did: Did, *also: Operation) -> Answer:
        """Leaves the run to a person, under a stable code."""
        left = {"status": RunStatus.ATTENTION, "reason": reason}
        self._journal.write(case.run, did, *also, **left, tries=0, waiting_since=None, task_token=None)
        return Answer(Progress.ATTENTION)

    def did(self, name: str, order: Order, outcome: Outcome, **more: Any) -> Did:
        """A step about an order."""
        return Did(name, outcome.value, supplier=order.supplier, external_id=order.external_id, **more)


def order_of(case: Case) -> Order:
    """The order that the case is about."""
    if case.order is None:
        raise RedemptionMoved("the run has no order")
    return case.order
