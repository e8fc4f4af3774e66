"""A platform's order counts in one program, whatever its shop is bound to by the next delivery."""

from collections.abc import Sequence
from typing import Any

import pytest

from loyalty.commerce.inbound import parse
from loyalty.commerce.outcomes import Outcome
from loyalty.core.errors import LoyaltyError, RecordChanged, WalletBusy
from loyalty.members.model import Profile
from tests.ledgerkit.programs import document
from tests.unit.commerce.test_inbound import ACTIVITY, event
from tests.unit.commerce.test_service import EMAIL, paid, refunded
from tests.unit.commerce.world import PROGRAM, RATES, Commerce

OTHER = "beta"
UNBOUND = "unbound.myshopify.com"


@pytest.fixture
def two(commerce: Commerce) -> Commerce:
    commerce.programs.publish(document(id=OTHER, earn_rules=RATES), expected_version=0, actor="test")
    return commerce


def unbound(delivery: dict[str, Any]) -> dict[str, Any]:
    delivery["detail"]["metadata"]["X-Shopify-Shop-Domain"] = UNBOUND
    return delivery


def deliver(commerce: Commerce, delivery: dict[str, Any], default: str | None) -> list[Outcome]:
    """With the program that an unbound shop's events belong to at that moment."""
    return commerce.service_with(default_program=default).apply(parse(unbound(delivery)))


def enroll_in(commerce: Commerce, program: str) -> str:
    return commerce.enrollment.enroll(commerce.programs.current(program), Profile(email=EMAIL)).member.member_id


def available(commerce: Commerce, program: str, member: str) -> int:
    book = commerce.ledger.book(program, member)
    assert book is not None
    return book.wallet().available


@pytest.mark.parametrize("later", [OTHER, None])
def test_what_counted_in_one_program_stays_there(two: Commerce, later: str | None) -> None:
    here, there = enroll_in(two, PROGRAM), enroll_in(two, OTHER)
    assert deliver(two, paid(), PROGRAM) == [Outcome.ACCRUED]
    assert deliver(two, paid(), later) == [Outcome.REPLAYED]
    assert deliver(two, refunded("70.50"), later) == [Outcome.REVERSED]
    assert (available(two, PROGRAM, here), available(two, OTHER, there)) == (320 - 64, 0)
    two.audit()


@pytest.mark.parametrize("later", [OTHER, None])
def test_what_is_kept_in_one_program_stays_there(two: Commerce, later: str | None) -> None:
    there = enroll_in(two, OTHER)
    assert deliver(two, paid(), PROGRAM) == [Outcome.KEPT]
    assert deliver(two, paid(), later) == [Outcome.KEPT_BEFORE]
    assert deliver(two, refunded("70.50"), later) == [Outcome.REFUND_KEPT]
    here = enroll_in(two, PROGRAM)
    assert deliver(two, paid(), later) == [Outcome.ACCRUED, Outcome.REFUND_POSTED]
    assert two.signal(here) == []
    assert (available(two, PROGRAM, here), available(two, OTHER, there)) == (320 - 64, 0)
    two.audit()


def test_a_refund_that_came_first_does_not_decide_on_the_program(two: Commerce) -> None:
    here, there = enroll_in(two, PROGRAM), enroll_in(two, OTHER)
    assert deliver(two, refunded("70.50"), PROGRAM) == [Outcome.REFUND_WAITING]
    assert deliver(two, paid(), OTHER) == [Outcome.ACCRUED, Outcome.REFUND_POSTED]
    assert (available(two, PROGRAM, here), available(two, OTHER, there)) == (0, 320 - 64)
    two.audit()


def test_two_programs_at_the_same_moment(two: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = enroll_in(two, PROGRAM), enroll_in(two, OTHER)
    write, other = two.table.write, [lambda: deliver(two, paid(), PROGRAM)]

    def interrupted(operations: Any) -> None:
        while other:
            other.pop()()
        write(operations)

    monkeypatch.setattr(two.table, "write", interrupted)
    assert deliver(two, paid(), OTHER) == [Outcome.REPLAYED]
    assert (available(two, PROGRAM, here), available(two, OTHER, there)) == (320, 0)


def test_an_own_systems_ids_are_each_programs_own(two: Commerce) -> None:
    here, there = enroll_in(two, PROGRAM), enroll_in(two, OTHER)
    for program, member in ((PROGRAM, here), (OTHER, there)):
        assert two.apply(event(ACTIVITY | {"program": program, "member_id": member})) == [Outcome.ACCRUED]
    assert (available(two, PROGRAM, here), available(two, OTHER, there)) == (105, 105)


def test_a_record_that_keeps_changing_is_left_to_a_later_delivery(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    commerce.enroll(EMAIL)

    def refuse(_program: object, _member: object, postings: Sequence[object]) -> list[LoyaltyError]:
        return [RecordChanged("again")] * len(postings)

    monkeypatch.setattr(commerce.accruals, "post_all", refuse)
    with pytest.raises(WalletBusy):
        commerce.apply(paid())
