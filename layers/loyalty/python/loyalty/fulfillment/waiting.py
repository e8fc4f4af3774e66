"""What an order waits for before anything is asked of a supplier: money, its turn, or that the supplier comes back.

::

    first   money? supplier there? ─► takes a turn ─ now ─► gate
                                                └─ later ─► waits until then ─► money? gate ─ full ─► another turn
    again   gate ─ full ─► in a moment

However many wait, each comes twice: once to take its turn, and once to take it up.
"""

from datetime import datetime, timedelta
from math import ceil
from secrets import SystemRandom
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.table import Table
from loyalty.core.telemetry import count
from loyalty.fulfillment import budget
from loyalty.fulfillment.cases import Card, Case, Source, source_of
from loyalty.fulfillment.gate import SOON_SECONDS, Busy, Gates, Low
from loyalty.fulfillment.journal import Did, Journal
from loyalty.fulfillment.model import Answer, Progress
from loyalty.fulfillment.orders import Order
from loyalty.fulfillment.outcomes import Outcomes
from loyalty.fulfillment.policy import LONGEST_WAIT_SECONDS, FulfillmentPolicy, backoff
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.fulfillment.screening import OVER_BUDGET
from loyalty.fulfillment.trouble import reason_metric, reason_of, told
from loyalty.fulfillment.turns import Turns
from loyalty.programs.store import ProgramStore
from loyalty.suppliers.model import Outcome, Supplier, SupplierError

RATE_LIMITED_SECONDS: Final = 20
"""Who sends an order again and finds no room comes back within so many seconds."""
TURN_DAYS: Final = 30
"""A turn that is further away than this is nothing that goes by itself: a person has to look."""
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
        turns: Turns,
        journal: Journal,
        outcomes: Outcomes,
        policy: FulfillmentPolicy,
        clock: Clock,
    ) -> None:
        self._table = table
        self._programs = programs
        self._gates = gates
        self._turns = turns
        self._journal = journal
        self._outcomes = outcomes
        self._policy = policy
        self._clock = clock

    def needed(self, case: Case, card: Card, supplier: Supplier, *, first: bool) -> Answer | None:
        """Why nothing is sent now, if so: money, or the supplier's gate."""
        if first and (low := self._over_budget(case, card)):
            return self.for_funds(case, low, candidate=_first_choice(case, card))
        try:
            blocked = self._blocked(case, card, supplier, first=first)
        except SupplierError as error:
            self._gates.tell(supplier.name, answer=False)
            return self._elsewhere_or_later(case, card, reason_of(error), 60, told(error), first=first)
        if blocked is None or isinstance(blocked, Answer):
            return blocked
        return self._refused(case, card, supplier, blocked, first=first)

    def _refused(self, case: Case, card: Card, supplier: Supplier, blocked: Busy | Low, *, first: bool) -> Answer:
        """What follows of the gate's no."""
        if isinstance(blocked, Low):
            return self.for_funds(case, "supplier_balance_low", candidate=_first_choice(case, card))
        if blocked.reason == "breaker_open":
            return self._elsewhere_or_later(case, card, blocked.reason, blocked.seconds, None, first=first)
        if first:
            # Many came late for their turns at once: it goes to the end of the line.
            return self._until(case, supplier, self._turns.take(supplier.name))
        return Answer(Progress.AGAIN, blocked.seconds + _SPREAD.randrange(RATE_LIMITED_SECONDS))

    def _blocked(self, case: Case, card: Card, supplier: Supplier, *, first: bool) -> Answer | Busy | Low | None:
        """Why it is not sent now. Nobody takes a turn to find at the end of it what is known already."""
        name, now, turn = supplier.name, self._clock(), case.run.turn_at
        if not first:
            return self._gates.permit(name, None, supplier.balance)
        if turn is None:
            if (known := self._gates.look(name, card.value, supplier.balance)) is not None:
                return known
            turn = self._turns.take(name)
            if turn > now + timedelta(seconds=SOON_SECONDS):
                return self._until(case, supplier, turn)
        elif now < turn:
            return Answer(Progress.AGAIN, _seconds(now, turn))
        return self._gates.permit(name, card.value, supplier.balance)

    def _until(self, case: Case, supplier: Supplier, turn: datetime) -> Answer:
        """Writes the turn down, and waits for it."""
        now, reason = self._clock(), "rate_limited"
        did = Did("order", outcome="waiting", supplier=supplier.name, note=reason)
        if turn > now + timedelta(days=TURN_DAYS):
            return self._outcomes.attention(case, reason, did)
        turn = max(turn, now + timedelta(seconds=SOON_SECONDS))
        # Who waits for money goes on waiting for it: that it has a turn does not begin the wait anew.
        status = case.run.status if case.run.status is RunStatus.AWAITING_FUNDS else RunStatus.ORDERING
        self._journal.write(case.run, did, status=status, reason=reason, turn_at=turn)
        return Answer(Progress.AGAIN, _seconds(now, turn))

    def _over_budget(self, case: Case, card: Card) -> str | None:
        program = self._programs.current(case.run.program).document
        limit = program.fulfillment.budget(card.value.currency)
        if limit is None or OVER_BUDGET in case.run.flags:
            return None
        month = budget.month_of(self._clock(), program.zone)
        so_far = budget.spent(self._table, case.run.program, month, card.value.currency)
        return None if budget.fits(so_far, card.value, limit) else "program_budget_spent"

    def for_funds(
        self,
        case: Case,
        reason: str,
        did: Did | None = None,
        *,
        before: Run | None = None,
        candidate: int | None = None,
    ) -> Answer:
        """Waits for money, longer each time.

        Args:
            case: as it is now.
            reason: whose money.
            did: the step that found there is none.
            before: the run before that step, which knows since when it has been waited for.
            candidate: who is asked next; None: the same.
        """
        run, now, before = case.run, self._clock(), before or case.run
        waited = before.status is RunStatus.AWAITING_FUNDS
        since = before.waiting_since if waited and before.waiting_since else now
        tries = before.tries if waited else 0
        if now >= since + timedelta(days=FUNDS_DAYS):
            return self._outcomes.attention(case, reason, did or Did("funds", outcome="waiting"))
        did = did or Did("funds", outcome="waiting", note=reason)
        # A turn without money is lost: one of those who have it comes sooner.
        waits = {
            "status": RunStatus.AWAITING_FUNDS,
            "reason": reason,
            "tries": tries + 1,
            "waiting_since": since,
            "turn_at": None,
        }
        self._journal.write(run, did, **waits, candidate=run.candidate if candidate is None else candidate)
        count(reason_metric(reason))
        return Answer(Progress.AGAIN, backoff(self._policy.funds_seconds, tries))

    def for_word(self, case: Case, card: Card, order: Order, error: SupplierError) -> Answer:
        """Waits until the supplier of an order that is taken for dead says so once more; nobody else is asked before."""
        self._gates.tell(order.supplier, answer=False)
        return self._later(case, card, order.supplier, reason_of(error), seconds=60, error=told(error), first=False)

    def _elsewhere_or_later(
        self, case: Case, card: Card, reason: str, seconds: int, error: str | None, *, first: bool
    ) -> Answer:
        """Nothing was asked of a supplier that is not there: the next one, where the program has one; or after a while."""
        run = case.run
        if first and run.candidate + 1 < len(card.sources):
            did = Did("failover", supplier=card.sources[run.candidate].supplier, error=error, note=reason)
            self._journal.write(run, did, candidate=run.candidate + 1, reason=reason, turn_at=None)
            return Answer(Progress.CLEAR)
        supplier = source_of(run, card).supplier
        return self._later(case, card, supplier, reason, seconds=seconds, error=error, first=first)

    def _later(
        self, case: Case, card: Card, supplier: str, reason: str, *, seconds: int, error: str | None, first: bool
    ) -> Answer:
        """After a while, for a day; then by a person."""
        run, now = case.run, self._clock()
        # A wait for money that came before has a deadline of its own.
        funds = run.status is RunStatus.AWAITING_FUNDS
        since = now if funds or run.waiting_since is None else run.waiting_since
        if now >= since + timedelta(hours=self._policy.settle_hours):
            return self._outcomes.attention(case, reason, Did("order", outcome="waiting", error=error))
        candidate = _first_choice(case, card) if first else run.candidate
        changes = {
            "status": RunStatus.ORDERING if funds else run.status,
            "reason": reason,
            "waiting_since": since,
            "tries": 0 if funds else run.tries,
            "candidate": candidate,
            # A turn is one supplier's.
            "turn_at": run.turn_at if candidate == run.candidate else None,
        }
        if any(getattr(run, name) != value for name, value in changes.items()):
            did = Did("order", outcome="waiting", supplier=supplier, error=error, note=reason)
            self._journal.write(run, did, **changes)
        # The longer it has been away, the less often it is looked for.
        wait = min(max(seconds, int((now - since).total_seconds()) // 2), LONGEST_WAIT_SECONDS)
        return Answer(Progress.AGAIN, wait + _SPREAD.randrange(1 + wait // 4))


def _first_choice(case: Case, card: Card) -> int:
    """The first supplier that has not refused the card: one that was passed over because it was away may be back."""
    order, candidate = case.order, case.run.candidate
    if order is None or order.outcome is not Outcome.REFUSED:
        return 0
    return min(candidate, card.sources.index(Source(order.supplier, order.product)) + 1)


def _seconds(now: datetime, until: datetime) -> int:
    return max(1, ceil((until - now).total_seconds()))
