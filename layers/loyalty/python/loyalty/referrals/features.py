"""The features of a referral: what is counted for each signal, from what was read. Pure.

What cannot be known (no device was sent, nothing was bought yet) counts nothing. What is told of others is told only once
there are some of them: a pattern of one is none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from loyalty.programs.referrals import Qualifying
from loyalty.referrals.model import Referral, ReferralStatus, Signal
from loyalty.referrals.sightings import WEEK, Claim, Counts, Seen, nearest

EMAIL, STEM, PHONE, DEVICE, PAYMENT, ADDRESS, NETWORK = (
    "email_like", "email_stem", "phone", "device", "payment", "address", "network"
)  # fmt: skip
"""Kinds of likenesses."""
DISPOSABLE: Final = "disposable_email"
"""The flag of an address that lasts minutes."""
OTHERS: Final = 24
"""So many of those whom the referrer brought are looked at, the nearest in time."""
DEPTH: Final = 5
"""So far is followed who brought whom."""
LEAST_GAPS, MOST_GAPS = 8, 16
"""Between so many of the referrer's claims distances are compared."""
_SOME: Final = 4
"""Fewer others show no pattern."""
_AT_ONCE: Final = timedelta(hours=1)
_QUICK: Final = timedelta(minutes=10)
_HARDLY_MORE: Final = 110
"""In percent of the least amount that counts."""

Found = tuple[int, Sequence[str]]
"""What is counted, and ids of whom it is about."""
_NOTHING: Final[Found] = (0, ())


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read for one referral.

    ``referrer``: the referrer's own likenesses, by kind; ``seen``: who had those of who was brought; ``counts``: whom the
    referrer brought; ``brought``: the last claims by whom was brought themselves; ``ancestors``: the referral of the
    referrer, of who had brought them, and so on; ``others``: referrals of some whom the referrer brought as well.
    """

    referral: Referral
    qualifying: Qualifying = field(default_factory=Qualifying)
    referrer: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    brought: Sequence[Claim] = ()
    ancestors: Sequence[Referral] = ()
    others: Sequence[Referral] = ()
    in_program: int = 0


def features_of(facts: Facts) -> tuple[dict[str, int], dict[Signal, Sequence[str]]]:
    """What is counted for each signal, where that is anything, and whom it is about.

    What an earlier screening counted stays, where it was more: who was seen then may be out of sight by now.
    """
    before = facts.referral.screened
    kept = {} if before is None else before.features
    about = {} if before is None else {one.signal: one.members for one in before.evidence}
    counted: dict[str, int] = {}
    for signal, count in _COUNTED.items():
        now, members = count(facts)
        if now and now >= kept.get(signal.value, 0):
            about[signal] = tuple(members)
        if most := max(now, kept.get(signal.value, 0)):
            counted[signal.value] = most
    return counted, {signal: members for signal, members in about.items() if members}


def _same(kind: str) -> Callable[[Facts], Found]:
    """Whether the referrer has the likeness, or had it of late."""

    def counted(facts: Facts) -> Found:
        mine, referrer = facts.referral.likenesses.get(kind), facts.referral.referrer
        if mine is None:
            return _NOTHING
        has = facts.referrer.get(kind) == mine
        had = any(one.member_id == referrer for one in _seen(facts, kind).sightings)
        return (1, (referrer,)) if has or had else _NOTHING

    return counted


def _crowd(kind: str, span: timedelta | None) -> Callable[[Facts], Found]:
    """How many members have the likeness: ever, or within so long before and after the enrollment. One is no crowd."""

    def counted(facts: Facts) -> Found:
        seen = _seen(facts, kind)
        near = seen.sightings if span is None else seen.within(facts.referral.claimed_at, span)
        members = _without(facts, (one.member_id for one in near))
        return (len(members) + 1, members) if members else _NOTHING

    return counted


def _existing(facts: Facts) -> Found:
    known = (*_seen(facts, EMAIL).sightings, *_seen(facts, PHONE).sightings)
    before = (one.member_id for one in known if one.at < facts.referral.claimed_at)
    return _counted(one for one in _without(facts, before) if one != facts.referral.referrer)


def _erased(facts: Facts) -> Found:
    claimed = facts.referral.claimed_at
    erased = [_seen(facts, kind) for kind in (EMAIL, PHONE, PAYMENT)]
    return sum(
        one.erased_at is not None and one.erased_at < claimed and _lasts(one.erased_until, claimed) for one in erased
    ), ()


def _lasts(until: datetime | None, moment: datetime) -> bool:
    return until is not None and moment < until


def _disposable(facts: Facts) -> Found:
    return int(_is_disposable(facts.referral)), ()


def _disposable_others(facts: Facts) -> Found:
    if not _is_disposable(facts.referral):
        return _NOTHING
    others = [one for one in facts.counts.claims if one.member_id != facts.referral.member_id]
    return _share([one.member_id for one in others], [one.member_id for one in others if one.disposable])


def _referrer_velocity(facts: Facts) -> Found:
    return facts.counts.on_day_of(facts.referral.claimed_at), ()


def _program_velocity(facts: Facts) -> Found:
    return facts.in_program, ()


def _circle(facts: Facts) -> Found:
    for depth, ancestor in enumerate(facts.ancestors, start=1):
        if ancestor.referrer == facts.referral.member_id:
            return 1, [one.member_id for one in facts.ancestors[:depth]]
    return _NOTHING


def _brought_alike(*kinds: str) -> Callable[[Facts], Found]:
    """Others whom the referrer brought who have one of these likenesses."""

    def counted(facts: Facts) -> Found:
        referrer = facts.referral.referrer
        known = (one for kind in kinds for one in _seen(facts, kind).sightings)
        return _counted(_without(facts, (one.member_id for one in known if one.referrer == referrer)))

    return counted


def _chain(facts: Facts) -> Found:
    """Links that hang together: up to the first ancestor who took their time, and the one below."""
    links, later = [], facts.referral
    for ancestor in facts.ancestors:
        if later.claimed_at - ancestor.claimed_at > _AT_ONCE:
            break
        links.append(ancestor.member_id)
        later = ancestor
    below = [one for one in facts.brought if one.at - facts.referral.claimed_at <= _AT_ONCE]
    return _counted([*links, *(one.member_id for one in below[:1])])


def _even_timing(facts: Facts) -> Found:
    """How many percent of the distances between claims are within a third of the middle one; of few: none.

    The middle one, and not the average: a farm that sleeps at night has one long distance, and is as even as before.
    """
    claims = nearest(facts.counts.claims, facts.referral.claimed_at, MOST_GAPS + 1)
    gaps = sorted((later.at - one.at) // timedelta(seconds=1) for one, later in pairwise(claims))
    if len(gaps) < LEAST_GAPS:
        return _NOTHING
    middle = gaps[len(gaps) // 2]
    alike = sum(3 * abs(gap - middle) <= middle for gap in gaps)
    return 100 * alike // len(gaps), ()


def _alike_emails(facts: Facts) -> Found:
    stem = facts.referral.likenesses.get(STEM)
    return _counted(_without(facts, (one.member_id for one in facts.counts.claims if stem and one.stem == stem)))


def _one_network(facts: Facts) -> Found:
    network = facts.referral.likenesses.get(NETWORK)
    if network is None:
        return _NOTHING
    known = [one for one in facts.others if NETWORK in one.likenesses]
    return _share_of(known, [one for one in known if one.likenesses[NETWORK] == network])


def _least_purchase(facts: Facts) -> Found:
    if not _is_least(facts.referral, facts.qualifying):
        return _NOTHING
    known = [one for one in facts.others if one.qualified is not None]
    return _share_of(known, [one for one in known if _is_least(one, facts.qualifying)])


def _quick_purchase(facts: Facts) -> Found:
    if not _is_quick(facts.referral):
        return _NOTHING
    known = [one for one in facts.others if one.qualified is not None]
    return _share_of(known, [one for one in known if _is_quick(one)])


def _returned_others(facts: Facts) -> Found:
    return _counted(one.member_id for one in facts.others if one.status is ReferralStatus.REVERSED)


def _is_disposable(referral: Referral) -> bool:
    return referral.flags.get(DISPOSABLE, 0) > 0


def _is_least(referral: Referral, qualifying: Qualifying) -> bool:
    amount = None if referral.qualified is None else referral.qualified.amount
    if amount is None:
        return False
    least = next((one.value for one in qualifying.minimum if one.currency == amount.currency), None)
    return least is not None and amount.amount * 100 <= least * _HARDLY_MORE


def _is_quick(referral: Referral) -> bool:
    qualified = referral.qualified
    return qualified is not None and qualified.occurred_at - referral.claimed_at <= _QUICK


def _seen(facts: Facts, kind: str) -> Seen:
    return facts.seen.get(kind, Seen())


def _without(facts: Facts, members: Iterable[str]) -> list[str]:
    """Without who was brought, nobody twice."""
    return [one for one in dict.fromkeys(members) if one != facts.referral.member_id]


def _counted(members: Iterable[str]) -> Found:
    ids = list(members)
    return len(ids), ids


def _share_of(known: Sequence[Referral], such: Sequence[Referral]) -> Found:
    return _share([one.member_id for one in known], [one.member_id for one in such])


def _share(known: Sequence[str], such: Sequence[str]) -> Found:
    """How many percent of some others."""
    return _NOTHING if len(known) < _SOME else (100 * len(such) // len(known), such)


_COUNTED: Final[Mapping[Signal, Callable[[Facts], Found]]] = {
    Signal.SAME_EMAIL: _same(EMAIL),
    Signal.SAME_PHONE: _same(PHONE),
    Signal.SAME_DEVICE: _same(DEVICE),
    Signal.SAME_PAYMENT: _same(PAYMENT),
    Signal.SAME_ADDRESS: _same(ADDRESS),
    Signal.SAME_NETWORK: _same(NETWORK),
    Signal.EXISTING_CUSTOMER: _existing,
    Signal.ERASED_CUSTOMER: _erased,
    Signal.DISPOSABLE_EMAIL: _disposable,
    Signal.DISPOSABLE_OTHERS: _disposable_others,
    Signal.REFERRER_VELOCITY: _referrer_velocity,
    Signal.DEVICE_VELOCITY: _crowd(DEVICE, WEEK),
    Signal.PAYMENT_VELOCITY: _crowd(PAYMENT, None),
    Signal.NETWORK_VELOCITY: _crowd(NETWORK, WEEK),
    Signal.PROGRAM_VELOCITY: _program_velocity,
    Signal.CIRCLE: _circle,
    Signal.RING: _brought_alike(DEVICE, PAYMENT),
    Signal.SHARED_ADDRESS: _brought_alike(ADDRESS),
    Signal.CHAIN: _chain,
    Signal.EVEN_TIMING: _even_timing,
    Signal.ALIKE_EMAILS: _alike_emails,
    Signal.ONE_NETWORK: _one_network,
    Signal.LEAST_PURCHASE: _least_purchase,
    Signal.QUICK_PURCHASE: _quick_purchase,
    Signal.RETURNED_OTHERS: _returned_others,
}
