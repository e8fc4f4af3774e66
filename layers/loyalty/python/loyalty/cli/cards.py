"""``loyalty card``: who looked at a delivered gift card or code. What it is, no command shows."""

from typing import Annotated

import typer

from loyalty.cli.console import AsJson, TableName, fail, listing, open_table, out, print_json
from loyalty.core.clock import to_text
from loyalty.core.table import Table
from loyalty.fulfillment.errors import FulfillmentRunNotFound
from loyalty.fulfillment.runs import RunStore
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
    opened = open_table(table)
    cards = CardStore(opened)
    found = list(cards.accesses(program, redemption))
    if not found and cards.get(program, redemption) is None:
        _require_run(opened, program, redemption)
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
    columns = listing("#", "at (UTC)", "what", "client", "card")
    for one in found:
        columns.add_row(str(one.number), to_text(one.at), one.kind, one.client_id, str(one.card))
    out.print(columns)


def _require_run(table: Table, program: str, redemption: str) -> None:
    """A redemption without a delivered card has a run, or is none that a card was ever asked for."""
    try:
        RunStore(table).get(program, redemption)
    except FulfillmentRunNotFound:
        fail(f"Program '{program}' has no redemption '{redemption}' with a card or code, delivered or on its way.")
