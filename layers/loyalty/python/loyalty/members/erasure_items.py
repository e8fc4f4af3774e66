"""The erasure of a member as an item of the table: for who decides on it, and for whoever must not begin anything beside it.

::

    M#{program}#{member}   ERASURE   who asked for it and who decided, how far it is; it stays
"""

from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.attributes import MomentAttribute
from loyalty.core.table import Check, IntegerAttribute, Item, Put, RawItem
from loyalty.ledger.keys import partition
from loyalty.members.erasure import Erasure, ErasureReason, ErasureStatus

ERASURE_SK: Final = "ERASURE"
_STANDS: Final = (ErasureStatus.APPROVED, ErasureStatus.ERASED)


class ErasureItem(Item):
    """``M#{program}#{member}`` / ``ERASURE``."""

    status = UnicodeAttribute()
    reason = UnicodeAttribute()
    asked_by = UnicodeAttribute()
    asked_through = UnicodeAttribute(null=True)
    asked_at = MomentAttribute()
    version = IntegerAttribute()
    decided_by = UnicodeAttribute(null=True)
    decided_through = UnicodeAttribute(null=True)
    decided_at = MomentAttribute(null=True)
    begun_at = MomentAttribute(null=True)
    erased_at = MomentAttribute(null=True)
    problem = UnicodeAttribute(null=True)


def erasure_put(after: Erasure) -> Put:
    """Writes an erasure, if it is the next version of what is stored."""
    item = ErasureItem(
        partition(after.program, after.member_id),
        ERASURE_SK,
        status=after.status.value,
        reason=after.reason.value,
        asked_by=after.asked_by,
        asked_through=after.asked_through,
        asked_at=after.asked_at,
        version=after.version,
        decided_by=after.decided_by,
        decided_through=after.decided_through,
        decided_at=after.decided_at,
        begun_at=after.begun_at,
        erased_at=after.erased_at,
        problem=after.problem,
    )
    first = ErasureItem.pk.does_not_exist()
    return Put(item, first if after.version == 1 else ErasureItem.version == after.version - 1)


def erasure_of(program: str, member_id: str, raw: RawItem | None) -> Erasure | None:
    """The erasure that a stored item holds."""
    if raw is None:
        return None
    item = ErasureItem.from_raw_data(raw)
    return Erasure(
        program=program,
        member_id=member_id,
        status=ErasureStatus(item.status),
        reason=ErasureReason(item.reason),
        asked_by=item.asked_by,
        asked_through=item.asked_through,
        asked_at=item.asked_at,
        version=item.version,
        decided_by=item.decided_by,
        decided_through=item.decided_through,
        decided_at=item.decided_at,
        begun_at=item.begun_at,
        erased_at=item.erased_at,
        problem=item.problem,
    )


def not_approved(program: str, member_id: str) -> Check:
    """Holds while nobody has approved the erasure of this very member, or nobody does any more.

    What is begun under it is there to be seen by an erasure that is approved after it: that one reads what is under way
    after its approval was written.
    """
    free = ErasureItem.pk.does_not_exist() | ~ErasureItem.status.is_in(*(one.value for one in _STANDS))
    return Check(ErasureItem, partition(program, member_id), ERASURE_SK, free)
