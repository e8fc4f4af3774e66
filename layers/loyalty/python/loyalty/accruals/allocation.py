"""What was paid for each line of a purchase, to the last minor unit. Pure.

A line's amount is net of the discounts that the shop allocated to it. Where the lines do not add up to what earned the
points, the shop did not allocate everything: the difference is spread over the lines in proportion to their amounts,
in whole minor units, what is left over going to the lines that lost the largest fraction, earlier lines first.
"""

from collections.abc import Sequence

from loyalty.accruals.errors import CurrencyMismatch, LineRepeated
from loyalty.core.money import Money, minor_units, money_of, spread
from loyalty.ledger.model import Line
from loyalty.programs.deeds import BoughtLine


def net_lines(lines: Sequence[BoughtLine], amount: Money | None) -> dict[str, Line]:
    """The lines that may be given back, by id, with their part of ``amount``.

    Lines without an id share in the amount, but cannot be named later. Where points were not earned by an amount,
    lines have no part in them: there are none.

    Raises:
        LineRepeated: two lines have the same id.
        CurrencyMismatch: a line is in another currency than the amount.
    """
    seen: set[str] = set()
    for place, line in enumerate(lines):
        if line.line_id in seen:
            raise LineRepeated("Two lines have this line_id; give each its own.", pointer=f"/lines/{place}/line_id")
        seen |= {line.line_id} if line.line_id else set()
        if amount is not None and line.amount.currency != amount.currency:
            raise CurrencyMismatch(
                f"The amount is in {amount.currency}, this line in {line.amount.currency}.",
                pointer=f"/lines/{place}/amount/currency",
            )
    if amount is None:
        return {}
    nets = spread(minor_units(amount), [minor_units(line.amount) for line in lines], [line.quantity for line in lines])
    return {
        line.line_id: Line(line.quantity, money_of(net, amount.currency))
        for line, net in zip(lines, nets, strict=True)
        if line.line_id
    }
