"""Reports of what referrals brought, counted when somebody asks, from the referrals themselves.

What a report reads: 4 partitions for each of its days (counts of links), 16 or more pages of keys and one item for each referral
that was claimed, and keys of the members who enrolled. Nothing is kept: a referral may change for as long as what it was rewarded
for may be given back.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, Protocol, Self, TypeVar

from loyalty.attribution.model import Referral
from loyalty.core.clock import Clock, local_date
from loyalty.core.ids import first_member_id
from loyalty.core.periods import check_period
from loyalty.core.table import Table
from loyalty.ledger.settlement import day_starts
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import Program
from loyalty.referrals.errors import ReportTooLarge
from loyalty.referrals.link_store import KEPT_COUNTS, LinkCount, LinkStore
from loyalty.referrals.report import Days, Fold, Growth, Report
from loyalty.referrals.walking import claimed_between
from loyalty_contract import MEMBER_SHARDS

T = TypeVar("T")

_PAGE: Final = 1_000
_COUNTED: Final = KEPT_COUNTS - timedelta(days=2)
"""Days of the program for which no count of links is gone yet: they go by UTC, at any hour."""


class Links(Protocol):
    """Counts of links: :class:`loyalty.referrals.link_store.LinkStore`."""

    def counts(self, program: str, day: date) -> Iterator[LinkCount]:
        """What was counted on a day of the program, by campaign and channel."""


class Claims(Protocol):
    """Referrals by when they were claimed: :func:`loyalty.referrals.walking.claimed_between` over a table."""

    def __call__(self, program: str, since: datetime, until: datetime) -> Iterator[Referral]:
        """Those claimed from ``since`` on and before ``until`` (UTC), as they are now."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one report may be counted from: days, referrals that were claimed, members who enrolled.

    ``instead`` says what to do about more.
    """

    days: int
    referrals: int
    members: int
    instead: str = "ask for fewer days"


AT_ONCE: Final = Bounds(
    days=92,
    referrals=10_000,
    members=100_000,
    instead="ask for fewer days, or take it from the terminal: loyalty referrals report",
)
"""Of a request, which has 25 seconds."""
UNHURRIED: Final = Bounds(days=3_660, referrals=10**9, members=10**9)
"""Of a terminal."""


def unheard(_referral: Referral) -> None:
    """Nobody wants to hear of each referral."""


class ReferralReports:
    """Counts what referrals brought."""

    def __init__(self, claims: Claims, links: Links, members: LedgerStore, clock: Clock) -> None:
        self._claims = claims
        self._links = links
        self._members = members
        self._clock = clock

    @classmethod
    def over(cls, table: Table, clock: Clock) -> Self:
        """Of what is in a table."""
        return cls(partial(claimed_between, table), LinkStore(table, draw=secrets.randbelow), LedgerStore(table), clock)

    def report(
        self,
        program: Program,
        first: date,
        last: date,
        bounds: Bounds = AT_ONCE,
        *,
        told: Callable[[Referral], None] = unheard,
    ) -> Report:
        """What referrals claimed from ``first`` to ``last`` (days of the program, both included) brought until now.

        ``told`` hears of each of them. What a point costs is as the version in force says.

        Raises:
            PeriodRefused: it ends before it begins, has too many days, or goes beyond today.
            ReportTooLarge: there are more referrals, or new members, than ``bounds`` allow.
            Unavailable: the table was too busy to answer.
        """
        document, now = program.document, self._clock()
        today = local_date(now, document.zone)
        check_period(first, last, today=today, most=bounds.days, zone=document.time_zone, longer=bounds.instead)
        days = Days(
            first,
            last,
            document.time_zone,
            day_starts(first, document.zone),
            day_starts(last + timedelta(days=1), document.zone),
        )
        kept = today - _COUNTED
        fold = Fold()
        for referral in _at_most(
            bounds, bounds.referrals, "referrals", self._claims(document.id, days.start, days.end)
        ):
            fold.add(referral)
            told(referral)
        members = sum(1 for _ in _at_most(bounds, bounds.members, "new members", self._enrolled(document.id, days)))
        for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
            for count in self._links.counts(document.id, day) if day >= kept else ():
                fold.add_links(count.source, shares=count.shares, clicks=count.clicks)
        total = fold.total()
        return Report(
            program=document.id,
            days=days,
            at=now,
            total=total,
            campaigns=fold.campaigns(),
            channels=fold.channels(),
            growth=Growth(members, total.shared, total.enrolled),
            leaders=fold.leaders.top(),
            leaders_missed=fold.leaders.missed,
            point=document.point_cost,
            links_since=kept,
        )

    def _enrolled(self, program: str, days: Days) -> Iterator[str]:
        """Ids of members who enrolled then, and are still there under that id: ids are in the order of enrollment."""
        until = first_member_id(days.end)
        for shard in range(MEMBER_SHARDS):
            after: str | None = first_member_id(days.start)
            while after is not None:
                page = self._members.members(program, shard, limit=_PAGE, after=after)
                within = [one.member_id for one in page.members if one.member_id < until]
                yield from within
                after = page.next_after if len(within) == len(page.members) else None


def _at_most(bounds: Bounds, most: int, what: str, found: Iterator[T]) -> Iterator[T]:
    for number, one in enumerate(found):
        if number == most:
            raise ReportTooLarge(f"On these days are more than {most:,} {what}; {bounds.instead}.")
        yield one
