"""Both sides of a referral: rewarded together or not at all, once, and what they got is taken back together."""

from dataclasses import replace

import pytest

from loyalty.attribution.model import ReferralStatus, Source
from loyalty.attribution.store import referral_put
from loyalty.core.errors import MemberRestricted, RecordChanged
from loyalty.core.table import Table
from tests.ledgerkit.brought import EARNS, Brought, rewarding
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.interleaving import interrupted
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN
from tests.unit.referrals.paid import BUDGET, brought, spent

__all__ = ["brought"]


def test_both_are_rewarded_in_one_transaction(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    with recorded(brought.world.table.client) as calls:
        paid = brought.pay(BOB)
    assert calls.names == ["GetItem", "BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    assert paid == brought.stored(BOB)
    assert (paid.status, paid.due_at) == (ReferralStatus.REWARDED, None)
    rewarded = paid.rewarded
    assert rewarded is not None
    assert (rewarded.referrer, rewarded.member_id, rewarded.number) == (ADA, BOB, 1)
    assert (rewarded.points, rewarded.member_points) == (100, 40)
    assert brought.given(ADA, BOB) == [
        (ADA, f"accrual:referral:{BOB}", 100),
        (BOB, f"accrual:referral:{BOB}", 40),
    ]


def test_what_was_paid_is_told_again_and_nothing_is_written(brought: Brought) -> None:
    before = brought.bring(BOB, ADA)
    first = brought.pay(BOB)
    stored = brought.world.dump()
    assert brought.pay(BOB) == first
    assert brought.payer.pay(brought.program, before) == first  # as it was read before somebody else paid
    assert brought.world.dump() == stored


def test_a_referral_that_changed_since_it_was_read_is_not_paid(brought: Brought) -> None:
    before = brought.bring(BOB, ADA)
    after = replace(before, status=ReferralStatus.REJECTED)
    brought.world.table.write([referral_put(before, after)])
    stored = brought.world.dump()
    with pytest.raises(RecordChanged):
        brought.payer.pay(brought.program, before)
    assert brought.world.dump() == stored


def test_what_was_given_back_meanwhile_is_not_paid(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    guard = brought.guard(BOB)

    def refund() -> None:
        brought.world.refund("F-1", f"B-{BOB}", everything=True, member=BOB)

    with interrupted(brought.world.table.client, refund), pytest.raises(RecordChanged):
        brought.pay(BOB, guards=guard)
    assert brought.given(ADA, BOB) == []
    assert brought.stored(BOB).status is ReferralStatus.QUALIFIED


def test_two_who_pay_at_once_pay_once(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    with interrupted(brought.world.table.client, lambda: brought.pay(BOB)):
        paid = brought.pay(BOB)
    assert paid == brought.stored(BOB)
    assert [points for _, _, points in brought.given(ADA, BOB)] == [100, 40]


def test_rewards_are_numbered_and_rules_ask_for_the_number(table: Table) -> None:
    more = {**EARNS[0], "id": "many", "fixed_points": 1000, "when": "int(attributes.number) >= 2"}
    brought = Brought(table, of=rewarding(earns=[*EARNS, more]))
    brought.moves.enroll(ADA, BOB, CLEO, DAN)
    for friend in (BOB, CLEO, DAN):
        brought.bring(friend, ADA)
    assert [told.rewarded.number for friend in (BOB, CLEO) if (told := brought.pay(friend)).rewarded] == [1, 2]
    brought.reverse(CLEO)
    third = brought.pay(DAN).rewarded
    assert third is not None
    assert (third.number, third.points) == (2, 1100)  # what was taken back no longer counts
    assert brought.world.audit() == []


def test_two_of_one_referrer_at_once_have_two_numbers(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    brought.bring(CLEO, ADA)
    with interrupted(brought.world.table.client, lambda: brought.pay(CLEO)):
        paid = brought.pay(BOB).rewarded
    other = brought.stored(CLEO).rewarded
    assert paid is not None
    assert other is not None
    assert (other.number, paid.number) == (1, 2)


def test_another_of_the_referrer_is_taken_back_while_one_is_paid(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    brought.bring(CLEO, ADA)
    brought.pay(CLEO)
    with interrupted(brought.world.table.client, lambda: brought.reverse(CLEO)):
        paid = brought.pay(BOB).rewarded
    assert paid is not None
    assert paid.number == 1


def test_two_of_one_referrer_are_taken_back_at_once(brought: Brought) -> None:
    """The audit afterwards finds both of them counted."""
    for friend in (BOB, CLEO):
        brought.bring(friend, ADA)
        brought.pay(friend)
    with interrupted(brought.world.table.client, lambda: brought.reverse(CLEO)):
        brought.reverse(BOB)
    assert brought.moves.wallet(ADA).available == 0


def test_campaign_and_channel_are_asked_for_on_either_side(table: Table) -> None:
    asks = [{**rule, "when": 'attributes.campaign == "summer" && attributes.channel == "app"'} for rule in EARNS]
    brought = Brought(table, of=rewarding(earns=asks))
    brought.moves.enroll(ADA, BOB, CLEO)
    for friend, source in ((BOB, Source("summer", "app")), (CLEO, Source())):
        before = brought.bring(friend, ADA)
        brought.world.table.write([referral_put(before, replace(before, source=source))])
        brought.pay(friend)
    assert [points for _, _, points in brought.given(ADA, BOB, CLEO)] == [100, 0, 40, 0]


def test_without_a_rule_for_one_side_nobody_is_rewarded(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    silent = rewarding(earns=EARNS[:1], referrals=None)
    ended = brought.payer.pay(silent, brought.stored(BOB))
    assert ended == brought.stored(BOB)
    assert (ended.status, ended.ended_because) == (ReferralStatus.UNREWARDED, "no_rule")
    assert brought.given(ADA, BOB) == []
    assert brought.pay(BOB) == ended


def test_nobody_is_left_unrewarded_for_what_was_given_back_meanwhile(brought: Brought) -> None:
    """Another purchase may qualify yet, by when there are rules again."""
    brought.bring(BOB, ADA)
    guard = brought.guard(BOB)
    silent = rewarding(earns=EARNS[:1], referrals=None)

    def refund() -> None:
        brought.world.refund("F-1", f"B-{BOB}", everything=True, member=BOB)

    with interrupted(brought.world.table.client, refund), pytest.raises(RecordChanged):
        brought.payer.pay(silent, brought.stored(BOB), guards=guard)
    assert brought.stored(BOB).status is ReferralStatus.QUALIFIED


def test_the_day_on_which_it_qualified_decides_not_that_of_the_payment(table: Table) -> None:
    """The campaign is over when the return window is."""
    rules = [{**rule, "campaign": "spring"} for rule in EARNS]
    brought = Brought(table, of=rewarding(earns=rules, campaigns=[{**BUDGET, "ends_at": "2026-03-20T00:00"}]))
    brought.moves.enroll(ADA, BOB)
    brought.bring(BOB, ADA)
    brought.world.clock.advance(days=14)
    brought.pay(BOB)
    assert [points for _, _, points in brought.given(ADA, BOB)] == [100, 40]


def test_a_cap_that_leaves_nothing_to_one_side_leaves_the_other_its_own(table: Table) -> None:
    capped = [{**EARNS[0], "caps": [{"points": 150, "per": "ever"}]}, EARNS[1]]
    brought = Brought(table, of=rewarding(earns=capped))
    brought.moves.enroll(ADA, BOB, CLEO, DAN)
    for friend in (BOB, CLEO, DAN):
        brought.bring(friend, ADA)
        brought.pay(friend)
    assert [points for _, _, points in brought.given(ADA, BOB, CLEO, DAN)] == [100, 50, 0, 40, 40, 40]
    brought.reverse(BOB)
    assert brought.world.audit() == []


@pytest.mark.parametrize("budget", [100_000, 16 * 140, 2_240 + 100, 180, 100])
def test_one_budget_for_both_sides_is_counted_once_for_each(table: Table, budget: int) -> None:
    """Both look at the same shard, and at all of them where that has too little."""
    campaign = [{**BUDGET, "budget_points": budget}]
    rules = [{**rule, "campaign": "spring"} for rule in EARNS]
    brought = Brought(table, of=rewarding(earns=rules, campaigns=campaign))
    brought.moves.enroll(ADA, BOB, CLEO)
    left = budget
    for friend in (BOB, CLEO):
        brought.bring(friend, ADA)
        given = brought.pay(friend).rewarded
        assert given is not None
        assert given.points == min(100, left)
        assert given.member_points == min(40, left - given.points)
        left -= given.points + given.member_points
        assert spent(brought) == budget - left
    brought.reverse(BOB)
    brought.reverse(CLEO)
    assert spent(brought) == 0
    assert brought.world.audit() == []


@pytest.mark.parametrize("who", [ADA, BOB])
def test_while_the_data_of_one_is_restricted_the_reward_waits(brought: Brought, who: str) -> None:
    brought.bring(BOB, ADA)
    brought.restrict(who)
    stored = brought.world.dump()
    with pytest.raises(MemberRestricted):
        brought.pay(BOB)
    assert brought.world.dump() == stored
    brought.restrict(who, lifted=True)
    with interrupted(brought.world.table.client, lambda: brought.restrict(who)), pytest.raises(MemberRestricted):
        brought.pay(BOB)
    brought.restrict(who, lifted=True)
    brought.pay(BOB)
    brought.restrict(who)
    assert brought.reverse(BOB).status is ReferralStatus.REVERSED
    brought.restrict(who, lifted=True)


def test_rules_of_referrals_have_no_rates() -> None:
    """There is no amount that they could be of: each payment would be refused."""
    by_amount = {"id": "share", "activity": "referred", "rates": [{"points": 1, "per": "1", "currency": "EUR"}]}
    with pytest.raises(ValueError, match="'share' has rates, and 'referred' has no amount; use fixed_points"):
        rewarding(earns=[EARNS[0], by_amount])


def test_what_fell_due_is_written_with_it(brought: Brought) -> None:
    brought.bring(BOB, ADA)
    brought.world.clock.advance(days=500)
    brought.pay(BOB)
    assert brought.moves.wallet(ADA).available == 100
