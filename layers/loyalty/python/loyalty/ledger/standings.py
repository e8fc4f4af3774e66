"""How standings are stored, in books and in entries."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from loyalty.ledger.ladders import Standing


def standing_document(standing: Standing) -> dict[str, Any]:
    """As it is stored, without what is as it usually is: a book holds one for each ladder."""
    found = {
        "tier": standing.tier,
        "earned": standing.earned if standing.earned != standing.tier else None,
        "valid_until": standing.valid_until.isoformat() if standing.valid_until else None,
        "kept": int(standing.kept) or None,
        "granted": standing.granted,
        "granted_until": standing.granted_until.isoformat() if standing.granted_until else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def standing_of(found: Mapping[str, Any]) -> Standing:
    """What :func:`standing_document` wrote."""
    return Standing(
        tier=found["tier"],
        earned=found.get("earned", found["tier"]),
        valid_until=_day_of(found.get("valid_until")),
        kept=bool(found.get("kept")),
        granted=found.get("granted"),
        granted_until=_day_of(found.get("granted_until")),
    )


def standings_of(found: Mapping[str, Any] | None) -> dict[str, Standing]:
    """Those of a book or an entry, by ladder; none where nothing is stored."""
    return {ladder: standing_of(standing) for ladder, standing in (found or {}).items()}


def _day_of(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
