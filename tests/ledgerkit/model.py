"""An independent model of a wallet, as plain as it can be: every point is an item of a list, named by its last day.

It shares neither code nor arithmetic with the ledger: spending sorts and slices, a debt is a number.
"""

from collections import Counter
from dataclasses import dataclass, field


class TooFew(Exception):
    """Fewer points than are asked for can be spent."""


@dataclass
class Earned:
    points: int
    kept: list[str]
    """The points that did not pay a debt, by last day."""
    cents: int
    year: str
    points_back: int = 0
    cents_back: int = 0


@dataclass
class PlainWallet:
    """``today`` in the methods is the program's date; nothing is changed where a method raises."""

    points: list[str] = field(default_factory=list)
    debt: int = 0
    held: dict[str, list[str]] = field(default_factory=dict)
    earned: dict[str, Earned] = field(default_factory=dict)
    qualifying: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    redeemed: int = 0

    @property
    def available(self) -> int:
        return len(self.points) - self.debt

    def spendable(self, today: str) -> int:
        return len([day for day in self.points if day >= today]) - self.debt

    def accrue(self, name: str, points: int, *, cents: int, lot: str, today: str) -> None:
        self._expire(today)
        year = today[:4]
        kept = self._pay([lot] * points)
        self.points += kept
        self.earned[name] = Earned(points, kept, cents, year)
        self.qualifying[year] += points

    def refund(self, of: str, cents: int, *, today: str) -> int:
        """Returns the points taken back."""
        accrual = self.earned[of]
        back = accrual.cents_back + cents
        target = accrual.points if back == accrual.cents else accrual.points * back // accrual.cents
        self._expire(today)
        part = target - accrual.points_back
        accrual.points_back, accrual.cents_back = target, back
        lots_of_it = sorted(self.points, key=lambda day: (day not in accrual.kept, day))
        taken = lots_of_it[:part]
        self.points = lots_of_it[part:]
        self.debt += part - len(taken)
        self.qualifying[accrual.year] -= part
        return part

    def hold(self, name: str, points: int, *, today: str) -> None:
        if points > self.spendable(today):
            raise TooFew
        self._expire(today)
        queue = sorted(self.points)
        self.held[name], self.points = queue[:points], queue[points:]

    def capture(self, name: str, *, today: str) -> None:
        self._expire(today)
        self.redeemed += len(self.held.pop(name))

    def release(self, name: str, *, today: str) -> None:
        self._expire(today)
        self.points += self._pay(sorted(self.held.pop(name)))

    def _pay(self, points: list[str]) -> list[str]:
        """What is left of ``points`` after an open debt."""
        paid = min(self.debt, len(points))
        self.debt -= paid
        return points[paid:]

    def _expire(self, today: str) -> None:
        live = [day for day in self.points if day >= today]
        self.expired += len(self.points) - len(live)
        self.points = live
