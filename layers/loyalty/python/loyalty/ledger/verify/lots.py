"""Whether points left and came back by the right lots: first-to-expire first, grace where a lot expired meanwhile."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from loyalty.ledger.model import Change, EntryKind, Terms
from loyalty.ledger.verify.days import Days, days_after, month_end
from loyalty.ledger.verify.replay import Step, Sums, without_zeros
from loyalty.ledger.verify.report import Problem, Problems
from loyalty.ledger.verify.sums import added

_SPENDING = frozenset({EntryKind.HOLD, EntryKind.TRANSFER_OUT, EntryKind.ADJUSTMENT})


def check_lots(step: Step) -> Problems:
    """Whether an entry that spends takes what expires first, and one that renews moves whole lots to one later."""
    for wallet_id, change in step.entry.movement.changes.items():
        after = step.after.wallet(wallet_id)
        if step.kind in _SPENDING and not takes_first(change.lots, after):
            yield Problem(
                "not_first_to_expire", step.where, f"it takes {dict(change.lots)} and leaves {dict(after.lots)}"
            )
        if step.kind is EntryKind.RENEWAL and not _renews(change, after):
            yield Problem("renewal_wrong", step.where, f"it moves {dict(change.lots)} and leaves {dict(after.lots)}")
        if step.kind is EntryKind.ADJUSTMENT and {points > 0 for points in change.lots.values()} == {True, False}:
            yield Problem("direction_wrong", step.where, f"it gives and takes: {dict(change.lots)}")


def takes_first(lots: Mapping[str, int], after: Sums, *, first: Iterable[str] = ()) -> bool:
    """Whether nothing is left of a lot that goes before one that points were taken from: ``first``, then by date."""
    first = set(first)
    taken = [(lot not in first, lot) for lot, points in lots.items() if points < 0]
    return not taken or not any((lot not in first, lot) < max(taken) for lot, left in after.lots.items() if left > 0)


def came_back(given: Mapping[str, int], change: Change, targets: Iterable[Mapping[str, str]]) -> bool:
    """Whether ``given`` points came back to their lots, but for those first-to-expire that paid what was owed.

    ``targets`` are the possible lots of what expired meanwhile: maps from its lot to another.
    """
    for target in targets:
        nominal = added({target.get(lot, lot): points} for lot, points in given.items())
        if _is_rest(change.lots, nominal):
            return True
    return False


def grace(
    given: Mapping[str, int], moment: datetime, days: Days, terms: Iterable[Terms], found: Change
) -> list[dict[str, str]]:
    """Where points of lots that had expired at ``moment`` may have gone: so many days on, to the end of that month.

    Nobody can tell which version of the program decided: the days of grace may be those of any of ``terms``, the wallet's.
    """
    maps, possible = [], {one.grace_days for one in terms}
    for today in {days.earliest(moment), days.latest(moment)}:
        gone = {lot for lot in given if lot < today}
        until = {month_end(days_after(today, days_more)) for days_more in possible}
        # Where no version is known, any month's end will do.
        until = until or {lot for lot in found.lots if lot >= today and lot == month_end(lot)} or {today}
        maps += [dict.fromkeys(gone, lot) for lot in until]
    return maps


def _is_rest(lots: Mapping[str, int], nominal: Mapping[str, int]) -> bool:
    """Whether ``lots`` is what is left of ``nominal`` once its first-to-expire paid something."""
    short = {lot: points - lots.get(lot, 0) for lot, points in nominal.items()}
    last = max((lot for lot, points in short.items() if points), default="")
    whole = all(lots.get(lot, 0) == 0 for lot in nominal if lot < last)
    return lots.keys() <= nominal.keys() and min(short.values(), default=0) >= 0 and whole


def _renews(change: Change, after: Sums) -> bool:
    lots = without_zeros(change.lots)
    last = max(lots, default="")
    older_left = [lot for lot, points in after.lots.items() if points and lot < last]
    return [lot for lot, points in lots.items() if points > 0] == [last] and not sum(lots.values()) and not older_left
