"""A program document, as far as it decides about points."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from math import floor
from typing import Any

from tests.simulation.oracle.commands import DECIMALS, Sum
from tests.simulation.oracle.days import Calendar, end_of_month, months_later, next_such_day
from tests.simulation.oracle.earning import Bound, Earning, Till, Worth, in_major
from tests.simulation.oracle.ladders import STATUS, Ladder

NEVER = "9999-12-31"
MAIN = "points"


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

    def earn(
        self, activity: str, amount: Sum | None, occurred_at: datetime, tier: str, left: Callable[[Bound], int]
    ) -> Worth:
        """What an activity of a member on that tier earns within what is left of caps and budgets.

        Raises:
            Refused: nothing is earned by that.
        """
        tiers = self._document["tiers"]
        multiplier = next((one for one in tiers if one["id"] == tier), tiers[0]).get("multiplier", "1")
        return Till(self._document, activity, amount, occurred_at, left).earn(Fraction(multiplier))
