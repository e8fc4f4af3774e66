"""What a member is in: values, pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

MAX_ASSIGNED: Final = 20
"""Segments that a member may be put into; whoever absorbed others may be in more."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A segment, by its id, and the last day on which the member is in it (program's date); None: it does not end."""

    segment: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class MemberSegments:
    """All segments of a member, by their ids in order. ``version`` grows with each change; 0: there was none yet.

    ``merged_from`` is the id that was asked for, where that member was merged into this one.
    """

    member_id: str
    version: int = 0
    assignments: tuple[Assignment, ...] = ()
    merged_from: str | None = None

    def in_force(self, day: date) -> tuple[str, ...]:
        """The ids of those that the member is in on a day of the program."""
        return tuple(one.segment for one in self.assignments if one.until is None or day <= one.until)


def in_order(assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """The assignments by the ids of their segments: the same ones are the same, in whichever order they were sent."""
    return tuple(sorted(assignments, key=lambda one: one.segment))


def united(one: Iterable[Assignment], other: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """What two members who are one person are in: of a segment that both have, until the later day."""
    found: dict[str, Assignment] = {}
    for assignment in (*one, *other):
        known = found.get(assignment.segment)
        if known is None or _later(assignment.until, known.until):
            found[assignment.segment] = assignment
    return in_order(found.values())


def _later(until: date | None, than: date | None) -> bool:
    return than is not None and (until is None or until > than)
