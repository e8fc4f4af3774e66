"""Whether what an accrual counts towards tiers is what it earned, in the periods of its day; and what a reversal takes."""

from collections.abc import Mapping
from datetime import date, timedelta

from loyalty.ledger.ladders import EVER, PLAIN
from loyalty.ledger.model import COUNT_PREFIX, POINTS, Account, Entry, EntryKind, Scope
from loyalty.ledger.verify.days import Days
from loyalty.ledger.verify.replay import Step, without_zeros
from loyalty.ledger.verify.report import Problem, Problems

_YEAR = timedelta(days=366)


def check_counted(step: Step, days: Days, scopes: Mapping[int, Scope]) -> Problems:
    """What is wrong with what an accrual counts. Buckets whose time is over go with it, whole."""
    if step.kind is not EntryKind.ACCRUAL:
        return
    entry = step.entry
    found, times = split_counts(entry.movement.qualifying)
    if times not in ({}, {f"{COUNT_PREFIX}{entry.facts.activity}/ever": 1}):
        yield Problem("qualifying_wrong", step.where, f"'{entry.facts.activity}' is counted as {times}")
    counted = {key: number for key, number in found.items() if number > 0}
    for key, number in found.items():
        gone = number < 0 and step.before.qualifying.get(key) == -number and not _is_running(key, entry, days)
        if number < 0 and not gone and number != _earned(entry, POINTS):
            yield Problem("qualifying_wrong", step.where, f"{-number} of '{key}' do not count any more")
    for key, number in counted.items():
        if not _is_running(key, entry, days) or not _is_possible(entry, key, number):
            earned = _earned(entry, POINTS)
            yield Problem(
                "qualifying_wrong", step.where, f"{earned} points of {entry.posted_at} count {number} in {key}"
            )
    missing = _expected(entry, scopes, counted) - {_metric(key) for key in counted}
    if missing or len(counted) != len({(_metric(key), len(key), _name(key) == EVER) for key in counted}):
        yield Problem(
            "qualifying_wrong", step.where, f"{dict(counted)} count, nothing for {', '.join(sorted(missing))}"
        )


def wrongly_taken(step: Step, accrual: Entry) -> bool:
    """Whether a reversal takes something else than its share from what its accrual counted, where that still is."""
    entry = step.entry
    counted = {key: n for key, n in split_counts(accrual.movement.qualifying)[0].items() if n > 0}
    taken = {key: -number for key, number in split_counts(entry.movement.qualifying)[0].items()}
    for key, number in taken.items():
        if key in counted and _wallet_counted(accrual, key):
            continue  # it is exactly its share, see below
        homes = [other for other in counted if other == key or _may_have_become(other, key)]
        if number < 0 or number > sum(counted[other] for other in homes):
            return True
    for key in counted.keys() & step.before.qualifying.keys():
        wallet = _wallet_counted(accrual, key)
        # What counted there may be gone, its time being over, and what is there now come from whoever was merged.
        if wallet and taken.get(key, 0) != min(-_earned(entry, wallet), step.before.qualifying[key]):
            return True
    return False


def split_counts(qualifying: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """What counts towards tiers, and how often something was done, which is counted beside it; without zeros."""
    filled = without_zeros(qualifying)
    times = {key: number for key, number in filled.items() if key.startswith(COUNT_PREFIX)}
    return {key: number for key, number in filled.items() if key not in times}, times


def _wallet_counted(accrual: Entry, key: str) -> str | None:
    """The wallet in which an accrual earned what it counts under a key, all of it; None of other metrics."""
    wallet = _wallet(_metric(key))
    return wallet if wallet and accrual.movement.qualifying[key] == _earned(accrual, wallet) else None


def _earned(entry: Entry, wallet: str) -> int:
    """Points that an entry gave in a wallet; below zero what it took."""
    return -entry.movement.change(wallet).postings.get(Account.ISSUED, 0)


def _expected(entry: Entry, scopes: Mapping[int, Scope], counted: Mapping[str, int]) -> set[str]:
    """Metrics that have to be counted: those of points without more, in a wallet in which some were earned."""
    scope = scopes.get(entry.facts.program_version)
    if scope is None:  # not known: a program without more counts the points of a calendar year
        metrics = set() if any("/" in key for key in counted) else {PLAIN}
    else:
        metrics = {terms.metric for terms in scope.ladders.values()} or {PLAIN}
    return {metric for metric in metrics if (wallet := _wallet(metric)) and _earned(entry, wallet) > 0}


def _is_possible(entry: Entry, key: str, number: int) -> bool:
    """Points are counted as they were earned, an activity as one; what money comes to depends on rates."""
    metric = _metric(key)
    if metric.startswith("activities"):
        return number == 1
    if metric.startswith("spend"):
        return entry.facts.amount is not None
    wallet = metric.partition("+")[0].partition(":")[0].partition(".")[2] or POINTS
    return number == _earned(entry, wallet)


def _wallet(metric: str) -> str | None:
    """The wallet whose points a metric counts, all of them; None of others."""
    if ":" in metric or "+" in metric or metric.partition(".")[0] != PLAIN:
        return None
    return metric.partition(".")[2] or POINTS


def _metric(key: str) -> str:
    return key.rpartition("/")[0] or PLAIN


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _is_running(key: str, entry: Entry, days: Days) -> bool:
    """Whether an entry may have been posted in the period of a bucket."""
    name, first, last = _name(key), days.earliest(entry.posted_at), days.latest(entry.posted_at)
    if len(name) == len("2026-03-14"):
        return name <= last and date.fromisoformat(first) < date.fromisoformat(name) + _YEAR
    return name == "ever" or name in {day[: len(name)] for day in (first, last)}


def _may_have_become(one: str, other: str) -> bool:
    """Whether a year from an anniversary began in another one, to which a merge may have taken it."""
    if _metric(one) != _metric(other) or not len(_name(one)) == len(_name(other)) == len("2026-03-14"):
        return False
    began, home = date.fromisoformat(_name(one)), date.fromisoformat(_name(other))
    return home <= began < home + _YEAR
