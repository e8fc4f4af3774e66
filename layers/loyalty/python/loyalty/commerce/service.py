"""What an inbound event does: points for a member, points back, something kept for a stranger, or nothing.

Every way through is safe to take again, whole or from any point where it was cut off: the ledger counts an identity
once, what is written beside an entry is in the entry's own transaction, and everything else is conditional.
"""

from typing import Final, Protocol

from loyalty.accruals.service import CLOCK_SKEW, AccrualService, Activity
from loyalty.commerce.claims import Claims, Members
from loyalty.commerce.model import (
    PLATFORMS,
    CustomerRef,
    Ignored,
    Inbound,
    MemberActivity,
    MemberSignal,
    Purchase,
    Refund,
)
from loyalty.commerce.outcomes import PROGRAM_UNKNOWN, TOO_MANY_REFUNDS, Outcome
from loyalty.commerce.postings import Postings
from loyalty.commerce.records import KeptRefund, Record
from loyalty.commerce.store import NO_LINES, CommerceStore
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.errors import (
    CurrencyMismatch,
    EntryExistsWithDifferentRequest,
    EntryNotFound,
    OccurredInFuture,
    ProgramNotFound,
    RecordChanged,
    Rejected,
    WalletBusy,
)
from loyalty.programs.model import Program

ATTEMPTS: Final = 3
"""Times that everything is looked at again, because a member came, or another delivery, at the same moment."""
MOST_KEPT_REFUNDS: Final = 50
"""Of one purchase that is kept."""


class Programs(Protocol):
    """Programs, and the shops bound to them."""

    def current(self, program: str) -> Program:
        """The current version; raises ``ProgramNotFound``."""

    def for_shop(self, domain: str) -> str | None:
        """The program that a shop's events belong to, or None."""


class Hashes(Protocol):
    """Keyed hashes of buyers."""

    def digests(self, program: str, customer: CustomerRef) -> tuple[str, ...]:
        """Under which a member may be found; the first that somebody has wins."""


class InboundService:
    """Applies inbound events. ``default_program`` takes the events that name neither a program nor a bound shop."""

    def __init__(
        self,
        *,
        store: CommerceStore,
        programs: Programs,
        members: Members,
        buyers: Hashes,
        accruals: AccrualService,
        clock: Clock,
        default_program: str | None = None,
    ) -> None:
        self._store = store
        self._programs = programs
        self._buyers = buyers
        self._postings = Postings(store, accruals, clock)
        self._claims = Claims(store, members, self._postings, clock)
        self._clock = clock
        self._default_program = default_program

    def apply(self, event: Inbound) -> list[Outcome]:
        """Does what the event asks for. A member's coming may claim several things, or none.

        Raises:
            Rejected: ``program_unknown`` or ``too_many_refunds``.
            EntryNotFound: a refund of what did not come (yet).
            LoyaltyError: the ledger's refusal; ``outcomes.final`` tells whether another delivery can go better.
            TransactionRefused: others write the same items at the moment; deliver the event again.
            Unfinished: a member's coming moves more than one delivery does; deliver the event again.
        """
        match event:
            case Ignored():
                return [Outcome.IGNORED]
            case MemberSignal():
                return self._claims.claim(self._programs.current(event.program), event.member_id)
            case Refund():
                return self._reverse(event)
            case MemberActivity() | Purchase():
                return self._accrue(event)

    def _accrue(self, event: Purchase | MemberActivity) -> list[Outcome]:
        program, activity = self._program(event), _activity(event)
        for _ in range(ATTEMPTS):
            program_id = program.document.id if program else None
            digests = self._buyers.digests(program_id, event.customer) if program_id and event.customer else ()
            record, owners = self._store.look(program_id, event.source, event.source_id, self._clock(), digests)
            if record.seen and record.program != program_id:
                program = self._current(record.program)  # it came before, when its shop belonged to this one
                if record.kept:
                    continue
            if program is None:
                raise _unknown()
            if record.counted:  # an address or a customer id may have moved to another member since
                return self._repeat(record, program, event, activity)
            member_id = _named(event) or next((owners[digest] for digest in digests if digest in owners), None)
            if member_id is not None:
                try:
                    return self._postings.count(record, program, member_id, activity, Outcome.ACCRUED)
                except RecordChanged:
                    continue
            after = self._store.keep(record, program.document.id, activity, digests, self._clock())
            if after is not None:
                return [_kept(record, after)]
        raise WalletBusy("The member is being changed at the moment; deliver the event again.")

    def _repeat(
        self, record: Record, program: Program, event: Purchase | MemberActivity, activity: Activity
    ) -> list[Outcome]:
        if _named(event) not in (None, record.member_id):
            raise EntryExistsWithDifferentRequest(
                f"'{event.source}:{event.source_id}' counted for another member before; send a new source_id."
            )
        return self._postings.repeat(record, program, activity)

    def _reverse(self, event: Refund) -> list[Outcome]:
        program = self._program(event)
        for _ in range(ATTEMPTS):
            program_id = program.document.id if program else None
            record, _ = self._store.look(program_id, event.source, event.purchase_source_id, self._clock())
            if record.member_id is not None:
                counted_in = self._current(record.program)
                return self._postings.reverse(counted_in, record.member_id, event, Outcome.REVERSED)
            if record.kept:
                outcome = self._keep_refund(record, event)
                if outcome is not None:
                    return [outcome]
            elif program is None:
                raise _unknown()
            else:
                raise EntryNotFound(f"'{event.source}:{event.purchase_source_id}' has not come (yet).")
        raise WalletBusy("The purchase is being changed at the moment; deliver the event again.")

    def _keep_refund(self, record: Record, event: Refund) -> Outcome | None:
        """Refused as the ledger would: once it is kept, nobody delivers it again."""
        now = self._clock()
        refund = KeptRefund(from_text(to_text(event.occurred_at)), event.amount)  # as it will be read
        if event.source_id in record.refunds:
            if record.refunds[event.source_id] != refund:
                raise EntryExistsWithDifferentRequest(
                    f"'{event.source}:{event.source_id}' came before with another content; send a new source_id."
                )
            return Outcome.REPLAYED
        if event.occurred_at > now + CLOCK_SKEW:
            raise OccurredInFuture("The refund lies in the future.")
        if event.amount.currency != record.currency:
            raise CurrencyMismatch(f"The purchase was in {record.currency}, the refund is in {event.amount.currency}.")
        if len(record.refunds) >= MOST_KEPT_REFUNDS:
            raise Rejected(TOO_MANY_REFUNDS, f"{MOST_KEPT_REFUNDS} refunds wait beside that purchase.")
        if not self._store.keep_refund(record, event.source_id, refund, now):
            return None
        return Outcome.REFUND_KEPT if record.digests else Outcome.REFUND_ANONYMOUS

    def _program(self, event: Purchase | MemberActivity | Refund) -> Program | None:
        """The event's program by today's settings; None where only its record may tell."""
        of_shop = self._programs.for_shop(event.shop) if not isinstance(event, MemberActivity) and event.shop else None
        program = event.program or of_shop or self._default_program
        if program:
            return self._current(program)
        if event.source in PLATFORMS:
            return None
        raise _unknown()

    def _current(self, program: str | None) -> Program:
        try:
            return self._programs.current(program or "")
        except ProgramNotFound:
            raise Rejected(PROGRAM_UNKNOWN, f"There is no program '{program}'.") from None


def _unknown() -> Rejected:
    return Rejected(PROGRAM_UNKNOWN, "The shop is bound to no program, and there is no default program.")


def _named(event: Purchase | MemberActivity) -> str | None:
    return event.member_id if isinstance(event, MemberActivity) else None


def _kept(before: Record, after: Record) -> Outcome:
    if after is before or before.digests:
        return Outcome.KEPT_BEFORE
    return Outcome.KEPT if after.digests else Outcome.ANONYMOUS


def _activity(event: Purchase | MemberActivity) -> Activity:
    activity, refund_basis = ("purchase", event.refund_basis) if isinstance(event, Purchase) else (event.activity, None)
    return Activity(
        activity=activity,
        source=event.source,
        source_id=event.source_id,
        occurred_at=event.occurred_at,
        channel=event.channel,
        amount=event.amount,
        refund_basis=refund_basis,
        details=NO_LINES,
    )
