"""What an inbound event does: points for a member, points back, something kept for a stranger, or nothing.

Every way through is safe to take again, whole or from any point where it was cut off: the ledger counts an identity
once, what is written beside an entry is in the entry's own transaction, and everything else is conditional.
"""

from enum import StrEnum
from typing import Final, Protocol

from loyalty.accruals.service import AccrualService, Activity
from loyalty.accruals.service import Refund as Reversal
from loyalty.commerce.model import Ignored, Inbound, MemberActivity, MemberSignal, Purchase, Refund
from loyalty.commerce.store import NO_LINES, CommerceStore, Unclaimed
from loyalty.core.clock import Clock
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    EntryNotFound,
    LoyaltyError,
    MemberNotFound,
    OccurredInFuture,
    ProgramNotFound,
    Rejected,
    Unacceptable,
    WalletBusy,
)
from loyalty.ledger.service import Posted
from loyalty.members.directory import Match
from loyalty.members.store import StoredMember
from loyalty.programs.model import Program

PROGRAM_UNKNOWN: Final = "program_unknown"
PURCHASE_NOT_FOUND: Final = "purchase_not_found"
ATTEMPTS: Final = 3
"""Times that a member is looked for again, because one came while a stranger's purchase was to be kept."""

_FINAL: Final = (EntryExistsWithDifferentRequest, MemberNotFound, OccurredInFuture, Unacceptable)
"""What the ledger would answer to every further delivery too."""


class Outcome(StrEnum):
    """What became of an event. The values are names of metrics."""

    ACCRUED = "EventsAccrued"
    REVERSED = "EventsReversed"
    REPLAYED = "EventsReplayed"
    IGNORED = "EventsIgnored"
    KEPT = "UnmatchedPurchase"
    """By nobody we know; kept to be claimed."""
    KEPT_BEFORE = "UnmatchedPurchaseReplayed"
    ANONYMOUS = "UnclaimablePurchase"
    """By nobody we know, and with nothing on it to claim it by: only counted, under this name and KEPT's."""
    CLAIMED = "PurchasesClaimed"
    CLAIM_REFUSED = "ClaimsRefused"
    """Kept for somebody who came, but the program refuses it: it waits on until it expires."""


class Programs(Protocol):
    """Programs, and the shops bound to them."""

    def current(self, program: str) -> Program:
        """The current version; raises ``ProgramNotFound``."""

    def for_shop(self, domain: str) -> str | None:
        """The program that a shop's events belong to, or None."""


class Members(Protocol):
    """Members as stored."""

    def get(self, program: str, member_id: str) -> StoredMember | None:
        """The member, or None."""


class Finder(Protocol):
    """Finds members by what a platform knows of them."""

    def resolve(self, program: str, *, external: tuple[str, str] | None = None, email: str | None = None) -> Match:
        """Who it is, if anybody, and the hashes that were asked for."""


class InboundService:
    """Applies inbound events. ``default_program`` takes the events that name neither a program nor a bound shop."""

    def __init__(
        self,
        *,
        store: CommerceStore,
        programs: Programs,
        members: Members,
        finder: Finder,
        accruals: AccrualService,
        clock: Clock,
        default_program: str | None = None,
    ) -> None:
        self._store = store
        self._programs = programs
        self._members = members
        self._finder = finder
        self._accruals = accruals
        self._clock = clock
        self._default_program = default_program

    def apply(self, event: Inbound) -> list[Outcome]:
        """Does what the event asks for. A member's coming may claim several things, or none.

        Raises:
            Rejected: ``program_unknown``.
            EntryNotFound: a refund of what (yet) counted for nobody; the purchase may still come, or be claimed.
            LoyaltyError: the ledger's refusal; :func:`final` tells whether another delivery can go better.
            TransactionRefused: others write the same items at the moment; deliver the event again.
        """
        match event:
            case Ignored():
                return [Outcome.IGNORED]
            case MemberSignal():
                return self._claim(event)
            case Refund():
                return [self._reverse(event)]
            case MemberActivity() | Purchase():
                return [self._accrue(event)]

    def _accrue(self, event: Purchase | MemberActivity) -> Outcome:
        program = self._program(event)
        program_id, activity = program.document.id, _activity(event)
        for _ in range(ATTEMPTS):
            member_id, digests = self._member(program_id, event)
            if member_id is not None:
                return _counted(self._post(program, member_id, activity), Outcome.ACCRUED)
            if not digests:
                return Outcome.ANONYMOUS
            kept = self._store.keep(program_id, activity, digests, self._clock())
            if kept is not None:
                return Outcome.KEPT if kept else Outcome.KEPT_BEFORE
        raise WalletBusy("The member is being changed at the moment; deliver the event again.")

    def _member(self, program: str, event: Purchase | MemberActivity) -> tuple[str | None, frozenset[str]]:
        """Whom the event counts for, and the digests of a stranger.

        Whom it counted for before comes first: an address or a customer id may have moved to another member since.
        """
        before = self._store.member_of(program, event.source, event.source_id)
        named = event.member_id if isinstance(event, MemberActivity) else None
        if before is not None and named not in (None, before):
            raise EntryExistsWithDifferentRequest(
                f"'{event.source}:{event.source_id}' counted for another member before; send a new source_id."
            )
        customer = event.customer
        if before or named or customer is None:
            return before or named, frozenset()
        external = (customer.platform, customer.external_id) if customer.external_id else None
        match = self._finder.resolve(program, external=external, email=customer.email)
        return match.member_id, frozenset(filter(None, (match.external_digest, match.email_digest)))

    def _post(self, program: Program, member_id: str, activity: Activity, unclaimed: Unclaimed | None = None) -> Posted:
        program_id = program.document.id
        removals = self._store.removals(program_id, unclaimed) if unclaimed else []
        counted = self._store.counted_for(program_id, activity.source, activity.source_id, member_id)
        return self._accruals.accrue(program, member_id, activity, operations=[counted, *removals])

    def _reverse(self, event: Refund) -> Outcome:
        program = self._program(event)
        member_id = self._store.member_of(program.document.id, event.source, event.purchase_source_id)
        if member_id is None:
            raise EntryNotFound(f"'{event.source}:{event.purchase_source_id}' counted for nobody (yet).")
        reversal = Reversal(event.source, event.source_id, event.purchase_source_id, event.occurred_at, event.amount)
        return _counted(self._accruals.reverse(program, member_id, reversal), Outcome.REVERSED)

    def _claim(self, signal: MemberSignal) -> list[Outcome]:
        member = self._members.get(signal.program, signal.member_id)
        if member is None:
            return []
        program, now = self._programs.current(signal.program), self._clock()
        return [
            self._claim_one(program, signal.member_id, unclaimed)
            for digest in member.lookups.values()
            for unclaimed in self._store.unclaimed(signal.program, digest, now)
        ]

    def _claim_one(self, program: Program, member_id: str, unclaimed: Unclaimed) -> Outcome:
        activity = unclaimed.activity
        if self._store.member_of(program.document.id, activity.source, activity.source_id) is None:
            try:
                if not self._post(program, member_id, activity, unclaimed).replayed:
                    return Outcome.CLAIMED
            except _FINAL:
                return Outcome.CLAIM_REFUSED
        # It counted before, by another way: only what was kept is left to remove.
        self._store.write(self._store.removals(program.document.id, unclaimed))
        return Outcome.REPLAYED

    def _program(self, event: Purchase | MemberActivity | Refund) -> Program:
        of_shop = self._programs.for_shop(event.shop) if not isinstance(event, MemberActivity) and event.shop else None
        program = event.program or of_shop or self._default_program
        if not program:
            raise Rejected(PROGRAM_UNKNOWN, "The shop is bound to no program, and there is no default program.")
        try:
            return self._programs.current(program)
        except ProgramNotFound:
            raise Rejected(PROGRAM_UNKNOWN, f"There is no program '{program}'.") from None


def final(error: LoyaltyError) -> Rejected | None:
    """The refusal that every further delivery would meet too, or None where another may go better."""
    if isinstance(error, Rejected):
        return error
    return Rejected(error.code, error.detail) if isinstance(error, _FINAL) else None


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


def _counted(posted: Posted, outcome: Outcome) -> Outcome:
    return Outcome.REPLAYED if posted.replayed else outcome
