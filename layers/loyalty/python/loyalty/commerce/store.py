"""What commerce keeps in the table beside the ledger.

::

    O#{source}#{source_id}             PURCHASE                          what became of this event: counted, or kept
    U#{program}#{digest}               UNCLAIMED#{source}#{source_id}    what nobody known did, until somebody has the digest

A commerce platform's ids are its own, whatever program its shops belong to; the key of any other source's event is
``O#{program}#{source}#{source_id}``. The record is written with the entry, or with what is kept: so an event counts
in one program and for one member only, even where a shop, an address or a customer id moves on in between, and a
refund, which names only its order, finds where it belongs. Every write of a record requires the version that was read.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute

from loyalty.accruals.service import Activity
from loyalty.commerce.model import PLATFORMS
from loyalty.commerce.records import KeptRefund, Record, Unclaimed
from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.table import (
    Check,
    Delete,
    IntegerAttribute,
    Item,
    Operation,
    Put,
    RawItem,
    Table,
    TextMapAttribute,
    TransactionRefused,
)
from loyalty.members.store import LookupItem, lookup_key, lookup_partition
from loyalty_contract import TTL_ATTRIBUTE

CLAIM_DAYS: Final = 30
"""How long what an unknown buyer did can be claimed."""

NO_LINES: Final[tuple[object, ...]] = ()
"""What the API says of an accrual without lines: the same identity is the same request, whichever way it came."""

_MOST_DIGESTS: Final = 10
"""A record's and its entry's transaction stay small, however often a sender changes whose the purchase is."""

_PURCHASE_SK: Final = "PURCHASE"
_UNCLAIMED_PREFIX: Final = "UNCLAIMED#"


class PurchaseItem(Item):
    """Counted: it has a ``member_id``. Kept: it has not, and has a time to live. ``refunds`` are still to be posted."""

    version = IntegerAttribute()
    program = UnicodeAttribute()
    member_id = UnicodeAttribute(null=True)
    digests = UnicodeSetAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    refunds = TextMapAttribute(null=True)
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE, null=True)


class UnclaimedItem(Item):
    """An activity whose member is not known. It stands once under each digest; its record names them all."""

    activity = UnicodeAttribute()
    source = UnicodeAttribute()
    source_id = UnicodeAttribute()
    occurred_at = UnicodeAttribute()
    channel = UnicodeAttribute(null=True)
    amount = UnicodeAttribute(null=True)
    refund_basis = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


class CommerceStore:
    """Events by identity, and unclaimed activities by digest."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def look(
        self, program: str | None, source: str, source_id: str, now: datetime, digests: Sequence[str] = ()
    ) -> tuple[Record, dict[str, str]]:
        """What became of the event, and the owners of the program's ``digests`` (digest → member id); one round trip.

        DynamoDB may keep an expired record for days; it does not count.
        """
        key = (_pk(program, source, source_id), _PURCHASE_SK)
        lookups = {lookup_key(program, digest): digest for digest in digests} if program else {}
        found = self._table.get_many([key, *lookups])
        owners = {lookups[place]: raw["member_id"]["S"] for place, raw in found.items() if place in lookups}
        return _record(program, source, source_id, found.get(key), now), owners

    def counted(
        self, record: Record, program: str, member_id: str, activity: Activity, now: datetime
    ) -> tuple[Record, list[Operation]]:
        """The record once the activity counts for the member, and what writes it. Goes with the entry.

        What was kept is deleted, unless refunds are still to be posted: then it stays for another :data:`CLAIM_DAYS`,
        so that whoever claims it goes on with them where this is cut off.
        """
        digests = record.digests if record.refunds else frozenset[str]()
        after = replace(record, program=program, version=record.version + 1, member_id=member_id, digests=digests,
                        currency=None, expires_at=None)  # fmt: skip
        until = _expiry(now)
        operations: list[Operation] = [_put(after, record, now)]
        for digest in sorted(record.digests):
            if record.refunds:
                operations.append(Put(_unclaimed(program, digest, activity, until)))
            else:
                operations.append(_removal(program, digest, record))
        return after, operations

    def settle(self, record: Record, now: datetime) -> None:
        """Writes down that all of a counted record's refunds are posted.

        Raises:
            TransactionRefused: another delivery did meanwhile, or is about to; deliver the event again.
        """
        after = replace(record, version=record.version + 1, digests=frozenset(), refunds={})
        removals = [_removal(record.program or "", digest, record) for digest in sorted(record.digests)]
        self._table.write([_put(after, record, now), *removals])

    def keep(
        self, record: Record, program: str, activity: Activity, digests: Sequence[str], now: datetime
    ) -> Record | None:
        """Keeps an unknown buyer's activity under the digests that it is not kept under yet, for :data:`CLAIM_DAYS`.

        Returns:
            The record with it, ``record`` itself where there was nothing to do, None where meanwhile a member has one
            of the digests or the record moved on: look again.

        Raises:
            TransactionRefused: another transaction held one of the items; the same call may be made again.
        """
        new = sorted(set(digests) - record.digests)[: _MOST_DIGESTS - len(record.digests)]
        if record.kept and not new:
            return record
        basis, until = activity.refund_basis or activity.amount, record.expires_at or _expiry(now)
        after = replace(record, program=program, version=record.version + 1, digests=record.digests | set(new),
                        currency=basis.currency if basis else None, expires_at=until)  # fmt: skip
        kept = [Put(_unclaimed(program, digest, activity, until)) for digest in new]
        nobody = [Check(LookupItem, *lookup_key(program, digest), LookupItem.pk.does_not_exist()) for digest in new]
        return after if self.write([_put(after, record, now), *kept, *nobody]) else None

    def keep_refund(self, record: Record, source_id: str, refund: KeptRefund, now: datetime) -> bool:
        """Keeps a refund beside its kept purchase, as long as that; False where the record moved on: look again.

        Raises:
            TransactionRefused: see :meth:`keep`.
        """
        after = replace(record, version=record.version + 1, refunds={**record.refunds, source_id: refund})
        return self.write([_put(after, record, now)])

    def unclaimed(self, program: str, digest: str, now: datetime) -> list[Unclaimed]:
        """What may still be claimed under a digest. DynamoDB may keep an expired item for days; it does not count."""
        found = self._table.query_all(
            lookup_partition(program, digest), where=UnclaimedItem.sk.startswith(_UNCLAIMED_PREFIX)
        )
        items = [UnclaimedItem.from_raw_data(raw) for raw in found]
        return [Unclaimed(_activity(item), digest) for item in items if item.expires_at > now.timestamp()]

    def forget(self, program: str, digest: str, record: Record) -> None:
        """Deletes what stands under a digest of something that does not wait there any more."""
        self._table.write([_removal(program, digest, record)])

    def write(self, operations: Sequence[Operation]) -> bool:
        """Writes operations in one transaction, or nothing and False where a condition does not hold.

        Raises:
            TransactionRefused: another transaction held one of the items; the same call may be made again.
        """
        try:
            self._table.write(operations)
        except TransactionRefused as refusal:
            if not refusal.failed:
                raise
            return False
        return True


def _pk(program: str | None, source: str, source_id: str) -> str:
    return f"O#{source}#{source_id}" if source in PLATFORMS else f"O#{program}#{source}#{source_id}"


def _expiry(now: datetime) -> int:
    return int((now + timedelta(days=CLAIM_DAYS)).timestamp())


def _record(program: str | None, source: str, source_id: str, raw: RawItem | None, now: datetime) -> Record:
    item = PurchaseItem.from_raw_data(raw) if raw else None
    if item is None or 0 < (item.expires_at or 0) <= now.timestamp():
        return Record(source, source_id, program)
    return Record(
        source=source,
        source_id=source_id,
        program=item.program,
        version=item.version,
        member_id=item.member_id,
        digests=frozenset(item.digests or ()),
        currency=item.currency,
        refunds={refund_id: _refund_of(text) for refund_id, text in (item.refunds or {}).items()},
        expires_at=item.expires_at,
    )


def _put(after: Record, before: Record, now: datetime) -> Put:
    """Writes ``after`` if the stored record is still ``before``."""
    item = PurchaseItem(
        _pk(after.program, after.source, after.source_id),
        _PURCHASE_SK,
        version=after.version,
        program=after.program,
        member_id=after.member_id,
        digests=set(after.digests) or None,
        currency=after.currency,
        refunds={refund_id: _refund_text(refund) for refund_id, refund in after.refunds.items()} or None,
        expires_at=after.expires_at,
    )
    if before.seen:
        return Put(item, PurchaseItem.version == before.version)
    return Put(item, PurchaseItem.pk.does_not_exist() | (PurchaseItem.expires_at <= int(now.timestamp())))


def _refund_text(refund: KeptRefund) -> str:
    return f"{to_text(refund.occurred_at)} {refund.amount}"


def _refund_of(text: str) -> KeptRefund:
    occurred_at, amount = text.split(" ", 1)
    return KeptRefund(from_text(occurred_at), Money.parse(amount))


def _removal(program: str, digest: str, record: Record) -> Delete:
    return Delete(UnclaimedItem, lookup_partition(program, digest), _unclaimed_sk(record.source, record.source_id))


def _unclaimed_sk(source: str, source_id: str) -> str:
    return f"{_UNCLAIMED_PREFIX}{source}#{source_id}"


def _unclaimed(program: str, digest: str, activity: Activity, expires_at: int) -> UnclaimedItem:
    return UnclaimedItem(
        lookup_partition(program, digest),
        _unclaimed_sk(activity.source, activity.source_id),
        activity=activity.activity,
        source=activity.source,
        source_id=activity.source_id,
        occurred_at=to_text(activity.occurred_at),
        channel=activity.channel,
        amount=str(activity.amount) if activity.amount else None,
        refund_basis=str(activity.refund_basis) if activity.refund_basis else None,
        expires_at=expires_at,
    )


def _activity(item: UnclaimedItem) -> Activity:
    return Activity(
        activity=item.activity,
        source=item.source,
        source_id=item.source_id,
        occurred_at=from_text(item.occurred_at),
        channel=item.channel,
        amount=Money.parse(item.amount) if item.amount else None,
        refund_basis=Money.parse(item.refund_basis) if item.refund_basis else None,
        details=NO_LINES,
    )
