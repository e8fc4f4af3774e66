"""Deeds, and programs of a few rules, for tests of what activities earn."""

from datetime import datetime
from typing import Any

from loyalty.core.money import Money
from loyalty.programs.counters import CounterKey
from loyalty.programs.deeds import BoughtLine, Deed, Earner
from loyalty.programs.earning import Outcome, earn
from loyalty.programs.model import ProgramDocument
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import document

SUNDAY = at("2026-11-22T13:05:00Z")
"""A Sunday, 14:05 in Rome, in ISO week 47."""
BASE_RULE: dict[str, Any] = {
    "id": "base", "activity": "purchase", "rates": [{"points": 1, "per": "1", "currency": "EUR"}],
}  # fmt: skip


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def line(amount: str, category: str | None = None, quantity: int = 1, **more: Any) -> BoughtLine:
    return BoughtLine(eur(amount), quantity, category=category, **more)


def purchase(amount: str = "100", *lines: BoughtLine, occurred_at: datetime = SUNDAY, **more: Any) -> Deed:
    return Deed("purchase", occurred_at, amount=eur(amount), lines=lines, **more)


def rule(rule_id: str, **effect: Any) -> dict[str, Any]:
    return {"id": rule_id, "activity": "purchase", **effect}


def program_of(*rules: dict[str, Any], **more: Any) -> ProgramDocument:
    """One point per euro, and these rules; in Rome."""
    return document(**{"time_zone": "Europe/Rome", "earn_rules": [BASE_RULE, *rules], **more})


def outcome(
    of: ProgramDocument,
    deed: Deed,
    tier: str = "bronze",
    *,
    first: bool = False,
    segments: tuple[str, ...] = (),
    room: dict[CounterKey, int] | None = None,
) -> Outcome:
    return earn(of, deed, Earner(tier, {"status": tier}, first=first, segments=segments), room or {})


def points(of: ProgramDocument, deed: Deed, tier: str = "bronze", **more: Any) -> dict[str, int]:
    """What each rule that counted gave."""
    return {rule: part for one in outcome(of, deed, tier, **more).earned for rule, part in one.rules.items()}


def reasons(of: ProgramDocument, deed: Deed, tier: str = "bronze", **more: Any) -> dict[str, str]:
    """Why rules gave nothing, or less than they would; lost_to with the winner."""
    judged = outcome(of, deed, tier, **more).rules
    return {
        one.rule.id: f"{one.reason}:{one.lost_to}" if one.lost_to else str(one.reason) for one in judged if one.reason
    }
