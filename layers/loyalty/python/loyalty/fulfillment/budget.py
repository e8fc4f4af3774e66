"""What a program's gift cards of a month may be worth: counted when an order is begun, given back when it dies.

``F#{program}`` / ``BUDGET#{month}#{currency}``, in whole minor units. Counted in the transaction that writes the order,
and named in the order, so that each order is counted once and given back once.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from loyalty.core.clock import local_date
from loyalty.core.money import Money, minor_units, money_of
from loyalty.core.table import IntegerAttribute, Item, Table, Update
from loyalty.fulfillment.orders import Order

BUDGET_PREFIX: Final = "BUDGET#"


class BudgetItem(Item):
    """``spent``: minor units of the currency."""

    spent = IntegerAttribute()


def budget_key(program: str, month: str, currency: str) -> tuple[str, str]:
    """The keys of a month's count."""
    return f"F#{program}", f"{BUDGET_PREFIX}{month}#{currency}"


def month_of(moment: datetime, zone: ZoneInfo) -> str:
    """The month of ``moment`` in a program's zone, ``YYYY-MM``."""
    return f"{local_date(moment, zone):%Y-%m}"


def spent(table: Table, program: str, month: str, currency: str) -> Money:
    """What the orders of a month are worth, those aside that died."""
    item = table.get(BudgetItem, *budget_key(program, month, currency))
    return money_of(0 if item is None else item.spent, currency)


def fits(spent_so_far: Money, value: Money, budget: Money) -> bool:
    """Whether a card of ``value`` is within the budget."""
    return minor_units(spent_so_far) + minor_units(value) <= minor_units(budget)


def counted(program: str, month: str, value: Money, budget: Money | None) -> Update:
    """Counts an order, if it is within the budget; without one (a person approved it beyond) in any case."""
    units = minor_units(value)
    room = None
    if budget is not None:
        left = minor_units(budget) - units
        room = BudgetItem.spent <= left if left < 0 else BudgetItem.spent.does_not_exist() | (BudgetItem.spent <= left)
    keys = budget_key(program, month, value.currency)
    return Update(BudgetItem, *keys, [BudgetItem.spent.set((BudgetItem.spent | 0) + units)], room)


def given_back(order: Order) -> list[Update]:
    """Takes a dead order out of the month that it is counted in; nothing where it is counted in none."""
    if order.budget is None:
        return []
    keys = budget_key(order.program, order.budget, order.value.currency)
    return [Update(BudgetItem, *keys, [BudgetItem.spent.set(BudgetItem.spent - minor_units(order.value))])]
