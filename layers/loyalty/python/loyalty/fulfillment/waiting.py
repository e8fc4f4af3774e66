"""What an order waits for before anything is asked of a supplier: money, its pace, or that it comes back."""

from datetime import timedelta
from secrets import SystemRandom
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.table import Table
from loyalty.core.telemetry import count
from loyalty.fulfillment import budget
from loyalty.fulfillment.cases import Card, Case, source_of
from loyalty.fulfillment.gate import Busy, Gates
from loyalty.fulfillment.journal import Did, Journal
from loyalty.fulfillment.model import Answer, Progress
from loyalty.fulfillment.outcomes import Outcomes
from loyalty.fulfillment.policy import LONGEST_WAIT_SECONDS, FulfillmentPolicy, backoff
from loyalty.fulfillment.run import RunStatus
from loyalty.fulfillment.screening import OVER_BUDGET
from loyalty.fulfillment.trouble import reason_metric, reason_of, told
from loyalty.programs.store import ProgramStore
from loyalty.suppliers.model import Supplier, SupplierError

RATE_LIMITED_SECONDS: Final = 20
"""Those who came too fast come back spread over so many seconds."""
FUNDS_DAYS: Final = 30
"""For how long an order waits for money before a person has to look."""
_SPREAD: Final = SystemRandom()


class Waiting:
    """Nothing is ordered while one of these is in the way."""

    def __init__(
        self,
        *,
        table: Table,
        programs: ProgramStore,
        gates: Gates,
        journal: Journal,
        outcomes: Outcomes,
        policy: FulfillmentPolicy,
        clock: Clock,
    ) -> None:
        self._table = table
        self._programs = programs
        self._gates = gates
        self._journal = journal
        self._outcomes = outcomes
        self._policy = policy
        self._clock = clock

    def needed(self, case: Case, card: Card, supplier: Supplier, *, first: bool) -> Answer | None:
        """Why nothing is sent now, if so: money, or the supplier's gate."""
        if first and (low := self._over_budget(case, card)):
            return self.for_funds(case, low)
        try:
            blocked = self._gates.permit(supplier.name, card.value if first else None, supplier.balance)
        except SupplierError as error:
            self._gates.tell(supplier.name, answer=False)
            return self._elsewhere_or_later(case, card, reason_of(error), 60, told(error), first=first)
        if blocked is None:
            return None
        if not isinstance(blocked, Busy):
            return self.for_funds(case, "supplier_balance_low")
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

    def for_funds(self, case: Case, reason: str, did: Did | None = None) -> Answer:
        """Waits for money, longer each time. ``did``: the step that found there is none."""
        run, now = case.run, self._clock()
        since = run.waiting_since if run.status is RunStatus.AWAITING_FUNDS and run.waiting_since else now
        tries = run.tries if run.status is RunStatus.AWAITING_FUNDS else 0
        if now >= since + timedelta(days=FUNDS_DAYS):
            return self._outcomes.attention(case, reason, did or Did("funds", outcome="waiting"))
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
            return self._outcomes.attention(case, reason, Did("order", outcome="waiting", error=error))
        if run.reason != reason or run.waiting_since is None:
            supplier = source_of(run, card).supplier
            did = Did("order", outcome="waiting", supplier=supplier, error=error, note=reason)
            self._journal.write(run, did, reason=reason, waiting_since=since)
        # The longer it has been away, the less often it is looked for.
        wait = min(max(seconds, int((now - since).total_seconds()) // 2), LONGEST_WAIT_SECONDS)
        return Answer(Progress.AGAIN, wait + _SPREAD.randrange(1 + wait // 4))
