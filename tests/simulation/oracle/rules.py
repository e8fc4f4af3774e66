"""A program document, as far as it decides about points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any

from tests.simulation.oracle.commands import DECIMALS, Refused, Sum
from tests.simulation.oracle.days import Calendar, end_of_month, months_later, next_such_day
from tests.simulation.oracle.ladders import STATUS, Ladder

NEVER = "9999-12-31"
MAIN = "points"
MOST_POINTS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ExpiryRules:
    """When points of a wallet expire."""

    document: Mapping[str, Any]

    @property
    def by_inactivity(self) -> bool:
        return bool(self.document["policy"] == "inactivity")

    @property
    def grace_days(self) -> int:
        return int(self.document.get("grace_days", 30))

    @property
    def warn_days(self) -> tuple[int, ...]:
        return tuple(self.document.get("warn_days", () if self.document["policy"] == "never" else (30, 7)))

    def last_day(self, first: date) -> str:
        """The last day of points that may be spent from ``first`` on."""
        policy = self.document["policy"]
        if policy == "never":
            return NEVER
        if policy == "fixed_date":
            earliest = months_later(first, self.document.get("minimum_months", 0))
            return next_such_day(earliest, self.document["month"], self.document["day"]).isoformat()
        return end_of_month(months_later(first.replace(day=1), self.document["months"])).isoformat()


@dataclass(frozen=True, slots=True)
class Earning:
    """What an activity earns in one wallet."""

    wallet: str
    points: int
    rule: str
    return_days: int


class Rules:
    """One version of a program."""

    def __init__(self, document: Mapping[str, Any], version: int) -> None:
        self.version = version
        self.calendar = Calendar(document["time_zone"])
        self._document = document
        self._wallets = {wallet["id"]: wallet for wallet in document.get("wallets", ())}
        others = [Ladder(str(part["id"]), part) for part in document.get("ladders", ())]
        self.ladders = [Ladder(STATUS, document), *others]

    @property
    def wallets(self) -> list[str]:
        return [MAIN, *self._wallets]

    @property
    def policy(self) -> str:
        return str(self._document.get("reversal", "allow_negative"))

    @property
    def reasons(self) -> list[str]:
        return list(self._document.get("adjustment_reasons", ("goodwill", "correction", "complaint", "migration")))

    def ladder(self, ladder_id: str) -> Ladder:
        return next(ladder for ladder in self.ladders if ladder.id == ladder_id)

    @property
    def transfers(self) -> Mapping[str, Any] | None:
        return self._document.get("transfers")

    def limit(self, name: str, otherwise: int) -> int:
        return int(self._document.get("limits", {}).get(name, otherwise))

    def expiry(self, wallet: str) -> ExpiryRules:
        return ExpiryRules(self._document["expiry"] if wallet == MAIN else self._wallets[wallet]["expiry"])

    def reward(self, reward_id: str) -> Mapping[str, Any] | None:
        return next((reward for reward in self._document["rewards"] if reward["id"] == reward_id), None)

    def counted(self, ladder: Ladder, activity: str, amount: Sum | None, earnings: Sequence[Earning]) -> int:
        """What a rewarded activity counts on a ladder."""
        if ladder.activities and activity not in ladder.activities:
            return 0
        if ladder.counts == "points":
            return sum(earning.points for earning in earnings if earning.wallet == ladder.wallet)
        if ladder.counts == "activities":
            return 1
        return 0 if amount is None else self._minor_units(amount, str(ladder.currency))

    def _minor_units(self, amount: Sum, into: str) -> int:
        """In another currency; nothing where the program does not say what one is worth in the other."""
        rates = {one["currency"]: Fraction(one["rate"]) for one in self._document.get("currencies", ())}
        worth = Fraction(1) if amount.currency == into else rates.get(amount.currency, Fraction(0)) / rates[into]
        return floor(in_major(amount) * worth * int(10 ** DECIMALS[into]))

    def earn(self, activity: str, amount: Sum | None, tier: str) -> list[Earning]:
        """What an activity of a member on that tier earns, in the order of the wallets.

        Raises:
            Refused: nothing is earned by that.
        """
        rules = [rule for rule in self._document["earn_rules"] if rule["activity"] == activity]
        if not rules:
            raise Refused("activity_not_rewarded")
        if amount is None and any("rates" in rule for rule in rules):
            raise Refused("amount_required")
        found = []
        for wallet in self.wallets:
            for rule in rules:
                if rule.get("wallet", MAIN) == wallet and (exact := self._exact(rule, amount)) is not None:
                    points = self._rounded(exact * self._multiplier(wallet, tier))
                    found.append(Earning(wallet, points, rule["id"], rule.get("return_days", 0)))
        if not found:
            raise Refused("currency_not_in_program")
        if any(earning.points > MOST_POINTS for earning in found):
            raise Refused("points_limit_exceeded")
        return found

    def _exact(self, rule: Mapping[str, Any], amount: Sum | None) -> Fraction | None:
        if "fixed_points" in rule:
            return Fraction(rule["fixed_points"])
        for rate in rule["rates"]:
            if amount is not None and rate["currency"] == amount.currency:
                return in_major(amount) / Fraction(rate["per"]) * int(rate["points"])
        return None

    def _multiplier(self, wallet: str, tier: str) -> Fraction:
        if wallet != MAIN and self._wallets[wallet].get("currency"):
            return Fraction(1)
        tiers = self._document["tiers"]
        return Fraction(next((one for one in tiers if one["id"] == tier), tiers[0]).get("multiplier", "1"))

    def _rounded(self, exact: Fraction) -> int:
        whole = exact.numerator // exact.denominator
        rest = exact - whole
        rounding = self._document.get("rounding", "down")
        if rounding == "up":
            return whole + (rest > 0)
        return whole + (rounding == "half_up" and rest >= Fraction(1, 2))


def in_major(amount: Sum) -> Fraction:
    """An amount in whole units of its currency."""
    return Fraction(amount.units, int(10 ** DECIMALS[amount.currency]))
