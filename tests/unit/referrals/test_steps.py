"""What is to be done about a referral next, by hand-made facts. The service around it: test_lifecycle.py."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from loyalty.accruals.share import Reversed
from loyalty.attribution.model import Decided, Qualified, Referral, ReferralStatus, Rewarded, Screened, Verdict
from loyalty.core.money import Money
from loyalty.programs.referrals import Referrals
from loyalty.referrals.steps import LATE, Counted, Do, Facts, Step, Write, concerns, counts, next_step
from tests.ledgerkit.waking import REFERRALS, with_referrals

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
TERMS = Referrals.model_validate(REFERRALS)
DAY = timedelta(days=1)
DEADLINE = NOW + 30 * DAY
LAST = DEADLINE + LATE
NEW = Referral(
    program="acme",
    member_id="mbr_friend",
    referrer="mbr_ada",
    code="K7WQ4M2X",
    claimed_at=NOW,
    deadline=DEADLINE,
    due_at=DEADLINE - 7 * DAY,
    counted=True,
    updated_at=NOW,
    revision=1,
)


def screened(verdict: Verdict) -> Screened:
    return Screened(verdict, 0, (), {}, 1, NOW)


def bought(amount: str = "25.00", *, currency: str = "EUR", at: datetime = NOW, **more: object) -> Counted:
    left = Money.of(amount, currency)
    return replace(Counted("accrual:pos:R-1", "purchase", left, Reversed(), at, at), **more)  # type: ignore[arg-type]


FIRST_LOOK = replace(NEW, screened=screened(Verdict.ACCEPT))
PURCHASE = bought(at=NOW + DAY)
PAYS_AT = NOW + 15 * DAY
QUALIFIED = replace(
    NEW,
    status=ReferralStatus.QUALIFIED,
    qualified=Qualified(PURCHASE.entry_id, PURCHASE.left, PURCHASE.occurred_at, NOW + DAY, PAYS_AT),
    due_at=PAYS_AT,
)
REWARDED = replace(
    QUALIFIED,
    status=ReferralStatus.REWARDED,
    rewarded=Rewarded("mbr_ada", "mbr_friend", 1, 500, 250, PAYS_AT),
    due_at=None,
)
REJECTED = replace(
    QUALIFIED, status=ReferralStatus.REJECTED, screened=screened(Verdict.REJECT), due_at=DEADLINE, updated_at=PAYS_AT
)
HAS = Facts([PURCHASE])
GIVEN_BACK = Facts([replace(PURCHASE, left=Money.of("0.00", "EUR"), taken_back=Reversed(whole=True, reversals=1))])
NOT_ENOUGH = Facts([replace(PURCHASE, left=Money.of("19.99", "EUR"), taken_back=Reversed(reversals=1))])
NO = Decided(approved=False, actor="staff-1", reason="fake", at=PAYS_AT)
YES = Decided(approved=True, actor="staff-1", reason="known", at=PAYS_AT)


@pytest.mark.parametrize(
    ("purchase", "is_enough"),
    [
        (bought("20.00"), True),
        (bought("19.99"), False),
        (bought("500.00", currency="USD"), False),
        (bought(left=None), False),
        (bought(activity="review"), False),
        (bought(at=NOW - timedelta(milliseconds=1)), False),
        (bought(occurred_at=NOW - timedelta(milliseconds=1)), False),  # and became known after the claim
        (bought(at=DEADLINE - timedelta(milliseconds=1)), True),
        (bought(at=DEADLINE), False),
        (bought(posted_at=DEADLINE + LATE - DAY), True),
        (bought(posted_at=DEADLINE + LATE), False),
        (bought(posted_at=NOW - DAY), False),
        (bought(taken_back=Reversed(whole=True)), False),
        (bought(taken_back=Reversed(money=Decimal("5.00"))), True),
    ],
)
def test_what_counts(purchase: Counted, is_enough: bool) -> None:
    assert counts(purchase, NEW, TERMS) is is_enough


def test_a_till_that_tells_whole_seconds_has_a_purchase_counted_that_was_made_in_the_second_of_the_claim() -> None:
    claimed = replace(NEW, claimed_at=NOW + timedelta(milliseconds=700))
    told = bought(posted_at=NOW + timedelta(seconds=1))
    assert counts(told, claimed, TERMS)
    assert not counts(replace(told, occurred_at=NOW - timedelta(milliseconds=1)), claimed, TERMS)


def test_without_a_minimum_something_counts_and_what_was_given_back_does_not() -> None:
    terms = Referrals.model_validate(REFERRALS | {"qualifying": {"activity": "review"}})
    review = bought(left=None, activity="review")
    assert counts(review, NEW, terms)
    assert not counts(replace(review, taken_back=Reversed(whole=True)), NEW, terms)


def test_without_a_minimum_a_reward_is_kept_until_all_of_it_was_given_back() -> None:
    terms = Referrals.model_validate(REFERRALS | {"qualifying": {}})
    assert next_step(REWARDED, NOT_ENOUGH, terms, LAST) is None
    assert next_step(REWARDED, GIVEN_BACK, terms, LAST) is Do.REVERSE


def _status(step: Step | None) -> object:
    return (step.after.status, step.after.due_at) if isinstance(step, Write) else step


STATUS = ReferralStatus


@pytest.mark.parametrize(
    ("name", "referral", "facts", "days", "expected"),
    [
        ("counted first", replace(NEW, counted=False), Facts(), 0, Do.COUNT),
        ("then looked at", NEW, Facts(), 0, Do.SCREEN),
        ("then it waits", FIRST_LOOK, Facts(), 1, None),
        ("reminded once", FIRST_LOOK, Facts(), 23, (STATUS.ENROLLED, DEADLINE - DAY)),
        (
            "not again",
            replace(FIRST_LOOK, reminded=1, due_at=DEADLINE - DAY), Facts(), 24, None,
        ),
        ("too late", FIRST_LOOK, Facts(), 30, (STATUS.EXPIRED, LAST)),
        ("too late, and looked at late", FIRST_LOOK, Facts(), 44, (STATUS.EXPIRED, None)),
        ("looked at once more", replace(FIRST_LOOK, status=STATUS.EXPIRED, due_at=LAST), Facts(), 44, (STATUS.EXPIRED, None)),
        ("not before", replace(FIRST_LOOK, status=STATUS.EXPIRED, due_at=LAST), Facts(), 43, None),
        ("even a bad look changes nothing yet", replace(NEW, screened=screened(Verdict.REJECT)), Facts(), 1, None),
        ("qualifies", FIRST_LOOK, HAS, 1, (STATUS.QUALIFIED, PAYS_AT)),
        ("qualifies after the deadline too", FIRST_LOOK, HAS, 31, (STATUS.QUALIFIED, NOW + 31 * DAY)),
        ("and where it was too late", replace(FIRST_LOOK, status=STATUS.EXPIRED), HAS, 31, (STATUS.QUALIFIED, NOW + 31 * DAY)),
        ("too little", FIRST_LOOK, NOT_ENOUGH, 1, None),
        ("the window is open", QUALIFIED, HAS, 14, None),
        ("screened once it is over", QUALIFIED, HAS, 15, Do.SCREEN),
        ("given back within it", QUALIFIED, GIVEN_BACK, 2, (STATUS.ENROLLED, DEADLINE - 7 * DAY)),
        ("a part of it", QUALIFIED, NOT_ENOUGH, 2, (STATUS.ENROLLED, DEADLINE - 7 * DAY)),
        ("given back after the deadline", QUALIFIED, GIVEN_BACK, 31, (STATUS.EXPIRED, LAST)),
        ("paid", replace(QUALIFIED, screened=screened(Verdict.ACCEPT)), HAS, 15, Do.PAY),
        ("waits for a person", replace(QUALIFIED, screened=screened(Verdict.REVIEW), due_at=None), HAS, 15, None),
        ("given back meanwhile", replace(QUALIFIED, screened=screened(Verdict.REVIEW), due_at=None), GIVEN_BACK, 16,
         (STATUS.ENROLLED, DEADLINE - 7 * DAY)),
        ("rejected", replace(QUALIFIED, screened=screened(Verdict.REJECT)), HAS, 15, (STATUS.REJECTED, DEADLINE)),
        ("rejected after the deadline", replace(QUALIFIED, screened=screened(Verdict.REJECT)), HAS, 31, (STATUS.REJECTED, None)),
        ("a person says no", replace(QUALIFIED, decisions=(NO,), due_at=None), HAS, 16, (STATUS.REJECTED, DEADLINE)),
        ("a person says yes", replace(QUALIFIED, screened=screened(Verdict.REVIEW), decisions=(YES,)), HAS, 16, Do.PAY),
        ("rejected: silent till the deadline", REJECTED, HAS, 20, None),
        ("rejected: ended with the others", REJECTED, HAS, 30, (STATUS.REJECTED, None)),
        ("rejected: at rest", replace(REJECTED, due_at=None, updated_at=DEADLINE), HAS, 31, None),
        ("rejected by a person who set no moment", replace(REJECTED, due_at=None), HAS, 16, (STATUS.REJECTED, DEADLINE)),
        ("appealed", replace(REJECTED, appealed_at=PAYS_AT), HAS, 16, None),
        ("appealed with success", replace(REJECTED, decisions=(NO, YES)), HAS, 16, (STATUS.QUALIFIED, NOW + 16 * DAY)),
        ("and given back before", replace(REJECTED, decisions=(NO, YES)), GIVEN_BACK, 31, (STATUS.EXPIRED, LAST)),
        ("rewarded", REWARDED, HAS, 16, None),
        ("given back after the reward", REWARDED, GIVEN_BACK, 200, Do.REVERSE),
        ("a part of it, too little left", REWARDED, NOT_ENOUGH, 16, Do.REVERSE),
        ("no moment is left behind", replace(REWARDED, due_at=NOW), HAS, 16, (STATUS.REWARDED, None)),
        ("erased", FIRST_LOOK, Facts(erased=True), 1, (STATUS.UNREWARDED, None)),
        ("erased with a purchase", QUALIFIED, replace(HAS, erased=True), 1, (STATUS.UNREWARDED, None)),
        ("erased after the reward", REWARDED, replace(HAS, erased=True), 16, None),
        ("erased, and then given back", REWARDED, replace(GIVEN_BACK, erased=True), 16, Do.REVERSE),
        ("merged", FIRST_LOOK, Facts(merged=True), 1, (STATUS.UNREWARDED, None)),
        ("merged with a purchase", FIRST_LOOK, replace(HAS, merged=True), 1, (STATUS.QUALIFIED, PAYS_AT)),
        ("reversed is for ever", replace(REWARDED, status=STATUS.REVERSED), HAS, 20, None),
        ("so is unrewarded", replace(QUALIFIED, status=STATUS.UNREWARDED, due_at=None), HAS, 20, None),
        ("no deadline", replace(NEW, deadline=None, due_at=None), HAS, 1, None),
    ],
)  # fmt: skip
def test_the_next_step(name: str, referral: Referral, facts: Facts, days: int, expected: object) -> None:
    assert _status(next_step(referral, facts, TERMS, NOW + days * DAY)) == expected


def test_without_terms_it_only_ends_in_time() -> None:
    assert _status(next_step(NEW, HAS, None, NOW + DAY)) == (STATUS.ENROLLED, DEADLINE)
    assert next_step(replace(NEW, due_at=DEADLINE), HAS, None, NOW + 29 * DAY) is None
    assert _status(next_step(NEW, HAS, None, DEADLINE)) == (STATUS.EXPIRED, LAST)
    assert _status(next_step(replace(NEW, status=STATUS.EXPIRED), HAS, None, LAST)) == (STATUS.EXPIRED, None)


def test_one_that_could_not_be_paid_is_left_alone_until_its_moment() -> None:
    accepted = replace(QUALIFIED, screened=screened(Verdict.ACCEPT), due_at=PAYS_AT + DAY)
    assert next_step(accepted, HAS, TERMS, PAYS_AT) is None
    assert next_step(accepted, HAS, TERMS, PAYS_AT + DAY) is Do.PAY


@pytest.mark.parametrize(
    ("activity", "says"),
    [("referral", "which they earn themselves"), ("referred", "which they earn themselves"), ("visit", "no earn rule")],
)
def test_what_qualifies_must_be_posted(activity: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        with_referrals(qualifying={"activity": activity})


def test_of_several_the_first_that_was_posted_qualifies_and_the_next_takes_its_place() -> None:
    second = replace(PURCHASE, entry_id="accrual:pos:R-2", posted_at=NOW + 2 * DAY)
    step = next_step(FIRST_LOOK, Facts([PURCHASE, second]), TERMS, NOW + 3 * DAY)
    assert isinstance(step, Write)
    assert step.after.qualified == Qualified(PURCHASE.entry_id, PURCHASE.left, NOW + DAY, NOW + 3 * DAY, NOW + 15 * DAY)
    given_back = replace(PURCHASE, taken_back=Reversed(whole=True))
    step = next_step(QUALIFIED, Facts([given_back, second]), TERMS, NOW + 3 * DAY)
    assert isinstance(step, Write)
    assert step.after.qualified is not None
    assert (step.after.qualified.entry_id, step.after.due_at) == ("accrual:pos:R-2", NOW + 16 * DAY)


def test_what_screening_said_before_it_qualified_does_not_decide_about_the_payment() -> None:
    step = next_step(replace(NEW, screened=screened(Verdict.REVIEW)), HAS, TERMS, NOW + DAY)
    assert isinstance(step, Write)
    assert step.after.screened is None
    assert next_step(step.after, HAS, TERMS, PAYS_AT) is Do.SCREEN


def test_several_reminders_that_were_missed_are_one() -> None:
    step = next_step(FIRST_LOOK, Facts(), TERMS, DEADLINE - timedelta(hours=1))
    assert isinstance(step, Write)
    assert (step.after.reminded, step.after.due_at) == (2, DEADLINE)


def test_a_purchase_that_is_not_found_is_never_taken_for_one_that_was_given_back() -> None:
    with pytest.raises(AssertionError):
        next_step(REWARDED, Facts(), TERMS, NOW)


@pytest.mark.parametrize(
    ("referral", "days", "does"),
    [
        (NEW, 1, True),
        (replace(NEW, deadline=None, due_at=None), 1, False),
        (replace(NEW, status=STATUS.EXPIRED, due_at=None), 43, True),
        (replace(NEW, status=STATUS.EXPIRED, due_at=None), 44, False),
        (REWARDED, 400, True),
        (replace(REWARDED, status=STATUS.REVERSED), 1, False),
        (replace(REWARDED, status=STATUS.UNREWARDED), 1, False),
        (replace(REWARDED, status=STATUS.REVERSED, due_at=NOW), 1, True),
    ],
)
def test_the_ledger_is_read_where_it_can_still_change_something(referral: Referral, days: int, does: bool) -> None:
    assert concerns(referral, NOW + days * DAY) is does
