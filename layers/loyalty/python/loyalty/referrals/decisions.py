"""What people decide about referrals. Pure.

::

    in review (qualified, or rejected and appealed)
        approved  → paid by the lifecycle at once, if what qualified is still there
        rejected  → rejected, for good where it was appealed
    rejected by the score or a person, for 30 days, once
        appealed  → in review again; neither who rejected it nor the client that appealed decides
    rewarded
        revoked   → both rewards are taken back by the lifecycle

Where the program wants two people (``four_eyes.referrals``), the first approval or revocation only asks for it. An appeal
of what a person rejected has its second person anyway.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from loyalty.attribution.model import Decided, Referral, ReferralStatus, Verdict
from loyalty.core.errors import SecondPersonRequired
from loyalty.core.four_eyes import same_hands
from loyalty.referrals.errors import ReferralNotInReview, ReferralNotRewarded
from loyalty.referrals.steps import DECISION, rejected

APPEAL_WITHIN: Final = timedelta(days=30)
"""For so long after its rejection a referral may be appealed."""
_TICK: Final = timedelta(milliseconds=1)
"""The precision in which moments are stored."""


def approve(referral: Referral, by: Decided, *, second_person: bool) -> Referral:
    """It is to be rewarded; or, where another person has to agree, that somebody asks for it.

    Said again by the same person it is as it is.

    Raises:
        ReferralNotInReview: nobody has to decide on it.
        SecondPersonRequired: who decides has a hand in what they decide on.
    """
    if _said(referral, by):
        return referral
    _require_review(referral, by)
    asks = _asking(referral, by) if second_person and not referral.decisions else None
    return asks or _decided(referral, by)


def reject(referral: Referral, by: Decided) -> Referral:
    """It is not to be rewarded. One person is enough: it may be appealed.

    Raises:
        ReferralNotInReview, SecondPersonRequired: see :func:`approve`.
    """
    if _said(referral, by):
        return referral
    _require_review(referral, by)
    return rejected(_decided(referral, by), DECISION, by.at)


def revoke(referral: Referral, by: Decided, *, second_person: bool) -> Referral:
    """What both got is to be taken back, or that somebody asks for it. Revoked by whomever, it stays so.

    Raises:
        ReferralNotRewarded: there is nothing to take back.
        SecondPersonRequired: see :func:`approve`.
    """
    if referral.revoked:
        return referral
    if referral.status is not ReferralStatus.REWARDED:
        raise ReferralNotRewarded(
            f"The referral of '{referral.member_id}' is {referral.status}; one that is rewarded can be revoked."
        )
    asks = _asking(referral, by) if second_person else None
    return asks or _decided(referral, by)


def appeal(referral: Referral, because: str, through: str, now: datetime) -> Referral | None:
    """In review again; None where it cannot be appealed: not rejected, too long ago, or appealed before."""
    ended = referral.ended_at
    is_rejected = referral.status is ReferralStatus.REJECTED and referral.verdict is Verdict.REJECT
    if not is_rejected or referral.appealed_at is not None or ended is None or now >= ended + APPEAL_WITHIN:
        return None
    # Clocks of two hosts may differ: it comes after what it appeals, whatever they say.
    last = referral.decisions[-1].at + _TICK if referral.decisions else now
    return replace(
        referral,
        proposed=None,
        appealed_at=max(now, last),
        appealed_because=because,
        appealed_through=through,
        due_at=None,
        updated_at=now,
    )


def asked(referral: Referral) -> Decided | None:
    """What somebody asks for that another person may still agree to: what was asked before the last screening is void."""
    proposed, screened = referral.proposed, referral.screened
    if proposed is None or (screened is not None and proposed.at < screened.at):
        return None
    possible = referral.waits if proposed.approved else referral.status is ReferralStatus.REWARDED
    return proposed if possible and not referral.revoked else None


def hands_of_appealed(referral: Referral) -> Iterator[str | None]:
    """Who may not decide on it, having a hand in what was decided or appealed: people, and clients that they used."""
    yield referral.appealed_through
    for decided in referral.decisions:
        yield from decided.hands


def _decided(referral: Referral, by: Decided) -> Referral:
    """Due at once: the lifecycle does what follows, if no event wakes it then the clock."""
    if referral.appealed_at is not None and by.at < referral.appealed_at:
        by = replace(by, at=referral.appealed_at)  # as in :func:`appeal`
    return replace(referral, decisions=(*referral.decisions, by), proposed=None, due_at=by.at, updated_at=by.at)


def _asking(referral: Referral, by: Decided) -> Referral | None:
    """The referral as it is asked for; None where another person asked before, so that this is the agreement.

    When it began to wait stays: it keeps its place in the list.
    """
    before = asked(referral)
    if before is None or before.approved != by.approved:
        return replace(referral, proposed=by)
    if before.hands == by.hands:
        return referral
    if same_hands(before.hands, by.hands):
        raise SecondPersonRequired(
            "Whoever asked for it cannot agree to it; ask somebody else, who uses another client.", pointer="/actor"
        )
    return None


def _require_review(referral: Referral, by: Decided) -> None:
    if not referral.waits:
        raise ReferralNotInReview(
            f"The referral of '{referral.member_id}' is {referral.status}, and nobody has to decide on it."
        )
    if same_hands(hands_of_appealed(referral), by.hands):
        raise SecondPersonRequired(
            "An appeal is decided by another person than who rejected it, through another client than theirs and than "
            "the one that appealed.",
            pointer="/actor",
        )


def _said(referral: Referral, by: Decided) -> bool:
    """Whether that is what was decided last, by the same person: a request that was sent again."""
    if referral.waits or not referral.decisions:
        return False
    last = referral.decisions[-1]
    return (last.approved, last.hands, last.reason) == (by.approved, by.hands, by.reason)
