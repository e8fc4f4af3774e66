"""Our orders at suppliers: written down before a supplier is asked, and compared with its own list afterwards.

``F#{program}#{redemption_id}`` / ``ORDER#{nn}``, and in the due index under ``ORDERS#{supplier}#{day}`` of the first
request, in UTC, so that a day's orders of all programs are found together. One that ended on a later day than that has
``ENDED#{nn}`` beside it, in the due index under ``ENDED#{supplier}#{day}`` of its end: most end on the day of the request,
and nothing is written for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.attributes import MomentAttribute, MoneyAttribute
from loyalty.core.clock import to_text
from loyalty.core.listing import Key, all_listed
from loyalty.core.money import Money
from loyalty.core.table import Item, Put, RawItem, Table
from loyalty.fulfillment.runs import run_pk
from loyalty.suppliers.model import Outcome
from loyalty_contract import DUE_AT, DUE_INDEX_KEY

ORDER_PREFIX: Final = "ORDER#"
ENDED_PREFIX: Final = "ENDED#"


@dataclass(frozen=True, slots=True)
class Order:
    """One order of ours. ``number`` counts those of its run, from 1; ``outcome`` is what is known of it by now."""

    program: str
    redemption_id: str
    number: int
    supplier: str
    external_id: str
    product: str
    value: Money
    asked_at: datetime
    last_asked_at: datetime | None = None
    """When it was sent again, the last time; None: it was sent once."""
    outcome: Outcome = Outcome.AMBIGUOUS
    """Ambiguous until the supplier has said what became of it, or shown it."""
    supplier_order_id: str | None = None
    cost: Money | None = None
    settled_at: datetime | None = None
    cancelled_at: datetime | None = None
    """When the supplier took an issued order back."""
    budget: str | None = None
    """The month, ``YYYY-MM`` in the program's zone, whose budget it is counted in; None: in none, or not any more."""

    @property
    def dead(self) -> bool:
        """The supplier has said for good that it gives no card, or has taken it back."""
        return self.outcome is Outcome.REFUSED or self.cancelled_at is not None

    @property
    def ended_at(self) -> datetime | None:
        """Since when we hold it for dead (UTC); None: we do not."""
        return self.cancelled_at or (self.settled_at if self.outcome is Outcome.REFUSED else None)

    @property
    def issued(self) -> bool:
        """Its card is in the vault."""
        return self.outcome is Outcome.ISSUED and self.cancelled_at is None

    @property
    def acknowledged(self) -> bool:
        """The supplier has shown that it has the order, and has not said since that it is dead: it cannot be none."""
        return self.outcome in {Outcome.ISSUED, Outcome.PENDING} and self.cancelled_at is None

    def arrives_within(self, now: datetime, settle_seconds: int) -> int:
        """Seconds for which its last request may still be under way to the supplier; 0: "no order" can be believed."""
        until = (self.last_asked_at or self.asked_at) + timedelta(seconds=settle_seconds)
        return max(0, ceil((until - now).total_seconds()))


class OrderItem(Item):
    """``F#{program}#{redemption_id}`` / ``ORDER#{nn}``."""

    supplier = UnicodeAttribute()
    external_id = UnicodeAttribute()
    product = UnicodeAttribute()
    value = MoneyAttribute()
    asked_at = MomentAttribute()
    last_asked_at = MomentAttribute(null=True)
    outcome = UnicodeAttribute()
    supplier_order_id = UnicodeAttribute(null=True)
    cost = MoneyAttribute(null=True)
    settled_at = MomentAttribute(null=True)
    cancelled_at = MomentAttribute(null=True)
    budget = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY)
    due_at = UnicodeAttribute(attr_name=DUE_AT)


def external_id(redemption_id: str, number: int) -> str:
    """The key that an order bears at the supplier: the redemption's id, with a number from the second order on."""
    return redemption_id if number == 1 else f"{redemption_id}.{number}"


def order_sk(number: int) -> str:
    """The sort key of an order."""
    return f"{ORDER_PREFIX}{number:02d}"


def _shard(supplier: str, day: date) -> str:
    return f"ORDERS#{supplier}#{day}"


def order_item(order: Order) -> OrderItem:
    """An order as it is stored."""
    return OrderItem(
        run_pk(order.program, order.redemption_id),
        order_sk(order.number),
        supplier=order.supplier,
        external_id=order.external_id,
        product=order.product,
        value=order.value,
        asked_at=order.asked_at,
        last_asked_at=order.last_asked_at,
        outcome=order.outcome.value,
        supplier_order_id=order.supplier_order_id,
        cost=order.cost,
        settled_at=order.settled_at,
        cancelled_at=order.cancelled_at,
        budget=order.budget,
        due_shard=_shard(order.supplier, order.asked_at.date()),
        due_at=f"{to_text(order.asked_at)}#{order.external_id}",
    )


def order_put(order: Order, read: Order) -> Put:
    """Writes the order, if it is still as it was read: of the same outcome, not taken back and not sent again since."""
    sent_again, taken_back = OrderItem.last_asked_at, OrderItem.cancelled_at
    same_outcome = OrderItem.outcome == read.outcome.value
    not_sent = sent_again.does_not_exist() if read.last_asked_at is None else sent_again == read.last_asked_at
    not_taken = taken_back.does_not_exist() if read.cancelled_at is None else taken_back == read.cancelled_at
    return Put(order_item(order), same_outcome & not_sent & not_taken)


def order_of(raw: RawItem) -> Order:
    """The order that :func:`order_item` wrote."""
    item = OrderItem.from_raw_data(raw)
    _, program, redemption_id = item.pk.split("#")
    return Order(
        program=program,
        redemption_id=redemption_id,
        number=int(item.sk.removeprefix(ORDER_PREFIX)),
        supplier=item.supplier,
        external_id=item.external_id,
        product=item.product,
        value=item.value,
        asked_at=item.asked_at,
        last_asked_at=item.last_asked_at,
        outcome=Outcome(item.outcome),
        supplier_order_id=item.supplier_order_id,
        cost=item.cost,
        settled_at=item.settled_at,
        cancelled_at=item.cancelled_at,
        budget=item.budget,
    )


class EndedItem(Item):
    """``F#{program}#{redemption_id}`` / ``ENDED#{nn}``: says by its place in the index alone when that order ended."""

    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY)
    due_at = UnicodeAttribute(attr_name=DUE_AT)


def ended_puts(order: Order) -> list[Put]:
    """Has an order found by the day of its end; nothing where that is the day of its request, or it has not ended."""
    ended_at = order.ended_at
    if ended_at is None or ended_at.date() == order.asked_at.date():
        return []
    item = EndedItem(
        run_pk(order.program, order.redemption_id),
        f"{ENDED_PREFIX}{order.number:02d}",
        due_shard=_ended_shard(order.supplier, ended_at.date()),
        due_at=f"{to_text(ended_at)}#{order.external_id}",
    )
    return [Put(item)]


def _ended_shard(supplier: str, day: date) -> str:
    return f"ENDED#{supplier}#{day}"


def _order_key(ended: Key) -> Key:
    """The order whose end an item of the list is."""
    return ended[0], ended[1].replace(ENDED_PREFIX, ORDER_PREFIX)


class OrderStore:
    """Reads of orders; which there are is eventually consistent, each is read consistently."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, program: str, redemption_id: str, number: int) -> Order | None:
        """One order of a run, or None where it was not begun."""
        raw = self._table.read(run_pk(program, redemption_id), order_sk(number))
        return None if raw is None else order_of(raw)

    def of_run(self, program: str, redemption_id: str) -> list[Order]:
        """The orders of a run, the first one first."""
        pk = run_pk(program, redemption_id)
        return [order_of(raw) for raw in self._table.query_all(pk, where=OrderItem.sk.startswith(ORDER_PREFIX))]

    def of_day(self, supplier: str, day: date) -> Iterator[Order]:
        """Our orders of all programs that a supplier was first asked for on a day (UTC), page after page."""
        return all_listed(self._table, _shard(supplier, day), order_of)

    def ended_on(self, supplier: str, day: date) -> Iterator[Order]:
        """Our orders that ended on a day (UTC), after the day on which the supplier was first asked for them."""
        orders = all_listed(self._table, _ended_shard(supplier, day), order_of, record=_order_key)
        # One that stood after all, or ended once more on another day, is not one of this day any more.
        return (order for order in orders if order.ended_at is not None and order.ended_at.date() == day)
