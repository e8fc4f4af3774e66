"""``loyalty referrals report``: what referrals brought, in figures, and each of them as a row."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loyalty.attribution.model import Referral
from loyalty.cli.console import AsJson, TableName, err, open_table, out, print_json
from loyalty.cli.referral_words import told
from loyalty.core.clock import system_clock
from loyalty.programs.store import ProgramStore
from loyalty.referrals.export import COLUMNS, row_of
from loyalty.referrals.report_views import ReferralReportView
from loyalty.referrals.reporting import UNHURRIED, ReferralReports, unheard

_SHOWN_EACH: Final = 100
_DAY: Final = ["%Y-%m-%d"]
_First = Annotated[datetime, typer.Option("--from", formats=_DAY, help="The first day, by the program's calendar.")]
_Last = Annotated[
    datetime | None, typer.Option("--until", "--to", formats=_DAY, help="The last day. Left out: the first one.")
]
_Rows = Annotated[
    Path | None, typer.Option("--csv", dir_okay=False, help="Also write each referral as a row to this file.")
]


def report(
    *,
    table: TableName,
    program: Annotated[str, typer.Option(help="Id of the program.")],
    first: _First,
    last: _Last = None,
    rows: _Rows = None,
    json: AsJson = False,
) -> None:
    """Print what referrals brought that were claimed on some days: steps, cost, growth, by campaign and channel.

    Reads each of these referrals, in pages, and writes nothing to the table.
    """
    opened = open_table(table)
    current = ProgramStore(opened, system_clock).current(program)
    days = first.date(), (last or first).date()
    reports = ReferralReports.over(opened, system_clock)
    with _progress() as counted, _writer(rows) if rows else nullcontext(unheard) as written:

        def each(referral: Referral) -> None:
            written(referral)
            counted()

        found = reports.report(current, *days, UNHURRIED, told=each)
    if json:
        print_json(ReferralReportView.of(found).model_dump(mode="json"))
        return
    for part in told(found):
        out.print(part)
    if rows is not None:
        out.print(f"{found.total.enrolled:,} referrals are in {escape(str(rows))}.", soft_wrap=True)


@contextmanager
def _writer(path: Path) -> Iterator[Callable[[Referral], None]]:
    """Writes rows as they come. The file is there when all of them are, and one of that name stays as it was until then."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            yield lambda referral: writer.writerow(list(row_of(referral)))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _progress() -> Iterator[Callable[[], None]]:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as progress:
        task, number = progress.add_task("reading"), 0

        def counted() -> None:
            nonlocal number
            number += 1
            if number % _SHOWN_EACH == 0:
                progress.update(task, description=f"{number:,} referrals counted")

        yield counted
