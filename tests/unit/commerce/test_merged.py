"""Members who were merged: what counted for the one goes on with the other."""

from typing import Any

import pytest

from loyalty.accruals.awaited import AwaitedReversals
from loyalty.commerce.inbound import parse
from loyalty.commerce.outcomes import Outcome
from loyalty.ledger.service import Ledger
from loyalty.merging.service import MergeService
from tests.unit.commerce.test_bulk import order, refund
from tests.unit.commerce.test_service import EMAIL, activity, paid, refunded
from tests.unit.commerce.world import PROGRAM, Commerce


def merge(commerce: Commerce, absorbed: str, into: str) -> None:
    ledger = Ledger(commerce.table, commerce.clock)
    reversals = AwaitedReversals(commerce.table, commerce.accruals, commerce.clock)
    MergeService(ledger, reversals).merge(commerce.programs.current(PROGRAM), into, absorbed=absorbed, actor="staff-7")


def test_a_purchase_of_an_absorbed_member_is_the_survivors(commerce: Commerce) -> None:
    gone, stays = commerce.enroll(EMAIL), commerce.enroll("stays@example.com")
    commerce.apply(paid())
    merge(commerce, gone, stays)
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert commerce.apply(refunded("70.50")) == [Outcome.REVERSED]
    assert commerce.apply(refunded("70.50")) == [Outcome.REPLAYED]
    assert commerce.apply(paid(id=7)) == [Outcome.ACCRUED]  # by the address that is the survivor's now
    assert (commerce.points(stays), commerce.points(gone)) == (2 * 320 - 64, 0)
    commerce.audit()


def test_what_was_refunded_before_the_merge_is_not_refunded_again(commerce: Commerce) -> None:
    gone, stays = commerce.enroll(EMAIL), commerce.enroll("stays@example.com")
    commerce.run(order(1, email=EMAIL), refund(11, 1))
    merge(commerce, gone, stays)
    results = commerce.run(refund(11, 1), order(1, email=EMAIL), refund(12, 1), order(2, email=EMAIL), refund(11, 1))
    assert [result.outcomes for result in results] == [
        [Outcome.REPLAYED], [Outcome.REPLAYED], [Outcome.REVERSED], [Outcome.ACCRUED], [Outcome.REPLAYED]
    ]  # fmt: skip
    assert commerce.points(stays) == 2 * 320 - 2 * 64
    commerce.audit()


def test_an_activity_that_names_an_absorbed_member_counts_for_the_survivor(commerce: Commerce) -> None:
    gone, stays = commerce.enroll(EMAIL), commerce.enroll("stays@example.com")
    merge(commerce, gone, stays)
    assert commerce.apply(activity(member_id=gone)) == [Outcome.ACCRUED]
    assert commerce.apply(activity(member_id=gone)) == [Outcome.REPLAYED]
    assert commerce.points(stays) == 105
    commerce.audit()


def test_a_merge_between_the_look_and_the_posting_loses_nothing(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stays = commerce.enroll(EMAIL), commerce.enroll("stays@example.com")
    commerce.apply(refunded("70.50"))
    post_all = commerce.accruals.post_all

    def late(*args: Any) -> Any:
        monkeypatch.setattr(commerce.accruals, "post_all", post_all)
        merge(commerce, gone, stays)
        return post_all(*args)

    monkeypatch.setattr(commerce.accruals, "post_all", late)
    assert commerce.service.apply(parse(paid())) == [Outcome.ACCRUED, Outcome.REFUND_POSTED]
    assert commerce.apply(refunded("70.50", id=2)) == [Outcome.REVERSED]
    assert commerce.apply(paid()) == [Outcome.REPLAYED]
    assert commerce.points(stays) == 320 - 2 * 64
    commerce.audit()


def test_chains_of_merges_are_followed(commerce: Commerce) -> None:
    first, second, third = (commerce.enroll(f"{name}@example.com") for name in ("a", "b", "c"))
    commerce.run(order(1, email="a@example.com"))
    merge(commerce, first, second)
    merge(commerce, second, third)
    results = commerce.run(refund(11, 1), order(1, email="a@example.com"), order(2, email="a@example.com"))
    assert [result.outcomes for result in results] == [[Outcome.REVERSED], [Outcome.REPLAYED], [Outcome.ACCRUED]]
    assert commerce.points(third) == 2 * 320 - 64
    commerce.audit()
