"""``loyalty redrive``: dead letters back to work, once what made them dead letters is mended."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import loyalty_contract as contract
from loyalty.cli.console import AsJson, err, fail, listing, out, print_json
from loyalty.cli.dead_letters import DeadLetterQueue, Letter, Unmovable
from loyalty.cli.destinations import Bus, Destination, Undelivered, WorkQueue
from loyalty.publishing.service import Publisher

QUEUES: Final = (*contract.WORK_QUEUES, *contract.UNDELIVERED_QUEUES, contract.UNPUBLISHED_QUEUE)
MOST: Final = 10_000

Queue = Annotated[str, typer.Argument(help=f"One of: {', '.join(QUEUES)}.")]
Stage = Annotated[str, typer.Option(envvar=contract.ENV_STAGE, help="Name of the stage.", show_envvar=True)]
OnlyList = Annotated[bool, typer.Option("--list", help="Only show what waits, by reason.")]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason; default: all.")]
AtMost = Annotated[int, typer.Option("--max", min=1, max=MOST, help="Move no more than so many.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
TableOption = Annotated[
    str | None, typer.Option("--table", envvar=contract.ENV_TABLE, help="Name of the stage's table; for unpublished.")
]


@dataclass(slots=True)
class _Waiting:
    """What was read: the letters to move, and the receipts of all that is still in the queue."""

    reasons: Counter[str] = field(default_factory=Counter)
    chosen: list[Letter] = field(default_factory=list)
    receipts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Done:
    moved: int = 0
    stayed: dict[str, str] = field(default_factory=dict)


def redrive(
    queue: Queue,
    *,
    stage: Stage,
    only_list: OnlyList = False,
    reason: Reason = None,
    at_most: AtMost = MOST,
    yes: Yes = False,
    table: TableOption = None,
    json: AsJson = False,
) -> None:
    """Move the dead letters of a queue back to where they are worked off; of "unpublished", publish them.

    Shows first what waits and why, and asks. Safe to repeat: what was processed before changes nothing again. Exit
    code 0 only if all were moved that were to be.
    """
    if queue not in QUEUES:
        raise typer.BadParameter(f"There is no queue '{queue}'; there are {', '.join(QUEUES)}.", param_hint="QUEUE")
    if json and not (yes or only_list):
        raise typer.BadParameter("With --json nobody is asked: say --yes or --list too.", param_hint="--json")
    source, destination = _open(queue, stage, table)
    waiting = _Waiting()
    done = _Done()
    try:
        _receive(source, destination, waiting, reason, 0 if only_list else at_most)
        if not json:
            _show(queue, waiting.reasons)
        if waiting.chosen and not yes and not typer.confirm(f"Move {len(waiting.chosen)}?", err=True):
            fail("Nothing was moved.")
        done = _move(source, destination, waiting)
    finally:
        source.release(list(waiting.receipts.values()))
    _report(queue, waiting, done, json=json, only_list=only_list)
    if done.moved < len(waiting.chosen):
        raise typer.Exit(1)


def _open(queue: str, stage: str, table: str | None) -> tuple[DeadLetterQueue, Destination]:
    sqs = boto3.client("sqs")
    if queue in contract.WORK_QUEUES:
        letters = DeadLetterQueue(sqs, _url(sqs, stage, contract.dead_letter_queue(queue)))
        return letters, WorkQueue(sqs, _url(sqs, stage, queue))
    letters = DeadLetterQueue(sqs, _url(sqs, stage, queue))
    if queue in contract.UNDELIVERED_QUEUES:
        return letters, Undelivered(sqs, stage)
    if table is None:
        raise typer.BadParameter(f"{queue} needs the table's name.", param_hint="--table")
    publisher = Publisher(boto3.client("events"), contract.resource(stage, contract.BUS))
    dynamodb, streams = boto3.client("dynamodb"), boto3.client("dynamodbstreams")
    return letters, Bus(publisher, dynamodb=dynamodb, streams=streams, table=table)


def _url(sqs: Any, stage: str, name: str) -> str:
    physical = contract.resource(stage, name)
    try:
        url: str = sqs.get_queue_url(QueueName=physical)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        fail(f"There is no queue {physical} in this account and region: look at --stage and the AWS environment.")
    return url


def _receive(
    source: DeadLetterQueue, destination: Destination, waiting: _Waiting, reason: str | None, at_most: int
) -> None:
    """Reads all that waits; keeps the bodies of those alone that are to be moved."""
    with _progress() as progress:
        task = progress.add_task("reading")
        for letter in source.receive():
            why = destination.reason(letter)
            waiting.reasons[why] += 1
            waiting.receipts[letter.message_id] = letter.receipt
            if reason in {None, why} and len(waiting.chosen) < at_most:
                waiting.chosen.append(letter)
            progress.update(task, description=f"{waiting.reasons.total():,} read")


def _move(source: DeadLetterQueue, destination: Destination, waiting: _Waiting) -> _Done:
    """Moves the chosen, one after the other. Where AWS fails it stops: what is left stays as it is."""
    done = _Done()
    with _progress() as progress:
        task = progress.add_task("moving")
        for letter in waiting.chosen:
            try:
                destination.move(letter)
                source.delete(letter)
            except Unmovable as refusal:
                done.stayed[letter.message_id] = str(refusal)
                continue
            except (BotoCoreError, ClientError) as error:
                done.stayed[letter.message_id] = _named(error)
                break
            del waiting.receipts[letter.message_id]
            done.moved += 1
            progress.update(task, description=f"{done.moved:,} of {len(waiting.chosen):,} moved")
    return done


def _named(error: BotoCoreError | ClientError) -> str:
    """The error's name alone: its message may quote what was sent."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    return f"AWS did not do it: {code}"


def _progress() -> Progress:
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True)


def _show(queue: str, reasons: Counter[str]) -> None:
    if not reasons:
        out.print(f"[bold green]✓[/] nothing waits in {queue}'s dead letters.")
        return
    grid = listing("reason", "letters", title=f"{reasons.total():,} dead letters of {queue}")
    for why, count in reasons.most_common():
        grid.add_row(why, f"{count:,}")
    out.print(grid)


def _report(queue: str, waiting: _Waiting, done: _Done, *, json: bool, only_list: bool) -> None:
    asked, left = len(waiting.chosen), len(waiting.receipts)
    if json:
        found = {"queue": queue, "reasons": dict(waiting.reasons), "asked": asked, "moved": done.moved, "left": left}
        print_json(found if only_list else found | {"stayed": done.stayed})
        return
    if only_list or not waiting.reasons:
        return
    sign = "[bold green]✓[/]" if done.moved == asked else "[bold red]✗[/]"
    out.print(f"{sign} {done.moved:,} of {asked:,} moved; {left:,} left.")
    _say_why(list(done.stayed.items()))


def _say_why(stayed: Sequence[tuple[str, str]]) -> None:
    shown = 20
    for message_id, why in stayed[:shown]:
        out.print(f"  {message_id} stayed: {why}")
    if len(stayed) > shown:
        out.print(f"  … and {len(stayed) - shown} more; --json prints all.")
