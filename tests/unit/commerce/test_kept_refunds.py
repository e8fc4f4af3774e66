"""A refund that comes before its purchase's buyer: it waits with the purchase and goes where that goes."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.accruals.errors import CurrencyMismatch, OccurredInFuture
from loyalty.accruals.model import CLOCK_SKEW, Activity
from loyalty.commerce import keeping, postings
from loyalty.commerce.inbound import parse
from loyalty.commerce.items import NO_LINES
from loyalty.commerce.model import Purchase
from loyalty.commerce.outcomes import TOO_MANY_REFUNDS, Outcome
from loyalty.core.errors import EntryExistsWithDifferentRequest, Rejected
from loyalty.core.table import TransactionRefused
from tests.unit.commerce.shopify_samples import ORDER, REFUND
from tests.unit.commerce.test_service import EMAIL, PURCHASE, paid, refunded
from tests.unit.commerce.world import PROGRAM, Commerce

KEPT = [Outcome.REFUND_KEPT]


def record(commerce: Commerce) -> dict[str, Any]:
    (found,) = [raw for raw in commerce.table.scan() if raw["sk"]["S"] == "PURCHASE"]
    return found


def test_a_purchase_refunded_in_full_before_it_is_claimed_comes_to_nothing(commerce: Commerce) -> None:
    commerce.apply(paid())
    assert commerce.apply(refunded("352.50")) == KEPT
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == [Outcome.CLAIMED, Outcome.REFUND_POSTED]
    assert commerce.points(member) == 0
    assert commerce.entries(member) == [PURCHASE, "reversal:shopify:8812000000001"]
    assert commerce.keys("UNCLAIMED#") == []
    assert set(record(commerce)) == {"pk", "sk", "version", "program", "member_id"}
    assert commerce.signal(member) == []
    assert commerce.apply(refunded("352.50")) == [Outcome.REPLAYED]
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert commerce.points(member) == 0
    commerce.audit()


def test_the_refund_comes_after_the_claim_too(commerce: Commerce) -> None:
    commerce.apply(paid())
    member = commerce.enroll(EMAIL)
    commerce.signal(member)
    assert commerce.apply(refunded("352.50")) == [Outcome.REVERSED]
    assert commerce.points(member) == 0


def test_several_refunds_wait_and_together_take_at_most_the_whole(commerce: Commerce) -> None:
    commerce.apply(paid())
    for number in (1, 2, 3):
        assert commerce.apply(refunded("150.00", id=number)) == KEPT
        assert commerce.apply(refunded("150.00", id=number)) == [Outcome.REPLAYED]
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == [Outcome.CLAIMED, *[Outcome.REFUND_POSTED] * 3, Outcome.CLAMPED]
    assert commerce.points(member) == 0
    commerce.audit()


def test_a_purchase_told_again_after_enrolling_takes_its_refunds_along(commerce: Commerce) -> None:
    commerce.apply(paid())
    commerce.apply(refunded("70.50"))
    member = commerce.enroll(EMAIL)
    assert commerce.apply(paid()) == [Outcome.ACCRUED, Outcome.REFUND_POSTED]
    assert commerce.signal(member) == []
    assert commerce.points(member) == 320 - 64
    commerce.audit()


def test_a_kept_refund_shows_nobody_and_is_forgotten_with_its_purchase(commerce: Commerce) -> None:
    commerce.apply(paid())
    until = record(commerce)["ttl"]
    commerce.clock.now += timedelta(days=10)
    commerce.apply(refunded())
    assert record(commerce)["ttl"] == until
    assert "planted" not in str(record(commerce))
    commerce.clock.now += timedelta(days=20)
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == []
    assert commerce.apply(paid()) == [Outcome.ACCRUED]  # Shopify told of it once more: it is new
    assert commerce.points(member) == 320
    commerce.audit()


@pytest.mark.parametrize(
    ("refund", "refused"),
    [
        (refunded("71.00"), EntryExistsWithDifferentRequest),
        (refunded(processed_at="2026-11-22T09:05:01Z", id=2), OccurredInFuture),
        (refunded(transactions=[REFUND["transactions"][0] | {"currency": "EUR"}], id=2), CurrencyMismatch),
    ],
)
def test_what_the_ledger_would_refuse_is_refused_before_it_is_kept(
    commerce: Commerce, refund: dict[str, Any], refused: type[Exception]
) -> None:
    assert commerce.clock() + CLOCK_SKEW < parse(refunded(processed_at="2026-11-22T09:05:01Z")).occurred_at  # type: ignore[union-attr]
    commerce.apply(paid())
    commerce.apply(refunded())
    before = record(commerce)
    with pytest.raises(refused):
        commerce.apply(refund)
    assert record(commerce) == before


def test_one_purchase_keeps_so_many_refunds_and_no_more(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_KEPT_REFUNDS", 2)
    commerce.apply(paid())
    for number in (1, 2):
        commerce.apply(refunded("1.00", id=number))
    with pytest.raises(Rejected) as caught:
        commerce.apply(refunded("1.00", id=3))
    assert caught.value.reason == TOO_MANY_REFUNDS


def test_a_refund_and_a_claim_at_the_same_moment(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is let in between the other's read and write, once."""
    other: list[Any] = []
    write = commerce.table.write

    def interrupted(operations: Any) -> None:
        while other:
            other.pop()()
        write(operations)

    monkeypatch.setattr(commerce.table, "write", interrupted)
    commerce.apply(paid())
    member = commerce.enroll(EMAIL)
    other.append(lambda: commerce.apply(refunded("70.50")))
    assert commerce.signal(member) == [Outcome.CLAIMED, Outcome.REFUND_POSTED]
    assert commerce.points(member) == 320 - 64

    commerce.apply(paid(id=7, email="b@example.com", contact_email=None, customer=None))
    second = commerce.enroll("b@example.com")
    other.append(lambda: commerce.signal(second))
    assert commerce.apply(refunded("70.50", id=8, order_id=7)) == [Outcome.REVERSED]
    assert commerce.points(second) == 320 - 64
    commerce.audit()


def test_two_claims_of_one_purchase_at_once_post_its_refund_once(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "MOST_IN_WAKE", 0)  # each by itself, as they are where one of them is refused
    commerce.apply(paid())
    commerce.apply(refunded("70.50"))
    member = commerce.enroll(EMAIL)
    settle = commerce.store.settle

    def late(*args: Any) -> None:
        monkeypatch.setattr(commerce.store, "settle", settle)
        commerce.signal(member)
        settle(*args)

    monkeypatch.setattr(commerce.store, "settle", late)
    with pytest.raises(TransactionRefused):  # deliver it again: the other one was faster
        commerce.signal(member)
    assert commerce.signal(member) == []
    assert commerce.points(member) == 320 - 64
    commerce.audit()


def test_a_purchase_that_a_partner_posted_meanwhile_is_found_by_its_refund(commerce: Commerce) -> None:
    purchase = parse(paid())
    assert isinstance(purchase, Purchase)
    commerce.apply(paid())
    commerce.apply(refunded("70.50"))
    member = commerce.enroll(EMAIL)
    posted = Activity("purchase", "shopify", purchase.source_id, purchase.occurred_at, purchase.channel,
                      purchase.amount, purchase.refund_basis, NO_LINES)  # fmt: skip
    commerce.accruals.accrue(commerce.programs.current(PROGRAM), member, posted)
    assert commerce.signal(member) == [Outcome.REPLAYED, Outcome.REFUND_POSTED]
    assert commerce.apply(refunded("70.50", id=2)) == [Outcome.REVERSED]
    assert commerce.points(member) == 320 - 2 * 64
    assert commerce.keys("UNCLAIMED#") == []
    commerce.audit()


def test_a_kept_refund_that_the_ledger_refuses_after_all_stays_and_is_counted(commerce: Commerce) -> None:
    commerce.apply(paid())
    commerce.apply(refunded("70.50"))
    member = commerce.enroll(EMAIL)
    commerce.apply(paid(id=6))
    commerce.apply(refunded("1.00", order_id=6))  # the same refund's id, of another order
    assert commerce.signal(member) == [Outcome.CLAIMED, Outcome.REFUND_REFUSED]
    assert commerce.signal(member) == [Outcome.REPLAYED, Outcome.REFUND_REFUSED]
    kept = commerce.table.read(f"O#shopify#{ORDER['id']}", "PURCHASE")
    assert kept is not None
    assert "refunds" in kept
    assert commerce.points(member) == 640
    commerce.audit()
