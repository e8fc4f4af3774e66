"""Whatever people decide on a referral, in whatever order: members and partners are told nothing by it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.attribution.model import Decided, Qualified, Referral, ReferralStatus, Rewarded, Screened, Told, Verdict
from loyalty.attribution.store import referral_put
from loyalty.core.errors import LoyaltyError
from loyalty.publishing.referrals import referral_event
from loyalty.referrals.decisions import appeal, approve, reject, revoke

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
DEADLINE = NOW + timedelta(days=30)
STATUS = ReferralStatus
QUALIFIED = Referral(
    program="acme",
    member_id="mbr_friend",
    referrer="mbr_ada",
    code="K7WQ4M2X",
    claimed_at=NOW,
    deadline=DEADLINE,
    status=STATUS.QUALIFIED,
    qualified=Qualified("accrual:pos:R-1", None, NOW, NOW, NOW),
    updated_at=NOW,
    revision=1,
)
PAID = Rewarded("mbr_ada", "mbr_friend", 1, 500, 250, NOW)
Act = Callable[[Referral, Decided], Referral]


def _appeal(referral: Referral, by: Decided) -> Referral:
    return appeal(referral, by.reason, by.through or "client:app", by.at) or referral


ACTS: list[Act] = [
    lambda one, by: approve(one, replace(by, approved=True), second_person=False),
    lambda one, by: approve(one, replace(by, approved=True), second_person=True),
    reject,
    lambda one, by: revoke(one, by, second_person=False),
    lambda one, by: revoke(one, by, second_person=True),
    _appeal,
]
people = st.builds(
    lambda actor, client: (f"person:{actor}", f"client:{client}"), st.sampled_from("abc"), st.sampled_from("xyz")
)


@st.composite
def referrals(draw: st.DrawFn) -> Referral:
    """Screened or not, paid, rejected or on its way."""
    verdict, score = draw(st.sampled_from(list(Verdict))), draw(st.integers(0, 100))
    screened = draw(st.sampled_from([None, Screened(verdict, score, (), {"ring": score}, 1, NOW)]))
    status = draw(st.sampled_from([STATUS.ENROLLED, STATUS.QUALIFIED, STATUS.REJECTED, STATUS.REWARDED]))
    more = {"rewarded": PAID} if status is STATUS.REWARDED else {}
    ended = {"ended_at": NOW, "ended_because": "screening"} if status is STATUS.REJECTED else {}
    return replace(QUALIFIED, status=status, screened=screened, **more, **ended)  # type: ignore[arg-type]


@settings(max_examples=400, deadline=None)
@given(referrals(), st.lists(st.tuples(st.sampled_from(ACTS), people, st.integers(1, 200)), max_size=8))
def test_decisions_tell_nobody_anything(referral: Referral, acts: list[tuple[Act, tuple[str, str], int]]) -> None:
    now = NOW
    for act, (actor, through), hours in acts:
        now += timedelta(hours=hours)
        try:
            after = act(referral, Decided(approved=False, actor=actor, reason="because", at=now, through=through))
        except LoyaltyError:
            continue
        before_told, told = referral.told(now), after.told(now)
        in_time = now < DEADLINE
        # After its time a rejection ends it, as it would have ended long ago without what qualified.
        ends = not in_time and after.status is STATUS.REJECTED and told is Told.ENDED
        assert told is before_told or (ends and before_told is Told.PENDING)
        event = _told_of(referral, after)
        assert event is None or (event == "referral.ended" and not in_time)
        referral = replace(after, revision=referral.revision + 1)


def _told_of(before: Referral, after: Referral) -> str | None:
    images = [referral_put(None, one).item.to_dynamodb_dict() for one in (after, before)]
    found = referral_event(*images)
    return None if found is None else found[0]


@settings(max_examples=200, deadline=None)
@given(referrals(), referrals(), st.integers(0, 100), st.booleans())
def test_what_members_are_told_depends_on_nothing_of_screening(
    one: Referral,
    other: Referral,
    days: int,
    appealed: bool,
) -> None:
    now = NOW + timedelta(days=days)
    decided = Decided(approved=appealed, actor="person:a", reason="because", at=NOW)
    screened = replace(
        one,
        screened=other.screened,
        decisions=(decided,),
        proposed=decided,
        appealed_at=NOW + timedelta(hours=1) if appealed else None,
        appealed_because="complained",
    )
    assert screened.told(now) is one.told(now)
    unpaid = {STATUS.ENROLLED, STATUS.QUALIFIED, STATUS.REJECTED}
    if now < DEADLINE and one.status in unpaid:
        assert one.told(now) is Told.PENDING
