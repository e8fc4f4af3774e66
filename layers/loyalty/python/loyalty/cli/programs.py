"""``loyalty program``: validate, publish, show."""

import getpass
from calendar import month_name
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import BaseModel, ValidationError

from loyalty.cli.console import AsJson, TableName, fail, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.ledger.model import POINTS
from loyalty.programs.fields import mistakes
from loyalty.programs.model import Expiry, Program, ProgramDocument
from loyalty.programs.store import ProgramStore

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The program document: JSON or YAML.")]


def read_document(path: Path) -> ProgramDocument:
    """The document in a file; ends the command with every mistake in it, and where."""
    try:
        return ProgramDocument.model_validate_json(path.read_bytes()) if path.suffix == ".json" else _from_yaml(path)
    except ValidationError as error:
        found = "\n".join(
            f"  {'.'.join(map(str, one['loc'])) or '(document)'}: {one['msg'].removeprefix('Value error, ')}"
            for one in mistakes(error)
        )
        fail(f"{path} is not a valid program:\n{found}")


class _Loader(yaml.SafeLoader):
    """Keeps a decimal as the text it is: no amount passes through a float."""


def _as_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:float", _as_text)


def _from_yaml(path: Path) -> ProgramDocument:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        fail(f"{path} is not YAML: {error}")
    return ProgramDocument.model_validate(content)


@app.command()
def validate(path: File) -> None:
    """Say whether a program document is valid, and if not, every reason."""
    document = read_document(path)
    out.print(f"[bold green]✓[/] {path} is a valid document of program '{document.id}'.")


@app.command()
def publish(
    path: File,
    table: TableName,
    expected_version: Annotated[
        int | None, typer.Option(min=0, help="Publish only over this version; default: over whichever is current.")
    ] = None,
    actor: Annotated[str, typer.Option(help="Who publishes; kept with the version.")] = getpass.getuser(),
) -> None:
    """Make a document the program's next, and from now on current, version; one that is current already stays.

    A program keeps its time zone, its wallets and their currencies. Running functions follow within a minute.
    """
    document = read_document(path)
    store = ProgramStore(open_table(table), system_clock)
    version = store.version(document.id) if expected_version is None else expected_version
    before = store.current(document.id) if version else None
    if before == Program(version=version, document=document):
        out.print(f"[bold green]✓[/] '{document.id}' is at version {version} already.")
        return
    program = store.publish(document, expected_version=version, actor=actor)
    out.print(f"[bold green]✓[/] '{document.id}' is at version {program.version}.")
    if before is not None and _warns_earlier(before, program):
        out.print(
            "It warns of points about to expire earlier than before. Members hear of it with their next posting; to "
            f"warn all of them, once: [bold]loyalty settle --program {document.id} --everybody[/]"
        )


@app.command()
def show(program: str, table: TableName, json: AsJson = False) -> None:  # noqa: FBT002 - a command-line flag
    """Print a program's current version."""
    found = ProgramStore(open_table(table), system_clock).current(program)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    document = found.document
    out.print(f"{document.name} ('{program}'), version {found.version}, {document.time_zone}")
    for what, text in _lines(document):
        out.print(f"  {what:<10}  {text}")


def _warns_earlier(before: Program, after: Program) -> bool:
    """Whether any wallet's points are warned of sooner: books are in the due index for the warnings that they knew."""
    return any(
        max(terms.warn_days, default=0) > max(before.scope.terms[wallet].warn_days, default=0)
        for wallet, terms in after.scope.terms.items()
        if wallet in before.scope.terms
    )


def _lines(document: ProgramDocument) -> Iterator[tuple[str, str]]:
    """What a document says, as pairs of a word and a text."""
    for wallet_id in document.wallet_ids:
        wallet, unit = document.wallet(wallet_id), document.currency_of(wallet_id)
        name = f"{wallet.name}, {f'minor units of {unit}' if unit else 'points'}, " if wallet else ""
        yield "wallet", f"{wallet_id}: {name}{_in_words(document.expiry_of(wallet_id))}"
    for rule in document.earn_rules:
        rates = ", ".join(f"{rate.points} per {rate.per} {rate.currency}" for rate in rule.rates)
        pending = f", pending for {_count(rule.return_days, 'day')}" if rule.return_days else ""
        into = "" if rule.wallet == POINTS else f" into '{rule.wallet}'"
        yield "earn", f"{rule.activity}: {rates or _count(rule.fixed_points or 0, 'point')}{into}{pending}"
    for tier in document.tiers:
        yield "tier", f"{tier.name}: from {tier.threshold}, times {tier.multiplier}"
    for reward in document.rewards:
        yield "reward", f"{reward.id}: {reward.name}, {_count(reward.points, 'point')}"
    yield "reversal", f"{document.reversal} where points are spent already"
    for name, value in document.limits:
        yield "limit", f"{name}: {value}"
    yield "adjustment", f"reasons: {', '.join(document.adjustment_reasons)}"
    yield "transfers", _bounds(document.transfers)
    yield "households", _bounds(document.households)


def _in_words(expiry: Expiry) -> str:
    """The policy of an expiry, e.g. ``expire 12 months later, at the end of the month``."""
    match expiry.policy:
        case "never":
            return "never expire"
        case "rolling":
            when = f"expire {_count(expiry.months or 0, 'month')} later, at the end of the month"
        case "inactivity":
            when = f"expire {_count(expiry.months or 0, 'month')} after the last activity, at the end of the month"
        case _:
            after = f", at least {_count(expiry.minimum_months, 'month')} later" if expiry.minimum_months else ""
            when = f"expire every year on {expiry.day} {month_name[expiry.month or 0]}{after}"
    warned = f"; warned {', '.join(map(str, expiry.warn_days))} days before" if expiry.warn_days else ""
    return f"{when}; {_count(expiry.grace_days, 'day')} of grace{warned}"


def _bounds(part: BaseModel | None) -> str:
    """The numbers of a part that a program may do without."""
    if part is None:
        return "not offered"
    return ", ".join(f"{name} {_text(value)}" for name, value in part)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
