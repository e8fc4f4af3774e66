"""The steps of a gift card's fulfilment, each of which may be repeated at any time and as often as it takes.

=============  ==================================================================================================
``screen``     opens the run; says whether a person has to approve it                             ``screening``
``ask``        writes down how the state machine is told what the person decides                  ``screening``
``remind``     after the wait: what was decided, or the wait until the deadline, or the end       ``screening``
``order``      orders                                                                             ``ordering``
``listen``     writes down how the state machine is woken once the supplier tells of an order     here
``query``      asks what became of the order                                                      ``ordering``
``capture``    spends the points; only with a stored card                                         here
``release``    cancels what was ordered, gives the points back; only without an order             ``giving_back``
``replace``    takes a card back, so that another one can be ordered                              ``giving_back``
``attention``  leaves the run to a person, under the name of what went wrong                      here
=============  ==================================================================================================

Every step writes what it did, and what it changed, in one transaction.
"""

import time
from collections.abc import Callable, Mapping

from loyalty.core.clock import Clock
from loyalty.core.errors import RecordChanged
from loyalty.core.table import Table
from loyalty.fulfillment.cases import Case, CaseStore, decided, require_card
from loyalty.fulfillment.gate import Gates
from loyalty.fulfillment.giving_back import GivingBack
from loyalty.fulfillment.journal import Did, Journal, after
from loyalty.fulfillment.model import Answer, NothingAwaited, Progress, RedemptionMoved, StepRequest
from loyalty.fulfillment.ordering import Ordering, SupplierBook
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.run import RunStatus
from loyalty.fulfillment.screening import Screening
from loyalty.fulfillment.trouble import reason_of
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Party, RedemptionStatus
from loyalty.rewards.service import RedemptionService
from loyalty.vault.store import CardVault


class FulfillmentService:
    """Takes steps."""

    def __init__(
        self,
        *,
        table: Table,
        programs: ProgramStore,
        redemptions: RedemptionService,
        suppliers: SupplierBook,
        vault: CardVault,
        policy: FulfillmentPolicy,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cases = CaseStore(table, clock)
        self._journal = Journal(table, clock, sleep=sleep)
        self._clock = clock
        self._programs = programs
        self._redemptions = redemptions
        gates = Gates(table, policy, clock, sleep=sleep)
        self._screening = Screening(table, programs, clock, policy, self._journal)
        self._ordering = Ordering(
            table=table,
            programs=programs,
            suppliers=suppliers,
            vault=vault,
            gates=gates,
            journal=self._journal,
            policy=policy,
            clock=clock,
        )
        self._giving_back = GivingBack(
            table=table,
            programs=programs,
            redemptions=redemptions,
            suppliers=suppliers,
            journal=self._journal,
            policy=policy,
            clock=clock,
        )

    def step(self, request: StepRequest) -> Answer:
        """Takes one step.

        Raises:
            RedemptionNotFound, FulfillmentRunNotFound: there is nothing to take it in.
            FulfillmentError, SupplierError, WalletBusy: see the steps.
        """
        whose = request.program, request.member_id, request.redemption_id
        if request.step == "screen":
            return self._screening.screen(*whose)
        if self._cases.run(request.program, request.redemption_id) is None and (answer := self._unopened(*whose)):
            return answer
        return self._taken(self._cases.get(*whose), request)

    def _unopened(self, program: str, member_id: str, redemption_id: str) -> Answer | None:
        """Screening failed, or found nothing that could be ordered: it is tried once more, and then the points go back."""
        answer = self._screening.screen(program, member_id, redemption_id)
        if answer.status not in {Progress.NOT_ORDERED, Progress.CLOSED}:
            return None
        redemption = self._cases.redemption(program, member_id, redemption_id)
        given_up = redemption.status in {RedemptionStatus.HELD, RedemptionStatus.RELEASED}
        return self._giving_back.unopened(redemption) if given_up else answer

    def _taken(self, case: Case, request: StepRequest) -> Answer:
        steps: Mapping[str, Callable[[], Answer]] = {
            "ask": lambda: self._screening.ask(case, request.token or ""),
            "remind": lambda: self._screening.remind(case),
            "order": lambda: self._ordering.order(case),
            "listen": lambda: self._listen(case, request.token or ""),
            "query": lambda: self._ordering.query(case),
            "capture": lambda: self._capture(case),
            "release": lambda: self._giving_back.release(case),
            "replace": lambda: self._giving_back.replace(case),
            "attention": lambda: self._attend(case, request.error or "unknown"),
        }
        return steps[request.step]()

    def _listen(self, case: Case, token: str) -> Answer:
        """Raises :class:`NothingAwaited` where there is news already, or nothing to wait for."""
        run = case.run
        if run.status is not RunStatus.PENDING or decided(case) is not None or run.news_at is not None:
            raise NothingAwaited("there is nothing to wait for")
        self._journal.write(run, Did("listen"), task_token=token)
        return Answer(Progress.PENDING)

    def _capture(self, case: Case) -> Answer:
        """Spends the points for a card that is stored; once captured, says so again.

        Raises:
            OrderNotDelivered: no card is stored.
            RedemptionAlreadyReleased, WalletBusy: see :meth:`RedemptionService.capture`.
        """
        if (answer := decided(case)) is not None and answer.status is not Progress.ATTENTION:
            return answer
        require_card(case)
        fulfilled = {"status": RunStatus.FULFILLED, "reason": None, "task_token": None, "tries": 0}
        _, operations = after(case.run, Did("capture"), self._clock(), **fulfilled)
        if case.redemption.status is RedemptionStatus.CAPTURED:
            # A card that took another's place: its points are spent.
            self._journal.commit(operations)
            return Answer(Progress.CAPTURED)
        redemption = case.redemption
        try:
            self._redemptions.capture(
                self._programs.current(redemption.program),
                redemption.member_id,
                redemption.redemption_id,
                by=Party.FULFILLMENT,
                giving=operations,
            )
        except RecordChanged as refusal:
            raise RedemptionMoved("the run changed meanwhile: the next attempt reads it anew") from refusal
        return Answer(Progress.CAPTURED)

    def _attend(self, case: Case, error: str) -> Answer:
        """What went wrong is nothing that goes away: a person has to look."""
        run = case.run
        if run.ended and run.ends_as is None and error != "OrderStands":
            return Answer(Progress.CLOSED)
        if run.status is not RunStatus.ATTENTION or run.ends_as is not None or run.replaces:
            changes = {"ends_as": None, "replaces": 0, "tries": 0, "waiting_since": None, "task_token": None}
            did = Did("attention", error=error)
            self._journal.write(run, did, status=RunStatus.ATTENTION, reason=reason_of(error), **changes)
        return Answer(Progress.ATTENTION)
