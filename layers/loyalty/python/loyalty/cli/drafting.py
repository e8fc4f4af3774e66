"""``loyalty program draft|publish-draft``: one prepares a version, another publishes it."""

import getpass
from typing import Annotated

import typer

from loyalty.cli.console import TableName, open_table, out
from loyalty.cli.operators import known_operator
from loyalty.cli.programs import Actor, At, Comment, File, Replace, lifecycle, moment_of, print_published, read_document
from loyalty.programs.writing import as_stored

_ME = getpass.getuser()


def draft(
    path: File,
    *,
    table: TableName,
    revision: Annotated[
        int | None, typer.Option(min=1, help="Of the draft that this one replaces; default: there is none yet.")
    ] = None,
    actor: Actor = _ME,
) -> None:
    """Save a document as the program's draft, for somebody else to publish. It follows the version in force."""
    document = read_document(path)
    service, through = lifecycle(open_table(table)), known_operator()
    based_on, text = service.state(document.id).number, as_stored(document)
    if revision is None:
        saved = service.begin(document.id, text, actor, based_on=based_on, through=through)
    else:
        saved = service.change(document.id, text, actor, revision=revision, based_on=based_on, through=through)
    which = f"{document.id} --revision {saved.draft.revision}"
    out.print(f"[bold green]✓[/] the draft of '{document.id}' is saved as revision {saved.draft.revision}.")
    out.print(f"Somebody else publishes it: [bold]loyalty program publish-draft {which}[/]", soft_wrap=True)


def publish_draft(
    program: str,
    *,
    table: TableName,
    revision: Annotated[int, typer.Option(min=1, help="Of the draft that was looked at.")],
    at: At = None,
    comment: Comment = None,
    replace_scheduled: Replace = False,
    actor: Actor = _ME,
) -> None:
    """Make the draft the program's next version; a program with four eyes for publishing wants another person than its author."""
    moment = moment_of(at)
    version = lifecycle(open_table(table)).publish_draft(
        program,
        actor,
        revision=revision,
        comment=comment,
        effective_at=moment,
        replace_scheduled=replace_scheduled,
        through=known_operator(),
    )
    print_published(program, version, moment)
