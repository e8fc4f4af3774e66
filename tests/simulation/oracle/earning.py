"""What an activity earns: rule by rule, in exact fractions, rounded once for each wallet."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from math import ceil
from typing import Any

from tests.simulation.oracle.commands import DECIMALS, Refused, Sum
from tests.simulation.oracle.days import ONE_DAY, Calendar

MOST_POINTS = 1_000_000_000
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bound:
    """A cap of a rule or campaign in a window of days, or a campaign's budget, whose window is ``ever``."""

    kind: str
    owner: str
    unit: str
    window: str
    limit: int = field(compare=False)
    in_part: bool = field(compare=False, default=True)


@dataclass(frozen=True, slots=True)
class Earning:
    """What an activity earns in one wallet, and the points of each rule; ``rule`` gave most, the first of several."""

    wallet: str
    points: int
    rule: str
    return_days: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Worth:
    """What it earns in all, and of which caps and budgets how much, by wallet. ``rewarded``: it counts towards tiers."""

    earnings: Sequence[Earning]
    used: Mapping[tuple[Bound, str], int]
    rewarded: bool


@dataclass(slots=True)
class _Given:
    """A rule that counts: its points before the tier's multiplier, and that."""

    rule: Document
    points: Fraction
    tier: Fraction

    @property
    def total(self) -> Fraction:
        return self.points * self.tier

    def limited(self, most: int) -> "_Given":
        return _Given(self.rule, min(self.points, most / self.tier), self.tier)


class Till:
    """One activity of a member, and what is left of caps and budgets while rule after rule takes of them."""

    def __init__(
        self, document: Document, activity: str, amount: Sum | None, occurred_at: datetime, left: Callable[[Bound], int]
    ) -> None:
        self._document = document
        self._amount = amount
        self._at = occurred_at
        self._day = Calendar(document["time_zone"]).date_of(occurred_at)
        self._left_before = left
        self._taken: Counter[Bound] = Counter()
        self._rules = [rule for rule in document["earn_rules"] if rule["activity"] == activity]
        self._dropped_out = False

    def earn(self, tier: Fraction) -> Worth:
        """What it earns on a tier with that multiplier.

        Raises:
            Refused: nothing is earned by that.
        """
        if not self._rules:
            raise Refused("activity_not_rewarded")
        by_amount = [rule for rule in self._rules if "rates" in rule]
        if by_amount and self._amount is None:
            raise Refused("amount_required")
        found: list[_Given] = []
        for wallet in _wallets(self._document):
            found += self._of_wallet(wallet, tier)
        if not found and by_amount and all(self._rate(rule) is None for rule in by_amount) and not self._dropped_out:
            raise Refused("currency_not_in_program")
        earnings = [self._summed(wallet, found) for wallet in _wallets(self._document)]
        kept = [earning for earning in earnings if earning is not None]
        if any(earning.points > MOST_POINTS for earning in kept):
            raise Refused("points_limit_exceeded")
        return Worth(kept, self._used(kept), bool(found) or self._dropped_out)

    def _of_wallet(self, wallet: str, tier: Fraction) -> list[_Given]:
        rules = [rule for rule in self._rules if rule.get("wallet", "points") == wallet and self._runs(rule)]
        plain = [self._worth(rule, tier) for rule in rules if "multiplier" not in rule]
        given = self._take(self._chosen(self._with_room([one for one in plain if one is not None])))
        base = sum((one.points for one in given), Fraction(0))
        multipliers = [rule for rule in rules if "multiplier" in rule]
        more = [_Given(rule, (Fraction(rule["multiplier"]) - 1) * base, Fraction(1)) for rule in multipliers if base]
        return given + self._take(self._chosen(self._with_room([_within_maximum(one) for one in more])))

    def _worth(self, rule: Document, tier: Fraction) -> _Given | None:
        """By itself; None where it does not count."""
        in_money = any(
            one["id"] == rule.get("wallet") and one.get("currency") for one in self._document.get("wallets", ())
        )
        times = Fraction(1) if in_money or not rule.get("tier_multiplied", True) else tier
        if "fixed_points" in rule:
            return _within_maximum(_Given(rule, Fraction(rule["fixed_points"]), times))
        rate = self._rate(rule)
        if rate is None or self._amount is None:
            return None
        points = in_major(self._amount) / Fraction(rate["per"]) * int(rate["points"])
        return _within_maximum(_Given(rule, points, times))

    def _rate(self, rule: Document) -> Document | None:
        currency = self._amount.currency if self._amount else None
        return next((rate for rate in rule["rates"] if rate["currency"] == currency), None)

    def _runs(self, rule: Document) -> bool:
        campaign = self._campaign(rule)
        if campaign is None:
            return True
        now = Calendar(self._document["time_zone"]).clock(self._at)
        return bool(datetime.fromisoformat(campaign["starts_at"]) <= now < datetime.fromisoformat(campaign["ends_at"]))

    def _campaign(self, rule: Document) -> Document | None:
        return next((one for one in self._document.get("campaigns", ()) if one["id"] == rule.get("campaign")), None)

    def _bounds(self, rule: Document) -> list[Bound]:
        """What bounds a rule, in the order in which it does."""
        owners = [(f"rule:{rule['id']}", rule.get("caps", ()))]
        campaign = self._campaign(rule)
        if campaign is not None:
            owners.append((f"campaign:{campaign['id']}", campaign.get("caps", ())))
        found = []
        for owner, caps in owners:
            for cap in caps:
                unit = "points" if "points" in cap else "times"
                found.append(Bound("cap", owner, unit, window(cap["per"], self._day), cap[unit]))
        if campaign is not None and "budget_points" in campaign:
            in_part = campaign.get("when_exhausted", "partial") == "partial"
            found.append(
                Bound("budget", f"campaign:{campaign['id']}", "points", "ever", campaign["budget_points"], in_part)
            )
        return found

    def _left(self, bound: Bound) -> int:
        return min(bound.limit, max(0, self._left_before(bound))) - self._taken[bound]

    def _within(self, given: _Given) -> _Given | None:
        """What there is room for; None where that is nothing. A cap counts whole points."""
        for bound in self._bounds(given.rule):
            if bound.unit == "times":
                # By however many rules, one activity is once.
                if not self._taken[bound] and self._left(bound) <= 0:
                    return None
                continue
            left = self._left(bound)
            if ceil(given.total) > left:
                if left <= 0 or not bound.in_part:
                    return None
                given = given.limited(left)
        return given

    def _with_room(self, given: list[_Given]) -> list[_Given]:
        found = [self._within(one) for one in given]
        self._dropped_out = self._dropped_out or None in found
        return [one for one in found if one is not None]

    def _take(self, given: list[_Given]) -> list[_Given]:
        """Earlier ones first."""
        found = []
        for one in given:
            within = self._within(one)
            if within is None:
                self._dropped_out = True
                continue
            found.append(within)
            for bound in self._bounds(within.rule) if within.total else ():
                self._taken[bound] = 1 if bound.unit == "times" else self._taken[bound] + ceil(within.total)
        return found

    def _chosen(self, given: list[_Given]) -> list[_Given]:
        """One of each group, and then as the program stacks them."""
        for group in {one.rule["group"] for one in given if one.rule.get("group")}:
            rivals = [one for one in given if one.rule.get("group") == group]
            winner = min(rivals, key=lambda one: (-one.rule.get("priority", 0), -one.total))
            given = [one for one in given if one is winner or one not in rivals]
        stacking = self._document.get("stacking", "sum")
        if stacking == "sum" or not given:
            return given
        by_priority = stacking == "priority"
        return [min(given, key=lambda one: (-one.rule.get("priority", 0) if by_priority else 0, -one.total))]

    def _summed(self, wallet: str, found: Sequence[_Given]) -> Earning | None:
        own = [one for one in found if one.rule.get("wallet", "points") == wallet]
        if not own:
            return None
        points = self._rounded(sum((one.total for one in own), Fraction(0)))
        parts = {one.rule["id"]: int(one.total) for one in own}
        fractions = sorted(own, key=lambda one: -(one.total - int(one.total)))
        for one in fractions[: points - sum(parts.values())]:
            parts[one.rule["id"]] += 1
        most = max(parts, key=lambda rule: parts[rule])
        return Earning(wallet, points, most, own[0].rule.get("return_days", 0), parts)

    def _used(self, earnings: Sequence[Earning]) -> dict[tuple[Bound, str], int]:
        """Of each bound, and for which wallet."""
        found: dict[tuple[Bound, str], int] = {}
        for earning in earnings:
            for rule in self._rules:
                points = earning.by_rule.get(rule["id"], 0)
                for bound in self._bounds(rule) if points else ():
                    before = found.get((bound, earning.wallet), 0)
                    found[bound, earning.wallet] = 1 if bound.unit == "times" else before + points
        return found

    def _rounded(self, exact: Fraction) -> int:
        whole = exact.numerator // exact.denominator
        rest = exact - whole
        rounding = self._document.get("rounding", "down")
        if rounding == "up":
            return whole + (rest > 0)
        return whole + (rounding == "half_up" and rest >= Fraction(1, 2))


def _within_maximum(given: _Given) -> _Given:
    most = given.rule.get("maximum_points")
    return given if most is None else given.limited(most)


def in_major(amount: Sum) -> Fraction:
    """An amount in whole units of its currency."""
    return Fraction(amount.units, int(10 ** DECIMALS[amount.currency]))


def window(per: str, day: date) -> str:
    """The name of the day, ISO week, month or year that a day is in."""
    if per == "week":
        # A week is of the year that its Thursday is in, and the first is that of the first Thursday.
        thursday = day + (3 - day.weekday()) * ONE_DAY
        return f"{thursday.year}-W{(thursday - date(thursday.year, 1, 1)).days // 7 + 1:02}"
    return "ever" if per == "ever" else day.isoformat()[: {"day": 10, "month": 7, "year": 4}[per]]


def _wallets(document: Document) -> list[str]:
    return ["points", *(wallet["id"] for wallet in document.get("wallets", ()))]
