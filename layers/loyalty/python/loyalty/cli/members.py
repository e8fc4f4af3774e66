"""``loyalty members``: what concerns all members of a program."""

from typing import Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from loyalty.cli.console import AsJson, TableName, err, open_table, out, print_json, require_program
from loyalty.ledger.store import LedgerStore

app = typer.Typer(no_args_is_help=True)


@app.callback()
def members() -> None:
    """All members of a program."""


@app.command()
def index(
    *,
    table: TableName,
    program: Annotated[str, typer.Option(help="Id of the program.")],
    json: AsJson = False,
) -> None:
    """Put members into the index of members whose wallets are from before there was one.

    Once, after the deployment that brought the index: until then nothing that goes through all members meets those of
    whom nothing was posted since. Safe at any time and again; it reads the whole table.
    """
    opened = open_table(table)
    require_program(opened, program)
    store, listed = LedgerStore(opened), 0
    with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True) as progress:
        task = progress.add_task("reading the table", total=None)
        for member_id in store.unlisted(program):
            # False: something was posted to them meanwhile, or they were merged.
            listed += store.list_member(program, member_id)
            progress.update(task, description=f"{listed:,} members put into the index")
    if json:
        print_json({"program": program, "listed": listed})
    else:
        out.print(f"[bold green]✓[/] {listed:,} members put into the index; all others are there.")
