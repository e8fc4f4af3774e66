"""Who had a likeness of late, and whom a member brought of late: what is remembered, bounded, and pure.

A likeness is the keyed hash of something that several people may have: an address, a device. Of one of them as many members
as a program's bounds may ask for are remembered. Where as many came within a week (a campus, a carrier's network), nothing
more is written until the week is over: all that can be said of it is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from loyalty.programs.referrals import MAX_SEEN

WEEK: Final = timedelta(days=7)
DAYS_COUNTED: Final = 14
CLAIMS_KEPT: Final = 8
"""By each shard of a referrer's counts."""
STEM_HEX: Final = 12
"""Of a stem's hash so much is kept: 48 bits tell a few hundred apart, and eight claims stay below a kilobyte."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a member had it, at the enrollment; ``referrer``: who had brought them."""

    member_id: str
    at: datetime
    referrer: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Who had a likeness, in the order of time. ``erased_at``: when the last of those who were erased was, if it is kept."""

    sightings: Sequence[Sighting] = ()
    erased_at: datetime | None = None
    erased_until: datetime | None = None
    revision: int = 0

    def with_one(self, new: Sighting, remember: timedelta | None) -> "Seen | None":
        """With one more; None where nothing is to be written: they are known, or there are too many of this week.

        ``remember``: who had it longer ago goes; None: nobody does, and of too many the first ones stay.
        """
        kept = [one for one in self.sightings if remember is None or one.at >= new.at - remember]
        known = next((one for one in kept if one.member_id == new.member_id), None)
        if known is not None:
            if known.referrer is not None or new.referrer is None:
                return None
            # They were remembered as somebody who came by themselves, before their referral was counted.
            kept.remove(known)
        elif len(kept) >= MAX_SEEN:
            if remember is None or kept[0].at > new.at - WEEK:
                return None
            kept = kept[1:]
        return replace(self, sightings=tuple(sorted([*kept, new], key=lambda one: (one.at, one.member_id))))

    def without(self, member_id: str, now: datetime, keep: timedelta) -> "Seen":
        """Without somebody who is erased; for as long as ``keep`` it says that somebody was. Nothing: it does not."""
        left = tuple(one for one in self.sightings if one.member_id != member_id)
        if not keep:
            return replace(self, sightings=left)
        return replace(self, sightings=left, erased_at=now, erased_until=now + keep)

    def was_erased(self, moment: datetime) -> bool:
        """Whether it is known at a moment that somebody who had it was erased before."""
        return (
            self.erased_at is not None and self.erased_until is not None and self.erased_at < moment < self.erased_until
        )

    def since(self, moment: datetime) -> "Seen":
        """Without those who had it before a moment."""
        return replace(self, sightings=tuple(one for one in self.sightings if one.at >= moment))

    def within(self, around: datetime, span: timedelta) -> list[Sighting]:
        """Who had it at most ``span`` before or after a moment."""
        return [one for one in self.sightings if abs(one.at - around) <= span]


@dataclass(frozen=True, slots=True)
class Claim:
    """That a referrer brought somebody; ``stem``: how the hash of their address without its digits begins."""

    member_id: str
    at: datetime
    stem: str = ""
    disposable: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Whom a referrer brought: how many in all, by day (UTC) of the last 14 on which there were any, and the last ones."""

    total: int = 0
    days: Mapping[str, int] = field(default_factory=dict)
    claims: Sequence[Claim] = ()
    revision: int = 0

    def with_one(self, claim: Claim) -> "Counts":
        """With one more. One that comes too late for its day is in the total alone."""
        today = _day(claim.at)
        days = {**self.days, today: self.days.get(today, 0) + 1}
        first = (date.fromisoformat(max(days)) - timedelta(days=DAYS_COUNTED - 1)).isoformat()
        return replace(
            self,
            total=self.total + 1,
            days={day: days[day] for day in sorted(days) if day >= first},
            claims=_in_order([*self.claims, claim])[-CLAIMS_KEPT:],
        )

    def without_stem(self, member_id: str) -> "Counts":
        """Without the likeness of somebody who is erased."""
        return replace(
            self, claims=tuple(replace(one, stem="") if one.member_id == member_id else one for one in self.claims)
        )

    def on_day_of(self, moment: datetime) -> int:
        """How many on the day of a moment."""
        return self.days.get(_day(moment), 0)


def together(shards: Iterable[Counts]) -> Counts:
    """All shards of a referrer as one: exact totals and days, the last claims of each."""
    total, days, claims = 0, dict[str, int](), list[Claim]()
    for shard in shards:
        total += shard.total
        claims += shard.claims
        for day, count in shard.days.items():
            days[day] = days.get(day, 0) + count
    return Counts(total, days, _in_order(claims))


def nearest(claims: Sequence[Claim], to: datetime, count: int) -> list[Claim]:
    """The ``count`` claims nearest to a moment, in the order of time."""
    near = sorted(claims, key=lambda one: (abs(one.at - to), one.at, one.member_id))[:count]
    return list(_in_order(near))


def _in_order(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    return tuple(sorted(claims, key=lambda one: (one.at, one.member_id)))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
