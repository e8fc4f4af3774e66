"""Invoices: each file once, refused whole where it is malformed, and held against our orders line by line."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment.orders import OrderStore
from loyalty.reconciliation.errors import InvoiceInvalid
from loyalty.reconciliation.invoices import Columns, Invoice
from loyalty.reconciliation.invoicing import Invoicing
from loyalty.reconciliation.model import DifferenceKind
from loyalty.reconciliation.service import Reconciliation
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import Outcome
from tests.ledgerkit.clock import SettableClock
from tests.reconkit.files import MemoryFiles
from tests.reconkit.orders import DAY, MONEY, NOON, SUPPLIER, ListingSupplier, our, redemption, store

K = DifferenceKind
BY_US = Columns.of({"external_id": "PO", "amount": "Total"}, "USD")


class Desk:
    def __init__(self, table: Table, folder: Path) -> None:
        self.table, self.path = table, folder / "invoice.csv"
        self.files, self.reports = MemoryFiles(), ReportStore(table, clock := SettableClock(NOON + timedelta(days=30)))
        self.orders = OrderStore(table)
        self.invoicing = Invoicing(self.orders, self.reports, self.files, clock)
        self.clock = clock

    def take(self, *lines: str, columns: Columns = BY_US, heading: str = "PO,Total") -> tuple[Invoice, bool]:
        self.path.write_text("\n".join([heading, *lines, ""]), encoding="utf-8")
        return self.invoicing.take(
            self.path,
            columns,
            supplier=SUPPLIER,
            number="F-7",
            start=DAY,
            end=DAY + timedelta(days=1),
            actor="person:ada",
        )

    def items(self) -> dict[str, tuple[Money | None, Money | None]]:
        found = self.reports.differences(SUPPLIER, DAY + timedelta(days=1))
        return {f"{one.kind} {one.external_id}": (one.ours, one.theirs) for one in found}


@pytest.fixture
def desk(table: Table, tmp_path: Path) -> Desk:
    desk = Desk(table, tmp_path)
    orders = [
        our(1), our(2, cost=Money.of("9.50", "USD")), our(3), our(4), our(5, outcome=Outcome.REFUSED),
        our(6, cancelled_at=NOON), our(7, asked_at=NOON - timedelta(days=1)), our(8, asked_at=NOON - timedelta(days=1)),
    ]  # fmt: skip
    store(table, orders)
    return desk


def test_every_line_is_held_against_our_order(desk: Desk) -> None:
    key = redemption
    taken, before = desk.take(
        f"{key(1)},10.00", f"{key(2)},9.51", f"{key(3)},10.00", f"{key(3)},10.00", f"{key(5)},10.00", f"{key(6)},10.00",
        f"{key(8)},10.00", "PO-99,1.00",
    )  # fmt: skip
    assert (taken.lines, taken.totals, before) == (8, {"USD": Money.of("70.51", "USD")}, False)
    assert taken.differences == {
        K.INVOICED_AMOUNT: 1, K.INVOICED_TWICE: 1, K.NOT_ISSUED: 3, K.NOT_INVOICED: 1,
    }  # fmt: skip
    assert desk.items() == {
        f"invoiced_amount {key(2)}": (Money.of("9.50", "USD"), Money.of("9.51", "USD")),
        f"invoiced_twice {key(3)}": (MONEY, Money.of("20.00", "USD")),
        f"not_invoiced {key(4)}": (MONEY, None),
        f"not_issued {key(5)}": (MONEY, MONEY),
        f"not_issued {key(6)}": (MONEY, MONEY),
        "not_issued PO-99": (None, Money.of("1.00", "USD")),
    }
    rows = desk.files.text(taken.csv_key).splitlines()
    assert rows[0] == "result,order,lines,charged,due,program,redemption_id"
    assert rows[4] == f"invoiced_twice,{key(3)},4 5,20.00 USD,10.00 USD,acme,{key(3)}"
    results = [row.split(",")[0] for row in rows[1:]]
    assert results == [
        "not_issued", "matched", "invoiced_amount", "invoiced_twice", "not_invoiced", "not_issued", "not_issued", "nothing",
        "matched",
    ]  # fmt: skip


def test_open_differences_are_counted_by_day_whether_or_not_the_day_was_compared(desk: Desk) -> None:
    desk.take(f"{redemption(1)},11.00", "PO-99,1.00")
    end, ever = DAY + timedelta(days=1), (date.min, date.max)
    assert desk.reports.page(SUPPLIER, limit=10).items == []
    assert desk.reports.open_days(SUPPLIER, *ever) == {end: 5}
    assert desk.reports.open_days(SUPPLIER, DAY, DAY) == {}
    one = next(iter(desk.reports.differences(SUPPLIER, end)))
    desk.reports.resolve(SUPPLIER, end, one.id, actor="person:bob", note="credited")
    assert desk.reports.open_days(SUPPLIER, end, end) == {end: 4}


def test_a_file_is_imported_once(desk: Desk) -> None:
    first, _ = desk.take(f"{redemption(1)},10.00")
    asked = (
        SUPPLIER,
        DAY + timedelta(days=1),
        next(iter(desk.reports.differences(SUPPLIER, DAY + timedelta(days=1)))).id,
    )
    resolved = desk.reports.resolve(*asked, actor="person:bob", note="on the next one")
    desk.clock.advance(days=1)
    assert desk.take(f"{redemption(1)},10.00") == (first, True)
    assert resolved in list(desk.reports.differences(SUPPLIER, DAY + timedelta(days=1)))


def test_a_day_that_is_compared_again_leaves_what_invoices_brought(desk: Desk) -> None:
    desk.take(f"{redemption(1)},11.00")
    before = desk.items()
    suppliers = {SUPPLIER: ListingSupplier()}
    Reconciliation(
        orders=desk.orders, suppliers=suppliers.__getitem__, reports=desk.reports, files=desk.files, clock=desk.clock
    ).make(SUPPLIER, DAY + timedelta(days=1))
    assert desk.items() == before


def test_orders_are_found_by_the_suppliers_own_name_too(desk: Desk) -> None:
    columns = Columns.of({"order_id": "Order", "amount": "Total", "currency": "Currency"}, None)
    taken, _ = desk.take("S1,10.00,USD", "S4,10,EUR", columns=columns, heading="Order,Total,Currency")
    assert taken.differences == {K.INVOICED_AMOUNT: 1, K.NOT_INVOICED: 2}
    assert desk.items()["invoiced_amount S4"] == (MONEY, Money.of("10.00", "EUR"))


BAD = [
    (["a,1.00", "b,1.001"], "line 3: USD has 2 decimals"),
    (["a,1.00", "b,one"], "line 3: Total is no amount"),
    (["a,-1.00"], "line 2: Total is no amount"),
    (['a,"1,234.50"'], "line 2: Total is no amount"),
    ([",1.00"], "line 2: PO names no order"),
    (["a"], "line 2: it has not as many fields"),
    (["a,1.00,x"], "line 2: it has not as many fields"),
    (['a,"1.00'], "it is no CSV"),
]


@pytest.mark.parametrize(("lines", "said"), BAD)
def test_a_malformed_line_refuses_the_whole_file_by_its_number(desk: Desk, lines: list[str], said: str) -> None:
    with pytest.raises(InvoiceInvalid) as refused:
        desk.take(*lines)
    assert said in refused.value.detail
    assert (desk.items(), desk.files.stored) == ({}, {})


@pytest.mark.parametrize(
    ("mapping", "currency"),
    [
        ({"amount": "Total"}, "USD"),
        ({"external_id": "PO", "order_id": "O", "amount": "T"}, "USD"),
        ({"external_id": "PO", "amount": "T"}, None),
        ({"external_id": "PO", "amount": "T", "currency": "C"}, "USD"),
        ({"external_id": "PO", "amount": "T", "tax": "X"}, "USD"),
    ],
)
def test_what_the_columns_mean_has_to_be_said(mapping: dict[str, str], currency: str | None) -> None:
    with pytest.raises(InvoiceInvalid, match="which column"):
        Columns.of(mapping, currency)


def test_columns_and_period_have_to_be_there(desk: Desk) -> None:
    with pytest.raises(InvoiceInvalid, match="columns are PO, Sum"):
        desk.take("a,1.00", heading="PO,Sum")
    with pytest.raises(InvoiceInvalid, match="period"):
        desk.invoicing.take(
            desk.path, replace(BY_US), supplier=SUPPLIER, number="F", start=DAY, end=DAY - timedelta(days=1), actor="a"
        )
