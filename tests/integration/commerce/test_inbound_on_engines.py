"""Deliveries that come at once, twice, or to a function that dies: every purchase counts once, for one member."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from loyalty.commerce.batch import WORKERS
from loyalty.commerce.service import Outcome
from loyalty.core.errors import WalletBusy
from loyalty.core.table import RawItem, TransactionRefused
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.ledgerkit.tables import empty_table
from tests.unit.commerce.shopify_samples import ORDER, REFUND, SHOP, envelope
from tests.unit.commerce.world import Commerce

pytestmark = pytest.mark.integration

PAID = envelope("orders/paid", ORDER)
REFUNDED = envelope("refunds/create", REFUND)
EMAIL, CUSTOMER = ORDER["email"], str(ORDER["customer"]["id"])


def body(number: int, buyer: int) -> str:
    changes = {"id": number, "email": f"buyer{buyer}@example.com", "customer": None}
    return json.dumps(envelope("orders/paid", ORDER | changes))


def persistent(call: Callable[[], list[Outcome]]) -> list[Outcome]:
    """What the queue does: delivers again what failed for the moment."""
    for _ in range(30):
        try:
            return call()
        except (WalletBusy, TransactionRefused):
            continue
    raise AssertionError("failed thirty times")


def test_a_batch_of_many_members_side_by_side(commerce: Commerce) -> None:
    members = [commerce.enroll(f"buyer{buyer}@example.com") for buyer in range(5)]
    bodies = [body(100 + 10 * turn + buyer, buyer) for turn in range(2) for buyer in range(5)]
    results = commerce.run(*bodies, workers=WORKERS)
    assert [result.outcomes for result in results] == [[Outcome.ACCRUED]] * 10
    assert [commerce.points(member) for member in members] == [640] * 5
    commerce.audit()


def test_one_event_delivered_fifty_times_from_eight_threads_is_one_entry(commerce: Commerce) -> None:
    member = commerce.enroll(EMAIL)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: persistent(lambda: commerce.apply(PAID)), range(50)))
    assert outcomes.count([Outcome.ACCRUED]) == 1
    assert outcomes.count([Outcome.REPLAYED]) == 49
    assert (commerce.points(member), len(commerce.entries(member))) == (320, 1)
    commerce.audit()


def test_two_members_who_may_both_claim_a_purchase_get_it_once(commerce: Commerce) -> None:
    commerce.apply(PAID)
    members = [commerce.enroll(EMAIL), commerce.enroll("other@example.com", external_ids={"shopify": CUSTOMER})]
    calls: list[Callable[[], list[Outcome]]] = [lambda: commerce.apply(PAID)]
    calls += [lambda member=member: commerce.signal(member) for member in members]  # type: ignore[misc]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(persistent, calls * 8))
    assert sum(commerce.points(member) for member in members) == 320
    assert commerce.keys("UNCLAIMED#") == []
    commerce.audit()


def test_enrolling_while_the_purchase_arrives_never_loses_it(commerce: Commerce) -> None:
    for number in range(10):
        purchase = json.loads(body(500 + number, number))
        with ThreadPoolExecutor(2) as pool:
            applied = pool.submit(persistent, lambda purchase=purchase: commerce.apply(purchase))  # type: ignore[misc]
            member = pool.submit(commerce.enroll, f"buyer{number}@example.com").result()
            applied.result()
        persistent(lambda member=member: commerce.signal(member))  # type: ignore[misc]
        assert commerce.points(member) == 320
    commerce.audit()


def nothing(_: Commerce) -> None:
    """Before the run, only the member is there."""


def accrued(commerce: Commerce) -> None:
    commerce.apply(PAID)


RUNS: dict[str, tuple[bool, Callable[[Commerce], None], Callable[[Commerce, str], object]]] = {
    "purchase": (True, nothing, lambda commerce, _: commerce.apply(PAID)),
    "refund": (True, accrued, lambda commerce, _: commerce.apply(REFUNDED)),
    "stranger's purchase": (False, nothing, lambda commerce, _: commerce.apply(PAID)),
    "claim": (False, accrued, lambda commerce, member: commerce.signal(member)),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_off_anywhere_and_delivered_again_leaves_what_one_run_leaves(commerce: Commerce, run: str) -> None:
    enrolled_first, prepare, send = RUNS[run]
    member = commerce.enroll(EMAIL if enrolled_first else "somebody@example.com")
    prepare(commerce)
    if run == "claim":
        commerce.enrollment.update("acme", member, {"email": EMAIL})
    commerce.programs.for_shop(SHOP)  # cached from now on, so that every run makes the same calls
    client, before = commerce.table.client, dump(commerce)
    with recorded(client) as calls:
        send(commerce, member)
    wanted, round_trips = dump(commerce), len(calls.names)
    assert wanted != before
    for number in range(1, round_trips + 1):
        for cut in Cut:
            restore(commerce, before)
            with killed_at(client, number, cut) as cut_calls:
                send(commerce, member)
            assert len(cut_calls.names) == number, "the run was not cut off"
            for _ in range(2):
                send(commerce, member)
                assert dump(commerce) == wanted, f"cut off {cut} number {number}"
    commerce.audit()


def dump(commerce: Commerce) -> dict[tuple[str, str], RawItem]:
    return {(raw["pk"]["S"], raw["sk"]["S"]): normal(raw) for raw in commerce.table.scan()}


def normal(raw: RawItem) -> dict[str, Any]:
    """Sets come back in any order."""
    return {name: {"SS": sorted(value["SS"])} if "SS" in value else value for name, value in raw.items()}


def restore(commerce: Commerce, items: dict[tuple[str, str], RawItem]) -> None:
    empty_table(commerce.table)
    for raw in items.values():
        commerce.table.client.put_item(TableName=commerce.table.name, Item=raw)
