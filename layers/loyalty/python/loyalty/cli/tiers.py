"""``loyalty tiers``: recalculate where members stand."""

from collections.abc import Callable
from typing import Annotated

import boto3
import typer

from loyalty.audit.model import Line
from loyalty.audit.store import Trail
from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out
from loyalty.cli.recalculating import SUCCEEDED, Executions, find_state_machine
from loyalty.cli.walks import RunOption, end, named, say_how_to_go_on, showing, summary
from loyalty.core.clock import system_clock
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import RunRequest, TierRun
from loyalty.walking.runs import Walked
from loyalty_contract import ENV_STAGE

app = typer.Typer(no_args_is_help=True)

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
    recalculation, of = Recalculation(opened, system_clock), TierRun(program, named(run), tier)
    if member is None:
        say_how_to_go_on(of.name, ended=not recalculation.begin(current, of).unfinished)
    _write_down(opened, of, member)
    if workflow or state_machine:
        asked = {"program": program, "run": of.name, "member": member, "tier": tier, "everybody": everybody}
        machine = _executions(state_machine, stage)
        done = _watch(machine, RunRequest.model_validate(asked), lambda: recalculation.progress(of))
    elif member is not None:
        done = Walked(1, int(recalculation.one(current, member, of)))
    else:
        with showing(of.name) as show:
            done = recalculation.many(current, of, progress=show)
    end(of.name, done, json=json)


def _write_down(table: Table, of: TierRun, member: str | None) -> None:
    target = "members" if member is None else f"members/{member}"
    after = {"run": of.name, "tier": of.tier}
    Trail(table).record(Line(of.program, "tiers.recalculation_started", target, system_clock(), after=after))


def _executions(state_machine: str | None, stage: str | None) -> Executions:
    client = boto3.client("stepfunctions")
    if state_machine is None and stage is None:
        raise typer.BadParameter("--workflow needs the stage's name.", param_hint="--stage")
    return Executions(client, state_machine or find_state_machine(client, stage or ""))


def _watch(executions: Executions, request: RunRequest, look: Callable[[], Walked]) -> Walked:
    """Starts the execution, or finds the one that runs, and shows how far it is until it ends."""
    execution, first = executions.of(request)
    err.print(f"{'Started' if first else 'Watching'} {execution}", soft_wrap=True)
    many = request.member is None
    with showing(request.run) as show:
        ended = executions.watch(execution, lambda: show(look()) if many else None)
    if ended.status != SUCCEEDED:
        if many:
            out.print(f"[bold red]✗[/] {summary(look())} until it ended.")
        fail(f"{execution} {ended.status}. {ended.error}".rstrip())
    return look() if many else Walked(ended.answer["members"], ended.answer["changed"])
