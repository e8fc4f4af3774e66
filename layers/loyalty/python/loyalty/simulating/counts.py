"""What caps and budgets have counted in a replay: as the table does, but a budget is one number, not sixteen."""

from collections import Counter
from collections.abc import Mapping, Sequence

from loyalty.accruals.limits import Use, uses_of
from loyalty.programs.counters import CounterKey, bounds_for
from loyalty.programs.deeds import Deed
from loyalty.programs.earning import Outcome
from loyalty.programs.model import ProgramDocument

_WHOLE = "00"
"""The one shard of a budget."""


class Counts:
    """Counts of members' caps, and of budgets."""

    def __init__(self) -> None:
        self._caps: Counter[tuple[str, CounterKey]] = Counter()
        self._budgets: Counter[str] = Counter()

    def room(self, document: ProgramDocument, deed: Deed, family: Sequence[str]) -> dict[CounterKey, int]:
        """What caps and budgets leave for a deed of a member, who is all of ``family``."""
        return {bound.key: max(0, bound.limit - self._used(bound.key, family)) for bound in bounds_for(document, deed)}

    def add(self, member_id: str, uses: Mapping[str, int]) -> None:
        """Counts what an accrual used, by the names that its entry has; below zero what is given back."""
        for text, number in uses.items():
            use = Use.parse(text)
            if use.kind == "budget":
                self._budgets[use.owner] += number
            else:
                key = CounterKey("cap", use.owner, use.place, "times" if use.unit == "times" else "points")
                self._caps[member_id, key] += number

    def spent(self, campaign: str) -> int:
        """What is used of a campaign's budget."""
        return self._budgets[f"campaign:{campaign}"]

    def _used(self, key: CounterKey, family: Sequence[str]) -> int:
        if key.kind == "budget":
            return self._budgets[key.owner]
        return sum(self._caps[member_id, key] for member_id in family)


def used_by(outcome: Outcome) -> dict[str, int]:
    """What an outcome uses, by the names that its entry would have."""
    return uses_of(outcome, lambda _, number: {_WHOLE: number})
