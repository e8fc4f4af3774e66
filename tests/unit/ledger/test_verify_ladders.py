"""The proof of every way up and down, of grants and merges, on one ladder and on several: what is right is not found, and
what is not is found once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from loyalty.ledger.ladders import STATUS, DowngradeBy, LadderTerms, Period, Standing
from loyalty.ledger.model import Scope
from tests.unit.ledger.climbing import Case, K, by_tier_alone, earned, ladder, on, refunded, review, until
from tests.unit.ledger.forging import NEVER, SCOPE, SOON, Forgery, audited, codes
from tests.unit.ledger.test_verify_tiers import BRONZE, SILVER, stood

YEAR = ladder()
ONE_LEVEL = ladder(downgrade=DowngradeBy.ONE_LEVEL)
KEPT = ladder(downgrade=DowngradeBy.NEVER)


GRANTED: dict[str, Any] = {"granted": "silver", "granted_until": date(2027, 6, 30)}
GOLD = until("gold", "2027-12-31")
GUEST = Standing("regular", "regular", date(2027, 12, 31))


def gold() -> Forgery:
    return stood(earned(("2026-01-10", "2026", 2000)), GOLD)


def granted() -> Forgery:
    """Gold that is earned, and silver that is granted."""
    return stood(gold(), replace(GOLD, **GRANTED), GOLD, source="tier_grant", name="tgr_1")


def twice() -> Forgery:
    """First silver, then gold, by the tier alone."""
    first = by_tier_alone(earned(("2026-01-10", "2026", 600)), "bronze", "silver")
    return first.earned("R-2", 1400, NEVER, on="2026-02-10")


def merged(forgery: Forgery, after: Standing, **more: Any) -> Forgery:
    """What was earned by who was merged is not in this member's entries."""
    return stood(forgery, after, **{"source": "merge", "name": "mbr_b", **more})


ENDS: dict[str, Case] = {
    "the first threshold is one point, and there is none": (
        ladder(silver=1),
        lambda: stood(earned(("2026-01-10", "", 0)), SILVER),
        ["tier_unearned"],
    ),
    "lowered where nothing is left, and the first threshold is one point": (
        ladder(silver=1, at_once=True),
        lambda: refunded(
            stood(earned(("2026-01-10", "2026", 1)), SILVER).reversed(
                1, lots={NEVER: -1}, movement={"qualifying": {"2026": -1}}
            ),
            SILVER,
        ),
        [],
    ),
    "the same in a year from the anniversary": (
        ladder(silver=1, at_once=True, period=Period.ANNIVERSARY_YEAR),
        lambda: refunded(
            stood(earned(("2026-01-10", "points/2026-01-10", 1)), until("silver", "2028-01-09")).reversed(
                1, lots={NEVER: -1}, movement={"qualifying": {"points/2026-01-10": -1}}
            ),
            until("silver", "2028-01-09"),
        ),
        [],
    ),
    "a lifetime that was taken back": (
        ladder(period=Period.LIFETIME, at_once=True),
        lambda: refunded(
            stood(earned(("2026-01-10", "points/ever", 600)), Standing("silver", "silver")).reversed(
                600, lots={NEVER: -600}, movement={"qualifying": {"points/ever": -600}}
            ),
            Standing("silver", "silver"),
        ),
        [],
    ),
    "a level that is kept": (
        ONE_LEVEL,
        lambda: review(gold(), GOLD, until("silver", "2028-12-31", kept=True), on="2027-12-31"),
        [],
    ),
    "two levels at once, the lower said to be kept": (
        ladder(downgrade=DowngradeBy.ONE_LEVEL),
        lambda: review(gold(), GOLD, replace(BRONZE, kept=True), on="2027-12-31"),
        ["tier_unearned"],
    ),
    "a level that nothing earns, not said to be kept": (
        ONE_LEVEL,
        lambda: review(
            stood(earned(("2026-01-10", "2026", 100)), replace(GOLD, kept=True), source="merge", name="mbr_b"),
            replace(GOLD, kept=True),
            until("silver", "2028-12-31"),
            on="2027-12-31",
        ),
        ["tier_unearned"],
    ),
    "a tier of before is kept through the running period": (
        YEAR,
        lambda: stood(
            by_tier_alone(earned(("2026-01-10", "2026", 600)), "bronze", "silver"),
            until("silver", "2026-12-31", kept=True),
            name="accrual:pos:R-2",
            says={"tier_from": "silver"},
        ),
        [],
    ),
    "up, where tiers never end": (KEPT, lambda: by_tier_alone(twice(), "silver", "gold"), []),
    "up to what nothing earns, where tiers never end": (
        KEPT,
        lambda: by_tier_alone(by_tier_alone(earned(("2026-01-10", "2026", 600)), "bronze", "silver"), "silver", "gold"),
        ["tier_unearned"],
    ),
    "down, where tiers never end": (
        KEPT,
        lambda: by_tier_alone(
            by_tier_alone(earned(("2026-01-10", "2026", 600)), "bronze", "silver"), "silver", "bronze"
        ),
        ["tier_lost_early"],
    ),
    "nowhere": (
        KEPT,
        lambda: by_tier_alone(by_tier_alone(earned(("2026-01-10", "2026", 600)), "bronze", "silver"), "silver", None),
        [],
    ),
    "up, where tiers never end and something is granted": (
        KEPT,
        lambda: stood(
            stood(
                twice(),
                Standing("silver", "silver", **GRANTED),
                replace(BRONZE, tier="silver", earned="silver"),
                source="tier_grant",
                name="tgr_1",
                says={"standing_from": None},
            ),
            Standing("gold", "gold", **GRANTED),
            Standing("silver", "silver", **GRANTED),
            name="accrual:pos:R-2",
        ),
        [],
    ),
    "granted to a tier that nothing ends yet": (
        YEAR,
        lambda: stood(
            by_tier_alone(earned(("2026-01-10", "2026", 600)), "bronze", "silver"),
            Standing("gold", "silver", granted="gold", granted_until=date(2027, 6, 30)),
            Standing("silver", "silver"),
            source="tier_grant",
            name="tgr_1",
            says={"standing_from": None},
        ),
        [],
    ),
    "a grant whose end is missed in its first moment": (
        YEAR,
        lambda: granted().earned("R-2", 5, NEVER, on="2027-06-30T17:00:00Z", movement={"qualifying": {"2027": 5}}),
        ["tier_missed"],
    ),
    "a grant whose last moment it is": (
        YEAR,
        lambda: granted().earned("R-2", 5, NEVER, on="2027-06-30T16:59:59.999Z", movement={"qualifying": {"2027": 5}}),
        [],
    ),
    "less granted than is earned": (YEAR, granted, []),
    "less granted than is earned, and said to be the tier": (
        YEAR,
        lambda: stood(gold(), replace(GOLD, tier="silver", **GRANTED), GOLD, source="tier_grant", name="tgr_1"),
        ["standing_wrong"],
    ),
    "earned by who was merged": (YEAR, lambda: merged(earned(("2026-01-10", "2026", 100)), SILVER), []),
    "a grant of who was merged, that is no tier of anybody": (
        YEAR,
        lambda: merged(earned(("2026-01-10", "2026", 100)), replace(SILVER, tier="gold")),
        ["standing_wrong"],
    ),
}


GUESTS = LadderTerms(
    {"visitor": 0, "regular": 10}, metric="activities.stay", downgrade=DowngradeBy.ACHIEVEMENT, warn_days=(30,)
)
TWO: Scope = replace(SCOPE, ladders={STATUS: ladder(warn_days=(30,)), "guest": GUESTS})


def guest(forgery: Forgery, source: str, name: str, after: Standing = GUEST) -> Forgery:
    """A change on a ladder beside the main one."""
    says = {"tier_from": "visitor", "ladder": "guest"}
    return forgery.post(K.TIER, name, source=source, says=says, movement={"changes": {}, "standings": {"guest": after}})


def old(forgery: Forgery) -> Forgery:
    """A change on a ladder that no version has any more."""
    says = {"tier_from": "visitor", "ladder": "old"}
    moved = {"changes": {}, "standings": {"old": GUEST}}
    return forgery.post(K.TIER, "accrual:pos:R-0", source="tier_recalculation.old", says=says, movement=moved)


LADDERS: dict[str, tuple[Callable[[], Forgery], list[str]]] = {
    "earned by who was merged": (
        lambda: guest(earned(("2026-01-10", "2026", 100)), "merge.guest", "mbr_b"),
        [],
    ),
    "earned by nobody": (
        lambda: guest(earned(("2026-01-10", "2026", 100)), "tier_recalculation.guest", "accrual:pos:R-1"),
        ["tier_unearned"],
    ),
    "where no tier was before": (
        lambda: stood(earned(("2026-01-10", "2026", 600)), SILVER, says={"tier_from": None}, name="accrual:pos:R-1"),
        ["tier_chain_broken"],
    ),
    "a ladder that the program does not have": (lambda: old(earned(("2026-01-10", "2026", 100))), []),
    "a ladder of an older version beside one whose end was missed": (
        lambda: stood(old(earned(("2026-01-10", "2026", 600))), SILVER, name="accrual:pos:R-1").earned(
            "R-2", 5, NEVER, on="2028-01-02", movement={"qualifying": {"2028": 5}}
        ),
        ["tier_missed"],
    ),
    "two that are warned of": (
        lambda: stood(
            guest(earned(("2026-01-10", "2026", 600)), "merge.guest", "mbr_b", until("regular", "2026-12-31")),
            SILVER,
            name="accrual:pos:R-1",
        ),
        [],
    ),
}


@pytest.mark.parametrize("told", ENDS)
def test_a_tier_ends_as_its_ladder_says(told: str) -> None:
    terms, history, expected = ENDS[told]
    assert codes(history().items(on(terms)), on(terms)) == expected


@pytest.mark.parametrize("told", LADDERS)
def test_every_ladder_is_proved_by_itself(told: str) -> None:
    history, expected = LADDERS[told]
    assert codes(history().items(TWO), TWO) == expected


def test_a_recalculation_comes_after_what_was_due_when_it_was_posted_and_not_when_its_accrual_was() -> None:
    forgery = stood(Forgery().earned("R-1", 600, SOON), SILVER, on="2026-04-02", due="2026-01-10")
    found = {(one.code, one.where) for one in audited(forgery.items(TWO), TWO)}
    assert ("expiry_missed", forgery.entries[-1].entry_id) in found


def test_the_tier_of_a_book_without_entries_is_the_first() -> None:
    forgery = Forgery(tier="gold").record("MEMBER", entry_tier="bronze")
    assert codes(forgery.items(TWO), TWO) == ["wallet_tier_wrong"]
