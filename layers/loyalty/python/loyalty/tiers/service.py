"""Recalculating a member's tiers: in the wake of an accrual or a reversal, or because somebody asks for it."""

from collections.abc import Sequence
from datetime import datetime

from loyalty.core.clock import local_date
from loyalty.core.errors import MemberErased
from loyalty.core.ids import request_hash
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.model import Entry, EntryKey, EntryKind, Scope
from loyalty.ledger.service import Ledger, following
from loyalty.ledger.settlement import tallies_of
from loyalty.programs.model import Program
from loyalty.tiers.change import Change, changed, decision, following_change

_SOURCE = "tier_recalculation"


class TierService:
    """Writes a change of tier as an entry: it has its place in the statement, and its event comes from the stream."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def recalculate(self, program: Program, member_id: str, *, cause: str, posted_at: datetime) -> Posted | None:
        """Raises the member to what the period of ``posted_at`` earns, on every ladder; None where nothing changes.

        ``cause`` is the id of the entry in whose wake this happens: delivered again, it changes nothing again. It was
        posted at ``posted_at``, which decides the period: an event that waits over New Year still counts for the old
        one. In the wake of a reversal a tier that the rest does not earn is lowered where the ladder says so; otherwise
        its review alone lowers it.

        The entry is that of the first ladder on which something changes; those of others follow it.

        Raises:
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        scope, key = program.scope, EntryKey(EntryKind.TIER, _SOURCE, cause)

        def decide(situation: Situation) -> Decision | None:
            refunded = cause.startswith(f"{EntryKind.REVERSAL}:")
            found = changes(program.scope, situation, posted_at, refunded=refunded)
            if not found:
                return None

            def others(_: Entry) -> Sequence[Posting]:
                return [following_change(program, change, _SOURCE, cause) for change in found[1:]]

            return decision(program, found[0], situation, others)

        posting = Posting(key, request_hash(cause), decide)
        try:
            return following(member_id, lambda member: self._ledger.post(scope, member, posting))
        except MemberErased:
            return None  # the event is of what came back, or was taken back, after it


def changes(scope: Scope, situation: Situation, posted_at: datetime, *, refunded: bool) -> list[Change]:
    """What changes on the ladders in the wake of what was posted at a moment (UTC), the main one first.

    ``refunded``: what was posted is a reversal.
    """
    book = situation.book
    earned_on, today = local_date(posted_at, scope.zone), local_date(situation.now, scope.zone)
    tallies = tallies_of(book, scope)
    found = [
        changed(ladder, terms, book, tallies, earned_on=earned_on, today=today, refunded=refunded)
        for ladder, terms in scope.ladders.items()
    ]
    return [change for change in found if change is not None]
