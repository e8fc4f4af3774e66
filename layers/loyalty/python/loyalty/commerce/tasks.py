"""What the events of a batch ask for, each as a task; which of them belong together. Pure.

A lane holds the tasks that may touch the same items, in the order in which they came; lanes share nothing. Within a
lane, a run is what the ledger can post to one member at once.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from loyalty.accruals.model import Activity
from loyalty.commerce.model import Ignored, MemberActivity, MemberSignal, Purchase, Refund
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.records import Record, Unclaimed, identity
from loyalty.programs.model import Program

Asked = Purchase | MemberActivity | Refund | MemberSignal | Unclaimed | Ignored

MOST_AT_ONCE: Final = 30
"""Tasks of one run: about what one transaction takes, each having three operations or more."""
NOTHING: Final = Record("-", "-", None)
"""The record of a task that has none: a member's coming."""


@dataclass(slots=True, eq=False)
class Task:
    """Something asked for, what is known of it so far, and at last what became of it.

    ``record`` and ``owners`` are as of the last look: what is done relies on the conditions of its writes.
    """

    asked: Asked
    program: Program | None = None
    """By today's settings; None where only the record may tell."""
    activity: Activity | None = None
    """What is to count; None of a refund."""
    named: str | None = None
    """The member that it names."""
    fresh: Outcome = Outcome.ACCRUED
    """What it is called where this very task posts it."""
    digests: tuple[str, ...] = ()
    """Under which its member may be found; the first that somebody has wins."""
    owners: Mapping[str, str] = field(default_factory=dict)
    record: Record = NOTHING
    looks: int = 0
    careful: bool = False
    """It was refused together with refunds that wait: it is posted without them, and they by themselves."""
    unsettled: Record | None = None
    """It counts, and refunds that waited are still to be posted."""
    done: list[Outcome] | Exception | None = None
    """What became of it. None: look (again)."""

    @property
    def purchase(self) -> tuple[str, str]:
        """Source and source id of the record that it is about."""
        if isinstance(self.asked, Refund):
            return self.asked.source, self.asked.purchase_source_id
        return ("-", "-") if self.activity is None else (self.activity.source, self.activity.source_id)

    @property
    def identity(self) -> str:
        """Of that record."""
        return identity(self.program.document.id if self.program else None, *self.purchase)

    @property
    def member_id(self) -> str | None:
        """Whom it would count for, had it not come before."""
        return self.named or next((self.owners[digest] for digest in self.digests if digest in self.owners), None)


@dataclass(frozen=True, slots=True)
class Target:
    """The member of a program to whom something is posted."""

    program: str
    member_id: str


@dataclass(frozen=True, slots=True)
class Run:
    """Tasks that are posted to one member at once."""

    target: Target
    tasks: Sequence[Task]


def target(task: Task, counting: Mapping[str, Target]) -> Target | None:
    """To whom the task is to be posted; None where it is kept, refused, or asks for something else.

    ``counting`` has the purchases that are about to count, by identity.
    """
    record = task.record
    match task.asked:
        case MemberSignal() | Ignored():
            return None
        case Refund():
            return counting.get(task.identity) if record.member_id is None else _of(record)
        case Unclaimed() if record.counted:
            return None  # it waits in vain
    if record.counted:  # an address or a customer id may have moved to another member since
        return _of(record) if task.named in {None, record.member_id} else None
    if task.program is None or elsewhere(task) or task.member_id is None:
        return None
    return Target(task.program.document.id, task.member_id)


def elsewhere(task: Task) -> bool:
    """Whether it is kept in, or counted in, another program than today's settings say."""
    record, program = task.record, task.program
    return (record.kept or record.counted) and (program is None or record.program != program.document.id)


def run_of(tasks: Sequence[Task]) -> Run | None:
    """The tasks at the beginning that are posted to one member at once; None where the first is not to be posted."""
    counting: dict[str, Target] = {}
    run: list[Task] = []
    first: Target | None = None
    for task in tasks[:MOST_AT_ONCE]:
        found = target(task, counting)
        if found is None or (first is not None and found != first):
            break
        first = found
        run.append(task)
        if task.activity is not None:
            counting[task.identity] = found
    return None if first is None else Run(first, run)


def lanes(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks that touch the same, by way of others too, in one lane and in order; lanes share nothing."""
    own = [_touched(task) for task in tasks]
    found: list[tuple[set[Hashable], list[int]]] = []
    for place, keys in enumerate(own):
        touching = [lane for lane in found if lane[0] & keys]
        merged = (
            set(keys).union(*(lane[0] for lane in touching)),
            sorted([place, *(before for lane in touching for before in lane[1])]),
        )
        found = [lane for lane in found if lane not in touching] + [merged]
    return [[tasks[place] for place in places] for _, places in found]


def _touched(task: Task) -> set[Hashable]:
    if isinstance(task.asked, MemberSignal):
        return {Target(task.asked.program, task.asked.member_id)}
    found = target(task, {})
    program = task.program.document.id if task.program else None
    whose = {found} if found is not None else {(program, digest) for digest in task.digests}
    return {task.identity, *whose}


def _of(record: Record) -> Target | None:
    return None if record.member_id is None else Target(record.program or "", record.member_id)
