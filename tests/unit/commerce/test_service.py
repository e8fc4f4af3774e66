import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from loyalty.commerce.inbound import parse
from loyalty.commerce.outcomes import PROGRAM_UNKNOWN, Outcome, final
from loyalty.commerce.store import CommerceStore, Found, Wanted
from loyalty.core.errors import EntryExistsWithDifferentRequest, MemberNotFound, Rejected, WalletBusy
from loyalty.core.table import Table, TransactionRefused
from tests.ledgerkit.calls import recorded
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
    commerce.enrollment.update(commerce.programs.current(PROGRAM), first, {"email": "first@example.com"})
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


def test_a_refund_beyond_the_purchase_takes_what_is_left_and_says_so(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    commerce.apply(paid())
    commerce.apply(refunded("70.50"))
    assert commerce.apply(refunded("300.00", id=2)) == [Outcome.REVERSED, Outcome.CLAMPED]
    assert commerce.points(member) == 0
    assert commerce.apply(refunded("300.00", id=2)) == [Outcome.REPLAYED]
    assert commerce.apply(refunded("1.00", id=3)) == [Outcome.REVERSED, Outcome.CLAMPED]  # nothing is left
    assert commerce.points(member) == 0
    commerce.audit()


def test_each_way_of_an_event_makes_as_many_round_trips_as_it_says(commerce: Commerce) -> None:
    def trips(call: Callable[[], object]) -> list[str]:
        with recorded(commerce.table.client) as calls:
            call()
        return calls.names

    commerce.enroll(EMAIL)
    commerce.apply(paid(id=99))  # programs and shops are cached from now on
    assert trips(lambda: commerce.apply(paid())) == ["BatchGetItem", "GetItem", "TransactWriteItems"]
    assert trips(lambda: commerce.apply(paid())) == ["BatchGetItem", "GetItem", "TransactWriteItems"]
    assert trips(lambda: commerce.apply(refunded())) == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    stranger = {"email": "new@example.com", "contact_email": None, "customer": None}
    assert trips(lambda: commerce.apply(paid(id=5, **stranger))) == ["BatchGetItem", "TransactWriteItems"]
    assert trips(lambda: commerce.apply(paid(id=5, **stranger))) == ["BatchGetItem"]
    member = commerce.enroll("new@example.com", phone="+393331234567")
    assert trips(lambda: commerce.signal(member)) == [
        "GetItem", "Query", "Query", "BatchGetItem", "GetItem", "TransactWriteItems",
    ]  # fmt: skip


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
    stored = json.dumps([raw for raw in commerce.table.scan() if raw["pk"]["S"][0] in "OU"], default=str)
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
    assert commerce.keys("UNCLAIMED#") == []
    by_email = commerce.enroll(EMAIL)
    assert commerce.signal(by_email) == []
    assert (commerce.points(by_id), commerce.points(by_email)) == (320, 0)


def test_a_claim_that_the_program_refuses_waits(commerce: Commerce) -> None:
    commerce.apply(paid(currency="GBP"))
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == [Outcome.CLAIM_REFUSED]
    assert len(commerce.keys("UNCLAIMED#")) == 2


class Blind(CommerceStore):
    """Does not see who has a digest for some looks, as if they enrolled right after."""

    def __init__(self, table: Table, looks: int) -> None:
        super().__init__(table)
        self.looks = looks

    def look(self, wanted: Sequence[Wanted], now: datetime) -> list[Found]:
        self.looks -= 1
        found = super().look(wanted, now)
        return [Found(one.record, {}) for one in found] if self.looks >= 0 else found


def test_a_member_who_comes_while_a_purchase_is_kept_gets_it(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    late = Blind(commerce.table, looks=1)
    assert commerce.service_with(store=late).apply(parse(paid())) == [Outcome.ACCRUED]
    assert (late.looks, commerce.points(member)) == (-1, 320)
    assert commerce.keys("UNCLAIMED#") == []


def test_a_member_who_is_never_seen_is_tried_again_later(commerce: Commerce) -> None:
    commerce.enroll(EMAIL)
    with pytest.raises(WalletBusy):
        commerce.service_with(store=Blind(commerce.table, looks=99)).apply(parse(paid()))
    assert commerce.keys("PURCHASE") == []


def test_contention_while_keeping_is_not_mistaken_for_a_kept_purchase(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_operations: object) -> None:
        raise TransactionRefused({}, ["TransactionConflict"], contended=True)

    monkeypatch.setattr(commerce.table, "write", refuse)
    with pytest.raises(TransactionRefused):
        commerce.apply(paid())


def test_a_guest_without_an_address_is_counted_and_so_are_their_refunds(commerce: Commerce) -> None:
    guest = paid(customer=None, email="", contact_email=None)
    assert commerce.apply(guest) == [Outcome.ANONYMOUS]
    assert commerce.apply(guest) == [Outcome.KEPT_BEFORE]
    assert commerce.apply(refunded()) == [Outcome.REFUND_ANONYMOUS]
    assert commerce.apply(refunded()) == [Outcome.REPLAYED]
    assert commerce.keys("UNCLAIMED#") == []


def test_a_guest_who_is_named_later_owes_the_refunds_that_came_before(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    commerce.apply(paid(customer=None, email="", contact_email=None))
    commerce.apply(refunded("70.50"))
    assert commerce.apply(envelope("orders/updated", ORDER)) == [Outcome.ACCRUED, Outcome.REFUND_POSTED]
    assert commerce.points(member) == 320 - 64
    commerce.audit()


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
