"""The proof of tiers: reached by what was counted, kept as long as they are to be, ended on their day and no other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from loyalty.ledger.ladders import STATUS, DowngradeBy, LadderTerms, Period, Standing
from loyalty.ledger.model import POINTS, Change, EntryKind, Scope
from tests.unit.ledger.forging import SCOPE, Forgery, codes

K = EntryKind
TERMS = LadderTerms({"bronze": 0, "silver": 500, "gold": 2000}, downgrade=DowngradeBy.ACHIEVEMENT, warn_days=(30,))
LADDERS: Scope = replace(SCOPE, ladders={STATUS: TERMS})
"""Days start at 17:00 UTC."""

SILVER = Standing("silver", "silver", date(2027, 12, 31))
BRONZE = Standing("bronze", "bronze")
GRANTED = Standing("gold", "silver", date(2027, 12, 31), granted="gold", granted_until=date(2026, 6, 30))
WARNED, REVIEWED, UNGRANTED = "2027-11-30T17:00:00Z", "2027-12-31T17:00:00Z", "2026-06-30T17:00:00Z"
NEVER = "9999-12-31"


def stood(
    forgery: Forgery,
    after: Standing,
    before: Standing | None = None,
    *,
    name: str = "accrual:pos:R-1",
    source: str = "tier_recalculation",
    says: Mapping[str, Any] | None = None,
    **more: Any,
) -> Forgery:
    """A change of standing on the main ladder."""
    tier = before.tier if before else "bronze"
    facts = {"tier_from": tier, "ladder": STATUS, "standing_from": before, **(says or {})}
    moved = {"changes": {}, "standings": {STATUS: after}, "tier": after.tier if after.tier != tier else None}
    return forgery.post(K.TIER, name, source=source, says=facts, **{"movement": moved, **more})


def earned(points: int = 600) -> Forgery:
    return Forgery().record("MEMBER", entry_tier="bronze").earned("R-1", points, NEVER)


def silver(points: int = 600) -> Forgery:
    return stood(earned(points), SILVER)


def reviewed(forgery: Forgery, after: Standing = BRONZE, on: str = REVIEWED, **more: Any) -> Forgery:
    return stood(forgery, after, SILVER, name="status/9", source="review", on=on, **more)


def warned(forgery: Forgery, *, on: str = WARNED, tier: str = "silver", **more: Any) -> Forgery:
    says = {"tier_from": tier, "ladder": STATUS, "standing_from": SILVER, "falls_to": "bronze"}
    moved = {"movement": {"changes": {}}, **more}
    return forgery.post(K.TIER_WARNING, "2027-12-31/30", source=STATUS, on=on, says=says, **moved)


def granted() -> Forgery:
    return stood(silver(), GRANTED, SILVER, source="tier_grant", name="tgr_1")


HONEST: dict[str, Callable[[], Forgery]] = {
    "a tier that was earned": silver,
    "a warning, and the review": lambda: reviewed(warned(silver())),
    "written down later": lambda: reviewed(warned(silver()), on="2028-02-01", due=REVIEWED),
    "a tier that was granted": granted,
    "its end": lambda: stood(granted(), SILVER, GRANTED, source="grant_end", name="status/4", on=UNGRANTED),
}

PLANTED: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "a tier that nothing earned": (lambda: silver(499), ["tier_unearned"]),
    "a higher one than was earned": (
        lambda: stood(earned(), Standing("gold", "gold", date(2027, 12, 31))),
        ["tier_unearned"],
    ),
    "a gold left of bronze": (
        lambda: stood(earned(10), Standing("gold", "gold", date(2026, 12, 31), kept=True)),
        ["tier_unearned"],
    ),
    "a review the day before": (lambda: reviewed(silver(), on="2027-12-30T17:00:00Z"), ["tier_lost_early"]),
    "a review a millisecond before its day": (
        lambda: reviewed(warned(silver()), on="2027-12-31T16:59:59.999Z"),
        ["tier_lost_early"],
    ),
    "a tier lowered while its year earns it": (
        lambda: stood(silver(), BRONZE, SILVER, name="accrual:pos:R-2"),
        ["tier_lost_early"],
    ),
    "a granted tier that ended early": (
        lambda: stood(granted(), SILVER, GRANTED, source="grant_end", name="status/4", on="2026-06-29T17:00:00Z"),
        ["tier_lost_early"],
    ),
    "a review at another moment of its day": (
        lambda: reviewed(warned(silver()), on="2028-01-01T03:00:00Z"),
        ["due_moment_wrong", "tier_missed"],
    ),
    "something posted after a review that was missed": (
        lambda: silver().earned("R-2", 5, NEVER, on="2028-01-02", movement={"qualifying": {"2028": 5}}),
        ["tier_missed"],
    ),
    "a grant whose end was missed": (
        lambda: granted().earned("R-2", 5, NEVER, on="2026-07-02"),
        ["tier_missed"],
    ),
    "a tier that is neither earned nor granted": (
        lambda: stood(silver(), replace(SILVER, tier="gold"), SILVER, name="accrual:pos:R-2"),
        ["standing_wrong"],
    ),
    "a standing from another one": (
        lambda: reviewed(silver(), says={"standing_from": replace(SILVER, kept=True)}),
        ["standing_wrong"],
    ),
    "a tier and a standing that differ": (
        lambda: stood(
            silver(),
            SILVER,
            SILVER,
            name="accrual:pos:R-2",
            movement={"changes": {}, "standings": {STATUS: SILVER}, "tier": "gold"},
        ),
        ["standing_wrong"],
    ),
    "a book that stands elsewhere": (
        lambda: silver().book(standings={STATUS: replace(SILVER, valid_until=date(2028, 12, 31))}),
        ["wallet_standings_wrong"],
    ),
    "a warning of another tier": (lambda: warned(silver(), tier="gold"), ["warning_wrong"]),
    "a warning on another day": (lambda: warned(silver(), on="2027-12-01T17:00:00Z"), ["due_moment_wrong"]),
    "a warning of points": (
        lambda: warned(silver(), movement={"changes": {POINTS: Change()}}),
        ["wallets_wrong"],
    ),
}


@pytest.mark.parametrize("honest", HONEST)
def test_what_is_right_is_not_found(honest: str) -> None:
    assert codes(HONEST[honest]().items(LADDERS), LADDERS) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(planted: str) -> None:
    forged, expected = PLANTED[planted]
    assert codes(forged().items(LADDERS), LADDERS) == sorted(expected)


VISITS = LadderTerms({"visitor": 0, "regular": 10}, metric="activities.purchase", period=Period.LIFETIME)
YEARLY = replace(VISITS, period=Period.CALENDAR_YEAR)


def test_the_same_may_count_in_a_year_and_for_good() -> None:
    """Both buckets have names of four characters."""
    scope = replace(SCOPE, ladders={STATUS: TERMS, "visits": VISITS, "yearly": YEARLY})
    counted = {"2026": 600, "activities.purchase/2026": 1, "activities.purchase/ever": 1}
    forged = earned().earned("R-2", 600, NEVER, movement={"qualifying": counted})
    assert codes(forged.items(scope), scope) == []


def test_a_tier_of_a_year_may_end_on_the_anniversary_itself() -> None:
    """The year before it has 365 days, and is not running any more."""
    terms = replace(TERMS, metric="points", period=Period.ANNIVERSARY_YEAR, this_period=True, warn_days=())
    scope = replace(SCOPE, ladders={STATUS: terms})
    kept = Standing("silver", "silver", date(2026, 6, 14))
    first = Forgery().record("MEMBER", entry_tier="bronze")
    forged = stood(first.earned("R-1", 600, NEVER, movement={"qualifying": {"points/2025-06-15": 600}}), kept)
    early = stood(forged, BRONZE, kept, name="status/3", source="review", on="2026-06-13T17:00:00Z")
    assert "tier_lost_early" in codes(early.items(scope), scope)
    early.entries.pop()
    forged = stood(forged, BRONZE, kept, name="status/3", source="review", on="2026-06-14T17:00:00Z")
    assert codes(forged.items(scope), scope) == []


def test_of_two_ladders_one_may_warn_and_the_other_not() -> None:
    """Silver was earned again, so that the first warning of the year is that of the visits."""
    visits = replace(YEARLY, downgrade=DowngradeBy.ACHIEVEMENT, tiers={"visitor": 0, "regular": 1}, warn_days=(14,))
    scope = replace(SCOPE, ladders={STATUS: TERMS, "visits": visits})
    regular = Standing("regular", "regular", date(2027, 12, 31))
    counted = {"qualifying": {"2026": 600, "activities.purchase/2026": 1}}
    forged = stood(Forgery().record("MEMBER", entry_tier="bronze").earned("R-1", 600, NEVER, movement=counted), SILVER)
    forged.post(
        K.TIER, "accrual:pos:R-1", source="tier_recalculation.visits", says={"tier_from": "visitor", "ladder": "visits"},
        movement={"changes": {}, "standings": {"visits": regular}},
    )  # fmt: skip
    items = forged.earned("R-2", 600, NEVER, on="2027-06-01", movement={"qualifying": {"2027": 600}}).items(scope)
    assert items[forged.pk, "WALLET"]["due_at"]["S"] == "2027-12-16T17:00:00.000Z"
    assert codes(items, scope) == []
    never = forged.item(due_at={"S": "2027-12-15T17:00:00.000Z"}).items(scope)
    assert codes(never, scope) == ["due_at_wrong"]


def test_of_a_month_that_was_over_no_more_is_taken_than_a_merge_brought() -> None:
    monthly = replace(TERMS, period=Period.ROLLING_MONTHS, months=1, warn_days=())
    scope = replace(SCOPE, ladders={STATUS: monthly})
    forged = Forgery().record("MEMBER", entry_tier="bronze")
    forged.earned("R-1", 67, NEVER, movement={"qualifying": {"points/2026-01": 67}})
    over = {"qualifying": {"points/2026-01": -67, "points/2026-03": 5}}
    forged.earned("R-2", 5, NEVER, on="2026-03-02", movement=over)
    forged.post(K.MERGE_IN, "mbr_9", source="merge", movement={"changes": {}, "qualifying": {"points/2026-01": 66}})
    taken = {"qualifying": {"points/2026-01": -66}}
    assert "qualifying_wrong" not in codes(forged.reversed(67, lots={NEVER: -67}, movement=taken).items(scope), scope)
