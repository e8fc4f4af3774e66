"""``loyalty risk``: members who show signs of abuse, and who decided what about them."""

from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from loyalty.abuse.cases import CaseService
from loyalty.abuse.model import Case, Person, State
from loyalty.abuse.store import RiskStore
from loyalty.abuse.views import Reason, RiskCaseView
from loyalty.cli.console import AsJson, TableName, listing, open_table, out, print_json, require_program
from loyalty.cli.operators import known_operator
from loyalty.core.clock import system_clock, to_text
from loyalty.programs.store import ProgramStore

app = typer.Typer(no_args_is_help=True)

Member = Annotated[str, typer.Argument(help="Id of the member.")]
ProgramId = Annotated[str, typer.Option("--program", help="Id of the program.")]
_REASON: TypeAdapter[str] = TypeAdapter(Reason)
Why = Annotated[str, typer.Option("--reason", help="Why, as a code of your own: called_back. No personal data.")]


@app.callback()
def risk() -> None:
    """Members who show signs of abuse."""


@app.command("list")
def list_(
    *,
    table: TableName,
    program: ProgramId,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Cases, at most.")] = 100,
    json: AsJson = False,
) -> None:
    """List the open cases of a program, the oldest first."""
    opened = open_table(table)
    require_program(opened, program)
    page = RiskStore(opened).page(program, limit=limit)
    cases = [case for case in page.items if case.state is State.OPEN]
    if json:
        print_json({"items": [_document(case) for case in cases], "more": page.next is not None})
        return
    if not cases:
        out.print("No case is open.")
        return
    columns = listing("member", "opened at (UTC)", "severity", "on hold", "signals")
    for case in cases:
        signals = ", ".join(one.signal for one in case.evidence)
        opened_at = f"{case.opened_at:%Y-%m-%d %H:%M}"
        columns.add_row(case.member_id, opened_at, case.severity, "yes" if case.on_hold else "no", signals)
    out.print(columns)
    if page.next is not None:
        out.print("There are more; --limit shows up to 100.")


@app.command()
def show(member: Member, *, table: TableName, program: ProgramId, json: AsJson = False) -> None:
    """Print what is held against a member, with the evidence of each sign."""
    _show(CaseService(open_table(table), system_clock).get(program, member), json=json)


@app.command()
def hold(member: Member, *, table: TableName, program: ProgramId, reason: Why, json: AsJson = False) -> None:
    """Put a member on hold by hand: no redemption, transfer or pool until somebody releases them."""
    by = Person(known_operator())
    case = CaseService(open_table(table), system_clock).hold(program, member, by, _code(reason))
    _show(case, json=json)


@app.command()
def release(member: Member, *, table: TableName, program: ProgramId, reason: Why, json: AsJson = False) -> None:
    """Release a member, or where the program wants two people, ask for it; another person's release agrees."""
    opened, by = open_table(table), Person(known_operator())
    two = ProgramStore(opened, system_clock).current(program).document.four_eyes.releases
    case = CaseService(opened, system_clock).release(program, member, by, _code(reason), second_person=two)
    _show(case, json=json)


@app.command()
def confirm(member: Member, *, table: TableName, program: ProgramId, reason: Why, json: AsJson = False) -> None:
    """Say that it is abuse: the member stays on hold, or is put on it, and the case is not listed any more."""
    by = Person(known_operator())
    case = CaseService(open_table(table), system_clock).confirm(program, member, by, _code(reason))
    _show(case, json=json)


def _code(text: str) -> str:
    try:
        return _REASON.validate_python(text)
    except ValidationError:
        raise typer.BadParameter("Give a code: small letters, digits, - and _.", param_hint="--reason") from None


def _document(case: Case) -> dict[str, Any]:
    return RiskCaseView.of(case).model_dump(mode="json")


def _show(case: Case, *, json: bool) -> None:
    if json:
        print_json(_document(case))
        return
    hold = "on hold" if case.on_hold else "not on hold"
    out.print(f"{case.member_id}: {case.state}, {hold}; opened at {to_text(case.opened_at)}")
    for one in case.evidence:
        out.print(f"  {one.signal}: {one.counted} of {one.bound}, {to_text(one.since)} to {to_text(one.until)}")
        for reference in one.references:
            out.print(f"    {reference}")
    for what, decided in (("held", case.held), ("release asked for", case.proposed), (case.state, case.decided)):
        if decided is not None:
            out.print(f"  {what} by {decided.by.actor} at {to_text(decided.at)}: {decided.reason}")
    if case.proposed is not None:
        out.print("[bold yellow]![/] Another person has to agree: the member is on hold until then.")
