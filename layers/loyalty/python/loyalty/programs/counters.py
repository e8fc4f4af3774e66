"""What has to be counted over time, so that caps and budgets hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from loyalty.programs.campaigns import Campaign, Cap
from loyalty.programs.deeds import Deed
from loyalty.programs.fields import Period
from loyalty.programs.model import EarnRule, ProgramDocument


@dataclass(frozen=True, slots=True, order=True)
class CounterKey:
    """Names one count: of a cap, which is each member's own, or of a campaign's budget, which all members share.

    ``owner`` is ``rule:double-shoes`` or ``campaign:black-friday``; ``window`` is ``2026-11-22``, ``2026-W47``,
    ``2026-11``, ``2026`` or ``ever``.
    """

    kind: Literal["cap", "budget"]
    owner: str
    window: str
    unit: Literal["points", "times"]


@dataclass(frozen=True, slots=True)
class Bound:
    """A count, the most that it may come to, and whether a rule that would pass it gives nothing at all."""

    key: CounterKey
    limit: int
    all_or_nothing: bool = False


def window_of(period: Period, day: date) -> str:
    """The day, ISO week, month or year that a day of the program is in."""
    match period:
        case "day":
            return day.isoformat()
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02}"
        case "month":
            return f"{day:%Y-%m}"
        case "year":
            return f"{day:%Y}"
        case "ever":
            return "ever"


def bounds_of(rule: EarnRule, campaign: Campaign | None, day: date) -> tuple[Bound, ...]:
    """What bounds a rule on a day of the program: its own caps, then its campaign's, then the campaign's budget."""
    found = list(_caps(f"rule:{rule.id}", rule.caps, day))
    if campaign is not None:
        owner = f"campaign:{campaign.id}"
        found += _caps(owner, campaign.caps, day)
        if campaign.budget_points is not None:
            key = CounterKey("budget", owner, "ever", "points")
            found.append(Bound(key, campaign.budget_points, campaign.when_exhausted == "nothing"))
    return tuple(found)


def bounds_for(document: ProgramDocument, deed: Deed) -> tuple[Bound, ...]:
    """What may bound an activity, known before the member is read; each once."""
    local = deed.occurred_at.astimezone(document.zone).replace(tzinfo=None)
    found: dict[Bound, None] = {}
    for rule in document.earn_rules:
        campaign = document.campaign(rule.campaign)
        if rule.activity == deed.activity and (campaign is None or campaign.runs_at(local)):
            found |= dict.fromkeys(bounds_of(rule, campaign, local.date()))
    return tuple(found)


def counters_for(document: ProgramDocument, deed: Deed) -> tuple[CounterKey, ...]:
    """The counts that may decide what an activity earns, known before the member is read."""
    return tuple(bound.key for bound in bounds_for(document, deed))


def _caps(owner: str, caps: tuple[Cap, ...], day: date) -> Iterator[Bound]:
    for cap in caps:
        yield Bound(CounterKey("cap", owner, window_of(cap.per, day), cap.unit), cap.limit)
