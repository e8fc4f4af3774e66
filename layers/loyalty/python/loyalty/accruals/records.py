"""What is kept beside the entries of accruals and reversals, and how it is written.

::

    REVERSED#{source}#{accrual's id}    what reversals took back of one accrual    beside the accrual's entry
    LAPSED#{wallet}#{lot}               what they took of points that had expired  beside the lot's expiry entry
    WAITING#{source}#{reversal's id}    a reversal that came before its accrual    where it was sent to
    AWAITED#{source}#{accrual's id}     which reversals wait for an accrual        where they were sent to

All are in members' partitions. Every write requires what was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.accruals.model import Refund, ReversalReason, refund_hash
from loyalty.accruals.share import Original, Reversed
from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.table import (
    Check,
    Delete,
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Operation,
    Put,
    RawItem,
    TextSetAttribute,
)
from loyalty.ledger.keys import AWAITED_PREFIX, LAPSED_PREFIX, REVERSED_PREFIX, WAITING_PREFIX, partition
from loyalty.ledger.model import EntryKey


class ReversedItem(Item):
    """``amount`` is money given back by refunds of money; ``whole`` is 1 once nothing is left."""

    points = IntegerMapAttribute()
    lapsed = IntegerMapAttribute(null=True)
    amount = UnicodeAttribute(null=True)
    lines = IntegerMapAttribute(null=True)
    whole = IntegerAttribute(null=True)
    reversals = IntegerAttribute()


class LapsedItem(Item):
    """``points`` is at most what expired of the lot."""

    points = IntegerAttribute()


class WaitingItem(Item):
    """A reversal as it was sent; ``code`` is why its accrual refused it, once that has come."""

    source = UnicodeAttribute()
    source_id = UnicodeAttribute()
    accrual_source_id = UnicodeAttribute()
    occurred_at = UnicodeAttribute()
    received_at = UnicodeAttribute()
    reason = UnicodeAttribute()
    amount = UnicodeAttribute(null=True)
    lines = IntegerMapAttribute(null=True)
    everything = IntegerAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    code = UnicodeAttribute(null=True)


class AwaitedItem(Item):
    """``refunds`` are the source ids of the reversals that wait; never none."""

    refunds = TextSetAttribute()
    version = IntegerAttribute()


class WaitingStatus(StrEnum):
    """What became of a reversal that came before its accrual."""

    WAITING = "waiting"
    REFUSED = "refused"
    """The accrual has come, and refused it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reversal that came before its accrual, at ``received_at`` (UTC), and was sent to ``member_id``."""

    program: str
    member_id: str
    refund: Refund
    received_at: datetime
    code: str | None = None
    """Why it was refused, once its accrual has come."""

    @property
    def status(self) -> WaitingStatus:
        """Whether it still waits."""
        return WaitingStatus.REFUSED if self.code else WaitingStatus.WAITING

    @property
    def request_hash(self) -> str:
        """See :func:`refund_hash`."""
        return refund_hash(self.refund)


@dataclass(frozen=True, slots=True)
class Awaited:
    """Which reversals wait for one accrual. Nothing was read where ``version`` is zero."""

    refunds: frozenset[str] = frozenset()
    version: int = 0


def reversed_sk(source: str, accrual_source_id: str) -> str:
    """The sort key of what reversals took back of an accrual."""
    return f"{REVERSED_PREFIX}{source}#{accrual_source_id}"


def lapsed_sk(wallet: str, lot: str) -> str:
    """The sort key of what reversals took of expired points."""
    return f"{LAPSED_PREFIX}{wallet}#{lot}"


def waiting_sk(source: str, source_id: str) -> str:
    """The sort key of a reversal that waits."""
    return f"{WAITING_PREFIX}{source}#{source_id}"


def awaited_sk(source: str, accrual_source_id: str) -> str:
    """The sort key of the list of reversals that wait for an accrual."""
    return f"{AWAITED_PREFIX}{source}#{accrual_source_id}"


def reversed_of(raw: RawItem | None) -> Reversed:
    """What was taken back so far; nothing where there is no record."""
    if raw is None:
        return Reversed()
    item = ReversedItem.from_raw_data(raw)
    return Reversed(
        points=item.points,
        lapsed=item.lapsed or {},
        money=Money.parse(item.amount).amount if item.amount else None,
        lines=item.lines or {},
        whole=bool(item.whole),
        reversals=item.reversals,
    )


def reversed_put(program: str, original: Original, before: Reversed, after: Reversed) -> Put:
    """Writes what is taken back until now, if it is still ``before``."""
    item = ReversedItem(
        partition(program, original.member_id),
        reversed_sk(original.key.source, original.key.source_id),
        points=dict(after.points),
        lapsed=dict(after.lapsed) or None,
        amount=_money_text(original, after.money),
        lines=dict(after.lines) or None,
        whole=1 if after.whole else None,
        reversals=after.reversals,
    )
    return Put(item, _unchanged(ReversedItem.reversals, before.reversals))


def reversed_check(program: str, member_id: str, accrual: EntryKey, before: Reversed) -> Check:
    """What is taken back of an accrual, in the partition of ``member_id``, is still ``before``."""
    sk = reversed_sk(accrual.source, accrual.source_id)
    as_read = _unchanged(ReversedItem.reversals, before.reversals)
    return Check(ReversedItem, partition(program, member_id), sk, as_read)


def lapsed_points(raw: RawItem | None) -> int:
    """Points of an expired lot that reversals have taken."""
    return 0 if raw is None else LapsedItem.from_raw_data(raw).points


def lapsed_put(program: str, member_id: str, sk: str, *, before: int, after: int) -> Put:
    """Writes how many points of an expired lot reversals have taken, if it is still ``before``."""
    return Put(LapsedItem(partition(program, member_id), sk, points=after), _unchanged(LapsedItem.points, before))


def waiting_of(raw: RawItem) -> Waiting:
    """The reversal that a stored item holds."""
    item = WaitingItem.from_raw_data(raw)
    _, program, member_id = item.pk.split("#")
    refund = Refund(
        source=item.source,
        source_id=item.source_id,
        accrual_source_id=item.accrual_source_id,
        occurred_at=from_text(item.occurred_at),
        amount=Money.parse(item.amount) if item.amount else None,
        channel=item.channel,
        lines=item.lines or {},
        everything=bool(item.everything),
        reason=ReversalReason(item.reason),
    )
    return Waiting(program, member_id, refund, from_text(item.received_at), item.code)


def waiting_put(waiting: Waiting, before: Waiting | None) -> Put:
    """Writes a reversal that waits or was refused, if what stands under its identity is still ``before``."""
    refund = waiting.refund
    item = WaitingItem(
        partition(waiting.program, waiting.member_id),
        waiting_sk(refund.source, refund.source_id),
        source=refund.source,
        source_id=refund.source_id,
        accrual_source_id=refund.accrual_source_id,
        occurred_at=to_text(refund.occurred_at),
        received_at=to_text(waiting.received_at),
        reason=refund.reason,
        amount=str(refund.amount) if refund.amount else None,
        lines=dict(refund.lines) or None,
        everything=1 if refund.everything else None,
        channel=refund.channel,
        code=waiting.code,
    )
    return Put(item, WaitingItem.pk.does_not_exist() if before is None else _still(before))


def waiting_delete(waiting: Waiting) -> Delete:
    """Deletes a reversal that is posted now."""
    pk = partition(waiting.program, waiting.member_id)
    sk = waiting_sk(waiting.refund.source, waiting.refund.source_id)
    return Delete(WaitingItem, pk, sk, _still(waiting))


def awaited_of(raw: RawItem | None) -> Awaited:
    """Which reversals wait; none where there is no record."""
    if raw is None:
        return Awaited()
    item = AwaitedItem.from_raw_data(raw)
    return Awaited(frozenset(item.refunds), item.version)


def awaited_put(pk: str, sk: str, before: Awaited, refunds: Sequence[str]) -> Put:
    """Writes which reversals wait, if those that did are still ``before``."""
    item = AwaitedItem(pk, sk, refunds=set(refunds), version=before.version + 1)
    return Put(item, _unchanged(AwaitedItem.version, before.version))


def awaited_delete(pk: str, sk: str, before: Awaited) -> Operation:
    """Says that nothing waits any more, if what did is still ``before``."""
    return Delete(AwaitedItem, pk, sk, _unchanged(AwaitedItem.version, before.version))


def _unchanged(counter: IntegerAttribute, before: int) -> Condition:
    """The counter is what was read; zero: there was no item."""
    same: Condition = counter == before
    return same if before else Item.pk.does_not_exist()


def _still(before: Waiting) -> Condition:
    """The item is what was read: a reversal that waits differs from one that was refused, or sent again later."""
    code = WaitingItem.code == before.code if before.code else WaitingItem.code.does_not_exist()
    same: Condition = (WaitingItem.received_at == to_text(before.received_at)) & code
    return same


def _money_text(original: Original, money: Decimal | None) -> str | None:
    if money is None or original.paid is None:
        return None
    return str(Money(money, original.paid.currency))
