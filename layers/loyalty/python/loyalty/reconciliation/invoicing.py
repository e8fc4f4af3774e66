"""An invoice held against our orders: what is charged twice, for nothing, not at all, or at another price.

===================================  ============================
a line for                           is
===================================  ============================
an issued order, at its cost         nothing to look at
an issued order, at another amount   ``invoiced_amount``
an order that another line is for    ``invoiced_twice``, once
anything else                        ``not_issued``
===================================  ============================

An order that was issued in the invoice's period and has no line is ``not_invoiced``. Where the supplier does not say what an
order costs, its worth is what a line is held against.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.files import Files
from loyalty.core.money import Money
from loyalty.fulfillment.orders import Order, OrderStore
from loyalty.reconciliation.errors import InvoiceInvalid
from loyalty.reconciliation.invoices import ORDER_ID, Columns, Invoice, InvoiceLine, read_lines
from loyalty.reconciliation.matching import Standing, standing
from loyalty.reconciliation.model import Difference, DifferenceKind
from loyalty.reconciliation.service import MOST_ITEMS
from loyalty.reconciliation.spill import Spill
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import OrderState, SupplierOrder

MOST_DAYS: Final = 366
MARGIN_DAYS: Final = 1
"""Around the period: what was asked for before midnight may be issued, and charged, after it."""
_A_DAY: Final = timedelta(days=1)
_K = DifferenceKind


@dataclass(frozen=True, slots=True)
class Charged:
    """What an invoice says of one order; ``kind`` is None where there is nothing to look at."""

    key: str
    order: Order | None
    lines: tuple[InvoiceLine, ...]
    kind: DifferenceKind | None

    @property
    def charged(self) -> Money | None:
        """By all of its lines; of lines in several currencies the first alone."""
        same = [line.amount for line in self.lines if line.amount.currency == self.lines[0].amount.currency]
        return Money(sum((one.amount for one in same[1:]), same[0].amount), same[0].currency) if same else None

    @property
    def due(self) -> Money | None:
        """What it should be."""
        return None if self.order is None else self.order.cost or self.order.value


def charged(lines: Iterable[InvoiceLine], ours: Iterable[Order], start: date, end: date) -> Iterator[Charged]:
    """What an invoice says of each order; both sides sorted by their key. Pure.

    ``start`` and ``end``: of the period (UTC); orders of the margin are there to explain lines.
    """
    left = ((key, list(group)) for key, group in groupby(lines, lambda line: line.key))
    right = groupby(ours, lambda order: order.external_id)
    invoiced, ordered = next(left, None), next(right, None)
    while invoiced is not None or ordered is not None:
        key = min(one[0] for one in (invoiced, ordered) if one is not None)
        found: tuple[InvoiceLine, ...] = ()
        order: Order | None = None
        if invoiced is not None and invoiced[0] == key:
            found, invoiced = tuple(invoiced[1]), next(left, None)
        if ordered is not None and ordered[0] == key:
            order = next(iter(ordered[1]))
            ordered = next(right, None)
        one = Charged(key, order, found, None)
        yield replace(one, kind=_kind(one, start, end))


def _kind(one: Charged, start: date, end: date) -> DifferenceKind | None:
    issued = one.order is not None and standing(one.order) is Standing.ISSUED
    if not one.lines:
        in_period = one.order is not None and start <= one.order.asked_at.date() <= end
        return _K.NOT_INVOICED if issued and in_period else None
    if not issued:
        return _K.NOT_ISSUED
    if len(one.lines) > 1:
        return _K.INVOICED_TWICE
    return None if one.lines[0].amount == one.due else _K.INVOICED_AMOUNT


class Invoicing:
    """Imports invoices, each file once.

    Args:
        orders: ours.
        reports: keeps invoices and differences.
        files: the bucket for reports.
        clock: gives the present moment.
    """

    def __init__(self, orders: OrderStore, reports: ReportStore, files: Files, clock: Clock) -> None:
        self._orders = orders
        self._reports = reports
        self._files = files
        self._clock = clock

    def take(
        self, path: Path, columns: Columns, *, supplier: str, number: str, start: date, end: date, actor: str
    ) -> tuple[Invoice, bool]:
        """Imports an invoice; the first import's result and True where the same file was imported before.

        Args:
            path: of the file.
            columns: which of its columns says what.
            supplier: whose it is.
            number: the supplier's own of the invoice.
            start: first day of its period (UTC).
            end: its last day.
            actor: who imports it.

        Raises:
            InvoiceInvalid: the file is malformed, or the period is none. Nothing is written.
        """
        if not start <= end <= start + MOST_DAYS * _A_DAY:
            raise InvoiceInvalid(f"The period is of one day at least and of {MOST_DAYS} at most.")
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        earlier = self._reports.invoice(supplier, digest)
        if earlier is not None:
            return earlier, True
        with Spill() as spill, TemporaryDirectory() as folder:
            spill.add_theirs(_as_listed(read_lines(path, columns)))
            for distance in range(-MARGIN_DAYS, (end - start).days + MARGIN_DAYS + 1):
                spill.add_ours(_keyed(self._orders.of_day(supplier, start + distance * _A_DAY), columns))
            report = Path(folder) / "invoice.csv"
            tally = _Tally(supplier, end, digest)
            with report.open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerow(("result", "order", "lines", "charged", "due", "program", "redemption_id"))
                for one in charged(_as_lines(spill.theirs()), spill.ours(), start, end):
                    tally.add(one)
                    table.writerow(_row(one))
            invoice = Invoice(
                supplier, digest, number, start, end, self._clock(), actor, tally.lines, tally.totals,
                dict(tally.differences), f"reconciliation/{supplier}/invoices/{digest[:12]}/invoice.csv",
            )  # fmt: skip
            self._files.put(invoice.csv_key, report, "text/csv; charset=utf-8")
        self._reports.save_differences(supplier, end, tally.items, invoice=digest)
        return self._reports.save_invoice(invoice), False


class _Tally:
    """What is said of an invoice, added up as its orders go by."""

    def __init__(self, supplier: str, day: date, invoice: str) -> None:
        self._of = supplier, day, invoice
        self.lines = 0
        self.totals: dict[str, Money] = {}
        self.differences: Counter[str] = Counter()
        self.items: list[Difference] = []

    def add(self, one: Charged) -> None:
        self.lines += len(one.lines)
        for line in one.lines:
            so_far = self.totals.get(line.amount.currency)
            amount = line.amount.amount + (so_far.amount if so_far else 0)
            self.totals[line.amount.currency] = Money(amount, line.amount.currency)
        if one.kind is not None:
            self.differences[one.kind] += 1
            self.items += [self._difference(one, one.kind)] if len(self.items) < MOST_ITEMS else []

    def _difference(self, one: Charged, kind: DifferenceKind) -> Difference:
        supplier, day, invoice = self._of
        return Difference(
            supplier=supplier,
            day=day,
            kind=kind,
            external_id=one.key,
            program=one.order.program if one.order else None,
            redemption_id=one.order.redemption_id if one.order else None,
            ours=one.due,
            theirs=one.charged,
            invoice=invoice,
        )


def _row(one: Charged) -> list[str]:
    numbers = " ".join(str(line.number) for line in one.lines)
    amounts = ["" if money is None else str(money) for money in (one.charged, one.due)]
    ours = [one.order.program, one.order.redemption_id] if one.order else ["", ""]
    key = f"'{one.key}" if one.key[:1] in {"=", "+", "-", "@"} else one.key
    return [one.kind or ("matched" if one.lines else "nothing"), key, numbers, *amounts, *ours]


def _keyed(orders: Iterable[Order], columns: Columns) -> Iterator[Order]:
    """Under the name that the invoice has for them."""
    for order in orders:
        if columns.by != ORDER_ID:
            yield order
        elif order.supplier_order_id is not None:
            yield replace(order, external_id=order.supplier_order_id)


def _as_listed(lines: Iterable[InvoiceLine]) -> Iterator[SupplierOrder]:
    """Lines as the supplier's side on disk, told apart by their numbers."""
    for line in lines:
        yield SupplierOrder(f"{line.number:09d}", line.key, OrderState.EXECUTED, cost=line.amount)


def _as_lines(listed: Iterable[SupplierOrder]) -> Iterator[InvoiceLine]:
    for one in listed:
        if one.cost is not None and one.external_id is not None:
            yield InvoiceLine(int(one.order_id), one.external_id, one.cost)
