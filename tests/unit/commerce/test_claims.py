"""Claims of much at once: each delivery takes its share, and the rest is not lost."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from loyalty.commerce import claims
from loyalty.commerce.batch import Result, failures
from loyalty.commerce.outcomes import Outcome, Unfinished
from loyalty.core.errors import LoyaltyError, MemberNotFound, RecordChanged, WalletBusy
from tests.unit.commerce.test_inbound import event
from tests.unit.commerce.test_service import EMAIL, paid, refunded
from tests.unit.commerce.world import PROGRAM, Commerce


def buy(commerce: Commerce, number: int, **changes: Any) -> list[Outcome]:
    return commerce.apply(paid(**({"id": number, "customer": None} | changes)))


def came(member: str) -> str:
    return json.dumps(event({"program": PROGRAM, "member_id": member}, kind="member.enrolled", source="loyalty"))


def test_a_large_claim_is_done_in_parts_and_its_neighbours_are_done_at_once(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CLAIMS", 3)
    for number in range(1, 8):
        buy(commerce, number)
    member = commerce.enroll(EMAIL)
    neighbour = commerce.enroll("neighbour@example.com")
    other = json.dumps(paid(id=99, customer=None, email="neighbour@example.com", contact_email=None))
    first = commerce.run(came(member), other)
    assert [result.outcomes for result in first] == [[Outcome.CLAIMED] * 3, [Outcome.ACCRUED]]
    assert isinstance(first[0].error, Unfinished)
    assert failures(first) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    parts: list[Result] = [*commerce.run(came(member)), *commerce.run(came(member))]
    assert [len(part.outcomes) for part in parts] == [3, 1]
    assert failures(parts[1:]) == {"batchItemFailures": []}
    assert (commerce.points(member), commerce.points(neighbour)) == (7 * 320, 320)
    assert commerce.keys("UNCLAIMED#") == []
    commerce.audit()


def test_what_the_program_refuses_never_stands_before_the_rest(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CLAIMS", 2)
    for number in range(1, 6):
        buy(commerce, number, currency="GBP")
    for number in range(6, 9):
        buy(commerce, number)
    member = commerce.enroll(EMAIL)
    with pytest.raises(Unfinished) as part:
        commerce.signal(member)
    assert part.value.outcomes == [Outcome.CLAIMED] * 2
    assert commerce.signal(member) == [Outcome.CLAIMED, Outcome.CLAIM_REFUSED]
    assert commerce.signal(member) == [Outcome.CLAIM_REFUSED] * 2
    assert commerce.points(member) == 3 * 320


def test_refunds_that_wait_count_as_work_too(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "CLAIMS", 2)
    for number in (1, 2):
        buy(commerce, number)
        commerce.apply(refunded("70.50", id=number, order_id=number))
    member = commerce.enroll(EMAIL)
    with pytest.raises(Unfinished) as part:
        commerce.signal(member)
    assert part.value.outcomes == [Outcome.CLAIMED, Outcome.REFUND_POSTED]
    assert commerce.signal(member) == [Outcome.CLAIMED, Outcome.REFUND_POSTED]
    assert commerce.points(member) == 2 * (320 - 64)


def test_a_buyer_whose_address_changes_may_claim_by_either(commerce: Commerce) -> None:
    assert buy(commerce, 1) == [Outcome.KEPT]
    assert buy(commerce, 1, email="second@example.com", contact_email=None) == [Outcome.KEPT_BEFORE]
    assert len(commerce.keys("UNCLAIMED#")) == 2
    member = commerce.enroll("second@example.com")
    assert commerce.signal(member) == [Outcome.CLAIMED]
    assert commerce.keys("UNCLAIMED#") == []


def test_whose_a_purchase_is_changes_only_so_often(commerce: Commerce) -> None:
    for number in range(15):
        buy(commerce, 1, email=f"buyer{number}@example.com", contact_email=None)
    assert len(commerce.keys("UNCLAIMED#")) == 10
    member = commerce.enroll("buyer3@example.com")
    assert commerce.signal(member) == [Outcome.CLAIMED]
    assert commerce.keys("UNCLAIMED#") == []


def test_what_was_left_under_a_hash_of_what_counted_is_removed(commerce: Commerce) -> None:
    buy(commerce, 1)
    left = [raw for raw in commerce.table.scan() if raw["sk"]["S"].startswith("UNCLAIMED#")]
    member = commerce.enroll(EMAIL)
    commerce.signal(member)
    for raw in left:
        commerce.table.client.put_item(TableName=commerce.table.name, Item=raw)
    assert commerce.signal(member) == [Outcome.REPLAYED]
    assert commerce.keys("UNCLAIMED#") == []
    assert commerce.points(member) == 320


def test_a_claim_that_stays_contended_is_left_to_a_later_delivery(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(commerce, 1)
    member = commerce.enroll(EMAIL)

    def refuse(_program: object, _member: object, postings: Sequence[object]) -> list[LoyaltyError]:
        return [RecordChanged("again")] * len(postings)

    monkeypatch.setattr(commerce.accruals, "post_all", refuse)
    with pytest.raises(WalletBusy):
        commerce.signal(member)


def test_a_member_erased_while_claiming_leaves_it_kept(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    buy(commerce, 1)
    member = commerce.enroll(EMAIL)

    def refuse(*_: object) -> None:
        raise MemberNotFound("gone")

    monkeypatch.setattr(commerce.accruals, "post_all", refuse)
    assert commerce.signal(member) == [Outcome.CLAIM_REFUSED]
    assert len(commerce.keys("UNCLAIMED#")) == 1
