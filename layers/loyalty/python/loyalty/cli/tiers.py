"""``loyalty tiers``: recalculate where members stand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out, print_json
from loyalty.core.clock import system_clock, to_text
from loyalty.programs.store import ProgramStore
from loyalty.tiers.everybody import Recalculated, Recalculation

app = typer.Typer(no_args_is_help=True)


@app.callback()
def tiers() -> None:
    """Where members stand on the ladders of tiers."""


@app.command()
def recalculate(
    *,
    table: TableName,
    program: Annotated[str, typer.Option(help="Id of the program.")],
    member: Annotated[str | None, typer.Option(help="Id of one member.")] = None,
    tier: Annotated[str | None, typer.Option(help="Every member on this tier, of any ladder.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="Every member of the program.")] = False,
    json: AsJson = False,
) -> None:
    """Raise members to what they have earned, and say from now on until when tiers are kept.

    For after a version of the program that has other thresholds, or the first that ends tiers. Safe at any time and
    again: nobody is lowered but by a review, or by a reversal where the ladder says so. Exit code 1 where a member
    could not be recalculated.
    """
    if [member is not None, tier is not None, everybody].count(True) != 1:
        raise typer.BadParameter("Say whom: one --member, those on a --tier, or --everybody.", param_hint="--member")
    opened = open_table(table)
    current, run = ProgramStore(opened, system_clock).current(program), f"run:{to_text(system_clock())}"
    recalculation = Recalculation(opened, system_clock)
    known = {one.id for parts in current.document.all_ladders.values() for one in parts.tiers}
    if tier is not None and tier not in known:
        fail(f"There is no tier '{tier}' in '{program}'; there are {', '.join(sorted(known))}.")
    if member is not None:
        done = Recalculated(1, int(recalculation.one(current, member, run=run)))
    else:
        with _progress() as show:
            done = recalculation.many(current, run=run, tier=tier, progress=show)
    _end(done, json=json)


@contextmanager
def _progress() -> Iterator["_Show"]:
    with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True) as progress:
        yield _Show(progress)


class _Show:
    """One line that tells how far a run is."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("reading the table", total=None)

    def __call__(self, done: Recalculated) -> None:
        self._progress.update(self._task, description=_summary(done))


def _summary(done: Recalculated) -> str:
    failed = f", {len(done.failures):,} not recalculated" if done.failures else ""
    return f"{done.members:,} members, {done.changed:,} changed{failed}"


def _end(done: Recalculated, *, json: bool) -> None:
    if json:
        failures = [{"member_id": member_id, "error": error} for member_id, error in done.failures]
        print_json({"members": done.members, "changed": done.changed, "failures": failures})
    else:
        sign = "[bold red]✗[/]" if done.failures else "[bold green]✓[/]"
        out.print(f"{sign} {_summary(done)}.")
        for member_id, error in done.failures[:20]:
            out.print(f"  {member_id}  {error}")
    if done.failures:
        raise typer.Exit(1)
