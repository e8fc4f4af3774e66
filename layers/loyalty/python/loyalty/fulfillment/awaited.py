"""Orders that a supplier has not settled, by its own name for them: so that what it tells later finds the run.

``G#{supplier}`` / ``PENDING#{its name of order or card}``; removed by the table itself, long after any order is settled.
"""

from datetime import datetime, timedelta
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.table import IntegerAttribute, Item, Put, Table
from loyalty.fulfillment.gate import supplier_pk
from loyalty.fulfillment.orders import Order
from loyalty.suppliers.model import SupplierOrder
from loyalty_contract import TTL_ATTRIBUTE

PENDING_PREFIX: Final = "PENDING#"
KEPT_DAYS: Final = 90


class AwaitedItem(Item):
    """Whose order it is."""

    program = UnicodeAttribute()
    redemption_id = UnicodeAttribute()
    external_id = UnicodeAttribute()
    until = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


def awaited_puts(order: Order, shown: SupplierOrder, now: datetime) -> list[Put]:
    """Remembers whose order it is, under each name that the supplier may call it by."""
    until = int((now + timedelta(days=KEPT_DAYS)).timestamp())
    return [
        Put(
            AwaitedItem(
                supplier_pk(order.supplier),
                f"{PENDING_PREFIX}{name}",
                program=order.program,
                redemption_id=order.redemption_id,
                external_id=order.external_id,
                until=until,
            )
        )
        for name in sorted({shown.order_id, shown.reward_id or shown.order_id})
    ]


def awaited(table: Table, supplier: str, name: str) -> AwaitedItem | None:
    """Whose order, or card, it is, or None where we do not wait for it."""
    return table.get(AwaitedItem, supplier_pk(supplier), f"{PENDING_PREFIX}{name}")
