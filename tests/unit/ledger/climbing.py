"""Forged histories of tiers: what was counted, and where a member stood since."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from loyalty.ledger.ladders import STATUS, DowngradeBy, LadderTerms, Standing
from loyalty.ledger.model import EntryKind, Scope
from tests.unit.ledger.forging import NEVER, SCOPE, Forgery
from tests.unit.ledger.test_verify_tiers import BRONZE, stood

K = EntryKind
Case = tuple[LadderTerms, Callable[[], Forgery], list[str]]
"""A ladder, a history, and the codes of what the proof finds in it."""


def ladder(silver: int = 500, **terms: Any) -> LadderTerms:
    return LadderTerms({"bronze": 0, "silver": silver, "gold": 2000}, **{"downgrade": DowngradeBy.ACHIEVEMENT, **terms})


def on(terms: LadderTerms) -> Scope:
    return replace(SCOPE, ladders={STATUS: terms})


def earned(*parts: tuple[str, str, int]) -> Forgery:
    """Points of some days, each counted under a key."""
    forgery = Forgery().record("MEMBER", entry_tier="bronze")
    for number, (day, key, points) in enumerate(parts, start=1):
        forgery.earned(
            f"R-{number}", points, NEVER, on=f"{day}T03:00:00Z", movement={"qualifying": {key: points} if key else {}}
        )
    return forgery


def until(tier: str, last: str, **more: Any) -> Standing:
    return Standing(tier, tier, date.fromisoformat(last), **more)


def review(forgery: Forgery, before: Standing, after: Standing = BRONZE, *, on: str, name: str = "status/3") -> Forgery:
    """At the moment at which the day after the last begins in Jakarta."""
    return stood(forgery, after, before, name=name, source="review", on=f"{on}T17:00:00Z")


def refunded(forgery: Forgery, before: Standing, after: Standing = BRONZE, *, on: str | None = None) -> Forgery:
    """Lowered at once, in the wake of a refund."""
    moment = f"{on}T05:00:00Z" if on else None
    return stood(forgery, after, before, name="reversal:pos:F-1", on=moment)


def by_tier_alone(forgery: Forgery, before: str, after: str | None) -> Forgery:
    """On a ladder that ends no tier, a book has the tier and nothing else."""
    name, says = f"accrual:pos:R-{len(forgery.entries)}", {"tier_from": before, "ladder": STATUS}
    moved: dict[str, Any] = {"changes": {}, "tier": after}
    return forgery.post(K.TIER, name, source="tier_recalculation", says=says, movement=moved)
