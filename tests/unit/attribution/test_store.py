"""Referrals as they are stored: what was written is read, and nothing is written over what was not read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

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
    Told,
    Verdict,
)
from loyalty.attribution.store import ReferralStore, claim_puts, referral_put
from loyalty.core.money import Money
from loyalty.core.table import Table, TransactionRefused
from loyalty.programs.referrals import Weights

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NEW = Referral(
    program="acme",
    member_id="mbr_friend",
    referrer="mbr_ada",
    code="K7WQ4M2X",
    claimed_at=NOW,
    deadline=NOW + timedelta(days=30),
    source=Source("summer", "whatsapp", "clk_1"),
    likenesses={"device": "d1"},
    flags={"disposable_email": 1},
    due_at=NOW + timedelta(days=23),
    updated_at=NOW,
)
SCREENED = Screened(
    verdict=Verdict.REVIEW,
    score=60,
    evidence=(Evidence(Signal.SAME_DEVICE, 60, 1, 1, ("mbr_ada",)),),
    features={"same_device": 1},
    program_version=3,
    at=NOW,
)
REWARDED = Rewarded("mbr_ada", "mbr_friend", 2, 500, 250, NOW)


def _stored(table: Table, *versions: Referral) -> Referral:
    store = ReferralStore(table)
    table.write(list(claim_puts(versions[0]).values()))
    for after in versions[1:]:
        table.write([referral_put(store.get("acme", "mbr_friend"), after)])
    found = store.get("acme", "mbr_friend")
    assert found is not None
    return found


def test_what_was_written_is_read(table: Table) -> None:
    paid = replace(
        NEW,
        status=ReferralStatus.REWARDED,
        counted=True,
        screened=SCREENED,
        qualified=Qualified("accrual:pos:R-1", Money.of("25.00", "USD"), NOW, NOW, NOW + timedelta(days=14)),
        decisions=(Decided(approved=True, actor="staff-1", reason="known", at=NOW, through="console"),),
        appealed_at=NOW,
        rewarded=REWARDED,
        ended_at=NOW,
        ended_because="done",
        reminded=1,
    )
    assert _stored(table, NEW, paid) == replace(paid, revision=2)
    assert list(ReferralStore(table).friends("acme", "mbr_ada")) == ["mbr_friend"]


def test_one_referral_for_each_who_was_brought(table: Table) -> None:
    _stored(table, NEW)
    with pytest.raises(TransactionRefused):
        table.write(list(claim_puts(replace(NEW, referrer="mbr_eve", code="ZZZZ2222")).values()))
    assert list(ReferralStore(table).friends("acme", "mbr_eve")) == []


def test_nothing_is_written_over_what_was_not_read(table: Table) -> None:
    first = _stored(table, NEW)
    table.write([referral_put(first, replace(first, reminded=1))])
    with pytest.raises(TransactionRefused):
        table.write([referral_put(first, replace(first, reminded=2))])


def test_one_that_waits_for_a_person_is_not_due_by_itself(table: Table) -> None:
    waiting = replace(NEW, status=ReferralStatus.QUALIFIED, screened=SCREENED)
    assert _stored(table, NEW, waiting).due_at is None
    assert [raw["due_shard"]["S"] for raw in table.scan() if raw["sk"]["S"] == "REFERRAL"] == ["REFERRALREVIEW#acme"]


APPROVED = Decided(approved=True, actor="staff-1", reason="known", at=NOW)
REJECTED = Decided(approved=False, actor="staff-1", reason="fake", at=NOW)


@pytest.mark.parametrize(
    ("referral", "verdict"),
    [
        (NEW, None),
        (replace(NEW, screened=SCREENED), Verdict.REVIEW),
        (replace(NEW, screened=SCREENED, decisions=(APPROVED,)), Verdict.ACCEPT),
        (replace(NEW, screened=SCREENED, decisions=(REJECTED,)), Verdict.REJECT),
        (replace(NEW, decisions=(REJECTED,), appealed_at=NOW + timedelta(days=1)), Verdict.REVIEW),
        (replace(NEW, decisions=(REJECTED, APPROVED), appealed_at=NOW - timedelta(days=1)), Verdict.ACCEPT),
    ],
)
def test_what_a_person_decided_last_counts_unless_it_was_appealed(referral: Referral, verdict: Verdict | None) -> None:
    assert referral.verdict is verdict


@pytest.mark.parametrize(
    ("status", "days", "told"),
    [
        (ReferralStatus.ENROLLED, 0, Told.PENDING),
        (ReferralStatus.QUALIFIED, 0, Told.PENDING),
        (ReferralStatus.REWARDED, 0, Told.REWARDED),
        (ReferralStatus.REVERSED, 0, Told.REVERSED),
        (ReferralStatus.EXPIRED, 31, Told.ENDED),
        (ReferralStatus.UNREWARDED, 0, Told.ENDED),
        (ReferralStatus.REJECTED, 0, Told.PENDING),
        (ReferralStatus.REJECTED, 31, Told.ENDED),
    ],
)
def test_members_are_told_nothing_of_screening(status: ReferralStatus, days: int, told: Told) -> None:
    assert replace(NEW, status=status).told(NOW + timedelta(days=days)) is told


def test_each_signal_has_its_weight() -> None:
    assert set(Weights.model_fields) == {signal.value for signal in Signal}
