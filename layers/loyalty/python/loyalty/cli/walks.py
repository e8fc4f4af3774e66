"""What commands share that walk over all members of a program: how a run is named, shown and left."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from loyalty.cli.console import err, out, print_json
from loyalty.core.clock import system_clock, to_text
from loyalty.walking.runs import RUN_NAME, Walked

_SHOWN: Final = 20
_INTERRUPTED: Final = 130
"""Exit code of what somebody ended by Ctrl-C, as shells have it."""

RunOption = Annotated[
    str | None,
    typer.Option(
        "--run", help="Name of the run: go on with one that was cut off. Default: a new one, named after this moment."
    ),
]


def named(run: str | None) -> str:
    """The run's name; of a new one the moment, such as ``2026-11-22t16-20-05-123z``."""
    name = run or re.sub(r"[^0-9a-z]", "-", to_text(system_clock()).lower())
    if not re.fullmatch(RUN_NAME, name):
        raise typer.BadParameter(
            "Up to 40 small letters, digits, '-' and '_', a letter or digit first.", param_hint="--run"
        )
    return name


def say_how_to_go_on(run: str, *, ended: bool) -> None:
    """Before the first member: under which name the run goes on if it is cut off."""
    if ended:
        err.print(f"The run {run} has ended before. To look at everybody again, give it another name.")
    else:
        err.print(f"Run {run}: if it is cut off, the same command goes on with --run {run}", soft_wrap=True)


@contextmanager
def showing(run: str) -> Iterator["Show"]:
    """Shows how far a run is. Ctrl-C leaves it where it is; one that the state machine does goes on by itself."""
    try:
        with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True) as progress:
            yield Show(progress)
    except KeyboardInterrupt:
        _interrupted(run)


def _interrupted(run: str) -> NoReturn:
    err.print(f"Left. What is done stays done; the same command with --run {run} goes on, or looks on.")
    raise SystemExit(_INTERRUPTED)


class Show:
    """One line that tells how far a run is."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("looking at the first members", total=None)

    def __call__(self, done: Walked) -> None:
        """Shows how far it is now."""
        self._progress.update(self._task, description=summary(done))


def summary(done: Walked) -> str:
    """The counts in words."""
    failed = f", {done.failed:,} failed" if done.failed else ""
    return f"{done.members:,} members, {done.changed:,} changed{failed}"


def end(run: str, done: Walked, *, json: bool) -> None:
    """Says what was done; exit code 1 where it failed for somebody."""
    if json:
        print_json(_document(run, done))
    else:
        sign = "[bold red]✗[/]" if done.failed else "[bold green]✓[/]"
        out.print(f"{sign} {summary(done)}.")
        for member_id, error in done.failures[:_SHOWN]:
            out.print(f"  {member_id}  {error}")
        if done.failed > _SHOWN:
            out.print(f"  … and {done.failed - _SHOWN:,} more; --json prints the first twenty of each shard.")
    if done.failed:
        raise typer.Exit(1)


def _document(run: str, done: Walked) -> dict[str, Any]:
    failures = [{"member_id": member_id, "error": error} for member_id, error in done.failures]
    counts = {"members": done.members, "changed": done.changed, "failed": done.failed}
    return {"run": run, **counts, "failures": failures}
