"""``loyalty card``: who looked at a delivered gift card or code. What it is, no command shows."""

from typing import Annotated

import typer
from rich.table import Table as Columns

from loyalty.cli.console import AsJson, TableName, open_table, out, print_json
from loyalty.core.clock import to_text
from loyalty.vault.store import CardStore

app = typer.Typer(no_args_is_help=True)


@app.callback()
def cards() -> None:
    """Delivered gift cards and codes."""


@app.command()
def accesses(
    redemption: Annotated[str, typer.Argument(help="Id of the redemption.")],
    *,
    table: TableName,
    program: Annotated[str, typer.Option(help="Id of the program.")],
    json: AsJson = False,
) -> None:
    """List who revealed the card of a redemption, or sent word of it anew, and when (UTC). The register has no gaps."""
    found = list(CardStore(open_table(table)).accesses(program, redemption))
    if json:
        print_json(
            [
                {
                    "number": one.number,
                    "at": to_text(one.at),
                    "kind": one.kind,
                    "client_id": one.client_id,
                    "card": one.card,
                }
                for one in found
            ]
        )
        return
    if not found:
        out.print(f"Nobody has looked at the card of {redemption}.")
        return
    columns = Columns("#", "at (UTC)", "what", "client", "card", box=None)
    for one in found:
        columns.add_row(str(one.number), to_text(one.at), one.kind, one.client_id, str(one.card))
    out.print(columns)
