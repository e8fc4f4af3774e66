"""How much one member redeemed under limits: ``M#{program}#{member}`` / ``LIMITS``.

::

    hold, without a time-out   counts
    hold, with one             is kept by itself until it ends: it counts before its ``until``, and never after
      captured                 counts from then on
      timed out                counts no more, though nothing was written
    released, cancelled        what it counted is taken off

Whoever writes the item writes the member's book in the same transaction, so what was decided on it holds. A window that
is over is left out when the item is next written: nothing asks for it any more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, get_args

from loyalty.core.clock import from_text, to_text
from loyalty.core.table import DocumentAttribute, IntegerAttribute, IntegerMapAttribute, Item, Put, RawItem
from loyalty.ledger.keys import LIMITS_SK, partition
from loyalty.ledger.model import POINTS
from loyalty.ledger.movements import without_zeros
from loyalty.programs.counters import window_of
from loyalty.programs.fields import Period
from loyalty.programs.model import ProgramDocument, Reward
from loyalty.rewards.model import Redemption, RedemptionStatus

__all__ = ["LIMITS_SK", "Bound", "Held", "LimitsItem", "NotOfOneMoment", "Taken", "bounds_for", "counted"]

_PERIODS: Final[tuple[Period, ...]] = get_args(Period)


class LimitsItem(Item):
    """``used``: by limit and window. ``holds``: of each open one with a time-out, until when it counts, and what."""

    used = IntegerMapAttribute()
    holds = DocumentAttribute(null=True)
    revision = IntegerAttribute()


class NotOfOneMoment(Exception):
    """What was read together is not of one moment: a part of it is older than the rest."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit in the window of a day: its key, how much it lets, how much is asked for, and what it is for people."""

    key: str
    limit: int
    asked: int
    what: str
    of_reward: bool = True


def bounds_for(
    document: ProgramDocument, reward: Reward, *, quantity: int, points: int, day: date
) -> tuple[Bound, ...]:
    """The limits that a redemption on a day of the program comes under."""
    return tuple(_bounds(document, reward, quantity, points, day))


def _bounds(document: ProgramDocument, reward: Reward, quantity: int, points: int, day: date) -> Iterator[Bound]:
    for limit in reward.per_member:
        what = f"{limit.count} of '{reward.id}' " + ("in all" if limit.per == "ever" else f"a {limit.per}")
        yield Bound(f"reward:{reward.id}/{window_of(limit.per, day)}", limit.count, quantity, what)
    daily, points_daily = document.limits.redemptions_per_day, document.limits.points_per_day
    if daily is not None:
        yield Bound(f"program:redemptions/{day.isoformat()}", daily, 1, f"{daily} redemptions a day", of_reward=False)
    if points_daily is not None and reward.wallet == POINTS:  # points of other wallets are worth something else
        what = f"redemptions of {points_daily} points a day"
        yield Bound(f"program:points/{day.isoformat()}", points_daily, points, what, of_reward=False)


@dataclass(frozen=True, slots=True)
class Held:
    """What an open hold counts, and until when."""

    until: datetime
    used: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a member has redeemed under limits, as the item says it."""

    used: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, Held] = field(default_factory=dict)
    revision: int = 0

    @classmethod
    def read(cls, raw: RawItem | None) -> "Taken":
        """What the stored item says; nothing where there is none."""
        if raw is None:
            return cls()
        item = LimitsItem.from_raw_data(raw)
        holds = {key: Held(from_text(hold["until"]), hold["used"]) for key, hold in (item.holds or {}).items()}
        return cls(item.used, holds, item.revision)

    def count(self, key: str, now: datetime) -> int:
        """What counts under a limit at ``now`` (UTC): what is for good, and holds that have not timed out."""
        open_ones = (hold.used.get(key, 0) for hold in self.holds.values() if now < hold.until)
        return self.used.get(key, 0) + sum(open_ones)

    def with_hold(self, held: Redemption, day: date) -> "Taken":
        """With a redemption that is held now, on a day of the program; without what counts nothing any more."""
        used = {key: count for key, count in self.used.items() if _current(key, day)}
        holds = {key: hold for key, hold in self.holds.items() if held.held_at < hold.until}
        if held.expires_at is None:
            return Taken(_added(used, held.counted), holds, self.revision)
        return Taken(used, {**holds, held.redemption_id: Held(held.expires_at, held.counted)}, self.revision)

    def after(self, ended: Redemption, day: date) -> "Taken | None":
        """After a redemption was captured, released or cancelled; None where that changes nothing that counts.

        Raises:
            NotOfOneMoment: it does not have what the redemption's hold wrote into it: it is older.
        """
        counted = {key: count for key, count in ended.counted.items() if _current(key, day)}
        was_held = ended.status is not RedemptionStatus.CANCELLED
        if was_held and ended.expires_at is not None:
            if ended.redemption_id not in self.holds:
                raise NotOfOneMoment(f"the limits at revision {self.revision} have no hold '{ended.redemption_id}'")
            holds = {key: hold for key, hold in self.holds.items() if key != ended.redemption_id}
            kept = counted if ended.status is RedemptionStatus.CAPTURED else {}
            return Taken(_added(self.used, kept), holds, self.revision)
        if ended.status is RedemptionStatus.CAPTURED or not counted:
            return None
        left = _added(self.used, {key: -count for key, count in counted.items()})
        if min(left.values(), default=0) < 0:
            raise NotOfOneMoment(f"the limits at revision {self.revision} count less than is taken off")
        return Taken(without_zeros(left), self.holds, self.revision)

    def put(self, program: str, member_id: str) -> Put:
        """Writes it in place of what was read."""
        item = LimitsItem(
            partition(program, member_id),
            LIMITS_SK,
            used=dict(self.used),
            holds={key: {"until": to_text(hold.until), "used": dict(hold.used)} for key, hold in self.holds.items()}
            or None,
            revision=self.revision + 1,
        )
        same = LimitsItem.revision == self.revision if self.revision else LimitsItem.pk.does_not_exist()
        return Put(item, same)


def counted(taken: Iterable[Taken], key: str, now: datetime) -> int:
    """What counts of a member and of those whom they absorbed."""
    return sum(one.count(key, now) for one in taken)


def _current(key: str, day: date) -> bool:
    return key.rpartition("/")[2] in {window_of(period, day) for period in _PERIODS}


def _added(used: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {key: used.get(key, 0) + more.get(key, 0) for key in {**used, **more}}
