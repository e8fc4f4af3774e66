"""Refunds that come before their purchase: they wait, in sight, and at last a person is told."""

import json
from datetime import timedelta
from typing import Any

import pytest

from loyalty.accruals.errors import OccurredInFuture
from loyalty.commerce import items, keeping, postings
from loyalty.commerce.inbound import parse
from loyalty.commerce.items import parse_record_key, record_key
from loyalty.commerce.model import Refund
from loyalty.commerce.outcomes import PROGRAM_UNKNOWN, TOO_MANY_REFUNDS, Outcome
from loyalty.commerce.records import WAIT
from loyalty.commerce.redelivery import refund_event
from loyalty.commerce.waiting import WaitingRefunds
from loyalty.core.clock import to_text
from loyalty.core.errors import EntryExistsWithDifferentRequest, Rejected, WalletBusy
from loyalty.core.table import TransactionRefused
from loyalty_contract import DUE_SHARDS
from tests.ledgerkit.calls import recorded
from tests.unit.commerce.shopify_samples import ORDER, REFUND, SHOP
from tests.unit.commerce.test_kept_refunds import record
from tests.unit.commerce.test_service import EMAIL, PURCHASE, paid, refunded
from tests.unit.commerce.world import Commerce

WAITS = [Outcome.REFUND_WAITING]
REVERSAL = f"reversal:shopify:{REFUND['id']}"


def expire(commerce: Commerce, **more: Any) -> int:
    def reject(body: str, refusal: Rejected) -> None:
        commerce.put_aside.append((body, refusal))

    waiting = WaitingRefunds(commerce.store, reject, commerce.clock)
    return sum(waiting.expire(shard, **more) for shard in range(DUE_SHARDS))


def contended(_operations: object) -> None:
    raise TransactionRefused({}, ["TransactionConflict"], contended=True)


def record_of_order(commerce: Commerce) -> dict[str, Any]:
    found = commerce.table.read(f"O#shopify#{ORDER['id']}", "PURCHASE")
    assert found is not None
    return found


def test_a_refund_that_came_first_is_posted_with_its_purchase_in_one_transaction(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    assert commerce.apply(refunded("70.50")) == WAITS
    assert commerce.apply(refunded("70.50")) == [Outcome.REPLAYED]
    with recorded(commerce.table.client) as calls:
        assert commerce.apply(paid()) == [Outcome.ACCRUED, Outcome.REFUND_POSTED]
    assert calls.names == ["BatchGetItem", "GetItem", "TransactWriteItems"]
    assert commerce.entries(member) == [PURCHASE, REVERSAL]
    assert commerce.points(member) == 320 - 64
    assert set(record(commerce)) == {"pk", "sk", "version", "program", "member_id"}
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert commerce.apply(refunded("70.50")) == [Outcome.REPLAYED]
    commerce.audit()


def test_what_waits_says_since_when_and_shows_nobody(commerce: Commerce) -> None:
    commerce.apply(refunded("70.50"))
    since = commerce.clock()
    commerce.clock.advance(days=3)
    commerce.apply(refunded("1.00", id=2))
    found = record(commerce)
    assert "planted" not in str(found)
    assert "ttl" not in found, "nothing may delete it unseen"
    assert found["due_at"] == {"S": to_text(since + WAIT)}
    assert found["due_shard"]["S"].startswith("DUE#refund#")
    assert found["shop"] == {"S": SHOP}


def test_refunds_of_more_than_the_purchase_take_all_of_it(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    for number, amount in enumerate(["300.00", "300.00", "5.00"]):
        commerce.apply(refunded(amount, id=number + 1))
    refunds = [Outcome.REFUND_POSTED, Outcome.REFUND_POSTED, Outcome.CLAMPED, Outcome.REFUND_POSTED, Outcome.CLAMPED]
    assert commerce.apply(paid()) == [Outcome.ACCRUED, *refunds]
    assert commerce.points(member) == 0
    commerce.audit()


def test_a_strangers_purchase_takes_over_what_waited_for_it(commerce: Commerce) -> None:
    commerce.apply(refunded("70.50"))
    assert commerce.apply(paid()) == [Outcome.KEPT]
    found = record(commerce)
    assert "refunds" in found
    assert "ttl" in found
    assert not {"due_at", "due_shard", "shop"} & set(found), "it expires with its purchase now"
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == [Outcome.CLAIMED, Outcome.REFUND_POSTED]
    assert commerce.points(member) == 320 - 64
    commerce.audit()


@pytest.mark.parametrize("bulk", [1, 30])
def test_a_refund_that_the_ledger_refuses_does_not_keep_its_purchase_from_counting(
    commerce: Commerce, bulk: int
) -> None:
    """Its currency could not be known before. Whether the purchase comes alone or with others of its member."""
    member = commerce.enroll(EMAIL)
    commerce.apply(refunded("70.50"))
    commerce.apply(refunded(transactions=[REFUND["transactions"][0] | {"currency": "EUR"}], id=2))
    bodies = [json.dumps(paid(id=ORDER["id"] + place)) for place in range(bulk)]
    results = commerce.run(*bodies)
    assert results[0].outcomes == [Outcome.ACCRUED, Outcome.REFUND_REFUSED, Outcome.REFUND_POSTED]
    assert [result.outcomes for result in results[1:]] == [[Outcome.ACCRUED]] * (bulk - 1)
    assert commerce.points(member) == bulk * 320 - 64
    commerce.audit()
    # It stays in sight, and a person is told of it too, by its own name.
    assert list(record_of_order(commerce)["refunds"]["M"]) == ["2"]
    assert commerce.apply(paid()) == [Outcome.REPLAYED, Outcome.REFUND_REFUSED]
    commerce.clock.advance(days=WAIT.days)
    assert expire(commerce) == 1
    assert [refusal.reason for _, refusal in commerce.put_aside] == ["refund_refused"]
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert set(record_of_order(commerce)) == {"pk", "sk", "version", "program", "member_id"}


def test_a_busy_member_is_no_reason_to_post_a_purchase_without_its_refunds(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes back to the queue at once, and the next delivery posts both together."""
    member = commerce.enroll(EMAIL)
    commerce.apply(refunded("70.50"))
    looks: list[object] = []
    look = commerce.store.look

    def counted(*args: Any) -> Any:
        looks.append(args)
        return look(*args)

    monkeypatch.setattr(commerce.store, "look", counted)
    with monkeypatch.context() as patch:
        patch.setattr(commerce.table, "write", contended)
        with pytest.raises(WalletBusy):
            commerce.apply(paid())
    assert len(looks) == 1
    assert commerce.apply(paid()) == [Outcome.ACCRUED, Outcome.REFUND_POSTED]
    assert commerce.points(member) == 320 - 64


def test_more_refunds_than_go_with_it_are_posted_after_it(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "MOST_IN_WAKE", 2)
    member = commerce.enroll(EMAIL)
    for number in (1, 2, 3):
        commerce.apply(refunded("70.50", id=number))
    assert commerce.apply(paid()) == [Outcome.ACCRUED, *[Outcome.REFUND_POSTED] * 3]
    assert commerce.points(member) == 320 - 3 * 64
    assert set(record(commerce)) == {"pk", "sk", "version", "program", "member_id"}
    commerce.audit()


@pytest.mark.parametrize(
    ("refund", "refused"),
    [
        (refunded("71.00"), EntryExistsWithDifferentRequest),
        (refunded(processed_at="2026-11-22T09:05:01Z", id=2), OccurredInFuture),
    ],
)
def test_what_can_never_be_posted_does_not_wait(
    commerce: Commerce, refund: dict[str, Any], refused: type[Exception]
) -> None:
    commerce.apply(refunded())
    before = record(commerce)
    with pytest.raises(refused):
        commerce.apply(refund)
    assert record(commerce) == before


def test_so_many_refunds_wait_and_no_more(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_KEPT_REFUNDS", 2)
    for number in (1, 2):
        commerce.apply(refunded("1.00", id=number))
    with pytest.raises(Rejected) as caught:
        commerce.apply(refunded("1.00", id=3))
    assert caught.value.reason == TOO_MANY_REFUNDS


def test_a_refund_from_a_shop_of_no_program_is_refused(commerce: Commerce) -> None:
    foreign = refunded()
    foreign["detail"]["metadata"]["X-Shopify-Shop-Domain"] = "another.myshopify.com"
    with pytest.raises(Rejected) as caught:
        commerce.apply(foreign)
    assert caught.value.reason == PROGRAM_UNKNOWN
    assert commerce.keys("PURCHASE") == []


def test_after_thirty_days_a_person_is_told_and_nothing_is_left(commerce: Commerce) -> None:
    commerce.apply(refunded("70.50"))
    commerce.clock.now += WAIT - timedelta(milliseconds=1)
    assert expire(commerce) == 0
    commerce.clock.now += timedelta(milliseconds=1)
    assert expire(commerce) == 1
    ((body, refusal),) = commerce.put_aside
    assert refusal.reason == "purchase_not_found"
    assert "planted" not in body
    assert commerce.keys("PURCHASE") == []
    assert expire(commerce) == 0
    # What a person is given tells of the same refund: redriven too early it waits again, and goes with its purchase.
    assert parse(json.loads(body)) == parse(refunded("70.50"))
    commerce.put_aside.clear()
    assert commerce.run(body)[0].outcomes == WAITS
    member = commerce.enroll(EMAIL)
    commerce.apply(paid())
    assert commerce.points(member) == 320 - 64


def test_a_redriven_refund_of_what_came_meanwhile_is_posted(commerce: Commerce) -> None:
    commerce.apply(refunded("70.50"))
    commerce.clock.now += WAIT
    expire(commerce)
    member = commerce.enroll(EMAIL)
    commerce.apply(paid())
    assert commerce.run(commerce.put_aside[0][0])[0].outcomes == [Outcome.REVERSED]
    assert commerce.apply(refunded("70.50")) == [Outcome.REPLAYED]
    assert commerce.points(member) == 320 - 64


def test_each_refund_waits_its_own_time(commerce: Commerce) -> None:
    commerce.apply(refunded("1.00", id=1))
    commerce.clock.advance(days=10)
    commerce.apply(refunded("1.00", id=2))
    commerce.clock.advance(days=20)
    assert expire(commerce) == 1
    assert list(record(commerce)["refunds"]["M"]) == ["2"]
    commerce.clock.advance(days=10)
    assert expire(commerce) == 1
    assert commerce.keys("PURCHASE") == []


def test_what_is_not_put_aside_is_not_forgotten(commerce: Commerce) -> None:
    def reject(_body: str, _refusal: Rejected) -> None:
        raise ConnectionError

    commerce.apply(refunded())
    commerce.clock.now += WAIT
    before = record(commerce)
    waiting = WaitingRefunds(commerce.store, reject, commerce.clock)
    for shard in range(DUE_SHARDS):
        try:
            waiting.expire(shard)
        except ConnectionError:
            assert record(commerce) == before
            break
    else:
        pytest.fail("nothing was due")


def test_a_record_that_cannot_be_put_aside_does_not_stand_before_the_others(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "DUE_SHARDS", 1)  # all of them in one
    for number in (1, 2, 3):
        commerce.apply(refunded("1.00", id=number, order_id=number))
        commerce.clock.advance(minutes=1)
    commerce.clock.now += WAIT
    put_aside: list[str] = []

    def reject(body: str, _refusal: Rejected) -> None:
        refund = json.loads(body)["detail"]["payload"]["id"]
        if refund == "1":
            raise ConnectionError
        put_aside.append(refund)

    waiting = WaitingRefunds(commerce.store, reject, commerce.clock)
    with pytest.raises(ConnectionError):
        waiting.expire(0)
    assert put_aside == ["2", "3"]
    assert record(commerce)["pk"] == {"S": "O#shopify#1"}


def test_a_purchase_that_comes_at_that_very_moment_keeps_its_record(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = commerce.enroll(EMAIL)
    commerce.apply(refunded("70.50"))
    commerce.clock.now += WAIT
    late = commerce.store.give_up

    def interrupted(*args: Any) -> bool:
        commerce.apply(paid())
        return late(*args)

    monkeypatch.setattr(commerce.store, "give_up", interrupted)
    assert expire(commerce) == 1
    assert record(commerce)["member_id"] == {"S": member}
    assert commerce.run(commerce.put_aside[0][0])[0].outcomes == [Outcome.REPLAYED]  # redriven, it changes nothing
    assert commerce.points(member) == 320 - 64
    commerce.audit()


def test_contention_is_no_reason_to_give_up(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    commerce.apply(refunded())
    commerce.clock.now += WAIT

    with monkeypatch.context() as patch:
        patch.setattr(commerce.table, "write", contended)
        with pytest.raises(TransactionRefused):
            expire(commerce)
    assert expire(commerce) == 1


def test_what_is_kept_for_a_stranger_expires_with_its_purchase_and_tells_nobody(commerce: Commerce) -> None:
    commerce.apply(paid())
    commerce.apply(refunded())
    commerce.clock.advance(days=60)
    assert expire(commerce) == 0
    assert commerce.put_aside == []


def test_one_look_takes_so_many_records(commerce: Commerce) -> None:
    for number in range(1, 41):
        commerce.apply(refunded("1.00", id=number, order_id=number))
    commerce.clock.now += WAIT
    done = [expire(commerce, limit=1) for _ in range(3)]
    assert done[0] <= DUE_SHARDS
    assert done == sorted(done, reverse=True)
    while expire(commerce, limit=1):
        pass
    assert sorted(json.loads(body)["detail"]["payload"]["id"] for body, _ in commerce.put_aside) == sorted(
        str(number) for number in range(1, 41)
    )
    assert commerce.keys("PURCHASE") == []


@pytest.mark.parametrize(
    ("program", "source", "source_id"), [(None, "shopify", "1"), ("acme", "pos", "R-1"), ("acme", "pos", "a:b/c")]
)
def test_a_records_key_names_what_it_is_of(program: str | None, source: str, source_id: str) -> None:
    assert parse_record_key(record_key(program, source, source_id)[0]) == (program, source, source_id)


@pytest.mark.parametrize("shop", [SHOP, None])
def test_the_event_made_of_a_refund_tells_of_that_refund(shop: str | None) -> None:
    told = parse(refunded("70.50"))
    assert isinstance(told, Refund)
    refund = Refund(told.source, told.source_id, told.purchase_source_id, told.occurred_at, told.amount, None, shop)
    assert parse(refund_event(refund)) == refund
