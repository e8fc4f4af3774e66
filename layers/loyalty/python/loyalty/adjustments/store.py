"""Adjustments in the table: ``M#{program}#{member}`` / ``ADJUSTMENT#{adjustment_id}``, of the member they were asked for."""

from dataclasses import dataclass
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.adjustments.model import Adjustment, AdjustmentStatus
from loyalty.audit.model import Facts, Line
from loyalty.audit.store import line_put
from loyalty.core.clock import from_text, to_text
from loyalty.core.errors import AdjustmentNotFound, MemberNotFound
from loyalty.core.table import IntegerAttribute, Item, Put, RawItem, Table, TransactionRefused
from loyalty.ledger.keys import ADJUSTMENT_PREFIX, parse_partition, partition
from loyalty.ledger.store import LedgerStore

_AFTER_ALL: Final = "ADJUSTMENT$"
"""Sorts behind every adjustment."""


class AdjustmentItem(Item):
    """Every adjustment has one, whether it was posted at once or is waiting for a second person."""

    status = UnicodeAttribute()
    points = IntegerAttribute()
    wallet = UnicodeAttribute()
    reason = UnicodeAttribute()
    actor = UnicodeAttribute()
    client_id = UnicodeAttribute()
    request_hash = UnicodeAttribute()
    created_at = UnicodeAttribute()
    decided_by = UnicodeAttribute(null=True)
    decided_through = UnicodeAttribute(null=True)
    decided_at = UnicodeAttribute(null=True)
    posted_to = UnicodeAttribute(null=True)


@dataclass(frozen=True, slots=True)
class AdjustmentPage:
    """Adjustments in the order of their ids, and the id behind which the next page starts (None after the last)."""

    adjustments: list[Adjustment]
    next_after: str | None


def adjustment_sk(adjustment_id: str) -> str:
    """The sort key of an adjustment."""
    return f"{ADJUSTMENT_PREFIX}{adjustment_id}"


def new_put(adjustment: Adjustment) -> Put:
    """Writes an adjustment, once."""
    return Put(_item_of(adjustment), AdjustmentItem.pk.does_not_exist())


def decided_put(adjustment: Adjustment) -> Put:
    """Writes what became of a proposed adjustment, if it still is one."""
    return Put(_item_of(adjustment), AdjustmentItem.status == AdjustmentStatus.PROPOSED.value)


def adjustment_line(adjustment: Adjustment) -> Put:
    """Writes into the audit trail that it was asked for, posted at once, approved or rejected."""
    decided = adjustment.decided_by is not None
    action = "approved" if decided and adjustment.status is AdjustmentStatus.POSTED else adjustment.status.value
    asked: Facts = {"points": adjustment.points, "wallet": adjustment.wallet, "reason": adjustment.reason}
    line = Line(
        adjustment.program,
        f"adjustment.{action}",
        f"members/{adjustment.member_id}/adjustments/{adjustment.adjustment_id}",
        adjustment.decided_at or adjustment.created_at,
        actor=adjustment.decided_by or adjustment.actor,
        before={"status": AdjustmentStatus.PROPOSED.value} if decided else {},
        after={"status": adjustment.status.value, **asked},
    )
    return line_put(line)


def adjustment_of(raw: RawItem) -> Adjustment:
    """The adjustment that a stored item holds."""
    item = AdjustmentItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return Adjustment(
        program=program,
        member_id=member_id,
        adjustment_id=item.sk.removeprefix(ADJUSTMENT_PREFIX),
        status=AdjustmentStatus(item.status),
        points=item.points,
        reason=item.reason,
        actor=item.actor,
        wallet=item.wallet,
        client_id=item.client_id,
        request_hash=item.request_hash,
        created_at=from_text(item.created_at),
        decided_by=item.decided_by,
        decided_through=item.decided_through,
        decided_at=from_text(item.decided_at) if item.decided_at else None,
        posted_to=item.posted_to,
    )


class AdjustmentStore:
    """Reads of adjustments, and the writes that move no points."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._books = LedgerStore(table)

    def get(self, program: str, member_id: str, adjustment_id: str) -> Adjustment:
        """The adjustment: one read, two more where the member's own partition does not have it.

        Raises:
            AdjustmentNotFound: neither the member, nor whom they were merged into, nor whom they absorbed has it.
        """
        raw = self._books.record(program, member_id, adjustment_sk(adjustment_id))
        if raw is None:
            raise not_found(member_id, adjustment_id)
        return adjustment_of(raw)

    def shown(self, program: str, member_id: str, adjustment_id: str) -> Adjustment:
        """As :meth:`get`, for who shows it to somebody.

        Raises:
            AdjustmentNotFound: as :meth:`get`.
            MemberErased: there is no such member any more.
        """
        raw = self._books.shown(program, member_id, adjustment_sk(adjustment_id))
        if raw is None:
            raise not_found(member_id, adjustment_id)
        return adjustment_of(raw)

    def page(
        self, program: str, member_id: str, *, status: AdjustmentStatus, limit: int, after: str | None = None
    ) -> AdjustmentPage:
        """Adjustments of that status among the ``limit`` that follow ``after``; so a page may be short of ``limit``.

        Raises:
            MemberNotFound: the member has no book in this program.
            MemberErased: there is no such member any more.
        """
        if self._books.current(program, member_id) is None:
            raise MemberNotFound.of(program, member_id)
        # '!' sorts before whatever an id is made of, so that the bound itself is not on the page.
        first = f"{adjustment_sk(after)}!" if after else ADJUSTMENT_PREFIX
        pk = partition(program, member_id)
        page = self._table.query(pk, where=AdjustmentItem.sk.between(first, _AFTER_ALL), limit=limit)
        read = [adjustment_of(raw) for raw in page.items]
        found = [adjustment for adjustment in read if adjustment.status is status]
        return AdjustmentPage(found, read[-1].adjustment_id if page.last_key and read else None)

    def propose(self, adjustment: Adjustment) -> Adjustment | None:
        """Writes a proposed adjustment, unless there is one of its id already: that one is returned.

        Raises:
            TransactionRefused: another transaction held the item; the same call may be made again.
        """
        return self._written([new_put(adjustment), adjustment_line(adjustment)])

    def reject(self, adjustment: Adjustment) -> Adjustment | None:
        """Writes that it was rejected, if it is proposed; what became of it instead is returned.

        Raises:
            TransactionRefused: another transaction held the item; the same call may be made again.
        """
        return self._written([decided_put(adjustment), adjustment_line(adjustment)])

    def _written(self, puts: list[Put]) -> Adjustment | None:
        try:
            self._table.write(puts)
        except TransactionRefused as refusal:
            found = refusal.failed.get(0)
            if found is None:
                raise
            return adjustment_of(found)
        return None


def not_found(member_id: str, adjustment_id: str) -> AdjustmentNotFound:
    """Says that there is no such adjustment."""
    return AdjustmentNotFound(f"Member '{member_id}' has no adjustment '{adjustment_id}'.")


def _item_of(adjustment: Adjustment) -> AdjustmentItem:
    return AdjustmentItem(
        partition(adjustment.program, adjustment.member_id),
        adjustment_sk(adjustment.adjustment_id),
        status=adjustment.status.value,
        points=adjustment.points,
        wallet=adjustment.wallet,
        reason=adjustment.reason,
        actor=adjustment.actor,
        client_id=adjustment.client_id,
        request_hash=adjustment.request_hash,
        created_at=to_text(adjustment.created_at),
        decided_by=adjustment.decided_by,
        decided_through=adjustment.decided_through,
        decided_at=to_text(adjustment.decided_at) if adjustment.decided_at else None,
        posted_to=adjustment.posted_to,
    )
