"""What is odd about how a referrer's new members come and buy. Pure: each counts one thing of what was read."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from loyalty.attribution.likenesses import DISPOSABLE_EMAIL, NETWORK
from loyalty.attribution.model import Referral, ReferralStatus
from loyalty.programs.referrals import Qualifying
from loyalty.referrals.facts import AT_ONCE, NOTHING, Facts, Found, at_once, counted
from loyalty.referrals.sightings import nearest

LEAST_GAPS, MOST_GAPS = 12, 16
"""Between so many of the referrer's claims distances are compared."""
SOME: Final = 4
"""Fewer others show no pattern."""
QUICK: Final = timedelta(minutes=10)
"""So soon after the enrollment a purchase is quick."""
_HARDLY_MORE: Final = 110
"""In percent of the least amount that counts."""


def disposable(facts: Facts) -> Found:
    """Whether the e-mail address is one that lasts minutes."""
    return int(_is_disposable(facts.referral)), ()


def disposable_others(facts: Facts) -> Found:
    """Where it is, how many percent of the others have such ones as well."""
    if not _is_disposable(facts.referral):
        return NOTHING
    others = [one for one in facts.counts.claims if one.member_id != facts.referral.member_id]
    return _share([one.member_id for one in others], [one.member_id for one in others if one.disposable])


def referrer_velocity(facts: Facts) -> Found:
    """Whom the referrer brought on that day."""
    return facts.counts.on_day_of(facts.referral.claimed_at), ()


def program_velocity(facts: Facts) -> Found:
    """Whom all members brought within that hour."""
    return facts.in_program, ()


def circle(*, closing: bool) -> Callable[[Facts], Found]:
    """Whether somebody whom they brought, directly or not, brought the referrer: before they came themselves, or since.

    Who closes a circle claims what cannot be; whom it runs through may have been brought as they say.
    """

    def found(facts: Facts) -> Found:
        for depth, ancestor in enumerate(facts.ancestors, start=1):
            if ancestor.referrer == facts.referral.member_id:
                around = facts.ancestors[:depth]
                last = all(one.claimed_at < facts.referral.claimed_at for one in around)
                return (1, [one.member_id for one in around]) if last is closing else NOTHING
        return NOTHING

    return found


def chain(facts: Facts) -> Found:
    """Links that hang together: up to the first ancestor who took their time, and down as far as was read."""
    links, later = [], facts.referral
    for ancestor in facts.ancestors:
        if not timedelta() <= later.claimed_at - ancestor.claimed_at <= AT_ONCE:
            break
        links.append(ancestor.member_id)
        later = ancestor
    above = facts.referral.claimed_at
    for claims in (facts.brought, facts.brought_by_them):
        below = at_once(claims, above)
        if below is None:
            break
        links.append(below.member_id)
        above = below.at
    return counted(links)


def even_timing(facts: Facts) -> Found:
    """How many percent of the distances between claims are within a third of the middle one; of few: none.

    The middle one, and not the average; and pauses do not count, of more than four times as long: a farm that sleeps at
    night is as even as before.
    """
    claims = nearest(facts.counts.claims, facts.referral.claimed_at, MOST_GAPS + 1)
    gaps = sorted((later.at - one.at) // timedelta(milliseconds=1) for one, later in pairwise(claims))
    middle = gaps[len(gaps) // 2] if gaps else 0
    awake = [gap for gap in gaps if gap <= 4 * middle]
    if not middle or len(awake) < LEAST_GAPS:
        return NOTHING  # too few, or so many that several came at once: there is no distance to speak of
    alike = sum(3 * abs(gap - middle) <= middle for gap in awake)
    return 100 * alike // len(awake), ()


def one_network(facts: Facts) -> Found:
    """How many percent of the others came from behind the same network."""
    network = facts.referral.likenesses.get(NETWORK)
    if network is None:
        return NOTHING
    known = [one for one in facts.others if NETWORK in one.likenesses]
    return _share_of(known, [one for one in known if one.likenesses[NETWORK] == network])


def least_purchase(facts: Facts) -> Found:
    """Where hardly more was bought than counts, how many percent of the others bought so little."""
    if not _is_least(facts.referral, facts.qualifying):
        return NOTHING
    known = [one for one in facts.others if one.qualified is not None]
    return _share_of(known, [one for one in known if _is_least(one, facts.qualifying)])


def quick_purchase(facts: Facts) -> Found:
    """Where it was bought within minutes, how many percent of the others were as quick."""
    if not _is_quick(facts.referral):
        return NOTHING
    known = [one for one in facts.others if one.qualified is not None]
    return _share_of(known, [one for one in known if _is_quick(one)])


def returned(least: int) -> Callable[[Facts], Found]:
    """Of the others who were rewarded, how many percent gave it back, where so many did."""

    def found(facts: Facts) -> Found:
        paid = [one for one in facts.others if one.status in {ReferralStatus.REWARDED, ReferralStatus.REVERSED}]
        back = [one.member_id for one in paid if one.status is ReferralStatus.REVERSED]
        return NOTHING if len(back) < least else (100 * len(back) // len(paid), back)

    return found


def _is_disposable(referral: Referral) -> bool:
    return referral.flags.get(DISPOSABLE_EMAIL, 0) > 0


def _is_least(referral: Referral, qualifying: Qualifying) -> bool:
    amount = None if referral.qualified is None else referral.qualified.amount
    if amount is None:
        return False
    least = next((one.value for one in qualifying.minimum if one.currency == amount.currency), None)
    return least is not None and amount.amount * 100 <= least * _HARDLY_MORE


def _is_quick(referral: Referral) -> bool:
    qualified = referral.qualified
    return qualified is not None and qualified.occurred_at - referral.claimed_at <= QUICK


def _share_of(known: Sequence[Referral], such: Sequence[Referral]) -> Found:
    return _share([one.member_id for one in known], [one.member_id for one in such])


def _share(known: Sequence[str], such: Sequence[str]) -> Found:
    """How many percent of some others."""
    return NOTHING if len(known) < SOME else (100 * len(such) // len(known), such)
