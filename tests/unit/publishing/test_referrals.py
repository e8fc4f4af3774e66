"""What is told of referrals: each step once, and nothing of screening."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import loyalty_contract as contract
from loyalty.attribution.model import (
    Decided,
    Evidence,
    Qualified,
    Referral,
    ReferralStatus,
    Rewarded,
    Screened,
    Signal,
    Source,
    Verdict,
)
from loyalty.attribution.store import referral_put
from loyalty.core.money import Money
from loyalty.publishing.events import EVENTS, ReferralEvent
from loyalty.publishing.outbox import events_of

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
DEADLINE = NOW + timedelta(days=30)
STATUS = ReferralStatus
NEW = Referral(
    program="acme",
    member_id="mbr_friend",
    referrer="mbr_ada",
    code="K7WQ4M2X",
    claimed_at=NOW,
    deadline=DEADLINE,
    source=Source("summer", "whatsapp", "clk_1"),
    likenesses={"device": "d1gest"},
    flags={"disposable_email": 1},
    due_at=DEADLINE,
    updated_at=NOW,
)
QUALIFIED = replace(
    NEW,
    status=STATUS.QUALIFIED,
    qualified=Qualified("accrual:pos:R-1", Money.of("25.00", "EUR"), NOW, NOW, NOW + timedelta(days=14)),
)
REWARDED = replace(
    QUALIFIED, status=STATUS.REWARDED, rewarded=Rewarded("mbr_ada", "mbr_friend", 1, 500, 250, NOW), due_at=None
)


def screened(verdict: Verdict) -> Screened:
    return Screened(verdict, 60, (Evidence(Signal.SAME_DEVICE, 60, 1, 1, ("mbr_ada",)),), {"same_device": 1}, 1, NOW)


def rejected(at: datetime) -> Referral:
    return replace(QUALIFIED, status=STATUS.REJECTED, screened=screened(Verdict.REJECT), updated_at=at)


IN_REVIEW = replace(QUALIFIED, screened=screened(Verdict.REVIEW), due_at=None)
NO = Decided(approved=False, actor="staff-1", reason="fake", at=NOW)
YES = Decided(approved=True, actor="staff-1", reason="known", at=NOW)


def image(referral: Referral) -> dict[str, Any]:
    return referral_put(None, referral).item.serialize()


def told(old: Referral | None, new: Referral) -> list[tuple[str, Any]]:
    images = {"NewImage": image(new)} | ({} if old is None else {"OldImage": image(old)})
    events = events_of({"dynamodb": {"SequenceNumber": "1", **images}})
    assert all(type(event.detail) is EVENTS[event.detail_type] for event in events)
    return [(event.detail_type, event.detail) for event in events]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, NEW, [contract.REFERRAL_ENROLLED]),
        (NEW, replace(NEW, counted=True, screened=screened(Verdict.REJECT)), []),
        (NEW, replace(NEW, reminded=1), [contract.REFERRAL_REMINDER]),
        (NEW, QUALIFIED, [contract.REFERRAL_QUALIFIED]),
        (replace(NEW, status=STATUS.EXPIRED), QUALIFIED, [contract.REFERRAL_QUALIFIED]),
        (QUALIFIED, replace(QUALIFIED, due_at=NOW), []),
        (QUALIFIED, NEW, [contract.REFERRAL_RETURNED]),
        (QUALIFIED, replace(NEW, reminded=1), [contract.REFERRAL_RETURNED]),
        (NEW, replace(NEW, status=STATUS.EXPIRED), [contract.REFERRAL_ENDED]),
        (QUALIFIED, replace(QUALIFIED, status=STATUS.UNREWARDED), [contract.REFERRAL_ENDED]),
        (QUALIFIED, REWARDED, [contract.REFERRAL_REWARDED]),
        (REWARDED, replace(REWARDED, status=STATUS.REVERSED), [contract.REFERRAL_REVERSED]),
        (QUALIFIED, IN_REVIEW, [contract.REFERRAL_REVIEWED]),
        (IN_REVIEW, replace(IN_REVIEW, decisions=(YES,)), [contract.REFERRAL_REVIEWED]),
        (QUALIFIED, rejected(NOW), []),
        (rejected(NOW), rejected(DEADLINE), [contract.REFERRAL_ENDED]),
        (rejected(DEADLINE), rejected(DEADLINE + timedelta(days=1)), []),
        (QUALIFIED, rejected(DEADLINE), [contract.REFERRAL_ENDED]),
        (IN_REVIEW, replace(rejected(NOW), decisions=(NO,)), [contract.REFERRAL_REVIEWED]),
        (IN_REVIEW, replace(rejected(DEADLINE), decisions=(NO,)), [contract.REFERRAL_ENDED, contract.REFERRAL_REVIEWED]),
        (
            replace(rejected(NOW), decisions=(NO,)),
            replace(rejected(NOW), decisions=(NO,), appealed_at=NOW + timedelta(hours=1)),
            [contract.REFERRAL_REVIEWED],
        ),
        (replace(rejected(NOW), decisions=(NO,)), replace(QUALIFIED, decisions=(NO, YES)), [contract.REFERRAL_REVIEWED]),
    ],
)  # fmt: skip
def test_each_step_is_told_once(old: Referral | None, new: Referral, expected: list[str]) -> None:
    assert [kind for kind, _ in told(old, new)] == expected


def test_what_it_says() -> None:
    ((_, event),) = told(QUALIFIED, REWARDED)
    assert event == ReferralEvent(
        id="acme/mbr_friend/referral:1",
        program="acme",
        member_id="mbr_friend",
        referrer="mbr_ada",
        code="K7WQ4M2X",
        campaign="summer",
        channel="whatsapp",
        status="rewarded",
        deadline="2026-04-14T12:00:00.000Z",
        points=500,
        member_points=250,
        updated_at="2026-03-15T12:00:00.000Z",
    )


@pytest.mark.parametrize(
    "after",
    [
        IN_REVIEW,
        replace(IN_REVIEW, decisions=(NO,)),
        replace(rejected(NOW), decisions=(NO,)),
        replace(rejected(DEADLINE), decisions=(NO,)),
        replace(rejected(NOW), appealed_at=NOW),
    ],
)
def test_nothing_says_why(after: Referral) -> None:
    events = told(QUALIFIED, after)
    assert events
    for _, event in events:
        text = event.model_dump_json()
        assert not [word for word in ("device", "reject", "fake", "staff", "60", 'review"') if word in text]


def test_two_of_one_change_have_ids_of_their_own() -> None:
    events = told(IN_REVIEW, replace(rejected(DEADLINE), decisions=(NO,)))
    assert len({event.id for _, event in events}) == 2


def test_an_erased_referrer_has_no_code() -> None:
    ((_, event),) = told(NEW, replace(QUALIFIED, code="-"))
    assert event.code is None
