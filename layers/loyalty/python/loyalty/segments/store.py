"""Reads and writes the segments of members, each with a look at the member: :mod:`loyalty.segments.items` has the items."""

from datetime import datetime

from loyalty.core.errors import MemberErased
from loyalty.core.table import Check, Table
from loyalty.ledger.keys import partition
from loyalty.members.items import MemberItem
from loyalty.segments.items import SEGMENTS_SK, segments_of, segments_put
from loyalty.segments.model import MemberSegments
from loyalty_contract import MEMBER_SK


class SegmentStore:
    """Reads and writes the segments of members."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, program: str, member_id: str) -> tuple[MemberSegments, str | None] | None:
        """A member's segments, and whom they were merged into; None where there is no such member. One round trip.

        Raises:
            MemberErased: they were erased.
        """
        pk = partition(program, member_id)
        found = self._table.get_many([(pk, MEMBER_SK), (pk, SEGMENTS_SK)])
        if (pk, MEMBER_SK) not in found:
            return None
        member = MemberItem.from_raw_data(found[pk, MEMBER_SK])
        if member.erased_at is not None:
            raise MemberErased.of(member_id)
        return segments_of(member_id, found.get((pk, SEGMENTS_SK))), member.merged_into

    def replace(self, program: str, before: MemberSegments, after: MemberSegments, now: datetime) -> None:
        """Writes the next version, if ``before`` is the one that is stored and the member was not merged meanwhile.

        Raises:
            TransactionRefused: one of the two is not so, or another transaction is at work on the member.
        """
        pk = partition(program, before.member_id)
        there = MemberItem.pk.exists() & MemberItem.merged_into.does_not_exist()
        open_ = there & MemberItem.erased_at.does_not_exist()
        self._table.write([segments_put(program, before, after, now), Check(MemberItem, pk, MEMBER_SK, open_)])
