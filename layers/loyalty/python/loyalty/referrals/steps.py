"""What is to be done about a referral next. Pure: from the referral, from what the ledger says, and from its terms.

::

    claimed_at                              deadline            + LATE
      |<--- what counts happens here ---------->|                  |
      |<--- and is posted here ----------------------------------->|
                     posted_at |<-- return_days -->| pays_at

The terms are those of the program's version that was in force when the code was named: that is what was promised. What they
ask is asked of the ledger each time anew, so that no event has to come, to come once, or to come in order. Of what qualifies,
the first that was posted does; where it is given back, the next one takes its place.

A purchase that was made in time and became known after the deadline still counts, for :data:`LATE`: as long as a queue of
dead letters keeps what a shop told. One that expired is looked at once more then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from loyalty.accruals.share import Reversed
from loyalty.attribution.model import Qualified, Referral, ReferralStatus, Verdict
from loyalty.core.money import Money
from loyalty.programs.referrals import Referrals

LATE: Final = timedelta(days=14)
OPEN: Final = frozenset({ReferralStatus.ENROLLED, ReferralStatus.QUALIFIED, ReferralStatus.EXPIRED})

TOO_LATE: Final = "too_late"
MEMBER_ERASED: Final = "member_erased"
MEMBER_MERGED: Final = "member_merged"
SCREENING: Final = "screening"
DECISION: Final = "decision"


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that who was brought did, and what is left of it: ``left`` is the amount less what was given back."""

    entry_id: str
    activity: str | None
    left: Money | None
    taken_back: Reversed
    occurred_at: datetime
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger says of who was brought: what they did since the claim, the first posted first; what became of them."""

    counted: Sequence[Counted] = ()
    merged: bool = False
    erased: bool = False

    def of(self, entry_id: str) -> Counted | None:
        """The one of that entry."""
        return next((one for one in self.counted if one.entry_id == entry_id), None)


class Do(StrEnum):
    """What the steps are that reach beyond the referral itself."""

    COUNT = "count"
    """It is counted among those of its referrer."""
    SCREEN = "screen"
    PAY = "pay"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class Write:
    """The referral as it is from now on."""

    after: Referral


Step = Do | Write


def concerns(referral: Referral, now: datetime) -> bool:
    """Whether anything that who was brought does can still change it; else the ledger need not be read."""
    if referral.deadline is None:
        return referral.due_at is not None  # of a program without referrals: it says who brought whom, and no more
    if referral.status is ReferralStatus.EXPIRED:
        return now < referral.deadline + LATE or referral.due_at is not None
    ended = referral.status in {ReferralStatus.REVERSED, ReferralStatus.UNREWARDED}
    return not ended or referral.due_at is not None


def counts(one: Counted, referral: Referral, terms: Referrals) -> bool:
    """Whether an activity qualifies the referral, as it is now."""
    deadline = referral.deadline
    if deadline is None or one.activity != terms.qualifying.activity or one.taken_back.whole:
        return False
    since = referral.claimed_at.replace(microsecond=0)  # many a shop's clock tells whole seconds
    in_time = since <= one.occurred_at < deadline
    known_in_time = referral.claimed_at <= one.posted_at < deadline + LATE
    return in_time and known_in_time and terms.qualifying.counts(one.left)


def next_step(referral: Referral, facts: Facts, terms: Referrals | None, now: datetime) -> Step | None:
    """The next step at ``now`` (UTC, as it is stored), or None where there is none until something happens."""
    status, deadline = referral.status, referral.deadline
    if deadline is None or terms is None:
        return _without_terms(referral, now)
    if status is ReferralStatus.REWARDED:
        kept = not referral.revoked and _still(referral, facts, terms)
        return _at_rest(referral, now) if kept else Do.REVERSE
    if status in {ReferralStatus.REVERSED, ReferralStatus.UNREWARDED}:
        return _at_rest(referral, now)
    if status is ReferralStatus.REJECTED and referral.verdict is not Verdict.ACCEPT:
        return _rejected(referral, deadline, now)
    if status is ReferralStatus.EXPIRED and not any(counts(one, referral, terms) for one in facts.counted):
        return _expired(referral, deadline, now)
    return _open(referral, facts, terms, now)


def _open(referral: Referral, facts: Facts, terms: Referrals, now: datetime) -> Step | None:
    if facts.erased:
        return _ended(referral, ReferralStatus.UNREWARDED, MEMBER_ERASED, now)
    if not referral.counted:
        return Do.COUNT
    which = next((one for one in facts.counted if counts(one, referral, terms)), None)
    if which is None and facts.merged:
        # What whom they were merged into buys is no first purchase of somebody who was brought.
        return _ended(referral, ReferralStatus.UNREWARDED, MEMBER_MERGED, now)
    if which is None:
        return _not_qualified(referral, terms, now)
    return _qualifies(referral, which, terms, now)


def _qualifies(referral: Referral, which: Counted, terms: Referrals, now: datetime) -> Step | None:
    is_new = referral.status is not ReferralStatus.QUALIFIED
    if is_new and referral.screened is None and referral.looked is None:
        # The purchase was faster than the event of the enrollment: who is near now may be out of sight at the payment.
        return Do.SCREEN
    if is_new or _entry(referral) != which.entry_id:
        return Write(_qualified(referral, which, terms, now))
    return _payable(referral, now)


def _without_terms(referral: Referral, now: datetime) -> Step | None:
    """Of a program without referrals, or that ended them in the very moment of the claim: nothing qualifies."""
    deadline = referral.deadline
    if deadline is None or referral.status is not ReferralStatus.ENROLLED:
        return _at_rest(referral, now)
    if now >= deadline:
        return _ended(referral, ReferralStatus.EXPIRED, TOO_LATE, now)
    return None if referral.due_at == deadline else Write(replace(referral, due_at=deadline, updated_at=now))


def _not_qualified(referral: Referral, terms: Referrals, now: datetime) -> Step | None:
    deadline = referral.deadline
    if deadline is None or now >= deadline:
        return _ended(referral, ReferralStatus.EXPIRED, TOO_LATE, now)
    reminders = [deadline - timedelta(days=days) for days in sorted(terms.reminder_days, reverse=True)]
    passed = sum(moment <= now for moment in reminders)
    after = replace(
        referral,
        status=ReferralStatus.ENROLLED,
        qualified=None,
        ended_at=None,
        ended_because=None,
        reminded=max(passed, referral.reminded),
        due_at=next((moment for moment in reminders if moment > now), deadline),
    )
    if after != referral:
        return Write(replace(after, updated_at=now))
    return Do.SCREEN if referral.screened is None else None


def _qualified(referral: Referral, which: Counted, terms: Referrals, now: datetime) -> Referral:
    """What screening said before is no answer to what has happened since, but what it counted stays; what a person decided is."""
    pays_at = which.posted_at + timedelta(days=terms.qualifying.return_days)
    return replace(
        referral,
        status=ReferralStatus.QUALIFIED,
        qualified=Qualified(which.entry_id, which.left, which.occurred_at, now, pays_at),
        screened=referral.screened if referral.decisions else None,
        looked=referral.looked if referral.decisions else referral.screened or referral.looked,
        ended_at=None,
        ended_because=None,
        due_at=max(pays_at, now),
        updated_at=now,
    )


def _payable(referral: Referral, now: datetime) -> Step | None:
    qualified = referral.qualified
    if qualified is None:
        raise AssertionError("what is qualified says what by")
    if now < qualified.pays_at:
        due = replace(referral, due_at=qualified.pays_at, updated_at=now)
        return None if referral.due_at == qualified.pays_at else Write(due)
    if referral.due_at is not None and now < referral.due_at:
        return None  # it could not be paid, and is tried again then
    if referral.verdict is None:
        return Do.SCREEN
    if referral.verdict is Verdict.ACCEPT:
        return Do.PAY
    if referral.verdict is Verdict.REVIEW:
        return None  # it is in the list of those that wait for a person
    return Write(rejected(referral, DECISION if referral.decisions else SCREENING, now))


def rejected(referral: Referral, because: str, now: datetime) -> Referral:
    """The referral as it is rejected at ``now``; members are told once its time is over."""
    return replace(
        referral,
        status=ReferralStatus.REJECTED,
        ended_at=now,
        ended_because=because,
        due_at=_told_at(referral, now),
        updated_at=now,
    )


def _expired(referral: Referral, deadline: datetime, now: datetime) -> Step | None:
    """It is looked at once more when nothing that is late counts any more: no event needs to tell of what was late."""
    last = deadline + LATE
    if now >= last:
        return _at_rest(referral, now)
    return None if referral.due_at == last else Write(replace(referral, due_at=last, updated_at=now))


def _rejected(referral: Referral, deadline: datetime, now: datetime) -> Step | None:
    """Members, and partners, are told that it has ended when it would have for one that never qualified."""
    if referral.verdict is Verdict.REVIEW:
        return None  # it was appealed
    if (referral.updated_at or referral.claimed_at) >= deadline:
        return _at_rest(referral, now)
    due = _told_at(referral, now)
    if due is not None and referral.due_at == due:
        return None
    return Write(replace(referral, due_at=due, updated_at=now))


def _told_at(referral: Referral, now: datetime) -> datetime | None:
    return referral.deadline if referral.deadline is not None and now < referral.deadline else None


def _still(referral: Referral, facts: Facts, terms: Referrals) -> bool:
    """Whether what was rewarded still is what it was rewarded for."""
    one = facts.of(_entry(referral) or "")
    if one is None:
        raise AssertionError("the entry of what qualified is for ever")
    return not one.taken_back.whole and terms.qualifying.counts(one.left)


def _ended(referral: Referral, status: ReferralStatus, because: str, now: datetime) -> Write:
    expired = status is ReferralStatus.EXPIRED
    last = None if referral.deadline is None else referral.deadline + LATE
    return Write(
        replace(
            referral,
            status=status,
            qualified=None if expired else referral.qualified,
            ended_at=now,
            ended_because=because,
            due_at=last if expired and last is not None and now < last else None,
            updated_at=now,
        )
    )


def _at_rest(referral: Referral, now: datetime) -> Write | None:
    """Nothing is due of it by itself any more."""
    return None if referral.due_at is None else Write(replace(referral, due_at=None, updated_at=now))


def _entry(referral: Referral) -> str | None:
    return None if referral.qualified is None else referral.qualified.entry_id
