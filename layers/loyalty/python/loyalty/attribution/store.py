"""Referrals in the table. The only place that speaks DynamoDB for them.

::

    M#{program}#{friend}          REFERRAL                    the referral of who was brought; what it waits for in the due index
    N#{program}#{referrer}#{nn}   FRIEND#{claimed_at}#{friend}   whom a member brought, in 16 shards; by program in the due index

A member who brings a million others writes to 16 partitions and to no item twice.
"""

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.attribution.documents import (
    decided_document,
    decided_of,
    rewarded_document,
    rewarded_of,
    screened_document,
    screened_of,
)
from loyalty.attribution.model import Qualified, Referral, ReferralStatus, Source
from loyalty.core.attributes import MomentAttribute, MoneyAttribute
from loyalty.core.clock import from_text, to_text
from loyalty.core.errors import RecordChanged
from loyalty.core.table import (
    DocumentAttribute,
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Operation,
    Put,
    RawItem,
    Table,
    TextMapAttribute,
    TransactionRefused,
)
from loyalty.ledger.keys import parse_partition, partition
from loyalty_contract import DUE_AT, DUE_INDEX_KEY, REFERRAL_REVIEWS_PREFIX, REFERRAL_SK

FRIEND_PREFIX: Final = "FRIEND#"
_DUE: Final = "DUE#referral#"
SHARDS: Final = 16
"""Partitions of each referrer, of each program's list and of what is due. More can be added; fewer would leave some behind."""


class ReferralItem(Item):
    """``M#{program}#{friend}`` / ``REFERRAL``."""

    referrer = UnicodeAttribute()
    code = UnicodeAttribute()
    claimed_at = MomentAttribute()
    deadline = MomentAttribute(null=True)
    status = UnicodeAttribute()
    campaign = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    click = UnicodeAttribute(null=True)
    likenesses = TextMapAttribute(null=True)
    flags = IntegerMapAttribute(null=True)
    counted = BooleanAttribute(null=True)
    screened = DocumentAttribute(null=True)
    looked = DocumentAttribute(null=True)
    qualified_by = UnicodeAttribute(null=True)
    qualified_amount = MoneyAttribute(null=True)
    qualified_occurred_at = MomentAttribute(null=True)
    qualified_at = MomentAttribute(null=True)
    pays_at = MomentAttribute(null=True)
    decisions = DocumentAttribute(null=True)
    proposed = DocumentAttribute(null=True)
    appealed_at = MomentAttribute(null=True)
    appealed_because = UnicodeAttribute(null=True)
    appealed_through = UnicodeAttribute(null=True)
    rewarded = DocumentAttribute(null=True)
    ended_at = MomentAttribute(null=True)
    ended_because = UnicodeAttribute(null=True)
    reminded = IntegerAttribute()
    updated_at = MomentAttribute()
    revision = IntegerAttribute()
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY, null=True)
    due_at = UnicodeAttribute(attr_name=DUE_AT, null=True)


class FriendItem(Item):
    """``N#{program}#{referrer}#{nn}`` / ``FRIEND#{claimed_at}#{friend}``: written once."""

    member_id = UnicodeAttribute()
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY)
    due_at = UnicodeAttribute(attr_name=DUE_AT)


def shard_of(member_id: str) -> int:
    """In which of the :data:`SHARDS` somebody who was brought is."""
    return zlib.crc32(member_id.encode()) % SHARDS


def friends_partition(program: str, referrer: str, shard: int) -> str:
    """The partition of a part of those whom a member brought."""
    return f"N#{program}#{referrer}#{shard:02}"


def due_shard(shard: int) -> str:
    """The partition of the due index with referrals, of all programs, by when they want to be looked at."""
    return f"{_DUE}{shard:02}"


def reviews_shard(program: str) -> str:
    """The partition of the due index with a program's referrals that wait for a person, by when they began to."""
    return f"{REFERRAL_REVIEWS_PREFIX}{program}"


def program_shard(program: str, shard: int) -> str:
    """The partition of the due index with a part of all referrals of a program, by when they were claimed."""
    return f"REFERRALS#{program}#{shard:02}"


class ReferralStore:
    """Reads and writes of referrals."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def get(self, program: str, member_id: str) -> Referral | None:
        """The referral of who was brought, or None."""
        raw = self.table.read(partition(program, member_id), REFERRAL_SK)
        return None if raw is None else referral_of(raw)

    def write(self, operations: Sequence[Operation]) -> None:
        """All of them, or none.

        Raises:
            RecordChanged: one of them does not hold any more.
        """
        try:
            self.table.write(operations)
        except TransactionRefused as refusal:
            raise RecordChanged("The referral changed meanwhile; read it again.") from refusal

    def replace(self, before: Referral, after: Referral) -> Referral:
        """Writes ``after`` in place of what was read, and says what is stored now.

        Raises:
            RecordChanged: it is not what was read any more.
        """
        put = referral_put(before, after)
        self.write([put])
        return referral_of(put.item.to_dynamodb_dict())

    def friends(self, program: str, referrer: str) -> Iterator[str]:
        """Ids of all whom a member brought, shard by shard, page after page."""
        for shard in range(SHARDS):
            pk = friends_partition(program, referrer, shard)
            for raw in self.table.query_all(pk, where=FriendItem.sk.startswith(FRIEND_PREFIX)):
                yield raw["member_id"]["S"]


def claim_puts(referral: Referral) -> dict[str, Put]:
    """Writes a new referral, unless there is one of that member; by what is written. Part of the enrollment's transaction."""
    shard = shard_of(referral.member_id)
    claimed = f"{to_text(referral.claimed_at)}#{referral.member_id}"
    friend = FriendItem(
        friends_partition(referral.program, referral.referrer, shard),
        f"{FRIEND_PREFIX}{claimed}",
        member_id=referral.member_id,
        due_shard=program_shard(referral.program, shard),
        due_at=claimed,
    )
    return {"referral": referral_put(None, referral), "friend": Put(friend, FriendItem.pk.does_not_exist())}


def referral_put(before: Referral | None, after: Referral) -> Put:
    """Writes a referral in place of the one that was read; None: there was none.

    One that waits for a person is in the list of those, and not due by itself.
    """
    shard, due = due_shard(shard_of(after.member_id)), after.due_at
    if after.waits:
        shard, due = reviews_shard(after.program), after.updated_at or after.claimed_at
    qualified = after.qualified
    item = ReferralItem(
        partition(after.program, after.member_id),
        REFERRAL_SK,
        referrer=after.referrer,
        code=after.code,
        claimed_at=after.claimed_at,
        deadline=after.deadline,
        status=after.status.value,
        campaign=after.source.campaign,
        channel=after.source.channel,
        click=after.source.click,
        likenesses=dict(after.likenesses) or None,
        flags=dict(after.flags) or None,
        counted=after.counted or None,
        screened=screened_document(after.screened),
        looked=screened_document(after.looked),
        qualified_by=qualified.entry_id if qualified else None,
        qualified_amount=qualified.amount if qualified else None,
        qualified_occurred_at=qualified.occurred_at if qualified else None,
        qualified_at=qualified.qualified_at if qualified else None,
        pays_at=qualified.pays_at if qualified else None,
        decisions={f"{place:03}": decided_document(one) for place, one in enumerate(after.decisions)} or None,
        proposed=None if after.proposed is None else decided_document(after.proposed),
        appealed_at=after.appealed_at,
        appealed_because=after.appealed_because,
        appealed_through=after.appealed_through,
        rewarded=rewarded_document(after.rewarded),
        ended_at=after.ended_at,
        ended_because=after.ended_because,
        reminded=after.reminded,
        updated_at=after.updated_at or after.claimed_at,
        revision=(0 if before is None else before.revision) + 1,
        due_shard=None if due is None else shard,
        due_at=None if due is None else f"{to_text(due)}#{after.member_id}",
    )
    as_read: Condition = (
        ReferralItem.pk.does_not_exist() if before is None else ReferralItem.revision == before.revision
    )
    return Put(item, as_read)


def referral_of(raw: RawItem) -> Referral:
    """The referral that :func:`referral_put` wrote."""
    item = ReferralItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return Referral(
        program=program,
        member_id=member_id,
        referrer=item.referrer,
        code=item.code,
        claimed_at=item.claimed_at,
        deadline=item.deadline,
        status=ReferralStatus(item.status),
        source=Source(item.campaign, item.channel, item.click),
        likenesses=item.likenesses or {},
        flags=item.flags or {},
        counted=bool(item.counted),
        screened=screened_of(item.screened),
        looked=screened_of(item.looked),
        qualified=_qualified_of(item),
        decisions=tuple(decided_of(item.decisions[place]) for place in sorted(item.decisions or {})),
        proposed=decided_of(item.proposed) if item.proposed else None,
        appealed_at=item.appealed_at,
        appealed_because=item.appealed_because,
        appealed_through=item.appealed_through,
        rewarded=rewarded_of(item.rewarded),
        ended_at=item.ended_at,
        ended_because=item.ended_because,
        reminded=item.reminded,
        due_at=_due_of(item),
        updated_at=item.updated_at,
        revision=item.revision,
    )


def _qualified_of(item: ReferralItem) -> Qualified | None:
    entry_id: str | None = item.qualified_by
    if entry_id is None:
        return None
    return Qualified(
        entry_id=entry_id,
        amount=item.qualified_amount,
        occurred_at=item.qualified_occurred_at,
        qualified_at=item.qualified_at,
        pays_at=item.pays_at,
    )


def _due_of(item: ReferralItem) -> datetime | None:
    shard: str | None = item.due_shard
    return from_text(item.due_at.split("#")[0]) if shard and shard.startswith(_DUE) else None
