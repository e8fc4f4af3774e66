"""``loyalty program simulate``: what other rules would have given for what members did."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loyalty.cli.charts import bars_of, svg
from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out, print_json
from loyalty.cli.documents import Source
from loyalty.cli.programs import lifecycle, read_document, valid_document
from loyalty.cli.simulation_words import told
from loyalty.core.clock import system_clock
from loyalty.core.errors import ProgramNotFound
from loyalty.core.table import Table
from loyalty.ledger.settlement import day_starts
from loyalty.programs.model import PointCost, Program, ProgramDocument
from loyalty.programs.publication import require_kept
from loyalty.simulating.model import Period
from loyalty.simulating.service import simulate as simulated
from loyalty.simulating.views import report_view

_COST = re.compile(r"([0-9]+(?:\.[0-9]+)?)([A-Z]{3})")
_Since = Annotated[
    str | None, typer.Option("--from", help="First day, by the program's calendar; default: that of the first entry.")
]
_Until = Annotated[
    str | None, typer.Option(help="The day at whose start it ends, by the program's calendar; default: now.")
]
_Cost = Annotated[
    str | None, typer.Option("--point-cost", help="What a point costs, such as 0.005EUR; default: as the program says.")
]


def simulate(
    *,
    table: TableName,
    program: Annotated[str, typer.Option(help="Id of the program.")],
    draft: Annotated[bool, typer.Option("--draft", help="Compare the version in force with the draft.")] = False,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="With this document: JSON or YAML.")
    ] = None,
    version: Annotated[int | None, typer.Option(min=1, help="With another version.")] = None,
    since: _Since = None,
    until: _Until = None,
    point_cost: _Cost = None,
    chart: Annotated[Path | None, typer.Option(dir_okay=False, help="Also write the bars to this SVG file.")] = None,
    json: AsJson = False,
) -> None:
    """Replay what members did under the version in force and under other rules, and say what would have been different.

    Reads the whole table, and writes nothing to it. Exit code 1 where not everything could be replayed as it happened.
    """
    if [draft, file is not None, version is not None].count(True) != 1:
        raise typer.BadParameter("Say with what to compare: --draft, a --file, or a --version.", param_hint="--draft")
    cost, opened = _cost(point_cost), open_table(table)
    now = lifecycle(opened).state(program).in_force
    if now is None:
        raise ProgramNotFound(f"Nothing was published of program '{program}' yet.")
    other = _other(opened, program, file=file, version=version)
    require_kept(now.program.document, other.program.document)
    period = _period(now.program.document, since, until)
    began = time.monotonic()
    with _progress() as (reading, replaying):
        found = simulated(
            opened, now.program, other.program, period,
            named=other.name, point_cost=cost, reading=reading, replaying=replaying,
        ).report  # fmt: skip
    if not found.activities:
        fail(f"Nobody earned anything in '{program}' in that time; say another --from and --until.")
    if chart is not None:
        title = f"{now.program.document.name}: points by tier, version {found.now} and {other.name}"
        chart.write_text(svg(bars_of(found), title), encoding="utf-8")
    if json:
        print_json(report_view(found))
    else:
        for part in told(found, other.program.document):
            out.print(part)
        seconds = time.monotonic() - began
        out.print(f"Took {seconds:.1f} s, {found.activities / max(seconds, 0.001):,.0f} activities a second.")
    if not found.complete:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Other:
    """What the version in force is compared with, and what to call it."""

    program: Program
    name: str


def _other(table: Table, program: str, *, file: Path | None, version: int | None) -> _Other:
    service = lifecycle(table)
    if version is not None:
        return _Other(service.version(program, version).program, f"version {version}")
    if file is not None:
        document, name = read_document(file), str(file)
    else:
        found = service.draft(program)
        document, name = valid_document(Source(Path("the draft"), found.content, {}), found.assessment), "the draft"
    if document.id != program:
        fail(f"{name} is of program '{document.id}', not of '{program}'.")
    return _Other(Program(version=service.state(program).number + 1, document=document), name)


def _cost(text: str | None) -> PointCost | None:
    if text is None:
        return None
    parts = _COST.fullmatch(text)
    try:
        return PointCost.model_validate({"amount": parts[1], "currency": parts[2]} if parts else {})
    except ValidationError:
        fail(
            f"'{escape(text)}' is not what a point costs; write an amount of at most six decimals and a currency: 0.005EUR."
        )


def _period(document: ProgramDocument, since: str | None, until: str | None) -> Period:
    start = day_starts(_day(since, "--from"), document.zone) if since else None
    now = system_clock()
    end = min(now, day_starts(_day(until, "--until"), document.zone)) if until else now
    if start is not None and start >= end:
        fail("There is no time between --from and --until; the first must lie before the other, and in the past.")
    return Period(start, end)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"{option} {escape(text)} is not a day; write it as 2026-11-22.")


@contextmanager
def _progress() -> Iterator[tuple[Callable[[int], None], Callable[[int, int], None]]]:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("reading")

        def reading(members: int) -> None:
            progress.update(task, description=f"{members:,} members read")

        def replaying(done: int, of: int) -> None:
            if done % 100 == 0 or done == of:
                progress.update(task, description=f"{done:,} of {of:,} entries replayed")

        yield reading, replaying
