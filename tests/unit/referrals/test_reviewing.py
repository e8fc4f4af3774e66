"""Decisions over the real ledger: what is paid, what is taken back, who did it, and what happens at once."""

from dataclasses import replace

import pytest

from loyalty.attribution.model import ReferralStatus, Verdict
from loyalty.attribution.store import ReferralStore, referral_put
from loyalty.core.errors import SecondPersonRequired, WalletBusy
from loyalty.core.table import Table
from loyalty.referrals.errors import ReferralNotFound, ReferralNotInReview
from loyalty.referrals.reviewing import ReviewService
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO
from tests.unit.referrals.reviewed import ANN, BEN, CARA, REJECT, Reviewed

STATUS = ReferralStatus


@pytest.fixture
def reviewed(table: Table) -> Reviewed:
    return Reviewed(table)


def test_approved_it_is_paid_once(reviewed: Reviewed) -> None:
    assert reviewed.come().waits
    assert reviewed.queue() == [BOB]
    assert reviewed.wake().steps == []
    reviewed.reviews.approve(reviewed.program, BOB, ANN, "same_household")
    assert (reviewed.queue(), reviewed.balances()) == ([], (0, 0))
    for _ in range(2):
        assert reviewed.wake().after.status is STATUS.REWARDED
        reviewed.reviews.approve(reviewed.program, BOB, ANN, "same_household")
    assert reviewed.balances() == (100, 40)
    assert reviewed.lines() == [("referral.approved", "person:ann")]
    assert reviewed.world.audit() == []


def test_rejected_nobody_is_paid(reviewed: Reviewed) -> None:
    reviewed.come()
    reviewed.reviews.reject(reviewed.program, BOB, ANN, "same_person")
    reviewed.wake()
    assert (reviewed.stored().status, reviewed.queue(), reviewed.balances()) == (STATUS.REJECTED, [], (0, 0))
    with pytest.raises(ReferralNotInReview):
        reviewed.reviews.approve(reviewed.program, BOB, BEN, "mistake")
    assert reviewed.lines() == [("referral.rejected", "person:ann")]


@pytest.mark.parametrize("rejected_by", ["score", "person"])
def test_an_appeal_that_is_granted_is_paid(reviewed: Reviewed, rejected_by: str) -> None:
    reviewed.come(features=REJECT if rejected_by == "score" else None)
    if rejected_by == "person":
        reviewed.reviews.reject(reviewed.program, BOB, ANN, "same_person")
    assert reviewed.stored().status is STATUS.REJECTED
    reviewed.clock.advance(days=2)
    assert reviewed.reviews.appeal("acme", BOB, "member_complained", "app")[1]
    assert reviewed.queue() == [BOB]
    assert reviewed.wake().steps == []
    if rejected_by == "person":
        with pytest.raises(SecondPersonRequired):
            reviewed.reviews.approve(reviewed.program, BOB, ANN, "mistake")
    with pytest.raises(SecondPersonRequired):
        reviewed.reviews.approve(reviewed.program, BOB, CARA, "mistake")
    reviewed.reviews.approve(reviewed.program, BOB, BEN, "mistake")
    assert reviewed.wake().after.status is STATUS.REWARDED
    assert reviewed.balances() == (100, 40)
    assert [action for action, _ in reviewed.lines()][-2:] == ["referral.appealed", "referral.approved"]
    assert dict(reviewed.lines())["referral.appealed"] == "client:app"


def test_an_appeal_after_the_deadline_is_paid_too(reviewed: Reviewed) -> None:
    """The purchase was in time; only people were late."""
    reviewed.come(features=REJECT)
    reviewed.clock.advance(days=29)
    reviewed.reviews.appeal("acme", BOB, "member_complained", "app")
    reviewed.clock.advance(days=40)
    reviewed.reviews.approve(reviewed.program, BOB, BEN, "mistake")
    assert reviewed.wake().after.status is STATUS.REWARDED
    assert reviewed.balances() == (100, 40)


def test_revoked_both_give_it_back_and_it_looks_like_a_return(reviewed: Reviewed) -> None:
    assert reviewed.come(features={}).status is STATUS.REWARDED
    reviewed.reviews.revoke(reviewed.program, BOB, ANN, "bought_account")
    woken = reviewed.wake()
    assert (woken.after.status, woken.after.ended_because) == (STATUS.REVERSED, "decision")
    assert reviewed.balances() == (0, 0)
    reversals = [one for one in reviewed.brought.rewards(ADA, BOB) if one.entry_id.startswith("reversal:")]
    assert [one.facts.reason for one in reversals] == ["return", "return"]
    before = reviewed.world.dump()
    assert reviewed.wake().steps == []
    reviewed.reviews.revoke(reviewed.program, BOB, ANN, "bought_account")
    assert reviewed.world.dump() == before
    assert reviewed.world.audit() == []


def test_given_back_while_it_waits_it_leaves_the_queue_and_cannot_be_approved(reviewed: Reviewed) -> None:
    reviewed.come()
    reviewed.world.refund("F-1", f"B-{BOB}", everything=True, member=BOB)
    reviewed.wake()
    assert reviewed.queue() == []
    with pytest.raises(ReferralNotInReview):
        reviewed.reviews.approve(reviewed.program, BOB, ANN, "fine")


def test_given_back_after_the_approval_nothing_is_paid(reviewed: Reviewed) -> None:
    reviewed.come()
    reviewed.reviews.approve(reviewed.program, BOB, ANN, "fine")
    reviewed.world.refund("F-1", f"B-{BOB}", everything=True, member=BOB)
    assert reviewed.wake().after.status is STATUS.ENROLLED
    assert reviewed.balances() == (0, 0)


def test_two_people_where_the_program_wants_it(table: Table) -> None:
    reviewed = Reviewed(table, four_eyes={"referrals": True})
    since = reviewed.come().updated_at
    reviewed.clock.advance(days=1)
    asked_for = reviewed.reviews.approve(reviewed.program, BOB, ANN, "fine")
    assert (asked_for.waits, reviewed.queue(), reviewed.wake().steps) == (True, [BOB], [])
    assert reviewed.stored().updated_at == since  # its place in the list
    reviewed.reviews.approve(reviewed.program, BOB, BEN, "fine")
    assert reviewed.wake().after.status is STATUS.REWARDED
    reviewed.reviews.revoke(reviewed.program, BOB, ANN, "fraud")
    assert reviewed.wake().after.status is STATUS.REWARDED
    reviewed.reviews.revoke(reviewed.program, BOB, BEN, "fraud")
    assert reviewed.wake().after.status is STATUS.REVERSED
    assert [action for action, _ in reviewed.lines()] == [
        "referral.approval_proposed", "referral.approved", "referral.revocation_proposed", "referral.revoked",
    ]  # fmt: skip


def test_who_has_waited_longest_is_first_and_pages_follow(reviewed: Reviewed) -> None:
    reviewed.come(CLEO)
    reviewed.come(BOB)
    page = reviewed.reviews.page("acme", limit=1)
    assert [one.member_id for one in page.items] == [CLEO]
    rest = reviewed.reviews.page("acme", limit=1, after=page.next)
    assert [one.member_id for one in rest.items] == [BOB]


def test_of_two_who_decide_at_once_one_decides(reviewed: Reviewed) -> None:
    """Another's decision is written between the read and the write of the first."""
    reviewed.come()
    table, other = reviewed.world.table, reviewed.reviews

    class Slow(ReviewService):
        raced = False

        def _written(self, *args: object) -> object:  # type: ignore[override]
            if not self.raced:
                self.raced = True
                other.reject(reviewed.program, BOB, BEN, "same_person")
            return super()._written(*args)  # type: ignore[arg-type]

    slow = Slow(table, reviewed.clock, sleep=lambda _: None)
    with pytest.raises(ReferralNotInReview):
        slow.approve(reviewed.program, BOB, ANN, "fine")
    assert reviewed.stored().verdict is Verdict.REJECT
    assert reviewed.lines() == [("referral.rejected", "person:ben")]


def test_who_always_comes_second_is_told_to_try_again(reviewed: Reviewed) -> None:
    reviewed.come()
    store = ReferralStore(reviewed.world.table)

    class Raced(ReviewService):
        def _written(self, *args: object) -> object:  # type: ignore[override]
            before = store.get("acme", BOB)
            assert before is not None
            store.table.write([referral_put(before, replace(before, reminded=before.reminded))])
            return super()._written(*args)  # type: ignore[arg-type]

    with pytest.raises(WalletBusy):
        Raced(store.table, reviewed.clock, sleep=lambda _: None).approve(reviewed.program, BOB, ANN, "fine")
    assert reviewed.lines() == []


def test_a_decision_and_its_line_are_one_transaction(reviewed: Reviewed) -> None:
    reviewed.come()
    with recorded(reviewed.world.table.client) as calls:
        reviewed.reviews.approve(reviewed.program, BOB, ANN, "fine")
    assert calls.names == ["GetItem", "TransactWriteItems"]


def test_the_score_comes_out_the_same_when_it_is_computed_again(reviewed: Reviewed) -> None:
    referral = reviewed.come()
    assert reviewed.reviews.reproduced(referral) is True
    document = reviewed.program.document.model_dump(mode="json", exclude_unset=True)
    document["referrals"]["screening"] = {"weights": {"same_device": 10}}
    reviewed.programs.publish(type(reviewed.program.document).model_validate(document), expected_version=1, actor="t")
    reviewed.clock.advance(minutes=5)
    # By the version of then, whatever is in force.
    assert reviewed.reviews.reproduced(reviewed.stored()) is True
    screened = referral.screened
    assert screened is not None
    for other in (
        replace(screened, score=61),
        replace(screened, verdict=Verdict.ACCEPT),
        replace(screened, features={"same_device": 0}),
        replace(screened, program_version=2),
        replace(screened, evidence=()),
    ):
        assert reviewed.reviews.reproduced(replace(referral, screened=other)) is False
    assert reviewed.reviews.reproduced(replace(referral, screened=None)) is None


def test_who_was_brought_by_nobody_is_not_found(reviewed: Reviewed) -> None:
    with pytest.raises(ReferralNotFound):
        reviewed.reviews.get("acme", ADA)
    with pytest.raises(ReferralNotFound):
        reviewed.reviews.appeal("acme", ADA, "member_complained", "app")
