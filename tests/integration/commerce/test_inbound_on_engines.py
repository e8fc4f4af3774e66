"""Deliveries that come at once, twice, or to a function that dies: every purchase counts once, for one member."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from loyalty.commerce.batch import WORKERS
from loyalty.commerce.inbound import parse
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.store import CLAIM_DAYS
from loyalty.core.errors import WalletBusy
from loyalty.core.table import RawItem, TransactionRefused
from loyalty.members.model import Profile
from tests.ledgerkit.calls import Cut, killed_at, recorded
from tests.ledgerkit.programs import document
from tests.ledgerkit.tables import empty_table
from tests.unit.commerce.shopify_samples import ORDER, REFUND, SHOP, envelope
from tests.unit.commerce.world import RATES, Commerce

pytestmark = pytest.mark.integration

PAID = envelope("orders/paid", ORDER)
REFUNDED = envelope("refunds/create", REFUND)
FULL_REFUND = [
    REFUND | {"id": number, "transactions": [REFUND["transactions"][0] | {"amount": amount}]}
    for number, amount in enumerate(["150.00", "150.00", "52.50"], start=1)
]
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


def test_refunds_a_claim_and_the_purchase_again_all_at_once_come_to_nothing(commerce: Commerce) -> None:
    for number in range(5):
        order = number + 1
        purchase = json.loads(body(order, number))
        parts = [part | {"order_id": order, "id": 10 * order + part["id"]} for part in FULL_REFUND]
        commerce.apply(purchase)
        member = commerce.enroll(f"buyer{number}@example.com")
        calls: list[Callable[[], list[Outcome]]] = [
            lambda: commerce.signal(member),  # noqa: B023 - all of them end within the round
            lambda: commerce.apply(purchase),  # noqa: B023
            *(lambda part=part: commerce.apply(envelope("refunds/create", part)) for part in parts),
        ]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(persistent, calls * 2))
        persistent(lambda: commerce.signal(member))  # noqa: B023
        assert commerce.points(member) == 0
        assert len(commerce.entries(member)) == 1 + len(parts)
    assert commerce.keys("UNCLAIMED#") == []
    commerce.audit()


def test_one_order_under_two_programs_at_once_counts_in_one(commerce: Commerce) -> None:
    commerce.programs.publish(document(id="beta", earn_rules=RATES), expected_version=0, actor="test")
    members = {"acme": commerce.enroll(EMAIL)}
    profile = Profile(email=EMAIL)
    members["beta"] = commerce.enrollment.enroll(commerce.programs.current("beta"), profile).member.member_id
    for number in range(5):
        order = envelope("orders/paid", ORDER | {"id": 100 + number})
        order["detail"]["metadata"]["X-Shopify-Shop-Domain"] = "unbound.myshopify.com"
        services = [commerce.service_with(default_program=program) for program in members]
        calls = [lambda service=service: service.apply(parse(order)) for service in services]  # noqa: B023
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(persistent, calls * 4))
        assert outcomes.count([Outcome.ACCRUED]) == 1
        assert outcomes.count([Outcome.REPLAYED]) == 7
    books = [commerce.ledger.book(program, member) for program, member in members.items()]
    assert sum(book.wallet().available for book in books if book) == 5 * 320
    commerce.audit()


def test_what_expired_makes_room_for_the_same_purchase(commerce: Commerce) -> None:
    """The engines keep the expired items: nothing deletes them here."""
    commerce.apply(PAID)
    commerce.apply(REFUNDED)
    commerce.clock.now += timedelta(days=CLAIM_DAYS)
    assert commerce.apply(PAID) == [Outcome.KEPT]
    member = commerce.enroll(EMAIL)
    assert commerce.signal(member) == [Outcome.CLAIMED]
    assert (commerce.points(member), commerce.keys("UNCLAIMED#")) == (320, [])
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


def refunded(commerce: Commerce) -> None:
    commerce.apply(PAID)
    for part in FULL_REFUND:
        commerce.apply(envelope("refunds/create", part))


def awaited(commerce: Commerce) -> None:
    for part in FULL_REFUND:
        commerce.apply(envelope("refunds/create", part))


COMES = {"claim", "claim of what was refunded", "refunded purchase again"}
"""Before these, the member takes the address that the purchase is kept under."""
RUNS: dict[str, tuple[bool, Callable[[Commerce], None], Callable[[Commerce, str], object]]] = {
    "purchase": (True, nothing, lambda commerce, _: commerce.apply(PAID)),
    "refund": (True, accrued, lambda commerce, _: commerce.apply(REFUNDED)),
    "stranger's purchase": (False, nothing, lambda commerce, _: commerce.apply(PAID)),
    "claim": (False, accrued, lambda commerce, member: commerce.signal(member)),
    "refund of what is kept": (False, accrued, lambda commerce, _: commerce.apply(REFUNDED)),
    "claim of what was refunded": (False, refunded, lambda commerce, member: commerce.signal(member)),
    "refunded purchase again": (False, refunded, lambda commerce, _: commerce.apply(PAID)),
    "refund of what has not come": (True, nothing, lambda commerce, _: commerce.apply(REFUNDED)),
    "purchase whose refunds wait": (True, awaited, lambda commerce, _: commerce.apply(PAID)),
    "stranger's purchase whose refunds wait": (False, awaited, lambda commerce, _: commerce.apply(PAID)),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_off_anywhere_and_delivered_again_leaves_what_one_run_leaves(commerce: Commerce, run: str) -> None:
    enrolled_first, prepare, send = RUNS[run]
    member = commerce.enroll(EMAIL if enrolled_first else "somebody@example.com")
    prepare(commerce)
    if run in COMES:
        commerce.enrollment.update(commerce.programs.current("acme"), member, {"email": EMAIL})
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
