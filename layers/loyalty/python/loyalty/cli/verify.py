"""``loyalty verify``: the proof that every balance is what its entries add up to."""

from dataclasses import asdict

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

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
    out.print(f"[bold red]✗[/] {read}: {len(report.findings):,} findings.")
    # No table: ids and codes have to stay whole, however narrow the terminal.
    of = None
    for finding in report.findings[:_SHOWN]:
        if of != (finding.program, finding.member_id):
            of = finding.program, finding.member_id
            out.print(escape(" ".join(of)), soft_wrap=True)
        out.print(escape(f"  {finding.code}  {finding.where}\n    {finding.detail}"), soft_wrap=True)
    if len(report.findings) > _SHOWN:
        out.print(f"… and {len(report.findings) - _SHOWN} more; --json prints all.")
