"""What commerce's records look like in the table.

::

    O#{identity}             PURCHASE                          what became of this event: counted, kept, or not come yet
    U#{program}#{digest}     UNCLAIMED#{source}#{source_id}    what nobody known did, until somebody has the digest

A commerce platform's ids are its own, whatever program its shops belong to: its identity is ``{source}#{source_id}``;
that of any other source's event is ``{program}#{source}#{source_id}``.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.accruals.model import Activity, BoughtLine
from loyalty.commerce.records import KeptRefund, Record, identity
from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.table import (
    Delete,
    DocumentAttribute,
    IntegerAttribute,
    Item,
    Put,
    RawItem,
    TextMapAttribute,
    TextSetAttribute,
)
from loyalty.members.items import lookup_partition
from loyalty_contract import DUE_AT, DUE_INDEX_KEY, DUE_SHARDS, TTL_ATTRIBUTE

NO_LINES: Final[tuple[object, ...]] = ()
"""What the API says of an accrual without lines: the same identity is the same request, whichever way it came."""

PURCHASE_SK: Final = "PURCHASE"
UNCLAIMED_PREFIX: Final = "UNCLAIMED#"
_PURCHASE_PREFIX: Final = "O#"


class PurchaseItem(Item):
    """Counted: it has a ``member_id``. Kept: it has not, and has a time to live. Else it has not come.

    ``refunds`` are still to be posted. While there are some, and nothing deletes the item by itself, ``due_*`` put it
    into the due index: nothing waits unseen for ever.
    """

    version = IntegerAttribute()
    program = UnicodeAttribute()
    member_id = UnicodeAttribute(null=True)
    digests = TextSetAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    refunds = TextMapAttribute(null=True)
    shop = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY, null=True)
    due_at = UnicodeAttribute(attr_name=DUE_AT, null=True)
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
    lines = DocumentAttribute(null=True)
    purchase = DocumentAttribute(null=True)
    details = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


def record_key(program: str | None, source: str, source_id: str) -> tuple[str, str]:
    """Partition and sort key of a record."""
    return _PURCHASE_PREFIX + identity(program, source, source_id), PURCHASE_SK


def parse_record_key(pk: str) -> tuple[str | None, str, str]:
    """Program (None of a platform's event), source and source id of a record's partition."""
    *program, source, source_id = pk.removeprefix(_PURCHASE_PREFIX).split("#")
    return (program[0] if program else None), source, source_id


def shard_name(number: int) -> str:
    """The key of a shard of the due index, from 0: records with refunds that wait."""
    return f"DUE#refund#{number:02}"


def record_of(program: str | None, source: str, source_id: str, raw: RawItem | None, now: datetime) -> Record:
    """The record that a stored item holds. DynamoDB may keep an expired one for days; it does not count."""
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
        shop=item.shop,
    )


def record_put(after: Record, before: Record, now: datetime) -> Put:
    """Writes ``after`` if the stored record is still ``before``."""
    key = record_key(after.program, after.source, after.source_id)
    item = PurchaseItem(
        *key,
        version=after.version,
        program=after.program,
        member_id=after.member_id,
        digests=set(after.digests) or None,
        currency=after.currency,
        refunds={refund_id: _refund_text(refund) for refund_id, refund in after.refunds.items()} or None,
        shop=after.shop if after.awaited else None,
        due_shard=shard_name(zlib.crc32(key[0].encode()) % DUE_SHARDS) if after.due_at else None,
        due_at=to_text(after.due_at) if after.due_at else None,
        expires_at=after.expires_at,
    )
    if before.seen:
        return Put(item, PurchaseItem.version == before.version)
    return Put(item, PurchaseItem.pk.does_not_exist() | (PurchaseItem.expires_at <= int(now.timestamp())))


def record_delete(record: Record) -> Delete:
    """Deletes the record as it was read."""
    key = record_key(record.program, record.source, record.source_id)
    return Delete(PurchaseItem, *key, PurchaseItem.version == record.version)


def unclaimed_put(program: str, digest: str, activity: Activity, expires_at: int) -> Put:
    """Keeps an activity under a digest."""
    item = UnclaimedItem(
        lookup_partition(program, digest),
        unclaimed_sk(activity.source, activity.source_id),
        activity=activity.activity,
        source=activity.source,
        source_id=activity.source_id,
        occurred_at=to_text(activity.occurred_at),
        channel=activity.channel,
        amount=str(activity.amount) if activity.amount else None,
        refund_basis=str(activity.refund_basis) if activity.refund_basis else None,
        lines=_lines(activity.lines) or None,
        purchase=_purchase(activity) or None,
        details=json.dumps(activity.details) if activity.details else None,
        expires_at=expires_at,
    )
    return Put(item)


def unclaimed_delete(program: str, digest: str, record: Record) -> Delete:
    """Deletes what stands under a digest."""
    return Delete(UnclaimedItem, lookup_partition(program, digest), unclaimed_sk(record.source, record.source_id))


def unclaimed_sk(source: str, source_id: str) -> str:
    """The sort key of an activity under a digest."""
    return f"{UNCLAIMED_PREFIX}{source}#{source_id}"


def activity_of(item: UnclaimedItem) -> Activity:
    """The activity that was kept."""
    purchase = item.purchase or {}
    return Activity(
        activity=item.activity,
        source=item.source,
        source_id=item.source_id,
        occurred_at=from_text(item.occurred_at),
        channel=item.channel,
        amount=Money.parse(item.amount) if item.amount else None,
        refund_basis=Money.parse(item.refund_basis) if item.refund_basis else None,
        details=json.loads(item.details) if item.details else NO_LINES,
        lines=_lines_of(item.lines or {}),
        tax=_money_of(purchase.get("tax")),
        shipping=_money_of(purchase.get("shipping")),
        store=purchase.get("store"),
        attributes=purchase.get("attributes", {}),
    )


def _purchase(activity: Activity) -> dict[str, Any]:
    """What decides what it earns, beside its amount and its lines."""
    told = {
        "tax": str(activity.tax) if activity.tax else None,
        "shipping": str(activity.shipping) if activity.shipping else None,
        "store": activity.store,
        "attributes": dict(activity.attributes),
    }
    return {name: value for name, value in told.items() if value}


def _lines(lines: Sequence[BoughtLine]) -> dict[str, Any]:
    """By line id; of lines without one, by their place, which no id looks like."""
    return {line.line_id or f"#{place}": _line(place, line) for place, line in enumerate(lines)}


def _line(place: int, line: BoughtLine) -> dict[str, Any]:
    told = {
        "sku": line.sku,
        "product": line.product,
        "category": line.category,
        "gift_card": int(line.gift_card),
        "discount": str(line.discount) if line.discount else None,
    }
    filled = {name: value for name, value in told.items() if value}
    return {"place": place, "quantity": line.quantity, "amount": str(line.amount), **filled}


def _lines_of(lines: Mapping[str, Mapping[str, Any]]) -> tuple[BoughtLine, ...]:
    in_order = sorted(lines.items(), key=lambda item: item[1].get("place", 0))  # it was not kept before
    return tuple(_line_of(None if key.startswith("#") else key, line) for key, line in in_order)


def _line_of(line_id: str | None, line: Mapping[str, Any]) -> BoughtLine:
    return BoughtLine(
        amount=Money.parse(line["amount"]),
        quantity=line["quantity"],
        line_id=line_id,
        sku=line.get("sku"),
        product=line.get("product"),
        category=line.get("category"),
        gift_card=bool(line.get("gift_card")),
        discount=_money_of(line.get("discount")),
    )


def _money_of(text: str | None) -> Money | None:
    return Money.parse(text) if text else None


def _refund_text(refund: KeptRefund) -> str:
    since = f" {to_text(refund.since)}" if refund.since else ""
    return f"{to_text(refund.occurred_at)} {refund.amount}{since}"


def _refund_of(text: str) -> KeptRefund:
    occurred_at, amount, currency, *since = text.split(" ")
    money = Money.parse(f"{amount} {currency}")
    return KeptRefund(from_text(occurred_at), money, from_text(since[0]) if since else None)
