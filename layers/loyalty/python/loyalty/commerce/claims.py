"""A member came or changed: what was kept for them becomes theirs."""

from collections.abc import Callable, Sequence
from typing import Final

from loyalty.commerce.outcomes import FINAL, Outcome, Unfinished
from loyalty.commerce.records import Unclaimed
from loyalty.commerce.store import CommerceStore, Wanted
from loyalty.commerce.tasks import Task, elsewhere
from loyalty.core.clock import Clock
from loyalty.core.errors import LoyaltyError
from loyalty.members.items import StoredMember
from loyalty.programs.deeds import Earner
from loyalty.programs.earning import earn
from loyalty.programs.model import Program

CLAIMS: Final = 50
"""Postings after which a delivery stops: a claim takes about as long as a batch of events, whatever was kept."""


class Claims:
    """Claims for members what was kept under their hashes. ``work`` takes tasks to their ends."""

    def __init__(self, store: CommerceStore, work: Callable[[Sequence[Task]], None], clock: Clock) -> None:
        self._store = store
        self._work = work
        self._clock = clock

    def claim(self, program: Program, member: StoredMember) -> list[Outcome]:
        """Posts what waits for the member. What the program refuses waits on, and never keeps the rest from it.

        Raises:
            Unfinished: about :data:`CLAIMS` were moved, and more wait. Each is moved once: ask again.
            TransactionRefused, WalletBusy: others write the same items at the moment; ask again.
        """
        found = self._found(program.document.id, list(member.lookups.values()))
        due = [unclaimed for unclaimed in found if _earns(program, unclaimed)]
        refused = [unclaimed for unclaimed in found if unclaimed not in due]
        tasks = [
            Task(unclaimed, program, unclaimed.activity, named=member.member_id, fresh=Outcome.CLAIMED)
            for unclaimed in [*due, *refused][:CLAIMS]
        ]
        share = self._share(tasks)
        self._work(share)
        outcomes = [outcome for task in share for outcome in _outcomes(task)]
        if len(share) < len(due):
            raise Unfinished(outcomes)
        return outcomes

    def drop(self, task: Task, unclaimed: Unclaimed) -> None:
        """What waits of something that counts already waits in vain; unless its refunds are still due: then they are."""
        task.done = [Outcome.REPLAYED]
        if task.record.counted and task.record.refunds and not elsewhere(task):
            task.unsettled = task.record  # a claim that was cut off
        elif task.program is not None:
            self._store.forget(task.program.document.id, unclaimed.digest, task.record)

    def _found(self, program: str, digests: list[str]) -> list[Unclaimed]:
        """What is kept under any of the digests, each once."""
        found: dict[tuple[str, str], Unclaimed] = {}
        for digest in digests:
            for unclaimed in self._store.unclaimed(program, digest, self._clock()):
                found.setdefault((unclaimed.activity.source, unclaimed.activity.source_id), unclaimed)
        return list(found.values())

    def _share(self, tasks: Sequence[Task]) -> list[Task]:
        """The tasks of this delivery: refunds that wait are work too."""
        wanted = [Wanted(task.program.document.id if task.program else None, *task.purchase) for task in tasks]
        share: list[Task] = []
        work = 0
        for task, found in zip(tasks, self._store.look(wanted, self._clock()) if wanted else [], strict=True):
            task.record, task.looks = found.record, 1
            if work >= CLAIMS:
                break
            share.append(task)
            work += 1 + len(found.record.refunds)
        return share


def _outcomes(task: Task) -> list[Outcome]:
    if isinstance(task.done, FINAL):
        return [Outcome.CLAIM_REFUSED]
    if isinstance(task.done, Exception):
        raise task.done
    return task.done or []


def _earns(program: Program, unclaimed: Unclaimed) -> bool:
    """Whether the program rewards such a thing at all, asked without the member."""
    document, activity = program.document, unclaimed.activity
    try:
        earn(document, activity.deed, Earner(document.tiers[0].id, first=True))
    except LoyaltyError:
        return False
    return True
