"""What all commands share: where they print, and in which region and on which table they work."""

import json
import os
import sys
from typing import Annotated, Any, Final, NoReturn, TextIO

import typer
from rich.console import Console
from rich.table import Table as Columns

from loyalty.core.clock import system_clock
from loyalty.core.errors import ProgramNotFound
from loyalty.core.table import Table
from loyalty.programs.store import ProgramStore
from loyalty_contract import ENV_TABLE

_WIDE: Final = 200


def _width(stream: TextIO) -> int | None:
    """Columns of what is no terminal: enough that nothing is cut on its way to a file; None: the terminal's own."""
    return None if stream.isatty() else _WIDE


out = Console(highlight=False, width=_width(sys.stdout))
err = Console(stderr=True, highlight=False, width=_width(sys.stderr))

TableName = Annotated[
    str, typer.Option("--table", envvar=ENV_TABLE, help="Name of the stage's table.", show_envvar=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def take_region() -> None:
    """Take the region from ``AWS_REGION`` before ``AWS_DEFAULT_REGION`` and a profile's, as the ``aws`` command does.

    AWS's libraries for Python look at the latter two alone, so that two commands of one shell would work in two regions.
    """
    region = os.environ.get("AWS_REGION")
    if region:
        os.environ["AWS_DEFAULT_REGION"] = region


def open_table(name: str) -> Table:
    """The table, in the account, region and endpoint of the environment."""
    return Table(name)


def require_program(table: Table, program: str) -> None:
    """Before a command that counts or lists: of a name that was mistyped there is nothing, which looks like good news.

    Raises:
        ProgramNotFound: there is no such program.
    """
    try:
        ProgramStore(table, system_clock).current(program)
    except ProgramNotFound:
        raise ProgramNotFound(f"Nothing was published of program '{program}' yet.") from None


def listing(*headings: str, title: str | None = None) -> Columns:
    """An empty table. In a narrow terminal nothing of it is cut off: what does not fit goes on below, the first column last of all."""
    columns = Columns(box=None, title=title, title_justify="left")
    for number, heading in enumerate(headings):
        columns.add_column(heading, overflow="fold", no_wrap=number == 0)
    return columns


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def fail(message: str) -> NoReturn:
    """Says what went wrong, and ends with exit code 1."""
    err.print(f"[bold red]✗[/] {message}", soft_wrap=True)
    raise SystemExit(1)
