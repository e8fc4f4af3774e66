"""What referrals brought in some days of a program. Pure, and exact: whole numbers and fractions, rounded where they are shown.

::

    shared ──▶ clicked ──▶ enrolled ──▶ qualified ──▶ rewarded ──▶ reversed
    └─ counted on the day ─┘ └─ of those claimed on these days, how far each is by now ─┘

Who enrolled on the last days may not have had the time to qualify: shares of a period rise until its return window is over.
Everything is counted by campaign and channel together, and added up from there, so that no table says other than the next.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from loyalty.attribution.model import Referral, ReferralStatus, Source
from loyalty.core.money import MINOR_UNITS, Money, minor_units, money_of
from loyalty.programs.costs import PointCost
from loyalty.referrals.leaders import Leader, Leaders


@dataclass(frozen=True, slots=True)
class Ratio:
    """So many of so many. More than all of them is possible where the one is not part of the other, as clicks are of no link."""

    part: int
    whole: int

    def text(self, places: int) -> str | None:
        """The quotient with so many decimals, rounded half up; None where it is of nothing."""
        if not self.whole:
            return None
        return f"{Decimal(_half_up(Fraction(self.part, self.whole) * 10**places)).scaleb(-places):.{places}f}"

    @property
    def percent(self) -> str | None:
        """In percent, with one decimal; None where it is of nothing."""
        return Ratio(100 * self.part, self.whole).text(1)


@dataclass(frozen=True, slots=True)
class Cost:
    """What rewards cost: in all, and for each customer that was won (None: none was). Each is rounded once, half up."""

    total: Money
    per_customer: Money | None


@dataclass(slots=True)
class Tally:
    """Counts of one campaign and channel, of all of one, or of everything."""

    shared: int = 0
    """Links that members were given to share for the first time."""
    clicked: int = 0
    """Times that a link was followed, as far as a person did."""
    linked: int = 0
    """Of those who enrolled, who came by a link that was followed; the others named a code."""
    qualified: int = 0
    """Whoever has qualified and did not give it back before they were rewarded."""
    rewarded: int = 0
    """Whoever was, also where it was taken back since."""
    statuses: Counter[ReferralStatus] = field(default_factory=Counter)
    points: int = 0
    """Of the wallet ``points``, given to referrers."""
    member_points: int = 0
    """The same, to those whom they brought."""
    taken_back: int = 0
    """Of both, from both sides of those that were reversed."""
    revenue: Counter[str] = field(default_factory=Counter)
    """What qualified the customers, in minor units by currency: amounts of then, less what had been given back."""

    @property
    def enrolled(self) -> int:
        """Whoever was brought. Each has one status."""
        return self.statuses.total()

    @property
    def customers(self) -> int:
        """Whoever was won: both sides are rewarded, and it was not taken back."""
        return self.statuses[ReferralStatus.REWARDED]

    @property
    def kept(self) -> int:
        """Points of both sides, less those taken back."""
        return self.points + self.member_points - self.taken_back

    def add_claim(self, referral: Referral) -> None:
        """Counts one who was brought, as far as they are."""
        self.statuses[referral.status] += 1
        self.linked += referral.source.click is not None
        qualified, rewarded = referral.qualified, referral.rewarded
        self.qualified += qualified is not None
        if rewarded is None:
            return
        self.rewarded += 1
        self.points += rewarded.points
        self.member_points += rewarded.member_points
        if referral.status is ReferralStatus.REVERSED:
            self.taken_back += rewarded.points + rewarded.member_points
        elif qualified is not None and qualified.amount is not None:
            self.revenue[qualified.amount.currency] += minor_units(qualified.amount)

    def add(self, other: "Tally") -> None:
        """Counts what another one has."""
        self.shared += other.shared
        self.clicked += other.clicked
        self.linked += other.linked
        self.qualified += other.qualified
        self.rewarded += other.rewarded
        self.statuses.update(other.statuses)
        self.points += other.points
        self.member_points += other.member_points
        self.taken_back += other.taken_back
        self.revenue.update(other.revenue)

    def money(self) -> list[Money]:
        """The revenue, by currency."""
        return [money_of(units, currency) for currency, units in sorted(self.revenue.items())]

    def cost(self, point: PointCost | None) -> Cost | None:
        """What the points cost that were not taken back; None where it is not known what one does."""
        if point is None:
            return None
        exact = self.kept * Fraction(point.amount)
        each = None if not self.customers else _money(exact / self.customers, point.currency)
        return Cost(_money(exact, point.currency), each)


@dataclass(frozen=True, slots=True)
class Growth:
    """How referrals let a program grow by itself: the K-factor of viral marketing.

    K = i · c: invitations that a member sends, times what share of them becomes a member. It is the basic reproduction number of
    epidemiology, for customers; see the article "K-factor (marketing)" of Wikipedia. Here the members are all who enrolled on
    the days of the report, brought or not, and are neither merged nor erased; invitations are links first shared on these days;
    and what became of them is whoever was brought on these days. So K = brought / enrolled, also where codes pass from mouth to
    mouth and no link is shared. Where it is the same for all members for ever, each brings K, those K² and so on: 1 / (1 - K) in all.
    """

    members: int
    shared: int
    brought: int

    @property
    def invitations(self) -> Ratio:
        """i: links shared for each new member."""
        return Ratio(self.shared, self.members)

    @property
    def conversion(self) -> Ratio:
        """c: of links shared, how many brought somebody."""
        return Ratio(self.brought, self.shared)

    @property
    def k(self) -> Ratio:
        """K: whom a new member brings."""
        return Ratio(self.brought, self.members)


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a program, both included, by the calendar of ``zone``; ``start`` and ``end`` (UTC) are when they begin and are over."""

    first: date
    last: date
    zone: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What referrals brought in ``days``, as it is at ``at`` (UTC). None as a name is what has no campaign, or no channel."""

    program: str
    days: Days
    at: datetime
    total: Tally
    campaigns: Sequence[tuple[str | None, Tally]]
    channels: Sequence[tuple[str | None, Tally]]
    growth: Growth
    leaders: Sequence[Leader]
    leaders_missed: int
    """See :class:`Leaders`."""
    point: PointCost | None
    links_since: date
    """Counts of links from before that day are kept no more: of earlier days there are fewer than there were, or none."""

    @property
    def links_known(self) -> bool:
        """Whether links of all days are counted."""
        return self.days.first >= self.links_since


class Fold:
    """Counts referrals one by one. Memory grows with campaigns times channels, and not with referrals."""

    def __init__(self, leaders: Leaders | None = None) -> None:
        self._tallies: dict[Source, Tally] = {}
        self.leaders = leaders or Leaders()

    def add_links(self, source: Source, *, shares: int, clicks: int) -> None:
        """Counts how many links were shared, and how often one was followed."""
        tally = self._tally(source)
        tally.shared += shares
        tally.clicked += clicks

    def add(self, referral: Referral) -> None:
        """Counts who was brought."""
        self._tally(referral.source).add_claim(referral)
        rewarded = referral.rewarded
        if rewarded is not None and referral.status is ReferralStatus.REWARDED:
            self.leaders.add(rewarded.referrer, rewarded.points)

    def total(self) -> Tally:
        """Everything."""
        return _sum(self._tallies.values())

    def campaigns(self) -> list[tuple[str | None, Tally]]:
        """Each campaign; first what had none."""
        return self._by(lambda source: source.campaign)

    def channels(self) -> list[tuple[str | None, Tally]]:
        """Each channel; first what had none."""
        return self._by(lambda source: source.channel)

    def _by(self, name: Callable[[Source], str | None]) -> list[tuple[str | None, Tally]]:
        found: dict[str | None, Tally] = {}
        for source, tally in self._tallies.items():
            found.setdefault(name(source), Tally()).add(tally)
        return sorted(found.items(), key=lambda one: one[0] or "")

    def _tally(self, source: Source) -> Tally:
        return self._tallies.setdefault(Source(source.campaign, source.channel), Tally())


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def _half_up(number: Fraction) -> int:
    """To a whole number. None here is below zero."""
    return (2 * number.numerator + number.denominator) // (2 * number.denominator)


def _money(amount: Fraction, currency: str) -> Money:
    return money_of(_half_up(amount * 10 ** MINOR_UNITS[currency]), currency)
