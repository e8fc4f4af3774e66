"""``loyalty tiers``: recalculate where members stand."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, NoReturn

import boto3
import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from loyalty.audit.model import Line
from loyalty.audit.store import Trail
from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out, print_json
from loyalty.cli.recalculating import SUCCEEDED, Executions, find_state_machine
from loyalty.core.clock import system_clock, to_text
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import RUN_NAME, Recalculated, Run, RunRequest
from loyalty_contract import ENV_STAGE

_SHOWN: Final = 20
_INTERRUPTED: Final = 130
"""Exit code of what somebody ended by Ctrl-C, as shells have it."""

app = typer.Typer(no_args_is_help=True)

RunOption = Annotated[
    str | None,
    typer.Option(
        "--run", help="Name of the run: go on with one that was cut off. Default: a new one, named after this moment."
    ),
]
Workflow = Annotated[
    bool, typer.Option("--workflow", help="Let the stage's state machine do it, and watch; found by the stage's name.")
]
Machine = Annotated[str | None, typer.Option("--state-machine", help="The same, by the state machine's ARN.")]
Stage = Annotated[str | None, typer.Option(envvar=ENV_STAGE, help="Name of the stage; for --workflow.")]


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
    run: RunOption = None,
    workflow: Workflow = False,
    state_machine: Machine = None,
    stage: Stage = None,
    json: AsJson = False,
) -> None:
    """Raise members to what they have earned, and say from now on until when tiers are kept.

    For after a version of the program that has other thresholds, or the first that ends tiers. Safe at any time and
    again: nobody is lowered but by a review, or by a reversal where the ladder says so. Reads each member's wallet once,
    and goes on under its run's name where it was cut off. Exit code 0 only if everybody who was meant was recalculated.
    """
    if [member is not None, tier is not None, everybody].count(True) != 1:
        raise typer.BadParameter("Say whom: one --member, those on a --tier, or --everybody.", param_hint="--member")
    opened = open_table(table)
    current = ProgramStore(opened, system_clock).current(program)
    recalculation, of = Recalculation(opened, system_clock), Run(program, _named(run), tier)
    if member is None:
        _say_how_to_go_on(of.name, ended=not recalculation.begin(current, of).unfinished)
    _write_down(opened, of, member)
    if workflow or state_machine:
        asked = {"program": program, "run": of.name, "member": member, "tier": tier, "everybody": everybody}
        machine = _executions(state_machine, stage)
        done = _watch(machine, RunRequest.model_validate(asked), lambda: recalculation.progress(of))
    elif member is not None:
        done = Recalculated(1, int(recalculation.one(current, member, of)))
    else:
        with _progress(of.name) as show:
            done = recalculation.many(current, of, progress=show)
    _end(of.name, done, json=json)


def _write_down(table: Table, of: Run, member: str | None) -> None:
    target = "members" if member is None else f"members/{member}"
    after = {"run": of.name, "tier": of.tier}
    Trail(table).record(Line(of.program, "tiers.recalculation_started", target, system_clock(), after=after))


def _named(run: str | None) -> str:
    """The run's name; of a new one the moment, such as ``2026-11-22t16-20-05-123z``."""
    name = run or re.sub(r"[^0-9a-z]", "-", to_text(system_clock()).lower())
    if not re.fullmatch(RUN_NAME, name):
        raise typer.BadParameter(
            "Up to 40 small letters, digits, '-' and '_', a letter or digit first.", param_hint="--run"
        )
    return name


def _say_how_to_go_on(run: str, *, ended: bool) -> None:
    if ended:
        err.print(f"The run {run} has ended before. To look at everybody again, give it another name.")
    else:
        err.print(f"Run {run}: if it is cut off, the same command goes on with --run {run}", soft_wrap=True)


def _executions(state_machine: str | None, stage: str | None) -> Executions:
    client = boto3.client("stepfunctions")
    if state_machine is None and stage is None:
        raise typer.BadParameter("--workflow needs the stage's name.", param_hint="--stage")
    return Executions(client, state_machine or find_state_machine(client, stage or ""))


def _watch(executions: Executions, request: RunRequest, look: Callable[[], Recalculated]) -> Recalculated:
    """Starts the execution, or finds the one that runs, and shows how far it is until it ends."""
    execution, first = executions.of(request)
    err.print(f"{'Started' if first else 'Watching'} {execution}", soft_wrap=True)
    many = request.member is None
    with _progress(request.run) as show:
        ended = executions.watch(execution, lambda: show(look()) if many else None)
    if ended.status != SUCCEEDED:
        if many:
            out.print(f"[bold red]✗[/] {_summary(look())} until it ended.")
        fail(f"{execution} {ended.status}. {ended.error}".rstrip())
    return look() if many else Recalculated(ended.answer["members"], ended.answer["changed"])


@contextmanager
def _progress(run: str) -> Iterator["_Show"]:
    """Shows how far a run is. Ctrl-C leaves it where it is; one that the state machine does goes on by itself."""
    try:
        with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True) as progress:
            yield _Show(progress)
    except KeyboardInterrupt:
        _interrupted(run)


def _interrupted(run: str) -> NoReturn:
    err.print(f"Left. What is done stays done; the same command with --run {run} goes on, or looks on.")
    raise SystemExit(_INTERRUPTED)


class _Show:
    """One line that tells how far a run is."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("looking at the first members", total=None)

    def __call__(self, done: Recalculated) -> None:
        self._progress.update(self._task, description=_summary(done))


def _summary(done: Recalculated) -> str:
    failed = f", {done.failed:,} not recalculated" if done.failed else ""
    return f"{done.members:,} members, {done.changed:,} changed{failed}"


def _end(run: str, done: Recalculated, *, json: bool) -> None:
    if json:
        print_json(_document(run, done))
    else:
        sign = "[bold red]✗[/]" if done.failed else "[bold green]✓[/]"
        out.print(f"{sign} {_summary(done)}.")
        for member_id, error in done.failures[:_SHOWN]:
            out.print(f"  {member_id}  {error}")
        if done.failed > _SHOWN:
            out.print(f"  … and {done.failed - _SHOWN:,} more; --json prints the first twenty of each shard.")
    if done.failed:
        raise typer.Exit(1)


def _document(run: str, done: Recalculated) -> dict[str, Any]:
    failures = [{"member_id": member_id, "error": error} for member_id, error in done.failures]
    counts = {"members": done.members, "changed": done.changed, "failed": done.failed}
    return {"run": run, **counts, "failures": failures}
