"""The report of a day: what is read, what is written, and what a person resolved."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment.orders import Order, OrderStore, ended_puts
from loyalty.reconciliation import service
from loyalty.reconciliation.errors import (
    DifferenceAlreadyResolved,
    DifferenceNotFound,
    ReportNotFound,
    ResolutionNoteRequired,
)
from loyalty.reconciliation.model import PLATFORM, Difference, DifferenceKind
from loyalty.reconciliation.service import MOST_ASKED, Reconciliation
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import OrderState, Outcome, SupplierUnavailable
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.trails import lines
from tests.reconkit.files import MemoryFiles
from tests.reconkit.orders import DAY, MONEY, NOON, SUPPLIER, ListingSupplier, our, redemption, store, their

K = DifferenceKind


class Desk:
    """A reconciliation over one supplier, the morning after."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.clock = SettableClock(NOON + timedelta(hours=16))
        self.supplier = ListingSupplier()
        self.files = MemoryFiles()
        self.reports = ReportStore(table, self.clock)
        self.made = Reconciliation(
            orders=OrderStore(table),
            suppliers={SUPPLIER: self.supplier}.__getitem__,
            reports=self.reports,
            files=self.files,
            clock=self.clock,
        )

    def differences(self) -> dict[str, Difference]:
        return {one.id: one for one in self.reports.differences(SUPPLIER, DAY)}

    def open(self) -> list[str]:
        return [one.id for one in self.reports.open(SUPPLIER, limit=100).items]


@pytest.fixture
def desk(table: Table) -> Desk:
    return Desk(table)


def test_a_report_says_what_both_sides_have_and_where_they_differ(desk: Desk) -> None:
    store(desk.table, [our(1), our(2), our(3, value=Money.of("25.00", "EUR")), our(4, outcome=Outcome.REFUSED)])
    desk.supplier.listed = [their(1), their(3, value=Money.of("25.01", "EUR")), their(9, external_id="@sum(1)")]
    report, still_open = desk.made.make(SUPPLIER, DAY)
    assert (report.matched, report.ours_count, report.theirs_count, still_open) == (1, 3, 3, 3)
    assert report.ours == {"USD": Money.of("20.00", "USD"), "EUR": Money.of("25.00", "EUR")}
    assert report.theirs == {"USD": Money.of("20.00", "USD"), "EUR": Money.of("25.01", "EUR")}
    assert report.differences == {K.MISSING_THERE: 1, K.AMOUNT: 1, K.MISSING_HERE: 1}
    assert desk.reports.get(SUPPLIER, DAY) == report
    assert sorted(desk.open()) == ["amount:S3", "missing_here:S9", "missing_there:S2"]

    rows = list(csv.DictReader(io.StringIO(desk.files.text("reconciliation/tremendous/2026-03-10/report.csv"))))
    assert [(row["result"], row["our_value"], row["their_value"]) for row in rows] == [
        ("missing_here", "", "10.00 USD"), ("matched", "10.00 USD", "10.00 USD"), ("missing_there", "10.00 USD", ""),
        ("amount", "25.00 EUR", "25.01 EUR"), ("nothing", "10.00 USD", ""),
    ]  # fmt: skip
    assert rows[0]["external_id"] == "'@sum(1)", "a spreadsheet does not take it for a formula"
    told = json.loads(desk.files.text("reconciliation/tremendous/2026-03-10/report.json"))
    assert told["ours"] == {"count": 3, "value": {"EUR": "25.00", "USD": "20.00"}}
    assert [(one["kind"], one["ours"], one["theirs"]) for one in told["items"]] == [
        ("missing_here", None, "10.00 USD"), ("missing_there", "10.00 USD", None), ("amount", "25.00 EUR", "25.01 EUR"),
    ]  # fmt: skip


def test_an_empty_day_has_a_report(desk: Desk) -> None:
    report, still_open = desk.made.make(SUPPLIER, DAY)
    assert (report.matched, report.ours, report.differences, still_open) == (0, {}, {}, 0)
    assert json.loads(desk.files.text(report.json_key))["items"] == []


def test_what_the_list_lacks_is_asked_for_by_its_key(desk: Desk) -> None:
    store(desk.table, [our(1), our(2), our(3, outcome=Outcome.REFUSED)])
    desk.supplier.listed = [their(1), their(2, created_at=NOON + timedelta(days=5))]
    report, still_open = desk.made.make(SUPPLIER, DAY)
    assert (report.matched, still_open) == (2, 0)
    assert desk.supplier.found == [redemption(2)], "of a refused order nobody expects anything"


def test_not_for_every_order_of_a_day_that_is_missing_as_a_whole(desk: Desk) -> None:
    store(desk.table, [our(number) for number in range(MOST_ASKED + 5)])
    report, still_open = desk.made.make(SUPPLIER, DAY)
    assert (report.differences, still_open) == ({K.MISSING_THERE: MOST_ASKED + 5}, MOST_ASKED + 5)
    assert len(desk.supplier.found) == MOST_ASKED


def ended(number: int, days: int) -> Order:
    """One of some days before that was taken back on the day."""
    return our(number, asked_at=NOON - timedelta(days=days), cancelled_at=NOON)


def save_ended(desk: Desk, orders: Sequence[Order]) -> None:
    store(desk.table, orders)
    for puts in filter(None, map(ended_puts, orders)):
        desk.table.write(puts)


def test_what_was_taken_back_weeks_later_is_asked_for_by_its_key(desk: Desk) -> None:
    save_ended(desk, [ended(1, 30), ended(2, 30), ended(3, 1), ended(4, 0)])
    made = {"created_at": NOON - timedelta(days=30)}
    desk.supplier.listed = [their(1, **made), their(2, state=OrderState.DEAD, **made)]
    report, _ = desk.made.make(SUPPLIER, DAY)
    assert (report.differences, report.matched, report.theirs, report.theirs_count) == ({K.MISSING_HERE: 1}, 1, {}, 0)
    assert desk.open() == ["missing_here:S1"]
    assert desk.supplier.found == [redemption(number) for number in (1, 2, 3)], "its own day's report has the fourth"
    store(desk.table, [replace(ended(1, 30), cancelled_at=None)])
    assert desk.made.make(SUPPLIER, DAY)[1] == 0, "it was found to stand: no difference any more"
    assert {order.redemption_id for order in OrderStore(desk.table).ended_on(SUPPLIER, DAY)} == {
        redemption(2),
        redemption(3),
    }


def test_where_a_campaign_was_taken_back_the_lists_of_its_days_are_read(desk: Desk) -> None:
    """Of more orders than are asked for by their key one is executed still, made two days after it was asked for."""
    save_ended(desk, [ended(number, 20 + number % 2) for number in range(MOST_ASKED + 5)])
    desk.supplier.listed = [
        their(number, state=OrderState.DEAD, created_at=NOON - timedelta(days=20 + number % 2))
        for number in range(1, MOST_ASKED + 5)
    ]
    desk.supplier.listed += [
        their(0, created_at=NOON - timedelta(days=18)),
        their(900, created_at=NOON - timedelta(days=20)),
    ]
    report, _ = desk.made.make(SUPPLIER, DAY)
    assert (report.matched, desk.open()) == (MOST_ASKED + 4, ["missing_here:S0"])
    assert desk.supplier.found == [redemption(0)], "the lists had all the others"
    read = [(f"{start:%m-%d}", f"{end:%m-%d}") for start, end in desk.supplier.read]
    assert read == [("03-09", "03-12"), ("02-17", "02-19"), ("02-18", "02-20")]


def test_what_the_supplier_made_days_after_we_asked_is_none_that_is_missing_here(desk: Desk) -> None:
    store(desk.table, [our(1, asked_at=NOON - timedelta(days=6))])
    desk.supplier.listed = [their(1), their(2)]
    assert desk.made.make(SUPPLIER, DAY)[0].differences == {K.MISSING_HERE: 1}
    assert list(desk.differences()) == ["missing_here:S2"]


def test_made_again_it_picks_up_what_was_late_and_leaves_what_a_person_resolved(desk: Desk) -> None:
    store(desk.table, [our(1), our(2), our(3)])
    desk.made.make(SUPPLIER, DAY)
    missing = ["missing_there:S1", "missing_there:S2", "missing_there:S3"]
    assert desk.open() == missing
    resolved = desk.reports.resolve(SUPPLIER, DAY, missing[0], actor="person:ada", note=" Asked them; ticket 7. ")
    assert (resolved.note, resolved.resolved_at) == ("Asked them; ticket 7.", desk.clock())
    assert desk.open() == missing[1:]

    desk.clock.advance(days=1)
    desk.supplier.listed = [their(2)]
    assert desk.made.make(SUPPLIER, DAY)[1] == 1
    found = desk.differences()
    assert {one: found[one].resolved_by for one in missing} == dict(
        zip(missing, ["person:ada", PLATFORM, None], strict=True)
    )
    assert found[missing[0]] == resolved
    desk.supplier.listed = []
    assert desk.made.make(SUPPLIER, DAY)[1] == 2, "what came and went is open again"
    assert desk.open() == missing[1:]
    assert desk.differences()[missing[0]] == resolved


def test_what_is_a_work_item_stays_one_behind_more_differences_than_become_items(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made first when the supplier listed six orders of nine, then when it listed one."""
    monkeypatch.setattr(service, "MOST_ITEMS", 3)
    store(desk.table, [our(number) for number in range(1, 10)])
    missing = {number: f"missing_there:S{number}" for number in range(1, 10)}
    desk.supplier.listed = [their(number) for number in range(1, 10) if number not in {2, 7, 8}]
    assert desk.made.make(SUPPLIER, DAY)[1] == 3
    desk.supplier.listed = [their(8)]
    report, still_open = desk.made.make(SUPPLIER, DAY)
    assert (report.differences, still_open) == ({K.MISSING_THERE: 8}, 4)
    assert desk.open() == [missing[number] for number in (1, 2, 3, 7)]
    assert [one.resolved_by for one in desk.differences().values()] == [None, None, None, None, PLATFORM]
    desk.supplier.listed = []
    assert desk.made.make(SUPPLIER, DAY)[1] == 5, "found again behind the others, it is open again"
    assert missing[8] in desk.open()


def test_a_list_that_breaks_off_leaves_the_report_that_was_made_before(desk: Desk) -> None:
    desk.supplier.listed = [their(1)]
    before = desk.made.make(SUPPLIER, DAY)[0]
    items = {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in desk.table.scan()}
    desk.supplier.fails = SupplierUnavailable("the supplier answered 503")
    with pytest.raises(SupplierUnavailable):
        desk.made.make(SUPPLIER, DAY)
    assert {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in desk.table.scan()} == items
    assert desk.reports.get(SUPPLIER, DAY) == before


def test_a_difference_is_resolved_once_with_a_note(desk: Desk) -> None:
    store(desk.table, [our(1)])
    desk.made.make(SUPPLIER, DAY)
    asked = (SUPPLIER, DAY, "missing_there:S1")
    with pytest.raises(ResolutionNoteRequired):
        desk.reports.resolve(*asked, actor="person:ada", note="  ")
    with pytest.raises(DifferenceNotFound):
        desk.reports.resolve(SUPPLIER, DAY, "missing_there:S2", actor="person:ada", note="gone")
    first = desk.reports.resolve(*asked, actor="person:ada", note="refunded")
    desk.clock.advance(hours=1)
    assert desk.reports.resolve(*asked, actor="person:ada", note="refunded") == first
    with pytest.raises(DifferenceAlreadyResolved, match="person:ada"):
        desk.reports.resolve(*asked, actor="person:bob", note="refunded")
    (line,) = lines(desk.table, "_platform")
    assert (line["action"], line["actor"]) == ("difference.resolved", "person:ada")
    assert "refunded" not in str(line), "the note stays with the difference"


def test_reports_and_open_differences_come_in_pages(desk: Desk) -> None:
    for back in range(3):
        store(desk.table, [replace(our(back), asked_at=NOON - timedelta(days=back))])
        desk.made.make(SUPPLIER, DAY - timedelta(days=back))
    first = desk.reports.page(SUPPLIER, limit=2)
    assert [report.day.day for report in first.items] == [10, 9]
    assert [report.day.day for report in desk.reports.page(SUPPLIER, limit=2, after=first.next).items] == [8]
    items = desk.reports.open(SUPPLIER, limit=2)
    assert [one.day.day for one in items.items] == [8, 9]
    assert [one.ours for one in desk.reports.open(SUPPLIER, limit=2, after=items.next).items] == [MONEY]
    with pytest.raises(ReportNotFound):
        desk.reports.get(SUPPLIER, DAY + timedelta(days=1))
