"""Exports in the table: ``M#{program}#{member}`` / ``EXPORT#{export_id}``, until the file is gone too."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.core import origin
from loyalty.core.clock import from_text, to_text
from loyalty.core.table import IntegerAttribute, Item, Put, Table, TransactionRefused
from loyalty.ledger.keys import partition
from loyalty.members.presence import present
from loyalty.privacy.errors import ExportNotFound
from loyalty_contract import EXPORTS_FOLDER, TTL_ATTRIBUTE

EXPORT_PREFIX: Final = "EXPORT#"


class ExportStatus(StrEnum):
    """``running`` ends in ``ready``, or in ``failed``: then it is asked for anew, by another key."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Export:
    """A copy of a member's data. ``size`` in bytes; ``expires_at`` (UTC): from then on there is no file any more."""

    program: str
    member_id: str
    export_id: str
    status: ExportStatus
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    version: int = 1
    size: int | None = None
    ready_at: datetime | None = None

    @property
    def key(self) -> str:
        """Under which the file lies in the bucket."""
        return key_of(self.program, self.member_id, self.export_id)

    def ended(self, status: ExportStatus, now: datetime, size: int | None = None) -> "Export":
        """It, once it is there or cannot be made."""
        return replace(self, status=status, version=self.version + 1, size=size, ready_at=now)


class ExportItem(Item):
    """Deleted by its time to live, as the file is by the bucket's lifecycle."""

    status = UnicodeAttribute()
    asked_by = UnicodeAttribute()
    asked_at = UnicodeAttribute()
    expires = UnicodeAttribute()
    version = IntegerAttribute()
    size = IntegerAttribute(null=True)
    ready_at = UnicodeAttribute(null=True)
    ttl = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


def folder_of(program: str, member_id: str) -> str:
    """Where all exports of a member lie."""
    return f"{EXPORTS_FOLDER}{program}/{member_id}/"


def key_of(program: str, member_id: str, export_id: str) -> str:
    """Under which the file of an export lies."""
    return f"{folder_of(program, member_id)}{export_id}.zip"


class ExportStore:
    """Reads and writes exports."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, program: str, member_id: str, export_id: str) -> Export:
        """The export.

        Raises:
            ExportNotFound: the member has none of that id, or none any more.
        """
        item = self._table.get(ExportItem, partition(program, member_id), f"{EXPORT_PREFIX}{export_id}")
        if item is None:
            raise ExportNotFound(f"Member '{member_id}' has no export '{export_id}', or its time is over.")
        return _export_of(program, member_id, item)

    def create(self, export: Export) -> tuple[Export, bool]:
        """Writes a new export; True where there was one of that id, which is returned.

        Raises:
            TransactionRefused: the member is none any more, or another transaction is at work on them.
        """
        line = Line(
            scope=export.program,
            action="export.asked",
            target=f"members/{export.member_id}/exports/{export.export_id}",
            at=export.asked_at,
            origin=origin.current(),
        )
        try:
            self._table.write(
                [
                    Put(_item_of(export), ExportItem.pk.does_not_exist()),
                    present(export.program, export.member_id),
                    line_put(line),
                ]
            )
        except TransactionRefused as refusal:
            if 0 in refusal.failed:
                return self.get(export.program, export.member_id, export.export_id), True
            raise
        return export, False

    def save(self, after: Export) -> None:
        """Writes the next version.

        Raises:
            TransactionRefused: it is not the next one, or the member was erased: then there must be none.
        """
        unchanged = ExportItem.version == after.version - 1
        self._table.write([Put(_item_of(after), unchanged), present(after.program, after.member_id)])


def expiry(now: datetime, days: int) -> datetime:
    """When an export that is asked for now is gone."""
    return now + timedelta(days=days)


def _item_of(export: Export) -> ExportItem:
    return ExportItem(
        partition(export.program, export.member_id),
        f"{EXPORT_PREFIX}{export.export_id}",
        status=export.status.value,
        asked_by=export.asked_by,
        asked_at=to_text(export.asked_at),
        expires=to_text(export.expires_at),
        version=export.version,
        size=export.size,
        ready_at=None if export.ready_at is None else to_text(export.ready_at),
        ttl=int(export.expires_at.timestamp()),
    )


def _export_of(program: str, member_id: str, item: ExportItem) -> Export:
    return Export(
        program=program,
        member_id=member_id,
        export_id=item.sk.removeprefix(EXPORT_PREFIX),
        status=ExportStatus(item.status),
        asked_by=item.asked_by,
        asked_at=from_text(item.asked_at),
        expires_at=from_text(item.expires),
        version=item.version,
        size=item.size,
        ready_at=from_text(item.ready_at) if item.ready_at else None,
    )
