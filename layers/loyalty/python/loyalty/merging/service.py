"""Merging: one transaction over both books, the absorbed member's profile and its lookups."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from loyalty.accruals.awaited import AwaitedReversals
from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.core import ids
from loyalty.households.errors import MemberInHousehold
from loyalty.households.store import membership_check
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.keys import HOUSEHOLD_SK
from loyalty.ledger.model import Entry, EntryKey, EntryKind, Facts
from loyalty.ledger.pairs import Side
from loyalty.ledger.service import Ledger
from loyalty.merging.decision import movements_of, require_free, require_not_absorbed, standings_after
from loyalty.merging.errors import MergeWithSelf
from loyalty.merging.store import cases_of_both, consents_of_both, handed_over, preferences_of_both, segments_of_both
from loyalty.privacy.consent_items import CONSENTS_SK, PREFERENCES_SK
from loyalty.programs.model import Program
from loyalty.segments.items import SEGMENTS_SK
from loyalty.tiers.change import following_change
from loyalty_contract import MEMBER_SK, RISK_SK

_SOURCE: Final = "merge"
_OF_BOTH: Final = (SEGMENTS_SK, RISK_SK, CONSENTS_SK, PREFERENCES_SK)
"""Records of which the two make one."""


class MergeService:
    """Makes one member of two, once. What was posted to the absorbed one stays there, and is never posted again."""

    def __init__(self, ledger: Ledger, reversals: AwaitedReversals) -> None:
        self._ledger = ledger
        self._reversals = reversals

    def merge(self, program: Program, member_id: str, *, absorbed: str, actor: str) -> tuple[Posted, Posted]:
        """Moves everything that ``absorbed`` has to ``member_id``; the same two again, and it says so again.

        The first entry is the survivor's, the second the absorbed member's. Reversals that waited with one of them for
        what was posted to the other are posted after it; where that is cut off, the same request again goes on with it.

        Raises:
            MergeWithSelf: both are one member.
            MemberMerged: one of them was merged into somebody else.
            MemberHasOpenHolds, MemberInHousehold: the absorbed one has points on hold, or is in a household.
            MergeLimitExceeded: the survivor has absorbed as many as it may.
            MemberNotFound, WalletBusy, RecordChanged: see :meth:`Ledger.post_pair`.
        """
        if member_id == absorbed:
            raise MergeWithSelf("Name two different members.", pointer="/from_member_id")

        waits = False

        def decide(into: Situation, gone: Situation) -> tuple[Decision, Decision]:
            nonlocal waits
            waits = into.book.awaiting + gone.book.awaiting > 0
            require_not_absorbed(into.book, gone.book)
            require_free(gone.book)
            if HOUSEHOLD_SK in gone.records:
                raise MemberInHousehold(f"'{absorbed}' is in a household; take them out, then merge.")
            gains, losses = movements_of(program.scope, into, gone)
            stands = standings_after(program.scope, into, gone)
            operations = [
                *handed_over(gone, member_id),
                *segments_of_both(into, gone),
                *cases_of_both(into, gone),
                *consents_of_both(into, gone),
                *preferences_of_both(into, gone),
                membership_check(program.document.id, absorbed, None),
                line_put(
                    Line(
                        program.document.id,
                        "member.merged",
                        f"members/{absorbed}",
                        into.now,
                        actor=actor,
                        before={"entries": gone.book.seq},
                        after={"merged_into": member_id},
                    )
                ),
            ]

            def raised(_: Entry) -> Sequence[Posting]:
                return [following_change(program, change, _SOURCE, absorbed) for change in stands]

            facts = Facts(into.now, program.version, actor=actor)
            return (
                Decision(
                    gains,
                    replace(facts, other_member=absorbed),
                    then=raised,
                    awaiting=gone.book.awaiting,
                    opened_at=gone.book.opened_at,
                    on_hold=gone.book.on_hold,
                ),
                Decision(losses, replace(facts, other_member=member_id), operations, awaiting=-gone.book.awaiting),
            )

        sides = (
            Side(member_id, EntryKey(EntryKind.MERGE_IN, _SOURCE, absorbed), _OF_BOTH),
            Side(
                absorbed,
                EntryKey(EntryKind.MERGE_OUT, _SOURCE, member_id),
                (MEMBER_SK, HOUSEHOLD_SK, *_OF_BOTH),
            ),
        )
        request = ids.request_hash({"from": absorbed, "into": member_id})
        posted = self._ledger.post_pair(program.scope, sides, request, decide)
        if waits or posted[0].replayed:  # what waited with one of them may have been posted to the other
            self._reversals.catch_up(program, member_id)
        return posted
