"""What both sides of a referral got is taken back together; and what a merge or an erasure does to paying and taking back."""

import pytest

from loyalty.attribution.model import ReferralStatus
from loyalty.core.table import Table
from loyalty.ledger.model import Wallet
from tests.ledgerkit.brought import EARNS, Brought, rewarding
from tests.ledgerkit.interleaving import interrupted, torn
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN
from tests.unit.referrals.paid import BUDGET, brought, spent

__all__ = ["brought"]


class TestReversal:
    def test_both_give_back_what_they_got(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        taken = brought.reverse(BOB)
        assert taken == brought.stored(BOB)
        assert (taken.status, taken.ended_because) == (ReferralStatus.REVERSED, "return")
        assert [points for _, _, points in brought.given(ADA, BOB)] == [100, -100, 40, -40]
        assert (brought.moves.wallet(ADA).available, brought.moves.wallet(BOB).available) == (0, 30)
        stored = brought.world.dump()
        assert brought.reverse(BOB) == taken
        assert brought.pay(BOB) == taken
        assert brought.world.dump() == stored

    def test_what_was_never_rewarded_is_not_taken_back(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        with pytest.raises(AssertionError):
            brought.reverse(BOB)

    def test_two_who_take_back_at_once_do_so_once(self, brought: Brought) -> None:
        before = brought.bring(BOB, ADA)
        brought.pay(BOB)
        paid = brought.stored(BOB)

        def other() -> None:
            brought.world.clock.advance(seconds=1)
            brought.payer.reverse(brought.program, paid)

        with interrupted(brought.world.table.client, other):
            assert brought.payer.reverse(brought.program, paid).status is ReferralStatus.REVERSED
        assert [points for _, _, points in brought.given(ADA, BOB)] == [100, -100, 40, -40]
        assert before.revision + 2 == brought.stored(BOB).revision

    def test_a_payment_that_is_visible_in_part_is_taken_back_all_the_same(self, brought: Brought) -> None:
        """Whoever reads item by item may find the referral rewarded, and not counted yet."""
        brought.bring(BOB, ADA)
        older = brought.world.dump()
        brought.pay(BOB)
        with torn(brought.world.table, older, {"REFERRALS"}, reads=2):
            assert brought.reverse(BOB).status is ReferralStatus.REVERSED
        assert [points for _, _, points in brought.given(ADA, BOB)] == [100, -100, 40, -40]

    @pytest.mark.parametrize(
        ("policy", "left"),
        [
            ("allow_negative", (Wallet(available=-100), Wallet(available=-10))),
            ("clamp_with_debt", (Wallet(debt=100), Wallet(debt=10))),
            ("refuse", (Wallet(debt=100), Wallet(debt=10))),
        ],
    )
    def test_no_policy_refuses_it(self, table: Table, policy: str, left: tuple[Wallet, Wallet]) -> None:
        """Ada has spent all, Bob 60 of his 30 + 40."""
        brought = Brought(table, of=rewarding(reversal=policy))
        brought.moves.enroll(ADA, BOB)
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        for member, reward, times in ((ADA, "ten", 10), (BOB, "ten", 4)):
            held = brought.world.hold(f"h-{member}", reward, times, member=member)[0].redemption_id
            brought.world.capture(held, member=member)
        brought.reverse(BOB)
        bob = brought.moves.wallet(BOB)
        assert brought.moves.wallet(ADA) == left[0]
        assert bob.available - bob.debt == -10
        assert brought.world.audit() == []

    def test_what_expired_is_not_taken_twice(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        brought.world.clock.advance(days=500)
        brought.reverse(BOB)
        assert [brought.moves.wallet(one) for one in (ADA, BOB)] == [Wallet(), Wallet()]


class TestMerged:
    def test_who_was_merged_is_rewarded_as_who_they_are_now(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.moves.merge(ADA, into=CLEO)
        brought.moves.merge(BOB, into=DAN)
        rewarded = brought.pay(BOB).rewarded
        assert rewarded is not None
        assert (rewarded.referrer, rewarded.member_id) == (CLEO, DAN)
        assert [(who, points) for who, _, points in brought.given(ADA, BOB, CLEO, DAN)] == [(CLEO, 100), (DAN, 40)]
        brought.reverse(BOB)
        assert brought.moves.wallet(CLEO).available == 0

    def test_who_was_merged_twice_is_rewarded_as_the_last(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.moves.merge(ADA, into=CLEO)
        brought.moves.merge(CLEO, into=DAN)
        brought.pay(BOB)
        assert [(who, points) for who, _, points in brought.given(ADA, CLEO, DAN, BOB)] == [(DAN, 100), (BOB, 40)]
        brought.reverse(BOB)
        assert brought.moves.wallet(DAN).available == 0

    def test_both_are_one_member_now(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.moves.merge(BOB, into=ADA)
        ended = brought.pay(BOB)
        assert ended == brought.stored(BOB)
        assert (ended.status, ended.ended_because) == (ReferralStatus.UNREWARDED, "same_member")
        assert brought.given(ADA, BOB) == []

    @pytest.mark.parametrize(("gone", "into"), [(BOB, ADA), (ADA, BOB)])
    def test_they_become_one_while_they_are_paid(self, brought: Brought, gone: str, into: str) -> None:
        brought.bring(BOB, ADA)
        with interrupted(brought.world.table.client, lambda: brought.moves.merge(gone, into=into)):
            assert brought.pay(BOB).ended_because == "same_member"
        assert brought.given(ADA, BOB) == []

    @pytest.mark.parametrize(("gone", "into"), [(BOB, ADA), (ADA, BOB)])
    def test_who_became_one_gives_back_both(self, brought: Brought, gone: str, into: str) -> None:
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        brought.moves.merge(gone, into=into)
        assert brought.moves.wallet(into).available == 170
        assert brought.reverse(BOB).status is ReferralStatus.REVERSED
        assert sorted(brought.given(into)[-2:]) == [
            (into, f"reversal:referral:{BOB}/referral", -100),
            (into, f"reversal:referral:{BOB}/referred", -40),
        ]
        assert brought.moves.wallet(into).available == 30

    def test_they_become_one_while_it_is_taken_back(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        with interrupted(brought.world.table.client, lambda: brought.moves.merge(BOB, into=ADA)):
            brought.reverse(BOB)
        assert brought.moves.wallet(ADA).available == 30

    def test_who_became_one_gives_back_what_expired_since_once(self, brought: Brought) -> None:
        """Both parts of what expired are told by one record of the survivor's."""
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        brought.moves.merge(BOB, into=ADA)
        brought.world.clock.advance(days=500)
        brought.reverse(BOB)
        assert brought.moves.wallet(ADA) == Wallet()

    def test_who_became_one_gives_back_to_one_budget(self, table: Table) -> None:
        campaign = [{**BUDGET, "budget_points": 1_000}]
        rules = [{**rule, "campaign": "spring", "caps": [{"points": 120, "per": "ever"}]} for rule in EARNS]
        brought = Brought(table, of=rewarding(earns=rules, campaigns=campaign))
        brought.moves.enroll(ADA, BOB)
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        brought.moves.merge(BOB, into=ADA)
        brought.reverse(BOB)
        assert spent(brought) == 0
        assert brought.world.audit() == []

    def test_referrals_of_whom_the_referrer_absorbed_count(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        brought.bring(DAN, CLEO)
        with interrupted(brought.world.table.client, lambda: brought.moves.merge(ADA, into=CLEO)):
            rewarded = brought.pay(DAN).rewarded
        assert rewarded is not None
        assert rewarded.number == 2

    def test_one_of_an_absorbed_member_is_taken_back_while_another_is_numbered(self, brought: Brought) -> None:
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        brought.moves.merge(ADA, into=CLEO)
        brought.bring(DAN, CLEO)
        with interrupted(brought.world.table.client, lambda: brought.reverse(BOB)):
            rewarded = brought.pay(DAN).rewarded
        assert rewarded is not None
        assert rewarded.number == 1


class TestErased:
    @pytest.mark.parametrize("who", [ADA, BOB])
    def test_where_one_side_is_erased_nobody_is_rewarded(self, brought: Brought, who: str) -> None:
        brought.bring(BOB, ADA)
        brought.erase(who)
        ended = brought.pay(BOB)
        assert (ended.status, ended.ended_because) == (ReferralStatus.UNREWARDED, "member_erased")
        assert brought.given(ADA, BOB) == []

    @pytest.mark.parametrize("who", [ADA, BOB])
    def test_one_is_erased_while_they_are_paid(self, brought: Brought, who: str) -> None:
        brought.bring(BOB, ADA)
        with interrupted(brought.world.table.client, lambda: brought.erase(who)):
            assert brought.pay(BOB).ended_because == "member_erased"
        assert brought.given(ADA, BOB) == []

    @pytest.mark.parametrize("who", [ADA, BOB])
    def test_what_is_left_is_taken_back_after_an_erasure(self, brought: Brought, who: str) -> None:
        brought.bring(BOB, ADA)
        brought.pay(BOB)
        brought.erase(who)
        brought.reverse(BOB)
        assert [points for _, _, points in brought.given(ADA, BOB)] == [100, -100, 40, -40]
        assert brought.moves.wallet(who) == Wallet()
