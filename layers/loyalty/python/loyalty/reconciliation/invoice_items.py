"""Invoices in the table: ``R#{supplier}`` / ``INVOICE#{sha256}``, written once."""

from datetime import date
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.core.table import IntegerAttribute, IntegerMapAttribute, Item, RawItem, TextMapAttribute
from loyalty.reconciliation.invoices import Invoice

INVOICE_PREFIX: Final = "INVOICE#"


class InvoiceItem(Item):
    """``R#{supplier}`` / ``INVOICE#{sha256}``."""

    number = UnicodeAttribute()
    start = UnicodeAttribute()
    end = UnicodeAttribute()
    imported_at = UnicodeAttribute()
    imported_by = UnicodeAttribute()
    lines = IntegerAttribute()
    totals = TextMapAttribute()
    differences = IntegerMapAttribute()
    csv_key = UnicodeAttribute()


def invoice_item(pk: str, one: Invoice) -> InvoiceItem:
    """An invoice as it is stored."""
    return InvoiceItem(
        pk,
        f"{INVOICE_PREFIX}{one.sha256}",
        number=one.number,
        start=one.start.isoformat(),
        end=one.end.isoformat(),
        imported_at=to_text(one.imported_at),
        imported_by=one.imported_by,
        lines=one.lines,
        totals={currency: str(money) for currency, money in one.totals.items()},
        differences=dict(one.differences),
        csv_key=one.csv_key,
    )


def invoice_of(raw: RawItem) -> Invoice:
    """The invoice that :func:`invoice_item` wrote."""
    item = InvoiceItem.from_raw_data(raw)
    return Invoice(
        supplier=item.pk.removeprefix("R#"),
        sha256=item.sk.removeprefix(INVOICE_PREFIX),
        number=item.number,
        start=date.fromisoformat(item.start),
        end=date.fromisoformat(item.end),
        imported_at=from_text(item.imported_at),
        imported_by=item.imported_by,
        lines=item.lines,
        totals={currency: Money.parse(text) for currency, text in item.totals.items()},
        differences=item.differences,
        csv_key=item.csv_key,
    )
