"""Many editors and publishers at once: each version is published by one of them, and no draft is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest

from loyalty.core.errors import LoyaltyError, Stale, Unavailable
from loyalty.core.table import Table
from loyalty.programs.drafts import DraftStore
from loyalty.programs.errors import ProgramChanged, ShopTaken, VersionScheduled
from loyalty.programs.lifecycle import ProgramLifecycle
from loyalty.programs.publication import Proposal, Version
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import document

pytestmark = pytest.mark.integration
THREADS = 8
T = TypeVar("T")


@dataclass
class Office:
    table: Table
    clock: SettableClock

    @property
    def lifecycle(self) -> ProgramLifecycle:
        return ProgramLifecycle(DraftStore(self.table), VersionStore(self.table, self.clock), self.clock)

    def publish(self, who: int, expected: int, program: str = "acme", shops: tuple[str, ...] = ()) -> Version:
        named = document(id=program, name=f"Of {who}", shopify_shops=shops)
        return self.lifecycle.publish(Proposal(named, f"publisher-{who}"), expected_version=expected)

    def numbers(self) -> list[int]:
        return [one.number for one in self.lifecycle.versions("acme", limit=50).versions]


@pytest.fixture
def office(table: Table) -> Iterator[Office]:
    """Whatever a test does, versions are numbered without a gap, and the one in force is as it was published."""
    office = Office(table, SettableClock(at("2026-03-15T12:00:00Z")))
    office.publish(0, 0)
    yield office
    numbers = office.numbers()
    assert numbers == list(range(len(numbers), 0, -1))
    state = office.lifecycle.state("acme")
    assert state.latest == numbers[0]
    assert state.in_force == office.lifecycle.version("acme", state.number)


def at_once(work: Callable[[int], T], *expected: type[LoyaltyError], count: int = 16) -> list[T]:
    """What those came back with that were not refused; who met another one on the way tries again."""

    def one(number: int) -> list[T]:
        while True:
            try:
                return [work(number)]
            except Unavailable:
                continue
            except expected:
                return []

    with ThreadPoolExecutor(THREADS) as pool:
        return [found for some in pool.map(one, range(count)) for found in some]


def test_of_many_publishers_exactly_one_wins_each_version(office: Office) -> None:
    winners = [at_once(partial(office.publish, expected=expected), ProgramChanged) for expected in range(1, 5)]
    assert [[one.number for one in won] for won in winners] == [[2], [3], [4], [5]]
    for (won,) in winners:
        assert office.lifecycle.version("acme", won.number).published_by == won.published_by
    current = ProgramStore(office.table, office.clock).current("acme")
    assert current == winners[-1][0].program


def test_publishers_that_read_again_all_get_a_version_of_their_own(office: Office) -> None:
    def publish(who: int) -> Version:
        while True:
            try:
                return office.publish(who, office.lifecycle.state("acme").number)
            except (ProgramChanged, Unavailable):
                continue

    published = at_once(publish, count=8)
    assert sorted(one.number for one in published) == list(range(2, 10))
    assert len({one.published_by for one in published}) == 8


def test_a_draft_is_published_once(office: Office) -> None:
    text = document(name="Of all").model_dump_json()
    office.lifecycle.begin("acme", text, "editor")
    (won,) = at_once(lambda who: office.lifecycle.publish_draft("acme", f"publisher-{who}", revision=1), Stale)
    assert won.number == 2
    assert office.numbers() == [2, 1]


def test_of_many_who_change_one_draft_one_does_and_of_many_who_begin_one(office: Office) -> None:
    text = document().model_dump_json()
    (begun,) = at_once(lambda who: office.lifecycle.begin("acme", text, f"editor-{who}"), Stale)
    (changed,) = at_once(lambda who: office.lifecycle.change("acme", text, f"editor-{who}", revision=1), Stale)
    kept = office.lifecycle.draft("acme").draft
    assert (begun.draft.revision, kept.revision, kept.saved_by) == (1, 2, changed.draft.saved_by)


def test_a_draft_is_published_or_changed_but_not_both(office: Office) -> None:
    text = document(name="Of one").model_dump_json()
    office.lifecycle.begin("acme", text, "editor")

    def either(who: int) -> str:
        if who % 2:
            return f"version {office.lifecycle.publish_draft('acme', 'publisher', revision=1).number}"
        return f"revision {office.lifecycle.change('acme', text, 'editor', revision=1).draft.revision}"

    (happened,) = at_once(either, Stale)
    assert happened in ("version 2", "revision 2")
    assert office.numbers() == ([2, 1] if happened == "version 2" else [1])


def test_one_version_is_scheduled_whoever_else_publishes_or_cancels(office: Office) -> None:
    evening = office.clock() + timedelta(hours=6)

    def anything(who: int) -> None:
        state = office.lifecycle.state("acme")
        if who % 3 == 0 and state.scheduled:
            office.lifecycle.unschedule("acme", f"publisher-{who}", revision=state.revision)
            return
        moment = evening if who % 3 == 1 else None
        proposal = Proposal(document(name=f"Of {who}"), f"publisher-{who}", effective_at=moment)
        office.lifecycle.publish(proposal, expected_version=state.number)

    at_once(anything, Stale, VersionScheduled, count=32)
    state = office.lifecycle.state("acme")
    page = office.lifecycle.versions("acme", limit=50).versions
    waiting = [one for one in page if one.effective_at == evening and one.cancelled_at is None]
    assert waiting == ([state.scheduled] if state.scheduled else [])
    office.clock.now = evening
    expected = waiting[0].number if waiting else state.number
    assert ProgramStore(office.table, office.clock).current("acme").version == expected


def test_a_shop_belongs_to_one_program(office: Office) -> None:
    shop = "example.myshopify.com"

    def claim(who: int) -> str:
        return office.publish(who, 0, program=f"program-{who}", shops=(shop,)).program.document.id

    (owner,) = at_once(claim, ShopTaken, count=8)
    assert ProgramStore(office.table, office.clock).for_shop(shop) == owner
