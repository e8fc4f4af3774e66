"""``loyalty person``: people who sign in to the console."""

import re
import secrets
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import ClientError

from loyalty.cli.console import AsJson, TableName, fail, listing, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.people.model import PERSON_PATTERN
from loyalty.people.store import PersonStore
from loyalty.programs.store import ProgramStore

app = typer.Typer(no_args_is_help=True)

PeoplePool = Annotated[
    str, typer.Option("--people-pool", envvar="LOYALTY_PEOPLE_POOL", help="Id of the stage's user pool of people.")
]
PersonId = Annotated[str, typer.Argument(help="Your own id of the person, such as staff-17; no name or address.")]


def user_pools() -> Any:
    """The client of user pools, in the account, region and endpoint of the environment."""
    return boto3.client("cognito-idp")


@app.command()
def add(
    person: PersonId,
    email: Annotated[str, typer.Argument(help="Where the invitation goes; they sign in with it, or with their id.")],
    *,
    program: Annotated[list[str], typer.Option("--program", help="A program that they see; repeat for more.")],
    approver: Annotated[bool, typer.Option("--approver", help="They decide about runs of these programs too.")] = False,
    suppliers: Annotated[
        bool,
        typer.Option("--suppliers", help="They see suppliers' figures of all programs, and differences of no program."),
    ] = False,
    table: TableName,
    people_pool: PeoplePool,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Take a permanent password from standard input; send no invitation."),
    ] = False,
) -> None:
    """Let a person sign in, and say what they see, in place of what was said before. A disabled one is back."""
    if not re.fullmatch(PERSON_PATTERN, person):
        fail(
            "A person's id has small letters, digits, dots, dashes and underscores, and begins with a letter or digit."
        )
    opened = open_table(table)
    programs = ProgramStore(opened, system_clock)
    for name in program:
        programs.current(name)
    _require_own_email(people_pool, person, email)
    _account(people_pool, person, email, sys.stdin.read().strip() if password_stdin else None)
    chosen = set(program)
    PersonStore(opened, system_clock).add(person, chosen, chosen if approver else set(), suppliers=suppliers)
    does = "sees and decides about" if approver else "sees"
    out.print(f"[bold green]✓[/] {person} {does} {', '.join(sorted(chosen))}.")


@app.command("list")
def list_(*, table: TableName, people_pool: PeoplePool, json: AsJson = False) -> None:
    """List who has an account, with what they see, and whether they are shut out."""
    store = PersonStore(open_table(table), system_clock)
    found = [
        {
            "id": user["Username"],
            "email": _email_of(user),
            "programs": sorted(person.programs) if person else [],
            "approves": sorted(person.approves) if person else [],
            "disabled": not user["Enabled"] or person is None or person.disabled_at is not None,
        }
        for user in _users(people_pool)
        for person in [store.find(user["Username"])]
    ]
    found.sort(key=lambda one: str(one["id"]))
    if json:
        print_json(found)
        return
    columns = listing("person", "e-mail", "sees", "decides about", "")
    for one in found:
        words = [", ".join(one[key]) or "-" for key in ("programs", "approves")]
        columns.add_row(one["id"], one["email"], *words, "shut out" if one["disabled"] else "")
    out.print(columns)


@app.command()
def disable(person: PersonId, *, table: TableName, people_pool: PeoplePool) -> None:
    """Shut a person out: from the console at their next request, and from signing in. What they decided stays."""
    PersonStore(open_table(table), system_clock).disable(person)
    client = user_pools()
    client.admin_disable_user(UserPoolId=people_pool, Username=person)
    client.admin_user_global_sign_out(UserPoolId=people_pool, Username=person)
    out.print(f"[bold green]✓[/] {person} is shut out.")


def _users(pool: str, **only: str) -> Iterator[dict[str, Any]]:
    """Every account of the pool, page after page."""
    client, more = user_pools(), dict[str, str]()
    while True:
        answer = client.list_users(UserPoolId=pool, **only, **more)
        yield from answer["Users"]
        if not answer.get("PaginationToken"):
            return
        more = {"PaginationToken": answer["PaginationToken"]}


def _email_of(user: dict[str, Any]) -> str:
    return next((one["Value"] for one in user.get("Attributes", ()) if one["Name"] == "email"), "")


def _require_own_email(pool: str, person: str, email: str) -> None:
    """People sign in with their address: of two who have one, nobody could say who comes."""
    if not re.fullmatch(r"[^\s@\"\\]+@[^\s@\"\\]+", email):
        fail(f"'{email}' is no e-mail address.")
    others = [one["Username"] for one in _users(pool, Filter=f'email = "{email}"') if one["Username"] != person]
    if others:
        fail(f"{email} is the address of {', '.join(others)}: give {person} another, or add {others[0]} again.")


def _account(pool: str, person: str, email: str, password: str | None) -> None:
    """The person's account in the user pool: made, or enabled again."""
    client = user_pools()
    attributes: Any = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    # The first password is made here: a pool's own need not fit its own policy everywhere. It travels in the invitation.
    first = password or f"Aa1!{secrets.token_urlsafe(15)}"
    told: Any = {"DesiredDeliveryMediums": ["EMAIL"]} if password is None else {"MessageAction": "SUPPRESS"}
    try:
        client.admin_create_user(
            UserPoolId=pool, Username=person, UserAttributes=attributes, TemporaryPassword=first, **told
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "UsernameExistsException":
            raise
        client.admin_update_user_attributes(UserPoolId=pool, Username=person, UserAttributes=attributes)
        client.admin_enable_user(UserPoolId=pool, Username=person)
    if password is not None:
        client.admin_set_user_password(UserPoolId=pool, Username=person, Password=password, Permanent=True)
