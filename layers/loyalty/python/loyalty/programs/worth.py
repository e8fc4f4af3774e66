"""What each rule is worth for an activity, before the rules are weighed against each other. Pure, exact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Final

from loyalty.core.money import minor_units, money_of, spread
from loyalty.programs.conditions import Conditions
from loyalty.programs.deeds import Deed
from loyalty.programs.model import EarnRule, Exclusion, ProgramDocument
from loyalty.programs.portions import NONE, Place, Portions, added


class RuleReason(StrEnum):
    """Why a rule gives nothing, or less than it would."""

    OUTSIDE_CAMPAIGN = "outside_campaign"
    CONDITION_NOT_MET = "condition_not_met"
    CONDITION_ERROR = "condition_error"
    """An evaluation found out what no check can: a key that is not there, a loop that takes too long."""
    NO_LINE_MATCHED = "no_line_matched"
    CURRENCY_WITHOUT_RATE = "currency_without_rate"
    NO_ELIGIBLE_AMOUNT = "no_eligible_amount"
    """All of the amount is of what earns nothing."""
    NOTHING_TO_MULTIPLY = "nothing_to_multiply"
    LOST_TO = "lost_to"
    """Another rule counts instead."""
    CAPPED = "capped"
    BUDGET_EXHAUSTED = "budget_exhausted"


_ONE: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class Worth:
    """What a rule is worth: points before the tier's multiplier (``tier``), by the lines that earn them.

    With a ``reason`` it gives nothing; or, where it is ``counted``, less than it would.
    """

    rule: EarnRule
    parts: Portions = NONE
    tier: Fraction = _ONE
    counted: bool = True
    reason: RuleReason | None = None
    lost_to: str | None = None
    error: str | None = None
    places: frozenset[int] | None = None
    """Of a multiplier: the lines that it is for; None: all, and what is of no line."""

    @property
    def total(self) -> Fraction:
        """Its points."""
        return self.parts.total if self.tier == _ONE else self.tier * self.parts.total

    def limited(self, most: Fraction | int, reason: RuleReason | None = None) -> "Worth":
        """At most so many points, all parts in proportion."""
        total = self.total
        if total <= most:
            return self
        return replace(self.scaled(Fraction(most) / total), reason=reason)

    def scaled(self, factor: Fraction) -> "Worth":
        """That many times what it is."""
        return replace(self, parts=self.parts.times(factor))

    def without(self, reason: RuleReason, *, lost_to: str | None = None, error: str | None = None) -> "Worth":
        """Nothing, and why."""
        return replace(self, parts=NONE, counted=False, reason=reason, lost_to=lost_to, error=error)


class Eligible:
    """What of a purchase may earn: its lines and, of its amount, the part of each of them."""

    def __init__(self, deed: Deed, exclusions: Sequence[Exclusion]) -> None:
        excluded = {
            Exclusion.GIFT_CARDS: [line.gift_card for line in deed.lines],
            Exclusion.DISCOUNTED_LINES: [line.discounted for line in deed.lines],
        }
        not_counted = [kinds for kind, kinds in excluded.items() if kind in exclusions]
        self.lines = frozenset(
            place for place in range(len(deed.lines)) if not any(kinds[place] for kinds in not_counted)
        )
        self.worth = NONE
        """Of the amount, by line, that of the others too; in major units."""
        if deed.amount is None:
            return
        units = minor_units(deed.amount)
        for kind, part in ((Exclusion.TAX, deed.tax), (Exclusion.SHIPPING, deed.shipping)):
            if kind in exclusions and part is not None:
                units = max(0, units - minor_units(part))
        told = [minor_units(line.amount) for line in deed.lines]
        parts: dict[Place, int] = {None: units}
        if deed.lines:
            parts = dict[Place, int](enumerate(spread(units, told, [line.quantity for line in deed.lines])))
        self.worth = Portions(parts, Fraction(money_of(1, deed.amount.currency).amount))

    def amounts(self, places: frozenset[int] | None) -> Portions:
        """What may earn by amount, of these lines; None: of all, and where there are none, all."""
        wanted: frozenset[Place] = self.lines | {None} if places is None else self.lines & places
        return self.worth.only(wanted)


class Appraiser:
    """Appraises the rules for one activity of one member."""

    def __init__(
        self, document: ProgramDocument, deed: Deed, eligible: Eligible, conditions: Conditions, tier: str
    ) -> None:
        self._document = document
        self._deed = deed
        self._eligible = eligible
        self._conditions = conditions
        self._local = deed.occurred_at.astimezone(document.zone).replace(tzinfo=None)
        self._tier = Fraction(document.tier(tier).multiplier)

    def worth(self, rule: EarnRule) -> Worth:
        """What the rule is worth by itself; of a multiplier, whether it counts and for which lines."""
        nothing = Worth(rule, counted=False)
        campaign = self._document.campaign(rule.campaign)
        if campaign is not None and not campaign.runs_at(self._local):
            return nothing.without(RuleReason.OUTSIDE_CAMPAIGN)
        if rule.when is not None and not (verdict := self._conditions.met(rule.when)).met:
            return _not_met(nothing, verdict.error, RuleReason.CONDITION_NOT_MET)
        places = None
        if rule.lines is not None:
            verdicts = self._conditions.lines_met(rule.lines)
            places = frozenset(place for place, verdict in enumerate(verdicts) if verdict.met)
            if not places:
                error = next((verdict.error for verdict in verdicts if verdict.error), None)
                return _not_met(nothing, error, RuleReason.NO_LINE_MATCHED)
        if rule.multiplier is not None:
            return Worth(rule, places=places)
        worth = self._by_effect(rule, places)
        return self._multiplied(worth) if worth.counted else worth

    def _multiplied(self, worth: Worth) -> Worth:
        """With the tier's multiplier, and within the rule's own bounds for one activity."""
        rule = worth.rule
        if rule.tier_multiplied and self._document.currency_of(rule.wallet) is None:
            worth = replace(worth, tier=self._tier)
        return _within_bounds(worth)

    def _by_effect(self, rule: EarnRule, places: frozenset[int] | None) -> Worth:
        if rule.rates:
            return self._by_amount(rule, places)
        if rule.fixed_points is not None:
            return Worth(rule, Portions({None: rule.fixed_points}))
        return self._by_lines(rule, places)

    def _by_amount(self, rule: EarnRule, places: frozenset[int] | None) -> Worth:
        amount = self._deed.amount
        rate = rule.rate(amount.currency) if amount is not None else None
        if amount is None or rate is None:
            return Worth(rule).without(RuleReason.CURRENCY_WITHOUT_RATE)
        eligible = self._eligible.amounts(places)
        if amount.amount and not eligible.total:
            return Worth(rule).without(RuleReason.NO_ELIGIBLE_AMOUNT)
        return Worth(rule, eligible.times(Fraction(rate.points) / Fraction(rate.per)))

    def _by_lines(self, rule: EarnRule, places: frozenset[int] | None) -> Worth:
        counted = sorted(self._eligible.lines if places is None else self._eligible.lines & places)
        if not counted:
            return Worth(rule).without(RuleReason.NO_LINE_MATCHED)
        pieces = {place: self._deed.lines[place].quantity for place in counted}
        points: dict[Place, int] = {
            place: rule.points_per_line or (rule.points_per_item or 0) * pieces[place] for place in counted
        }
        return Worth(rule, Portions(points))


def summed(worths: Iterable[Worth]) -> Portions:
    """What rules give together, before the tier's multiplier, by the lines that earn it."""
    return added(worth.parts for worth in worths)


def bonus(rule: Worth, of: Portions) -> Worth:
    """What a multiplier adds to what the rules that it multiplies give: before the tier's multiplier, on its lines."""
    if not rule.counted or rule.rule.multiplier is None:
        return rule
    parts = (of if rule.places is None else of.only(rule.places)).times(Fraction(rule.rule.multiplier) - 1)
    if not parts.total:
        return rule.without(RuleReason.NOTHING_TO_MULTIPLY)
    return _within_bounds(replace(rule, parts=parts))


def _within_bounds(worth: Worth) -> Worth:
    """At least what the rule gives at least, where it gives anything, and at most what it gives at most."""
    rule, total = worth.rule, worth.total
    if rule.minimum_points is not None and 0 < total < rule.minimum_points:
        worth = worth.scaled(rule.minimum_points / total)
    return worth if rule.maximum_points is None else worth.limited(rule.maximum_points)


def _not_met(worth: Worth, error: str | None, reason: RuleReason) -> Worth:
    return worth.without(reason) if error is None else worth.without(RuleReason.CONDITION_ERROR, error=error)
