"""What commerce keeps in the table beside the ledger.

::

    O#{program}#{source}#{source_id}   PURCHASE                          the one member whom this event counted for
    U#{program}#{digest}               UNCLAIMED#{source}#{source_id}    what nobody known did, until somebody has the digest

The first is written with the entry. It leads a refund, which names only its order, to the member; and it lets an
event count for one member only, even where an address or a customer id moves from one member to another in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute, UnicodeSetAttribute

from loyalty.accruals.service import Activity
from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.table import Check, Delete, IntegerAttribute, Item, Operation, Put, Table, TransactionRefused
from loyalty.members.store import LookupItem, lookup_key, lookup_partition
from loyalty_contract import TTL_ATTRIBUTE

CLAIM_DAYS: Final = 30
"""How long what an unknown buyer did can be claimed."""

NO_LINES: Final[tuple[object, ...]] = ()
"""What the API says of an accrual without lines: the same identity is the same request, whichever way it came."""

_PURCHASE_SK: Final = "PURCHASE"
_UNCLAIMED_PREFIX: Final = "UNCLAIMED#"


class PurchaseItem(Item):
    """Leads from a source's identity to the member."""

    member_id = UnicodeAttribute()


class UnclaimedItem(Item):
    """An activity whose member is not known. It stands once under each digest; ``digests`` names them all."""

    digests = UnicodeSetAttribute()
    activity = UnicodeAttribute()
    source = UnicodeAttribute()
    source_id = UnicodeAttribute()
    occurred_at = UnicodeAttribute()
    channel = UnicodeAttribute(null=True)
    amount = UnicodeAttribute(null=True)
    refund_basis = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An activity that may be claimed, and the keyed hashes under which it is kept."""

    activity: Activity
    digests: frozenset[str]


class CommerceStore:
    """Purchases by identity, and unclaimed activities by digest."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def member_of(self, program: str, source: str, source_id: str) -> str | None:
        """The member whom the event of that identity counted for, or None while it counted for nobody."""
        item = self._table.get(PurchaseItem, _purchase_pk(program, source, source_id), _PURCHASE_SK)
        return None if item is None else item.member_id

    def counted_for(self, program: str, source: str, source_id: str, member_id: str) -> Put:
        """Writes down whom the event counts for, unless that is another member by now. Goes with the entry."""
        item = PurchaseItem(_purchase_pk(program, source, source_id), _PURCHASE_SK, member_id=member_id)
        return Put(item, PurchaseItem.pk.does_not_exist() | (PurchaseItem.member_id == member_id))

    def keep(self, program: str, activity: Activity, digests: frozenset[str], now: datetime) -> bool | None:
        """Keeps an unknown buyer's activity, once, for :data:`CLAIM_DAYS`.

        Returns:
            True where it was written, False where it had been before, None where meanwhile a member has one of the
            digests: look for the member again.

        Raises:
            TransactionRefused: another transaction held one of the items; the same call may be made again.
        """
        ordered = sorted(digests)
        puts = [Put(_unclaimed(program, digest, activity, digests, now), UnclaimedItem.pk.does_not_exist())
                for digest in ordered]  # fmt: skip
        nobody = [Check(LookupItem, *lookup_key(program, digest), LookupItem.pk.does_not_exist()) for digest in ordered]
        try:
            self._table.write([*puts, *nobody])
        except TransactionRefused as refusal:
            if not refusal.failed:
                raise
            return None if any(place >= len(puts) for place in refusal.failed) else False
        return True

    def unclaimed(self, program: str, digest: str, now: datetime) -> list[Unclaimed]:
        """What may still be claimed under a digest. DynamoDB may keep an expired item for days; it does not count."""
        found = self._table.query_all(
            lookup_partition(program, digest), where=UnclaimedItem.sk.startswith(_UNCLAIMED_PREFIX)
        )
        items = [UnclaimedItem.from_raw_data(raw) for raw in found]
        return [
            Unclaimed(_activity(item), frozenset(item.digests)) for item in items if item.expires_at > now.timestamp()
        ]

    def removals(self, program: str, unclaimed: Unclaimed) -> list[Operation]:
        """Deletes what was claimed, under every digest. Goes with the entry."""
        sk = _unclaimed_sk(unclaimed.activity)
        return [Delete(UnclaimedItem, lookup_partition(program, digest), sk) for digest in sorted(unclaimed.digests)]

    def write(self, operations: Sequence[Operation]) -> None:
        """Writes operations that go with no entry, in one transaction.

        Raises:
            TransactionRefused: see :meth:`Table.write`.
        """
        self._table.write(operations)


def _purchase_pk(program: str, source: str, source_id: str) -> str:
    return f"O#{program}#{source}#{source_id}"


def _unclaimed_sk(activity: Activity) -> str:
    return f"{_UNCLAIMED_PREFIX}{activity.source}#{activity.source_id}"


def _unclaimed(program: str, digest: str, activity: Activity, digests: frozenset[str], now: datetime) -> UnclaimedItem:
    return UnclaimedItem(
        lookup_partition(program, digest),
        _unclaimed_sk(activity),
        digests=set(digests),
        activity=activity.activity,
        source=activity.source,
        source_id=activity.source_id,
        occurred_at=to_text(activity.occurred_at),
        channel=activity.channel,
        amount=str(activity.amount) if activity.amount else None,
        refund_basis=str(activity.refund_basis) if activity.refund_basis else None,
        expires_at=int((now + timedelta(days=CLAIM_DAYS)).timestamp()),
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
