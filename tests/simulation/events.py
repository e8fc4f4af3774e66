"""Events of the queue: batches through the real runner and the real service, over a process' table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from loyalty.accruals.service import AccrualService
from loyalty.commerce.batch import BatchRunner, Message, Result
from loyalty.commerce.model import CustomerRef, Inbound, MemberActivity, Purchase, Refund
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.service import InboundService
from loyalty.commerce.store import CommerceStore
from loyalty.commerce.tasks import Task
from loyalty.core.errors import LoyaltyError, ProgramNotFound, Rejected
from loyalty.core.table import Put
from loyalty.members.items import LookupItem, StoredMember, lookup_key
from loyalty.programs.model import Program
from tests.simulation.answers import KEPT, POSTED, REFUSED, UNKNOWN, Answer, activity_of, money, trouble
from tests.simulation.naming import PROGRAM
from tests.simulation.oracle.commands import Accrue, TakeBack
from tests.simulation.simulation import Process

SHOP: Final = "shopify"
_WAITS: Final = frozenset({Outcome.REFUND_WAITING, Outcome.REFUND_KEPT})


class Events:
    """A function that takes batches off the queue."""

    def __init__(self, process: Process, accruals: AccrualService) -> None:
        self._process = process
        self._accruals = accruals

    def act(self, commands: Sequence[Accrue | TakeBack], program: Program) -> list[Answer]:
        """Applies a batch: what becomes of each message."""
        service = InboundService(
            store=CommerceStore(self._process.table),
            programs=_Programs(program),
            members=_Nobody(),
            buyers=_Digests(),
            accruals=self._accruals,
            clock=self._process.clock,
        )
        events = {str(place): _event(command) for place, command in enumerate(commands)}
        runner = _Runner(service, lambda _body, _refusal: None, workers=1)
        runner.events = events
        results = runner.run([Message(name, name) for name in events])
        return [_answer(command, result) for command, result in zip(commands, results, strict=True)]


def lookup_of(member: str) -> Put:
    """By what a shop knows a member."""
    return Put(LookupItem(*lookup_key(PROGRAM, _digest(f"customer-{member}")), member_id=member))


class _Runner(BatchRunner):
    """Takes events as values: how payloads are read is not what a history is about."""

    events: Mapping[str, Inbound]

    def _plan(self, message: Message) -> Task | Rejected:
        return self._service.plan(self.events[message.body])


class _Programs:
    """One program, in the version that the function knows. No shop is bound to it."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def current(self, program: str) -> Program:
        if program != self._program.document.id:
            raise ProgramNotFound(program)
        return self._program

    def at(self, program: str, moment: datetime) -> Program | None:  # noqa: ARG002 -- as the port has it
        return self.current(program)

    def for_shop(self, domain: str) -> str | None:  # noqa: ARG002 -- as the port has it
        return None


class _Nobody:
    """No profiles: nobody new comes and claims something."""

    def get(self, program: str, member_id: str) -> StoredMember | None:  # noqa: ARG002 -- as the port has it
        return None


class _Digests:
    """Buyers by the shop's id of them."""

    def digests(self, program: str, customer: CustomerRef) -> tuple[str, ...]:  # noqa: ARG002 -- as the port has it
        return (_digest(customer.external_id),) if customer.external_id else ()


def _digest(external_id: str) -> str:
    return f"digest-{external_id}"


def _event(command: Accrue | TakeBack) -> Inbound:
    if isinstance(command, TakeBack):
        given = money(command.amount)
        return Refund(command.source, command.source_id, command.accrual_id, command.occurred_at, given, PROGRAM)
    activity = activity_of(command)
    if command.source != SHOP:
        return MemberActivity(
            PROGRAM, command.activity, command.source, command.source_id, command.occurred_at,
            channel=command.channel or "app", member_id=command.member, amount=activity.amount,
        )  # fmt: skip
    if activity.amount is None or activity.refund_basis is None:
        raise AssertionError("a purchase without an amount")
    return Purchase(
        command.source, command.source_id, command.occurred_at,
        channel=command.channel or "shop", amount=activity.amount, refund_basis=activity.refund_basis,
        customer=CustomerRef(SHOP, f"customer-{command.member}"), lines=activity.lines, program=PROGRAM,
    )  # fmt: skip


def _answer(command: Accrue | TakeBack, result: Result) -> Answer:
    if result.rejected is not None:
        return Answer(REFUSED, result.rejected.reason)
    if result.error is not None:
        answer = trouble(result.error)
        # It is delivered again, whatever it is.
        return Answer(UNKNOWN, answer.code) if isinstance(result.error, LoyaltyError) else answer
    outcomes = set(result.outcomes)
    fresh = bool(outcomes & {Outcome.ACCRUED, Outcome.REVERSED})
    if isinstance(command, TakeBack) and outcomes & _WAITS:
        return Answer(KEPT, fresh=True)
    if isinstance(command, TakeBack) and outcomes == {Outcome.REPLAYED}:
        return Answer(KEPT, "again")  # it waits, or was posted
    return Answer(POSTED, fresh=fresh)
