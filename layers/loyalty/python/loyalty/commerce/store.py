"""What commerce keeps in the table beside the ledger: records of events, and what nobody has claimed yet.

The record is written with the entry, or with what is kept: so an event counts in one program and for one member only,
even where a shop, an address or a customer id moves on in between, and a refund, which names only its order, finds
where it belongs. Every write of a record requires the version that was read.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from loyalty.accruals.model import Activity
from loyalty.commerce.items import (
    UNCLAIMED_PREFIX,
    UnclaimedItem,
    activity_of,
    parse_record_key,
    record_delete,
    record_key,
    record_of,
    record_put,
    shard_name,
    unclaimed_delete,
    unclaimed_put,
)
from loyalty.commerce.records import KeptRefund, Record, Unclaimed
from loyalty.core.clock import to_text
from loyalty.core.table import MOST_READS, Check, Operation, RawItem, Table, TransactionRefused
from loyalty.members.items import LookupItem, lookup_key, lookup_partition

CLAIM_DAYS: Final = 30
"""How long what an unknown buyer did can be claimed."""

_MOST_DIGESTS: Final = 10
"""A record's and its entry's transaction stay small, however often a sender changes whose the purchase is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: a record, and who has one of the program's digests."""

    program: str | None
    source: str
    source_id: str
    digests: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and the owners of the digests: digest → member id."""

    record: Record
    owners: dict[str, str]


class CommerceStore:
    """Events by identity, and unclaimed activities by digest."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def look(self, wanted: Sequence[Wanted], now: datetime) -> list[Found]:
        """What became of events, and whose the digests are; one round trip for every hundred different items."""
        keys = list(dict.fromkeys(key for one in wanted for key in _keys(one)))
        found: dict[tuple[str, str], RawItem] = {}
        for start in range(0, len(keys), MOST_READS):
            found |= self._table.get_many(keys[start : start + MOST_READS])
        return [_found(one, found, now) for one in wanted]

    def counted(
        self, record: Record, program: str, member_id: str, activity: Activity, now: datetime, *, refunds_follow: bool
    ) -> tuple[Record, list[Operation]]:
        """The record once the activity counts for the member, and what writes it. Goes with the entry.

        What was kept is deleted. Where its refunds do not follow in the same transaction, it stays for another
        :data:`CLAIM_DAYS`, so that whoever claims it goes on with them where this is cut off.
        """
        left = {} if refunds_follow else record.refunds
        digests = record.digests if left else frozenset[str]()
        after = replace(record, program=program, version=record.version + 1, member_id=member_id, digests=digests,
                        currency=None, refunds=left, expires_at=None, shop=None)  # fmt: skip
        until = _expiry(now)
        operations: list[Operation] = [record_put(after, record, now)]
        for digest in sorted(record.digests):
            kept = unclaimed_put(program, digest, activity, until)
            operations.append(kept if left else unclaimed_delete(program, digest, record))
        return after, operations

    def settle(self, record: Record, left: Collection[str], now: datetime) -> Record:
        """Writes down that a counted record's refunds are posted, but for those in ``left``, which are refused.

        Raises:
            TransactionRefused: another delivery did meanwhile, or is about to; deliver the event again.
        """
        refunds = {key: refund for key, refund in record.refunds.items() if key in left}
        after = replace(record, version=record.version + 1, refunds=refunds,
                        digests=record.digests if refunds else frozenset())  # fmt: skip
        gone = sorted(record.digests - after.digests)
        removals = [unclaimed_delete(record.program or "", digest, record) for digest in gone]
        self._table.write([record_put(after, record, now), *removals])
        return after

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
                        currency=basis.currency if basis else None, expires_at=until, shop=None)  # fmt: skip
        kept = [unclaimed_put(program, digest, activity, until) for digest in new]
        nobody = [Check(LookupItem, *lookup_key(program, digest), LookupItem.pk.does_not_exist()) for digest in new]
        return after if self.write([record_put(after, record, now), *kept, *nobody]) else None

    def keep_refund(
        self, record: Record, program: str, source_id: str, refund: KeptRefund, now: datetime, *, shop: str | None
    ) -> Record | None:
        """Keeps a refund beside its purchase: as long as that is kept, or until it comes.

        Returns:
            The record with it, None where the record moved on: look again.

        Raises:
            TransactionRefused: see :meth:`keep`.
        """
        refunds = {**record.refunds, source_id: refund}
        after = replace(record, program=record.program if record.seen else program, version=record.version + 1,
                        refunds=refunds, shop=record.shop or shop)  # fmt: skip
        return after if self.write([record_put(after, record, now)]) else None

    def unclaimed(self, program: str, digest: str, now: datetime) -> list[Unclaimed]:
        """What may still be claimed under a digest. DynamoDB may keep an expired item for days; it does not count."""
        found = self._table.query_all(
            lookup_partition(program, digest), where=UnclaimedItem.sk.startswith(UNCLAIMED_PREFIX)
        )
        items = [UnclaimedItem.from_raw_data(raw) for raw in found]
        return [Unclaimed(activity_of(item), digest) for item in items if item.expires_at > now.timestamp()]

    def forget(self, program: str, digest: str, record: Record) -> None:
        """Deletes what stands under a digest of something that does not wait there any more."""
        self._table.write([unclaimed_delete(program, digest, record)])

    def overdue(self, shard: int, now: datetime, *, limit: int) -> list[Record]:
        """Records with refunds that have waited long enough, as they are now; two round trips.

        The index may name one that was settled a moment ago; it is left out.
        """
        keys = [
            (raw["pk"]["S"], raw["sk"]["S"]) for raw in self._table.due(shard_name(shard), to_text(now), limit=limit)
        ]
        stored = self._table.get_many(keys)
        records = [record_of(*parse_record_key(key[0]), stored.get(key), now) for key in keys]
        return [record for record in records if record.due(now)]

    def give_up(self, record: Record, refund_ids: Sequence[str], now: datetime) -> bool:
        """Forgets refunds; where nothing else is left of a record, deletes it. False where it moved on meanwhile.

        Raises:
            TransactionRefused: see :meth:`keep`.
        """
        left = {key: refund for key, refund in record.refunds.items() if key not in refund_ids}
        if record.awaited and not left:
            return self.write([record_delete(record)])
        after = replace(record, version=record.version + 1, refunds=left)
        return self.write([record_put(after, record, now)])

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


def _keys(wanted: Wanted) -> list[tuple[str, str]]:
    lookups = [lookup_key(wanted.program, digest) for digest in wanted.digests] if wanted.program else []
    return [record_key(wanted.program, wanted.source, wanted.source_id), *lookups]


def _found(wanted: Wanted, found: dict[tuple[str, str], RawItem], now: datetime) -> Found:
    key, *lookups = _keys(wanted)
    owners = {
        digest: found[place]["member_id"]["S"]
        for digest, place in zip(wanted.digests, lookups, strict=False)
        if place in found
    }
    return Found(record_of(wanted.program, wanted.source, wanted.source_id, found.get(key), now), owners)


def _expiry(now: datetime) -> int:
    return int((now + timedelta(days=CLAIM_DAYS)).timestamp())
