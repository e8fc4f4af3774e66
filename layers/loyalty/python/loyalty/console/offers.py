"""Which decisions a page offers about a run. What may be done is decided where it is done; this saves a refusal."""

from dataclasses import dataclass
from typing import Final

from loyalty.finance.views import MAX_NOTE
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.people.model import Person

NEEDS_NOTE: Final = frozenset({"reject", "cancel", "resolve", "give_back", "reissue"})
DECISIONS: Final = ("approve", "reject", "retry", "resolve", "give_back", "reissue", "cancel")
_BY_STATUS: Final = {
    RunStatus.AWAITING_APPROVAL: ("approve", "reject"),
    RunStatus.AWAITING_FUNDS: ("cancel",),
    RunStatus.PENDING: ("cancel",),
    RunStatus.ATTENTION: ("retry", "resolve", "give_back", "cancel"),
    RunStatus.FULFILLED: ("reissue", "cancel"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a person may do about a run, in the order of the buttons."""

    decisions: tuple[str, ...]
    self_approval: bool
    """They asked for the card: approving it is for somebody else."""
    read_only: bool

    @property
    def with_note(self) -> tuple[str, ...]:
        """Those of the decisions that have to be explained."""
        return tuple(one for one in self.decisions if one in NEEDS_NOTE)

    @property
    def longest_note(self) -> int:
        """Characters that the form takes: more than a note may have, since browsers cut what is longer without a word."""
        return 4 * MAX_NOTE


def offer(run: Run, person: Person) -> Offer:
    """What the person may do about the run."""
    if not person.may_decide(run.program):
        return Offer((), self_approval=False, read_only=True)
    # A turn may be hours away: whoever gives it up need not wait for it.
    waits = run.status is RunStatus.ORDERING and run.turn_at is not None
    decisions = ("cancel",) if waits else _BY_STATUS.get(run.status, ())
    own = run.asked_by(person.actor) and "approve" in decisions
    return Offer(tuple(one for one in decisions if not (own and one == "approve")), self_approval=own, read_only=False)


def standing(run: Run) -> str:
    """What a decision is about. Queries and reminders change a run and not this; whatever they lead to does."""
    return f"{run.status}.{run.orders}"
