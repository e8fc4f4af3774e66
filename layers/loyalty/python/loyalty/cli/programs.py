"""``loyalty program``: validate, publish, show."""

import getpass
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import ValidationError

from loyalty.cli.console import AsJson, TableName, fail, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.programs.model import Program, ProgramDocument
from loyalty.programs.store import ProgramStore

app = typer.Typer(no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The program document: JSON or YAML.")]


def read_document(path: Path) -> ProgramDocument:
    """The document in a file; ends the command with every mistake in it, and where."""
    try:
        return ProgramDocument.model_validate_json(path.read_bytes()) if path.suffix == ".json" else _from_yaml(path)
    except ValidationError as error:
        mistakes = "\n".join(
            f"  {'.'.join(map(str, one['loc'])) or '(document)'}: {one['msg']}" for one in error.errors()
        )
        fail(f"{path} is not a valid program:\n{mistakes}")


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

    Running functions follow within a minute.
    """
    document = read_document(path)
    store = ProgramStore(open_table(table), system_clock)
    version = store.version(document.id) if expected_version is None else expected_version
    if version and store.current(document.id) == Program(version=version, document=document):
        out.print(f"[bold green]✓[/] '{document.id}' is at version {version} already.")
        return
    program = store.publish(document, expected_version=version, actor=actor)
    out.print(f"[bold green]✓[/] '{document.id}' is at version {program.version}.")


@app.command()
def show(program: str, table: TableName, json: AsJson = False) -> None:  # noqa: FBT002 - a command-line flag
    """Print a program's current version."""
    found = ProgramStore(open_table(table), system_clock).current(program)
    if json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(f"{found.document.name} ('{program}'), version {found.version}, {found.document.time_zone}")
    for rule in found.document.earn_rules:
        rates = ", ".join(f"{rate.points} per {rate.per} {rate.currency}" for rate in rule.rates)
        out.print(f"  earn    {rule.activity}: {rates or f'{rule.fixed_points} points'}")
    for tier in found.document.tiers:
        out.print(f"  tier    {tier.name}: from {tier.threshold}, times {tier.multiplier}")
    for reward in found.document.rewards:
        out.print(f"  reward  {reward.id}: {reward.name}, {reward.points} points")
