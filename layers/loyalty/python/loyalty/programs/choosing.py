"""Which of the rules that match count, and how much of what they are worth caps and budgets leave. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import ceil

from loyalty.programs.counters import Bound, CounterKey, bounds_of
from loyalty.programs.model import ProgramDocument, Stacking
from loyalty.programs.worth import RuleReason, Worth


class Room:
    """What caps and budgets leave, while rule after rule takes of it.

    What a rule takes is counted in whole points, rounded up: however its points are rounded, no bound is passed.
    """

    def __init__(self, document: ProgramDocument, day: date, left: Mapping[CounterKey, int]) -> None:
        """``left`` is what is left of each count; of one that is not in it, all."""
        self._document = document
        self._day = day
        self._left = dict(left)
        self._counted: set[CounterKey] = set()
        self._taken: dict[CounterKey, int] = {}
        self.asked: dict[CounterKey, int] = {}
        """The most whole points that a rule asked of each count, after what others had taken: of one that has so much left
        it does not matter how much more, also for the rules that lost to others in the end."""

    def bounds(self, worth: Worth) -> tuple[Bound, ...]:
        """What bounds the rule, in the order in which it does."""
        return bounds_of(worth.rule, self._document.campaign(worth.rule.campaign), self._day)

    def limit(self, worth: Worth) -> Worth:
        """What of the rule's worth there is room for."""
        for bound in self.bounds(worth):
            if not worth.counted:
                break
            worth = self._within(worth, bound)
        return worth

    def take(self, worth: Worth) -> Worth:
        """:meth:`limit`, and that much less for those who come after."""
        worth = self.limit(worth)
        for bound in self.bounds(worth) if worth.total else ():
            if bound.key.unit == "points":
                self._left[bound.key] = self._of(bound) - ceil(worth.total)
                self._taken[bound.key] = self._taken.get(bound.key, 0) + ceil(worth.total)
            else:
                self._counted.add(bound.key)  # one activity is one time, by however many rules of a campaign
        return worth

    def used(self, worths: Iterable[Worth], points: Mapping[str, int]) -> dict[CounterKey, int]:
        """How much of each count the rules use, which give so many points each."""
        used: dict[CounterKey, int] = {}
        for worth in worths:
            given = points.get(worth.rule.id, 0)
            for bound in self.bounds(worth) if given else ():
                used[bound.key] = used.get(bound.key, 0) + given if bound.key.unit == "points" else 1
        return used

    def _within(self, worth: Worth, bound: Bound) -> Worth:
        reason = RuleReason.CAPPED if bound.key.kind == "cap" else RuleReason.BUDGET_EXHAUSTED
        left = self._of(bound)
        if bound.key.unit == "times":
            return worth if left > 0 or bound.key in self._counted else worth.without(reason)
        asked = self._taken.get(bound.key, 0) + ceil(worth.total)
        self.asked[bound.key] = max(self.asked.get(bound.key, 0), asked)
        if ceil(worth.total) <= left:
            return worth
        return worth.without(reason) if left <= 0 or bound.all_or_nothing else worth.limited(left, reason)

    def _of(self, bound: Bound) -> int:
        return min(bound.limit, self._left.get(bound.key, bound.limit))


def chosen(worths: Sequence[Worth], stacking: Stacking) -> list[Worth]:
    """Of the rules of one wallet, those that count; the others with the one that they lost to. In their order."""
    losers: dict[str, Worth] = {}
    counting = [worth for worth in worths if worth.counted]
    for group in dict.fromkeys(worth.rule.group for worth in counting if worth.rule.group):
        losers |= _losers([worth for worth in counting if worth.rule.group == group], by_priority=True)
    counting = [worth for worth in counting if worth.rule.id not in losers]
    if stacking is not Stacking.SUM:
        losers |= _losers(counting, by_priority=stacking is Stacking.PRIORITY)
    return [losers.get(worth.rule.id, worth) for worth in worths]


def _losers(rivals: Iterable[Worth], *, by_priority: bool) -> dict[str, Worth]:
    """All but one: the first of those with the most points, of those with the highest priority where that decides."""
    ranked = sorted(rivals, key=lambda worth: (-worth.rule.priority if by_priority else 0, -worth.total))
    return {other.rule.id: other.without(RuleReason.LOST_TO, lost_to=ranked[0].rule.id) for other in ranked[1:]}
