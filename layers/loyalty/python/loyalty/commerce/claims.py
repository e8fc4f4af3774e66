"""A member came or changed: what was kept for them becomes theirs."""

from typing import Final, Protocol

from loyalty.commerce.outcomes import FINAL, Outcome, Unfinished
from loyalty.commerce.postings import Postings
from loyalty.commerce.records import Unclaimed
from loyalty.commerce.store import CommerceStore
from loyalty.core.clock import Clock
from loyalty.core.errors import LoyaltyError, RecordChanged, WalletBusy
from loyalty.members.store import StoredMember
from loyalty.programs.earning import earn
from loyalty.programs.model import Program

ATTEMPTS: Final = 3
"""Times that one record is looked at again, because another delivery moved it at the same moment."""
CLAIMS: Final = 50
"""Postings after which a delivery stops: a claim takes about as long as a batch of events, whatever was kept."""


class Members(Protocol):
    """Members as stored."""

    def get(self, program: str, member_id: str) -> StoredMember | None:
        """The member, or None."""


class Claims:
    """Claims for members what was kept under their hashes."""

    def __init__(self, store: CommerceStore, members: Members, postings: Postings, clock: Clock) -> None:
        self._store = store
        self._members = members
        self._postings = postings
        self._clock = clock

    def claim(self, program: Program, member_id: str) -> list[Outcome]:
        """Posts what waits for the member. What the program refuses waits on, and never keeps the rest from it.

        Raises:
            Unfinished: more than :data:`CLAIMS` were moved, and more wait. Each is moved once: ask again.
            TransactionRefused, WalletBusy: others write the same items at the moment; ask again.
        """
        member = self._members.get(program.document.id, member_id)
        if member is None:
            return []
        found = self._found(program.document.id, list(member.lookups.values()))
        due = [unclaimed for unclaimed in found if _earns(program, unclaimed)]
        refused = [unclaimed for unclaimed in found if unclaimed not in due]
        outcomes: list[Outcome] = []
        for place, unclaimed in enumerate([*due, *refused]):
            if len(outcomes) >= CLAIMS:
                if place < len(due):
                    raise Unfinished(outcomes)
                break
            outcomes += self._claim_one(program, member_id, unclaimed)
        return outcomes

    def _found(self, program: str, digests: list[str]) -> list[Unclaimed]:
        """What is kept under any of the digests, each once."""
        found: dict[tuple[str, str], Unclaimed] = {}
        for digest in digests:
            for unclaimed in self._store.unclaimed(program, digest, self._clock()):
                found.setdefault((unclaimed.activity.source, unclaimed.activity.source_id), unclaimed)
        return list(found.values())

    def _claim_one(self, program: Program, member_id: str, unclaimed: Unclaimed) -> list[Outcome]:
        activity, program_id = unclaimed.activity, program.document.id
        for _ in range(ATTEMPTS):
            record, _ = self._store.look(program_id, activity.source, activity.source_id, self._clock())
            elsewhere = record.program != program_id
            if record.counted and record.refunds and not elsewhere:
                return [Outcome.REPLAYED, *self._postings.settle(record, program)]  # a claim that was cut off
            if record.counted or elsewhere:
                self._store.forget(program_id, unclaimed.digest, record)
                return [Outcome.REPLAYED]
            try:
                return self._postings.count(record, program, member_id, activity, Outcome.CLAIMED)
            except RecordChanged:
                continue
            except FINAL:
                return [Outcome.CLAIM_REFUSED]
        raise WalletBusy("The purchase is being changed at the moment; deliver the event again.")


def _earns(program: Program, unclaimed: Unclaimed) -> bool:
    """Whether the program rewards such a thing at all, asked without the member."""
    document, activity = program.document, unclaimed.activity
    try:
        earn(document, activity.activity, activity.amount, document.tiers[0].id)
    except LoyaltyError:
        return False
    return True
