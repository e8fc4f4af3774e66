"""Orders of both sides, and a supplier that lists what it is given."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from loyalty.core.money import Money
from loyalty.core.table import Put, Table
from loyalty.fulfillment.orders import Order, external_id, order_item
from loyalty.suppliers.model import GiftCard, OrderRequest, OrderState, Outcome, SupplierError, SupplierOrder
from tests.ledgerkit.clock import at

SUPPLIER: Final = "tremendous"
NOON: Final = at("2026-03-10T12:00:00Z")
DAY: Final = NOON.date()
MONEY: Final = Money.of("10.00", "USD")


def redemption(number: int) -> str:
    return f"rdm_{number:026}"


def our(number: int, **more: Any) -> Order:
    """An issued order of 10 dollars, asked for at noon; the supplier calls it ``S{number}``."""
    issued: dict[str, Any] = {
        "outcome": Outcome.ISSUED,
        "supplier_order_id": f"S{number}",
        "asked_at": NOON,
        "value": MONEY,
    }
    fields: dict[str, Any] = {"program": "acme", "number": 1, "supplier": SUPPLIER, "product": "P1"} | issued | more
    return Order(
        redemption_id=redemption(number), external_id=external_id(redemption(number), fields["number"]), **fields
    )


def their(number: int, **more: Any) -> SupplierOrder:
    """What the supplier lists of :func:`our`."""
    listed = {"order_id": f"S{number}", "external_id": redemption(number), "created_at": NOON + timedelta(seconds=2)}
    fields: dict[str, Any] = {"state": OrderState.EXECUTED, "value": MONEY} | listed | more
    return SupplierOrder(**fields)


def store(table: Table, orders: Iterable[Order]) -> None:
    for order in orders:
        table.write([Put(order_item(order))])


@dataclass
class ListingSupplier:
    """Lists and finds; anything else is not called by a reconciliation. ``fails``: raised after the first page."""

    listed: list[SupplierOrder] = field(default_factory=list)
    fails: SupplierError | None = None
    name: str = SUPPLIER
    found: list[str] = field(default_factory=list)
    watched: Callable[[], None] = lambda: None
    read: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when until when its list was read, each time."""

    def orders(self, start: datetime, end: datetime) -> Iterator[SupplierOrder]:
        self.read.append((start, end))
        for order in self.listed:
            if order.created_at is None or start <= order.created_at < end:
                yield order
                self.watched()
        if self.fails is not None:
            raise self.fails

    def find(self, external_id: str) -> SupplierOrder | None:
        self.found.append(external_id)
        return next((order for order in self.listed if order.external_id == external_id), None)

    def order(self, request: OrderRequest) -> SupplierOrder:
        raise AssertionError(request)

    def card(self, order: SupplierOrder) -> GiftCard:
        raise AssertionError(order)

    def cancel(self, order: SupplierOrder) -> bool:
        raise AssertionError(order)

    def balance(self, currency: str) -> Money:
        raise AssertionError(currency)
