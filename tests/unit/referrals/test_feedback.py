"""Precision and recall by hand-computed tables, and the walk that they are made from."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from loyalty.attribution.model import (
    Decided,
    Evidence,
    Referral,
    ReferralStatus,
    Rewarded,
    Screened,
    Signal,
    Verdict,
)
from loyalty.attribution.store import claim_puts
from loyalty.core.errors import PeriodRefused
from loyalty.core.table import Table
from loyalty.referrals import reviewing
from loyalty.referrals.feedback import Appeals, Feedback, Known, Row, Share, feedback_of
from loyalty.referrals.walking import claimed_between
from loyalty.referrals.words import in_words
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import BOB, CLEO
from tests.unit.referrals.reviewed import ANN, BEN, REJECT, Reviewed

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATUS = ReferralStatus
NEW = Referral("acme", "mbr_friend", "mbr_ada", "K7WQ4M2X", NOW, NOW + timedelta(days=30))
PAID = Rewarded("mbr_ada", "mbr_friend", 1, 500, 250, NOW)
DEVICE = Evidence(Signal.SAME_DEVICE, 60)


def found(verdict: Verdict, status: ReferralStatus, *answers: bool, appealed: float | None = None) -> Referral:
    """Screened so, and decided so an hour later, two hours later and so on; ``appealed`` after so many hours."""
    evidence = () if verdict is Verdict.ACCEPT else (DEVICE,)
    return replace(
        NEW,
        status=status,
        screened=Screened(verdict, 0, evidence, {}, 1, NOW),
        decisions=tuple(
            Decided(approved=answer, actor="person:ann", reason="because", at=NOW + place * HOUR)
            for place, answer in enumerate(answers, start=1)
        ),
        appealed_at=None if appealed is None else NOW + appealed * HOUR,
        rewarded=PAID if status in {STATUS.REWARDED, STATUS.REVERSED} else None,
    )


REVIEW, REJECTS, ACCEPT = Verdict.REVIEW, Verdict.REJECT, Verdict.ACCEPT
MIXED = [
    NEW,  # not screened
    *[found(REVIEW, STATUS.REJECTED, False)] * 3,  # frauds that were stopped
    found(REVIEW, STATUS.REWARDED, True),  # honest, and delayed
    found(REVIEW, STATUS.QUALIFIED),  # waits
    found(REVIEW, STATUS.REVERSED, True, False),  # approved, and revoked later: it was right to stop it
    found(REJECTS, STATUS.REJECTED),  # nobody appealed
    found(REJECTS, STATUS.REJECTED, appealed=0.5),  # appealed, waits
    found(REJECTS, STATUS.REJECTED, False, appealed=0.5),  # appealed, refused
    found(REJECTS, STATUS.REWARDED, True, appealed=0.5),  # appealed, granted
    found(REVIEW, STATUS.REWARDED, False, True, appealed=1.5),  # rejected by a person, appealed, granted
    *[found(ACCEPT, STATUS.REWARDED)] * 5,  # of these nobody knows
    found(ACCEPT, STATUS.REVERSED),  # given back, which is no fraud
    *[found(ACCEPT, STATUS.REVERSED, False)] * 2,  # revoked: frauds that were missed
    found(ACCEPT, STATUS.REWARDED, False),  # revoked, not yet taken back
]


def test_what_screening_says_beside_what_people_say() -> None:
    feedback = feedback_of(MIXED)
    assert feedback == Feedback(
        referrals=21,
        screened=20,
        rows={
            ACCEPT: Row(Known(fraud=3), undecided=6),
            REVIEW: Row(Known(fraud=4, honest=2), waiting=1),
            REJECTS: Row(Known(fraud=1, honest=1), waiting=1, undecided=1),
        },
        appeals=Appeals(made=4, granted=2, refused=1),
        revoked=4,
        signs={Signal.SAME_DEVICE: Known(fraud=5, honest=3)},
    )
    assert (feedback.precision, feedback.recall) == (Share(5, 8), Share(5, 8))
    assert (feedback.precision.exact, feedback.precision.percent) == (Fraction(5, 8), "62.5")
    assert feedback_of(reversed(MIXED)) == feedback


@pytest.mark.parametrize(
    ("part", "of", "percent"),
    [
        (0, 0, None),
        (0, 7, "0.0"),
        (7, 7, "100.0"),
        (1, 3, "33.3"),
        (2, 3, "66.7"),
        (1, 2_000, "0.1"),
        (999, 2_000, "50.0"),
    ],
)
def test_shares_have_one_decimal_rounded_half_up(part: int, of: int, percent: str | None) -> None:
    assert Share(part, of).percent == percent


def test_of_nothing_nothing_is_said() -> None:
    feedback = feedback_of([])
    assert (feedback.precision.exact, feedback.recall.percent, feedback.signs) == (None, None, {})


def test_feedback_over_what_people_decided(table: Table) -> None:
    reviewed = Reviewed(table)
    reviewed.come(BOB)
    reviewed.reviews.reject(reviewed.program, BOB, ANN, "same_person")
    reviewed.come(CLEO, features=REJECT)
    reviewed.reviews.appeal("acme", CLEO, "member_complained", "app")
    today = reviewed.clock().date()
    first = reviewed.reviews.feedback(reviewed.program, today, today, bounded=True)
    assert (first.precision, first.rows[REJECTS].waiting) == (Share(1, 1), 1)
    reviewed.reviews.approve(reviewed.program, CLEO, BEN, "mistake")
    second = reviewed.reviews.feedback(reviewed.program, today, today, bounded=True)
    assert (second.precision, second.appeals) == (Share(1, 2), Appeals(1, 1, 0))
    yesterday = today - timedelta(days=1)
    assert reviewed.reviews.feedback(reviewed.program, yesterday, yesterday, bounded=True).referrals == 0


def test_days_are_those_of_the_program(table: Table) -> None:
    """At noon in UTC it is the next day already in Auckland's evening, and just after midnight on Kiritimati."""
    reviewed = Reviewed(table, time_zone="Pacific/Kiritimati")
    reviewed.come(BOB)
    days = [date(2026, 3, 15), date(2026, 3, 16)]
    reviewed.clock.advance(days=1)
    assert [reviewed.reviews.feedback(reviewed.program, day, day, bounded=True).referrals for day in days] == [0, 1]


@pytest.mark.parametrize(("first", "last"), [(1, 0), (-92, 0), (0, 1)])
def test_a_period_may_be_refused(table: Table, first: int, last: int) -> None:
    reviewed = Reviewed(table)
    today = reviewed.clock().date()
    days = today + timedelta(days=first), today + timedelta(days=last)
    with pytest.raises(PeriodRefused):
        reviewed.reviews.feedback(reviewed.program, *days, bounded=True)


def test_too_many_are_refused_and_an_operator_reads_them_all(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    reviewed = Reviewed(table)
    reviewed.come(BOB)
    reviewed.come(CLEO)
    today = reviewed.clock().date()
    monkeypatch.setattr(reviewing, "MOST_REFERRALS", 1)
    with pytest.raises(PeriodRefused, match="more than 1 referrals"):
        reviewed.reviews.feedback(reviewed.program, today, today, bounded=True)
    assert reviewed.reviews.feedback(reviewed.program, today, today, bounded=False).referrals == 2


def test_a_walk_reads_what_was_claimed_in_time_a_hundred_at_once(table: Table) -> None:
    """Of 480 referrals in 16 shards, of 24 hours, the 240 of twelve."""
    for number in range(480):
        at = NOW + (number % 24) * HOUR
        claimed = replace(NEW, member_id=f"mbr_{number:026}", claimed_at=at, due_at=at, updated_at=at)
        table.write(list(claim_puts(claimed).values()))
    with recorded(table.client) as calls:
        walked = list(claimed_between(table, "acme", NOW + 6 * HOUR, NOW + 18 * HOUR))
    assert len({one.member_id for one in walked}) == len(walked) == 240
    assert {one.claimed_at for one in walked} == {NOW + hours * HOUR for hours in range(6, 18)}
    assert calls.names.count("BatchGetItem") <= 16
    assert calls.names.count("Query") <= 16


@pytest.mark.parametrize("signal", list(Signal))
def test_each_sign_has_words_without_a_hash(signal: Signal) -> None:
    said = in_words(Evidence(signal, 10, counted=1_234, bound=30))
    assert said.endswith("; counts from 30")
    assert "{" not in said
    assert (
        in_words(Evidence(Signal.RING, 10, 3, 1))
        == "shares a device or payment with 3 others whom the referrer brought"
    )
