"""Segments as items of the table.

::

    M#{program}#{member}   SEGMENTS   by segment, until when the member is in it; version

An accrual reads the item where a rule asks for it, a merge hands it over. Nothing else of the member changes with it, so
that whoever posts does not wait for whoever assigns segments.
"""

from datetime import date, datetime
from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.core.clock import to_text
from loyalty.core.table import Check, Delete, DocumentAttribute, IntegerAttribute, Item, Operation, Put, RawItem
from loyalty.ledger.keys import partition
from loyalty.segments.model import Assignment, MemberSegments, in_order, united

SEGMENTS_SK: Final = "SEGMENTS"


class SegmentsItem(Item):
    """``segments`` maps an id to ``until``, an ISO date, where there is one."""

    segments = DocumentAttribute()
    version = IntegerAttribute()
    updated_at = UnicodeAttribute()


def segments_of(member_id: str, raw: RawItem | None) -> MemberSegments:
    """What an item says; of none, that the member is in no segment."""
    if raw is None:
        return MemberSegments(member_id)
    item = SegmentsItem.from_raw_data(raw)
    assignments = (Assignment(name, _day(parts.get("until"))) for name, parts in item.segments.items())
    return MemberSegments(member_id, item.version, in_order(assignments))


def joined(program: str, into: MemberSegments, gone: MemberSegments, now: datetime) -> list[Operation]:
    """Writes of a merge: what either is in, the survivor is in; the absorbed member is in nothing any more.

    Each only if both are still as they were read: nothing that is assigned at that moment is lost.
    """
    pk = partition(program, gone.member_id)
    if not gone.version:
        return [Check(SegmentsItem, pk, SEGMENTS_SK, _unchanged(gone))]
    together = MemberSegments(into.member_id, into.version + 1, united(into.assignments, gone.assignments))
    operations: list[Operation] = [Delete(SegmentsItem, pk, SEGMENTS_SK, _unchanged(gone))]
    if together.assignments != into.assignments:
        operations.append(segments_put(program, into, together, now))
    return operations


def segments_put(program: str, before: MemberSegments, after: MemberSegments, now: datetime) -> Put:
    """Writes ``after``, if ``before`` is what is stored of the same member."""
    pk = partition(program, after.member_id)
    segments = {one.segment: {"until": one.until.isoformat()} if one.until else {} for one in after.assignments}
    item = SegmentsItem(pk, SEGMENTS_SK, segments=segments, version=after.version, updated_at=to_text(now))
    return Put(item, _unchanged(before))


def _unchanged(before: MemberSegments) -> Condition:
    same: Condition = SegmentsItem.version == before.version
    return same if before.version else SegmentsItem.pk.does_not_exist()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
