"""A wallet in which every point lies by itself, as the last day on which it may be spent."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.simulation.oracle.commands import Refused
from tests.simulation.oracle.days import end_of_month

Points = list[str]
"""Last days, one for each point."""


@dataclass(slots=True)
class PlainWallet:
    """Points of one member in one unit."""

    free: Points = field(default_factory=list)
    pending: list[tuple[str, str]] = field(default_factory=list)
    """For each point the day on which it may first be spent, and its last."""
    held: Counter[str] = field(default_factory=Counter)
    """How many points are held, by redemption."""
    below: int = 0
    """How far the balance is below zero."""
    debt: int = 0
    expired: dict[str, int] = field(default_factory=dict)
    """How many points expired with a lot that no reversal has taken yet: in the order in which they expired."""
    outside: Counter[str] = field(default_factory=Counter)
    """The program's accounts, as far as this wallet moved them."""

    def copy(self) -> "PlainWallet":
        return PlainWallet(
            list(self.free), list(self.pending), Counter(self.held), self.below, self.debt, dict(self.expired),
            Counter(self.outside),
        )  # fmt: skip

    @property
    def available(self) -> int:
        return len(self.free) - self.below

    @property
    def is_empty(self) -> bool:
        return not (self.free or self.pending or self.below or self.debt or +self.held)

    def come_in(self, points: Iterable[str], source: str) -> None:
        """Points from a program's account, or from where the wallet itself had them: what is owed is paid first."""
        points = sorted(points)
        self.outside[source] -= len(points)
        for point in points:
            if self.below:
                self.below -= 1
            elif self.debt:
                self.debt -= 1
            else:
                self.free.append(point)

    def go_out(self, count: int, account: str) -> Points:
        """The points that expire first leave for an account.

        Raises:
            Refused: there are not so many.
        """
        if count > self.available:
            raise Refused("insufficient_points")
        self.free.sort()
        gone, self.free = self.free[:count], self.free[count:]
        self.outside[account] += count
        return gone

    def hold(self, count: int, redemption: str) -> Points:
        points = self.go_out(count, "held")
        self.held[redemption] += count
        return points

    def give_back(self, points: Iterable[str], source: str, *, today: date, grace_days: int) -> None:
        """Points come back to the day that they had; where that is over, to the end of a month of grace."""
        grace = end_of_month(today + timedelta(days=grace_days)).isoformat()
        self.come_in([point if point >= today.isoformat() else grace for point in points], source)

    def mature(self, first_day: str, last_day: str) -> None:
        bucket = (first_day, last_day)
        points = [last for first, last in self.pending if (first, last) == bucket]
        self.pending = [point for point in self.pending if point != bucket]
        self.come_in(points, "pending")

    def expire(self, lot: str) -> None:
        count = self.free.count(lot)
        self.free = [point for point in self.free if point != lot]
        self.outside["expired"] += count
        self.expired[lot] = self.expired.get(lot, 0) + count

    def renew(self, lot: str) -> bool:
        """Moves what would expire before ``lot`` to it; whether there was anything."""
        older = [point for point in self.free if point < lot]
        self.free = [max(point, lot) for point in self.free]
        return bool(older)

    def take_back(self, count: int, expired: int, own: Sequence[str], policy: str) -> None:
        """Takes points from the lots in ``own`` first, then those that expire first; ``expired`` of them are gone already.

        Raises:
            Refused: the policy refuses to take points that are spent.
        """
        due = count - expired
        order = sorted(self.free, key=lambda point: (point not in own, point))
        short = max(0, due - len(order))
        if short and policy == "refuse":
            raise Refused("reversal_refused")
        self.free = order[due:]
        if policy == "clamp_with_debt":
            self.debt += short
        else:
            self.below += short
        self.outside["expired"] -= expired
        self.outside["issued"] += count

    def take_back_pending(self, count: int, bucket: tuple[str, str]) -> None:
        for _ in range(count):
            self.pending.remove(bucket)
        self.outside["issued"] += count

    def take_over(self, other: "PlainWallet") -> None:
        """Everything of another wallet, what is owed too: the points of both pay it."""
        moved = other.available + len(other.pending) - other.debt
        self.below += other.below
        self.debt += other.debt
        points, self.free = sorted([*self.free, *other.free]), []
        before = self.outside.copy()
        self.come_in(points, "nowhere")
        self.outside = before
        self.pending += other.pending
        self.outside["transferred"] -= moved
        other.outside["transferred"] += moved
        other.free, other.pending, other.below, other.debt = [], [], 0, 0

    def picture(self) -> Counter[tuple[str, str]]:
        """Every number that an entry may change, by account, lot or bucket."""
        found: Counter[tuple[str, str]] = Counter()
        found["account", "member:available"] = self.available
        found["account", "member:pending"] = len(self.pending)
        found["account", "member:held"] = self.held.total()
        found["account", "member:debt"] = -self.debt
        for name in ("issued", "redeemed", "expired", "adjusted", "transferred"):
            found["account", f"program:{name}"] = self.outside[name]
        for lot, count in Counter(self.free).items():
            found["lot", lot] = count
        for (first, last), count in Counter(self.pending).items():
            found["bucket", f"{first}/{last}"] = count
        return found
