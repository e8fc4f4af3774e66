"""Bugs of tiers, rules, caps and budgets, put into the library on purpose: see :mod:`tests.simulation.bugs`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from unittest.mock import patch

from loyalty.accruals import accrual, limits, reversal
from loyalty.accruals.limits import BudgetItem, Limits
from loyalty.core.table import Operation, Put
from loyalty.ledger import ladders, settlement
from loyalty.ledger.ladders import DowngradeBy, LadderTerms, Standing, Tallies
from loyalty.ledger.model import EntryKind
from loyalty.merging import service as merging
from loyalty.programs import choosing, counters

Bug = Callable[[], AbstractContextManager[Any]]


@contextmanager
def _all(*patches: AbstractContextManager[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield


def grace_ignored_at_a_review() -> AbstractContextManager[Any]:
    """A tier is reviewed the day after its last, whatever days of grace there are."""
    last, review = ladders.last_day, ladders.reviewed

    def last_day(terms: LadderTerms, standing: Standing) -> date | None:
        return last(replace(terms, grace_days=0), standing)

    def reviewed(terms: LadderTerms, *arguments: Any) -> Standing:
        return review(replace(terms, grace_days=0), *arguments)

    return _all(patch.object(ladders, "last_day", last_day), patch.object(ladders, "reviewed", reviewed))


def review_of_the_running_period_alone() -> AbstractContextManager[Any]:
    """A review counts the period that it is in, and none before."""
    return patch.object(Tallies, "entitled", Tallies.reached)


def one_level_falls_to_the_ground() -> AbstractContextManager[Any]:
    """A tier that falls by one level becomes whatever is earned."""
    right = ladders.reviewed

    def reviewed(terms: LadderTerms, *arguments: Any) -> Standing:
        by = terms.downgrade
        deep = DowngradeBy.ACHIEVEMENT if by is DowngradeBy.ONE_LEVEL else by
        return right(replace(terms, downgrade=deep), *arguments)

    return patch.object(ladders, "reviewed", reviewed)


def warned_though_earned_again() -> AbstractContextManager[Any]:
    """Whoever has earned their tier again is told that they are about to lose it."""

    def falls(book: Any, scope: Any, ladder: str, _last: date) -> str | None:
        terms = scope.ladders[ladder]
        return str(terms.first) if terms.rank(book.standing(ladder, terms).tier) else None

    return patch.object(settlement, "_falls", falls)


def warned_twice() -> AbstractContextManager[Any]:
    """A member is warned once more on the day after."""
    right = settlement._tier

    def tier(*arguments: Any) -> Iterator[Any]:
        for due in right(*arguments):
            yield due
            if due.kind is EntryKind.TIER_WARNING:
                last, _, left = due.name.partition("/")
                if int(left) > 1:
                    yield replace(due, at=due.at + timedelta(days=1), name=f"{last}/{int(left) - 1}")

    return patch.object(settlement, "_tier", tier)


def granted_for_ever() -> AbstractContextManager[Any]:
    """A granted tier does not end with its last day."""
    right = settlement._tier

    def tier(*arguments: Any) -> Iterator[Any]:
        return (due for due in right(*arguments) if due.source != settlement.GRANT_END)

    return patch.object(settlement, "_tier", tier)


def grant_lowers_the_earned_tier() -> AbstractContextManager[Any]:
    """Whoever is granted a lower tier than they have earned has the lower one."""

    def grant(_: LadderTerms, standing: Standing, tier: str, until: date) -> Standing:
        return replace(standing, tier=tier, granted=tier, granted_until=until)

    return patch.object(ladders, "grant", grant)


def tier_of_a_merge_lost() -> AbstractContextManager[Any]:
    """Of members who turn out to be one the survivor's tier stays, however high the other's was."""
    return patch.object(merging, "standings_after", lambda *_: [])


def years_of_the_absorbed_left() -> AbstractContextManager[Any]:
    """Years from the absorbed member's anniversaries stay beside those of the survivor."""
    return patch.object(ladders, "rekeyed", lambda counted, _: dict(counted))


def given_back_and_counted() -> AbstractContextManager[Any]:
    """What is given back counts towards tiers all the same."""
    return patch.object(reversal, "uncounted", lambda *_: {})


def caps_of_the_day_in_utc() -> AbstractContextManager[Any]:
    """The day, week or month of a cap is that of Greenwich."""
    day, right, made = [date.min], counters.bounds_of, Limits.__init__

    def bounds_of(rule: Any, campaign: Any, _: date) -> Any:
        return right(rule, campaign, day[0])

    def init(self: Limits, document: Any, deed: Any, identity: str) -> None:
        day[0] = deed.occurred_at.date()
        made(self, document, deed, identity)

    def of_greenwich(name: str) -> AbstractContextManager[Any]:
        method = getattr(Limits, name)

        def called(self: Limits, *arguments: Any) -> Any:
            day[0] = self._deed.occurred_at.date()
            return method(self, *arguments)

        return patch.object(Limits, name, called)

    modules = (counters, choosing, limits)
    return _all(
        patch.object(Limits, "__init__", init),
        *(of_greenwich(name) for name in ("outcome", "uses", "deciding")),
        *(patch.object(module, "bounds_of", bounds_of) for module in modules),
    )


def cap_not_given_back() -> AbstractContextManager[Any]:
    """What a reversal takes back was used for good."""
    return patch.object(reversal, "changed_counts", lambda *_: [])


def a_part_gives_a_time_back() -> AbstractContextManager[Any]:
    """A time comes back as soon as any of its activity does."""
    right = limits.given_back

    def given_back(original: Any, taken: Any) -> dict[str, int]:
        some = any(taken.points.values())
        times = {text: number for text, number in original.facts.used.items() if some and text.endswith("|times")}
        return {**right(original, taken), **times}

    return _all(patch.object(reversal, "given_back", given_back), patch.object(accrual, "given_back", given_back))


def _counts_written(change: Callable[[Operation], Operation]) -> AbstractContextManager[Any]:
    right = limits.changed_counts

    def changed_counts(*arguments: Any) -> list[Operation]:
        return [change(one) for one in right(*arguments)]

    return _all(*(patch.object(module, "changed_counts", changed_counts) for module in (accrual, reversal)))


def budget_without_condition() -> AbstractContextManager[Any]:
    """A shard of a budget is put over whatever somebody else has spent of it."""

    def careless(one: Operation) -> Operation:
        return Put(one.item, shared=True) if isinstance(one, Put) and isinstance(one.item, BudgetItem) else one

    return _counts_written(careless)


def shards_mixed_up() -> AbstractContextManager[Any]:
    """An accrual that uses two shards of a budget says of each what it used of the other."""
    right = Limits.uses

    def uses(self: Limits, *arguments: Any) -> dict[str, int]:
        found = right(self, *arguments)
        shards = [text for text in found if text.startswith("budget|")]
        numbers = [found[text] for text in shards]
        return {**found, **dict(zip(shards, numbers[1:] + numbers[:1], strict=True))}

    return patch.object(Limits, "uses", uses)


def counts_that_decide_unchecked() -> AbstractContextManager[Any]:
    """A cap that leaves nothing may have been read before what the book says."""
    return patch.object(accrual, "unchanged_counts", lambda *_: [])


BUGS_OF_PROGRAMS: Final[Mapping[str, Bug]] = {
    bug.__name__: bug
    for bug in (
        grace_ignored_at_a_review, review_of_the_running_period_alone, one_level_falls_to_the_ground,
        warned_though_earned_again, warned_twice, granted_for_ever, grant_lowers_the_earned_tier, tier_of_a_merge_lost,
        years_of_the_absorbed_left, given_back_and_counted, caps_of_the_day_in_utc, cap_not_given_back,
        a_part_gives_a_time_back, budget_without_condition, shards_mixed_up, counts_that_decide_unchecked,
    )
}  # fmt: skip
"""By name."""
