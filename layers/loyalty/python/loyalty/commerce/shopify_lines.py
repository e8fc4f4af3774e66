"""What was bought, line by line, as a Shopify order tells it. Pure.

Lines are an extra: an order that counts without them counts with them too. So whatever is odd about them (one of a
payload's lines cannot be read, there are very many, a discount is higher than its line) leaves the purchase without any.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError

from loyalty.commerce.fields import AmountText, NumericId, Payload
from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money
from loyalty.programs.deeds import BoughtLine

MOST_LINES: Final = 50
"""Of a purchase whose lines are kept: an entry stays small."""
MOST_CHARACTERS: Final = 100
"""Of what is kept of a line's product."""


def _word(value: Any) -> str | None:
    """A number or a text as conditions compare it; None for what is too long, or no text: it matches nothing."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= MOST_CHARACTERS and text.isprintable() else None


Word = Annotated[str | None, BeforeValidator(_word)]


class _Allocation(Payload):
    amount: AmountText


class _TaxLine(Payload):
    price: AmountText


class _LineItem(Payload):
    id: NumericId
    quantity: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    price: AmountText
    discount_allocations: tuple[_Allocation, ...] = ()
    sku: Word = None
    product_id: Word = None
    product_type: Word = None
    vendor: Word = None
    gift_card: Annotated[bool, BeforeValidator(lambda value: value is True)] = False


class _Lines(Payload):
    line_items: Annotated[tuple[_LineItem, ...], Field(max_length=MOST_LINES)] = ()


class _TaxedItem(Payload):
    quantity: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    tax_lines: tuple[_TaxLine, ...] = ()


class _Taxed(Payload):
    taxes_included: Annotated[bool, BeforeValidator(lambda value: value is True)] = False
    line_items: Annotated[tuple[_TaxedItem, ...], Field(max_length=MOST_LINES)] = ()


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


def tax_within(payload: Mapping[str, Any], subtotal: Money) -> Money | None:
    """The tax in the prices of what was bought; None where prices are without, or where it cannot be told."""
    try:
        order = _Taxed.model_validate(payload)
        if not order.taxes_included:
            return None
        taxes = [Decimal(tax.price) for item in order.line_items if item.quantity for tax in item.tax_lines]
        tax = Money.of(sum(taxes, Decimal(0)), subtotal.currency)
    except (ValidationError, ValueError, LoyaltyError):
        return None
    return tax if 0 < tax.amount <= subtotal.amount else None


def _line(item: _LineItem, currency: str) -> BoughtLine:
    discounts = sum((Decimal(allocation.amount) for allocation in item.discount_allocations), Decimal(0))
    net = Decimal(item.price) * item.quantity - discounts
    return BoughtLine(
        amount=Money.of(net, currency),
        quantity=item.quantity,
        line_id=item.id,
        sku=item.sku,
        product=item.product_id,
        category=item.product_type or item.vendor,
        gift_card=item.gift_card,
        discount=Money.of(discounts, currency) if discounts else None,
    )
