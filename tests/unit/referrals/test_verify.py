"""The proof of referrals: both sides have what the referral says, and the referrer's count is what their referrals come to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty.attribution.model import Decided, Referral, ReferralStatus, Screened, Verdict
from loyalty.attribution.store import referral_put
from loyalty.core.table import Delete, Item, Put, Table
from loyalty.ledger.keys import partition
from loyalty.ledger.verify import audit_table
from loyalty.referrals.payments import Count, count_put
from tests.ledgerkit.brought import Brought
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN


@pytest.fixture
def paid(table: Table) -> Brought:
    """Ada brought Bob and Cleo, who gave back."""
    paid = Brought(table)
    paid.moves.enroll(ADA, BOB, CLEO, DAN)
    for friend in (BOB, CLEO):
        paid.bring(friend, ADA)
        paid.pay(friend)
    paid.reverse(CLEO)
    return paid


def delete(brought: Brought, member: str, sk: str) -> None:
    key = {"pk": {"S": partition("acme", member)}, "sk": {"S": sk}}
    brought.world.table.client.delete_item(TableName=brought.world.table.name, Key=key)


def gone(member: str) -> Delete:
    """The deletion of what a side was rewarded with for Bob."""
    return Delete(Item, partition("acme", member), f"ENTRY#accrual#referral#{BOB}")


def say(brought: Brought, **changes: Any) -> None:
    """Bob's referral says something else of its rewards."""
    before = brought.stored(BOB)
    assert before.rewarded is not None
    write(brought, before, replace(before, rewarded=replace(before.rewarded, **changes)))


def write(brought: Brought, before: Referral, after: Referral) -> None:
    brought.world.table.write([referral_put(before, after)])


def unsaid(brought: Brought) -> None:
    before = brought.stored(BOB)
    write(brought, before, replace(before, rewarded=None))


def half_back(brought: Brought, who: str) -> None:
    """Cleo's referral was taken back on one side alone, and her own partition has nothing of it on the other."""
    raw = brought.world.dump()[partition("acme", who), f"REVERSED#referral#{CLEO}"]
    item = {name: value for name, value in raw.items() if name != "whole"}
    brought.world.table.client.put_item(TableName=brought.world.table.name, Item=item)


def neither_back(brought: Brought) -> None:
    for who in (ADA, CLEO):
        half_back(brought, who)


def doubled(brought: Brought) -> None:
    """Dan has what the referrer was rewarded with for Bob, too."""
    raw = brought.world.dump()[partition("acme", ADA), f"ENTRY#accrual#referral#{BOB}"]
    item = {**raw, "pk": {"S": partition("acme", DAN)}}
    brought.world.table.client.put_item(TableName=brought.world.table.name, Item=item)


def still_rewarded(brought: Brought) -> None:
    """Cleo's referral says that it was never taken back."""
    before = brought.stored(CLEO)
    write(brought, before, replace(before, status=ReferralStatus.REWARDED, ended_at=None))


def count(brought: Brought, member: str, before: Count | None, after: Count) -> None:
    operation = count_put("acme", member, before, after)
    assert isinstance(operation, Put)
    brought.world.table.write([operation])


ONE_SIDED, WRONG = "referral_one_sided", "referral_reward_wrong"
PLANTED: dict[str, tuple[Callable[[Brought], object], list[tuple[str, str]]]] = {
    "the referrer's reward is missing": (
        lambda one: delete(one, ADA, f"ENTRY#accrual#referral#{BOB}"),
        [(BOB, ONE_SIDED)],
    ),
    "the friend's reward is missing": (
        lambda one: delete(one, BOB, f"ENTRY#accrual#referral#{BOB}"),
        [(BOB, ONE_SIDED)],
    ),
    "both rewards are missing": (
        lambda one: one.world.table.write([gone(ADA), gone(BOB)]),
        [(BOB, ONE_SIDED), (BOB, ONE_SIDED)],
    ),
    "the referral is missing": (
        lambda one: delete(one, BOB, "REFERRAL"),
        [(ADA, "referral_reward_unsaid"), (BOB, "referral_reward_unsaid"), (ADA, "referrals_count_wrong")],
    ),
    "the referral was never rewarded, as it says": (
        unsaid,
        [(ADA, "referral_reward_unsaid"), (BOB, "referral_reward_unsaid"), (ADA, "referrals_count_wrong")],
    ),
    "somebody else was rewarded, as it says": (
        lambda one: say(one, referrer=DAN),
        [
            (ADA, "referral_reward_unsaid"),
            (BOB, ONE_SIDED),
            (ADA, "referrals_count_wrong"),
            (DAN, "referrals_count_wrong"),
        ],
    ),
    "the referrer got more, as it says": (lambda one: say(one, points=101), [(ADA, WRONG)]),
    "the friend got more, as it says": (lambda one: say(one, member_points=41), [(BOB, WRONG)]),
    "the referrer did not give back": (lambda one: half_back(one, ADA), [(ADA, "referral_reversal_one_sided")]),
    "the friend did not give back": (lambda one: half_back(one, CLEO), [(CLEO, "referral_reversal_one_sided")]),
    "neither gave back": (
        neither_back,
        [(ADA, "referral_reversal_one_sided"), (CLEO, "referral_reversal_one_sided")],
    ),
    "both gave back, and it says that it is rewarded": (
        still_rewarded,
        [
            (ADA, "referral_reversal_one_sided"),
            (CLEO, "referral_reversal_one_sided"),
            (ADA, "referrals_count_wrong"),
        ],
    ),
    "somebody else was rewarded too": (doubled, [(DAN, "referral_reward_unsaid")]),
    "both were rewarded at another moment, as it says": (
        lambda one: say(one, at=one.world.clock() + timedelta(days=1)),
        [(ADA, WRONG), (BOB, WRONG)],
    ),
    "more is counted": (
        lambda one: count(one, ADA, Count(2, 1), Count(3, 1)),
        [(ADA, "referrals_count_wrong")],
    ),
    "less was taken back, as is counted": (
        lambda one: count(one, ADA, Count(2, 1), Count(2, 0)),
        [(ADA, "referrals_count_wrong")],
    ),
    "of somebody who brought nobody some are counted": (
        lambda one: count(one, DAN, None, Count(1, 0)),
        [(DAN, "referrals_count_wrong")],
    ),
}


def found(brought: Brought) -> list[tuple[str, str]]:
    """What the proof finds of referrals; what a missing entry does to its book is found by others."""
    findings = audit_table(brought.world.table, sleep=lambda _: None).findings
    return [(one.member_id, one.code) for one in findings if one.code.startswith("referral")]


def test_what_is_right_is_not_found_and_nothing_is_read_again(paid: Brought) -> None:
    with recorded(paid.world.table.client) as calls:
        assert paid.world.audit() == []
    assert calls.names == ["Scan"]


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(paid: Brought, planted: str) -> None:
    plant, expected = PLANTED[planted]
    plant(paid)
    assert sorted(found(paid)) == sorted(expected)


@pytest.mark.parametrize("merged", [False, True])
def test_rewards_that_were_kept_are_found_once_the_event_should_have_come(paid: Brought, *, merged: bool) -> None:
    if merged:
        paid.moves.merge(BOB, into=DAN)
    paid.world.refund("F-1", f"B-{BOB}", everything=True, member=BOB)
    assert paid.world.audit() == []
    paid.world.clock.advance(days=1, seconds=1)
    assert [(one.member_id, one.code) for one in paid.world.audit()] == [(BOB, "referral_reward_kept")]
    paid.reverse(BOB)
    assert paid.world.audit() == []


def test_what_is_given_back_in_part_may_be_rewarded_still(paid: Brought) -> None:
    paid.world.refund("F-1", f"B-{BOB}", "29", member=BOB)
    paid.world.clock.advance(days=2)
    assert paid.world.audit() == []


FORGOTTEN: dict[str, tuple[ReferralStatus, bool | None, bool]] = {
    "enrolled": (ReferralStatus.ENROLLED, None, True),
    "qualified": (ReferralStatus.QUALIFIED, None, True),
    "rewarded": (ReferralStatus.REWARDED, None, False),
    "revoked": (ReferralStatus.REWARDED, False, True),
    "approved before": (ReferralStatus.REWARDED, True, False),
    "rejected": (ReferralStatus.REJECTED, False, False),
}


@pytest.mark.parametrize("case", FORGOTTEN)
def test_what_nobody_will_look_at_again_is_found(paid: Brought, case: str) -> None:
    status, approved, expected = FORGOTTEN[case]
    paid.claim(DAN, ADA)
    before = paid.stored(BOB if status is ReferralStatus.REWARDED else DAN)
    decided = () if approved is None else (Decided(approved, "person:a", "because", paid.world.clock()),)
    after = replace(before, status=status, decisions=decided, due_at=paid.world.clock())
    write(paid, before, after)
    assert found(paid) == []
    asleep = replace(after, due_at=None, revision=after.revision + 1)
    write(paid, replace(after, revision=after.revision + 1), asleep)
    assert found(paid) == ([(before.member_id, "referral_forgotten")] if expected else [])


def test_one_that_waits_for_a_person_is_not_forgotten(paid: Brought) -> None:
    before = paid.claim(DAN, ADA)
    review = Screened(Verdict.REVIEW, 60, (), {}, 1, paid.world.clock())
    write(paid, before, replace(before, status=ReferralStatus.QUALIFIED, screened=review, due_at=None))
    assert found(paid) == []


def test_a_referral_that_is_paid_while_it_is_read_is_no_finding(paid: Brought) -> None:
    """The scan has passed Dan and his referrer before it is paid, and finds the rest after."""
    paid.bring(DAN, ADA)
    before = {key: raw for key, raw in paid.world.dump().items() if key[0] == partition("acme", DAN)}
    paid.pay(DAN)
    scan = paid.world.table.scan

    class Late(Table):
        def __init__(self) -> None:
            self.__dict__ |= paid.world.table.__dict__

        def scan(self) -> Any:
            first = [raw for raw in scan() if raw["pk"]["S"] != partition("acme", DAN)]
            self.scan = scan  # type: ignore[method-assign]
            yield from [*first, *before.values()]

    assert audit_table(Late(), sleep=lambda _: None).findings == []
