"""An independent model of a wallet, as plain as it can be: every point is an item of a list, named by its last day.

It shares neither code nor arithmetic with the ledger: spending sorts and slices, what is owed is a number, what falls
due is done day by day. Its clock shows the program's local time; there is no daylight saving in it.
"""

from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta


class TooFew(Exception):
    """Fewer points than are asked for can be spent, or taken back where the program refuses to go below zero."""


@dataclass
class Purchase:
    """What was earned, and what was given back of what was paid: in cents, ``paid`` with shipping, ``goods`` without."""

    points: int
    goods: int
    paid: int
    year: str
    lot: str
    day: str | None
    """First day on which its points may be spent; None: at once."""
    in_lot: int
    """How many went into the lot: those that paid what was owed did not."""
    money_back: int = 0
    goods_back: int = 0
    points_back: int = 0
    lapsed: int = 0
    over: bool = False

    @property
    def given_back(self) -> int:
        """In parts of ``paid * goods``."""
        return self.money_back * self.goods + self.goods_back * self.paid


@dataclass
class Hold:
    points: list[str]
    until: datetime


@dataclass
class PlainWallet:
    """``now`` must have been told by :meth:`wait` before anything else; nothing is changed where a method raises."""

    now: datetime
    policy: str = "allow_negative"
    grace_days: int = 30
    renews: bool = False
    """Whether activity keeps all points alive."""
    points: list[str] = field(default_factory=list)
    pending: list[tuple[str, str]] = field(default_factory=list)
    """First day and last day of each."""
    below: int = 0
    debt: int = 0
    held: dict[str, Hold] = field(default_factory=dict)
    bought: dict[str, Purchase] = field(default_factory=dict)
    qualifying: Counter[str] = field(default_factory=Counter)
    expired: Counter[str] = field(default_factory=Counter)
    """By last day."""
    lapsed: Counter[str] = field(default_factory=Counter)
    """Of these, given back with their purchase."""
    timed_out: set[str] = field(default_factory=set)
    redeemed: int = 0

    @property
    def today(self) -> str:
        return self.now.date().isoformat()

    @property
    def available(self) -> int:
        return len(self.points) - self.below

    def accrue(
        self, name: str, points: int, *, goods: int, paid: int, lot: str, day: str | None, renew_to: str
    ) -> None:
        in_lot = points
        if day is None:
            kept = self._pay([lot] * points)
            self.points += kept
            in_lot = len(kept)
        else:
            self.pending += [(day, lot)] * points
        self.bought[name] = Purchase(points, goods, paid, self.today[:4], lot, day, in_lot)
        self.qualifying[self.today[:4]] += points
        self._renew(renew_to)

    def refund(self, of: str, *, money: int = 0, goods: int = 0, everything: bool = False) -> int:
        """Returns the points taken back."""
        purchase = self.bought[of]
        given = (purchase.money_back + money) * purchase.goods + (purchase.goods_back + goods) * purchase.paid
        whole = purchase.paid * purchase.goods
        over = everything or purchase.over or given == whole
        target = purchase.points if over else purchase.points * given // whole
        part = target - purchase.points_back
        self._take_back(purchase, part)
        purchase.money_back += money
        purchase.goods_back += goods
        purchase.points_back, purchase.over = target, over
        self.qualifying[purchase.year] -= part
        return part

    def hold(self, name: str, points: int, *, until: datetime, renew_to: str) -> None:
        if points > self.available:
            raise TooFew
        queue = sorted(self.points)
        self.held[name], self.points = Hold(queue[:points], until), queue[points:]
        self._renew(renew_to)

    def capture(self, name: str, points: int | None = None) -> None:
        queue = sorted(self.held.pop(name).points)
        spent = len(queue) if points is None else points
        self.redeemed += spent
        self._give_back(queue[spent:])

    def release(self, name: str) -> None:
        self._give_back(self.held.pop(name).points)

    def wait(self, until: datetime) -> None:
        """Everything that falls due on the way, in its order: time-outs, then what matures, then what expires."""
        while True:
            due = [(hold.until, 0, name) for name, hold in self.held.items()]
            due += [(_midnight(day), 1, day) for day, _ in self.pending]
            due += [(_midnight(lot) + timedelta(days=1), 2, lot) for lot in self.points]
            if not due or min(due)[0] > until:
                break
            self.now, what, name = min(due)
            if what == 0:
                self.release(name)
                self.timed_out.add(name)
            elif what == 1:
                ripe = sorted(lot for day, lot in self.pending if day == name)
                self.pending = [point for point in self.pending if point[0] != name]
                self.points += self._pay(ripe)
            else:
                self.expired[name] += self.points.count(name)
                self.points = [lot for lot in self.points if lot != name]
        self.now = until

    def _take_back(self, purchase: Purchase, part: int) -> None:
        waiting = (purchase.day or "", purchase.lot)
        if waiting in self.pending:
            for _ in range(part):
                self.pending.remove(waiting)
            return
        gone = self._expired_with(purchase)
        lapsed = min(part, purchase.in_lot - purchase.lapsed, self.expired[gone] - self.lapsed[gone]) if gone else 0
        queue = sorted(self.points, key=lambda day: (day != purchase.lot, day))
        due = part - lapsed
        if due > len(queue) and self.policy == "refuse":
            raise TooFew
        short = max(0, due - len(queue))
        self.points = queue[due:]
        purchase.lapsed += lapsed
        self.lapsed[gone] += lapsed
        if self.policy == "clamp_with_debt":
            self.debt += short
        else:
            self.below += short

    def _expired_with(self, purchase: Purchase) -> str:
        """The last day with which a purchase's points expired; empty where they did not."""
        days = [day for day in sorted(self.expired) if day >= purchase.lot]
        if not days or purchase.lot >= self.today:
            return ""
        return days[0] if self.renews or days[0] == purchase.lot else ""

    def _give_back(self, points: list[str]) -> None:
        grace = self.now.date() + timedelta(days=self.grace_days)
        last = grace.replace(day=monthrange(grace.year, grace.month)[1]).isoformat()
        self.points += self._pay(sorted(day if day >= self.today else last for day in points))

    def _pay(self, points: list[str]) -> list[str]:
        """What is left of ``points`` after what was owed."""
        below = min(self.below, len(points))
        self.below -= below
        debt = min(self.debt, len(points) - below)
        self.debt -= debt
        return points[below + debt :]

    def _renew(self, lot: str) -> None:
        if self.renews:
            self.points = [max(day, lot) for day in self.points]


def _midnight(day: str) -> datetime:
    return datetime.fromisoformat(day)
