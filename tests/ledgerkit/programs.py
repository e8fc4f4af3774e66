"""Program documents for tests: one plain, and variations of it."""

from typing import Any

from loyalty.programs.model import Program, ProgramDocument

BASE: dict[str, Any] = {
    "id": "acme",
    "name": "Acme",
    "time_zone": "UTC",
    "earn_rules": [
        {
            "id": "shop",
            "activity": "purchase",
            "rates": [
                {"points": 1, "per": "10.00", "currency": "USD"},
                {"points": 1, "per": "15000.00", "currency": "IDR"},
                {"points": 3, "per": "1.000", "currency": "KWD"},
                {"points": 1, "per": "1", "currency": "EUR"},
            ],
        },
        {"id": "review", "activity": "review", "fixed_points": 25},
    ],
    "tiers": [
        {"id": "bronze", "name": "Bronze", "threshold": 0},
        {"id": "silver", "name": "Silver", "threshold": 500, "multiplier": "1.25"},
        {"id": "gold", "name": "Gold", "threshold": 2000, "multiplier": "1.5"},
    ],
    "expiry": {"policy": "rolling", "months": 12},
    "rewards": [
        {"id": "coffee", "name": "Coffee", "type": "perk", "points": 50},
        {"id": "ten", "name": "Ten points' worth", "type": "discount", "points": 10},
        {
            "id": "card",
            "name": "Gift card",
            "type": "gift_card",
            "points": 200,
            "gift_card": {"product": "P1", "denomination": "10.00", "currency": "USD"},
        },
    ],
    # Sample requests tell of purchases that are years old.
    "limits": {"backdating_days": 36_500},
}


SEGMENTS: list[dict[str, str]] = [{"id": name, "name": name.title()} for name in ("founder", "staff", "vip")]
"""Segments that a test may declare."""


def document(**changes: Any) -> ProgramDocument:
    """The plain document with some of its top-level fields replaced."""
    return ProgramDocument.model_validate({**BASE, **changes})


def program(version: int = 1, **changes: Any) -> Program:
    """A published version of :func:`document`."""
    return Program(version=version, document=document(**changes))
