"""The first step: opens the run, and says whether a person has to approve it. Repeated, it says where the run goes on.

Each that holds of these asks for an approval, and is written down:

=================  ====================================================================================
``over_threshold``  worth more than the program's threshold of its currency
``over_budget``     the month's budget does not cover it; who approves it lets it go beyond
``velocity``        too many cards of the member, or of too much value, within some days
``new_member``      the member joined lately
``on_hold``         the member is on hold for suspected abuse
=================  ====================================================================================
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.errors import RewardNotFound
from loyalty.core.table import Operation, Table
from loyalty.core.telemetry import logger
from loyalty.fulfillment import budget
from loyalty.fulfillment.cases import Card, Case, CaseStore, decided
from loyalty.fulfillment.journal import Did, Journal
from loyalty.fulfillment.model import Answer, NothingAwaited, Progress
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.recent import Recent, RecentStore, too_fast
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.ledger.model import Book
from loyalty.ledger.store import LedgerStore
from loyalty.programs.fulfillment import Fulfillment
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.suppliers.model import OrderRefused

OVER_BUDGET: Final = "over_budget"
EXPIRED: Final = "approval_expired"


class Screening:
    """Opens runs, and waits with them for an approval."""

    def __init__(
        self, table: Table, programs: ProgramStore, clock: Clock, policy: FulfillmentPolicy, journal: Journal
    ) -> None:
        self._table = table
        self._cases = CaseStore(table, clock)
        self._recent = RecentStore(table)
        self._books = LedgerStore(table)
        self._programs = programs
        self._clock = clock
        self._policy = policy
        self._journal = journal

    def screen(self, program: str, member_id: str, redemption_id: str) -> Answer:
        """Opens the run, unless it is open; says where it goes on.

        Raises:
            RedemptionNotFound: the member has no such redemption.
            RedemptionMoved: another invocation was first.
        """
        if self._cases.run(program, redemption_id) is not None:
            return self._resumed(self._cases.get(program, member_id, redemption_id))
        redemption = self._cases.redemption(program, member_id, redemption_id)
        if redemption.status is not RedemptionStatus.HELD:
            return Answer(Progress.CLOSED)
        try:
            card = self._cases.card(redemption)
        except (OrderRefused, RewardNotFound) as error:
            # There is nothing that could be ordered, now or later: the points go back.
            logger.error("nothing to order", extra={"redemption_id": redemption_id, "error": type(error).__name__})
            return Answer(Progress.NOT_ORDERED)
        return self._open(self._programs.current(program), redemption, card)

    def ask(self, case: Case, token: str) -> Answer:
        """Writes down by which token the state machine is told what a person decides.

        Raises:
            NothingAwaited: it is decided, or over.
            RedemptionMoved: a person decided in this moment.
        """
        if case.run.status is not RunStatus.AWAITING_APPROVAL or decided(case) is not None:
            raise NothingAwaited("it needs no approval any more")
        now = self._clock()
        again = case.run.task_token is not None
        due = again and now >= self._remind_at(case.run)
        self._journal.write(
            case.run,
            Did("reminder" if due else "approval_requested"),
            task_token=token,
            reminded_at=now if due else case.run.reminded_at,
        )
        return Answer(Progress.APPROVAL, self._wait(case.run))

    def remind(self, case: Case) -> Answer:
        """Once the wait for a person is over: what they decided, or another wait, or the end."""
        run = case.run
        if (answer := decided(case)) is not None:
            return answer
        if run.status is not RunStatus.AWAITING_APPROVAL:
            return Answer(Progress.CLEAR)
        if run.approve_until is not None and self._clock() >= run.approve_until:
            self._journal.write(run, Did("expire"), ends_as=RunStatus.EXPIRED, reason=EXPIRED, task_token=None)
            return Answer(Progress.NOT_ORDERED)
        return Answer(Progress.APPROVAL, self._wait(run))

    def _open(self, program: Program, redemption: Redemption, card: Card) -> Answer:
        now, rules = self._clock(), program.document.fulfillment
        run = Run(
            program=redemption.program,
            redemption_id=redemption.redemption_id,
            member_id=redemption.member_id,
            reward_id=redemption.reward_id,
            points=redemption.points,
            wallet=redemption.wallet,
            value=card.value,
            requested_by=redemption.requested_by or "unknown",
            requested_through=redemption.requested_through,
            opened_at=now,
            campaign=redemption.campaign,
        )
        flags, also = self._flags(program, redemption, card, now)
        if flags:
            until = now + timedelta(hours=rules.approval_hours)
            run = _flagged(run, flags, until)
        run = self._journal.open(run, Did("screen", note=", ".join(flags) or None), *also)
        return Answer(Progress.APPROVAL, self._wait(run)) if flags else Answer(Progress.CLEAR)

    def _flags(
        self, program: Program, redemption: Redemption, card: Card, now: datetime
    ) -> tuple[list[str], list[Operation]]:
        rules: Fulfillment = program.document.fulfillment
        month = budget.month_of(now, program.document.zone)
        limit = rules.budget(card.value.currency)
        flags: list[str] = []
        also: list[Operation] = []
        if rules.needs_approval(card.value):
            flags.append("over_threshold")
        if limit is not None:
            spent = budget.spent(self._table, redemption.program, month, card.value.currency)
            flags += [] if budget.fits(spent, card.value, limit) else [OVER_BUDGET]
        if rules.velocity:
            new = Recent(redemption.redemption_id, redemption.held_at, card.value)
            cards, put = self._recent.with_one(redemption.program, redemption.member_id, new, rules.velocity)
            also.append(put)
            flags += ["velocity"] if too_fast(cards, rules.velocity, redemption.held_at) else []
        book = self._books.current(redemption.program, redemption.member_id)
        if book is not None and book.on_hold:
            flags.append("on_hold")
        if rules.new_member_days is not None and _is_new(book, redemption, rules.new_member_days):
            flags.append("new_member")
        return flags, also

    def _resumed(self, case: Case) -> Answer:
        """Where a run goes on that was opened before: an execution was started anew."""
        if (answer := decided(case)) is not None:
            return answer
        if case.run.status is RunStatus.AWAITING_APPROVAL:
            return Answer(Progress.APPROVAL, self._wait(case.run))
        if case.order is None or case.order.dead or case.run.status is RunStatus.AWAITING_FUNDS:
            return Answer(Progress.CLEAR)
        return Answer(Progress.ORDERED) if case.order.issued else Answer(Progress.UNKNOWN, self._policy.settle_seconds)

    def _remind_at(self, run: Run) -> datetime:
        rules = self._programs.current(run.program).document.fulfillment
        until = run.approve_until or run.opened_at
        return until - timedelta(hours=rules.approval_hours - rules.reminder_hours)

    def _wait(self, run: Run) -> int:
        """Seconds until the reminder, or after it until the deadline."""
        now, remind_at = self._clock(), self._remind_at(run)
        until = remind_at if now < remind_at else (run.approve_until or now)
        return max(1, int((until - now).total_seconds()) + 1)


def _is_new(book: Book | None, redemption: Redemption, days: int) -> bool:
    joined = None if book is None else book.opened_at
    return joined is not None and redemption.held_at < joined + timedelta(days=days)


def _flagged(run: Run, flags: list[str], until: datetime) -> Run:
    return replace(run, status=RunStatus.AWAITING_APPROVAL, reason=flags[0], flags=tuple(flags), approve_until=until)
