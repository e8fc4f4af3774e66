"""What the audit trail keeps of differences that people close, and of invoices."""

from loyalty.audit.model import PLATFORM, Line
from loyalty.audit.store import line_put
from loyalty.core.table import Put
from loyalty.reconciliation.invoices import Invoice
from loyalty.reconciliation.model import Difference


def resolved_line(one: Difference) -> Put:
    """What the audit trail keeps of a difference that a person closed; the note stays with it."""
    assert one.resolved_at is not None  # noqa: S101 - for the type checker: who resolves says when
    line = Line(
        PLATFORM,
        "difference.resolved",
        f"suppliers/{one.supplier}/reports/{one.day}/differences/{one.id}",
        one.resolved_at,
        actor=one.resolved_by,
        before={"kind": one.kind.value},
        after={"program": one.program, "redemption_id": one.redemption_id},
    )
    return line_put(line)


def invoice_line(invoice: Invoice) -> Put:
    """That an invoice was imported."""
    line = Line(
        PLATFORM,
        "invoice.imported",
        f"suppliers/{invoice.supplier}/invoices/{invoice.sha256}",
        invoice.imported_at,
        actor=invoice.imported_by,
        after={"lines": invoice.lines, "differences": sum(invoice.differences.values())},
    )
    return line_put(line)
