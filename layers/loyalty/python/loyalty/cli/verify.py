"""``loyalty verify``: the proof that every balance is what its entries add up to."""

from dataclasses import asdict

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from loyalty.cli.console import AsJson, TableName, err, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.ledger.verify import Report, audit_table
from loyalty.programs.store import ProgramStore

_SHOWN = 50


def verify(
    table: TableName,
    json: AsJson = False,  # noqa: FBT002 - a command-line flag
) -> None:
    """Recompute every book from its entries and report each difference.

    Exit code 1 where there is any.
    """
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress:
        task = progress.add_task("reading")
        opened = open_table(table)
        report = audit_table(
            opened,
            scopes_of=ProgramStore(opened, system_clock).scopes,
            progress=lambda members: progress.update(task, description=f"{members:,} members audited"),
        )
    if json:
        print_json(asdict(report))
    else:
        _show(report)
    if report.findings:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    read = f"{report.members:,} members, {report.entries:,} entries"
    if not report.findings:
        out.print(f"[bold green]✓[/] {read}: every balance is what its entries add up to.")
        return
    grid = Grid("program", "member", "finding", "where", "detail", title=f"{len(report.findings)} findings in {read}")
    for finding in report.findings[:_SHOWN]:
        grid.add_row(finding.program, finding.member_id, finding.code, finding.where, finding.detail)
    out.print(grid)
    if len(report.findings) > _SHOWN:
        out.print(f"… and {len(report.findings) - _SHOWN} more; --json prints all.")
