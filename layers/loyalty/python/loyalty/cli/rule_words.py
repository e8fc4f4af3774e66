"""What earn rules, campaigns and ladders of tiers say, for people."""

from collections.abc import Iterator

from loyalty.ledger.ladders import STATUS, DowngradeBy, Period
from loyalty.ledger.model import POINTS
from loyalty.programs.campaigns import Campaign, Cap
from loyalty.programs.model import EarnRule, ProgramDocument
from loyalty.programs.tiers import Downgrade, LadderParts, Metric, Qualification, Tier, ValidThrough

Line = tuple[str, str]


def rule_lines(document: ProgramDocument) -> Iterator[Line]:
    """The rules, with the conditions under which they count, then what decides between them."""
    for rule in document.earn_rules:
        yield "earn", f"{rule.id}: {rule.activity}, {'; '.join(_parts(rule))}"
    if len(document.earn_rules) > 1:
        yield "stacking", document.stacking
    if document.exclusions:
        yield "excluded", ", ".join(document.exclusions)
    for campaign in document.campaigns:
        yield "campaign", f"{campaign.id}: {campaign.name}, {'; '.join(_bounds(campaign))}"


def ladder_lines(document: ProgramDocument) -> Iterator[Line]:
    """The ladders, each with what counts on it, how its tiers end, and its tiers."""
    for ladder, parts in document.all_ladders.items():
        yield "ladder", f"{ladder}: {'; '.join(_terms(parts))}"
        for tier in parts.tiers:
            yield "tier", _tier(tier, multiplied=ladder == STATUS)


def counted(number: int, what: str) -> str:
    """A number of something: ``1 day``, ``2 days``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _parts(rule: EarnRule) -> Iterator[str]:
    into = "" if rule.wallet == POINTS else f" into '{rule.wallet}'"
    yield f"{_effect(rule)}{into}"
    if rule.when is not None:
        yield f"when {rule.when}"
    if rule.lines is not None:
        yield f"lines {rule.lines}"
    if rule.campaign is not None:
        yield f"campaign '{rule.campaign}'"
    if rule.group is not None:
        yield f"group '{rule.group}', priority {rule.priority}"
    elif rule.priority:
        yield f"priority {rule.priority}"
    if rule.minimum_points is not None:
        yield f"at least {rule.minimum_points}"
    if rule.maximum_points is not None:
        yield f"at most {rule.maximum_points}"
    yield from map(_cap, rule.caps)
    if not rule.tier_multiplied:
        yield "the same on every tier"
    if rule.return_days:
        yield f"pending for {counted(rule.return_days, 'day')}"


def _effect(rule: EarnRule) -> str:
    if rule.multiplier is not None:
        of = f" of {', '.join(rule.of)}" if rule.of else ""
        return f"times {rule.multiplier}{of}"
    if rule.points_per_line is not None:
        return f"{counted(rule.points_per_line, 'point')} for each line"
    if rule.points_per_item is not None:
        return f"{counted(rule.points_per_item, 'point')} for each piece"
    rates = ", ".join(f"{rate.points} per {rate.per} {rate.currency}" for rate in rule.rates)
    return rates or counted(rule.fixed_points or 0, "point")


def _cap(cap: Cap) -> str:
    when = cap.per if cap.per == "ever" else f"a {cap.per}"
    return f"at most {counted(cap.limit, 'point' if cap.unit == 'points' else 'time')} {when} for each member"


def _bounds(campaign: Campaign) -> Iterator[str]:
    yield f"{campaign.starts_at:%Y-%m-%d %H:%M} to {campaign.ends_at:%Y-%m-%d %H:%M}"
    yield from map(_cap, campaign.caps)
    if campaign.budget_points is not None:
        then = " or nothing" if campaign.when_exhausted == "nothing" else ""
        yield f"{counted(campaign.budget_points, 'point')}{then} for all members together"


def _terms(parts: LadderParts) -> Iterator[str]:
    yield f"{_metric(parts.qualification)} {_period(parts.qualification)}"
    yield from _end(parts.downgrade)


def _metric(qualification: Qualification) -> str:
    named = f" of {', '.join(qualification.activities)}" if qualification.activities else ""
    match qualification.metric:
        case Metric.SPEND:
            return f"{qualification.currency} spent{named and f' by{named[3:]}'}"
        case Metric.ACTIVITIES:
            return f"{named[4:]} counted"
        case _:
            wallet = qualification.wallet or POINTS
            return ("points" if wallet == POINTS else f"points in '{wallet}'") + named


def _period(qualification: Qualification) -> str:
    match qualification.period:
        case Period.CALENDAR_YEAR:
            return "in a calendar year"
        case Period.ANNIVERSARY_YEAR:
            return "in a year from enrollment"
        case Period.ROLLING_MONTHS:
            return f"in the last {counted(qualification.months or 0, 'month')}"
        case Period.LIFETIME:
            return "in a lifetime"


def _end(downgrade: Downgrade) -> Iterator[str]:
    if downgrade.by is DowngradeBy.NEVER:
        yield "no tier ends"
        return
    yield "lost one level at a time" if downgrade.by is DowngradeBy.ONE_LEVEL else "lost to what is earned"
    if downgrade.valid_through is ValidThrough.THIS_PERIOD:
        yield "kept through the period in which it was reached"
    if downgrade.grace_days:
        yield f"{counted(downgrade.grace_days, 'day')} of grace"
    if downgrade.warn_days:
        yield f"warned {', '.join(map(str, downgrade.warn_days))} days before"
    yield f"after a refund {downgrade.after_reversal.replace('_', ' ')}"


def _tier(tier: Tier, *, multiplied: bool) -> str:
    times = f", times {tier.multiplier}" if multiplied else ""
    perks = f"; {', '.join(perk.name for perk in tier.perks)}" if tier.perks else ""
    return f"  {tier.id}: {tier.name}, from {tier.threshold}{times}{perks}"
