"""Recalculating a member's tier in the wake of an accrual."""

from datetime import datetime

from loyalty.core.clock import local_date
from loyalty.core.ids import request_hash
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.model import EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.service import Ledger, following
from loyalty.programs.model import Program

_SOURCE = "tier_recalculation"


class TierService:
    """Writes a change of tier as an entry: it has its place in the statement, and its event comes from the stream."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def recalculate(self, program: Program, member_id: str, *, cause: str, posted_at: datetime) -> Posted | None:
        """Raises the member to the tier that a calendar year's points reach; None where that is no change.

        ``cause`` is the id of the entry in whose wake this happens: delivered again, it changes nothing again. It was
        posted at ``posted_at``, which decides the year: an event that waits over New Year still counts for the old one.
        Upgrades only; a year's end or a refund does not lower a tier yet.

        Raises:
            MemberNotFound, WalletBusy: see :meth:`Ledger.post`.
        """
        document = program.document
        order = [tier.id for tier in document.tiers]

        def decide(situation: Situation) -> Decision | None:
            year = str(local_date(posted_at, document.zone).year)
            now_in = document.tier(situation.book.tier)
            reached = document.tier_for(situation.book.qualifying.get(year, 0))
            if order.index(reached.id) <= order.index(now_in.id):
                return None
            facts = Facts(occurred_at=situation.now, program_version=program.version, tier_from=situation.book.tier)
            return Decision(Movement(tier=reached.id), facts)

        key = EntryKey(EntryKind.TIER, _SOURCE, cause)
        posting = Posting(key, request_hash(cause), decide)
        return following(member_id, lambda member: self._ledger.post(program.scope, member, posting))
