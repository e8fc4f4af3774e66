"""``loyalty sweep`` and ``loyalty settle``: write down what fell due, as the sweeper does by the clock."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from loyalty.cli.console import AsJson, TableName, err, listing, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.ledger.service import Ledger
from loyalty.programs.store import ProgramStore
from loyalty.sweeping.service import SHARDS, Sweep, Sweeper

_SHOWN: Final = 20
_LONGEST: Final = 24 * 60

Minutes = Annotated[int, typer.Option(min=1, max=_LONGEST, help="Take up nobody after so many minutes.")]
AtMost = Annotated[int | None, typer.Option("--max", min=1, help="Settle no more members than so many.")]
Shard = Annotated[
    list[int] | None,
    typer.Option(min=0, max=len(SHARDS) - 1, help="A shard of the due index; repeat for more. Default: all."),
]


def sweep(
    table: TableName,
    minutes: Minutes = 60,
    at_most: AtMost = None,
    shard: Shard = None,
    json: AsJson = False,  # noqa: FBT002 - a command-line flag
) -> None:
    """Settle whoever is due, the longest due first: maturity, expiry, warnings, time-outs.

    Safe at any time, beside the sweeper too. Exit code 1 where a member could not be settled.
    """
    sweeper = Sweeper(open_table(table), system_clock)
    deadline = system_clock() + timedelta(minutes=minutes)
    with _progress("reading the due index") as (progress, task):
        done = sweeper.run(
            shard or SHARDS,
            deadline=deadline,
            most=at_most,
            progress=lambda sweep: progress.update(task, description=_summary(sweep)),
        )
    _end(done, json=json)


def settle(
    table: TableName,
    program: Annotated[str, typer.Option(help="Id of the program.")],
    member: Annotated[str | None, typer.Option(help="Id of the member.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="Every member of the program, due or not.")] = False,  # noqa: FBT002
    json: AsJson = False,  # noqa: FBT002 - a command-line flag
) -> None:
    """Settle one member, and say why where it cannot be done.

    With --everybody, each member of the program: once, after its new version warns earlier than the one before. It
    reads the whole table.
    """
    if (member is None) is not everybody:
        raise typer.BadParameter("Say either whom, or --everybody.", param_hint="--member")
    opened = open_table(table)
    if member is None:
        _settle_everybody(opened, program, json=json)
        return
    scope = ProgramStore(opened, system_clock).current(program).scope
    entries = Ledger(opened, system_clock).settle(scope, member)
    if json:
        print_json({"program": program, "member_id": member, "entries": entries})
    else:
        out.print(f"[bold green]✓[/] {member}: {entries} entries written.")


def _settle_everybody(table: Table, program: str, *, json: bool) -> None:
    with _progress("reading the table") as (progress, task):
        done = Sweeper(table, system_clock).everybody(
            program, progress=lambda sweep: progress.update(task, description=_summary(sweep))
        )
    _end(done, json=json)


@contextmanager
def _progress(description: str) -> Iterator[tuple[Progress, TaskID]]:
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as progress:
        yield progress, progress.add_task(description, total=None)


def _end(done: Sweep, *, json: bool) -> None:
    if json:
        print_json(_document(done))
    else:
        _show(done)
    if done.failures:
        raise typer.Exit(1)


def _summary(done: Sweep) -> str:
    failed = f", {len(done.failures):,} not settled" if done.failures else ""
    return f"{done.members:,} members settled, {done.entries:,} entries{failed}"


def _document(done: Sweep) -> dict[str, object]:
    return {
        "members": done.members,
        "entries": done.entries,
        "current": done.current,
        "finished": done.finished,
        "lag_seconds": None if done.lag is None else done.lag.total_seconds(),
        "failures": [{"where": failure.where, "error": failure.error} for failure in done.failures],
    }


def _show(done: Sweep) -> None:
    left = "" if done.finished else "; more is due"
    waited = "" if not done.lag else f" The oldest had waited for {timedelta(seconds=int(done.lag.total_seconds()))}."
    sign = "[bold red]✗[/]" if done.failures else "[bold green]✓[/]"
    out.print(f"{sign} {_summary(done)}{left}.{waited}")
    if not done.failures:
        return
    errors = ", ".join(
        f"{count:,} {error}" for error, count in Counter(failure.error for failure in done.failures).most_common()
    )
    grid = listing("member's partition, or shard", "error", title=errors)
    for failure in done.failures[:_SHOWN]:
        grid.add_row(failure.where, failure.error)
    out.print(grid)
    if len(done.failures) > _SHOWN:
        out.print(f"… and {len(done.failures) - _SHOWN} more; --json prints all.")
