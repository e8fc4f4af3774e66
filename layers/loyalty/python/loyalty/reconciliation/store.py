"""Reports and differences in the table.

::

    R#{supplier}   REPORT#{day}           the report of a day, as it was made last
                   DIFFERENCE#{day}#{id}  one work item; while it is open also in the due index
                   INVOICE#{hash}         an invoice that was imported, see :mod:`loyalty.reconciliation.invoices`
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.attributes import MomentAttribute, MoneyAttribute
from loyalty.core.clock import Clock, from_text, to_text
from loyalty.core.listing import Listed, listed
from loyalty.core.money import Money
from loyalty.core.table import (
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Put,
    RawItem,
    Table,
    TextMapAttribute,
    TransactionRefused,
)
from loyalty.reconciliation.errors import (
    DifferenceAlreadyResolved,
    DifferenceNotFound,
    ReportNotFound,
    ResolutionNoteRequired,
)
from loyalty.reconciliation.invoice_items import INVOICE_PREFIX, InvoiceItem, invoice_item, invoice_of
from loyalty.reconciliation.invoices import Invoice
from loyalty.reconciliation.model import PLATFORM, Difference, DifferenceKind, Report
from loyalty.reconciliation.trail import invoice_line, resolved_line
from loyalty_contract import DUE_AT, DUE_INDEX_KEY

REPORT_PREFIX: Final = "REPORT#"
DIFFERENCE_PREFIX: Final = "DIFFERENCE#"
MOST_NOTE: Final = 500
_COUNTED_AT_ONCE: Final = 1_000
_A_DAY: Final = timedelta(days=1)


class ReportItem(Item):
    """``R#{supplier}`` / ``REPORT#{day}``."""

    made_at = MomentAttribute()
    matched = IntegerAttribute()
    ours = TextMapAttribute()
    theirs = TextMapAttribute()
    ours_count = IntegerAttribute()
    theirs_count = IntegerAttribute()
    differences = IntegerMapAttribute()
    csv_key = UnicodeAttribute()
    json_key = UnicodeAttribute()


class DifferenceItem(Item):
    """``R#{supplier}`` / ``DIFFERENCE#{day}#{id}``; the due index has it under ``DIFFERENCES#{supplier}#open``."""

    kind = UnicodeAttribute()
    external_id = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    program = UnicodeAttribute(null=True)
    redemption_id = UnicodeAttribute(null=True)
    ours = MoneyAttribute(null=True)
    theirs = MoneyAttribute(null=True)
    invoice = UnicodeAttribute(null=True)
    resolved_by = UnicodeAttribute(null=True)
    resolved_at = MomentAttribute(null=True)
    note = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY, null=True)
    due_at = UnicodeAttribute(attr_name=DUE_AT, null=True)


class ReportStore:
    """What was compared, and what is to be looked at. Which differences are open is eventually consistent."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def get(self, supplier: str, day: date) -> Report:
        """The report of a day.

        Raises:
            ReportNotFound: none was made.
        """
        item = self._table.get(ReportItem, pk(supplier), f"{REPORT_PREFIX}{day}")
        if item is None:
            raise ReportNotFound(f"There is no reconciliation report of '{supplier}' for {day}.")
        return _report_of(item)

    def page(self, supplier: str, *, limit: int, after: str | None = None) -> Listed[Report]:
        """Up to ``limit`` reports of a supplier, the newest day first; ``after`` is the cursor of the page before.

        Raises:
            ValueError: ``after`` is no such cursor.
        """
        last = date.max if after is None else date.fromisoformat(after) - _A_DAY
        where = ReportItem.sk.between(REPORT_PREFIX, f"{REPORT_PREFIX}{last}")
        page = self._table.query(pk(supplier), where=where, newest_first=True, limit=limit)
        reports = [_report_of(ReportItem.from_raw_data(raw)) for raw in page.items]
        return Listed(reports, reports[-1].day.isoformat() if page.last_key and reports else None)

    def differences(self, supplier: str, day: date) -> Iterator[Difference]:
        """All of a day, open and resolved, those that an invoice ending on that day brought among them."""
        where = DifferenceItem.sk.startswith(f"{DIFFERENCE_PREFIX}{day}#")
        yield from map(difference_of, self._table.query_all(pk(supplier), where=where))

    def known(self, supplier: str, day: date) -> frozenset[str]:
        """The names of those of a day that its comparison has found so far, whoever resolved them."""
        return frozenset(one.id for one in self.differences(supplier, day) if one.invoice is None)

    def open(self, supplier: str, *, limit: int, after: str | None = None) -> Listed[Difference]:
        """Up to ``limit`` differences of a supplier that nobody has resolved, the oldest day first.

        ``after`` is the cursor of the page before.
        """
        page = listed(self._table, _open_shard(supplier), difference_of, limit=limit, after=after)
        return replace(page, items=[one for one in page.items if one.open])

    def open_days(self, supplier: str, first: date, last: date) -> Counter[date]:
        """How many differences nobody has resolved, of each day from ``first`` to ``last`` that has any."""
        found: Counter[date] = Counter()
        after = first.isoformat()
        while True:
            page = self._table.sorted_page(_open_shard(supplier), after=after, limit=_COUNTED_AT_ONCE)
            keys = [raw[DUE_AT]["S"] for raw in page.items]
            days = [date.fromisoformat(key.partition("#")[0]) for key in keys]
            found.update(day for day in days if day <= last)
            if page.last_key is None or days[-1] > last:
                return found
            after = keys[-1]

    def resolve(self, supplier: str, day: date, difference_id: str, *, actor: str, note: str) -> Difference:
        """Closes a difference, once; said again by the same person in the same words, it is what it was.

        Raises:
            ResolutionNoteRequired: the note is empty, or too long.
            DifferenceNotFound: there is none of that name.
            DifferenceAlreadyResolved: somebody has.
        """
        words = note.strip()
        if not 1 <= len(words) <= MOST_NOTE:
            raise ResolutionNoteRequired(
                f"Say in at most {MOST_NOTE} characters what was found and done.", pointer="/note"
            )
        raw = self._table.read(pk(supplier), f"{DIFFERENCE_PREFIX}{day}#{difference_id}")
        if raw is None:
            raise DifferenceNotFound(f"The report of '{supplier}' for {day} has no difference '{difference_id}'.")
        found = difference_of(raw)
        if found.open:
            # As it is stored, to the millisecond: said again, it is the same.
            now = from_text(to_text(self._clock()))
            resolved = replace(found, resolved_by=actor, resolved_at=now, note=words)
            if self._put(resolved, resolved_line(resolved)):
                return resolved
            return self.resolve(supplier, day, difference_id, actor=actor, note=note)
        if (found.resolved_by, found.note) != (actor, words):
            raise DifferenceAlreadyResolved(f"'{difference_id}' was resolved by {found.resolved_by} already.")
        return found

    def save_differences(
        self, supplier: str, day: date, found: Iterable[Difference], *, invoice: str | None = None
    ) -> int:
        """Brings the work items of a comparison up to date; how many of those that are found are open afterwards.

        ``found`` is all that the comparison found of those that are items, and of others as many as are to become items.
        What a person resolved stays resolved. What was open and is not found any more is resolved in the platform's own
        name; found again, it is open again.
        """
        stored = {one.id: one for one in self.differences(supplier, day) if one.invoice == invoice}
        still_open = 0
        for one in found:
            before = stored.pop(one.id, None)
            if before is None or before.resolved_by == PLATFORM or (before.open and before != one):
                still_open += self._put(one)
            else:
                still_open += before.open
        for gone in stored.values():
            if gone.open:
                note = "It was no longer there when its day was compared again."
                self._put(replace(gone, resolved_by=PLATFORM, resolved_at=self._clock(), note=note))
        return still_open

    def save_report(self, report: Report) -> None:
        """Writes the report of a day in the place of an earlier one; of two that are made at once, the later one stays."""
        item = _report_item(report)
        earlier = ReportItem.pk.does_not_exist() | (ReportItem.made_at <= item.made_at)
        try:
            self._table.write([Put(item, earlier)])
        except TransactionRefused as refusal:
            if refusal.contended:
                raise

    def invoice(self, supplier: str, sha256: str) -> Invoice | None:
        """The invoice that a file was imported as; None where it was not."""
        raw = self._table.read(pk(supplier), f"{INVOICE_PREFIX}{sha256}")
        return None if raw is None else invoice_of(raw)

    def save_invoice(self, invoice: Invoice) -> Invoice:
        """Writes an invoice once; of two who import one file at the same moment, both get the first one's."""
        try:
            put = Put(invoice_item(pk(invoice.supplier), invoice), InvoiceItem.pk.does_not_exist())
            self._table.write([put, invoice_line(invoice)])
        except TransactionRefused as refusal:
            if refusal.contended:
                raise
            return self.invoice(invoice.supplier, invoice.sha256) or invoice
        return invoice

    def _put(self, one: Difference, *also: Put) -> bool:
        """Writes it, unless a person has resolved it; whether it did."""
        unresolved = DifferenceItem.resolved_by.does_not_exist() | (DifferenceItem.resolved_by == PLATFORM)
        try:
            self._table.write([Put(difference_item(one), DifferenceItem.pk.does_not_exist() | unresolved), *also])
        except TransactionRefused as refusal:
            if refusal.contended:
                raise
            return False
        return True


def pk(supplier: str) -> str:
    """The partition of a supplier."""
    return f"R#{supplier}"


def _open_shard(supplier: str) -> str:
    return f"DIFFERENCES#{supplier}#open"


def difference_item(one: Difference) -> DifferenceItem:
    """A difference as it is stored."""
    return DifferenceItem(
        pk(one.supplier),
        f"{DIFFERENCE_PREFIX}{one.day}#{one.id}",
        kind=one.kind.value,
        external_id=one.external_id,
        order_id=one.order_id,
        program=one.program,
        redemption_id=one.redemption_id,
        ours=one.ours,
        theirs=one.theirs,
        invoice=one.invoice,
        resolved_by=one.resolved_by,
        resolved_at=one.resolved_at,
        note=one.note,
        due_shard=_open_shard(one.supplier) if one.open else None,
        due_at=f"{one.day}#{one.id}" if one.open else None,
    )


def difference_of(raw: RawItem) -> Difference:
    """The difference that :func:`difference_item` wrote."""
    item = DifferenceItem.from_raw_data(raw)
    return Difference(
        supplier=item.pk.removeprefix("R#"),
        day=date.fromisoformat(item.sk.split("#")[1]),
        kind=DifferenceKind(item.kind),
        external_id=item.external_id,
        order_id=item.order_id,
        program=item.program,
        redemption_id=item.redemption_id,
        ours=item.ours,
        theirs=item.theirs,
        resolved_by=item.resolved_by,
        resolved_at=item.resolved_at,
        note=item.note,
        invoice=item.invoice,
    )


def _report_item(report: Report) -> ReportItem:
    return ReportItem(
        pk(report.supplier),
        f"{REPORT_PREFIX}{report.day}",
        made_at=report.made_at,
        matched=report.matched,
        ours=_texts(report.ours),
        theirs=_texts(report.theirs),
        ours_count=report.ours_count,
        theirs_count=report.theirs_count,
        differences=dict(report.differences),
        csv_key=report.csv_key,
        json_key=report.json_key,
    )


def _report_of(item: ReportItem) -> Report:
    return Report(
        supplier=item.pk.removeprefix("R#"),
        day=date.fromisoformat(item.sk.removeprefix(REPORT_PREFIX)),
        made_at=item.made_at,
        matched=item.matched,
        ours=_moneys(item.ours),
        theirs=_moneys(item.theirs),
        ours_count=item.ours_count,
        theirs_count=item.theirs_count,
        differences=item.differences,
        csv_key=item.csv_key,
        json_key=item.json_key,
    )


def _texts(totals: Mapping[str, Money]) -> dict[str, str]:
    return {currency: str(money) for currency, money in totals.items()}


def _moneys(texts: Mapping[str, str]) -> dict[str, Money]:
    return {currency: Money.parse(text) for currency, text in texts.items()}
