"""Who enrolls, and by whom they come: what is read for it, and the referral that is written with them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from loyalty.attribution.claiming import new_referral
from loyalty.attribution.clicks import wanted
from loyalty.attribution.likenesses import EMAIL_LIKE, Signals, likenesses_of
from loyalty.attribution.model import Referral
from loyalty.attribution.touches import Attribution, Came, by_click, by_code
from loyalty.core.errors import Unacceptable
from loyalty.core.pii import PHONE, Lookups, normal_email
from loyalty.members.items import StoredMember
from loyalty.members.model import Profile
from loyalty.members.store import MemberStore
from loyalty.programs.model import Program

MAX_FORMER: Final = 24
"""Addresses and phones that a member had before, by whose likenesses an erasure finds what is remembered of them."""
_REMEMBERED: Final = frozenset({EMAIL_LIKE, PHONE})
"""Kinds that a change of the profile changes, and that are remembered."""


class Known(Exception):
    """The code cannot be used, and ``owner`` has the e-mail address: this may be their first request once more."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


def attribution_of(
    store: MemberStore,
    lookups: Lookups,
    program: Program,
    profile: Profile,
    *,
    code: str | None,
    came: Came,
    now: datetime,
) -> Attribution | None:
    """By whom they come: by one read, or none where they send nothing that could say so.

    Args:
        store: reads codes, links and owners of addresses.
        lookups: hashes the address.
        program: the version in force.
        profile: of who enrolls.
        code: the code that they name, in its normal form.
        came: how they came besides.
        now: the present moment (UTC).

    Raises:
        ReferralCodeUnknown, ReferralCodeExpired, ReferralCodeExhausted: the code cannot be used.
        ChannelUnknown, CampaignUnknown: the program does not have what was said to be where it is from.
        Known: likewise, but there is a member with that address.
    """
    clicks = [] if program.document.referrals is None else wanted(came.clicks)
    if code is None and not clicks:
        return None
    name = program.document.id
    trail = store.trail(name, code=code, clicks=clicks, email=lookups.email(name, normal_email(profile.email)))
    if code is None:
        return by_click(program.document, trail.clicks, now)
    try:
        return by_code(program.document, trail.given, trail.clicks, came, now)
    except Unacceptable:
        if trail.email_owner is None:
            raise
        raise Known(trail.email_owner) from None


def alike(
    program: str, lookups: Lookups, profile: Profile, digests: Mapping[str, str], signals: Signals | None = None
) -> dict[str, str]:
    """What a member may share with others, as keyed hashes by kind. A phone is kept as what it is found by (``digests``)."""
    phone = {PHONE: digests[PHONE]} if PHONE in digests else {}
    return likenesses_of(program, lookups, profile.email, signals) | phone


def former(before: StoredMember, likenesses: Mapping[str, str]) -> dict[str, str]:
    """What a member was alike by and with ``likenesses`` is no more, by version and kind; the last :data:`MAX_FORMER` of it."""
    gone = {
        f"{before.version + 1:06}#{kind}": digest
        for kind, digest in before.likenesses.items()
        if kind in _REMEMBERED and likenesses.get(kind) != digest
    }
    all_of = {**before.likenesses_before, **gone}
    return {name: all_of[name] for name in sorted(all_of)[-MAX_FORMER:]}


def referral_of(program: Program, member: StoredMember, attribution: Attribution | None) -> Referral | None:
    """The referral of a new member; None: nobody brought them."""
    if attribution is None:
        return None
    return new_referral(
        program,
        referrer=attribution.referrer,
        code=attribution.code,
        member_id=member.member_id,
        now=member.created_at,
        source=attribution.source,
        likenesses=member.likenesses,
        flags=member.flags,
    )
