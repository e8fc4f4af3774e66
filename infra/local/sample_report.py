"""What the sample day left behind, for people: statements with a running balance, gift cards, what to try next."""

from typing import Any, Final

from rich.console import Console
from rich.table import Table

from infra.local.sample_player import Day, Standing

_KINDS: Final = {
    "reversal": "Refund",
    "expiry": "Expired",
    "hold": "Held",
    "capture": "Captured",
    "release": "Released",
    "tier": "Tier",
}
_DEEDS: Final = {"referral": "Brought a friend", "referred": "Came by a friend"}
_NEXT: Final = r"""
source .local/env
TOKEN=$(curl -s "$LOYALTY_TOKEN_URL" -u "$LOYALTY_CLIENT_ID:$LOYALTY_CLIENT_SECRET" \
  -d grant_type=client_credentials | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
PROGRAM="$LOYALTY_API/v1/programs/$LOYALTY_PROGRAM"
MEMBER={member_id}

# {name}'s wallet, the latest lines of the statement, and whom they brought
curl -sw '\n' "$PROGRAM/members/$MEMBER/wallet" -H "Authorization: Bearer $TOKEN"
curl -sw '\n' "$PROGRAM/members/$MEMBER/entries?limit=3" -H "Authorization: Bearer $TOKEN"
curl -sw '\n' "$PROGRAM/members/$MEMBER/referrals" -H "Authorization: Bearer $TOKEN"

# An accrual; sent again it counts once
curl -sw '\n' "$PROGRAM/members/$MEMBER/accruals" -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' -d '{"activity": "purchase", "source": "pos", "source_id": "N-1",
    "occurred_at": "2026-11-20T15:00:00Z", "channel": "in_store",
    "amount": {"value": "105.00", "currency": "USD"}}'

# Points held for a coffee
curl -sw '\n' "$PROGRAM/members/$MEMBER/redemptions" -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-coffee' -d '{"reward_id": "coffee"}'

# The proof that every balance is the sum of its entries
make verify"""


def what_to_try(member_id: str, name: str) -> str:
    """Commands to go on with, for a shell; every line is short enough to be read and copied."""
    return _NEXT.replace("{member_id}", member_id).replace("{name}", name).lstrip()


def show(day: Day, console: Console) -> None:
    """Prints statements, members, gift cards and commands to go on with."""
    console.print(f"\n[bold]{day.script.title}[/bold]\n{day.script.rule}\n", highlight=False)
    for standing in day.standings:
        console.print(_statement(standing))
    console.print(_members(day.standings))
    for card in day.deliveries:
        console.print(
            f"\n[bold]Gift card delivered[/bold] for {card.points} points ({card.reward_id}): {card.link}",
            soft_wrap=True,
        )
    first = day.standings[0]
    console.print("\n[bold]What to try next[/bold]")
    console.print(what_to_try(first.member_id, first.name), markup=False, highlight=False, soft_wrap=True)


def _statement(standing: Standing) -> Table:
    """The entries in the order in which they were posted, which is the order in which the balance came about."""
    table = Table(title=f"{standing.name} · {standing.wallet['tier']}", title_justify="left", title_style="bold")
    for heading in ("Posted (UTC)", "What", "Amount"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Points", justify="right")
    table.add_column("Balance", justify="right")
    balance = 0
    for entry in standing.statement:
        balance += entry["points"]
        posted = entry["posted_at"][:19].replace("T", " ")
        points = f"{entry['points']:+}" if entry["points"] else "·"
        table.add_row(posted, _what(entry), entry.get("amount") or "", points, str(balance))
    return table


def _what(entry: dict[str, Any]) -> str:
    kind = entry["kind"]
    if kind == "accrual":
        place = f" ({entry['channel']})" if entry.get("channel") else ""
        activity = str(entry.get("activity") or "accrual")
        return _DEEDS.get(activity, activity.capitalize()) + place
    label = _KINDS.get(kind, kind)
    if kind == "tier":
        return f"{label}: {entry.get('tier_from')} → {entry.get('tier_to')}"
    if kind == "reversal":
        return f"{label} of {entry.get('activity') or 'accrual'!s}"
    return f"{label}: {entry['reward_id']}" if entry.get("reward_id") else label


def _members(standings: list[Standing]) -> Table:
    table = Table(title="Members", title_justify="left", title_style="bold")
    for heading in ("Member", "Id", "Tier"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Available", "Held"):
        table.add_column(heading, justify="right")
    for standing in standings:
        wallet = standing.wallet
        held, available = str(wallet["held"]), str(wallet["available"])
        table.add_row(standing.name, standing.member_id, wallet["tier"], available, held)
    return table
