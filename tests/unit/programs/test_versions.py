"""Versions: published, scheduled, cancelled, rolled back; and which of them is in force when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from loyalty.core.errors import DocumentInvalid, LoyaltyError, ProgramNotFound, VersionNotFound
from loyalty.core.money import MINOR_UNITS
from loyalty.core.table import Operation, Table
from loyalty.programs.errors import (
    NothingScheduled,
    ProgramChanged,
    ScheduleDue,
    ShopsLimitExceeded,
    ShopTaken,
    TimeZoneFixed,
    VersionNotSchedulable,
    VersionScheduled,
    WalletFixed,
)
from loyalty.programs.model import ProgramDocument
from loyalty.programs.publication import CACHE_SECONDS, LEAD, Proposal, Version, digest_of, require_version
from loyalty.programs.store import ProgramStore
from loyalty.programs.versions import VersionStore
from loyalty.programs.writing import as_stored
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.fixtures import memory_table, table
from tests.ledgerkit.programs import document

__all__ = ["memory_table", "table"]

NOON = "2026-03-15T12:00:00Z"
EVENING = at("2026-03-15T18:00:00Z")
STAMPS = {"id": "stamps", "name": "Stamps", "expiry": {"policy": "never"}}


class Desk:
    """Publishes ``acme``, and asks as a function would that remembers, and as one that just started."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.clock = SettableClock(at(NOON))
        self.seconds = 0.0
        self.versions = VersionStore(table, self.clock)
        self.remembering = self.started()

    def started(self) -> ProgramStore:
        return ProgramStore(self.table, self.clock, seconds=lambda: self.seconds)

    def publish(self, name: str, expected: int, **proposal: Any) -> Version:
        return self.publish_document(document(name=name), expected, **proposal)

    def publish_document(self, of: ProgramDocument, expected: int, **proposal: Any) -> Version:
        require = partial(require_version, of.id, expected=expected)
        return self.versions.publish(of.id, Proposal(of, "ann", **proposal), require=require)

    def cancel(self) -> Version:
        return self.versions.cancel("acme", "bob", require=lambda _state: None)

    def in_force(self) -> tuple[str, str]:
        """For a function that remembers, and for one that does not."""
        return self.remembering.current("acme").document.name, self.started().current("acme").document.name

    def wait(self, **by: float) -> None:
        self.clock.advance(**by)
        self.seconds += timedelta(**by).total_seconds()


@pytest.fixture
def desk(table: Table) -> Desk:
    desk = Desk(table)
    desk.publish("One", 0)
    return desk


def test_a_version_says_who_published_it_when_why_and_what_it_changed(desk: Desk) -> None:
    desk.wait(hours=1)
    second = desk.publish("Two", 1, comment="A better name")
    assert second == desk.versions.get("acme", 2)
    assert second == Version(
        number=2,
        text=as_stored(document(name="Two")),
        digest=digest_of(as_stored(document(name="Two"))),
        published_at=at("2026-03-15T13:00:00Z"),
        published_by="ann",
        effective_at=at("2026-03-15T13:00:00Z"),
        comment="A better name",
        changes="name One → Two",
    )
    assert desk.versions.get("acme", 1).changes == "the first version"
    with pytest.raises(VersionNotFound, match="no version 3"):
        desk.versions.get("acme", 3)


def test_what_is_published_is_in_force_after_the_cache_time_in_every_function(desk: Desk) -> None:
    assert desk.in_force() == ("One", "One")
    desk.publish("Two", 1)
    desk.wait(seconds=CACHE_SECONDS - 0.001)
    assert desk.in_force() == ("One", "Two")
    desk.wait(seconds=0.001)
    assert desk.in_force() == ("Two", "Two")


def test_what_is_scheduled_is_in_force_from_its_moment_on_in_every_function_and_no_job_has_run(desk: Desk) -> None:
    scheduled = desk.publish("Two", 1, effective_at=at(NOON) + LEAD)
    assert (scheduled.number, scheduled.published_at, scheduled.effective_at) == (2, at(NOON), at(NOON) + LEAD)
    before = list(desk.table.scan())
    desk.wait(seconds=CACHE_SECONDS)
    assert desk.in_force() == ("One", "One")
    # The last read of the one that remembers: from here on its clock decides.
    desk.wait(seconds=LEAD.total_seconds() - CACHE_SECONDS - 0.001)
    assert desk.in_force() == ("One", "One")
    desk.wait(seconds=0.001)
    assert desk.in_force() == ("Two", "Two")
    assert (desk.remembering.current("acme").version, desk.started().version("acme")) == (2, 2)
    assert list(desk.table.scan()) == before


def test_a_function_that_looked_just_before_something_was_scheduled_changes_with_the_others(desk: Desk) -> None:
    assert desk.in_force() == ("One", "One")
    desk.publish("Two", 1, effective_at=at(NOON) + LEAD)
    desk.wait(seconds=LEAD.total_seconds())
    assert desk.in_force() == ("Two", "Two")


def test_what_was_in_force_at_a_past_moment_is_found_however_much_came_since(desk: Desk) -> None:
    moments = {"none": desk.clock.now - timedelta(seconds=1), "One": desk.clock.now}
    desk.wait(hours=1)
    desk.publish("never", 1, effective_at=EVENING - timedelta(hours=2))
    desk.cancel()
    desk.wait(hours=1)
    desk.publish("scheduled", 1, effective_at=EVENING)
    moments |= {"One, still": EVENING - timedelta(milliseconds=1), "scheduled": EVENING}
    desk.wait(hours=6)
    for number in range(3, 15):
        desk.publish(f"later {number}", number)
        moments[f"later {number}"] = desk.clock.now
        desk.wait(hours=1)

    def named(store: ProgramStore, moment: datetime) -> str:
        found = store.at("acme", moment)
        return found.document.name if found else "none"

    for name, moment in moments.items():
        assert (named(desk.remembering, moment), named(desk.started(), moment)) == (name.split(",")[0],) * 2
    with pytest.raises(ProgramNotFound):
        desk.started().at("nowhere", EVENING)


def test_a_function_that_has_both_reads_nothing_to_know_what_was_in_force(desk: Desk) -> None:
    desk.wait(hours=1)
    desk.publish("second", 1, effective_at=EVENING)
    store = desk.started()
    store.current("acme")
    desk.clock.set("2026-03-15T18:00:00Z")
    with recorded(desk.table.client) as calls:
        found = [store.at("acme", moment) for moment in (EVENING - timedelta(seconds=1), EVENING)]
    assert [one.document.name for one in found if one] == ["One", "second"]
    assert calls.names == []


def test_a_function_knows_when_it_will_change(desk: Desk) -> None:
    assert desk.started().changes_at("acme") is None
    desk.publish("Two", 1, effective_at=EVENING)
    assert desk.started().changes_at("acme") == EVENING
    desk.clock.now = EVENING
    assert desk.started().changes_at("acme") is None
    assert desk.started().changes_at("nowhere") is None


def test_what_came_into_force_by_itself_is_what_the_next_version_follows(desk: Desk) -> None:
    desk.publish("Two", 1, effective_at=EVENING)
    before = desk.versions.state("acme")
    desk.clock.now = EVENING
    after = desk.versions.state("acme")
    assert (before.number, after.number, after.scheduled, after.latest) == (1, 2, None, 2)
    assert after.revision == before.revision + 1
    with pytest.raises(ProgramChanged, match="is not 1 but 2"):
        desk.publish("Three", 1)
    assert desk.publish("Three", 2).number == 3
    assert desk.versions.state("acme").revision == after.revision + 1
    desk.publish("Four", 3, effective_at=EVENING + LEAD)
    desk.clock.now = EVENING + LEAD
    assert desk.started().current("acme").version == 4


def test_one_version_is_scheduled_at_a_time(desk: Desk) -> None:
    desk.publish("Two", 1, effective_at=EVENING)
    for later in (None, EVENING + timedelta(days=1)):
        with pytest.raises(VersionScheduled, match=r"Version 2 is scheduled for 2026-03-15T18:00:00\.000Z"):
            desk.publish("Three", 1, effective_at=later)
    assert desk.versions.state("acme").latest == 2


def test_a_scheduled_version_is_replaced_where_that_is_said(desk: Desk) -> None:
    desk.publish("Two", 1, effective_at=EVENING)
    third = desk.publish("Three", 1, replace_scheduled=True)
    assert (third.number, third.changes) == (3, "name One → Three")
    gone = desk.versions.get("acme", 2)
    assert (gone.cancelled_at, gone.cancelled_by) == (at(NOON), "ann")
    desk.clock.now = EVENING
    assert desk.started().current("acme").document.name == "Three"


def test_a_cancelled_version_never_comes_into_force_and_its_number_is_not_given_again(desk: Desk) -> None:
    desk.publish("Two", 1, effective_at=EVENING)
    cancelled = desk.cancel()
    assert (cancelled.number, cancelled.cancelled_by) == (2, "bob")
    assert desk.versions.get("acme", 2) == cancelled
    desk.clock.now = EVENING
    assert desk.started().current("acme").version == 1
    assert desk.publish("Three", 1).number == 3
    with pytest.raises(NothingScheduled):
        desk.cancel()


def test_what_comes_into_force_in_a_moment_is_neither_cancelled_nor_replaced(desk: Desk) -> None:
    """A function may have read of it and not read again before it applies it."""
    desk.publish("Two", 1, effective_at=EVENING)
    desk.clock.now = EVENING - LEAD + timedelta(seconds=1)
    before = list(desk.table.scan())
    with pytest.raises(ScheduleDue, match=r"Version 2 comes into force at 2026-03-15T18:00:00\.000Z"):
        desk.cancel()
    with pytest.raises(ScheduleDue):
        desk.publish("Three", 1, replace_scheduled=True)
    assert list(desk.table.scan()) == before
    desk.clock.now = EVENING - LEAD
    assert desk.cancel().number == 2


@pytest.mark.parametrize(
    ("effective_at", "possible"),
    [
        (at(NOON) - timedelta(days=1), False),
        (at(NOON), False),
        (at(NOON) + LEAD - timedelta(seconds=1), False),
        (at(NOON) + LEAD, True),
        (at(NOON) + timedelta(days=366), True),
        (at(NOON) + timedelta(days=366, seconds=1), False),
    ],
)
def test_a_moment_is_two_minutes_ahead_or_more_and_a_year_at_most(
    desk: Desk, effective_at: Any, possible: bool
) -> None:
    if possible:
        assert desk.publish("Two", 1, effective_at=effective_at).number == 2
        return
    with pytest.raises(VersionNotSchedulable, match=r"between 2026-03-15T12:02:00\.000Z and 2027-03-16") as refused:
        desk.publish("Two", 1, effective_at=effective_at)
    assert refused.value.pointer == "/effective_at"


def test_a_first_version_and_a_change_of_shops_are_not_scheduled(desk: Desk) -> None:
    with pytest.raises(VersionNotSchedulable, match="first version"):
        desk.publish_document(document(id="other"), 0, effective_at=EVENING)
    shops = ["one.myshopify.com"]
    with pytest.raises(VersionNotSchedulable) as refused:
        desk.publish_document(document(shopify_shops=shops), 1, effective_at=EVENING)
    assert refused.value.pointer == "/shopify_shops"
    desk.publish_document(document(shopify_shops=shops), 1)
    assert desk.publish_document(document(name="Two", shopify_shops=shops), 2, effective_at=EVENING).number == 3


@pytest.mark.parametrize(
    ("changes", "refusal"), [({"time_zone": "Asia/Tokyo"}, TimeZoneFixed), ({"wallets": []}, WalletFixed)]
)
def test_what_a_version_must_keep_a_scheduled_one_must_keep_and_whatever_follows_it(
    desk: Desk, changes: dict[str, Any], refusal: type[LoyaltyError]
) -> None:
    desk.publish_document(document(wallets=[STAMPS]), 1)
    with pytest.raises(refusal):
        desk.publish_document(document(**{"wallets": [STAMPS], **changes}), 2, effective_at=EVENING)
    desk.publish_document(document(wallets=[STAMPS, {**STAMPS, "id": "miles"}]), 2, effective_at=EVENING)
    desk.clock.now = EVENING
    # The wallet came with the version that came into force by itself.
    with pytest.raises(WalletFixed, match="'miles'"):
        desk.publish_document(document(wallets=[STAMPS]), 3)


def shops(first: int, count: int) -> list[str]:
    return [f"shop-{number}.myshopify.com" for number in range(first, first + count)]


def test_shops_come_and_go_with_the_version_that_says_so(desk: Desk) -> None:
    desk.publish_document(document(shopify_shops=shops(0, 48)), 1)
    desk.publish_document(document(shopify_shops=shops(48, 47)), 2)
    fresh = desk.started()
    assert [fresh.for_shop(shop) for shop in (*shops(0, 1), *shops(48, 1))] == [None, "acme"]
    with pytest.raises(ShopTaken, match=r"shop-50\.myshopify\.com") as refused:
        desk.publish_document(document(id="other", shopify_shops=[*shops(0, 1), *shops(50, 1)]), 0)
    assert refused.value.pointer == "/shopify_shops"


def test_more_shops_than_one_transaction_takes_are_refused_by_name(desk: Desk) -> None:
    desk.publish_document(document(shopify_shops=shops(0, 50)), 1)
    with pytest.raises(ShopsLimitExceeded, match="97 shops") as refused:
        desk.publish_document(document(shopify_shops=shops(50, 47)), 2)
    assert refused.value.pointer == "/shopify_shops"
    assert desk.versions.state("acme").number == 2


def test_a_document_that_no_item_holds_is_refused_by_name(desk: Desk) -> None:
    rates = [{"points": 10**9, "per": "1.000000000000001", "currency": code} for code in sorted(MINOR_UNITS)[:50]]
    rules = [{"id": f"rule-{number}", "activity": f"activity-{number}", "rates": rates} for number in range(100)]
    with pytest.raises(DocumentInvalid, match="more than 300,000 bytes"):
        desk.publish_document(document(earn_rules=rules), 1)
    assert desk.publish_document(document(earn_rules=rules[:60]), 1).number == 2


def test_what_was_published_before_there_were_revisions_is_followed(desk: Desk, table: Table) -> None:
    """As an earlier release wrote it: neither revision nor digest."""
    for raw in list(table.scan()):
        if raw["pk"]["S"] != "P#acme":
            continue  # the audit trail
        names = ("pk", "sk", "version", "document", "published_at", "published_by")
        table.client.put_item(TableName=table.name, Item={name: raw[name] for name in names})
    state = desk.versions.state("acme")
    assert (state.number, state.latest, state.revision) == (1, 1, 1)
    assert state.in_force is not None
    assert state.in_force.digest == digest_of(state.in_force.text)
    assert state.in_force.effective_at == at(NOON)
    assert desk.publish("Two", 1).number == 2
    assert desk.versions.state("acme").revision == 2


def test_versions_are_paged_newest_first(desk: Desk) -> None:
    for number in range(1, 5):
        desk.publish(f"Name {number}", number)
    first = desk.versions.page("acme", limit=2)
    second = desk.versions.page("acme", limit=2, before=first.next_before)
    third = desk.versions.page("acme", limit=2, before=second.next_before)
    pages = [[one.number for one in page.versions] for page in (first, second, third)]
    assert pages == [[5, 4], [3, 2], [1]]
    assert third.next_before is None
    assert desk.versions.page("acme", limit=2, before=1).versions == []
    assert desk.versions.page("nowhere", limit=2).versions == []


def test_what_was_decided_on_a_state_that_is_no_more_is_not_written(
    desk: Desk, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = table.write

    def late(operations: Sequence[Operation]) -> None:
        monkeypatch.undo()
        desk.publish("Theirs", 1, effective_at=EVENING)
        write(operations)

    monkeypatch.setattr(table, "write", late)
    with pytest.raises(ProgramChanged, match="published meanwhile"):
        desk.publish("Ours", 1)
    assert [one.program.document.name for one in desk.versions.page("acme", limit=9).versions] == ["Theirs", "One"]
