"""How many points of an accrual something given back takes: exact fractions, rounded down once."""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from tests.simulation.oracle.commands import Bought, Refused, Sum, TakeBack
from tests.simulation.oracle.member import Earned


@dataclass(slots=True)
class Part:
    """One reversal's part, and the accrual after it. ``worth`` is in minor units; None where all that is left goes."""

    after: Earned
    points: Counter[str]
    worth: int | None
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By line id: how many are given back, and what was paid for them."""


def part_of(earned: Earned, refund: TakeBack, *, clamp: bool = False) -> Part:
    """What ``refund`` takes of the accrual. With ``clamp``, at most what is left.

    Raises:
        Refused: it gives back what the accrual does not have, or more than is left of it.
    """
    if refund.amount is not None and (earned.paid is None or earned.paid.currency != refund.amount.currency):
        raise Refused("currency_mismatch")
    if any(line_id not in earned.lines for line_id, _ in refund.lines):
        raise Refused("line_not_in_accrual")
    if earned.whole and not clamp:
        raise Refused("accrual_fully_reversed")
    part = Part(earned.copy(), Counter(), None)
    if refund.everything:
        part.after.whole = True
    elif refund.lines:
        _lines(earned, refund, part, clamp=clamp)
    else:
        _money(earned, refund, part, clamp=clamp)
    after = part.after
    after.whole = after.whole or share(after) >= 1
    after.reversals += 1
    for wallet, points in earned.points.items():
        target = points if after.whole else floor(points * share(after))
        part.points[wallet] = target - earned.taken[wallet]
        after.taken[wallet] = target
    return part


def share(earned: Earned) -> Fraction:
    """The part of the purchase that was given back."""
    if earned.whole:
        return Fraction(1)
    found = Fraction(0)
    if earned.money_back is not None and earned.paid is not None:
        found += Fraction(earned.money_back, earned.paid.units)
    for line_id, quantity in earned.lines_back.items():
        bought, paid = earned.lines[line_id]
        if earned.amount is not None:
            found += Fraction(paid * quantity, bought * earned.amount.units)
    return found


def _money(earned: Earned, refund: TakeBack, part: Part, *, clamp: bool) -> None:
    if earned.paid is None or refund.amount is None:
        raise AssertionError
    before = earned.money_back or 0
    part.worth = refund.amount.units
    part.after.money_back = before + refund.amount.units
    if share(part.after) > 1 or earned.whole:
        if not clamp:
            raise Refused("amount_exceeds_accrual")
        part.worth = 0 if earned.whole else floor(earned.paid.units * (1 - share(earned)))
        part.after.money_back = before + part.worth
        part.after.whole = True


def _lines(earned: Earned, refund: TakeBack, part: Part, *, clamp: bool) -> None:
    for line_id, quantity in refund.lines:
        bought, paid = earned.lines[line_id]
        before = earned.lines_back[line_id]
        left = 0 if earned.whole else bought - before
        if quantity > left and not clamp:
            raise Refused("line_quantity_exceeded")
        until = before + min(quantity, left)
        part.lines[line_id] = until - before, paid * until // bought - paid * before // bought
        part.after.lines_back[line_id] = until
    part.worth = sum(worth for _, worth in part.lines.values())
    if share(part.after) > 1:
        if not clamp:
            raise Refused("amount_exceeds_accrual")
        part.after.whole = True


def net_lines(lines: tuple[Bought, ...], amount: Sum | None) -> dict[str, tuple[int, int]]:
    """What was paid for each line, such that together it is the amount: minor unit by minor unit to whom most is owed.

    Raises:
        Refused: two lines are one.
    """
    if len({line.line_id for line in lines}) < len(lines):
        raise Refused("line_repeated")
    if amount is None or not lines:
        return {}
    weights = [line.units for line in lines]
    if not any(weights):
        weights = [line.quantity for line in lines]
    exact = [Fraction(amount.units * weight, sum(weights)) for weight in weights]
    paid = [floor(part) for part in exact]
    while sum(paid) < amount.units:
        most = max(range(len(lines)), key=lambda place: (exact[place] - paid[place], -place))
        paid[most] += 1
    return {line.line_id: (line.quantity, units) for line, units in zip(lines, paid, strict=True)}
