"""``loyalty privacy``: members who were erased and are to stay so; and those of whom nothing was heard for long."""

from itertools import islice
from typing import Annotated, Any, Final

import boto3
import typer

from loyalty.cli.console import AsJson, TableName, err, fail, listing, open_table, out, print_json
from loyalty.cli.operators import known_operator
from loyalty.core import origin
from loyalty.core.clock import system_clock, to_text
from loyalty.core.errors import LoyaltyError, MemberNotFound
from loyalty.core.files import Bucket
from loyalty.core.table import Table
from loyalty.households.service import HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.privacy.erasing import Asked, Erasing
from loyalty.privacy.erasure_store import ErasureStore
from loyalty.privacy.errors import ErasureNotFound
from loyalty.privacy.inactivity import Inactivity, Quiet
from loyalty.privacy.steps import NOTES, ErasureIncomplete, ErasureSteps
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.referrals.memory import Memory
from loyalty_contract import ENV_REPORTS

app = typer.Typer(no_args_is_help=True)

ProgramId = Annotated[str, typer.Option("--program", help="Id of the program.")]
Reports = Annotated[
    str, typer.Option("--reports", envvar=ENV_REPORTS, help="Name of the stage's bucket for reports.", show_envvar=True)
]
_ACTOR: Final = "operator"
_OUTCOMES: Final = frozenset({"quiet", "proposed", "on_hold", "restricted", "erasure_open"})


@app.callback()
def privacy() -> None:
    """Members who were erased, and are to stay so; members of whom nothing was heard for long."""


@app.command()
def erasure(
    member: Annotated[str, typer.Argument(help="Id of the member.")],
    *,
    table: TableName,
    program: ProgramId,
    json: AsJson = False,
) -> None:
    """Say where the erasure of a member stands. Exit code 1 where nobody asked for one, or it was stopped."""
    found = ErasureStore(open_table(table)).get(program, member)
    if found is None:
        raise ErasureNotFound.of(member)
    told = {
        "member_id": member,
        "status": found.status.value,
        "reason": found.reason.value,
        "asked_at": to_text(found.asked_at),
        "begun_at": to_text(found.begun_at) if found.begun_at else None,
        "erased_at": to_text(found.erased_at) if found.erased_at else None,
        "problem": found.problem,
    }
    if json:
        print_json(told)
    else:
        out.print(", ".join(f"{name}: {value}" for name, value in told.items() if value is not None))
    if found.problem is not None:
        raise SystemExit(1)


@app.command()
def reapply(
    *,
    table: TableName,
    reports: Reports,
    program: ProgramId,
    json: AsJson = False,
) -> None:
    """Erase again, in a table that was restored from a backup, whoever was erased before or after that moment.

    Who they were, the bucket says, by ids alone. Safe at any time and again: who is erased stays so. Exit code 1 where somebody
    could not be: it says who and why.
    """
    opened = open_table(table)
    files, current = Bucket(reports, boto3.client("s3")), ProgramStore(opened, system_clock).current(program)
    erasing, by = _erasing(opened, files), Asked(_ACTOR, origin.current().by)
    done, unknown, blocked = 0, 0, dict[str, str]()
    for key in files.keys(f"{NOTES}/{program}/"):
        member_id = key.rpartition("/")[2].removesuffix(".json")
        try:
            erasing.restore(current, member_id, by)
        except MemberNotFound:
            unknown += 1  # they enrolled after the moment of the backup
        except LoyaltyError as refusal:  # whoever comes after is erased all the same
            blocked[member_id] = refusal.detail
        except ErasureIncomplete as error:
            blocked[member_id] = str(error)
        else:
            done += 1
            err.print(f"{member_id} is erased")
    if json:
        print_json({"program": program, "erased": done, "unknown": unknown, "blocked": blocked})
    else:
        out.print(f"{done} members are erased; {unknown} are not in this table.")
        for member_id, detail in blocked.items():
            out.print(f"{member_id}: {detail}")
    if blocked:
        fail(f"{len(blocked)} members could not be erased: mend what is said of each, and do it again.")


@app.command()
def inactive(
    *,
    table: TableName,
    reports: Reports,
    program: ProgramId,
    months: Annotated[int, typer.Option(min=1, max=600, help="For how many months nothing was heard of them.")],
    propose: Annotated[
        bool,
        typer.Option("--propose", help="Propose to erase them. Nothing is erased until another person approves each."),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Members, at most.")] = 100,
    json: AsJson = False,
) -> None:
    """List members who neither did nor said anything for so many months; it reads every member of the program.

    Whoever is on hold or restricted, or whose erasure is open, is listed and never proposed. Exit code 1 where somebody could not be
    proposed: it says who and why.
    """
    opened = open_table(table)
    by = Asked(known_operator(), None) if propose else None
    current = ProgramStore(opened, system_clock).current(program)
    quiet = Inactivity(opened, system_clock)
    since = quiet.since(current, months)
    walked = (one for one in quiet.members(current, since) if by is None or one.kept_for is None)
    found = list(islice(walked, limit + 1))
    listed, more = found[:limit], len(found) > limit
    erasing = _erasing(opened, Bucket(reports, boto3.client("s3")))
    told = [{**_told(one), "outcome": _outcome(erasing, current, one, by)} for one in listed]
    blocked = sum(one["outcome"] not in _OUTCOMES for one in told)
    if json:
        print_json({"program": program, "since": to_text(since), "members": told, "more": more})
    else:
        _print(told, program, to_text(since))
        if more:
            out.print("There are more: propose these, or give a higher --limit.")
    if blocked:
        fail(f"{blocked} members could not be proposed: mend what is said of each, and do it again.")


def _told(one: Quiet) -> dict[str, Any]:
    return {"member_id": one.member_id, "last_sign_at": to_text(one.last_sign_at), "points": one.points}


def _outcome(erasing: Erasing, program: Program, one: Quiet, by: Asked | None) -> str:
    """What became of a member: a word of :data:`_OUTCOMES`, or why they could not be proposed."""
    if by is None:
        return one.kept_for or "quiet"
    try:
        erasing.propose(program, one.member_id, by)
    except LoyaltyError as refusal:  # whoever comes after is proposed all the same
        return refusal.detail
    return "proposed"


def _print(told: list[dict[str, Any]], program: str, since: str) -> None:
    if not told:
        out.print(f"Of each member of '{program}' something was heard since {since}.")
        return
    out.print(f"Nothing was heard since {since} of:")
    columns = listing("member", "last sign (UTC)", "points", "")
    for one in told:
        columns.add_row(one["member_id"], one["last_sign_at"], str(one["points"]), one["outcome"].replace("_", " "))
    out.print(columns)
    if any(one["outcome"] == "proposed" for one in told):
        out.print("Another person decides on each: POST …/members/{member_id}/erasure/approve, or reject.")


def _erasing(table: Table, files: Bucket) -> Erasing:
    store, books = ErasureStore(table), LedgerStore(table)
    steps = ErasureSteps(
        store=store,
        ledger=Ledger(table, system_clock),
        books=books,
        households=HouseholdService(HouseholdStore(table), system_clock),
        screening=Memory(table, system_clock),
        files=files,
        clock=system_clock,
    )
    return Erasing(store=store, books=books, steps=steps, clock=system_clock)
