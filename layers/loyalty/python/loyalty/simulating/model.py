"""A period, the members as they were before it, and what reversals of it are of: values."""

from dataclasses import dataclass, field
from datetime import datetime

from loyalty.accruals.model import Refund, ReversalReason
from loyalty.accruals.share import Original, Reversed
from loyalty.ledger.model import Account, Book, Entry

Identity = tuple[str, str]
"""A member, and the id of an entry."""


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` (None: from the first entry on) until just before ``end``, by when entries were posted (UTC)."""

    start: datetime | None
    end: datetime

    def is_before(self, moment: datetime) -> bool:
        """Whether a moment lies before it."""
        return self.start is not None and moment < self.start

    def has(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return not self.is_before(moment) and moment < self.end


@dataclass(frozen=True, slots=True)
class Kept:
    """An accrual that may be taken back, and what was taken of it so far. ``before``: it was posted before the period."""

    original: Original
    taken: Reversed
    before: bool = False


@dataclass(slots=True)
class Opening:
    """Everything as it was at the start of a period."""

    books: dict[str, Book] = field(default_factory=dict)
    """By member: where they stand and what counts towards tiers; without points. Who was merged is there too."""
    kept: dict[Identity, Kept] = field(default_factory=dict)
    """Accruals that used something of caps or budgets."""
    times: dict[Identity, int] = field(default_factory=dict)
    """How often a member had done something that was not taken back as a whole: by member and activity."""


@dataclass(frozen=True, slots=True)
class Both:
    """A number under the version that is in force, and under the other one."""

    now: int = 0
    draft: int = 0

    @property
    def difference(self) -> int:
        """By how much the draft's is higher."""
        return self.draft - self.now


def refund_of(entry: Entry) -> Refund:
    """What a reversal's entry took back, to be taken back again; never more than is left."""
    key, facts = entry.key, entry.facts
    by_lines = {line_id: line.quantity for line_id, line in facts.lines.items()}
    amount = None if by_lines else facts.amount
    return Refund(
        source=key.source,
        source_id=key.source_id,
        accrual_source_id=(facts.reverses or "").split(":", 2)[-1],
        occurred_at=facts.occurred_at,
        amount=amount,
        lines=by_lines,
        everything=amount is None and not by_lines,
        reason=ReversalReason(facts.reason) if facts.reason else ReversalReason.REFUND,
    )


def issued(entry: Entry) -> dict[str, int]:
    """Points that an entry gave, by wallet; below zero what it took back."""
    found = {wallet: -change.postings.get(Account.ISSUED, 0) for wallet, change in entry.movement.changes.items()}
    return {wallet: points for wallet, points in found.items() if points}
