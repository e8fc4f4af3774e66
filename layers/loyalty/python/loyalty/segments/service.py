"""Reading the segments of members, and assigning them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.errors import MemberMerged, MemberNotFound, Stale
from loyalty.core.retrying import Retries
from loyalty.ledger.service import following
from loyalty.members.errors import MemberChanged
from loyalty.programs.model import Program, ProgramDocument
from loyalty.segments.errors import SegmentRepeated, SegmentUnknown
from loyalty.segments.model import Assignment, MemberSegments, in_order
from loyalty.segments.store import SegmentStore

ATTEMPTS: Final = 6
"""Times that one change is tried while other writers get in first."""
_RETRIES: Final = Retries(
    attempts=ATTEMPTS,
    base=0.02,
    cap=0.3,
    busy="Others are changing this member at the moment; read the segments and decide again.",
    error=MemberChanged,
)


class SegmentService:
    """Who is in which segments."""

    def __init__(self, store: SegmentStore, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def get(self, program: Program, member_id: str) -> MemberSegments:
        """The segments of a member; of a merged one, those of the survivor.

        Raises:
            MemberNotFound: there is none.
        """
        found = following(member_id, lambda holder: self._found(program, holder))
        return found if found.member_id == member_id else replace(found, merged_from=member_id)

    def assign(
        self, program: Program, member_id: str, wanted: Sequence[Assignment], *, if_version: int | None = None
    ) -> MemberSegments:
        """Puts a member into these segments and no others. What was so already is no change, and has no new version.

        Raises:
            SegmentUnknown: the program does not declare one of them.
            SegmentRepeated: one of them is named twice.
            MemberNotFound: there is none.
            MemberMerged: they were merged into another member, whose segments are those to change.
            Stale: the current version is not ``if_version``.
            MemberChanged: others kept changing the member through :data:`ATTEMPTS` tries.
        """
        _require_known(program.document, wanted)
        return _RETRIES.of(lambda: self._assigned(program, member_id, wanted, if_version), self._sleep)

    def _assigned(
        self, program: Program, member_id: str, wanted: Sequence[Assignment], if_version: int | None
    ) -> MemberSegments:
        before = self._found(program, member_id)
        if if_version not in (None, before.version):
            raise Stale(f"The current version is {before.version}; read the segments and decide again.")
        after = MemberSegments(member_id, before.version + 1, in_order(wanted))
        if after.assignments == before.assignments:
            return before
        self._store.replace(program.document.id, before, after, self._clock())
        return after

    def _found(self, program: Program, member_id: str) -> MemberSegments:
        found = self._store.get(program.document.id, member_id)
        if found is None:
            raise MemberNotFound.of(program.document.id, member_id)
        segments, into = found
        if into is not None:
            raise MemberMerged(
                f"'{member_id}' was merged into '{into}'; use that member.", member_id=member_id, into=into
            )
        return segments


def _require_known(document: ProgramDocument, wanted: Sequence[Assignment]) -> None:
    known = [segment.id for segment in document.segments]
    for place, one in enumerate(wanted):
        pointer = f"/segments/{place}/id"
        if one.segment not in known:
            declared = f"has these segments: {', '.join(known)}" if known else "declares no segments"
            raise SegmentUnknown(f"The program {declared}.", pointer=pointer)
        if one.segment in {other.segment for other in wanted[:place]}:
            raise SegmentRepeated("Name each segment once.", pointer=pointer)
