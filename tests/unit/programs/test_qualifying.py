"""What counts towards tiers: points, money in several currencies, activities; and which buckets are over."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.programs.deeds import BoughtLine, Deed, Earner
from loyalty.programs.earning import earn
from loyalty.programs.model import ProgramDocument
from loyalty.programs.qualifying import outdated, tallies
from tests.ledgerkit.clock import at
from tests.ledgerkit.ladders import TIERS, Climb, laddered
from tests.ledgerkit.programs import BASE, document, program
from tests.ledgerkit.story import Story, bought

AT = at("2026-11-22T10:00:00Z")
TODAY, OPENED = date(2026, 11, 22), date(2024, 2, 29)
RATES = [
    {"currency": "EUR", "rate": "1"},
    {"currency": "USD", "rate": "0.9"},
    {"currency": "IDR", "rate": "0.00006"},
    {"currency": "KWD", "rate": "3"},
]
SPEND = {"metric": "spend", "currency": "EUR", "period": "rolling_months", "months": 12}


def ladder(ladder_id: str, **qualification: Any) -> dict[str, Any]:
    return {"id": ladder_id, "name": ladder_id, "tiers": TIERS, "qualification": qualification}


def counted(
    of: ProgramDocument, activity: str = "purchase", amount: str | None = "100.00", currency: str = "EUR"
) -> Any:
    money = None if amount is None else Money.of(amount, currency)
    outcome = earn(of, Deed(activity, AT, amount=money), Earner("bronze"))
    return tallies(of, activity, money, outcome, today=TODAY, opened_on=OPENED)


WALLETS: dict[str, Any] = {
    "wallets": [{"id": "nights", "name": "Nights", "expiry": {"policy": "never"}}],
    "earn_rules": [
        *BASE["earn_rules"],
        {"id": "nights", "activity": "purchase", "wallet": "nights", "fixed_points": 2},
    ],
}


@pytest.mark.parametrize(
    ("changes", "activity", "amount", "currency", "expected"),
    [
        # The plain ladder: the year alone, as it always was.
        ({}, "purchase", "100.00", "EUR", {"2026": 100}),
        ({}, "purchase", "0.50", "EUR", {}),
        ({"qualification": {"period": "rolling_months", "months": 3}}, "purchase", "100.00", "EUR", {"points/2026-11": 100}),
        ({"qualification": {"period": "anniversary_year"}}, "purchase", "100.00", "EUR", {"points/2026-02-28": 100}),
        ({"qualification": {"period": "lifetime"}}, "purchase", "100.00", "EUR", {"points/ever": 100}),
        # Money in cents of the ladder's currency, rounded down once.
        ({"qualification": SPEND, "currencies": RATES}, "purchase", "100.00", "EUR", {"spend.EUR/2026-11": 10_000}),
        ({"qualification": SPEND, "currencies": RATES}, "purchase", "33.33", "USD", {"spend.EUR/2026-11": 2_999}),
        ({"qualification": SPEND, "currencies": RATES}, "purchase", "1.005", "KWD", {"spend.EUR/2026-11": 301}),
        ({"qualification": SPEND, "currencies": RATES}, "purchase", "150000.00", "IDR", {"spend.EUR/2026-11": 900}),
        ({"qualification": SPEND, "currencies": RATES}, "review", None, "EUR", {}),
        # Each distinct metric and period once, whoever counts it.
        (
            {"ladders": [ladder("a"), ladder("b", period="lifetime"), ladder("c", period="lifetime")]},
            "purchase", "100.00", "EUR",
            {"2026": 100, "points/ever": 100},
        ),
        (
            {"ladders": [ladder("a", metric="activities", activities=["review"], period="lifetime")]},
            "review", None, "EUR",
            {"2026": 25, "activities.review/ever": 1},
        ),
        ({"ladders": [ladder("a", metric="activities", activities=["review"])]}, "purchase", "9.00", "EUR", {"2026": 9}),
        (
            {"ladders": [ladder("a", metric="activities", activities=["review", "purchase"])]},
            "purchase", "9.00", "EUR",
            {"2026": 9, "activities+a/2026": 1},
        ),
        (
            {"ladders": [ladder("a", activities=["purchase"])]}, "purchase", "9.00", "EUR",
            {"2026": 9, "points:purchase/2026": 9},
        ),
        (
            {**WALLETS, "ladders": [ladder("a", wallet="nights", period="rolling_months", months=12)]},
            "purchase", "9.00", "EUR",
            {"2026": 9, "points.nights/2026-11": 2},
        ),
    ],
)  # fmt: skip
def test_what_an_activity_counts(
    changes: dict[str, Any], activity: str, amount: str | None, currency: str, expected: dict[str, int]
) -> None:
    assert counted(document(**changes), activity, amount, currency) == expected


@pytest.mark.parametrize(
    ("qualification", "downgrade", "key", "last"),
    [
        # The last day on which a bucket still counts towards some tier.
        ({"period": "rolling_months", "months": 12}, {}, "points/2025-12", "2026-11-30"),
        ({"period": "rolling_months", "months": 1}, {}, "points/2026-11", "2026-11-30"),
        ({"period": "rolling_months", "months": 12}, {"by": "achievement", "grace_days": 30}, "points/2025-12", "2026-12-30"),
        ({"metric": "activities", "activities": ["review"]}, {}, "activities.review/2025", "2026-12-31"),
        ({"metric": "activities", "activities": ["review"]}, {"by": "one_level", "grace_days": 31}, "activities.review/2025", "2027-01-31"),
        # At most two days longer than two years of 365.
        ({"period": "anniversary_year"}, {}, "points/2024-11-23", "2026-11-25"),
        # Whatever no ladder of this version counts: two calendar years, since a later one may count it again.
        ({}, {}, "points/2024-01", "2026-12-31"),
        ({}, {}, "spend.EUR/2024-03-14", "2026-12-31"),
    ],
)  # fmt: skip
def test_a_bucket_is_dropped_the_day_after_it_counts_no_more(
    qualification: dict[str, Any], downgrade: dict[str, Any], key: str, last: str
) -> None:
    ladders = program(qualification=qualification, downgrade=downgrade).scope.ladders
    day = date.fromisoformat(last)
    assert outdated(ladders, {key: 7}, day) == {}
    assert outdated(ladders, {key: 7, "2001": 9, "points/ever": 5}, date.fromordinal(day.toordinal() + 1)) == {key: -7}


def test_an_accrual_takes_what_is_over_along_and_the_book_stays_small(table: Table) -> None:
    member = Climb(table, laddered({"period": "rolling_months", "months": 12}), "2024-01-10T12:00")
    for year in (2024, 2025, 2026):
        for month in range(1, 13):
            member.on(f"{year}-{month:02}-15T12:00", "earn 10")
    book = member.world.book()
    assert dict(book.qualifying) == {f"points/2026-{month:02}": 10 for month in range(1, 13)}
    member.world.proven()


def test_a_refund_takes_its_share_of_each_tally_and_the_last_the_rest(table: Table) -> None:
    of = laddered(
        SPEND, currencies=RATES, ladders=[ladder("a", metric="activities", activities=["purchase"], period="lifetime"),
                                          ladder("b", period="lifetime")],
    )  # fmt: skip
    member = Climb(table, of, "2026-01-10T12:00")
    member.on("2026-02-01T12:00", "earn 99.99")
    tallied = []
    for act in ("refund 1 33.33", "refund 1 33.33", "refund 1"):
        member.on("2026-02-02T12:00", act)
        tallied.append(dict(member.world.book().qualifying))
    # 99 points; a third of 9,999 cents is 3,333, of 99 points 33; the activity counts until all is given back.
    assert tallied == [
        {"spend.EUR/2026-02": 6_666, "activities.purchase/ever": 1, "points/ever": 66},
        {"spend.EUR/2026-02": 3_333, "activities.purchase/ever": 1, "points/ever": 33},
        {},
    ]
    member.world.proven()


def test_a_refund_touches_no_bucket_that_is_over(table: Table) -> None:
    member = Climb(table, laddered({"period": "rolling_months", "months": 1}), "2026-01-10T12:00")
    member.on("2026-02-01T12:00", "earn 100")
    member.on("2026-03-01T12:00", "earn 10")
    member.on("2026-03-02T12:00", "refund 1")
    assert dict(member.world.book().qualifying) == {"points/2026-03": 10}
    member.world.proven()


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a currency without a rate": (
        {"qualification": SPEND}, "qualification", "earn rule 'shop' has a rate for USD; add both to currencies",
    ),
    "a base with a rate": ({"currencies": RATES[1:]}, "currencies", "the base, with rate 1"),
    "a currency twice": ({"currencies": [*RATES, RATES[0]]}, "currencies", "'EUR' is named twice"),
    "a wallet of nowhere": ({"qualification": {"wallet": "nights"}}, "qualification", "the wallet 'nights'"),
    "an activity of nowhere": (
        {"ladders": [ladder("a", metric="activities", activities=["stay"])]}, "ladders", "counts 'stay'",
    ),
    "activities without any": ({"qualification": {"metric": "activities"}}, "qualification", "name those that count"),
    "spend without a currency": ({"qualification": {"metric": "spend"}}, "qualification", "currency is given for"),
    "rolling without months": ({"qualification": {"period": "rolling_months"}}, "qualification", "months is given for"),
    "months of a calendar year": ({"qualification": {"months": 3}}, "qualification", "months is given for"),
    "a lifetime that ends": (
        {"qualification": {"period": "lifetime"}, "downgrade": {"by": "achievement"}}, "downgrade", "never lowers a tier",
    ),
    "a window with a validity": (
        {
            "qualification": {"period": "rolling_months", "months": 3},
            "downgrade": {"by": "achievement", "valid_through": "this_period"},
        },
        "downgrade", "leave valid_through out",
    ),
    "grace of what never ends": ({"downgrade": {"grace_days": 3}}, "downgrade", "no tier ends"),
    "warnings twice": ({"downgrade": {"by": "achievement", "warn_days": [3, 3]}}, "downgrade", "twice"),
    "a second main ladder": ({"ladders": [ladder("status")]}, "ladders", "the main ladder has the id 'status'"),
    "a ladder twice": ({"ladders": [ladder("a"), ladder("a")]}, "ladders", "two ladders have the id 'a'"),
    "a multiplier on another ladder": (
        {"ladders": [{**ladder("a"), "tiers": [{**TIERS[0], "multiplier": "2"}]}]}, "ladders", "only tiers of the main",
    ),
    "a ladder that does not rise": (
        {"ladders": [{**ladder("a"), "tiers": [TIERS[0], TIERS[0]]}]}, "ladders", "list tiers by thresholds that rise",
    ),
    "a ladder without a start": ({"ladders": [{**ladder("a"), "tiers": TIERS[1:]}]}, "ladders", "everybody begins at 0"),
    "a reward for nobody": (
        {"rewards": [{**BASE["rewards"][0], "tiers": ["diamond"]}]}, "rewards", "the tier 'diamond', which no ladder has",
    ),
}  # fmt: skip


def spent(exclusions: list[str], *lines: tuple[str, dict[str, Any]], amount: str, **parts: str) -> Any:
    """What a purchase counts in euro, in a program with these exclusions."""
    of = document(qualification=SPEND, currencies=RATES, exclusions=exclusions)
    money: dict[str, Any] = {name: Money.of(value, "EUR") for name, value in {"amount": amount, **parts}.items()}
    told = tuple(BoughtLine(Money.of(value, "EUR"), **more) for value, more in lines)
    outcome = earn(of, Deed("purchase", AT, lines=told, **money), Earner("bronze"))
    return tallies(of, "purchase", money["amount"], outcome, today=TODAY, opened_on=OPENED)


CARD: tuple[str, dict[str, Any]] = ("25.00", {"gift_card": True})
BOOK: tuple[str, dict[str, Any]] = ("60.00", {})


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (spent([], CARD, BOOK, amount="85.00"), 85_00),
        (spent(["gift_cards"], CARD, BOOK, amount="85.00"), 60_00),
        (spent(["gift_cards"], CARD, amount="25.00"), 0),
        (spent(["gift_cards", "shipping"], CARD, BOOK, amount="90.00", shipping="5.00"), 60_00),
        (spent(["shipping"], amount="90.00", shipping="5.00"), 85_00),
        (spent(["tax"], CARD, BOOK, amount="85.00", tax="17.00"), 68_00),
        (spent(["gift_cards", "tax"], CARD, BOOK, amount="85.00", tax="17.00"), 48_00),
    ],
)
def test_what_exclusions_take_away_counts_as_no_money_spent(counts: dict[str, int], expected: int) -> None:
    assert counts == ({"spend.EUR/2026-11": expected} if expected else {})


def test_a_line_that_did_not_count_takes_nothing_of_the_money_spent_when_it_comes_back(table: Table) -> None:
    of = program(qualification=SPEND, currencies=RATES, exclusions=["gift_cards", "shipping"])
    story = Story(table, of, "2026-03-15T10:00")

    def tally() -> int:
        return sum(story.world.now().qualifying.values())

    # a card for 25, two books for 60 together, shipping 5: 60.00 count.
    story.did("purchase", "90.00", bought("25.00", gift_card=True), bought("60.00", quantity=2), shipping="5.00")
    assert tally() == 60_00
    assert (story.gave_back("R-1", L_1=1), tally()) == (0, 60_00)
    assert (story.gave_back("R-1", L_2=1), tally()) == (30, 30_00)
    assert (story.gave_back("R-1", "9.00"), tally()) == (6, 24_00)  # a tenth of what was paid
    assert (story.gave_back("R-1"), tally()) == (24, 0)
    assert story.world.audit() == []


def test_what_gives_no_points_may_count(table: Table) -> None:
    visits = {"metric": "activities", "activities": ["visit"]}
    tiers = [{"id": "guest", "name": "Guest", "threshold": 0}, {"id": "regular", "name": "Regular", "threshold": 2}]
    ladder = {"id": "visits", "name": "Visits", "tiers": tiers, "qualification": visits}
    rule = {"id": "visit", "activity": "visit", "fixed_points": 0}
    story = Story(table, program(earn_rules=[rule], ladders=[ladder]), "2026-01-01T10:00")
    assert [story.did("visit"), story.standing("visits")] == [{"points": 0}, "guest"]
    assert [story.did("visit"), story.standing("visits")] == [{"points": 0}, "regular"]
    assert story.world.audit() == []


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_work_is_refused_at_its_place(case: str) -> None:
    changes, path, message = WRONG[case]
    with pytest.raises(ValidationError) as refusal:
        document(**changes)
    first = refusal.value.errors()[0]
    assert (first["loc"][0], message in first["msg"]) == (path, True), first


def test_a_threshold_of_money_is_in_whole_units() -> None:
    of = document(qualification=SPEND, currencies=RATES, tiers=TIERS)
    terms = program(qualification=SPEND, currencies=RATES, tiers=TIERS).scope.ladders["status"]
    assert (of.qualification.unit, dict(terms.tiers)) == (100, {"bronze": 0, "silver": 50_000, "gold": 200_000})


def test_a_book_with_three_ladders_of_rolling_years_stays_below_two_kilobytes(table: Table) -> None:
    rolling = {"period": "rolling_months", "months": 12}
    of = laddered(
        {**SPEND}, {"by": "achievement"}, currencies=RATES,
        ladders=[ladder("frequent", metric="activities", activities=["purchase"], **rolling), ladder("points", **rolling)],
    )  # fmt: skip
    member = Climb(table, of, "2024-01-10T12:00")
    for month in range(1, 25):
        member.on(f"{2024 + (month - 1) // 12}-{(month - 1) % 12 + 1:02}-15T12:00", "earn 123.45")
    book = member.world.book()
    assert len(book.qualifying) == 36
    raw = member.world.table.read("M#acme#mbr_1", "WALLET")
    assert raw is not None
    assert len(json.dumps(raw)) < 2048
    member.world.proven()
