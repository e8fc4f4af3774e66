"""What is wrong with a document that its shape cannot show, and what is most likely not meant.

Errors keep a document from being published, warnings do not. Both name their place: ``earn_rules.3.when``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from loyalty.ledger.model import POINTS
from loyalty.programs.conditions import ConditionInvalid, require_valid
from loyalty.programs.deeds import SIGNUP
from loyalty.programs.guessing import MOST_TRIED, never_true, unknown_segments, unknown_tiers
from loyalty.programs.model import EarnRule, ProgramDocument, Stacking

_MOST_TRIED_OF_ALL: Final = 100_000
"""Combinations that are tried for all conditions of a document together: about a second."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend, and where: ``earn_rules.3.when``."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def check(document: ProgramDocument, now: datetime) -> Findings:
    """Checks a document that is about to be published at ``now`` (UTC)."""
    errors = tuple(_wrong_conditions(document))
    wrong = {finding.path for finding in errors}
    warnings = (
        *_over(document, now),
        *_unlikely_conditions(document, wrong),
        *_without_effect(document),
        *_overlapping(document),
        *_never_paid(document),
    )
    return Findings(errors, warnings)


def _conditions(document: ProgramDocument) -> Iterator[tuple[str, str, bool]]:
    """Place, expression, and whether it is of lines."""
    for place, rule in enumerate(document.earn_rules):
        if rule.when is not None:
            yield f"earn_rules.{place}.when", rule.when, False
        if rule.lines is not None:
            yield f"earn_rules.{place}.lines", rule.lines, True


def _wrong_conditions(document: ProgramDocument) -> Iterator[Finding]:
    for path, condition, of_lines in _conditions(document):
        try:
            require_valid(condition, of_lines=of_lines)
        except ConditionInvalid as error:
            yield Finding(path, f"this is no condition: {error}")


def _over(document: ProgramDocument, now: datetime) -> Iterator[Finding]:
    local = now.astimezone(document.zone).replace(tzinfo=None)
    named = {rule.campaign for rule in document.earn_rules}
    for place, campaign in enumerate(document.campaigns):
        if campaign.ends_at <= local:
            yield Finding(f"campaigns.{place}.ends_at", f"the campaign '{campaign.id}' is over; leave it out")
        if campaign.id not in named:
            yield Finding(f"campaigns.{place}.id", f"no earn rule names the campaign '{campaign.id}'; it does nothing")


def _unlikely_conditions(document: ProgramDocument, wrong: set[str]) -> Iterator[Finding]:
    conditions = list(_conditions(document))
    most = min(MOST_TRIED, _MOST_TRIED_OF_ALL // max(1, len(conditions)))
    for path, condition, of_lines in conditions:
        if path in wrong:
            continue
        for tier in unknown_tiers(document, condition):
            yield Finding(path, f"'{tier}' is no tier of this program: {', '.join(one.id for one in document.tiers)}")
        for segment in unknown_segments(document, condition):
            declared = ", ".join(one.id for one in document.segments) or "it declares none"
            yield Finding(path, f"'{segment}' is no segment of this program: {declared}")
        if never_true(document, condition, of_lines=of_lines, most=most):
            yield Finding(
                path, "it was true for nothing that was tried: it may be that this rule never counts (a guess)"
            )


def _without_effect(document: ProgramDocument) -> Iterator[Finding]:
    for place, rule in enumerate(document.earn_rules):
        others = [other for other in document.earn_rules if _same_place(rule, other) and other.multiplier is None]
        if rule.multiplier is not None and not rule.of and not others:
            yield Finding(
                f"earn_rules.{place}.multiplier",
                f"no other rule gives points for '{rule.activity}' in the wallet '{rule.wallet}': it multiplies nothing",
            )
        if rule.activity == SIGNUP and rule.rates:
            yield Finding(
                f"earn_rules.{place}.rates",
                f"the platform posts '{SIGNUP}' by itself, and without an amount: it refuses that as long as a rule for "
                "it is by amount; give fixed_points",
            )
        for number, cap in enumerate(rule.caps):
            if rule.minimum_points is not None and cap.points is not None and rule.minimum_points > cap.points:
                yield Finding(
                    f"earn_rules.{place}.caps.{number}.points",
                    f"minimum_points ({rule.minimum_points}) is above this cap: the rule never gives it",
                )


def _overlapping(document: ProgramDocument) -> Iterator[Finding]:
    """Rules that always count together: most likely one was meant to replace the other."""
    if document.stacking is not Stacking.SUM:
        return
    always = [
        (place, rule)
        for place, rule in enumerate(document.earn_rules)
        if rule.multiplier is None and not (rule.when or rule.lines or rule.campaign or rule.group)
    ]
    always.sort(key=lambda item: (item[1].activity, item[1].wallet))
    for _, together in groupby(always, key=lambda item: (item[1].activity, item[1].wallet)):
        (_, first), *others = together
        for place, rule in others:
            yield Finding(
                f"earn_rules.{place}",
                f"'{first.id}' and '{rule.id}' both give points for every '{rule.activity}' in the wallet "
                f"'{rule.wallet}'; give one of them a condition or a campaign, or both a group, if one is to count",
            )


def _never_paid(document: ProgramDocument) -> Iterator[Finding]:
    """Rewards of a further wallet into which no rule gives anything."""
    given = {POINTS, *(rule.wallet for rule in document.earn_rules if rule.multiplier is None)}
    for place, reward in enumerate(document.rewards):
        if reward.wallet not in given:
            yield Finding(
                f"rewards.{place}.wallet",
                f"no earn rule gives anything in the wallet '{reward.wallet}': nobody can pay '{reward.id}' but by an "
                "adjustment; add a rule for it",
            )


def _same_place(rule: EarnRule, other: EarnRule) -> bool:
    return other.id != rule.id and (other.activity, other.wallet) == (rule.activity, rule.wallet)
