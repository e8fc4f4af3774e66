"""``loyalty invoice``: a supplier's invoice, held against our orders."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import boto3
import typer

from loyalty.cli.console import AsJson, TableName, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.core.files import Bucket
from loyalty.core.four_eyes import person_actor
from loyalty.fulfillment.orders import OrderStore
from loyalty.reconciliation.invoices import Columns, Invoice
from loyalty.reconciliation.invoicing import Invoicing
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import SUPPLIERS
from loyalty_contract import ENV_REPORTS

app = typer.Typer(no_args_is_help=True)

_DAYS = ["%Y-%m-%d"]


@app.callback()
def invoice() -> None:
    """Invoices of suppliers, held against our orders."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV in UTF-8, with a heading.")],
    *,
    table: TableName,
    reports: Annotated[
        str,
        typer.Option("--reports", envvar=ENV_REPORTS, help="Name of the stage's bucket for reports.", show_envvar=True),
    ],
    supplier: Annotated[str, typer.Option(help="Whose invoice it is, as programs call it: tremendous, tango, …")],
    number: Annotated[str, typer.Option(help="The supplier's own number of the invoice.")],
    start: Annotated[datetime, typer.Option("--from", formats=_DAYS, help="First day of its period, UTC.")],
    end: Annotated[datetime, typer.Option("--until", formats=_DAYS, help="Last day of its period, UTC.")],
    actor: Annotated[str, typer.Option(help="Staff id of who imports it.")],
    columns: Annotated[
        list[str],
        typer.Option(
            "--map",
            help="MEANING=COLUMN, for each of: external_id (our key) or order_id (the supplier's), amount, currency.",
        ),
    ],
    currency: Annotated[str | None, typer.Option(help="Of every line, where no column says it.")] = None,
    json: AsJson = False,
) -> None:
    """Import an invoice and say where it and our orders differ; the differences become work items.

    A file is imported once: the same file again says what it said then, whatever the other options are now. A file with a malformed line is refused whole. Exit
    code 0 if it was imported, whatever it says.
    """
    if supplier not in SUPPLIERS:
        raise typer.BadParameter(f"there is no supplier '{supplier}'; there are {', '.join(SUPPLIERS)}")
    named = dict(one.partition("=")[::2] for one in columns)
    invoicing = Invoicing(
        OrderStore(opened := open_table(table)),
        ReportStore(opened, system_clock),
        Bucket(reports, boto3.client("s3")),
        system_clock,
    )
    taken, before = invoicing.take(
        file,
        Columns.of(named, currency),
        supplier=supplier,
        number=number,
        start=start.date(),
        end=end.date(),
        actor=person_actor(actor),
    )
    if json:
        print_json(_document(taken, before=before))
    else:
        _tell(taken, before=before)


def _tell(taken: Invoice, *, before: bool) -> None:
    totals = ", ".join(map(str, taken.totals.values())) or "nothing"
    when = f" before, on {taken.imported_at.date()}, for {taken.start} to {taken.end}" if before else ""
    out.print(f"[bold green]✓[/] {taken.number} was imported{when}: {taken.lines:,} lines, {totals}.", soft_wrap=True)
    for kind, count in sorted(taken.differences.items()):
        out.print(f"  {count:>7,}  {kind}")
    out.print(f"  {taken.csv_key}", soft_wrap=True)
    if before:
        out.print(
            "[yellow]![/] Nothing was imported now: a file is, once. The options of this command were not applied."
        )


def _document(taken: Invoice, *, before: bool) -> dict[str, object]:
    return {
        "number": taken.number, "supplier": taken.supplier, "sha256": taken.sha256, "imported_before": before,
        "from": taken.start.isoformat(), "until": taken.end.isoformat(),
        "lines": taken.lines, "totals": {currency: str(one.amount) for currency, one in taken.totals.items()},
        "differences": dict(taken.differences), "report": taken.csv_key,
    }  # fmt: skip
