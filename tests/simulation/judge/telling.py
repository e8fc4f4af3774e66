"""What entries and records tell, in the model's words."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from loyalty.core.money import Money
from loyalty.ledger.model import Account, Entry
from tests.simulation.judge.books import stand_of
from tests.simulation.oracle.commands import DECIMALS, Sum, TakeBack
from tests.simulation.oracle.ladders import STATUS, Stand
from tests.simulation.oracle.world import Number


def changes_of(entry: Entry) -> dict[Number, int]:
    """Every number that it changes."""
    found: dict[Number, int] = {}
    for name, change in entry.movement.changes.items():
        found |= {(name, "account", str(account)): points for account, points in change.postings.items()}
        found |= {(name, "lot", lot): points for lot, points in change.lots.items()}
        found |= {(name, "bucket", bucket): points for bucket, points in change.maturing.items()}
    found |= {("", "qualifying", year): points for year, points in entry.movement.qualifying.items()}
    return {number: points for number, points in found.items() if points}


def difference(before: Mapping[Number, int], after: Mapping[Number, int]) -> dict[Number, int]:
    """What changed from one picture to another."""
    numbers = {number: after.get(number, 0) - before.get(number, 0) for number in {**before, **after}}
    return {number: points for number, points in numbers.items() if points}


def fact(entry: Entry, name: str) -> object:
    """What an entry tells, in the model's words."""
    teller = _TELLERS.get(name)
    return getattr(entry.facts, name) if teller is None else teller(entry)


def _stand(entry: Entry) -> Stand | None:
    """Where the member stands from then on; by the tier alone where nothing else is known of the main ladder."""
    found = entry.movement.standings.get(entry.facts.ladder or STATUS)
    tier = entry.movement.tier
    if found is None:
        return None if tier is None else Stand(tier, tier)
    return stand_of(found)


def units(amount: Any) -> int:
    """Money in whole minor units."""
    return int(amount.amount.scaleb(DECIMALS[amount.currency]))


def less(numbers: Mapping[Number, int], others: Mapping[Number, int]) -> str:
    """The numbers that others say otherwise, or do not say."""
    left = {number: points for number, points in numbers.items() if others.get(number) != points}
    return ", ".join(f"{'/'.join(number)} {points:+}" for number, points in sorted(left.items())) or "nothing"


def shown_entry(entry: Entry) -> str:
    """Which one it is."""
    return f"{entry.member_id} {entry.seq} {entry.entry_id} at {entry.posted_at.isoformat()}"


def same_wish(command: TakeBack, raw: Mapping[str, Any]) -> bool:
    """Whether what waits is what was sent."""
    lines = {name: int(number["N"]) for name, number in raw.get("lines", {"M": {}})["M"].items()}
    amount = raw.get("amount", {}).get("S")
    told = raw["accrual_source_id"]["S"], lines, "everything" in raw, raw["reason"]["S"], amount is not None
    wish = command.accrual_id, dict(command.lines), command.everything, command.reason, command.amount is not None
    return told == wish


def same_money(command: TakeBack, text: str) -> bool:
    """Whether what is kept of a refund is what was sent."""
    occurred_at, amount, currency = text.split(" ")[:3]
    money = Money.parse(f"{amount} {currency}")
    told = datetime.fromisoformat(occurred_at), Sum(units(money), currency)
    return told == (command.occurred_at, command.amount)


def _sum(amount: Money | None) -> Sum | None:
    return None if amount is None else Sum(units(amount), amount.currency)


def _rule_points(entry: Entry) -> dict[str, dict[str, int]]:
    """Of every wallet in which something was earned."""
    earned = {wallet: -change.postings.get(Account.ISSUED, 0) for wallet, change in entry.movement.changes.items()}
    told = {wallet: entry.facts.points_by_rule(wallet, points) for wallet, points in earned.items()}
    found = {wallet: {rule: part for rule, part in parts.items() if part} for wallet, parts in told.items()}
    return {wallet: parts for wallet, parts in found.items() if parts}


def used_of(entry: Entry) -> Iterator[tuple[str, str, str, str, int]]:
    """What an accrual used: cap or budget, whose, what of, and in which window or shard."""
    for text, number in entry.facts.used.items():
        kind, _, owner, place, unit = text.split("|")
        yield kind, owner, unit, place, number


def _used(entry: Entry) -> dict[tuple[str, str, str, str], int]:
    """Of a budget what was used of all shards."""
    found: dict[tuple[str, str, str, str], int] = {}
    for kind, owner, unit, place, number in used_of(entry):
        key = kind, owner, unit, "" if kind == "budget" else place
        found[key] = found.get(key, 0) + number
    return found


_TELLERS: Final[Mapping[str, Callable[[Entry], object]]] = {
    "tier": lambda entry: entry.movement.tier,
    "ladder": lambda entry: entry.facts.ladder or STATUS,
    "stand": _stand,
    "amount": lambda entry: _sum(entry.facts.amount),
    "worth": lambda entry: None if entry.facts.amount is None else units(entry.facts.amount),
    "lines": lambda entry: {key: (line.quantity, units(line.amount)) for key, line in entry.facts.lines.items()},
    "rule_points": _rule_points,
    "used": _used,
    "policy": lambda entry: None if entry.facts.policy is None else str(entry.facts.policy),
}
