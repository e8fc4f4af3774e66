"""What of tiers falls due by itself: grants end, earned tiers are reviewed, members are warned. By hand, on calendars."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.ledger.ladders import STATUS, DowngradeBy, LadderTerms, Period, Standing, Tallies
from loyalty.ledger.model import Book, Movement, Scope
from loyalty.ledger.settlement import Settled, as_of, next_due, settle, tallies_of
from tests.ledgerkit.clock import at

TIERS = {"bronze": 0, "silver": 500, "gold": 2000}
GUESTS = {"visitor": 0, "regular": 10}
OPENED = at("2025-03-13T18:00:00Z")
"""In Jakarta this is the 14th."""


def ladder(**terms: Any) -> LadderTerms:
    return LadderTerms(TIERS, **{"downgrade": DowngradeBy.ACHIEVEMENT, **terms})


def guests(**terms: Any) -> LadderTerms:
    return LadderTerms(GUESTS, "activities.stay", **{"downgrade": DowngradeBy.ACHIEVEMENT, **terms})


def scope(zone: str = "UTC", **ladders: LadderTerms) -> Scope:
    return Scope("acme", 7, ZoneInfo(zone), ladders=ladders or {STATUS: ladder()})


def until(tier: str, last: str | None, **more: Any) -> Standing:
    return Standing(**{"tier": tier, "earned": tier, "valid_until": date.fromisoformat(last) if last else None, **more})


def book(counted: Mapping[str, int] | None = None, since: str = "2026-06-01", **standings: Standing) -> Book:
    return Book(
        "acme",
        "mbr_1",
        standings[STATUS].tier if STATUS in standings else "bronze",
        opened_at=OPENED,
        settled_to=at(since),
        qualifying=counted or {},
        standings=standings,
    )


SILVER = until("silver", "2026-12-31")
GOLD = until("gold", "2026-12-31")
BRONZE = until("bronze", None)
FLOOR = replace(SILVER, tier="gold", granted="gold", granted_until=date(2026, 9, 30))


def ids(settled: list[Settled]) -> list[str]:
    return [one.key.entry_id for one in settled]


@pytest.mark.parametrize(
    ("zone", "grace", "last", "moment"),
    [
        ("UTC", 0, "2026-12-31", "2027-01-01T00:00:00Z"),
        ("Asia/Jakarta", 0, "2026-12-31", "2026-12-31T17:00:00Z"),
        ("America/New_York", 0, "2026-12-31", "2027-01-01T05:00:00Z"),
        ("Asia/Jakarta", 31, "2026-12-31", "2027-01-31T17:00:00Z"),
        ("UTC", 1, "2028-02-28", "2028-03-01T00:00:00Z"),  # a leap day of grace
        ("UTC", 1, "2027-02-28", "2027-03-02T00:00:00Z"),
        ("America/Sao_Paulo", 0, "2018-11-03", "2018-11-04T03:00:00Z"),  # the clocks skip midnight
    ],
)
def test_an_earned_tier_is_reviewed_as_the_day_after_its_last_begins(
    zone: str, grace: int, last: str, moment: str
) -> None:
    before, terms = until("silver", last), scope(zone, status=ladder(grace_days=grace))
    stands = book(since="2018-01-01", status=before)
    assert next_due(stands, terms) == at(moment)
    assert list(settle(stands, terms, at(moment) - timedelta(milliseconds=1))) == []
    (review,) = settle(stands, terms, at(moment))
    assert (review.at, review.key.entry_id, review.book.settled_to) == (at(moment), "tier:review:status/1", at(moment))
    assert review.movement == Movement(tier="bronze", standings={STATUS: BRONZE})
    assert (review.book.tier, review.book.standings) == ("bronze", {STATUS: BRONZE})
    facts = review.facts
    assert (facts.occurred_at, facts.program_version) == (at(moment), 7)
    assert (facts.ladder, facts.tier_from, facts.standing_from, facts.falls_to) == (STATUS, "silver", before, None)


def test_a_review_that_extends_a_tier_changes_no_tier() -> None:
    (review,) = settle(book({"2026": 500}, status=SILVER), scope(), at("2027-01-01"))
    assert review.movement == Movement(tier=None, standings={STATUS: until("silver", "2027-12-31")})
    assert review.book.tier == "silver"


def test_a_review_is_of_the_day_on_which_it_fell_due_however_late() -> None:
    """On 1 January 2027 the tally of 2026 counted; what 2027 and 2028 have is of their own reviews."""
    reviews = list(settle(book({"2026": 500}, status=GOLD), scope(), at("2029-06-01")))
    assert ids(reviews) == ["tier:review:status/1", "tier:review:status/2"]
    assert [one.at for one in reviews] == [at("2027-01-01"), at("2028-01-01")]
    assert [one.book.tier for one in reviews] == ["silver", "bronze"]


@pytest.mark.parametrize(
    ("zone", "moment"), [("UTC", "2026-10-01T00:00:00Z"), ("Asia/Jakarta", "2026-09-30T17:00:00Z")]
)
def test_a_grant_ends_as_the_day_after_its_last_begins(zone: str, moment: str) -> None:
    stands, terms = book(status=FLOOR), scope(zone)
    assert next_due(stands, terms) == at(moment)
    assert list(settle(stands, terms, at(moment) - timedelta(milliseconds=1))) == []
    (end,) = settle(stands, terms, at(moment))
    assert (end.key.entry_id, end.at) == ("tier:grant_end:status/1", at(moment))
    assert end.movement == Movement(tier="silver", standings={STATUS: SILVER})
    assert (end.facts.ladder, end.facts.tier_from, end.facts.standing_from) == (STATUS, "gold", FLOOR)
    assert next_due(end.book, terms) == (at("2027-01-01") if zone == "UTC" else at("2026-12-31T17:00:00Z"))


def test_what_a_new_version_ends_in_the_past_turns_no_clock_back() -> None:
    """Nothing is posted before what was settled already, though the review is of New Year."""
    (review,) = settle(book(since="2027-06-01", status=SILVER), scope(), at("2027-06-02"))
    assert (review.at, review.book.settled_to) == (at("2027-01-01"), at("2027-06-01"))


def test_a_grant_ends_also_where_tiers_never_do() -> None:
    terms = scope(status=ladder(downgrade=DowngradeBy.NEVER))
    (end,) = settle(book(status=FLOOR), terms, at("2099-01-01"))
    assert end.key.source == "grant_end"
    assert next_due(end.book, terms) is None


def test_a_grant_and_the_tier_beneath_it_may_end_at_one_moment() -> None:
    floor = replace(FLOOR, granted_until=date(2026, 12, 31))
    end, review = settle(book(status=floor), scope(), at("2027-01-01"))
    assert (end.key.entry_id, review.key.entry_id) == ("tier:grant_end:status/1", "tier:review:status/2")
    assert (end.book.tier, review.book.tier) == ("silver", "bronze")


def test_the_first_tier_and_one_that_nothing_ends_are_never_due() -> None:
    assert next_due(book(status=BRONZE), scope()) is None
    assert next_due(book(status=until("silver", None)), scope()) is None
    assert next_due(book(), scope(status=ladder(warn_days=(30,)))) is None


def test_ladders_fall_due_one_by_one_and_only_the_main_one_is_the_tier() -> None:
    both = book(guest=until("regular", "2026-12-31"), status=SILVER)
    settled = list(settle(both, scope(status=ladder(), guest=guests()), at("2027-01-01")))
    assert ids(settled) == ["tier:review:guest/1", "tier:review:status/2"]
    assert [one.movement.tier for one in settled] == [None, "bronze"]
    assert [one.facts.tier_from for one in settled] == ["regular", "silver"]
    assert settled[0].book.tier == "silver"
    assert settled[1].book.standings == {"guest": until("visitor", None), STATUS: BRONZE}


def test_a_ladder_that_the_program_does_not_have_is_left_alone() -> None:
    assert next_due(book(old=SILVER), scope()) is None


FALLS: dict[str, tuple[LadderTerms, Standing, dict[str, int], str]] = {
    "to what is earned": (ladder(), GOLD, {"2026": 600}, "silver"),
    "to the first": (ladder(), GOLD, {"2025": 600}, "bronze"),
    "one level": (ladder(downgrade=DowngradeBy.ONE_LEVEL), GOLD, {}, "silver"),
    "with a grant that ends with it": (
        ladder(),
        replace(SILVER, tier="gold", granted="gold", granted_until=date(2026, 12, 31)),
        {},
        "bronze",
    ),
    "to what is granted": (
        ladder(),
        replace(GOLD, granted="silver", granted_until=date(2027, 1, 1)),
        {},
        "silver",
    ),
}


@pytest.mark.parametrize("told", FALLS)
def test_who_is_about_to_lose_a_tier_is_warned_of_what_follows(told: str) -> None:
    terms, before, counted, falls_to = FALLS[told]
    days, stands = scope(status=replace(terms, warn_days=(30,))), book(counted, "2026-11-30", status=before)
    (warning,) = settle(stands, days, at("2026-12-01"))
    assert (warning.at, warning.key.entry_id) == (at("2026-12-01"), "tier_warning:status:2026-12-31/30")
    assert warning.movement == Movement()
    facts = warning.facts
    assert (facts.ladder, facts.tier_from, facts.standing_from) == (STATUS, before.tier, before)
    assert facts.falls_to == falls_to
    assert as_of(stands, days, at("2027-01-01")).tier == falls_to


@pytest.mark.parametrize(
    ("terms", "before", "counted"),
    [
        (ladder(), SILVER, {"2026": 500}),
        (ladder(), SILVER, {"2026": 2000}),
        (ladder(), replace(SILVER, tier="gold", granted="gold", granted_until=date(2027, 1, 1)), {}),
        (ladder(), replace(SILVER, granted="silver", granted_until=date(2027, 1, 1)), {}),
    ],
    ids=["earned again", "more is earned", "granted for longer", "the same granted for longer"],
)
def test_who_keeps_the_tier_is_not_warned(terms: LadderTerms, before: Standing, counted: dict[str, int]) -> None:
    stands = book(counted, "2026-11-30", status=before)
    assert list(settle(stands, scope(status=replace(terms, warn_days=(30,))), at("2026-12-31"))) == []


def test_days_of_warning_are_counted_from_the_last_day_of_grace() -> None:
    terms = scope("Asia/Jakarta", status=ladder(grace_days=31, warn_days=(30, 7)))
    settled = list(settle(book(status=SILVER), terms, at("2027-01-31T17:00:00Z")))
    assert ids(settled) == [
        "tier_warning:status:2027-01-31/30",
        "tier_warning:status:2027-01-31/7",
        "tier:review:status/3",
    ]
    assert [one.at for one in settled] == [
        at("2026-12-31T17:00:00Z"),
        at("2027-01-23T17:00:00Z"),
        at("2027-01-31T17:00:00Z"),
    ]


def test_every_ladder_warns_by_itself() -> None:
    both = book(guest=until("regular", "2026-12-31"), status=SILVER)
    terms = scope(status=ladder(warn_days=(7,)), guest=guests(warn_days=(30,)))
    settled = list(settle(both, terms, at("2026-12-25")))
    assert ids(settled) == ["tier_warning:guest:2026-12-31/30", "tier_warning:status:2026-12-31/7"]
    assert [one.facts.falls_to for one in settled] == ["visitor", "bronze"]


def test_a_tier_of_a_year_from_an_anniversary_ends_by_the_program_s_calendar() -> None:
    """Enrolled on the 14th in Jakarta: 600 points of the first year keep silver through the second."""
    years = ladder(period=Period.ANNIVERSARY_YEAR)
    stands = book({"points/2025-03-14": 600}, "2026-01-01", status=until("gold", "2026-03-13"))
    reviews = list(settle(stands, scope("Asia/Jakarta", status=years), at("2027-03-13T17:00:00Z")))
    assert [one.at for one in reviews] == [at("2026-03-13T17:00:00Z"), at("2027-03-13T17:00:00Z")]
    assert reviews[0].book.standings == {STATUS: until("silver", "2027-03-13")}
    assert reviews[1].book.standings == {STATUS: BRONZE}


def test_the_day_of_enrollment_is_the_program_s() -> None:
    counted = {"2026": 1}
    assert tallies_of(book(counted), scope("Asia/Jakarta")) == Tallies(counted, date(2025, 3, 14))
    assert tallies_of(book(counted), scope("UTC")) == Tallies(counted, date(2025, 3, 13))
    assert tallies_of(replace(book(counted), opened_at=None), scope()) == Tallies(counted, None)
