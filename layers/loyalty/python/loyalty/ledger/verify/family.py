"""Members who are one person: a survivor and whoever was merged into it. Most are by themselves.

What was posted to one of them may be reversed or cancelled on the book of another; records stay where they were.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from loyalty.ledger.model import Entry, EntryKind, Scope
from loyalty.ledger.verify.days import Days
from loyalty.ledger.verify.read import Partition
from loyalty.ledger.verify.replay import Step, replay

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Family:
    """The partitions of members who are one person, and what is known of their program."""

    partitions: Sequence[Partition]
    scopes: Mapping[int, Scope]

    @property
    def days(self) -> Days:
        """The program's days."""
        return Days.of(self.scopes)

    def entries(self, *kinds: EntryKind) -> Iterator[Entry]:
        """The entries of these kinds, in each partition in their order."""
        return (entry for one in self.partitions for entry in one.entries if entry.key.kind in kinds)

    def steps(self, kind: EntryKind) -> Iterator[Step]:
        """The same, with what there was before and after each."""
        for one in self.partitions:
            if any(entry.key.kind is kind for entry in one.entries):
                yield from (step for step in replay(one.entries) if step.kind is kind)

    def records(self, kind: type[R]) -> Iterator[tuple[str, str, R]]:
        """The records of one kind: whose, under which sort key, what."""
        return ((one.member_id, sk, record) for one in self.partitions for sk, record in one.of(kind))


def grouped(entries: Iterable[tuple[str, Entry]]) -> dict[str, list[Entry]]:
    """Entries by name."""
    groups: defaultdict[str, list[Entry]] = defaultdict(list)
    for name, entry in entries:
        groups[name].append(entry)
    return dict(groups)
