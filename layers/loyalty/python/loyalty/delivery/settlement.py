"""Cashback and donations: into the batch of their day, which is then closed, written out, and paid by the business."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zoneinfo import ZoneInfo

from loyalty.audit import model as trail
from loyalty.audit.store import line_put
from loyalty.core.clock import Clock, local_date, to_text
from loyalty.core.files import Files
from loyalty.core.money import Money
from loyalty.core.spreadsheets import cell
from loyalty.core.table import Operation, Put
from loyalty.delivery.errors import NothingToGive, SettlementNotClosed, SettlementNotFound, SettlementPaidOtherwise
from loyalty.delivery.lines import Batch, BatchId, BatchStore, Line, line_operations
from loyalty.ledger.settlement import day_starts
from loyalty.programs.rewards import Reward
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Redemption

CLOSES_AFTER: Final = timedelta(hours=1)
"""After the end of the day: what was held just before midnight is usually captured by then."""
_COLUMNS: Final = (
    "redemption_id", "member_id", "reward_id", "quantity", "points", "amount", "currency", "charity", "captured_at",
    "wallet",
)  # fmt: skip
_DAY: Final = timedelta(days=1)
_AT_ONCE: Final = 100


class SettlementHandler:
    """See :class:`loyalty.delivery.model.Handler`: puts the redemption into the batch of its day, or of the next one."""

    def __init__(self, batches: BatchStore, programs: ProgramStore, clock: Clock) -> None:
        self._batches = batches
        self._programs = programs
        self._clock = clock
        self._opened: set[BatchId] = set()

    def deliver(self, redemption: Redemption, reward: Reward) -> Sequence[Operation]:
        """See :meth:`Handler.deliver`."""
        amount = redemption.value
        if amount is None:
            raise NothingToGive("no_amount")
        now, zone = self._clock(), self._programs.current(redemption.program).document.zone
        batch = BatchId(
            redemption.program,
            local_date(now, zone),
            reward.type.value,
            amount.currency,
            None if reward.charity is None else reward.charity.id,
        )
        while self._batches.is_closed(batch, redemption.redemption_id):
            batch = replace(batch, day=batch.day + _DAY)
        self._open(batch, zone)
        return line_operations(batch, redemption, amount, now)

    def _open(self, batch: BatchId, zone: ZoneInfo) -> None:
        """Once for each batch and process: a batch must be known before it has a line."""
        if batch not in self._opened:
            self._batches.open(batch, day_starts(batch.day + _DAY, zone) + CLOSES_AFTER)
            self._opened.add(batch)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run of the closer did."""

    closed: int
    lines: int


class SettlementService:
    """Closes batches and says what became of them. Closing may be repeated at any time: what is written is the same."""

    def __init__(self, batches: BatchStore, files: Files | None, clock: Clock) -> None:
        """``files`` takes what is written of closed batches; None for who does not close any."""
        self._batches = batches
        self._files = files
        self._clock = clock

    def close_due(self) -> Report:
        """Closes every batch that is due.

        Raises:
            TransactionRefused: lines of one are being written at the moment; the next run goes on.
        """
        closed = [self.close(batch) for batch in self._batches.due(self._clock(), limit=_AT_ONCE)]
        return Report(len(closed), sum(batch.lines or 0 for batch in closed))

    def close(self, batch: BatchId) -> Batch:
        """Closes a batch: gates first, then its files, then the batch itself.

        Raises:
            SettlementNotFound: there is no such batch.
        """
        found = self.get(batch)
        if found.status != "open":
            return found
        now = self._clock()
        self._batches.close_gates(batch, now)
        lines = sorted(self._batches.lines(batch), key=lambda line: line.redemption_id)
        total = Money.of(sum((line.amount.amount for line in lines), Decimal()), batch.currency)
        closed = Batch(batch, "closed", len(lines), total, closed_at=now)
        self._write_out(closed, lines)
        return closed if self._batches.replace(closed, instead_of="open") else self.get(batch)

    def pay(self, batch: BatchId, *, reference: str, by: str) -> Batch:
        """Writes down that the business has paid a batch; with the same reference, says so again.

        Raises:
            SettlementNotFound: there is no such batch.
            SettlementNotClosed: it is not over yet.
            SettlementPaidOtherwise: it was paid under another reference.
        """
        found = self.get(batch)
        if found.status == "open":
            raise SettlementNotClosed(f"'{batch}' still takes redemptions; it is closed after its day is over.")
        if found.status == "closed":
            paid = replace(found, status="paid", paid_at=self._clock(), paid_by=by, reference=reference)
            found = paid if self._batches.replace(paid, _paid_line(paid), instead_of="closed") else self.get(batch)
        if found.reference != reference:
            raise SettlementPaidOtherwise(f"'{batch}' was marked as paid with '{found.reference}'.")
        return found

    def get(self, batch: BatchId) -> Batch:
        """The batch.

        Raises:
            SettlementNotFound: there is none.
        """
        found = self._batches.get(batch)
        if found is None:
            raise SettlementNotFound(f"Program '{batch.program}' has no settlement '{batch}'.")
        return found

    def _write_out(self, batch: Batch, lines: Sequence[Line]) -> None:
        if self._files is None:
            raise AssertionError("whoever closes batches has a bucket")
        with TemporaryDirectory() as folder:
            for name, kind, write in (("csv", "text/csv", _write_csv), ("json", "application/json", _write_json)):
                path = Path(folder) / f"batch.{name}"
                write(path, batch, lines)
                self._files.put(file_of(batch.id, name), path, kind)


def _paid_line(batch: Batch) -> Put:
    """What the audit trail keeps of a batch that was said to be paid."""
    assert batch.paid_at is not None  # noqa: S101 - for the type checker: who pays says when
    target = f"settlements/{batch.id}"
    after = {"status": "paid", "lines": batch.lines, "total": str(batch.total)}
    line = trail.Line(
        batch.id.program,
        "settlement.paid",
        target,
        batch.paid_at,
        actor=batch.paid_by,
        before={"status": "closed"},
        after=after,
    )
    return line_put(line)


def file_of(batch: BatchId, extension: str) -> str:
    """Where a batch's file lies in the bucket."""
    return f"settlements/{batch.program}/{batch}.{extension}"


def _write_csv(path: Path, batch: Batch, lines: Sequence[Line]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        for line in lines:
            shown = _shown(batch.id, line)
            rows.writerow([cell(None if shown[column] is None else str(shown[column])) for column in _COLUMNS])


def _write_json(path: Path, batch: Batch, lines: Sequence[Line]) -> None:
    total = None if batch.total is None else str(batch.total.amount)
    head = {"program": batch.id.program, "batch": str(batch.id), "kind": batch.id.kind, "lines": batch.lines}
    more = {"total": total, "currency": batch.id.currency, "charity": batch.id.charity}
    document = head | more | {"redemptions": [_shown(batch.id, line) for line in lines]}
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _shown(batch: BatchId, line: Line) -> dict[str, Any]:
    return {
        "redemption_id": line.redemption_id,
        "member_id": line.member_id,
        "reward_id": line.reward_id,
        "quantity": line.quantity,
        "points": line.points,
        "amount": str(line.amount.amount),
        "currency": line.amount.currency,
        "charity": batch.charity,
        "captured_at": to_text(line.captured_at),
        "wallet": line.wallet,
    }
