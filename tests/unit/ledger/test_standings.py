"""Where a member stands, as it is stored and as it is read; and what an entry says of the rules that gave."""

from datetime import date
from typing import Any

import pytest

from loyalty.ledger.ladders import STATUS, LadderTerms, Standing
from loyalty.ledger.model import POINTS, Book, Facts
from loyalty.ledger.standings import standing_document, standing_of, standings_of
from tests.unit.ledger.forging import START

UNTIL = date(2027, 12, 31)
EVERYTHING = Standing("gold", "silver", UNTIL, kept=True, granted="gold", granted_until=date(2028, 2, 29))


@pytest.mark.parametrize(
    ("standing", "stored"),
    [
        (Standing("silver", "silver"), {"tier": "silver"}),
        (Standing("silver", "silver", UNTIL), {"tier": "silver", "valid_until": "2027-12-31"}),
        (Standing("silver", "silver", UNTIL, kept=True), {"tier": "silver", "valid_until": "2027-12-31", "kept": 1}),
        (
            EVERYTHING,
            {
                "tier": "gold",
                "earned": "silver",
                "valid_until": "2027-12-31",
                "kept": 1,
                "granted": "gold",
                "granted_until": "2028-02-29",
            },
        ),
    ],
)
def test_a_standing_is_stored_without_what_is_as_it_usually_is(standing: Standing, stored: dict[str, Any]) -> None:
    assert standing_document(standing) == stored
    assert standing_of(stored) == standing


def test_where_nothing_is_stored_nobody_stands_anywhere() -> None:
    assert standings_of(None) == {}
    assert standings_of({"guest": {"tier": "regular"}}) == {"guest": Standing("regular", "regular")}


TERMS = LadderTerms({"visitor": 0, "regular": 1})


def test_of_a_ladder_of_which_nothing_is_written_down_the_tier_is_the_book_s_or_the_first() -> None:
    book = Book("acme", "mbr_1", "silver", standings={"spa": EVERYTHING})
    assert book.standing(STATUS, TERMS) == Standing("silver", "silver")
    assert book.standing("guest", TERMS) == Standing("visitor", "visitor")
    assert book.standing("spa", TERMS) == EVERYTHING


@pytest.mark.parametrize(("tally", "tier"), [(-5, "visitor"), (0, "visitor"), (1, "regular"), (2, "regular")])
def test_a_threshold_is_reached_by_as_much(tally: int, tier: str) -> None:
    assert TERMS.reached(tally) == tier


@pytest.mark.parametrize(
    ("wallet", "expected"),
    [(POINTS, {"shop": 4, "double": 3}), ("cash", {"shop": 9}), ("stars", {})],
)
def test_the_points_of_each_rule_are_told_where_one_gave_all_and_where_several_did(
    wallet: str, expected: dict[str, int]
) -> None:
    rules = {POINTS: "shop", "cash": "shop"}
    facts = Facts(START, 1, rules=rules, rule_points={POINTS: {"shop": 4, "double": 3}})
    assert facts.points_by_rule(wallet, 9) == expected
