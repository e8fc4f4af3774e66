"""The features of a referral: what is counted for each signal, from what was read. Pure.

What cannot be known (no device was sent, nothing was bought yet) counts nothing. What is told of others is told only once
there are some of them: a pattern of one is none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from loyalty.attribution.likenesses import ADDRESS, DEVICE, EMAIL_LIKE, NETWORK, PAYMENT
from loyalty.attribution.model import Signal
from loyalty.referrals import alike, patterns
from loyalty.referrals.facts import PHONE, Facts, Found
from loyalty.referrals.sightings import WEEK

_OF_NOW: Final = frozenset({Signal.LEAST_PURCHASE, Signal.QUICK_PURCHASE, Signal.SOME_RETURNED, Signal.MOST_RETURNED})
"""What is bought may be given back, and something else bought: this is counted anew each time."""


def features_of(facts: Facts) -> tuple[dict[str, int], dict[Signal, Sequence[str]]]:
    """What is counted for each signal, where that is anything, and whom it is about.

    What an earlier screening counted stays, where it was more: who was near then may be out of sight by now, and an address
    that was the referrer's may have been changed.
    """
    before = facts.referral.screened or facts.referral.looked
    kept = {} if before is None else before.features
    about = {} if before is None else {one.signal: one.members for one in before.evidence}
    features: dict[str, int] = {}
    members: dict[Signal, Sequence[str]] = {}
    for signal, count in _COUNTED.items():
        now, who = count(facts)
        then = 0 if signal in _OF_NOW else kept.get(signal.value, 0)
        if most := max(now, then):
            features[signal.value] = most
            members[signal] = tuple(who) if now >= then else about.get(signal, ())
    return features, members


_COUNTED: Final[Mapping[Signal, Callable[[Facts], Found]]] = {
    Signal.SAME_EMAIL: alike.same(EMAIL_LIKE),
    Signal.SAME_PHONE: alike.same(PHONE),
    Signal.SAME_DEVICE: alike.same(DEVICE),
    Signal.SAME_PAYMENT: alike.same(PAYMENT),
    Signal.SAME_ADDRESS: alike.same(ADDRESS),
    Signal.SAME_NETWORK: alike.same(NETWORK),
    Signal.EXISTING_CUSTOMER: alike.existing,
    Signal.ERASED_CUSTOMER: alike.erased,
    Signal.DISPOSABLE_EMAIL: patterns.disposable,
    Signal.DISPOSABLE_OTHERS: patterns.disposable_others,
    Signal.REFERRER_VELOCITY: patterns.referrer_velocity,
    Signal.DEVICE_VELOCITY: alike.crowd(DEVICE, WEEK),
    Signal.PAYMENT_VELOCITY: alike.crowd(PAYMENT, None),
    Signal.NETWORK_VELOCITY: alike.crowd(NETWORK, WEEK),
    Signal.PROGRAM_VELOCITY: patterns.program_velocity,
    Signal.CIRCLE: patterns.circle(closing=True),
    Signal.IN_CIRCLE: patterns.circle(closing=False),
    Signal.RING: alike.brought_alike(DEVICE, PAYMENT),
    Signal.SHARED_ADDRESS: alike.brought_alike(ADDRESS),
    Signal.CHAIN: patterns.chain,
    Signal.EVEN_TIMING: patterns.even_timing,
    Signal.ALIKE_EMAILS: alike.alike_emails,
    Signal.ONE_NETWORK: patterns.one_network,
    Signal.LEAST_PURCHASE: patterns.least_purchase,
    Signal.QUICK_PURCHASE: patterns.quick_purchase,
    Signal.SOME_RETURNED: patterns.returned(1),
    Signal.MOST_RETURNED: patterns.returned(2),
}
