"""The proof of referrals: both sides have what the referral says, and the referrer's count is what their referrals come to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from loyalty.core.table import Put, Table
from loyalty.ledger.keys import partition
from loyalty.ledger.verify import audit_table
from loyalty.referrals.model import Referral
from loyalty.referrals.payments import Count, count_put
from loyalty.referrals.store import referral_put
from tests.ledgerkit.brought import Brought
from tests.ledgerkit.calls import recorded
from tests.ledgerkit.moves import ADA, BOB, CLEO, DAN


@pytest.fixture
def paid(table: Table) -> Brought:
    """Ada brought Bob and Cleo, who gave back."""
    paid = Brought(table)
    paid.moves.enroll(ADA, BOB, CLEO, DAN)
    for friend in (BOB, CLEO):
        paid.bring(friend, ADA)
        paid.pay(friend)
    paid.reverse(CLEO)
    return paid


def delete(brought: Brought, member: str, sk: str) -> None:
    key = {"pk": {"S": partition("acme", member)}, "sk": {"S": sk}}
    brought.world.table.client.delete_item(TableName=brought.world.table.name, Key=key)


def say(brought: Brought, **changes: Any) -> None:
    """Bob's referral says something else of its rewards."""
    before = brought.stored(BOB)
    assert before.rewarded is not None
    write(brought, before, replace(before, rewarded=replace(before.rewarded, **changes)))


def write(brought: Brought, before: Referral, after: Referral) -> None:
    brought.world.table.write([referral_put(before, after)])


def unsaid(brought: Brought) -> None:
    before = brought.stored(BOB)
    write(brought, before, replace(before, rewarded=None))


def half_back(brought: Brought, who: str) -> None:
    """Cleo's referral was taken back on one side alone, and her own partition has nothing of it on the other."""
    raw = brought.world.dump()[partition("acme", who), f"REVERSED#referral#{CLEO}"]
    item = {name: value for name, value in raw.items() if name != "whole"}
    brought.world.table.client.put_item(TableName=brought.world.table.name, Item=item)


def count(brought: Brought, member: str, before: Count | None, after: Count) -> None:
    operation = count_put("acme", member, before, after)
    assert isinstance(operation, Put)
    brought.world.table.write([operation])


ONE_SIDED, WRONG = "referral_one_sided", "referral_reward_wrong"
PLANTED: dict[str, tuple[Callable[[Brought], object], list[tuple[str, str]]]] = {
    "the referrer's reward is missing": (
        lambda one: delete(one, ADA, f"ENTRY#accrual#referral#{BOB}"),
        [(BOB, ONE_SIDED)],
    ),
    "the friend's reward is missing": (
        lambda one: delete(one, BOB, f"ENTRY#accrual#referral#{BOB}"),
        [(BOB, ONE_SIDED)],
    ),
    "both rewards are missing": (
        lambda one: [delete(one, who, f"ENTRY#accrual#referral#{BOB}") for who in (ADA, BOB)],
        [(BOB, ONE_SIDED), (BOB, ONE_SIDED)],
    ),
    "the referral is missing": (
        lambda one: delete(one, BOB, "REFERRAL"),
        [(ADA, "referral_reward_unsaid"), (BOB, "referral_reward_unsaid"), (ADA, "referrals_count_wrong")],
    ),
    "the referral was never rewarded, as it says": (
        unsaid,
        [(ADA, "referral_reward_unsaid"), (BOB, "referral_reward_unsaid"), (ADA, "referrals_count_wrong")],
    ),
    "somebody else was rewarded, as it says": (
        lambda one: say(one, referrer=DAN),
        [
            (ADA, "referral_reward_unsaid"),
            (BOB, ONE_SIDED),
            (ADA, "referrals_count_wrong"),
            (DAN, "referrals_count_wrong"),
        ],
    ),
    "the referrer got more, as it says": (lambda one: say(one, points=101), [(ADA, WRONG)]),
    "the friend got more, as it says": (lambda one: say(one, member_points=41), [(BOB, WRONG)]),
    "the referrer did not give back": (lambda one: half_back(one, ADA), [(ADA, "referral_reversal_one_sided")]),
    "the friend did not give back": (lambda one: half_back(one, CLEO), [(CLEO, "referral_reversal_one_sided")]),
    "more is counted": (
        lambda one: count(one, ADA, Count(2, 1), Count(3, 1)),
        [(ADA, "referrals_count_wrong")],
    ),
    "less was taken back, as is counted": (
        lambda one: count(one, ADA, Count(2, 1), Count(2, 0)),
        [(ADA, "referrals_count_wrong")],
    ),
    "of somebody who brought nobody some are counted": (
        lambda one: count(one, DAN, None, Count(1, 0)),
        [(DAN, "referrals_count_wrong")],
    ),
}


def found(brought: Brought) -> list[tuple[str, str]]:
    """What the proof finds of referrals; what a missing entry does to its book is found by others."""
    findings = audit_table(brought.world.table, sleep=lambda _: None).findings
    return [(one.member_id, one.code) for one in findings if one.code.startswith("referral")]


def test_what_is_right_is_not_found_and_nothing_is_read_again(paid: Brought) -> None:
    with recorded(paid.world.table.client) as calls:
        assert paid.world.audit() == []
    assert calls.names == ["Scan"]


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(paid: Brought, planted: str) -> None:
    plant, expected = PLANTED[planted]
    plant(paid)
    assert sorted(found(paid)) == sorted(expected)


def test_a_referral_that_is_paid_while_it_is_read_is_no_finding(paid: Brought) -> None:
    """The scan has passed Dan and his referrer before it is paid, and finds the rest after."""
    paid.bring(DAN, ADA)
    before = {key: raw for key, raw in paid.world.dump().items() if key[0] == partition("acme", DAN)}
    paid.pay(DAN)
    scan = paid.world.table.scan

    class Late(Table):
        def __init__(self) -> None:
            self.__dict__ |= paid.world.table.__dict__

        def scan(self) -> Any:
            first = [raw for raw in scan() if raw["pk"]["S"] != partition("acme", DAN)]
            self.scan = scan  # type: ignore[method-assign]
            yield from [*first, *before.values()]

    assert audit_table(Late(), sleep=lambda _: None).findings == []
