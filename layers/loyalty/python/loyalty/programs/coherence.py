"""Whether the earn rules of a document fit together: what no rule shows by itself."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from loyalty.programs.campaigns import Campaign
from loyalty.programs.fields import WrongPart
from loyalty.programs.rules import EarnRule

MAX_CAPS: Final = 10
"""Caps that may concern one activity at once: each is a count that its posting writes."""
MAX_BUDGETS: Final = 3
"""Budgets that may."""


def require_coherent(rules: Sequence[EarnRule], campaigns: Sequence[Campaign]) -> None:
    """Checks the rules of a document against each other and against its campaigns.

    Raises:
        ValueError: what is wrong with which rule, and what to do.
    """
    by_id = {campaign.id: campaign for campaign in campaigns}
    for place, rule in enumerate(rules):
        if rule.campaign is not None and rule.campaign not in by_id:
            raise WrongPart(
                f"earn rule '{rule.id}': there is no campaign '{rule.campaign}'; add it to campaigns", place, "campaign"
            )
    by_place = sorted(rules, key=lambda rule: (rule.activity, rule.wallet))
    for (activity, wallet), together in groupby(by_place, key=lambda rule: (rule.activity, rule.wallet)):
        _require_same_wallet_rules(list(together), f"for '{activity}' in the wallet '{wallet}'")
    _require_multipliers(rules)
    for campaign in campaigns:
        _require_one_unit(campaign, [rule for rule in rules if rule.campaign == campaign.id])
    for activity in dict.fromkeys(rule.activity for rule in rules):
        _require_few_counts(activity, [rule for rule in rules if rule.activity == activity], by_id)


def _require_same_wallet_rules(rules: Sequence[EarnRule], what: str) -> None:
    first = rules[0]
    for rule in rules[1:]:
        if rule.return_days != first.return_days:
            raise ValueError(
                f"the earn rules '{first.id}' and '{rule.id}' {what} differ in return_days ({first.return_days} and "
                f"{rule.return_days}): give both the same, or give one of them another wallet"
            )
    for group in dict.fromkeys(rule.group for rule in rules if rule.group):
        members = [rule for rule in rules if rule.group == group]
        if len({rule.multiplier is None for rule in members}) > 1:
            raise ValueError(
                f"the group '{group}' {what} has multipliers and other rules; give the multipliers a group of their own"
            )


def _require_multipliers(rules: Sequence[EarnRule]) -> None:
    by_id = {rule.id: rule for rule in rules}
    for place, rule in enumerate(rules):
        for other_id in rule.of:
            other = by_id.get(other_id)
            if other is None:
                raise WrongPart(
                    f"earn rule '{rule.id}': there is no earn rule '{other_id}' for it to multiply", place, "of"
                )
            if (other.activity, other.wallet) != (rule.activity, rule.wallet):
                raise WrongPart(
                    f"earn rule '{rule.id}' multiplies '{other_id}', which is for '{other.activity}' in the wallet "
                    f"'{other.wallet}'; name rules of its own activity and wallet",
                    place,
                    "of",
                )
    in_order_of_use(rules)


def in_order_of_use(rules: Iterable[EarnRule]) -> list[EarnRule]:
    """The multipliers among the rules, each after those that it multiplies, else in their order.

    Raises:
        ValueError: they multiply each other in a circle.
    """
    left = {rule.id: rule for rule in rules if rule.multiplier is not None}
    ordered: list[EarnRule] = []
    while left:
        ready = [rule for rule in left.values() if not any(other in left for other in rule.of)]
        if not ready:
            names = ", ".join(f"'{rule_id}'" for rule_id in left)
            raise ValueError(
                f"the multipliers {names} multiply each other in a circle; leave one of them out of the of"
            )
        ordered += ready
        for rule in ready:
            del left[rule.id]
    return ordered


def _require_one_unit(campaign: Campaign, rules: Sequence[EarnRule]) -> None:
    wallets = sorted({rule.wallet for rule in rules})
    if campaign.counts_points and len(wallets) > 1:
        raise ValueError(
            f"campaign '{campaign.id}' bounds points, and its rules give to the wallets {', '.join(wallets)}, whose "
            "units cannot be added up; make a campaign for each wallet"
        )


def _require_few_counts(activity: str, rules: Sequence[EarnRule], campaigns: Mapping[str, Campaign]) -> None:
    used = [campaigns[key] for key in dict.fromkeys(rule.campaign for rule in rules if rule.campaign)]
    # The most run at once at the beginning of one of them.
    moments = [{other.id for other in used if other.runs_at(campaign.starts_at)} for campaign in used]
    for running in moments or [set[str]()]:
        caps = sum(len(rule.caps) for rule in rules if rule.campaign is None or rule.campaign in running)
        caps += sum(len(campaigns[key].caps) for key in running)
        budgets = sum(campaigns[key].budget_points is not None for key in running)
        if caps > MAX_CAPS:
            raise ValueError(f"{caps} caps concern '{activity}' at once, and at most {MAX_CAPS} may; leave some out")
        if budgets > MAX_BUDGETS:
            raise ValueError(
                f"{budgets} campaigns with a budget concern '{activity}' at once, and at most {MAX_BUDGETS} may"
            )
