"""``loyalty referrals``: how far a referral is and why, and working off what is due by hand."""

from datetime import timedelta
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Columns

from loyalty.accruals.model import REFERRAL_SOURCE
from loyalty.attribution.model import Referral
from loyalty.attribution.store import ReferralStore
from loyalty.cli.console import AsJson, TableName, err, open_table, out, print_json
from loyalty.core.clock import system_clock, to_text
from loyalty.core.errors import MemberNotFound
from loyalty.core.table import Table
from loyalty.ledger.model import Entry, EntryKey, EntryKind
from loyalty.ledger.store import LedgerStore
from loyalty.referrals.due import DueReferrals
from loyalty.referrals.lifecycle import Woken
from loyalty.referrals.steps import Facts, Step, Write
from loyalty.referrals.work import lifecycle_over
from loyalty.sweeping.walk import SHARDS, Sweep

app = typer.Typer(no_args_is_help=True)

_LONGEST: Final = 24 * 60
Member = Annotated[str, typer.Argument(help="Id of the member who was brought.")]
ProgramId = Annotated[str, typer.Option("--program", help="Id of the program.")]
Minutes = Annotated[int, typer.Option(min=1, max=_LONGEST, help="Take up nobody after so many minutes.")]
Shard = Annotated[
    list[int] | None,
    typer.Option(min=0, max=len(SHARDS) - 1, help="A shard of what is due; repeat for more. Default: all."),
]


@app.callback()
def referrals() -> None:
    """Members whom others brought."""


@app.command()
def show(member: Member, *, table: TableName, program: ProgramId, json: AsJson = False) -> None:
    """Explain one referral: how far it is, what speaks against it, who decided, what it earned, what comes next."""
    opened = open_table(table)
    referral = ReferralStore(opened).get(program, member)
    if referral is None:
        raise MemberNotFound(f"Nobody brought '{member}' into '{program}', or there is no such member.")
    facts, step = lifecycle_over(opened, system_clock).plan(referral)
    told = _document(referral, facts, step, _rewards(opened, referral))
    if json:
        print_json(told)
        return
    for name, value in told.items():
        if isinstance(value, list):
            for one in value:
                out.print(f"  {name}: " + ", ".join(f"{key} {part}" for key, part in one.items() if part is not None))
        elif value is not None:
            out.print(f"{name.replace('_', ' ')}: {value}")


@app.command()
def run(
    *,
    table: TableName,
    program: Annotated[str | None, typer.Option("--program", help="Id of the program, of one member.")] = None,
    member: Annotated[str | None, typer.Option(help="Wake this one member's referral, due or not.")] = None,
    minutes: Minutes = 60,
    shard: Shard = None,
    json: AsJson = False,
) -> None:
    """Do what the clock does: deadlines, reminders, payments. With --member, for one and with the error whole.

    Safe at any time, beside the clock too. Exit code 1 where a referral could not be brought on.
    """
    if (member is None) is not (program is None):
        raise typer.BadParameter("Say both the program and the member, or neither.", param_hint="--member")
    opened = open_table(table)
    lifecycle = lifecycle_over(opened, system_clock)
    if member is not None and program is not None:
        woken = lifecycle.woken(program, member)
        if woken is None:
            raise MemberNotFound(f"Nobody brought '{member}' into '{program}', or there is no such member.")
        _end([woken], None, json=json)
        return
    done: list[Woken] = []
    due = DueReferrals(opened, lifecycle, system_clock, told=done.append)
    bars = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*bars, console=err, transient=True) as progress:
        task = progress.add_task("reading what is due", total=None)
        sweep = due.run(
            shard or SHARDS,
            deadline=system_clock() + timedelta(minutes=minutes),
            progress=lambda sweep: progress.update(task, description=f"{sweep.members:,} referrals brought on"),
        )
    _end(done, sweep, json=json)


def _end(done: list[Woken], sweep: Sweep | None, *, json: bool) -> None:
    moved = [one for one in done if one.steps]
    failures = [] if sweep is None else sweep.failures
    if json:
        print_json(
            {
                "referrals": [
                    {"member_id": one.after.member_id, "program": one.after.program, "status": one.after.status.value}
                    for one in moved
                ],
                "finished": sweep is None or sweep.finished,
                "failures": [{"where": one.where, "error": one.error} for one in failures],
            }
        )
    else:
        columns = Columns("program", "member", "was", "is", "because", box=None)
        for one in moved:
            after = one.after
            because = after.ended_because or ""
            columns.add_row(after.program, after.member_id, one.before.status.value, after.status.value, because)
        if moved:
            out.print(columns)
        sign = "[bold red]✗[/]" if failures else "[bold green]✓[/]"
        left = "" if sweep is None or sweep.finished else "; more is due"
        out.print(f"{sign} {len(moved):,} referrals brought on, {len(failures):,} not{left}.")
        for failure in failures:
            out.print(f"  {failure.where}: {failure.error}")
    if failures:
        raise typer.Exit(1)


def _rewards(table: Table, referral: Referral) -> list[Entry]:
    """What both sides have of it, in the books in which it was written."""
    store, rewarded = LedgerStore(table), referral.rewarded
    if rewarded is None:
        return []
    key = EntryKey(EntryKind.ACCRUAL, REFERRAL_SOURCE, referral.member_id)
    found = [store.entry(referral.program, one, key) for one in (rewarded.referrer, rewarded.member_id)]
    return [entry for entry in found if entry is not None]


def _document(referral: Referral, facts: Facts, step: Step | None, rewards: list[Entry]) -> dict[str, Any]:
    screened, qualified = referral.screened, referral.qualified
    return {
        "program": referral.program,
        "member_id": referral.member_id,
        "referrer": referral.referrer,
        "code": referral.code,
        "campaign": referral.source.campaign,
        "channel": referral.source.channel,
        "claimed_at": to_text(referral.claimed_at),
        "deadline": to_text(referral.deadline) if referral.deadline else None,
        "status": referral.status.value,
        "members_are_told": referral.told(system_clock()).value,
        "qualified_by": None if qualified is None else qualified.entry_id,
        "pays_at": None if qualified is None else to_text(qualified.pays_at),
        "verdict": None if referral.verdict is None else referral.verdict.value,
        "score": None if screened is None else screened.score,
        "evidence": [
            {"signal": one.signal.value, "weight": one.weight, "counted": one.counted, "bound": one.bound}
            for one in (screened.evidence if screened else ())
        ],
        "decisions": [
            {"approved": one.approved, "by": one.actor, "reason": one.reason, "at": to_text(one.at)}
            for one in referral.decisions
        ],
        "entries": [
            {"member_id": one.member_id, "entry_id": one.entry_id, "points": one.points, "at": to_text(one.posted_at)}
            for one in rewards
        ],
        "ended_because": referral.ended_because,
        "ledger": [
            {"entry_id": one.entry_id, "left": str(one.left) if one.left else None, "whole": one.taken_back.whole}
            for one in facts.counted
        ],
        "next": _next(step),
        "due_at": to_text(referral.due_at) if referral.due_at else None,
    }


def _next(step: Step | None) -> str | None:
    """What :func:`run` would do now."""
    if isinstance(step, Write):
        return f"becomes {step.after.status.value}"
    return None if step is None else step.value
