"""``loyalty purchase``: what became of a purchase that reached the platform as an event."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from loyalty.cli.console import AsJson, TableName, fail, listing, open_table, out, print_json
from loyalty.commerce.model import PLATFORMS
from loyalty.commerce.records import Record, in_order
from loyalty.commerce.store import CommerceStore, Wanted
from loyalty.core.clock import system_clock, to_text

app = typer.Typer(no_args_is_help=True)

_EXPLAINED = {
    "counted": "it counts for {member_id} of program '{program}'",
    "kept": "it is kept until {until} in program '{program}', for whoever comes with its buyer's address or id",
    "unclaimable": "it is kept until {until} in program '{program}'; it names nobody who could claim it",
    "not_come": "it has not come; refunds of it wait",
}

Source = Annotated[str, typer.Option(help="The system that it is from, such as shopify.")]
SourceId = Annotated[str, typer.Option("--id", help="That system's id of the order or activity.")]
ProgramOption = Annotated[
    str | None, typer.Option(help="Its program; not for a commerce platform's orders, whose ids are their own.")
]


@app.callback()
def purchases() -> None:
    """Purchases and other activity that came as events."""


@app.command()
def show(
    *, source: Source, source_id: SourceId, table: TableName, program: ProgramOption = None, json: AsJson = False
) -> None:
    """Print what became of a purchase, and which refunds of it wait.

    Exit code 1 where nothing is known of it: it never came, came through the API alone, or was forgotten after 30 days.
    """
    if (program is None) != (source in PLATFORMS):
        raise typer.BadParameter(
            f"'{source}' is a commerce platform: leave it out." if program else f"'{source}' needs one: say which.",
            param_hint="--program",
        )
    now = system_clock()
    (found,) = CommerceStore(open_table(table)).look([Wanted(program, source, source_id)], now)
    if not found.record.seen:
        fail(f"Nothing is known of '{source}:{source_id}'.")
    shown = view(found.record)
    if json:
        print_json(shown)
    else:
        _show(shown)


def view(record: Record) -> dict[str, Any]:
    """The record, as one document. Nothing in it is personal: who may claim what is kept is known by hash only."""
    return {
        "source": record.source,
        "source_id": record.source_id,
        "status": _status(record),
        "program": record.program,
        "member_id": record.member_id,
        "kept_until": _until(record),
        "refunds": [
            {
                "source_id": refund_id,
                "amount": str(refund.amount),
                "occurred_at": to_text(refund.occurred_at),
                "waits_since": to_text(refund.since) if refund.since else None,
                "given_up_at": None if record.kept else to_text(refund.due_at),
            }
            for refund_id, refund in in_order(record.refunds)
        ],
    }


def _status(record: Record) -> str:
    if record.counted:
        return "counted"
    if record.kept:
        return "kept" if record.digests else "unclaimable"
    return "not_come"


def _until(record: Record) -> str | None:
    return None if record.expires_at is None else to_text(datetime.fromtimestamp(record.expires_at, UTC))


def _show(shown: dict[str, Any]) -> None:
    status = _EXPLAINED[shown["status"]].format(until=shown["kept_until"], **shown)
    out.print(f"{shown['source']}:{shown['source_id']}: {status}")
    if not shown["refunds"]:
        return
    grid = listing("refund", "amount", "given back at", "waits since", "dead letter at", title="refunds that wait")
    for refund in shown["refunds"]:
        times = [refund[name] or "-" for name in ("occurred_at", "waits_since", "given_up_at")]
        grid.add_row(refund["source_id"], refund["amount"], *times)
    out.print(grid)
