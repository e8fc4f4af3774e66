"""What who was brought shares with the referrer, and with others. Pure: each counts one thing of what was read."""

from collections.abc import Callable
from datetime import timedelta

from loyalty.attribution.likenesses import EMAIL_LIKE, EMAIL_STEM, PAYMENT
from loyalty.referrals.facts import NOTHING, PHONE, Facts, Found, counted
from loyalty.referrals.sightings import STEM_HEX


def same(kind: str) -> Callable[[Facts], Found]:
    """Whether the referrer has the likeness, or had it of late."""

    def found(facts: Facts) -> Found:
        mine, referrer = facts.referral.likenesses.get(kind), facts.referral.referrer
        if mine is None:
            return NOTHING
        has = facts.referrer.get(kind) == mine
        had = any(one.member_id == referrer for one in facts.who_had(kind).sightings)
        return (1, (referrer,)) if has or had else NOTHING

    return found


def crowd(kind: str, span: timedelta | None) -> Callable[[Facts], Found]:
    """How many members have the likeness: ever, or within so long before and after the enrollment. One is no crowd."""

    def found(facts: Facts) -> Found:
        seen = facts.who_had(kind)
        near = seen.sightings if span is None else seen.within(facts.referral.claimed_at, span)
        members = facts.but_them(one.member_id for one in near)
        return (len(members) + 1, members) if members else NOTHING

    return found


def existing(facts: Facts) -> Found:
    """Members but the referrer who had the mailbox or the phone before."""
    known = (*facts.who_had(EMAIL_LIKE).sightings, *facts.who_had(PHONE).sightings)
    before = (one.member_id for one in known if one.at < facts.referral.claimed_at)
    return counted(one for one in facts.but_them(before) if one != facts.referral.referrer)


def erased(facts: Facts) -> Found:
    """By how many of mailbox, phone and payment it is known that somebody was erased who had it before."""
    claimed = facts.referral.claimed_at
    return sum(facts.who_had(kind).was_erased(claimed) for kind in (EMAIL_LIKE, PHONE, PAYMENT)), ()


def brought_alike(*kinds: str) -> Callable[[Facts], Found]:
    """Others whom the referrer brought who have one of these likenesses."""

    def found(facts: Facts) -> Found:
        referrer = facts.referral.referrer
        known = (one for kind in kinds for one in facts.who_had(kind).sightings)
        return counted(facts.but_them(one.member_id for one in known if one.referrer == referrer))

    return found


def alike_emails(facts: Facts) -> Found:
    """Others whom the referrer brought whose addresses differ from theirs in digits alone."""
    stem = facts.referral.likenesses.get(EMAIL_STEM, "")[:STEM_HEX]
    return counted(facts.but_them(one.member_id for one in facts.counts.claims if stem and one.stem == stem))
