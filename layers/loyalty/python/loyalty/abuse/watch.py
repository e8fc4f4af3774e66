"""What is remembered of a member's latest doings, and which signs of abuse it shows. Pure.

::

    older                                                              now
      |<-- 40 days: points earned on each day -->|
                                |<-- hours of the rule + a day: each doing, once -->|

Each doing is a note with a reference of its own, so that an event that is delivered again changes nothing. Windows lie on
the moments of the doings and not on those of their delivery, so the order of delivery decides nothing either, as long as
an event comes within a day of its doing; what comes later than a day and the hours of its rule is not counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from loyalty.programs.abuse import Abuse, Then

LATE: Final = timedelta(days=1)
"""How long after it was done a doing may become known, at most; of a rule of fewer hours, as long as these."""
MOST_NOTES: Final = 200
"""Doings of one kind that are kept. A rule counts half as many at most, and they are kept for twice its hours at most: so
where more were done than are kept, half of them were done within its hours."""
USUAL_DAYS: Final = 28
_USUAL_AT_LEAST: Final = 7
DAYS_KEPT: Final = 40
_REFERENCES: Final = 10


class Kind(StrEnum):
    """What a member, or somebody in their name, did."""

    ACCRUAL = "a"
    CHANGE = "c"
    HOLD = "h"
    REVEAL = "r"
    SENT = "s"
    RECEIVED = "t"


class Signal(StrEnum):
    """Signs of abuse of a member."""

    ACCRUALS = "many_accruals"
    POINTS = "many_points_earned"
    UNUSUAL = "unusual_points_earned"
    REDEMPTIONS_AFTER_CHANGE = "redemptions_after_change"
    LARGE_AFTER_CHANGE = "large_redemption_after_change"
    REVEALS = "many_reveals"
    SENT = "points_sent_to_many"
    RECEIVED = "points_received_from_many"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True)
class Note:
    """One doing: ``reference`` is unique among those of its kind, ``at`` in UTC, ``other`` who was on the other side."""

    kind: Kind
    reference: str
    at: datetime
    points: int = 0
    other: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a signal was raised: what was counted in which window (UTC), against which bound; references of the last doings."""

    signal: Signal
    then: Then
    counted: int
    bound: int
    since: datetime
    until: datetime
    references: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Notes, and points earned by day (UTC, ISO)."""

    notes: Sequence[Note] = ()
    earned: Mapping[str, int] = field(default_factory=dict)
    revision: int = 0

    def of(self, kind: Kind) -> list[Note]:
        """Notes of a kind, the earliest first."""
        return sorted((note for note in self.notes if note.kind is kind), key=_order)

    def noted(self, note: Note, rules: Abuse, now: datetime) -> "Watch | None":
        """With one more note, without those whose time is over; None where it is known, or comes too late to count."""
        if note.at < now - kept_for(note.kind, rules):
            return None
        same = self.of(note.kind)
        behind = len(same) >= MOST_NOTES and _order(note) < _order(same[0])
        if behind or any(one.reference == note.reference for one in same):
            return None
        notes: list[Note] = []
        for kind in Kind:
            alive = [one for one in self.of(kind) if one.at >= now - kept_for(kind, rules)]
            mine = sorted([*alive, note], key=_order) if kind is note.kind else alive
            notes += mine[-MOST_NOTES:]
        return Watch(notes, self._earned_with(note, now), self.revision)

    def _earned_with(self, note: Note, now: datetime) -> dict[str, int]:
        first = (now - timedelta(days=DAYS_KEPT)).astimezone(UTC).date().isoformat()
        earned = {day: points for day, points in self.earned.items() if day >= first}
        if note.kind is Kind.ACCRUAL and note.points > 0:
            day = note.at.astimezone(UTC).date().isoformat()
            earned[day] = earned.get(day, 0) + note.points
        return earned

    def evidence(self, rules: Abuse, *, cleared_at: datetime | None = None) -> list[Evidence]:
        """Every sign that the notes show; those of doings until ``cleared_at`` a person has looked at."""
        recent = {kind: [note for note in self.of(kind) if cleared_at is None or note.at > cleared_at] for kind in Kind}
        found = [
            *self._spikes(rules, recent[Kind.ACCRUAL], cleared_at),
            *_after_change(rules, recent[Kind.CHANGE], recent[Kind.HOLD]),
            *_many(rules, recent[Kind.REVEAL]),
            *_fan(rules, Signal.SENT, recent[Kind.SENT]),
            *_fan(rules, Signal.RECEIVED, recent[Kind.RECEIVED]),
        ]
        return [one for one in found if one.then is not Then.NOTHING]

    def _spikes(self, rules: Abuse, notes: Sequence[Note], cleared_at: datetime | None) -> Iterable[Evidence]:
        rule, span = rules.accrual_spike, timedelta(hours=rules.accrual_spike.hours)
        windows = list(_windows(notes, span))
        most = max(windows, key=len, default=[])
        if len(most) >= rule.count or len(notes) >= MOST_NOTES:
            yield _evidence(Signal.ACCRUALS, rule.count_then, (most, span), (len(most), rule.count))
        whole = [self._of_days(window, span, cleared_at) if len(notes) >= MOST_NOTES else 0 for window in windows]
        points = [max(_points(window), days) for window, days in zip(windows, whole, strict=True)]
        richest = max(range(len(windows)), key=points.__getitem__, default=None)
        if rule.points is not None and richest is not None and points[richest] >= rule.points:
            yield _evidence(Signal.POINTS, rule.then, (windows[richest], span), (points[richest], rule.points))
        if rule.times_usual is None:
            return
        for window, counted in zip(windows, points, strict=True):
            usual = self._usual(window[-1].at - span)
            # usual / 28 days * hours / 24, times as often, without a fraction
            enough = counted * USUAL_DAYS * 24 >= rule.times_usual * (usual or 0) * rule.hours
            if usual is not None and counted >= rule.unusual_from and enough:
                bound = rule.times_usual * usual * rule.hours // (USUAL_DAYS * 24)
                yield _evidence(Signal.UNUSUAL, rule.then, (window, span), (counted, bound))
                return

    def _of_days(self, window: Sequence[Note], span: timedelta, cleared_at: datetime | None) -> int:
        """Points of the days that begin in a window, or of the day that it lies in: all of them, also of notes that were dropped.

        So nobody hides a sum in more parts than are kept. Days until ``cleared_at`` a person has looked at.
        """
        until = window[-1].at.astimezone(UTC).date()
        before = min((window[-1].at - span).astimezone(UTC).date(), until - timedelta(days=1))
        before = before if cleared_at is None else max(before, cleared_at.astimezone(UTC).date())
        return sum(points for day, points in self.earned.items() if before.isoformat() < day <= until.isoformat())

    def _usual(self, before: datetime) -> int | None:
        """Points of 28 days, of which everything is known before ``before``; None where too few of them had any."""
        last = (before - LATE).astimezone(UTC).date() - timedelta(days=1)
        first = last - timedelta(days=USUAL_DAYS - 1)
        days = [points for day, points in self.earned.items() if first.isoformat() <= day <= last.isoformat()]
        return sum(days) if len(days) >= _USUAL_AT_LEAST else None


def kept_for(kind: Kind, rules: Abuse) -> timedelta:
    """How long a doing is remembered."""
    hours = {
        Kind.ACCRUAL: rules.accrual_spike.hours,
        Kind.CHANGE: rules.redemptions_after_change.hours,
        Kind.HOLD: rules.redemptions_after_change.hours,
        Kind.REVEAL: rules.reveals_of_member.hours,
        Kind.SENT: rules.transfers.hours,
        Kind.RECEIVED: rules.transfers.hours,
    }[kind]
    span = timedelta(hours=hours)
    return span + min(LATE, span)


def _after_change(rules: Abuse, changes: Sequence[Note], holds: Sequence[Note]) -> Iterable[Evidence]:
    """The change's own moment counts, and the last one of its hours does not."""
    rule = rules.redemptions_after_change
    span = timedelta(hours=rule.hours)
    after = [[hold for hold in holds if change.at <= hold.at < change.at + span] for change in changes]
    most = max(after, key=len, default=[])
    if len(most) >= rule.redemptions:
        yield _evidence(Signal.REDEMPTIONS_AFTER_CHANGE, rule.then, (most, span), (len(most), rule.redemptions))
    large = max((hold for held in after for hold in held), key=lambda hold: hold.points, default=None)
    if rule.points is not None and large is not None and large.points >= rule.points:
        yield _evidence(Signal.LARGE_AFTER_CHANGE, rule.then, ([large], span), (large.points, rule.points))


def _many(rules: Abuse, reveals: Sequence[Note]) -> Iterable[Evidence]:
    rule, span = rules.reveals_of_member, timedelta(hours=rules.reveals_of_member.hours)
    most = max(_windows(reveals, span), key=len, default=[])
    if len(most) >= rule.count or len(reveals) >= MOST_NOTES:
        yield _evidence(Signal.REVEALS, rule.then, (most, span), (len(most), rule.count))


def _fan(rules: Abuse, signal: Signal, notes: Sequence[Note]) -> Iterable[Evidence]:
    rule, span = rules.transfers, timedelta(hours=rules.transfers.hours)
    widest = max(_windows(notes, span), key=_others, default=[])
    if _others(widest) >= rule.members:
        yield _evidence(signal, rule.then, (widest, span), (_others(widest), rule.members))


def _windows(notes: Sequence[Note], span: timedelta) -> Iterable[list[Note]]:
    """For each note those that lie less than ``span`` before it, and itself."""
    first = 0
    for last, note in enumerate(notes):
        while notes[first].at <= note.at - span:
            first += 1
        yield list(notes[first : last + 1])


def _evidence(
    signal: Signal, then: Then, window: tuple[Sequence[Note], timedelta], counted: tuple[int, int]
) -> Evidence:
    """``window``: its notes and its length; ``counted``: how much, and from how much on it is a sign."""
    notes, span = window
    until = notes[-1].at
    references = tuple(note.reference for note in notes[-_REFERENCES:])
    return Evidence(signal, then, *counted, until - span, until, references)


def _points(notes: Iterable[Note]) -> int:
    return sum(note.points for note in notes)


def _others(notes: Iterable[Note]) -> int:
    return len({note.other for note in notes})


def _order(note: Note) -> tuple[datetime, str]:
    return note.at, note.reference
