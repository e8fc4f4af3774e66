"""``loyalty program``: validate, diff, publish, roll back, unschedule, versions, show; see ``simulating`` for simulate."""

import getpass
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.markup import escape

from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out, print_json
from loyalty.cli.documents import Source, read_source
from loyalty.cli.program_words import lines
from loyalty.core.clock import system_clock, to_text
from loyalty.core.errors import ProgramNotFound
from loyalty.core.fields import UtcDatetime
from loyalty.core.table import Table
from loyalty.programs.checking import Finding
from loyalty.programs.diff import Change
from loyalty.programs.diff import diff as difference
from loyalty.programs.drafts import DraftStore
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.publication import MAX_COMMENT, Proposal, State, Version, require_version
from loyalty.programs.validation import Assessment, assess, pointer
from loyalty.programs.versions import VersionStore
from loyalty.programs.views import change_view, status_of, version_view

app = typer.Typer(no_args_is_help=True)
_ME = getpass.getuser()

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The program document: JSON or YAML.")]
Actor = Annotated[str, typer.Option(help="Who does it; kept with the version.")]
Comment = Annotated[str | None, typer.Option(help="Why; kept with the version.")]
Replace = Annotated[
    bool, typer.Option("--replace-scheduled", help="Instead of the version that is scheduled, if one is.")
]
Expected = Annotated[
    int | None, typer.Option(min=0, help="Only over this version; default: over whichever is in force.")
]
At = Annotated[
    str | None,
    typer.Option(help="When it comes into force, such as 2026-12-01T00:00:00+01:00; default: at once."),
]
_WHOLE: Any = TypeAdapter(UtcDatetime)


@app.command()
def validate(path: File, *, json: AsJson = False) -> None:
    """Say whether a program document is valid; if not, every reason, where, and what to do."""
    source = read_source(path)
    assessment = assess(source.content, system_clock())
    if json:
        print_json(
            {
                "valid": assessment.publishable is not None,
                "program": assessment.document.id if assessment.document else None,
                "errors": [_finding(source, one) for one in assessment.findings.errors],
                "warnings": [_finding(source, one) for one in assessment.findings.warnings],
            }
        )
        raise typer.Exit(0 if assessment.publishable else 1)
    document = valid_document(source, assessment)
    out.print(f"[bold green]✓[/] {path} is a valid document of program '{document.id}'.", soft_wrap=True)


@app.command()
def diff(
    subject: Annotated[str, typer.Argument(help="A program document, or the id of a program.")],
    before: Annotated[int | None, typer.Argument(help="The version to compare; default: the one in force.")] = None,
    after: Annotated[int | None, typer.Argument(help="With which other version, where no document is named.")] = None,
    *,
    table: TableName,
    json: AsJson = False,
) -> None:
    """Say what a document changes, or what one version says otherwise than another."""
    service = lifecycle(open_table(table))
    if Path(subject).is_file():
        then = read_document(Path(subject))
        program = then.id
    else:
        program = subject
        if after is None:
            fail(f"There is no file '{subject}'; name one, or the id of a program and two of its versions.")
        then = service.version(program, after).program.document
    first = service.version(program, before) if before is not None else service.state(program).in_force
    if first is None:
        raise ProgramNotFound(f"Nothing was published of program '{program}' yet.")
    changes = difference(first.program.document, then)
    if json:
        print_json([change_view(one).model_dump() for one in changes])
    else:
        out.print(f"'{program}', compared with version {first.number}:")
        _print_changes(changes)


@app.command()
def publish(
    path: File,
    *,
    table: TableName,
    expected_version: Expected = None,
    at: At = None,
    comment: Comment = None,
    replace_scheduled: Replace = False,
    actor: Actor = _ME,
) -> None:
    """Make a document the program's next version: in force from now on, or from a moment on.

    One that is in force already stays. A program keeps its time zone, its wallets and their currencies. Running functions
    follow within a minute.
    """
    source = read_source(path)
    document = valid_document(source, assess(source.content, system_clock()))
    service = lifecycle(open_table(table))
    state, moment, why = service.state(document.id), moment_of(at), _comment(comment)
    if expected_version is not None:
        require_version(document.id, state, expected_version)
    if not replace_scheduled and _is_so_already(state, document, moment):
        return
    before = state.in_force.program if state.in_force else None
    if before is not None:
        _print_changes(difference(before.document, document))
    proposal = Proposal(document, actor, why, moment, replace_scheduled)
    version = service.publish(proposal, expected_version=state.number)
    print_published(document.id, version, moment)
    if before is not None and _warns_earlier(before, version.program):
        out.print(
            "It warns of points about to expire earlier than before. Members hear of it with their next posting; to "
            f"warn all of them, once: [bold]loyalty settle --program {document.id} --everybody[/]"
        )


@app.command()
def rollback(
    program: str,
    version: Annotated[int, typer.Argument(min=1, help="The version whose document is to be in force again.")],
    *,
    table: TableName,
    expected_version: Expected = None,
    at: At = None,
    comment: Comment = None,
    replace_scheduled: Replace = False,
    actor: Actor = _ME,
) -> None:
    """Publish the document of an older version again, as the next one."""
    service = lifecycle(open_table(table))
    state, moment = service.state(program), moment_of(at)
    if expected_version is not None:
        require_version(program, state, expected_version)
    old = service.version(program, version)
    if state.in_force is not None:
        _print_changes(difference(state.in_force.program.document, old.program.document))
    new = service.roll_back(
        program,
        version,
        actor,
        revision=state.revision,
        comment=_comment(comment),
        effective_at=moment,
        replace_scheduled=replace_scheduled,
    )
    print_published(program, new, moment)


@app.command()
def unschedule(program: str, table: TableName, actor: Actor = _ME) -> None:
    """Take back the version that is scheduled; it never comes into force."""
    service = lifecycle(open_table(table))
    gone = service.unschedule(program, actor, revision=service.state(program).revision)
    out.print(f"[bold green]✓[/] version {gone.number} of '{program}' does not come into force.")


@app.command()
def versions(
    program: str,
    *,
    table: TableName,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
    json: AsJson = False,
) -> None:
    """List a program's versions: who published each, when, why, and what it changed."""
    service = lifecycle(open_table(table))
    state, found = service.state(program), service.versions(program, limit=limit).versions
    if json:
        print_json([version_view(one, state).model_dump() for one in found])
        return
    for one in found:
        told = f": {escape(one.comment)}" if one.comment else ""
        out.print(
            f"{one.number:>5}  {status_of(one, state).replace('_', ' '):<10}  from {to_text(one.effective_at)}  "
            f"by {one.published_by}{told}"
        )
        taken = f"back to version {one.rolled_back_to}; " if one.rolled_back_to else ""
        out.print(f"       {taken}{escape(one.changes or 'published before changes were told')}")


@app.command()
def show(
    program: str,
    *,
    table: TableName,
    version: Annotated[int | None, typer.Option(min=1, help="Which one; default: the one in force.")] = None,
    json: AsJson = False,
) -> None:
    """Print a version of a program."""
    service = lifecycle(open_table(table))
    kept = service.version(program, version) if version is not None else service.state(program).in_force
    if kept is None:
        raise ProgramNotFound(f"Nothing was published of program '{program}' yet.")
    found = kept.program
    if json:
        print_json(found.model_dump(mode="json"))
        return
    document = found.document
    out.print(f"{document.name} ('{program}'), version {found.version}, {document.time_zone}")
    for what, text in lines(document):
        out.print(f"  {what:<10}  {escape(text)}")


def lifecycle(table: Table) -> ProgramLifecycle:
    """Programs and their drafts in a table."""
    return ProgramLifecycle(DraftStore(table), VersionStore(table, system_clock), system_clock)


def read_document(path: Path) -> ProgramDocument:
    """The document in a file; ends the command with every error where there are any."""
    source = read_source(path)
    return valid_document(source, assess(source.content, system_clock()))


def valid_document(source: Source, assessment: Assessment) -> ProgramDocument:
    """The document, its warnings printed; ends the command with every error where there are any."""
    document, errors = assessment.publishable, assessment.findings.errors
    if document is None:
        fail(f"{source.path} is not a valid program:\n{_listed(source, errors)}")
    if assessment.findings.warnings:
        err.print(f"[bold yellow]![/] {source.path}:", soft_wrap=True)
        err.print(_listed(source, assessment.findings.warnings), soft_wrap=True)
    return document


def _listed(source: Source, findings: Iterable[Finding]) -> str:
    told = []
    for one in findings:
        line = source.line(one.path)
        told.append(f"  {f'line {line}: ' if line else ''}{one.path or '(document)'}: {one.message}")
    return escape("\n".join(told))


def _finding(source: Source, finding: Finding) -> dict[str, Any]:
    return {"pointer": pointer(finding), "line": source.line(finding.path), "message": finding.message}


def moment_of(text: str | None) -> datetime | None:
    """The moment that somebody wrote; ends the command where it is none."""
    if text is None:
        return None
    try:
        moment: datetime = _WHOLE.validate_python(text)
    except ValidationError:
        fail(f"'{text}' is not a moment; write it with its offset, such as 2026-12-01T00:00:00+01:00.")
    return moment


def _comment(text: str | None) -> str | None:
    if text is not None and len(text) > MAX_COMMENT:
        fail(f"A comment has {MAX_COMMENT} characters at most.")
    return text


def _is_so_already(state: State, document: ProgramDocument, at: datetime | None) -> bool:
    """Whether the document is in force, or scheduled for that very moment; then it is said so."""
    current, scheduled = state.in_force, state.scheduled
    if at is None and current is not None and current.program.document == document:
        then = f" Version {scheduled.number} is scheduled for {to_text(scheduled.effective_at)}." if scheduled else ""
        out.print(f"[bold green]✓[/] '{document.id}' is at version {current.number} already.{then}")
        return True
    if scheduled is not None and scheduled.effective_at == at and scheduled.program.document == document:
        out.print(f"[bold green]✓[/] version {scheduled.number} of '{document.id}' is scheduled for then already.")
        return True
    return False


def _print_changes(changes: Sequence[Change]) -> None:
    for change in changes:
        out.print(f"  {escape(change.text)}", soft_wrap=True)
    if not changes:
        out.print("  no change")


def print_published(program: str, version: Version, at: datetime | None) -> None:
    """Says which version it is, and from when on."""
    if at is None:
        out.print(f"[bold green]✓[/] '{program}' is at version {version.number}.")
    else:
        when = f"is scheduled for {to_text(version.effective_at)}"
        out.print(f"[bold green]✓[/] version {version.number} of '{program}' {when}.")


def _warns_earlier(before: Program, after: Program) -> bool:
    """Whether any wallet's points are warned of sooner: books are in the due index for the warnings that they knew."""
    return any(
        max(terms.warn_days, default=0) > max(before.scope.terms[wallet].warn_days, default=0)
        for wallet, terms in after.scope.terms.items()
        if wallet in before.scope.terms
    )
