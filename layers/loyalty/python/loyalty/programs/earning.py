"""What an activity earns. Pure, exact, rounded once.

::

    for each rule      eligible amount → worth → tier → its bounds for one activity → its caps and budget
    for each wallet    exclusive groups → stacking
    multipliers        what the rules give that they multiply → the same for them
    for each wallet    the sum of all, rounded; divided among rules and lines so that the parts add up

Of rules that share a campaign, earlier ones take of its caps and budget first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, TypeVar

from loyalty.core.errors import PointsLimitExceeded
from loyalty.programs.choosing import Room, chosen
from loyalty.programs.coherence import in_order_of_use
from loyalty.programs.conditions import Conditions, asks_first, asks_segments
from loyalty.programs.counters import CounterKey
from loyalty.programs.deeds import Deed, Earner
from loyalty.programs.errors import ActivityNotRewarded, AmountRequired, CurrencyNotInProgram
from loyalty.programs.model import MAX_POINTS, EarnRule, Expiry, ProgramDocument, Rounding
from loyalty.programs.portions import NONE, Place, Portions
from loyalty.programs.worth import Appraiser, Eligible, RuleReason, Worth, bonus, summed

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Earned:
    """Points of one wallet (minor units where it has a currency), and of each rule that gave some of them."""

    wallet: str
    points: int
    rules: Mapping[str, int]
    """By rule id, in the order of the document; they add up to ``points``."""
    return_days: int = 0
    """Days that they stay pending; 0: they may be spent at once."""
    lines: Mapping[int, int] = field(default_factory=dict)
    """What lines earned, by their place, where that is not in proportion to their amounts."""

    def matures_on(self, posted_on: date) -> date | None:
        """The first day on which they may be spent, if they are posted on that day; None: at once."""
        return posted_on + timedelta(days=self.return_days) if self.return_days else None

    @property
    def rule(self) -> str:
        """The rule that gave most; the first of several."""
        return max(self.rules, key=lambda rule: self.rules[rule])


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a rule for the activity: its points, and why it gives none, or less than it would.

    ``lost_to`` is the rule that counts instead; ``error`` why a condition could not be evaluated.
    """

    rule: EarnRule
    points: int
    counted: bool
    reason: RuleReason | None = None
    lost_to: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an activity earns: by wallet, where a rule counted; of every rule; and how much of caps and budgets it uses.

    ``asked``: how much must be left of points for each rule to be judged as it is, those too that count instead of another.
    """

    earned: tuple[Earned, ...]
    rules: tuple[Judged, ...]
    used: Mapping[CounterKey, int]
    asked: Mapping[CounterKey, int] = field(default_factory=dict)
    eligible: Portions = NONE
    """Of the amount, in major units, by line: what exclusions leave of it."""
    excluded: frozenset[Place] = frozenset()
    """Lines of which they leave nothing."""

    @property
    def rewarded(self) -> bool:
        """Whether it is what a rule rewards, were it not for a cap or a budget: only then it counts towards tiers."""
        return any(judged.counted or judged.reason in _BUT_FOR_BOUNDS for judged in self.rules)


_BUT_FOR_BOUNDS: Final = frozenset({RuleReason.CAPPED, RuleReason.BUDGET_EXHAUSTED})
_NOTHING_USED: Final[Mapping[CounterKey, int]] = {}


def earn(
    document: ProgramDocument, deed: Deed, earner: Earner, room: Mapping[CounterKey, int] = _NOTHING_USED
) -> Outcome:
    """What an activity of a member earns. ``room`` is what caps and budgets leave; of one that is not in it, all.

    Where no rule counts, the outcome is empty: the activity earns nothing, and is as good as any.

    Raises:
        ActivityNotRewarded: no rule for the activity.
        AmountRequired: a rule is by amount and none was given.
        CurrencyNotInProgram: rules are by amount, none has a rate for its currency, and no other rule counts, nor would
            were it not for a cap or a budget.
        PointsLimitExceeded: more points than one posting may hold.
    """
    rules = [rule for rule in document.earn_rules if rule.activity == deed.activity]
    _require_rewarded(document, deed, rules)
    eligible = Eligible(deed, document.exclusions)
    left = Room(document, deed.occurred_at.astimezone(document.zone).date(), room)
    appraiser = Appraiser(document, deed, eligible, Conditions(deed, earner, document.zone), earner.tier)
    worths = _weighed(document, left, {rule.id: appraiser.worth(rule) for rule in rules})
    if not any(worth.counted or worth.reason in _BUT_FOR_BOUNDS for worth in worths.values()):
        _require_currency(document, deed, rules)
    earned = tuple(
        _earned(document, eligible, wallet, [worths[rule.id] for rule in rules if rule.wallet == wallet])
        for wallet in document.wallet_ids
        if any(rule.wallet == wallet and worths[rule.id].counted for rule in rules)
    )
    points = {rule: part for one in earned for rule, part in one.rules.items()}
    judged = tuple(_judged(worths[rule.id], points.get(rule.id, 0)) for rule in rules)
    counting = eligible.amounts(None)
    excluded = eligible.worth.places - counting.places
    return Outcome(earned, judged, left.used(worths.values(), points), left.asked, counting, excluded)


def counts_first(document: ProgramDocument, activity: str) -> bool:
    """Whether a rule asks if this is a member's first such activity, so that such activities have to be counted."""
    rules = [rule for rule in document.earn_rules if rule.activity == activity]
    return any(asks_first(condition) for rule in rules for condition in (rule.when, rule.lines))


def asks_for_segments(document: ProgramDocument, deed: Deed) -> bool:
    """Whether a rule that may count for the activity asks for the member's segments, so that they have to be read."""
    local = deed.occurred_at.astimezone(document.zone).replace(tzinfo=None)
    for rule in document.earn_rules:
        if rule.activity == deed.activity and (asks_segments(rule.when) or asks_segments(rule.lines)):
            campaign = document.campaign(rule.campaign)
            if campaign is None or campaign.runs_at(local):
                return True
    return False


def lot_for(expiry: Expiry, on: date) -> str:
    """The lot of points that may be spent from a date (program's date) on: the last day on which they may be.

    Points that are pending first live from the day on which they mature, so that none expires before it may be spent.
    Rolling, by inactivity: the end of the month that lies ``months`` months later, so that a wallet holds few lots.
    Points of 2020-07-06 with twelve months may be spent through 2021-07-31.
    """
    return expiry.lot(on)


def _require_rewarded(document: ProgramDocument, deed: Deed, rules: Sequence[EarnRule]) -> None:
    if not rules:
        raise ActivityNotRewarded(
            f"Program '{document.id}' has no earn rule for '{deed.activity}'.", pointer="/activity"
        )
    if deed.amount is None and any(rule.rates for rule in rules):
        raise AmountRequired(f"'{deed.activity}' earns by amount; send one.", pointer="/amount")


def _require_currency(document: ProgramDocument, deed: Deed, rules: Sequence[EarnRule]) -> None:
    currency = deed.amount.currency if deed.amount is not None else None
    by_amount = [rule for rule in rules if rule.rates]
    if currency is not None and by_amount and not any(rule.rate(currency) for rule in by_amount):
        raise CurrencyNotInProgram(
            f"'{deed.activity}' has no rate for {currency} in program '{document.id}'.", pointer="/amount/currency"
        )


def _weighed(document: ProgramDocument, room: Room, alone: Mapping[str, Worth]) -> dict[str, Worth]:
    """What each rule gives, weighed against the others, by its id; ``alone`` is what it is worth by itself."""
    rules = [worth.rule for worth in alone.values()]
    given: dict[str, Worth] = {}
    for worth in _chosen(document, [room.limit(alone[rule.id]) for rule in rules if rule.multiplier is None]):
        given[worth.rule.id] = room.take(worth)
    multipliers = in_order_of_use(rules)
    wallets = {rule.wallet for rule in multipliers}
    plain = {wallet: summed(of for of in given.values() if of.rule.wallet == wallet) for wallet in wallets}

    def multiplied(rule: EarnRule, of: Mapping[str, Worth]) -> Portions:
        return summed(of[other] for other in rule.of) if rule.of else plain[rule.wallet]

    expected = dict(given)
    for rule in multipliers:
        expected[rule.id] = room.limit(bonus(alone[rule.id], multiplied(rule, expected)))
    found = _chosen(document, [expected[rule.id] for rule in rules if rule.multiplier is not None])
    counting = {worth.rule.id: worth for worth in found}
    for rule in multipliers:
        worth = counting[rule.id]
        # Once more: what it multiplies may have lost, or have taken of the room that they share.
        given[rule.id] = room.take(bonus(alone[rule.id], multiplied(rule, given))) if worth.counted else worth
    return given


def _chosen(document: ProgramDocument, worths: Sequence[Worth]) -> list[Worth]:
    """Those that count in each wallet; in the order of the document."""
    found: dict[str, Worth] = {}
    for wallet in dict.fromkeys(worth.rule.wallet for worth in worths):
        of_wallet = [worth for worth in worths if worth.rule.wallet == wallet]
        found |= {worth.rule.id: worth for worth in chosen(of_wallet, document.stacking)}
    return [found[worth.rule.id] for worth in worths]


def _earned(document: ProgramDocument, eligible: Eligible, wallet: str, worths: Sequence[Worth]) -> Earned:
    counted = [worth for worth in worths if worth.counted]
    exact = {worth.rule.id: worth.total for worth in counted}
    points = _within_limit(_rounded(sum(exact.values(), Fraction(0)), document.rounding))
    by_place = summed(worth.scaled(worth.tier) for worth in counted)
    nothing: dict[Place, Fraction] = {None: Fraction(0)}
    lines = divided(points, nothing | by_place.exact) if _is_uneven(by_place, eligible.worth) else {}
    return Earned(
        wallet,
        points,
        divided(points, exact),
        counted[0].rule.return_days,
        {place: part for place, part in lines.items() if place is not None and part},
    )


def divided(points: int, exact: Mapping[Key, Fraction]) -> dict[Key, int]:
    """``points``, to which the exact parts were rounded, in whole parts that add up: the largest fractions first.

    None is more than its exact part rounded up.
    """
    whole = {key: int(part) for key, part in exact.items()}
    by_fraction = sorted(exact, key=lambda key: -(exact[key] - whole[key]))  # stable: earlier ones first
    for key in by_fraction[: points - sum(whole.values())]:
        whole[key] += 1
    return whole


def _is_uneven(earned: Portions, worth: Portions) -> bool:
    """Whether lines earn anything else than in proportion to their parts of the amount."""
    of_lines = {place: number for place, number in earned.numbers.items() if place is not None}
    points, amount = sum(of_lines.values()), sum(worth.numbers.values())
    if not points:
        return False
    return not amount or any(
        earned.numbers.get(place, 0) * amount != points * number for place, number in worth.numbers.items()
    )


def _judged(worth: Worth, points: int) -> Judged:
    return Judged(worth.rule, points, worth.counted, worth.reason, worth.lost_to, worth.error)


def _within_limit(points: int) -> int:
    if points > MAX_POINTS:
        raise PointsLimitExceeded(f"This would be {points} points; one posting holds at most {MAX_POINTS}.")
    return points


def _rounded(exact: Fraction, rounding: Rounding) -> int:
    whole, rest = divmod(exact, 1)
    up = {Rounding.DOWN: False, Rounding.HALF_UP: rest >= Fraction(1, 2), Rounding.UP: rest > 0}[rounding]
    return whole + up
