"""What was bought, line by line, as a Shopify order tells it. Pure.

Lines are an extra: an order that counts without them counts with them too. So whatever is odd about them (one of a
payload's lines cannot be read, there are very many, a discount is higher than its line) leaves the purchase without any.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from loyalty.accruals.model import BoughtLine
from loyalty.commerce.fields import AmountText, NumericId, Payload
from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money

MOST_LINES: Final = 50
"""Of a purchase whose lines are kept: an entry stays small."""


class _Allocation(Payload):
    amount: AmountText


class _LineItem(Payload):
    id: NumericId
    quantity: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    price: AmountText
    discount_allocations: tuple[_Allocation, ...] = ()


class _Lines(Payload):
    line_items: Annotated[tuple[_LineItem, ...], Field(max_length=MOST_LINES)] = ()


def bought(payload: Mapping[str, Any], currency: str) -> tuple[BoughtLine, ...]:
    """The order's lines, each net of the discounts that Shopify allocated to it, those of the whole order among them.

    ``price`` and the allocations are in the shop's currency. A line of nothing (it was removed before the order was
    paid) is left out.
    """
    try:
        items = _Lines.model_validate(payload).line_items
        lines = tuple(_line(item, currency) for item in items if item.quantity)
    except (ValidationError, ValueError, LoyaltyError):
        return ()
    return lines if len({line.line_id for line in lines}) == len(lines) else ()


def _line(item: _LineItem, currency: str) -> BoughtLine:
    discounts = sum((Decimal(allocation.amount) for allocation in item.discount_allocations), Decimal(0))
    net = Decimal(item.price) * item.quantity - discounts
    return BoughtLine(Money.of(net, currency), item.quantity, item.id)
