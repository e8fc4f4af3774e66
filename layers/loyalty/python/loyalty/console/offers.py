"""Which decisions a page offers about a run. What may be done is decided where it is done; this saves a refusal."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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
_ENDINGS: Final = {RunStatus.REJECTED: "reject", RunStatus.CANCELLED: "cancel"}
TAKES: Final = timedelta(minutes=1)
"""What has not moved for so long after a decision may be tried again."""


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


def under_way(run: Run) -> str | None:
    """Which decision was taken and is still to be carried out; ``release``: points go back that nobody decided about."""
    if run.ends_as is not None:
        return _ENDINGS.get(run.ends_as, "release")
    if run.replaces:
        return "reissue"
    if run.status is RunStatus.SCREENING and run.executions > 1:
        return "retry"
    waits = run.orders or run.waiting_since is not None or run.turn_at is not None
    return "approve" if run.status is RunStatus.ORDERING and run.approved_by is not None and not waits else None


def offer(run: Run, person: Person, now: datetime) -> Offer:
    """What the person may do about the run: nothing while a decision is carried out, unless that takes too long."""
    if not person.may_decide(run.program):
        return Offer((), self_approval=False, read_only=True)
    if under_way(run) is not None:
        slow = now - (run.updated_at or run.opened_at) > TAKES
        return Offer(("retry",) if slow else (), self_approval=False, read_only=False)
    # A turn may be hours away: whoever gives it up need not wait for it.
    waits = run.status is RunStatus.ORDERING and run.turn_at is not None
    decisions = ("cancel",) if waits else _BY_STATUS.get(run.status, ())
    own = run.asked_by(person.actor) and "approve" in decisions
    return Offer(tuple(one for one in decisions if not (own and one == "approve")), self_approval=own, read_only=False)


def standing(run: Run) -> str:
    """What a decision is about. Queries and reminders change a run and not this; whatever they lead to does."""
    return f"{run.status}.{run.orders}"
