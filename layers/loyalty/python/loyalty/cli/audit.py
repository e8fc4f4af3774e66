"""``loyalty audit verify|show``: the audit trail, proved and read."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import boto3
import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loyalty.audit.archive import BucketArchive
from loyalty.audit.links import ChainStore
from loyalty.audit.reading import Sought, day_of, page_of
from loyalty.audit.verify import Proof, Verifier
from loyalty.cli.console import AsJson, TableName, err, fail, open_table, out, print_json
from loyalty.core.clock import system_clock
from loyalty_contract import ENV_AUDIT_TRAIL

app = typer.Typer(no_args_is_help=True)

_SHOWN: Final = 100
"""Findings that are printed; --json prints all."""

Bucket = Annotated[
    str | None,
    typer.Option(
        "--bucket", envvar=ENV_AUDIT_TRAIL, show_envvar=True, help="The stage's bucket with the exported trail."
    ),
]
Scope = Annotated[
    str | None, typer.Option(help="A program, or _platform for people, suppliers and clients; default: all of them.")
]
_DAYS = ["%Y-%m-%d"]


@app.callback()
def audit() -> None:
    """Who did what, when, before and after, and from where."""


@app.command()
def verify(
    *,
    table: TableName,
    scope: Scope = None,
    start: Annotated[
        datetime | None, typer.Option("--from", formats=_DAYS, help="First day (UTC); default: the first there is.")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=_DAYS, help="Last day (UTC); default: today.")] = None,
    bucket: Bucket = None,
    no_bucket: Annotated[
        bool, typer.Option("--no-bucket", help="Look at the table alone: a chain made anew is not noticed then.")
    ] = False,
    no_scan: Annotated[
        bool,
        typer.Option(
            "--no-scan", help="Look at days that chains or bucket know: lines never linked are not noticed then."
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Prove that no line of the trail was removed or changed, by its chains and by what was exported of them.

    Names each difference. Exit code 0 only if there is none. Reads every line of the days that it looks at; and, unless
    both --scope and --from say which, all of the table once, to find days of which no chain knows.
    """
    if bucket is None and not no_bucket:
        raise typer.BadParameter("Name the bucket, or say --no-bucket.", param_hint="--bucket")
    archive = None if no_bucket or bucket is None else BucketArchive(bucket, boto3.client("s3"))
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("reading the trail", total=None)
        verifier = Verifier(
            open_table(table),
            system_clock,
            archive,
            lambda proof: progress.update(task, description=f"{proof.days:,} days, {proof.lines:,} lines"),
        )
        proof = verifier.verify(scope, _date(start), _date(end), scan=not no_scan)
    if scope is not None and not proof.days:
        fail(f"Neither the table nor the bucket has anything of '{scope}' on these days: nothing was proved.")
    if json:
        print_json(_document(proof, with_bucket=archive is not None))
    else:
        _tell(proof, with_bucket=archive is not None)
        if no_scan:
            out.print(
                "[yellow]![/] The table was not looked through: lines that were never linked may be on other days."
            )
    if proof.findings:
        raise typer.Exit(1)


@app.command()
def show(
    *,
    table: TableName,
    scope: Annotated[str, typer.Option(help="A program, or _platform.")],
    day: Annotated[datetime | None, typer.Option(formats=_DAYS, help="Which day (UTC); default: today.")] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=_DAYS, help="The first of several days.")] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=_DAYS, help="The last of several days; default: today.")
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(help="Only what this person did (staff-17), or whoever had these credentials (client:…)."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Only on what begins so, such as members/mbr_….")] = None,
    action: Annotated[str | None, typer.Option(help="Only this, such as adjustment.approved.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Lines on a page.")] = 50,
    after: Annotated[str | None, typer.Option(help="The line behind which to go on, as the page before says.")] = None,
    json: AsJson = False,
) -> None:
    """Print the lines of a day, or of several, in the order of their moments. Times are UTC."""
    sought, asked = Sought(actor, target, action), _asked_days(day, start, end)
    if after is not None and day_of(after) is None:
        raise typer.BadParameter("Give it as the page before says it.", param_hint="--after")
    page = page_of(open_table(table), scope, asked, sought, limit=limit, after=after)
    if json:
        print_json({"lines": page.lines, "next_after": page.next_after})
        return
    for line in page.lines:
        out.print(escape(_in_words(line)), soft_wrap=True)
    if not page.lines:
        known = ChainStore(open_table(table)).scopes()
        out.print("No such line." if scope in known else f"No such line: of '{scope}' nothing was ever linked.")
    if page.next_after:
        out.print(f"More: --after '{page.next_after}'", soft_wrap=True)


@app.command()
def days(*, table: TableName, scope: Scope = None, json: AsJson = False) -> None:
    """List the days that have a chain, the last one first: how many lines are linked, and the hash of the last link."""
    chains = ChainStore(open_table(table))
    known = sorted(chains.scopes())
    if scope is not None and scope not in known:
        fail(f"Nothing is linked of '{scope}'.")
    heads = [head for one in ([scope] if scope else known) for head in chains.days(one)]
    if json:
        said = [
            {"scope": one.scope, "day": one.day.isoformat(), "lines": one.number, "hash": one.hash} for one in heads
        ]
        print_json(said)
        return
    widest = max((len(head.scope) for head in heads), default=0)
    for head in heads:
        out.print(f"{head.scope:<{widest}}  {head.day}  {head.number:>7,}  {head.hash}", soft_wrap=True)


def _asked_days(day: datetime | None, start: datetime | None, end: datetime | None) -> tuple[date, date]:
    today = system_clock().date()
    if day is not None and (start or end):
        raise typer.BadParameter("Name one day, or --from and --to.", param_hint="--day")
    if end is not None and start is None:
        raise typer.BadParameter("Name the first day, too.", param_hint="--from")
    first = _date(day) or _date(start) or today
    last = _date(end) or (first if start is None else today)
    if last < first:
        raise typer.BadParameter("The last day is before the first.", param_hint="--to")
    return first, last


def _date(moment: datetime | None) -> date | None:
    return None if moment is None else moment.replace(tzinfo=UTC).date()


def _in_words(line: dict[str, Any]) -> str:
    """One act: what and on what; who and from where; what it changed. A line each, so that a terminal breaks few."""
    who = line["actor"] or line["by"] or "the platform"
    via = "" if line["by"] in {None, who} else f" by {line['by']}"
    where = f" from {line['address']}" if line["address"] else ""
    told = [f"{line['at']}  {line['action']}  {line['target']}", f"{who}{via}{where}"]
    told += [f"{side}: {_facts(line[side])}" for side in ("before", "after") if line[side]]
    return "\n    ".join(told)


def _facts(facts: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_word(value)}" for name, value in facts.items())


def _word(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in {None, ""} else value


def _document(proof: Proof, *, with_bucket: bool) -> dict[str, Any]:
    return {
        "scopes": proof.scopes,
        "days": proof.days,
        "lines": proof.lines,
        "waiting": proof.waiting,
        "bucket": with_bucket,
        "scanned": proof.scanned,
        "heads": proof.heads,
        "files": proof.files,
        "findings": [
            {
                "kind": one.kind.value,
                "scope": one.scope,
                "day": None if one.day is None else one.day.isoformat(),
                "what": one.what,
                "detail": one.detail,
            }
            for one in proof.findings
        ],
    }


def _tell(proof: Proof, *, with_bucket: bool) -> None:
    held = f", held against {proof.heads:,} exported heads and {proof.files:,} files" if with_bucket else ""
    waiting = f"; {proof.waiting:,} new ones wait for their link" if proof.waiting else ""
    counts = f"{proof.lines:,} lines on {proof.days:,} days of {proof.scopes:,} scopes{held}{waiting}"
    if not proof.findings:
        out.print(f"[bold green]✓[/] The audit trail is in order: {counts}.", soft_wrap=True)
        if not with_bucket:
            out.print("[yellow]![/] The bucket was not asked: a chain that was made anew would look like this too.")
        return
    kinds = ", ".join(
        f"{count:,} {kind}" for kind, count in Counter(one.kind.value for one in proof.findings).most_common()
    )
    out.print(f"[bold red]✗[/] {counts}: {kinds}.", soft_wrap=True)
    for one in proof.findings[:_SHOWN]:
        out.print(escape(f"  {one.kind}  {one.scope} {one.day or '-'}  {one.what}: {one.detail}"), soft_wrap=True)
    if len(proof.findings) > _SHOWN:
        out.print(f"  … and {len(proof.findings) - _SHOWN} more; --json prints all.")
