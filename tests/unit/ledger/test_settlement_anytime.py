"""Whether it is settled at once or at any moments between, and whoever writes it down: it is the same."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.table import Put
from loyalty.ledger.draft import Draft
from loyalty.ledger.items import entry_of
from loyalty.ledger.model import POINTS, Book, Entry, Hold, Scope
from loyalty.ledger.settlement import Settled, as_of, next_due, settle
from tests.unit.ledger.falling_due import BEGIN, book, scope, wallet

LOTS = st.dictionaries(
    st.integers(0, 70).map(lambda days: (BEGIN.date() + timedelta(days=days)).isoformat()),
    st.integers(1, 99),
    max_size=3,
)
BUCKETS = st.dictionaries(
    st.tuples(st.integers(1, 60), st.integers(0, 40)).map(
        lambda days: f"{BEGIN.date() + timedelta(days=days[0])}/{BEGIN.date() + timedelta(days=sum(days))}"
    ),
    st.integers(1, 99),
    max_size=3,
)
HOLDS = st.dictionaries(
    st.sampled_from(["rdm_1", "rdm_2"]),
    st.builds(Hold, st.just(POINTS), LOTS, st.integers(1, 24 * 70).map(lambda hours: BEGIN + timedelta(hours=hours))),
)
LAST = BEGIN + timedelta(days=180)


@st.composite
def books(draw: st.DrawFn) -> Book:
    drawn = book(draw(LOTS), draw(BUCKETS), holds=draw(HOLDS), cash=wallet(draw(LOTS), draw(BUCKETS)))
    main = drawn.wallet()
    owing = draw(
        st.sampled_from([main, replace(main, lots={}, available=-30), replace(main, lots={}, available=0, debt=30)])
    )
    return replace(drawn, wallets={**drawn.wallets, POINTS: owing})


SCOPES = st.builds(
    lambda zone, warn, grace: scope(zone, warn=tuple(sorted(warn)), grace=grace),
    st.sampled_from(["UTC", "Asia/Jakarta", "Europe/Rome", "America/Los_Angeles"]),
    st.sets(st.integers(1, 40), max_size=3),
    st.integers(0, 40),
)
MOMENTS = st.lists(st.integers(0, 24 * 110), max_size=4).map(
    lambda hours: [*(BEGIN + timedelta(hours=hour) for hour in sorted(hours)), LAST]
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(books(), SCOPES, MOMENTS)
def test_it_is_the_same_whether_it_is_settled_at_once_or_at_any_moments_between(
    before: Book, terms: Scope, moments: list[datetime]
) -> None:
    at_once = list(settle(before, terms, LAST))
    stepwise: list[Settled] = []
    current = before
    for moment in moments:
        step = list(settle(current, terms, moment))
        assert all(one.at <= moment for one in step)
        stepwise += step
        # As a posting at that moment leaves it: everything due by then is written down.
        current = replace(step[-1].book if step else current, settled_to=moment)
        upcoming = next_due(current, terms)
        assert upcoming is None or upcoming > moment
    assert [(one.key, one.at, one.movement, one.facts) for one in stepwise] == [
        (one.key, one.at, one.movement, one.facts) for one in at_once
    ]
    assert current == replace(as_of(before, terms, LAST), settled_to=LAST)
    assert len({one.key for one in at_once}) == len(at_once)
    assert [one.at for one in at_once] == sorted(one.at for one in at_once)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(books(), SCOPES, MOMENTS)
def test_drafts_at_any_moments_write_the_same_and_never_date_one_entry_before_another(
    before: Book, terms: Scope, moments: list[datetime]
) -> None:
    entries: list[Entry] = []
    current = before
    for moment in moments:
        draft = Draft(terms, current, moment)
        assert draft.complete
        entries += drafted(draft)
        current = draft.book
    at_once = list(settle(before, terms, LAST))
    assert [(entry.key, entry.facts, entry.movement.changes) for entry in entries] == [
        (one.key, one.facts, one.movement.changes) for one in at_once
    ]
    dates = [entry.posted_at for entry in entries]
    assert dates == sorted(dates)
    assert all(entry.facts.occurred_at <= entry.posted_at for entry in entries)
    assert current.wallets == as_of(before, terms, LAST).wallets


def drafted(draft: Draft) -> list[Entry]:
    """The entries that it would write, as they would be read."""
    items = [write.operation.item for write in draft.writes()[1:] if isinstance(write.operation, Put)]
    return [entry_of(item.to_dynamodb_dict()) for item in items]
