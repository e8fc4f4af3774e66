"""A member, and what falls due of theirs by itself, day after day."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from tests.simulation.oracle.commands import Adjust, HoldPoints, Sum, TakeBack
from tests.simulation.oracle.days import ONE_DAY
from tests.simulation.oracle.earning import Bound
from tests.simulation.oracle.rules import MAIN, NEVER, Rules
from tests.simulation.oracle.standings import GRANT_END, REVIEW, TIER_WARNING, PlainStandings
from tests.simulation.oracle.wallet import PlainWallet, Points


@dataclass(slots=True)
class Earned:
    """An accrual, and what was given back of it. Sums are minor units."""

    home: str
    """Where it was posted."""
    at: datetime
    version: int
    """Of the program, when it was posted."""
    policy: str
    points: dict[str, int]
    put: dict[str, tuple[str, int]]
    """By wallet: the lot that its points went into, and how many did; or will, of those that are pending first."""
    matures: dict[str, str]
    """By wallet, where they were pending first: until which day."""
    counted: list[tuple[str, int, str | None]]
    """What it counts towards tiers: where, how much and, where that is points, of which wallet."""
    used: dict[Bound, tuple[int, str]]
    """What it used of caps and budgets, and for points of which wallet."""
    paid: Sum | None
    amount: Sum | None
    lines: dict[str, tuple[int, int]]
    """By line id: how many, and what was paid for them."""
    money_back: int | None = None
    lines_back: Counter[str] = field(default_factory=Counter)
    whole: bool = False
    taken: Counter[str] = field(default_factory=Counter)
    lapsed: Counter[str] = field(default_factory=Counter)
    """Of what was taken, what had expired before."""
    reversals: int = 0
    given_back: Counter[Bound] = field(default_factory=Counter)
    """Of what it used."""

    def copy(self) -> "Earned":
        return replace(
            self,
            lines_back=Counter(self.lines_back),
            taken=Counter(self.taken),
            lapsed=Counter(self.lapsed),
            given_back=Counter(self.given_back),
        )


@dataclass(slots=True)
class Redeemed:
    """A redemption: ``status`` is held, captured, released, timed_out or cancelled."""

    home: str
    hold: HoldPoints
    reward_type: str
    points: Points
    deadline: datetime | None
    wallet: str
    status: str = "held"
    captured: int = 0

    @property
    def spent(self) -> Points:
        return sorted(self.points)[: self.captured]

    def copy(self) -> "Redeemed":
        return replace(self)


@dataclass(slots=True)
class Adjusted:
    """An adjustment: ``status`` is proposed, posted or rejected."""

    adjust: Adjust
    status: str
    decided_by: str | None = None

    def copy(self) -> "Adjusted":
        return replace(self)


@dataclass(slots=True)
class Waiting:
    """A reversal that came before its accrual; ``code`` once that has refused it."""

    refund: TakeBack
    code: str | None = None

    def copy(self) -> "Waiting":
        return replace(self)


_Content = tuple[str, set[str], set[tuple[str, str]]]
"""A wallet, its lots, and its pending points."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that falls due by itself at ``at``; ``name`` is a redemption, a bucket, a lot, a warning, a ladder.

    ``wallet`` is a ladder where a warning is of a tier, and nothing where a tier ends.
    """

    at: datetime
    kind: str
    wallet: str
    name: str

    @property
    def identity(self) -> str:
        """Of the end of a tier without its number in the ledger."""
        if self.kind in {REVIEW, GRANT_END}:
            return f"tier:{self.kind}:{self.name}"
        return f"{self.kind}:{'redemption' if self.kind == 'timeout' else self.wallet}:{self.name}"


@dataclass(slots=True)
class PlainMember:
    """A member. ``walked`` is the moment until which everything due has happened (None: nothing ever was posted)."""

    member_id: str
    opened_at: datetime
    standings: PlainStandings
    wallets: dict[str, PlainWallet] = field(default_factory=dict)
    redemptions: dict[str, Redeemed] = field(default_factory=dict)
    earned: dict[str, Earned] = field(default_factory=dict)
    """By the accrual's identity."""
    adjustments: dict[str, Adjusted] = field(default_factory=dict)
    waiting: dict[tuple[str, str], Waiting] = field(default_factory=dict)
    """By source and id of the reversal."""
    given: Counter[tuple[date, str]] = field(default_factory=Counter)
    """Transferred to others, by day and wallet."""
    capped: Counter[Bound] = field(default_factory=Counter)
    """What accruals that were posted here used of caps."""
    posted: dict[str, object] = field(default_factory=dict)
    """The content of everything that was posted, by identity."""
    merged_into: str | None = None
    absorbed: list[str] = field(default_factory=list)
    walked: datetime | None = None
    warned: set[tuple[str, str, str]] = field(default_factory=set)
    """Of the moment ``walked`` alone."""
    over: bool = False
    """Whether everything of the moment ``walked`` has happened; what comes then has missed its warning."""

    def copy(self) -> "PlainMember":
        return replace(
            self,
            wallets={name: wallet.copy() for name, wallet in self.wallets.items()},
            standings=self.standings.copy(),
            redemptions={name: redeemed.copy() for name, redeemed in self.redemptions.items()},
            earned={name: earned.copy() for name, earned in self.earned.items()},
            adjustments={name: adjusted.copy() for name, adjusted in self.adjustments.items()},
            waiting={name: waiting.copy() for name, waiting in self.waiting.items()},
            given=Counter(self.given),
            capped=Counter(self.capped),
            posted=dict(self.posted),
            absorbed=list(self.absorbed),
            warned=set(self.warned),
        )

    def wallet(self, name: str = MAIN) -> PlainWallet:
        return self.wallets.setdefault(name, PlainWallet())

    def enrolled(self, rules: Rules) -> date:
        """The day of enrollment."""
        return rules.calendar.date_of(self.opened_at)

    @property
    def open_holds(self) -> dict[str, Redeemed]:
        return {name: one for name, one in self.redemptions.items() if one.status == "held"}

    @property
    def timed_holds(self) -> dict[str, Redeemed]:
        return {name: one for name, one in self.open_holds.items() if one.deadline is not None}

    def next_due(self, rules: Rules, until: datetime) -> Due | None:
        """What falls due next, until a moment; None, and the clock stands there, if nothing does."""
        if self.walked is not None and self.merged_into is None:
            # By another version of the program a tier may have ended before what was posted last.
            overdue = [due for due in self._ends_of_tiers(rules) if due.at < self.walked]
            if overdue:
                return min(overdue, key=_in_order)
            contents = [(name, {*one.free} - {NEVER}, {*one.pending}) for name, one in self.wallets.items()]
            for moment in self._moments(rules, until, contents):
                if moment != self.walked:
                    self.walked, self.warned, self.over = moment, set(), False
                found = min(self._due_at(rules, moment, contents), key=_in_order, default=None)
                if found is not None:
                    return found
        self.walked = max(until, self.walked or until)
        self.over = True
        return None

    def happen(self, due: Due, rules: Rules) -> None:
        """Lets it happen."""
        match due.kind:
            case "review" | "grant_end":
                self.standings.happen(due.kind, rules.ladder(due.name), self.enrolled(rules))
                return
            case "warning" | "tier_warning":
                self.warned.add((due.kind, due.wallet, due.name))
                return
        wallet = self.wallet(due.wallet)
        match due.kind:
            case "timeout":
                redeemed = self.redemptions[due.name]
                redeemed.status = "timed_out"
                del wallet.held[due.name]
                today, grace = rules.calendar.date_of(due.at), rules.expiry(due.wallet).grace_days
                wallet.give_back(redeemed.points, "held", today=today, grace_days=grace)
            case "maturity":
                wallet.mature(*due.name.split("/"))
            case "expiry":
                wallet.expire(due.name)

    def _ends_of_tiers(self, rules: Rules) -> Iterator[Due]:
        for ladder in rules.ladders:
            for kind, day in self.standings.ends(ladder):
                yield Due(rules.calendar.start_of(day), kind, "", ladder.id)

    def _moments(self, rules: Rules, until: datetime, contents: Sequence[_Content]) -> list[datetime]:
        """When something may be due: the beginnings of days, and the ends of holds."""
        days: set[date] = set()
        for wallet, lots, buckets in contents:
            last_days = [date.fromisoformat(lot) for lot in lots]
            days |= {day + ONE_DAY for day in last_days}
            days |= {day - warn * ONE_DAY for day in last_days for warn in rules.expiry(wallet).warn_days}
            days |= {date.fromisoformat(first) for first, _ in buckets}
        for ladder in rules.ladders:
            days |= self.standings.due_days(ladder)
        found = {rules.calendar.start_of(day) for day in days}
        found |= {one.deadline for one in self.timed_holds.values() if one.deadline}
        walked = self.walked or until
        return sorted(moment for moment in found if walked < moment <= until or (moment == walked and not self.over))

    def _due_at(self, rules: Rules, moment: datetime, contents: Sequence[_Content]) -> Iterator[Due]:
        for name, redeemed in self.timed_holds.items():
            if redeemed.deadline and redeemed.deadline <= moment:
                yield Due(redeemed.deadline, "timeout", redeemed.wallet, name)
        yield from (due for due in self._ends_of_tiers(rules) if due.at <= moment)
        today = rules.calendar.date_of(moment)
        if rules.calendar.start_of(today) != moment:
            return
        for wallet, lots, buckets in contents:
            yield from self._warnings_at(rules, moment, wallet, lots)
            yield from (Due(moment, "expiry", wallet, lot) for lot in lots if lot < today.isoformat())
            for first_day, last_day in buckets:
                if first_day <= today.isoformat():
                    yield Due(moment, "maturity", wallet, f"{first_day}/{last_day}")
        for ladder in rules.ladders:
            warnings = self.standings.warnings(ladder, rules.calendar, today, self.enrolled(rules))
            yield from (
                Due(moment, TIER_WARNING, ladder.id, name)
                for name in warnings
                if (TIER_WARNING, ladder.id, name) not in self.warned
            )

    def _warnings_at(self, rules: Rules, moment: datetime, wallet: str, lots: set[str]) -> Iterator[Due]:
        for lot in lots:
            for days in rules.expiry(wallet).warn_days:
                # A day that is skipped begins with the next one: so do its warnings.
                starts = rules.calendar.start_of(date.fromisoformat(lot) - days * ONE_DAY)
                if starts == moment and ("warning", wallet, f"{lot}/{days}") not in self.warned:
                    yield Due(moment, "warning", wallet, f"{lot}/{days}")


def _in_order(due: Due) -> tuple[datetime, int, str, str]:
    return due.at, _ORDER.index(due.kind), due.wallet, due.name


_ORDER = ("timeout", "warning", TIER_WARNING, "maturity", "expiry", GRANT_END, REVIEW)
