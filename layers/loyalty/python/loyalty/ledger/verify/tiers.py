"""Whether tiers were reached by what was counted, kept as long as they are to be, and ended on their day.

It looks at tallies by the names of their buckets, and computes no calendar of its own beyond years and months.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from loyalty.ledger.ladders import PLAIN, STATUS, DowngradeBy, LadderTerms, Period, Standing
from loyalty.ledger.model import EntryKind, Scope
from loyalty.ledger.verify.days import Days, days_after
from loyalty.ledger.verify.replay import ENDS_OF_A_TIER, State, Step
from loyalty.ledger.verify.report import Problem, Problems


def check_tier(step: Step, scopes: Mapping[int, Scope], days: Days) -> Problems:
    """What is wrong with an entry that changes where the member stands, or warns of it."""
    if step.kind is EntryKind.TIER_WARNING:
        yield from _check_warning(step, days)
    if step.kind is not EntryKind.TIER:
        return
    ladder = step.entry.facts.ladder or STATUS
    yield from _check_chain(step, ladder)
    scope = scopes.get(step.entry.facts.program_version)
    terms = scope.ladders.get(ladder) if scope else None
    if terms is None:
        return
    before, after = _standings(step, ladder, terms)
    if after.tier != _higher(terms, after.earned, after.granted):
        yield Problem("standing_wrong", step.where, f"'{after.tier}' of '{after.earned}' and '{after.granted}'")
    if step.entry.key.source in ENDS_OF_A_TIER:
        yield from _check_moment(step, terms, before, days)
    if step.entry.key.source.partition(".")[0] != "merge":
        # Of a merge the other member is not at hand: what was earned there is not known here.
        yield from _check_earned(step, terms, before, after, days)


def over(state: State, scopes: Mapping[int, Scope]) -> Iterator[tuple[str, str]]:
    """Ladders, and the first days on which nothing is left of a standing by any version of the program."""
    for ladder, standing in state.standings.items():
        versions = [scope.ladders[ladder] for scope in scopes.values() if ladder in scope.ladders]
        if not versions or len(versions) < len(scopes):
            continue
        if standing.granted_until is not None:
            yield ladder, days_after(standing.granted_until.isoformat(), 1)
        ends = [_review_day(terms, standing) for terms in versions]
        if all(ends):
            yield ladder, max(end for end in ends if end)


def ends_on(standings: Mapping[str, Standing], scope: Scope) -> set[str]:
    """The days at whose start something ends by a version of the program."""
    ends = {_review_day(scope.ladders[key], one) for key, one in standings.items() if key in scope.ladders}
    grants = {one.granted_until for key, one in standings.items() if key in scope.ladders}
    return {day for day in ends if day} | {days_after(day.isoformat(), 1) for day in grants if day}


def warned_on(standings: Mapping[str, Standing], scope: Scope) -> set[str]:
    """The days at whose start a warning may be due by a version of the program."""
    found = set()
    for ladder, standing in standings.items():
        day = _review_day(scope.ladders[ladder], standing) if ladder in scope.ladders else None
        found |= {days_after(day, -1 - left) for left in scope.ladders[ladder].warn_days} if day else set()
    return found


def _check_chain(step: Step, ladder: str) -> Problems:
    """It leads from where the member stood, and says the same of the tier wherever it says it."""
    entry, stands = step.entry, step.entry.movement.standings
    if stands and (set(stands) != {ladder} or entry.facts.standing_from != step.before.standings.get(ladder)):
        detail = f"from {entry.facts.standing_from}, where {step.before.standings.get(ladder)} was, on {set(stands)}"
        yield Problem("standing_wrong", step.where, detail)
    elif ladder == STATUS and stands and step.after.tier not in {None, stands[ladder].tier}:
        yield Problem("standing_wrong", step.where, f"'{step.after.tier}' is the tier, not '{stands[ladder].tier}'")


def _check_warning(step: Step, days: Days) -> Problems:
    last, _, left = step.entry.key.source_id.partition("/")
    day, occurred_at = days_after(last, -int(left)), step.entry.facts.occurred_at
    standing = step.before.standings.get(step.entry.key.source)
    if standing is None or standing.tier != step.entry.facts.tier_from:
        yield Problem("warning_wrong", step.where, f"the member stands at {standing}")
    if not days.may_begin(day, occurred_at) or occurred_at > step.entry.posted_at:
        yield Problem("due_moment_wrong", step.where, f"{day} does not begin on {occurred_at}")


def _check_moment(step: Step, terms: LadderTerms, before: Standing, days: Days) -> Problems:
    """A tier ends at the start of the day after its last."""
    review = step.entry.key.source == "review"
    granted = days_after(before.granted_until.isoformat(), 1) if before.granted_until else None
    day, occurred_at = _review_day(terms, before) if review else granted, step.entry.facts.occurred_at
    if day is None or not days.may_have_begun(day, min(occurred_at, step.entry.posted_at)):
        yield Problem("tier_lost_early", step.where, f"on {occurred_at}, where it ends with the day before {day}")
    elif not days.may_begin(day, occurred_at) or occurred_at > step.entry.posted_at:
        yield Problem("due_moment_wrong", step.where, f"{day} does not begin on {occurred_at}")


def _check_earned(step: Step, terms: LadderTerms, before: Standing, after: Standing, days: Days) -> Problems:
    counted, rank = step.before.qualifying, terms.rank
    if rank(after.earned) > rank(before.earned) or (after.earned, after.kept) != (before.earned, False):
        best = max(_tallies(terms, counted), default=0)
        if not after.kept and rank(after.earned) > rank(terms.reached(best)):
            yield Problem("tier_unearned", step.where, f"'{after.earned}' needs more than {best}")
    if after.kept and rank(after.earned) not in {rank(before.earned), rank(before.earned) - 1}:
        yield Problem("tier_unearned", step.where, f"'{after.earned}' is left of '{before.earned}'")
    if rank(after.earned) < rank(before.earned):
        today = date.fromisoformat(days.earliest(step.entry.facts.occurred_at))
        running = terms.reached(_running(terms, counted, today))
        if rank(running) > rank(after.earned) or not (terms.at_once or terms.downgrade is not DowngradeBy.NEVER):
            yield Problem("tier_lost_early", step.where, f"'{after.earned}', where '{running}' is earned")


def _standings(step: Step, ladder: str, terms: LadderTerms) -> tuple[Standing, Standing]:
    """Where the member stood before an entry and after it; by the tier alone where nothing else is known."""
    first = step.entry.facts.tier_from or terms.first
    before = step.before.standings.get(ladder) or Standing(first, first)
    tier = step.entry.movement.tier or before.tier
    return before, step.entry.movement.standings.get(ladder) or Standing(tier, tier)


def _higher(terms: LadderTerms, earned: str, granted: str | None) -> str:
    return (
        granted
        if granted is not None and terms.rank(granted) > terms.rank(earned)
        else list(terms.tiers)[terms.rank(earned)]
    )


def _review_day(terms: LadderTerms, standing: Standing) -> str | None:
    if terms.downgrade is DowngradeBy.NEVER or not terms.rank(standing.earned) or standing.valid_until is None:
        return None
    return days_after(standing.valid_until.isoformat(), terms.grace_days + 1)


def _tallies(terms: LadderTerms, counted: Mapping[str, int]) -> Iterator[int]:
    """What each period comes to, of whatever buckets there are."""
    found = _buckets(terms, counted)
    if terms.period is not Period.ROLLING_MONTHS:
        yield from found.values()
        return
    for end in {month + later for month in map(_month, found) for later in range(terms.months)}:
        yield sum(number for name, number in found.items() if end - terms.months < _month(name) <= end)


def _running(terms: LadderTerms, counted: Mapping[str, int], today: date) -> int:
    """What the period that a day is in comes to."""
    found, day = _buckets(terms, counted), today.isoformat()
    match terms.period:
        case Period.CALENDAR_YEAR:
            return found.get(day[:4], 0)
        case Period.ROLLING_MONTHS:
            end = _month(day[:7])
            return sum(number for name, number in found.items() if end - terms.months < _month(name) <= end)
        case Period.ANNIVERSARY_YEAR:
            begun = [name for name in found if name <= day < _a_year_after(name)]
            return found[max(begun)] if begun else 0
        case Period.LIFETIME:
            return sum(found.values())


def _a_year_after(name: str) -> str:
    """The same day of the next year; after the 29th of February, the 28th."""
    day = "02-28" if name[5:] == "02-29" else name[5:]
    return f"{int(name[:4]) + 1}-{day}"


def _buckets(terms: LadderTerms, counted: Mapping[str, int]) -> dict[str, int]:
    """By name, those of the ladder's metric and kind of period."""
    length = {Period.CALENDAR_YEAR: 4, Period.ANNIVERSARY_YEAR: 10, Period.ROLLING_MONTHS: 7, Period.LIFETIME: 4}
    found = {}
    for key, number in counted.items():
        metric, separator, name = key.rpartition("/")
        known = metric == terms.metric if separator else terms.metric == PLAIN
        if known and len(name) == length[terms.period] and (name == "ever") == (terms.period is Period.LIFETIME):
            found[name] = number
    return found


def _month(name: str) -> int:
    return int(name[:4]) * 12 + int(name[5:7])
