import json
from datetime import timedelta
from typing import Any

import pytest

from loyalty.commerce.inbound import parse
from loyalty.commerce.service import PROGRAM_UNKNOWN, Outcome, final
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    EntryNotFound,
    LoyaltyError,
    MemberNotFound,
    Rejected,
    WalletBusy,
)
from loyalty.core.table import TransactionRefused
from loyalty.members.directory import Match
from tests.unit.commerce.shopify_samples import ORDER, REFUND, envelope
from tests.unit.commerce.test_inbound import ACTIVITY, MEMBER, event
from tests.unit.commerce.world import PROGRAM, Commerce

EMAIL, CUSTOMER = ORDER["email"], str(ORDER["customer"]["id"])
PURCHASE = "accrual:shopify:5512000000001"


def paid(**changes: Any) -> dict[str, Any]:
    return envelope("orders/paid", ORDER | changes)


def refunded(amount: str = "70.50", **changes: Any) -> dict[str, Any]:
    transactions = [REFUND["transactions"][0] | {"amount": amount}]
    return envelope("refunds/create", REFUND | {"transactions": transactions} | changes)


def activity(**changes: Any) -> dict[str, Any]:
    merged = ACTIVITY | {"program": PROGRAM, "member_id": None} | changes
    return event({key: value for key, value in merged.items() if value is not None})


def test_a_purchase_counts_once_however_it_is_told(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    assert commerce.apply(paid()) == [Outcome.ACCRUED]
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert commerce.apply(envelope("orders/updated", ORDER, lower_case=True)) == [Outcome.REPLAYED]
    assert commerce.points(member) == 320
    assert commerce.entries(member) == [PURCHASE]
    commerce.audit()


def test_the_customer_id_wins_over_the_email(commerce: Commerce) -> None:
    by_email = commerce.enroll(EMAIL)
    by_id = commerce.enroll("other@example.com", external_ids={"shopify": CUSTOMER})
    commerce.apply(paid())
    assert (commerce.points(by_id), commerce.points(by_email)) == (320, 0)


def test_a_purchase_stays_with_its_member_when_the_address_moves_on(commerce: Commerce) -> None:
    first = commerce.enroll(EMAIL)
    commerce.apply(paid())
    commerce.enrollment.update(PROGRAM, first, {"email": "first@example.com"})
    second = commerce.enroll(EMAIL)
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert (commerce.points(first), commerce.points(second)) == (320, 0)


def test_an_edited_order_is_not_counted_again(commerce: Commerce) -> None:
    commerce.enroll(EMAIL)
    commerce.apply(paid())
    with pytest.raises(EntryExistsWithDifferentRequest) as caught:
        commerce.apply(paid(subtotal_price="400.00"))
    refusal = final(caught.value)
    assert refusal is not None
    assert refusal.reason == "entry_exists_with_different_request"


def test_a_refund_takes_back_its_part_of_what_was_paid(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    commerce.apply(paid())
    assert commerce.apply(refunded("70.50")) == [Outcome.REVERSED]  # a fifth of 352.50
    assert commerce.apply(refunded("70.50")) == [Outcome.REPLAYED]
    assert commerce.points(member) == 320 - 64
    commerce.audit()


def test_a_refund_of_what_counted_for_nobody_is_told_so(commerce: Commerce) -> None:
    with pytest.raises(EntryNotFound):
        commerce.apply(refunded())
    commerce.apply(paid())
    with pytest.raises(EntryNotFound):
        commerce.apply(refunded())
    member = commerce.enroll(EMAIL)
    commerce.signal(member)
    assert commerce.apply(refunded()) == [Outcome.REVERSED]


def test_a_refund_beyond_the_purchase_is_final(commerce: Commerce) -> None:
    commerce.enroll(EMAIL)
    commerce.apply(paid())
    with pytest.raises(LoyaltyError) as caught:
        commerce.apply(refunded("352.51"))
    refusal = final(caught.value)
    assert refusal is not None
    assert refusal.reason == "amount_exceeds_accrual"


def test_a_strangers_purchase_is_kept_and_claimed_by_enrolling(commerce: Commerce) -> None:
    assert commerce.apply(paid()) == [Outcome.KEPT]
    assert commerce.apply(paid()) == [Outcome.KEPT_BEFORE]
    assert len(commerce.keys("UNCLAIMED#")) == 2  # under the customer id and under the address
    member = commerce.enroll(EMAIL.upper())
    assert commerce.signal(member) == [Outcome.CLAIMED]
    assert commerce.keys("UNCLAIMED#") == []
    assert commerce.signal(member) == []
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert commerce.points(member) == 320
    commerce.audit()


def test_the_customer_id_claims_too(commerce: Commerce) -> None:
    commerce.apply(paid())
    member = commerce.enroll("other@example.com", external_ids={"shopify": CUSTOMER})
    assert commerce.signal(member) == [Outcome.CLAIMED]
    assert commerce.keys("UNCLAIMED#") == []


def test_what_is_kept_shows_nobody(commerce: Commerce) -> None:
    commerce.apply(paid())
    stored = json.dumps([raw for raw in commerce.table.scan() if raw["sk"]["S"].startswith("UNCLAIMED#")], default=str)
    assert "planted" not in stored
    assert CUSTOMER not in stored


def test_a_claim_ends_after_thirty_days(commerce: Commerce) -> None:
    commerce.apply(paid())
    commerce.clock.now += timedelta(days=30)
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == []
    assert commerce.points(member) == 0


def test_a_purchase_counted_meanwhile_is_not_claimed_again(commerce: Commerce) -> None:
    commerce.apply(paid())
    by_id = commerce.enroll("other@example.com", external_ids={"shopify": CUSTOMER})
    assert commerce.apply(paid()) == [Outcome.ACCRUED]
    by_email = commerce.enroll(EMAIL)
    assert commerce.signal(by_email) == [Outcome.REPLAYED]
    assert (commerce.points(by_id), commerce.points(by_email)) == (320, 0)
    assert commerce.keys("UNCLAIMED#") == []


def test_a_claim_that_the_program_refuses_waits(commerce: Commerce) -> None:
    commerce.apply(paid(currency="GBP"))
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == [Outcome.CLAIM_REFUSED]
    assert len(commerce.keys("UNCLAIMED#")) == 2


def test_a_member_who_comes_while_a_purchase_is_kept_gets_it(commerce: Commerce) -> None:
    class Late:
        """Does not see the member the first time, as if they enrolled right after."""

        def __init__(self) -> None:
            self.asked = 0

        def resolve(self, program: str, **by: Any) -> Match:
            self.asked += 1
            found = commerce.directory.resolve(program, **by)
            return Match(None, found.external_digest, found.email_digest) if self.asked == 1 else found

    member = commerce.enroll(EMAIL)
    late = Late()
    assert commerce.service_with(finder=late).apply(parse(paid())) == [Outcome.ACCRUED]
    assert (late.asked, commerce.points(member)) == (2, 320)
    assert commerce.keys("UNCLAIMED#") == []


def test_a_member_who_is_never_seen_is_tried_again_later(commerce: Commerce) -> None:
    class Blind:
        def resolve(self, program: str, **by: Any) -> Match:
            found = commerce.directory.resolve(program, **by)
            return Match(None, found.external_digest, found.email_digest)

    commerce.enroll(EMAIL)
    with pytest.raises(WalletBusy):
        commerce.service_with(finder=Blind()).apply(parse(paid()))


def test_contention_while_keeping_is_not_mistaken_for_a_kept_purchase(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_operations: object) -> None:
        raise TransactionRefused({}, ["TransactionConflict"], contended=True)

    monkeypatch.setattr(commerce.table, "write", refuse)
    with pytest.raises(TransactionRefused):
        commerce.apply(paid())


def test_a_guest_without_an_address_is_counted_and_gone(commerce: Commerce) -> None:
    before = list(commerce.table.scan())
    assert commerce.apply(paid(customer=None, email="", contact_email=None)) == [Outcome.ANONYMOUS]
    assert list(commerce.table.scan()) == before


def test_an_event_ignored_touches_nothing(commerce: Commerce) -> None:
    assert commerce.apply(envelope("orders/fulfilled", ORDER)) == [Outcome.IGNORED]


def test_our_own_activity_by_each_name_of_a_member(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL, external_ids={"shopify": CUSTOMER})
    commerce.apply(activity(member_id=member, source_id="R-1"))
    commerce.apply(activity(email=EMAIL, source_id="R-2", activity="review", amount=None))
    commerce.apply(activity(external_id={"platform": "shopify", "id": CUSTOMER}, source_id="R-3"))
    assert commerce.points(member) == 105 + 25 + 105
    commerce.audit()


def test_an_activity_of_nobody_is_final(commerce: Commerce) -> None:
    with pytest.raises(MemberNotFound) as caught:
        commerce.apply(activity(member_id=MEMBER))
    refusal = final(caught.value)
    assert refusal is not None
    assert refusal.reason == "member_not_found"


def test_an_activity_cannot_move_to_another_member(commerce: Commerce) -> None:
    first, second = commerce.enroll(EMAIL), commerce.enroll("second@example.com")
    commerce.apply(activity(member_id=first))
    with pytest.raises(EntryExistsWithDifferentRequest):
        commerce.apply(activity(member_id=second))
    assert commerce.points(second) == 0


def test_the_program_is_the_shops_else_the_default_else_unknown(commerce: Commerce) -> None:
    foreign = paid()
    foreign["detail"]["metadata"]["X-Shopify-Shop-Domain"] = "another.myshopify.com"
    with pytest.raises(Rejected) as caught:
        commerce.apply(foreign)
    assert caught.value.reason == PROGRAM_UNKNOWN
    with pytest.raises(Rejected) as caught:
        commerce.apply(activity(email=EMAIL, program="nobodys"))
    assert caught.value.reason == PROGRAM_UNKNOWN
    commerce.enroll(EMAIL)
    assert commerce.service_with(default_program=PROGRAM).apply(parse(foreign)) == [Outcome.ACCRUED]


def test_a_signal_of_a_member_who_is_gone_does_nothing(commerce: Commerce) -> None:
    assert commerce.signal(MEMBER) == []
