"""Settlement batches in the table: what members redeemed for money, by day, kind, currency and charity.

::

    X#{program}                 BATCH#{batch}            open → closed → paid; in the due index while it is open
    X#{program}#{batch}#{nn}    LINE#{redemption_id}     one redemption, written by the transaction that captures it
    X#{program}#{batch}#{nn}    GATE                     closed: no line comes any more

Each line's transaction checks that its shard has no gate. So once all gates stand, nothing is added, by whatever clock, and
what is read then is the batch for ever; whoever comes too late goes into the next day's.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.table import Check, IntegerAttribute, Item, Operation, Put, RawItem, Table, TransactionRefused
from loyalty.ledger.model import POINTS
from loyalty.rewards.model import Redemption
from loyalty_contract import DUE_AT, DUE_INDEX_KEY

SHARDS: Final = 16
DUE_SHARD: Final = "DUE#settlement#00"
"""All open batches: a few each day, so one shard is enough."""
BATCH_PREFIX: Final = "BATCH#"
LINE_PREFIX: Final = "LINE#"
GATE_SK: Final = "GATE"


@dataclass(frozen=True, slots=True)
class BatchId:
    """A day's batch of a program: redemptions of one ``kind`` (a reward's type) in one currency, of one charity."""

    program: str
    day: date
    """By the program's calendar."""
    kind: str
    currency: str
    charity: str | None = None

    @classmethod
    def parse(cls, program: str, text: str) -> "BatchId":
        """The batch that ``str`` wrote.

        Raises:
            ValueError: it is none.
        """
        day, kind, currency, *charity = text.split(".")
        return cls(program, date.fromisoformat(day), kind, currency, ".".join(charity) or None)

    def __str__(self) -> str:
        return ".".join(filter(None, (self.day.isoformat(), self.kind, self.currency, self.charity)))


@dataclass(frozen=True, slots=True)
class Line:
    """One redemption in a batch; ``amount`` is what it is worth in all."""

    redemption_id: str
    member_id: str
    reward_id: str
    quantity: int
    points: int
    amount: Money
    captured_at: datetime
    wallet: str = POINTS
    """The wallet that the points are of."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``lines`` and ``total`` are known once it is closed."""

    id: BatchId
    status: str
    lines: int | None = None
    total: Money | None = None
    closed_at: datetime | None = None
    paid_at: datetime | None = None
    paid_by: str | None = None
    reference: str | None = None


class BatchItem(Item):
    """See :class:`Batch`; ``due_*`` put it into the due index, as long as it is open."""

    status = UnicodeAttribute()
    lines = IntegerAttribute(null=True)
    total = UnicodeAttribute(null=True)
    closed_at = UnicodeAttribute(null=True)
    paid_at = UnicodeAttribute(null=True)
    paid_by = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY, null=True)
    due_at = UnicodeAttribute(attr_name=DUE_AT, null=True)


class LineItem(Item):
    """See :class:`Line`."""

    member_id = UnicodeAttribute()
    reward_id = UnicodeAttribute()
    quantity = IntegerAttribute()
    points = IntegerAttribute()
    amount = UnicodeAttribute()
    captured_at = UnicodeAttribute()
    wallet = UnicodeAttribute(null=True)


class GateItem(Item):
    """Its being there is all that it says."""

    closed_at = UnicodeAttribute()


class BatchStore:
    """Batches and their lines."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def open(self, batch: BatchId, due: datetime) -> None:
        """Lets the batch be known, to be closed at ``due`` (UTC); once, whatever became of it since."""
        item = BatchItem(*_key(batch), status="open", due_shard=DUE_SHARD, due_at=to_text(due))
        self._write_unless_there(Put(item, BatchItem.pk.does_not_exist()))

    def is_closed(self, batch: BatchId, redemption_id: str) -> bool:
        """Whether the shard in which the redemption would be takes no lines any more."""
        return self._table.read(_shard_pk(batch, _shard(redemption_id)), GATE_SK) is not None

    def close_gates(self, batch: BatchId, now: datetime) -> None:
        """Lets no line come any more.

        Raises:
            TransactionRefused: lines are being written at the moment; the same call may be made again.
        """
        for number in range(SHARDS):
            item = GateItem(_shard_pk(batch, number), GATE_SK, closed_at=to_text(now))
            self._write_unless_there(Put(item, GateItem.pk.does_not_exist()))

    def lines(self, batch: BatchId) -> Iterator[Line]:
        """All lines, shard after shard, in the order of their redemptions' ids."""
        for number in range(SHARDS):
            for raw in self._table.query_all(_shard_pk(batch, number), where=LineItem.sk.startswith(LINE_PREFIX)):
                yield _line(raw)

    def get(self, batch: BatchId) -> Batch | None:
        """The batch, or None."""
        raw = self._table.read(*_key(batch))
        return None if raw is None else _batch(raw)

    def all(self, program: str) -> Iterator[Batch]:
        """Every batch of a program, in the order of their days."""
        for raw in self._table.query_all(_program_pk(program), where=BatchItem.sk.startswith(BATCH_PREFIX)):
            yield _batch(raw)

    def due(self, now: datetime, *, limit: int) -> list[BatchId]:
        """Open batches that are to be closed by ``now``; one that was closed a moment ago may be named too."""
        found = self._table.due(DUE_SHARD, to_text(now), limit=limit)
        return [BatchId.parse(raw["pk"]["S"].split("#")[1], raw["sk"]["S"].removeprefix(BATCH_PREFIX)) for raw in found]

    def replace(self, batch: Batch, *also: Put, instead_of: str) -> bool:
        """Writes the batch and ``also``, where its status is ``instead_of``; whether it was."""
        item = BatchItem(
            *_key(batch.id),
            status=batch.status,
            lines=batch.lines,
            total=None if batch.total is None else str(batch.total),
            closed_at=_text(batch.closed_at),
            paid_at=_text(batch.paid_at),
            paid_by=batch.paid_by,
            reference=batch.reference,
        )
        try:
            self._table.write([Put(item, BatchItem.status == instead_of), *also])
        except TransactionRefused as refusal:
            if refusal.contended:
                raise
            return False
        return True

    def _write_unless_there(self, put: Put) -> None:
        try:
            self._table.write([put])
        except TransactionRefused as refusal:
            if not refusal.failed:
                raise


def line_operations(batch: BatchId, redemption: Redemption, amount: Money, now: datetime) -> list[Operation]:
    """What puts a redemption into a batch, as part of its capture; fails where the batch is closed."""
    pk = _shard_pk(batch, _shard(redemption.redemption_id))
    line = LineItem(
        pk,
        LINE_PREFIX + redemption.redemption_id,
        member_id=redemption.member_id,
        reward_id=redemption.reward_id,
        quantity=redemption.quantity,
        points=redemption.points,
        amount=str(amount),
        captured_at=to_text(now),
        wallet=None if redemption.wallet == POINTS else redemption.wallet,
    )
    return [Check(GateItem, pk, GATE_SK, GateItem.pk.does_not_exist()), Put(line, LineItem.pk.does_not_exist())]


def _program_pk(program: str) -> str:
    return f"X#{program}"


def _key(batch: BatchId) -> tuple[str, str]:
    return _program_pk(batch.program), f"{BATCH_PREFIX}{batch}"


def _shard_pk(batch: BatchId, shard: int) -> str:
    return f"X#{batch.program}#{batch}#{shard:02}"


def _shard(redemption_id: str) -> int:
    return zlib.crc32(redemption_id.encode()) % SHARDS


def _line(raw: RawItem) -> Line:
    item = LineItem.from_raw_data(raw)
    return Line(
        item.sk.removeprefix(LINE_PREFIX),
        item.member_id,
        item.reward_id,
        item.quantity,
        item.points,
        Money.parse(item.amount),
        from_text(item.captured_at),
        item.wallet or POINTS,
    )


def _batch(raw: RawItem) -> Batch:
    item = BatchItem.from_raw_data(raw)
    return Batch(
        BatchId.parse(item.pk.split("#")[1], item.sk.removeprefix(BATCH_PREFIX)),
        item.status,
        item.lines,
        Money.parse(item.total) if item.total else None,
        from_text(item.closed_at) if item.closed_at else None,
        from_text(item.paid_at) if item.paid_at else None,
        item.paid_by,
        item.reference,
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)
