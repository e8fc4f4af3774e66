"""``loyalty pii``: the keys under which personal data of members lies."""

import re
from collections import Counter
from datetime import datetime
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from loyalty.cli.console import AsJson, TableName, open_table, out, print_json, require_program
from loyalty.cli.walks import RunOption, end, named, say_how_to_go_on, showing
from loyalty.core.clock import system_clock, to_text
from loyalty.core.fields import UtcDatetime
from loyalty.core.keys import KmsDataKeys
from loyalty.members.rewrapping import Rewrapping, RewrapRun, State
from loyalty.members.vault import MemberVault
from loyalty_contract import ENV_PII_KEY

app = typer.Typer(no_args_is_help=True)

_ARN: Final = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]*:[0-9]*:key/\S+")

Key = Annotated[
    str,
    typer.Option(
        "--key", envvar=ENV_PII_KEY, show_envvar=True, help="ARN of the key under which all data keys are to lie."
    ),
]
SingleKey = Annotated[
    str | None,
    typer.Option(
        "--single-key",
        help="ARN of the key of records from before members had data keys, where it is another than --key.",
    ),
]
Before = Annotated[
    str | None,
    typer.Option(
        "--before",
        metavar="TIME",
        help="Wrap anew what was wrapped before this moment, such as that of a rotation. Default: this moment, all of them.",
    ),
]


@app.callback()
def pii() -> None:
    """Personal data of members. No command shows any."""


@app.command()
def rewrap(
    *,
    table: TableName,
    program: Annotated[str, typer.Option(help="Id of the program.")],
    key: Key,
    single_key: SingleKey = None,
    before: Before = None,
    run: RunOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; write nothing, use no key.")] = False,
    json: AsJson = False,
) -> None:
    """Wrap the data keys of all members of a program anew, by KMS's ReEncrypt.

    After a rotation, where old material is to be of no use any more, or to move to another key. Nothing that is sealed
    changes. Safe at any time and again; cut off, it goes on under its run's name. Exit code 0 only if it was done for
    everybody. Members who are merged during a run may be missed: run it again until --dry-run finds nothing due.
    """
    if not _ARN.fullmatch(key):
        raise typer.BadParameter("Give the key's ARN: arn:aws:kms:REGION:ACCOUNT:key/ID, no alias.", param_hint="--key")
    opened = open_table(table)
    require_program(opened, program)
    vault = MemberVault(KmsDataKeys(key), system_clock, single=KmsDataKeys(single_key or key))
    rewrapping = Rewrapping(opened, KmsDataKeys(key), vault, system_clock)
    asked = RewrapRun(program, named(run), key, _moment(before))
    if dry_run:
        _show(rewrapping.survey(asked), asked, json=json)
        return
    say_how_to_go_on(asked.name, ended=not rewrapping.progress(asked).unfinished)
    with showing(asked.name) as show:
        done = rewrapping.many(asked, progress=show)
    end(asked.name, done, json=json)


def _moment(before: str | None) -> datetime:
    if before is None:
        return system_clock()
    try:
        return TypeAdapter(UtcDatetime).validate_python(before)
    except ValidationError:
        raise typer.BadParameter(
            "Give an RFC 3339 time, such as 2026-11-22T09:30:00Z.", param_hint="--before"
        ) from None


def _show(found: Counter[State], run: RewrapRun, *, json: bool) -> None:
    counts = {state.value: found[state] for state in State}
    if json:
        print_json({"program": run.program, "key": run.key_id, "before": to_text(run.before), **counts})
        return
    out.print(f"{found[State.DUE]:,} data keys are to be wrapped anew under {run.key_id}.", soft_wrap=True)
    out.print(f"{found[State.SINGLE]:,} profiles have a key of their own, and are to be moved under their member's.")
    out.print(f"{found[State.KEPT]:,} members have nothing to be done; the key of {found[State.GONE]:,} is gone.")
