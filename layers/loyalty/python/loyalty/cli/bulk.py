"""``loyalty bulk``: one reward for the members of a list; started, decided on, followed."""

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any, Final

import boto3
import typer

from loyalty.bulk.model import Campaign, CampaignStatus, Progress
from loyalty.bulk.service import Asked, Campaigns
from loyalty.bulk.starting import Machine
from loyalty.bulk.store import CampaignStore
from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out, print_json
from loyalty.cli.operators import known_operator
from loyalty.cli.recalculating import find_state_machine
from loyalty.core.clock import system_clock, to_text
from loyalty.core.files import Bucket
from loyalty.programs.store import ProgramStore
from loyalty.rewards.model import Payer
from loyalty_contract import BULK, ENV_REPORTS, ENV_STAGE

LOOKS: Final = 2.0
"""Seconds between two looks at a campaign."""
_MOVING: Final = frozenset({CampaignStatus.CREATED, CampaignStatus.RUNNING})
_REPORTED: Final = frozenset({CampaignStatus.DONE, CampaignStatus.UNFINISHED})
_BAD: Final = frozenset({CampaignStatus.REFUSED, CampaignStatus.UNFINISHED, CampaignStatus.REJECTED})

app = typer.Typer(no_args_is_help=True)

ProgramId = Annotated[str, typer.Option("--program", help="Id of the program.")]
Name = Annotated[str, typer.Option("--campaign", help="Name of the campaign: under it a line is held once, for ever.")]
Reports = Annotated[
    str, typer.Option("--reports", envvar=ENV_REPORTS, help="Name of the stage's bucket for reports.", show_envvar=True)
]
Stage = Annotated[str, typer.Option(envvar=ENV_STAGE, help="Name of the stage, whose state machine does the work.")]
Actor = Annotated[
    str, typer.Option(help="Staff id of who asks or decides; whoever started a campaign cannot approve it.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Look until it is worked off, refused, or waits for a person.")]


@app.callback()
def bulk() -> None:
    """One reward for the members of a list."""


@app.command()
def start(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV: member_id, reference, quantity, amount, currency.")
    ],
    *,
    table: TableName,
    reports: Reports,
    stage: Stage,
    program: ProgramId,
    campaign: Name,
    reward: Annotated[str, typer.Option(help="Id of the reward.")],
    actor: Actor,
    paid_by: Annotated[Payer, typer.Option(help="Whose points pay: the member's, or nobody's.")] = Payer.MEMBER,
    wait: Wait = False,
    json: AsJson = False,
) -> None:
    """Send a list and start its campaign, or go on with it: lines that are held stay held, refused ones are tried again."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    desk = _Desk(table, reports, stage)
    asked = Asked(campaign, reward, paid_by, digest, actor, operator=known_operator())
    created = desk.campaigns.create(desk.programs.current(program), asked)
    desk.files.put(created.list_key, file, "text/csv; charset=utf-8")
    desk.campaigns.start(program, campaign)
    err.print(f"Started. Follow it: loyalty bulk status --program {program} --campaign {campaign}", soft_wrap=True)
    desk.show(program, campaign, wait=wait, json=json, begun=created.status)


@app.command()
def status(
    *,
    table: TableName,
    reports: Reports,
    stage: Stage,
    program: ProgramId,
    campaign: Name,
    wait: Wait = False,
    json: AsJson = False,
) -> None:
    """Say how far a campaign is. Exit code 1 where it was refused or rejected, or where lines are not held."""
    _Desk(table, reports, stage).show(program, campaign, wait=wait, json=json)


@app.command()
def approve(
    *,
    table: TableName,
    reports: Reports,
    stage: Stage,
    program: ProgramId,
    campaign: Name,
    actor: Actor,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Approve a campaign as the second person, with credentials of your own: it starts. One that nobody is asked about stays as it is: exit code 1."""
    _Desk(table, reports, stage).decide(program, campaign, actor, note, approve=True)


@app.command()
def reject(
    *,
    table: TableName,
    reports: Reports,
    stage: Stage,
    program: ProgramId,
    campaign: Name,
    actor: Actor,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Reject a campaign as the second person: it never runs. One that nobody is asked about stays as it is: exit code 1."""
    _Desk(table, reports, stage).decide(program, campaign, actor, note, approve=False)


class _Desk:
    """Campaigns of a stage, as an operator's shell reaches them."""

    def __init__(self, table: str, reports: str, stage: str) -> None:
        step_functions = boto3.client("stepfunctions")
        self.files = Bucket(reports, boto3.client("s3"))
        self._reports = reports
        opened = open_table(table)
        self.store = CampaignStore(opened)
        self.programs = ProgramStore(opened, system_clock)

        def begin(campaign: Campaign) -> None:
            Machine(step_functions, find_state_machine(step_functions, stage, BULK)).start(campaign)

        self.campaigns = Campaigns(self.store, self.files, system_clock, begin)

    def decide(self, program: str, campaign: str, actor: str, note: str | None, *, approve: bool) -> None:
        """Decides, and says what became of it; or that it was decided before, by whom, and that nothing changed."""
        before = self.store.get(program, campaign)
        current = self.programs.current(program)
        decided = self.campaigns.decide(
            current, campaign, actor=actor, operator=known_operator(), approve=approve, note=note
        )
        if decided.revision != before.revision:
            out.print(f"[bold green]✓[/] '{campaign}' is {decided.status}.")
            return
        word = "approved" if approve else "rejected"
        out.print(f"'{campaign}' was {word} by {decided.decided_by} before, and is {decided.status}: nothing changed.")

    def show(self, program: str, campaign: str, *, wait: bool, json: bool, begun: CampaignStatus | None = None) -> None:
        """Prints where the campaign stands; ``begun``: where it stood before it was started just now."""
        found = self.store.get(program, campaign)
        while wait and (found.status in _MOVING or found.status is begun):
            time.sleep(LOOKS)
            found, begun = self.store.get(program, campaign), None
        progress = self.campaigns.progress(found)
        if json:
            print_json(self._document(found, progress))
        else:
            self._tell(found, progress)
        if found.status in _BAD:
            raise typer.Exit(1)

    def _document(self, found: Campaign, progress: Progress) -> dict[str, Any]:
        ready = self.campaigns.ready_at(found, progress)
        value = found.totals.value if found.totals else None
        return {
            "campaign": found.campaign, "status": found.status.value, "problem": found.problem, "lines": progress.lines,
            "held": progress.held, "refused": progress.refused, "batches": progress.batches,
            "batches_done": progress.batches_done, "value": str(value) if value else None,
            "ready_at": to_text(ready) if ready else None,
            "failures": found.failures_key if progress.refused else None,
        }  # fmt: skip

    def _tell(self, found: Campaign, progress: Progress) -> None:
        if found.problem:
            fail(found.problem)
        ready = self.campaigns.ready_at(found, progress)
        refused = f", {progress.refused:,} refused" if progress.refused else ""
        missing = progress.batches - progress.batches_done if found.status is CampaignStatus.UNFINISHED else 0
        failed = f", {missing:,} of {progress.batches:,} batches failed (start it again)" if missing else ""
        until = f"; ready at about {to_text(ready)}" if ready else ""
        counts = f"{progress.held:,} of {progress.lines:,} lines held{refused}{failed}{until}."
        out.print(f"'{found.campaign}' is {found.status}: {counts}", soft_wrap=True)
        if found.status is CampaignStatus.AWAITING_APPROVAL:
            which = f"--program {found.program} --campaign {found.campaign}"
            out.print(f"Somebody else than {found.started_by} decides:", soft_wrap=True)
            out.print(f"  loyalty bulk approve {which} --actor …   (or reject, with --note)", soft_wrap=True)
        if progress.refused and found.status in _REPORTED:
            out.print("Which lines, and why:", soft_wrap=True)
            out.print(f"  aws s3 cp s3://{self._reports}/{found.failures_key} -", soft_wrap=True)
