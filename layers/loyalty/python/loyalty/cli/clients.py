"""``loyalty client``: OAuth2 clients of partner apps."""

from datetime import datetime
from typing import Annotated, Any, Final

import boto3
import typer
from rich.table import Table as Columns

from loyalty.cli.console import AsJson, TableName, listing, open_table, out, print_json
from loyalty.clients.model import Client
from loyalty.clients.plans import Plans
from loyalty.clients.pool import Made, UserPool
from loyalty.clients.service import Clients, require_scopes
from loyalty.clients.store import ClientStore
from loyalty.core.clock import system_clock, to_text
from loyalty.programs.store import ProgramStore
from loyalty_contract import SCOPES, STAFF_SCOPES

app = typer.Typer(no_args_is_help=True)
secret = typer.Typer(no_args_is_help=True)
app.add_typer(secret, name="secret", help="Secrets of a client: two may be good at once, for a change without a pause.")

Programs = Annotated[list[str], typer.Option("--program", help="A program that it may speak for; repeat for more.")]
Unpublished = Annotated[
    bool, typer.Option("--unpublished", help="Also for programs that have no version yet: it may publish their first.")
]
Pool = Annotated[str, typer.Option(envvar="LOYALTY_USER_POOL", help="Id of the stage's Cognito user pool.")]
Stage = Annotated[
    str, typer.Option(envvar="LOYALTY_STAGE", help="Name of the stage, by which its usage plans are found.")
]
_OF_TOKENS: Final = "those of its tokens"
_SHARED: Final = "(shared)"


def service(client_name: str) -> Any:
    """A client of an AWS service, in the account, region and endpoint of the environment."""
    return boto3.client(client_name)  # type: ignore[call-overload]


def _clients(table: str, user_pool: str, stage: str = "") -> Clients:
    store = ClientStore(open_table(table), system_clock)
    return Clients(store, UserPool(service("cognito-idp"), user_pool), Plans(service("apigateway"), stage))


@app.command()
def bind(
    client_id: str, program: Programs, table: TableName, user_pool: Pool, *, unpublished: Unpublished = False
) -> None:
    """Say which programs a client may speak for, in place of what was said before."""
    _require_published(ProgramStore(open_table(table), system_clock), program, unpublished=unpublished)
    _clients(table, user_pool).bind(client_id, set(program))
    out.print(f"[bold green]✓[/] {client_id} speaks for {', '.join(sorted(set(program)))}.")


@app.command()
def create(
    name: str,
    *,
    program: Programs,
    table: TableName,
    user_pool: Pool,
    stage: Stage,
    plan: Annotated[str, typer.Option(help="The usage plan: how many requests it may send.")] = "standard",
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope, such as wallet.read; default: all but those of staff tools.")
    ] = None,
    unpublished: Unpublished = False,
    json: AsJson = False,
) -> None:
    """Create a confidential client (client credentials), bind it, and print its id and secret once."""
    scopes = set(scope or set(SCOPES) - STAFF_SCOPES)
    require_scopes(scopes)
    _require_published(ProgramStore(open_table(table), system_clock), program, unpublished=unpublished)
    made = _clients(table, user_pool, stage).create(name, set(program), scopes, plan)
    if json:
        print_json({"client_id": made.client_id, "client_secret": made.secret, "scopes": sorted(scopes), "plan": plan})
        return
    out.print(f"[bold green]✓[/] client '{name}' speaks for {', '.join(program)}, in the plan '{plan}'")
    _print_secret(made)


@app.command("list")
def list_(*, table: TableName, user_pool: Pool, json: AsJson = False) -> None:
    """List every client, with what it may do."""
    found = _clients(table, user_pool).listed()
    if json:
        print_json([{"client_id": one.id, "name": one.name} | _facts(one.client) for one in found])
        return
    columns = listing("client", "name", "programs", "plan", "scopes", "")
    for one in found:
        facts = _facts(one.client)
        state = "not registered" if one.client is None else "shut out" if one.client.disabled else ""
        scopes = _OF_TOKENS if facts["scopes"] is None else str(len(facts["scopes"]))
        columns.add_row(one.id, one.name, ", ".join(facts["programs"]), facts["plan"] or _SHARED, scopes, state)
    out.print(columns)


@app.command()
def show(client_id: str, *, table: TableName, user_pool: Pool, json: AsJson = False) -> None:
    """Show what a client may do, and how old its secrets are. A secret itself is never shown again."""
    client = _clients(table, user_pool).show(client_id)
    facts = {"client_id": client.id, "name": client.name} | _facts(client)
    if json:
        print_json(facts)
        return
    unsaid = {
        "name": "loyalty client list tells it",
        "scopes": _OF_TOKENS,
        "plan": _SHARED,
        "secrets": "loyalty client secret list tells them",
    }
    columns = Columns(show_header=False, box=None)
    columns.add_column(no_wrap=True)
    columns.add_column(overflow="fold")
    for name, value in facts.items():
        columns.add_row(name, _in_words(value) or unsaid.get(name, "-"))
    out.print(columns)


@app.command()
def scopes(
    client_id: str,
    *,
    scope: Annotated[list[str], typer.Option(help="A scope that it has from now on; repeat for more.")],
    table: TableName,
    user_pool: Pool,
) -> None:
    """Say which scopes a client has, in place of what was said before. It holds for tokens that it has, too."""
    client = _clients(table, user_pool).limit(client_id, set(scope))
    out.print(f"[bold green]✓[/] {client_id} has {', '.join(sorted(client.scopes or ()))}, within half a minute.")


@app.command()
def plan(client_id: str, name: str, *, table: TableName, user_pool: Pool, stage: Stage) -> None:
    """Put a client into another usage plan of the stage."""
    _clients(table, user_pool, stage).assign(client_id, name)
    out.print(f"[bold green]✓[/] {client_id} is in the plan '{name}'.")


@app.command()
def disable(client_id: str, *, table: TableName, user_pool: Pool) -> None:
    """Shut a client out: from the API within half a minute, whatever tokens it has, and from new tokens at once."""
    _clients(table, user_pool).disable(client_id)
    out.print(f"[bold green]✓[/] {client_id} is shut out, of every route within 30 seconds.")


@app.command()
def enable(client_id: str, *, table: TableName, user_pool: Pool) -> None:
    """Let a client in again, with the scopes and secrets that it had. After a leak, change the secret first."""
    _clients(table, user_pool).enable(client_id)
    out.print(f"[bold green]✓[/] {client_id} is let in.")


@secret.command("add")
def add_secret(client_id: str, *, table: TableName, user_pool: Pool, json: AsJson = False) -> None:
    """Make another secret, which is good beside the one that there is, and print it once."""
    made = _clients(table, user_pool).add_secret(client_id)
    if json:
        print_json({"client_id": client_id, "secret_id": made.secret_id, "client_secret": made.secret})
        return
    out.print(f"[bold green]✓[/] {client_id} has another secret; the one before is good until it is removed.")
    _print_secret(made)


@secret.command("list")
def list_secrets(client_id: str, *, table: TableName, user_pool: Pool, json: AsJson = False) -> None:
    """List the ids of a client's secrets, and since when each is good. The secrets themselves are not shown."""
    client = _clients(table, user_pool).secrets(client_id)
    if json:
        print_json([{"secret_id": name, "made_at": to_text(made)} for name, made in _oldest_first(client)])
        return
    columns = listing("secret", "made at", "days")
    for name, made in _oldest_first(client):
        columns.add_row(name, to_text(made), str((system_clock() - made).days))
    out.print(columns)


@secret.command("remove")
def remove_secret(client_id: str, secret_id: str, *, table: TableName, user_pool: Pool) -> None:
    """Make a secret void: no token is given for it any more. The last one stays; disable the client instead."""
    _clients(table, user_pool).remove_secret(client_id, secret_id)
    out.print(f"[bold green]✓[/] {secret_id} is void. Tokens that were got with it end within the hour.")


def _print_secret(made: Made) -> None:
    out.print(f"  client_id      {made.client_id}\n  secret_id      {made.secret_id}\n  client_secret  {made.secret}")
    out.print("  The secret is not shown again; keep it where secrets are kept.")


def _oldest_first(client: Client) -> list[tuple[str, datetime]]:
    return sorted(client.secrets.items(), key=lambda one: one[1])


def _facts(client: Client | None) -> dict[str, Any]:
    known = client or Client("", frozenset(), system_clock())
    return {
        "registered": client is not None,
        "programs": sorted(known.programs),
        "scopes": None if known.scopes is None else sorted(known.scopes),
        "plan": known.plan,
        "created_at": to_text(known.created_at) if known.created_at else None,
        "disabled_at": to_text(known.disabled_at) if known.disabled_at else None,
        "secrets": {name: to_text(made) for name, made in _oldest_first(known)},
    }


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key} since {since}" for key, since in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else value or ""


def _require_published(store: ProgramStore, programs: list[str], *, unpublished: bool) -> None:
    """Before anything is made: a name that was mistyped binds a client to nothing.

    Raises:
        ProgramNotFound: one has no version, and nobody said that this is meant.
    """
    for name in programs if not unpublished else ():
        store.current(name)
