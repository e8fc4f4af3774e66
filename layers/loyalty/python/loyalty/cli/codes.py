"""``loyalty codes``: pools of coupon codes."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from loyalty.audit.model import Facts, Line
from loyalty.audit.store import Trail
from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty.core.keys import KmsDataKeys, KmsMac
from loyalty.core.pii import Lookups, Vault
from loyalty.core.table import Table
from loyalty.delivery.importing import COLUMNS, CodeImport, Imported, WrongHeader
from loyalty.delivery.pool import CodePool
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty_contract import ENV_LOOKUP_KEY, ENV_VAULT_KEY

app = typer.Typer(no_args_is_help=True)

_NAMED: Final = 1000
"""Lines that were not imported and are named; the others are counted."""

ProgramName = Annotated[str, typer.Option("--program", help="Id of the program.")]
RewardName = Annotated[str, typer.Option("--reward", help="Id of the reward, whose codes come from a pool.")]
VaultKey = Annotated[
    str, typer.Option(envvar=ENV_VAULT_KEY, show_envvar=True, help="The stage's key for gift cards and codes.")
]
LookupKey = Annotated[str, typer.Option(envvar=ENV_LOOKUP_KEY, show_envvar=True, help="The stage's key for lookups.")]


@app.callback()
def codes() -> None:
    """Pools of coupon codes. No command shows a code."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=f"CSV with {', '.join(COLUMNS)}.")],
    *,
    table: TableName,
    program: ProgramName,
    reward: RewardName,
    vault_key: VaultKey,
    lookup_key: LookupKey,
    after: Annotated[int, typer.Option(min=1, help="Begin behind this line, the last that an earlier run named.")] = 1,
    json: AsJson = False,
) -> None:
    """Import codes from a CSV file into a reward's pool, each once for ever.

    The file is read line by line, and may be of any size. If the command ends before the file does, run it again: what
    is known is not imported twice. Lines that were not imported are named by their number, never by what is in them; exit
    code 1 where there are any that are not merely known already.
    """
    store = open_table(table)
    current = ProgramStore(store, system_clock).current(program)
    _require_pool(current, reward)
    importer = CodeImport(store, Vault(KmsDataKeys(vault_key)), Lookups(KmsMac(lookup_key)), system_clock)
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    what: Facts = {"sha256": digest, "after_line": after}
    Trail(store).record(Line(program, "codes.import_begun", f"rewards/{reward}/codes", system_clock(), after=what))
    counts: Counter[str] = Counter()
    named: list[Imported] = []
    last = after
    with (
        file.open(newline="", encoding="utf-8") as text,
        Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True) as progress,
    ):
        task = progress.add_task("importing", total=None)
        try:
            for one in _run(importer, current, reward, text, after):
                last = one.line
                counts[one.problem or "imported"] += 1
                if one.problem is not None and len(named) < _NAMED:
                    named.append(one)
                progress.update(task, description=f"line {one.line:,}: {counts['imported']:,} imported")
        except SystemExit:
            raise
        except BaseException:  # an interrupt too: whatever ended it, the same file goes on from here
            err.print(f"Stopped behind line {last}; go on with --after {last}.")
            raise
    _tell(store, program, reward, counts, named, json=json)


@app.command()
def left(*, table: TableName, program: ProgramName, reward: RewardName, json: AsJson = False) -> None:
    """Print how many codes of a pool nobody has yet."""
    free = CodePool(open_table(table)).left(program, reward)
    if json:
        print_json({"program": program, "reward_id": reward, "left": free})
    else:
        out.print(f"{free:,} codes of '{reward}' are left.")


def _run(importer: CodeImport, program: Program, reward: str, text: Iterator[str], after: int) -> Iterator[Imported]:
    try:
        yield from importer.run(program, reward, text, after=after)
    except WrongHeader as wrong:
        fail(f"Nothing was imported: {wrong}.")


def _require_pool(program: Program, reward_id: str) -> None:
    reward = program.document.reward(reward_id)
    if reward is None:
        fail(f"Program '{program.document.id}' has no reward '{reward_id}'.")
    if reward.codes is None or reward.codes.source != "pool":
        fail(f"'{reward_id}' takes no codes from a pool: publish it with codes.source \"pool\" first.")


def _tell(table: Table, program: str, reward: str, counts: Counter[str], named: list[Imported], *, json: bool) -> None:
    free = CodePool(table).left(program, reward)
    if json:
        lines = [{"line": one.line, "problem": one.problem} for one in named]
        print_json({"program": program, "reward_id": reward, "left": free, "counts": dict(counts), "lines": lines})
    else:
        for one in named:
            out.print(f"line {one.line}: {one.problem}")
        known = f", {counts['known']:,} known already" if counts["known"] else ""
        out.print(f"{counts['imported']:,} codes imported{known}; {free:,} are left.")
    if wrong := counts.total() - counts["imported"] - counts["known"]:
        fail(f"{wrong:,} lines were not imported.")
