"""``loyalty client``: OAuth2 clients of partner apps."""

from typing import Annotated

import boto3
import typer

from loyalty.cli.console import AsJson, TableName, fail, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.programs.store import ProgramStore
from loyalty_contract import SCOPE_SERVER, SCOPES, STAFF_SCOPES

app = typer.Typer(no_args_is_help=True)

Programs = Annotated[list[str], typer.Option("--program", help="A program that it may speak for; repeat for more.")]
Unpublished = Annotated[
    bool, typer.Option("--unpublished", help="Also for programs that have no version yet: it may publish their first.")
]


@app.command()
def bind(
    client_id: str,
    program: Programs,
    table: TableName,
    *,
    unpublished: Unpublished = False,
) -> None:
    """Say which programs a client may speak for, in place of what was said before."""
    store = ProgramStore(open_table(table), system_clock)
    _require_published(store, program, unpublished=unpublished)
    store.bind_client(client_id, set(program))
    out.print(f"[bold green]✓[/] {client_id} speaks for {', '.join(sorted(set(program)))}.")


@app.command()
def create(
    name: str,
    *,
    program: Programs,
    table: TableName,
    user_pool: Annotated[str, typer.Option(envvar="LOYALTY_USER_POOL", help="Id of the stage's Cognito user pool.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope, such as wallet.read; default: all but those of staff tools.")
    ] = None,
    unpublished: Unpublished = False,
    json: AsJson = False,
) -> None:
    """Create a confidential client (client credentials), bind it, and print its id and secret once."""
    scopes = scope or sorted(set(SCOPES) - STAFF_SCOPES)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        fail(f"There is no scope {', '.join(unknown)}; there are {', '.join(sorted(SCOPES))}.")
    store = ProgramStore(open_table(table), system_clock)
    _require_published(store, program, unpublished=unpublished)
    answer = boto3.client("cognito-idp").create_user_pool_client(
        UserPoolId=user_pool,
        ClientName=name,
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=[f"{SCOPE_SERVER}/{one}" for one in scopes],
    )["UserPoolClient"]
    store.bind_client(answer["ClientId"], set(program))
    created = {"client_id": answer["ClientId"], "client_secret": answer["ClientSecret"], "scopes": scopes}
    if json:
        print_json(created)
    else:
        out.print(f"[bold green]✓[/] client '{name}' speaks for {', '.join(program)}")
        out.print(f"  client_id      {answer['ClientId']}\n  client_secret  {answer['ClientSecret']}")
        out.print("  The secret is not shown again; keep it where secrets are kept.")


def _require_published(store: ProgramStore, programs: list[str], *, unpublished: bool) -> None:
    """Before anything is made: a name that was mistyped binds a client to nothing.

    Raises:
        ProgramNotFound: one has no version, and nobody said that this is meant.
    """
    for name in programs if not unpublished else ():
        store.current(name)
