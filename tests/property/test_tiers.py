"""Tiers are the same at every moment, whoever wrote down what fell due and however often."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from loyalty.ledger.ladders import (
    STATUS,
    DowngradeBy,
    LadderTerms,
    Period,
    Standing,
    Tallies,
    bucket,
    last_day,
    reviewed,
)
from loyalty.ledger.model import Book, Scope
from loyalty.ledger.settlement import as_of, next_due, settle

TIERS = {"bronze": 0, "silver": 500, "gold": 2000}
START = datetime(2024, 2, 29, 12, tzinfo=UTC)
ZONES = ("UTC", "Asia/Jakarta", "Europe/Rome", "America/New_York", "Pacific/Auckland", "Pacific/Apia")

PERIODS = st.sampled_from([Period.CALENDAR_YEAR, Period.ANNIVERSARY_YEAR, Period.ROLLING_MONTHS])
TERMS = st.builds(
    LadderTerms,
    st.just(TIERS),
    period=PERIODS,
    months=st.integers(1, 24),
    downgrade=st.sampled_from([DowngradeBy.ACHIEVEMENT, DowngradeBy.ONE_LEVEL]),
    grace_days=st.integers(0, 365),
    warn_days=st.sampled_from([(), (30,), (365, 30, 7)]),
)
EARNED = st.lists(st.tuples(st.integers(0, 1500), st.sampled_from([100, 499, 500, 2000])), max_size=8)
MOMENTS = st.lists(st.integers(0, 24 * 365 * 6), max_size=6)


def _book(terms: LadderTerms, scope: Scope, earned: list[tuple[int, int]]) -> Book:
    """A member on gold, with what was counted on some days after the enrollment."""
    opened_on = START.astimezone(scope.zone).date()
    counted: dict[str, int] = {}
    for days, points in earned:
        key = bucket(terms, opened_on + timedelta(days=days), opened_on)
        counted[key] = counted.get(key, 0) + points
    standing = Standing("gold", "gold", date(2024, 12, 31), granted="silver", granted_until=date(2026, 5, 31))
    return Book(
        "acme", "mbr_1", "gold", opened_at=START, settled_to=START, qualifying=counted, standings={STATUS: standing}
    )


@settings(max_examples=150, deadline=None)
@given(terms=TERMS, zone=st.sampled_from(ZONES), earned=EARNED, moments=MOMENTS, last=st.integers(0, 24 * 365 * 6))
def test_settled_at_any_moments_or_once_a_member_stands_the_same(
    terms: LadderTerms, zone: str, earned: Any, moments: list[int], last: int
) -> None:
    scope = Scope("acme", 1, ZoneInfo(zone), ladders={STATUS: terms})
    book = _book(terms, scope, earned)
    end = START + timedelta(hours=last)
    once = list(settle(book, scope, end))
    often, entries = book, []
    for moment in sorted(START + timedelta(hours=hours) for hours in moments if hours <= last):
        entries += [(one.key, one.movement) for one in settle(often, scope, moment)]
        often = replace(as_of(often, scope, moment), settled_to=moment)
    entries += [(one.key, one.movement) for one in settle(often, scope, end)]
    assert entries == [(one.key, one.movement) for one in once]
    assert len({one.key for one in once}) == len(once)
    after = as_of(book, scope, end)
    assert replace(as_of(often, scope, end), settled_to=None) == replace(after, settled_to=None)
    assert (after.tier, after.standings[STATUS].tier) == (after.standings[STATUS].tier, after.tier)
    due = next_due(replace(after, settled_to=end), scope)
    assert due is None or due > end


@settings(max_examples=300, deadline=None)
@example(
    terms=LadderTerms(TIERS, downgrade=DowngradeBy.ONE_LEVEL, grace_days=1), earned=[(672, 500)], days=1402, tier="gold"
)
@given(terms=TERMS, earned=EARNED, days=st.integers(0, 2000), tier=st.sampled_from(["silver", "gold"]))
def test_a_review_gives_what_is_earned_and_lies_before_the_next(
    terms: LadderTerms, earned: Any, days: int, tier: str
) -> None:
    scope = Scope("acme", 1, ZoneInfo("UTC"), ladders={STATUS: terms})
    tallies = Tallies(_book(terms, scope, earned).qualifying, START.date())
    day = START.date() + timedelta(days=days)
    before = Standing(tier, tier, day - timedelta(days=terms.grace_days + 1))
    after = reviewed(terms, before, tallies, day)
    running, entitled = tallies.reached(terms, day), tallies.entitled(terms, day)
    assert terms.rank(after.earned) >= terms.rank(running.tier)
    lower = terms.rank(tier) - 1 if terms.downgrade is DowngradeBy.ONE_LEVEL else 0
    assert terms.rank(after.earned) == max(terms.rank(entitled.tier), lower)
    # Kept, and not earned: by its rank, or by how long.
    outlasts = after.valid_until and entitled.until and after.valid_until > entitled.until
    assert after.kept == (terms.rank(after.earned) > terms.rank(entitled.tier) or bool(outlasts))
    ends = last_day(terms, after)
    assert ends is None if after.earned == "bronze" else ends is not None and ends >= day
