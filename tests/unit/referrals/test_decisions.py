"""What people may decide about a referral, and what becomes of it. Pure, by tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.attribution.model import Decided, Qualified, Referral, ReferralStatus, Rewarded, Screened, Verdict
from loyalty.core.errors import LoyaltyError, SecondPersonRequired
from loyalty.referrals.decisions import APPEAL_WITHIN, appeal, approve, asked, reject, revoke
from loyalty.referrals.errors import ReferralNotInReview, ReferralNotRewarded

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STATUS = ReferralStatus


def said(approved: bool, actor: str = "ann", through: str | None = "desk", *, days: float = 1) -> Decided:
    return Decided(approved, f"person:{actor}", "because", NOW + days * DAY, through and f"client:{through}")


YES, NO = said(True), said(False)
SCREENED = Screened(Verdict.REVIEW, 60, (), {}, 1, NOW)
WAITS = Referral(
    program="acme",
    member_id="mbr_friend",
    referrer="mbr_ada",
    code="K7WQ4M2X",
    claimed_at=NOW - DAY,
    deadline=NOW + 29 * DAY,
    status=STATUS.QUALIFIED,
    screened=SCREENED,
    qualified=Qualified("accrual:pos:R-1", None, NOW, NOW, NOW),
    updated_at=NOW,
)
ACCEPTED = replace(WAITS, screened=replace(SCREENED, verdict=Verdict.ACCEPT))
PAID = replace(
    ACCEPTED, status=STATUS.REWARDED, rewarded=Rewarded("mbr_ada", "mbr_friend", 1, 500, 250, NOW), ended_at=None
)
BY_SCORE = replace(
    WAITS,
    status=STATUS.REJECTED,
    screened=replace(SCREENED, verdict=Verdict.REJECT),
    ended_at=NOW,
    ended_because="screening",
)
BY_ANN = reject(WAITS, NO)


def appealed(referral: Referral, *, days: float) -> Referral:
    after = appeal(referral, "member_complained", "client:app", NOW + days * DAY)
    assert after is not None
    return after


APPEALED = appealed(BY_ANN, days=2)


def test_an_approval_makes_it_due_at_once() -> None:
    after = approve(WAITS, YES, second_person=False)
    assert (after.verdict, after.status, after.due_at, after.waits) == (Verdict.ACCEPT, STATUS.QUALIFIED, YES.at, False)


def test_a_rejection_ends_it_and_members_are_told_at_the_deadline() -> None:
    assert (BY_ANN.verdict, BY_ANN.status, BY_ANN.ended_because) == (Verdict.REJECT, STATUS.REJECTED, "decision")
    assert (BY_ANN.ended_at, BY_ANN.due_at) == (NO.at, WAITS.deadline)


Act = Callable[[Referral, Decided], Referral]


def approving(referral: Referral, by: Decided) -> Referral:
    return approve(referral, by, second_person=False)


def revoking(referral: Referral, by: Decided) -> Referral:
    return revoke(referral, by, second_person=False)


@pytest.mark.parametrize(
    ("act", "referral", "by", "error"),
    [
        (approving, ACCEPTED, YES, ReferralNotInReview),
        (approving, replace(WAITS, status=STATUS.ENROLLED), YES, ReferralNotInReview),
        (approving, replace(WAITS, status=STATUS.EXPIRED), YES, ReferralNotInReview),
        (approving, PAID, YES, ReferralNotInReview),
        (approving, BY_SCORE, YES, ReferralNotInReview),
        (approving, BY_ANN, said(True, "ben", "office"), ReferralNotInReview),
        (reject, approving(WAITS, YES), said(False, "ben", "office"), ReferralNotInReview),
        (reject, PAID, NO, ReferralNotInReview),
        (revoking, WAITS, NO, ReferralNotRewarded),
        (revoking, replace(PAID, status=STATUS.REVERSED), NO, ReferralNotRewarded),
        # An appeal: who rejected it, their client under another name, and the client that appealed.
        (approving, APPEALED, said(True, days=3), SecondPersonRequired),
        (approving, APPEALED, said(True, "ANN", "office", days=3), SecondPersonRequired),
        (approving, APPEALED, said(True, "ben", "desk", days=3), SecondPersonRequired),
        (approving, APPEALED, said(True, "ben", "app", days=3), SecondPersonRequired),
        (reject, APPEALED, said(False, days=3), SecondPersonRequired),
    ],
)
def test_what_is_refused(act: Act, referral: Referral, by: Decided, error: type[LoyaltyError]) -> None:
    with pytest.raises(error):
        act(referral, by)


def test_sent_again_it_is_as_it_is() -> None:
    approved = approving(WAITS, YES)
    assert approving(approved, replace(YES, at=NOW + 9 * DAY)) is approved
    assert reject(BY_ANN, replace(NO, at=NOW + 9 * DAY)) is BY_ANN
    revoked = revoking(PAID, NO)
    assert revoking(revoked, said(False, "ben", "office")) is revoked


@pytest.mark.parametrize(
    ("referral", "days", "heard"),
    [
        (BY_SCORE, 0, True),
        (BY_SCORE, APPEAL_WITHIN.days - 0.001, True),
        (BY_SCORE, APPEAL_WITHIN.days, False),
        (BY_ANN, 2, True),
        (APPEALED, 3, False),
        (reject(APPEALED, said(False, "ben", "office", days=3)), 4, False),
        (WAITS, 1, False),
        (ACCEPTED, 1, False),
        (PAID, 1, False),
        (revoking(PAID, NO), 2, False),
        (replace(WAITS, status=STATUS.EXPIRED, ended_at=NOW), 1, False),
    ],
)
def test_what_may_be_appealed(referral: Referral, days: float, heard: bool) -> None:
    after = appeal(referral, "member_complained", "client:app", NOW + days * DAY)
    assert (after is not None and after.waits) is heard


def test_an_appeal_is_decided_by_somebody_else_for_good() -> None:
    granted = approving(APPEALED, said(True, "ben", "office", days=3))
    assert (granted.verdict, granted.status, granted.due_at) == (Verdict.ACCEPT, STATUS.REJECTED, NOW + 3 * DAY)
    refused = reject(APPEALED, said(False, "ben", None, days=3))
    assert (refused.verdict, refused.waits, len(refused.decisions)) == (Verdict.REJECT, False, 2)


def test_clocks_that_differ_change_no_order() -> None:
    """Each host has a clock of its own: an appeal comes after the rejection, and its decision after the appeal."""
    for early in (NO.at, NO.at - timedelta(seconds=5)):
        late = appeal(BY_ANN, "member_complained", "client:app", early)
        assert late is not None
        assert late.waits
        granted = approving(late, replace(said(True, "ben", "office"), at=early))
        assert (granted.waits, granted.verdict) == (False, Verdict.ACCEPT)


def test_two_people_approve_where_the_program_wants_it() -> None:
    once = approve(WAITS, YES, second_person=True)
    assert (once.waits, once.proposed, once.decisions, once.updated_at) == (True, YES, (), WAITS.updated_at)
    assert approve(once, replace(YES, at=NOW + 2 * DAY), second_person=True) is once
    for other in (said(True, "ann", "office"), said(True, "ben", "desk")):
        with pytest.raises(SecondPersonRequired):
            approve(once, other, second_person=True)
    agreed = approve(once, said(True, "ben", "office"), second_person=True)
    assert (agreed.verdict, agreed.proposed, len(agreed.decisions)) == (Verdict.ACCEPT, None, 1)
    # One is enough to reject, and what was asked for is gone with it.
    assert reject(once, said(False, "ben", "office")).proposed is None
    # A person's rejection has its second person by the appeal; the score's has not.
    assert approve(APPEALED, said(True, "ben", "office", days=3), second_person=True).verdict is Verdict.ACCEPT
    assert approve(appealed(BY_SCORE, days=1), said(True, days=2), second_person=True).waits


def test_what_was_asked_for_before_another_screening_is_void() -> None:
    once = approve(WAITS, YES, second_person=True)
    anew = replace(once, screened=replace(SCREENED, at=NOW + 2 * DAY))
    assert (asked(once), asked(anew)) == (YES, None)
    assert approve(anew, said(True, "ben", "office", days=3), second_person=True).decisions == ()


def test_two_people_revoke_where_the_program_wants_it() -> None:
    once = revoke(PAID, NO, second_person=True)
    assert (once.revoked, asked(once)) == (False, NO)
    agreed = revoke(once, said(False, "ben", "office"), second_person=True)
    assert (agreed.revoked, asked(agreed), agreed.due_at) == (True, None, NOW + DAY)
    # An approval that was asked for before the reward agrees to nothing.
    stale = replace(PAID, proposed=YES)
    assert revoke(stale, said(False, "ben", "office"), second_person=True).revoked is False
