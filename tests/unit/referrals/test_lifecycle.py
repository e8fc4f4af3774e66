"""A referral's life over the ledger: what wakes it, in whatever order, and what it costs. Pure steps: test_steps.py."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty.attribution.model import Decided, ReferralStatus, Signal, Verdict
from loyalty.attribution.store import ReferralStore, claim_puts, reviews_shard
from loyalty.core.errors import MemberRestricted, WalletBusy
from loyalty.core.table import Table
from loyalty.ledger.keys import partition
from loyalty.referrals.events import Happening, What
from loyalty.referrals.lifecycle import RESTRICTED
from loyalty.referrals.steps import LATE
from loyalty_contract import MEMBER_SK
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.waking import ADA, FRIEND, Brought, with_referrals

STATUS = ReferralStatus


@pytest.fixture
def brought(table: Table) -> Brought:
    return Brought(table)


def test_from_the_claim_to_the_reward(brought: Brought) -> None:
    assert brought.wake().after.status is STATUS.ENROLLED
    assert (brought.referral.counted, brought.screener.asked) == (True, 1)
    brought.later(days=1)
    brought.buys("R-1")
    assert list(brought.wake().passed) == [STATUS.QUALIFIED]
    assert brought.run()[0].members == 0
    brought.later(days=14)
    sweep, (woken,) = brought.run()
    assert (sweep.members, list(woken.passed)) == (1, [STATUS.REWARDED])
    assert (brought.referral.status, brought.referral.due_at) == (STATUS.REWARDED, None)
    assert (brought.payer.paid, brought.screener.counted, brought.screener.asked) == (1, 1, 2)
    assert brought.run()[0].members == 0


def test_all_of_it_at_once_where_nothing_is_waited_for(table: Table) -> None:
    brought = Brought(table, of=with_referrals(qualifying={"return_days": 0}))
    brought.buys("R-1")
    assert list(brought.wake().passed) == [STATUS.QUALIFIED, STATUS.REWARDED]
    brought.returns("R-1")
    assert list(brought.wake().passed) == [STATUS.REVERSED]
    assert (brought.payer.paid, brought.payer.taken_back) == (1, 1)
    assert brought.wake().steps == []


def test_waking_it_again_changes_nothing(brought: Brought) -> None:
    brought.buys("R-1")
    brought.wake()
    before = brought.world.dump()
    for _ in range(3):
        assert brought.wake().steps == []
    assert brought.world.dump() == before


def test_given_back_in_part_it_counts_while_enough_is_left(brought: Brought) -> None:
    brought.buys("R-1", "25.00")
    brought.wake()
    brought.returns("R-1", "5.00")
    assert brought.wake().after.status is STATUS.QUALIFIED
    brought.returns("R-1", "0.01", name="-2")
    assert brought.wake().after.status is STATUS.ENROLLED
    brought.later(days=14)
    assert brought.run()[1] == []
    assert brought.payer.paid == 0


def test_another_purchase_takes_the_place_of_one_that_was_given_back(brought: Brought) -> None:
    brought.buys("R-1")
    brought.later(days=2)
    brought.buys("R-2")
    brought.wake()
    brought.returns("R-1")
    qualified = brought.wake().after.qualified
    assert qualified is not None
    assert (qualified.entry_id, qualified.pays_at) == ("accrual:pos:R-2", brought.clock() + timedelta(days=14))


def test_a_purchase_is_looked_for_behind_pages_of_others(brought: Brought) -> None:
    brought.buys("R-first")
    for number in range(60):
        brought.buys(f"R-{number}", "1.00")
    assert brought.wake().after.qualified.entry_id == "accrual:pos:R-first"  # type: ignore[union-attr]


def test_what_nobody_told_of_is_found_at_the_deadline(brought: Brought) -> None:
    """Every event lies among the dead letters: the clock finds the purchase."""
    brought.wake()
    brought.later(days=29)
    brought.buys("R-1")
    brought.later(days=1)
    assert list(brought.run()[1][0].passed) == [STATUS.QUALIFIED]


def test_a_purchase_that_becomes_known_after_the_deadline_still_counts(brought: Brought) -> None:
    made_at = brought.clock() + timedelta(days=29)
    brought.later(days=30)
    assert list(brought.run()[1][0].passed) == [STATUS.EXPIRED]
    brought.later(days=13)
    brought.buys("R-1", at=made_at)
    assert list(brought.wake().passed) == [STATUS.QUALIFIED]


def test_after_that_it_does_not_and_costs_one_read(brought: Brought) -> None:
    made_at = brought.clock() + timedelta(days=29)
    brought.later(days=30)
    brought.run()
    brought.clock.advance(days=LATE.days)
    assert brought.run()[0].members == 1
    assert brought.run()[0].members == 0
    brought.buys("R-1", at=made_at)
    with recorded(brought.table.client) as calls:
        assert brought.wake().after.status is STATUS.EXPIRED
    assert len(calls.names) == 1


def test_reminders_come_once_each(brought: Brought) -> None:
    brought.wake()
    seen = []
    for _ in range(31):
        brought.run()
        seen.append((brought.referral.reminded, brought.referral.status))
        brought.later(days=1)
    assert [seen.index((count, STATUS.ENROLLED)) for count in (1, 2)] == [23, 29]
    assert seen.index((2, STATUS.EXPIRED)) == 30


def test_it_waits_for_a_person_and_goes_on_when_they_have_decided(brought: Brought) -> None:
    brought.buys("R-1")
    brought.wake()
    brought.later(days=14)
    brought.screener.verdict = Verdict.REVIEW
    (woken,) = brought.run()[1]
    assert (woken.waits, woken.after.status) == (True, STATUS.QUALIFIED)
    assert [raw["pk"]["S"] for raw in brought.table.due(reviews_shard("acme"), "3", limit=9)] == ["M#acme#mbr_friend"]
    assert brought.run()[1] == []
    assert not brought.wake().waits
    approved = Decided(approved=True, actor="staff-1", reason="known", at=brought.clock())
    brought.decide(replace(brought.referral, decisions=(approved,), due_at=brought.clock()))
    assert list(brought.run()[1][0].passed) == [STATUS.REWARDED]


@pytest.mark.parametrize("bought_at_once", [False, True])
def test_what_was_seen_when_they_came_is_known_at_the_payment(table: Table, *, bought_at_once: bool) -> None:
    """Ada's telephone is the friend's, and two weeks later it is Ada's no more; also where the purchase was faster than we."""
    brought = Brought(table, likenesses={"device": "d1"})
    ada = {"pk": {"S": partition("acme", ADA)}, "sk": {"S": MEMBER_SK}}
    table.client.put_item(TableName=table.name, Item=ada | {"likenesses": {"M": {"device": {"S": "d1"}}}})
    if not bought_at_once:
        brought.wake()
    brought.buys("R-1")
    brought.wake()
    assert brought.referral.verdict is None, "nothing waits before the return window is over"
    table.client.put_item(TableName=table.name, Item=ada)
    brought.later(days=14)
    (woken,) = brought.run()[1]
    assert (woken.waits, brought.payer.paid) == (True, 0)
    screened = brought.referral.screened
    assert screened is not None
    assert [(one.signal, one.members) for one in screened.evidence] == [(Signal.SAME_DEVICE, (ADA,))]
    assert (screened.score, brought.referral.looked) == (60, None)


def test_one_that_is_rejected_rests_until_the_deadline(brought: Brought) -> None:
    brought.buys("R-1")
    brought.wake()
    brought.later(days=14)
    brought.screener.verdict = Verdict.REJECT
    assert list(brought.run()[1][0].passed) == [STATUS.REJECTED]
    brought.later(days=16)
    assert brought.run()[0].members == 1
    assert (brought.referral.due_at, brought.payer.paid) == (None, 0)
    assert brought.run()[0].members == 0


def test_the_terms_are_those_of_the_day_of_the_claim(brought: Brought) -> None:
    brought.later(hours=1)
    harder = with_referrals(2, qualifying={"minimum": [{"value": "1000.00", "currency": "EUR"}], "return_days": 100})
    brought.programs.publish(harder.document, expected_version=1, actor="test")
    brought.later(hours=1)
    brought.buys("R-1")
    qualified = brought.wake().after.qualified
    assert qualified is not None
    assert qualified.pays_at == brought.clock() + timedelta(days=14)


def test_a_refund_that_races_with_the_payment_is_not_paid_for(brought: Brought) -> None:
    """Decided to pay, and the purchase is given back before that is written."""
    brought.buys("R-1")
    brought.wake()
    brought.later(days=14)

    def once() -> None:
        brought.payer.before_writing = lambda: None
        brought.returns("R-1")

    brought.payer.before_writing = once
    woken = brought.wake()
    assert (woken.after.status, brought.payer.paid) == (STATUS.ENROLLED, 0)


def test_a_reward_is_kept_for_somebody_whose_data_may_not_be_used(brought: Brought) -> None:
    brought.buys("R-1")
    brought.wake()
    brought.later(days=14)

    def refuse() -> None:
        raise MemberRestricted.of(FRIEND)

    brought.payer.before_writing = refuse
    assert brought.run()[0].failures == []
    assert brought.referral.due_at == brought.clock() + RESTRICTED
    assert brought.run()[1] == []
    brought.payer.before_writing = lambda: None
    brought.clock.advance(days=RESTRICTED.days)
    assert list(brought.run()[1][0].passed) == [STATUS.REWARDED]


def test_two_at_once_pay_once(brought: Brought) -> None:
    brought.buys("R-1")
    brought.wake()
    brought.later(days=14)

    def once() -> None:
        brought.payer.before_writing = lambda: None
        brought.wake()

    brought.payer.before_writing = once
    assert brought.wake().after.status is STATUS.REWARDED
    assert brought.payer.paid == 1


def test_who_is_always_overtaken_gives_up_by_name(brought: Brought) -> None:
    brought.buys("R-1")
    brought.wake()
    brought.later(days=14)
    brought.payer.before_writing = lambda: brought.decide(brought.referral)
    with pytest.raises(WalletBusy):
        brought.wake()
    (failure,) = brought.run()[0].failures
    assert (failure.where, failure.error) == ("M#acme#mbr_friend", "wallet_busy")


def test_somebody_nobody_brought_costs_one_read(brought: Brought) -> None:
    with recorded(brought.table.client) as calls:
        assert brought.lifecycle.woken("acme", ADA) is None
    assert len(calls.names) == 1
    with recorded(brought.table.client) as calls:
        assert brought.lifecycle.told(Happening("acme", ADA, What.REVERSAL)) == []
    assert len(calls.names) == 1


def test_a_purchase_of_one_who_was_rewarded_costs_one_read(table: Table) -> None:
    brought = Brought(table, of=with_referrals(qualifying={"return_days": 0}))
    brought.buys("R-1")
    brought.wake()
    with recorded(brought.table.client) as calls:
        brought.lifecycle.told(Happening("acme", FRIEND, What.PURCHASE))
    assert len(calls.names) == 1


def test_what_a_purchase_costs(brought: Brought) -> None:
    """As docs/referrals.md says it, of a referral that was counted and looked at when it was new."""
    brought.wake()
    brought.buys("R-1", "1.00")
    with recorded(brought.table.client) as small:
        brought.wake()
    assert small.names == ["GetItem", "BatchGetItem", "Query"]
    brought.buys("R-2")
    with recorded(brought.table.client) as counts:
        brought.wake()
    assert counts.names == [*small.names, "BatchGetItem", "TransactWriteItems"]
    with recorded(brought.table.client) as waits:
        brought.wake()
    assert waits.names == ["GetItem", "BatchGetItem"]


def test_who_was_merged_is_rewarded_for_what_they_bought_before(brought: Brought) -> None:
    brought.buys("R-1")
    brought.world.enroll("mbr_other")
    brought.merge(FRIEND, "mbr_other")
    brought.later(days=14)
    assert list(brought.wake().passed) == [STATUS.QUALIFIED, STATUS.REWARDED]
    rewarded = brought.referral.rewarded
    assert rewarded is not None
    assert rewarded.member_id == "mbr_other"
    brought.returns("R-1", member="mbr_other")
    (woken,) = brought.lifecycle.told(Happening("acme", "mbr_other", What.REVERSAL))
    assert woken.after.status is STATUS.REVERSED


def test_what_whom_they_were_merged_into_buys_does_not_count(brought: Brought) -> None:
    brought.world.enroll("mbr_other")
    brought.merge(FRIEND, "mbr_other")
    brought.buys("R-1", member="mbr_other")
    woken = brought.wake()
    assert (woken.after.status, woken.after.ended_because) == (STATUS.UNREWARDED, "member_merged")


def test_a_reward_that_a_person_revokes_is_taken_back_by_the_clock(table: Table) -> None:
    """What was bought is still there: nothing but the decision speaks against it."""
    brought = Brought(table, of=with_referrals(qualifying={"return_days": 0}))
    brought.buys("R-1")
    brought.wake()
    now = brought.clock()
    brought.decide(replace(brought.referral, decisions=(Decided(False, "person:a", "fraud", now),), due_at=now))
    _, (woken,) = brought.run()
    assert list(woken.passed) == [STATUS.REVERSED]
    assert brought.payer.reason == "decision"


def test_what_one_of_a_family_fails_at_keeps_nothing_from_being_taken_back_of_another(table: Table) -> None:
    """Who bought was merged into somebody whose own referral cannot be paid."""
    brought = Brought(table, of=with_referrals(qualifying={"return_days": 0}))
    brought.buys("R-1")
    brought.wake()
    brought.world.enroll("mbr_other")
    brought.table.write(list(claim_puts(replace(brought.claim(), member_id="mbr_other")).values()))
    brought.buys("R-2", member="mbr_other")
    brought.merge(FRIEND, "mbr_other")

    def fail() -> None:
        raise WalletBusy("busy")

    brought.payer.before_writing = fail
    brought.returns("R-1")
    with pytest.raises(WalletBusy):
        brought.lifecycle.told(Happening("acme", "mbr_other", What.REVERSAL))
    assert (brought.referral.status, brought.payer.taken_back) == (STATUS.REVERSED, 1)


def test_of_a_program_that_had_no_referrals_nothing_happens(brought: Brought) -> None:
    store = ReferralStore(brought.table)
    store.replace(brought.referral, replace(brought.referral, deadline=None, due_at=None))
    brought.buys("R-1")
    assert brought.wake().steps == []
