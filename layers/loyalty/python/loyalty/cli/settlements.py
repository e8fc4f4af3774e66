"""``loyalty settlements``: batches of cashback and donations, which the business pays."""

from typing import Annotated, Any

import typer

from loyalty.cli.console import AsJson, TableName, fail, listing, open_table, out, print_json, require_program
from loyalty.core.clock import system_clock, to_text
from loyalty.delivery.lines import Batch, BatchId, BatchStore
from loyalty.delivery.settlement import SettlementService, file_of

app = typer.Typer(no_args_is_help=True)

ProgramName = Annotated[str, typer.Option("--program", help="Id of the program.")]
BatchName = Annotated[str, typer.Argument(metavar="BATCH", help="Such as 2026-11-22.cashback.EUR.")]


@app.callback()
def settlements() -> None:
    """Batches of cashback and donations: one for each day, kind, currency and charity."""


@app.command("list")
def list_(
    *,
    table: TableName,
    program: ProgramName,
    status: Annotated[str | None, typer.Option(help="Only those that are open, closed or paid.")] = None,
    json: AsJson = False,
) -> None:
    """List the batches of a program, in the order of their days."""
    opened = open_table(table)
    require_program(opened, program)
    found = [one for one in BatchStore(opened).all(program) if status in (None, one.status)]
    if json:
        print_json([view(one) for one in found])
        return
    grid = listing("batch", "status", "lines", "total", "reference")
    for one in found:
        lines = "" if one.lines is None else f"{one.lines:,}"
        grid.add_row(str(one.id), one.status, lines, "" if one.total is None else str(one.total), one.reference or "")
    out.print(grid)


@app.command()
def show(batch: BatchName, *, table: TableName, program: ProgramName, json: AsJson = False) -> None:
    """Print one batch, and where its files lie in the reports bucket."""
    _print(SettlementService(BatchStore(open_table(table)), None, system_clock).get(_id(program, batch)), json=json)


@app.command()
def paid(
    batch: BatchName,
    *,
    table: TableName,
    program: ProgramName,
    reference: Annotated[str, typer.Option(help="Of the payment, by which your bank knows it.")],
    by: Annotated[str, typer.Option(help="Who says so: a staff id.")],
    json: AsJson = False,
) -> None:
    """Write down that a closed batch was paid, once; with the same reference it says so again."""
    service = SettlementService(BatchStore(open_table(table)), None, system_clock)
    _print(service.pay(_id(program, batch), reference=reference, by=by), json=json)


def view(batch: Batch) -> dict[str, Any]:
    """The batch, as one document."""
    total = None if batch.total is None else {"value": str(batch.total.amount), "currency": batch.total.currency}
    closed = batch.closed_at is not None
    return {
        "batch": str(batch.id),
        "program": batch.id.program,
        "status": batch.status,
        "lines": batch.lines,
        "total": total,
        "files": [file_of(batch.id, extension) for extension in ("csv", "json") if closed],
        "closed_at": to_text(batch.closed_at) if batch.closed_at else None,
        "paid_at": to_text(batch.paid_at) if batch.paid_at else None,
        "paid_by": batch.paid_by,
        "reference": batch.reference,
    }


def _print(batch: Batch, *, json: bool) -> None:
    shown = view(batch)
    if json:
        print_json(shown)
        return
    for name, value in shown.items():
        if value not in (None, []):
            out.print(f"{name}: {value if not isinstance(value, dict) else batch.total}")


def _id(program: str, text: str) -> BatchId:
    try:
        return BatchId.parse(program, text)
    except ValueError:
        fail(f"'{text}' is no batch: it looks like 2026-11-22.cashback.EUR. List them to see which there are.")
