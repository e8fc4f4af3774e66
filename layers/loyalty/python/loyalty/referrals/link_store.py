"""Links in the table: what was shared, who followed it, and how many did. It speaks DynamoDB for links, beside ``clicks``.

::

    M#{program}#{member}        SHARE#{campaign}#{channel}   a link that a member was given; "-" for no campaign
    V#{program}#{click}         CLICK                        somebody followed one; gone after the program's attribution_days
    V#{program}#{day}#{nn}      LINKS#{campaign}#{channel}   how many did in a day of the program, in 4 shards; gone after 400 days

A click is an item of its own, and the counts of a day do not grow with them: however hot a link is, no item is, nor does one grow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.attribution.clicks import click_key, click_of, click_put
from loyalty.attribution.links import Click, Share
from loyalty.attribution.model import Source
from loyalty.core.attributes import IntegerAttribute, MomentAttribute
from loyalty.core.table import Check, Item, Put, RawItem, Table, TransactionRefused, Update
from loyalty.ledger.keys import parse_partition, partition
from loyalty.members.items import MemberItem
from loyalty_contract import CLICKS_PREFIX, MEMBER_SK, SHARE_PREFIX, TTL_ATTRIBUTE

COUNT_SHARDS: Final = 4
"""Partitions of each day's counts. More can be added; fewer would leave some behind."""
KEPT_COUNTS: Final = timedelta(days=400)
_COUNT_PREFIX: Final = "LINKS#"
_NONE: Final = "-"


class ShareItem(Item):
    """``SHARE#{campaign}#{channel}``: written once."""

    campaign = UnicodeAttribute(null=True)
    channel = UnicodeAttribute()
    at = MomentAttribute()


class LinkCountItem(Item):
    """``LINKS#{campaign}#{channel}``."""

    clicks = IntegerAttribute(null=True)
    shares = IntegerAttribute(null=True)
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class LinkCount:
    """How many links were shared and followed on a day of the program, by campaign and channel."""

    day: date
    source: Source
    shares: int
    clicks: int


class LinkStore:
    """Reads and writes of links."""

    def __init__(self, table: Table, *, draw: Callable[[int], int]) -> None:
        """``draw`` chooses a shard of so many."""
        self._table = table
        self._draw = draw

    def share(self, share: Share, day: date) -> bool:
        """Writes that a link was shared and counts it on ``day``, once for each campaign and channel; whether this call did.

        Raises:
            TransactionRefused: the member was merged or erased, or never was, or another transaction held one of the items: read
                them again.
        """
        pk = partition(share.program, share.member_id)
        item = ShareItem(
            pk, _share_sk(share.source), campaign=share.source.campaign, channel=share.source.channel, at=share.at
        )
        here = MemberItem.pk.exists() & MemberItem.merged_into.does_not_exist() & MemberItem.erased_at.does_not_exist()
        count = Update(
            LinkCountItem,
            *self._count_key(share.program, day, share.source),
            [LinkCountItem.shares.add(1), LinkCountItem.expires_at.set(_kept_until(day))],
        )
        try:
            self._table.write([Put(item, ShareItem.pk.does_not_exist()), Check(MemberItem, pk, MEMBER_SK, here), count])
        except TransactionRefused as refusal:
            if refusal.failed.keys() == {0}:
                return False
            raise
        return True

    def shared(self, program: str, member_id: str, source: Source) -> Share | None:
        """The link that a member was given for a campaign and a channel, or None."""
        raw = self._table.read(partition(program, member_id), _share_sk(source))
        return None if raw is None else share_of(raw)

    def shares(self, program: str, member_id: str) -> Iterator[Share]:
        """What a member was given to share, by campaign and channel."""
        pk = partition(program, member_id)
        for raw in self._table.query_all(pk, where=ShareItem.sk.startswith(SHARE_PREFIX)):
            yield share_of(raw)

    def click(self, click: Click, *, keep: timedelta) -> None:
        """Writes that a link was followed; it is kept for so long."""
        self._table.write([click_put(click, keep=keep)])

    def count_click(self, click: Click, day: date) -> None:
        """Counts a click on ``day``. Not in one transaction with it: those of a hot link would stand in each other's way."""
        pk, sk = self._count_key(click.program, day, click.source)
        self._table.client.update_item(
            TableName=self._table.name,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression="ADD #clicks :one SET #ttl = :ttl",
            ExpressionAttributeNames={"#clicks": "clicks", "#ttl": TTL_ATTRIBUTE},
            ExpressionAttributeValues={":one": {"N": "1"}, ":ttl": {"N": str(_kept_until(day))}},
        )

    def clicked(self, program: str, click_id: str) -> Click | None:
        """A click, unless it is none, or gone: time to live is kept within days."""
        raw = self._table.read(*click_key(program, click_id))
        return None if raw is None else click_of(raw)

    def counts(self, program: str, day: date) -> Iterator[LinkCount]:
        """What was counted on a day of the program, added up by campaign and channel."""
        found: dict[Source, tuple[int, int]] = {}
        for shard in range(COUNT_SHARDS):
            where = LinkCountItem.sk.startswith(_COUNT_PREFIX)
            for raw in self._table.query_all(_count_partition(program, day, shard), where=where):
                item = LinkCountItem.from_raw_data(raw)
                source = _source_of(item.sk)
                shares, clicks = found.get(source, (0, 0))
                found[source] = shares + (item.shares or 0), clicks + (item.clicks or 0)
        for source, (shares, clicks) in found.items():
            yield LinkCount(day, source, shares, clicks)

    def _count_key(self, program: str, day: date, source: Source) -> tuple[str, str]:
        pk = _count_partition(program, day, self._draw(COUNT_SHARDS))
        return pk, f"{_COUNT_PREFIX}{source.campaign or _NONE}#{source.channel or _NONE}"


def share_of(raw: RawItem) -> Share:
    """The link that a stored item holds."""
    item = ShareItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return Share(program, member_id, Source(item.campaign, item.channel), item.at)


def _share_sk(source: Source) -> str:
    return f"{SHARE_PREFIX}{source.campaign or _NONE}#{source.channel}"


def _count_partition(program: str, day: date, shard: int) -> str:
    return f"{CLICKS_PREFIX}{program}#{day.isoformat()}#{shard:02}"


def _source_of(sk: str) -> Source:
    campaign, channel = sk.removeprefix(_COUNT_PREFIX).split("#")
    return Source(None if campaign == _NONE else campaign, None if channel == _NONE else channel)


def _kept_until(day: date) -> int:
    return int((datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00") + KEPT_COUNTS).timestamp())
