"""Both sides of a comparison, page by page on disk and back in the order of their keys.

In memory there is a page of each side and the database's own cache (:data:`CACHE_KIB`), however many orders a day has. On
disk an order takes about a third of a kilobyte for each side.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from loyalty.core.clock import from_text, to_text
from loyalty.core.money import Money
from loyalty.fulfillment.orders import Order
from loyalty.reconciliation.matching import key_of
from loyalty.suppliers.model import OrderState, Outcome, SupplierOrder

CACHE_KIB: Final = 4096
_PAGE: Final = 500
_TABLES: Final = """
CREATE TABLE ours (program TEXT, redemption_id TEXT, number INTEGER, supplier TEXT, key TEXT, product TEXT, value TEXT,
    asked_at TEXT, outcome TEXT, order_id TEXT, cost TEXT, settled_at TEXT, cancelled_at TEXT, ended_on TEXT,
    PRIMARY KEY (key, program, number)) WITHOUT ROWID;
CREATE TABLE theirs (key TEXT, order_id TEXT, external_id TEXT, state TEXT, value TEXT, cost TEXT, created_at TEXT,
    PRIMARY KEY (key, order_id)) WITHOUT ROWID;
"""


class Spill:
    """A database in a temporary folder, gone when the block ends. What is added twice is there once, as it was last added.

    A supplier that lists page by page shows an order twice where a new one shifted the pages.
    """

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="reconciliation-")
        self._database = sqlite3.connect(Path(self._folder.name) / "orders.sqlite", isolation_level=None)
        self._database.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{CACHE_KIB};" + _TABLES
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    def add_ours(self, orders: Iterable[Order]) -> None:
        """Adds orders of ours."""
        self._add("ours", 14, map(_our_row, orders))

    def add_theirs(self, orders: Iterable[SupplierOrder]) -> None:
        """Adds orders of the supplier's."""
        self._add("theirs", 7, map(_their_row, orders))

    def ours(self) -> Iterator[Order]:
        """Sorted by their key."""
        return map(_our_order, self._database.execute("SELECT * FROM ours ORDER BY key, program, number"))

    def theirs(self) -> Iterator[SupplierOrder]:
        """Sorted by their key."""
        return map(_their_order, self._database.execute("SELECT * FROM theirs ORDER BY key, order_id"))

    def unlisted(self, day: date, most: int) -> list[str]:
        """Keys of up to so many orders of a day that the supplier does not list, but for those that came to nothing."""
        found = self._database.execute(
            "SELECT key FROM ours WHERE substr(asked_at, 1, 10) = ? AND outcome != ? AND cancelled_at IS NULL "
            "AND key NOT IN (SELECT key FROM theirs) ORDER BY key LIMIT ?",
            (day.isoformat(), Outcome.REFUSED.value, most),
        )
        return [key for (key,) in found]

    def ended(self, day: date) -> dict[str, date]:
        """Keys of the orders that ended on a day and were asked for on another one, and that one, where nothing is listed."""
        found = self._database.execute(
            "SELECT key, min(substr(asked_at, 1, 10)) FROM ours WHERE ended_on = ? AND substr(asked_at, 1, 10) != ended_on "
            "AND key NOT IN (SELECT key FROM theirs) GROUP BY key ORDER BY key",
            (day.isoformat(),),
        )
        return {key: date.fromisoformat(asked_on) for key, asked_on in found}

    def unknown(self, day: date, most: int) -> set[str]:
        """Keys of up to so many orders that the supplier made on a day and that none of ours bears."""
        found = self._database.execute(
            "SELECT DISTINCT key FROM theirs WHERE external_id IS NOT NULL AND key NOT IN (SELECT key FROM ours) "
            "AND coalesce(substr(created_at, 1, 10), ?) = ? ORDER BY key LIMIT ?",
            (day.isoformat(), day.isoformat(), most),
        )
        return {key for (key,) in found}

    def _add(self, table: str, columns: int, rows: Iterator[tuple[str | int | None, ...]]) -> None:
        insert = f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - two names of ours
        while page := list(islice(rows, _PAGE)):
            self._database.execute("BEGIN")
            self._database.executemany(insert, page)
            self._database.execute("COMMIT")


def _text(money: Money | None) -> str | None:
    return None if money is None else str(money)


def _money(text: str | None) -> Money | None:
    return None if text is None else Money.parse(text)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _our_row(order: Order) -> tuple[str | int | None, ...]:
    return (
        order.program, order.redemption_id, order.number, order.supplier, key_of(order), order.product, str(order.value),
        to_text(order.asked_at), order.outcome.value, order.supplier_order_id, _text(order.cost), _moment(order.settled_at),
        _moment(order.cancelled_at), None if order.ended_at is None else order.ended_at.date().isoformat(),
    )  # fmt: skip


_Row = tuple[
    str, str, int, str, str, str, str, str, str, str | None, str | None, str | None, str | None, str | None
]  # fmt: skip


def _our_order(row: _Row) -> Order:
    program, redemption, number, supplier, key, product, value, asked, outcome, order_id, cost, settled, gone, _ = row
    return Order(
        program, redemption, number, supplier, key, product, Money.parse(value), from_text(asked),
        outcome=Outcome(outcome), supplier_order_id=order_id, cost=_money(cost),
        settled_at=from_text(settled) if settled else None, cancelled_at=from_text(gone) if gone else None,
    )  # fmt: skip


def _their_row(order: SupplierOrder) -> tuple[str | int | None, ...]:
    state, value, cost = order.state.value, _text(order.value), _text(order.cost)
    return key_of(order), order.order_id, order.external_id, state, value, cost, _moment(order.created_at)


def _their_order(row: tuple[str, str, str | None, str, str | None, str | None, str | None]) -> SupplierOrder:
    _, order_id, external_id, state, value, cost, created = row
    return SupplierOrder(
        order_id, external_id, OrderState(state), value=_money(value), cost=_money(cost),
        created_at=from_text(created) if created else None,
    )  # fmt: skip
