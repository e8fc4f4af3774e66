"""How much of a purchase was given back, and how many of its points that takes. Pure, exact, rounded once.

::

    share  = money given back / what was paid in all  +  lines given back / what earned the points
    target = floor(points * share)                       all points once the share is 1

Where lines did not earn in proportion to their amounts, a line takes what it earned itself, and its part of what is of no
line::

    target = floor(points * money's share  +  what the lines given back earned  +  the rest * their share)

What one reversal takes is the target with it less what earlier ones took: so the sum never passes the accrual, the last
part settles what rounding left, and the order of reversals does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import floor

from loyalty.accruals.errors import (
    AccrualFullyReversed,
    AmountExceedsAccrual,
    CurrencyMismatch,
    LineNotInAccrual,
    LineQuantityExceeded,
)
from loyalty.accruals.model import Refund
from loyalty.core.money import Money, minor_units, money_of
from loyalty.ledger.ladders import counts_money, wallet_of
from loyalty.ledger.model import Account, Entry, EntryKey, Facts, Line, Movement


@dataclass(frozen=True, slots=True)
class Original:
    """An accrual, as its reversals look at it; ``member_id`` is the one whose partition it is in."""

    member_id: str
    key: EntryKey
    facts: Facts
    movement: Movement

    @classmethod
    def of(cls, entry: Entry) -> "Original":
        """What was posted."""
        return cls(entry.member_id, entry.key, entry.facts, entry.movement)

    @property
    def paid(self) -> Money | None:
        """The whole of which refunds of money are parts."""
        return self.facts.refund_basis or self.facts.amount

    @property
    def points(self) -> dict[str, int]:
        """What was earned, by wallet."""
        earned = {wallet: -change.postings.get(Account.ISSUED, 0) for wallet, change in self.movement.changes.items()}
        return {wallet: points for wallet, points in earned.items() if points}


@dataclass(frozen=True, slots=True)
class Reversed:
    """What reversals took back of one accrual so far.

    ``points`` and ``lapsed`` are by wallet; ``lapsed`` is the part of the points that had expired before. ``money`` is
    what refunds of money gave back (None: there was none), ``lines`` the quantities given back by line id. ``whole``
    says that nothing is left.
    """

    points: Mapping[str, int] = field(default_factory=dict)
    lapsed: Mapping[str, int] = field(default_factory=dict)
    money: Decimal | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    whole: bool = False
    reversals: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What one reversal gives back: of the purchase, and so of its points, by wallet. ``after`` is all until with it.

    ``tallies`` is what it takes from what counts towards tiers, by bucket.
    ``amount`` is the money of it; None where all that was left is given back.
    """

    amount: Money | None
    lines: Mapping[str, Line]
    points: Mapping[str, int]
    tallies: Mapping[str, int]
    after: Reversed


def part_of(original: Original, before: Reversed, refund: Refund, *, clamp: bool) -> Part:
    """What ``refund`` gives back. With ``clamp`` one of more than is left gives back what is left.

    Raises:
        CurrencyMismatch: money in another currency than the accrual's, or of one without an amount.
        LineNotInAccrual: the accrual has no such line.
        AccrualFullyReversed: everything was given back before.
        LineQuantityExceeded: more of a line than is left of it.
        AmountExceedsAccrual: more than is left of the whole.
    """
    _require_same_kind(original, refund)
    if before.whole and not clamp:
        raise AccrualFullyReversed(f"Everything of '{original.key.entry_id}' was taken back before.")
    if refund.everything:
        amount, lines, after = None, dict[str, Line](), replace(before, whole=True)
    elif refund.lines:
        amount, lines, after = _by_lines(original, before, refund.lines, clamp=clamp)
    else:
        amount, after = _by_money(original, before, refund, clamp=clamp)
        lines = {}
    given_back = _share(original, after)
    after = replace(after, whole=after.whole or given_back >= 1, reversals=before.reversals + 1)
    targets = {wallet: _target(original, after, wallet) for wallet in original.points}
    parts = {wallet: target - before.points.get(wallet, 0) for wallet, target in targets.items()}
    counted = original.movement.qualifying.items()
    tallies = {
        key: _uncounted(original, key, before, after, parts)
        for key, number in counted
        if number > 0  # below zero is a bucket whose time was over
    }
    return Part(amount, lines, parts, tallies, replace(after, points=targets))


def left_of(original: Original, given_back: Reversed) -> Money | None:
    """What is left of the amount that earned, in whole minor units; None where it had no amount."""
    amount = original.facts.amount
    if amount is None:
        return None
    share = min(_share(original, given_back), Fraction(1))
    return money_of(floor(minor_units(amount) * (1 - share)), amount.currency)


def _uncounted(original: Original, key: str, before: Reversed, after: Reversed, parts: Mapping[str, int]) -> int:
    """What goes of a tally.

    Of points as many as are taken, whichever lines earned them. Of money the share of what counted. Else the same share as of
    the purchase.
    """
    number, wallet = original.movement.qualifying[key], wallet_of(key)
    if wallet is not None and wallet in parts and number == original.points[wallet]:
        return parts[wallet]
    share = _share_of_what_counted if counts_money(key) else _share
    return floor(number * min(share(original, after), Fraction(1))) - floor(
        number * min(share(original, before), Fraction(1))
    )


def _require_same_kind(original: Original, refund: Refund) -> None:
    if refund.amount is not None and (original.paid is None or original.paid.currency != refund.amount.currency):
        raise CurrencyMismatch(
            f"The accrual was in {original.paid.currency if original.paid else 'points, without an amount'}, the "
            f"refund is in {refund.amount.currency}."
        )
    for place, line_id in enumerate(refund.lines):
        if line_id not in original.facts.lines:
            raise LineNotInAccrual(
                f"'{original.key.entry_id}' has no line of that id to give back.", pointer=f"/lines/{place}/line_id"
            )


def _by_money(original: Original, before: Reversed, refund: Refund, *, clamp: bool) -> tuple[Money, Reversed]:
    paid, given = original.paid, refund.amount
    if paid is None or given is None:
        raise AssertionError("a refund of money, of something that was paid")
    already = before.money or Decimal(0)
    after = replace(before, money=already + given.amount)
    if _share(original, after) <= 1 and not before.whole:
        return given, after
    if not clamp:
        raise AmountExceedsAccrual(
            f"Refunds of '{original.key.entry_id}' would come to {after.money} of {paid}, beside lines given back."
            if before.lines
            else f"Refunds of '{original.key.entry_id}' would come to {after.money} of {paid}."
        )
    left = 0 if before.whole else floor(minor_units(paid) * (1 - _share(original, before)))
    rest = money_of(left, paid.currency)
    return rest, replace(before, money=already + rest.amount, whole=True)


def _by_lines(
    original: Original, before: Reversed, wanted: Mapping[str, int], *, clamp: bool
) -> tuple[Money | None, dict[str, Line], Reversed]:
    lines, totals = dict[str, Line](), dict(before.lines)
    for place, (line_id, quantity) in enumerate(wanted.items()):
        bought, already = original.facts.lines[line_id], before.lines.get(line_id, 0)
        left = 0 if before.whole else bought.quantity - already
        if quantity > left and not clamp:
            raise LineQuantityExceeded(
                f"{left} of {bought.quantity} are left to give back of this line.", pointer=f"/lines/{place}/quantity"
            )
        totals[line_id] = already + min(quantity, left)
        lines[line_id] = Line(min(quantity, left), _worth(bought, already, totals[line_id]))
    after = replace(before, lines=totals)
    if _share(original, after) > 1:
        if not clamp:
            raise AmountExceedsAccrual(
                f"With these lines more would be given back of '{original.key.entry_id}' than was paid: "
                f"{before.money} were given back in money before."
            )
        after = replace(after, whole=True)
    currency = next(iter(lines.values())).amount.currency
    return money_of(sum(minor_units(line.amount) for line in lines.values()), currency), lines, after


def _worth(bought: Line, already: int, until: int) -> Money:
    """What was paid for the pieces of a line after ``already`` until ``until`` of them: all together, all of it."""
    whole = minor_units(bought.amount)
    units = whole * until // bought.quantity - whole * already // bought.quantity
    return money_of(units, bought.amount.currency)


def _target(original: Original, given_back: Reversed, wallet: str) -> int:
    """The points of a wallet that are to be taken back in all, of what was given back in all."""
    points = original.points[wallet]
    if given_back.whole:
        return points
    earned = {key: line.points.get(wallet, 0) for key, line in original.facts.lines.items()}
    rest = points - sum(earned.values())
    of_lines = sum(
        (
            Fraction(earned[key] * quantity, original.facts.lines[key].quantity)
            for key, quantity in given_back.lines.items()
        ),
        Fraction(0),
    )
    target = points * _by_money_share(original, given_back) + of_lines + rest * _by_lines_share(original, given_back)
    return min(floor(target), points)


def _share(original: Original, given_back: Reversed) -> Fraction:
    """The part of the purchase that was given back: from 0 to 1, or more where it cannot be."""
    if given_back.whole:
        return Fraction(1)
    return _by_money_share(original, given_back) + _by_lines_share(original, given_back)


def _share_of_what_counted(original: Original, given_back: Reversed) -> Fraction:
    """The part that was given back of the money that counts towards tiers: lines that do not count take nothing of it."""
    facts = original.facts
    excluded = {key for key, line in facts.lines.items() if line.excluded}
    if given_back.whole or not excluded or facts.amount is None:
        return _share(original, given_back)
    counting = {key: line for key, line in facts.lines.items() if key not in excluded}
    rest = minor_units(facts.amount) - sum(minor_units(facts.lines[key].amount) for key in excluded)
    returned = {key: quantity for key, quantity in given_back.lines.items() if key in counting}
    by_lines = _lines_share(counting, returned, money_of(rest, facts.amount.currency)) if returned else Fraction(0)
    return _by_money_share(original, given_back) + by_lines


def _by_money_share(original: Original, given_back: Reversed) -> Fraction:
    if given_back.money is None or original.paid is None:
        return Fraction(0)
    return _ratio(Fraction(given_back.money), Fraction(original.paid.amount))


def _by_lines_share(original: Original, given_back: Reversed) -> Fraction:
    if not given_back.lines or original.facts.amount is None:
        return Fraction(0)
    return _lines_share(original.facts.lines, given_back.lines, original.facts.amount)


def _lines_share(bought: Mapping[str, Line], given_back: Mapping[str, int], amount: Money) -> Fraction:
    if amount.amount:
        worth = sum(
            Fraction(bought[key].amount.amount) * quantity / bought[key].quantity
            for key, quantity in given_back.items()
        )
        return worth / Fraction(amount.amount)
    return Fraction(sum(given_back.values()), sum(line.quantity for line in bought.values()))


def _ratio(part: Fraction, whole: Fraction) -> Fraction:
    """``part / whole``; of nothing, nothing is all, and anything is more than all."""
    if whole:
        return part / whole
    return Fraction(2) if part else Fraction(1)
