"""What an activity earns. Pure, exact, rounded once."""

import calendar
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from loyalty.core.errors import ActivityNotRewarded, AmountRequired, CurrencyNotInProgram, PointsLimitExceeded
from loyalty.core.money import Money
from loyalty.ledger.movements import NEVER
from loyalty.programs.model import MAX_POINTS, Expiry, ProgramDocument, Rounding


@dataclass(frozen=True, slots=True)
class Earned:
    """Points, and the id of the rule that gave them."""

    points: int
    rule: str


def earn(document: ProgramDocument, activity: str, amount: Money | None, tier_id: str) -> Earned:
    """Points for one activity of a member on a tier: ``amount / per * points * multiplier``, rounded once.

    The quotient is an exact fraction until then.

    Raises:
        ActivityNotRewarded: no rule for the activity.
        AmountRequired: the rule is by amount and none was given.
        CurrencyNotInProgram: the rule has no rate for the amount's currency.
        PointsLimitExceeded: more points than one posting may hold.
    """
    rule = document.earn_rule(activity)
    if rule is None:
        raise ActivityNotRewarded(f"Program '{document.id}' has no earn rule for '{activity}'.", pointer="/activity")
    multiplier = document.tier(tier_id).multiplier
    if rule.fixed_points is not None:
        points = _rounded(Fraction(multiplier) * rule.fixed_points, document.rounding)
    elif amount is None:
        raise AmountRequired(f"'{activity}' earns by amount; send one.", pointer="/amount")
    else:
        rate = rule.rate(amount.currency)
        if rate is None:
            raise CurrencyNotInProgram(
                f"'{activity}' has no rate for {amount.currency} in program '{document.id}'.",
                pointer="/amount/currency",
            )
        units = Fraction(amount.amount) / Fraction(rate.per)
        points = _rounded(units * rate.points * Fraction(multiplier), document.rounding)
    if points > MAX_POINTS:
        raise PointsLimitExceeded(f"This would be {points} points; one posting holds at most {MAX_POINTS}.")
    return Earned(points, rule.id)


def _rounded(exact: Fraction, rounding: Rounding) -> int:
    whole, rest = divmod(exact, 1)
    up = {Rounding.DOWN: False, Rounding.HALF_UP: rest >= Fraction(1, 2), Rounding.UP: rest > 0}[rounding]
    return whole + up


def lot_for(expiry: Expiry, earned_on: date) -> str:
    """The lot of points credited on a date (program's date): the last day on which they may be spent.

    Rolling: the end of the month that lies ``months`` months later, so that a wallet holds few lots. Points credited
    on 2020-07-06 with twelve months may be spent through 2021-07-31.
    """
    if expiry.months is None:
        return NEVER
    months = earned_on.year * 12 + earned_on.month - 1 + expiry.months
    year, month = divmod(months, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1]).isoformat()
