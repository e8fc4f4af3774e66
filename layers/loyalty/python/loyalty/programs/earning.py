"""What an activity earns. Pure, exact, rounded once."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from loyalty.core.errors import ActivityNotRewarded, AmountRequired, CurrencyNotInProgram, PointsLimitExceeded
from loyalty.core.money import Money
from loyalty.programs.model import MAX_POINTS, EarnRule, Expiry, ProgramDocument, Rounding


@dataclass(frozen=True, slots=True)
class Earned:
    """Points of one wallet (minor units where it has a currency), and the id of the rule that gave them."""

    wallet: str
    points: int
    rule: str
    return_days: int = 0
    """Days that they stay pending; 0: they may be spent at once."""

    def matures_on(self, posted_on: date) -> date | None:
        """The first day on which they may be spent, if they are posted on that day; None: at once."""
        return posted_on + timedelta(days=self.return_days) if self.return_days else None


def earn(document: ProgramDocument, activity: str, amount: Money | None, tier_id: str) -> tuple[Earned, ...]:
    """What one activity of a member on a tier earns, wallet by wallet: ``amount / per * points * multiplier``.

    Each is rounded once; the quotient is an exact fraction until then. The multiplier applies to points, not to wallets
    with a currency. A wallet whose rule has no rate for the amount's currency earns nothing, and is not among these,
    as long as another one earns.

    Raises:
        ActivityNotRewarded: no rule for the activity.
        AmountRequired: a rule is by amount and none was given.
        CurrencyNotInProgram: no rule has a rate for the amount's currency.
        PointsLimitExceeded: more points than one posting may hold.
    """
    rules = document.earn_rules_for(activity)
    if not rules:
        raise ActivityNotRewarded(f"Program '{document.id}' has no earn rule for '{activity}'.", pointer="/activity")
    if amount is None and any(rule.rates for rule in rules):
        raise AmountRequired(f"'{activity}' earns by amount; send one.", pointer="/amount")
    multiplier = document.tier(tier_id).multiplier
    earned = []
    for rule in rules:
        exact = _exact(rule, amount)
        if exact is not None:
            factor = Decimal(1) if document.currency_of(rule.wallet) else multiplier
            points = _rounded(exact * Fraction(factor), document.rounding)
            earned.append(Earned(rule.wallet, _within_limit(points), rule.id, rule.return_days))
    if amount is not None and not earned:
        raise CurrencyNotInProgram(
            f"'{activity}' has no rate for {amount.currency} in program '{document.id}'.", pointer="/amount/currency"
        )
    return tuple(earned)


def lot_for(expiry: Expiry, on: date) -> str:
    """The lot of points that may be spent from a date (program's date) on: the last day on which they may be.

    Points that are pending first live from the day on which they mature, so that none expires before it may be spent.
    Rolling, by inactivity: the end of the month that lies ``months`` months later, so that a wallet holds few lots.
    Points of 2020-07-06 with twelve months may be spent through 2021-07-31.
    """
    return expiry.lot(on)


def _exact(rule: EarnRule, amount: Money | None) -> Fraction | None:
    """What a rule gives before any multiplier; None where it has no rate for the amount's currency."""
    if rule.fixed_points is not None:
        return Fraction(rule.fixed_points)
    rate = rule.rate(amount.currency) if amount else None
    if amount is None or rate is None:
        return None
    return Fraction(amount.amount) / Fraction(rate.per) * rate.points


def _within_limit(points: int) -> int:
    if points > MAX_POINTS:
        raise PointsLimitExceeded(f"This would be {points} points; one posting holds at most {MAX_POINTS}.")
    return points


def _rounded(exact: Fraction, rounding: Rounding) -> int:
    whole, rest = divmod(exact, 1)
    up = {Rounding.DOWN: False, Rounding.HALF_UP: rest >= Fraction(1, 2), Rounding.UP: rest > 0}[rounding]
    return whole + up
