"""A batch as a whole: how few round trips it takes, and that none of its events suffers for another."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from loyalty.commerce.batch import failures
from loyalty.commerce.outcomes import Outcome
from loyalty.core.errors import WalletBusy
from loyalty.core.table import Check, Put, TransactionRefused
from loyalty.ledger.draft import Posting
from loyalty.ledger.items import EntryItem, new_book_put
from tests.ledgerkit.calls import recorded
from tests.unit.commerce.shopify_samples import ORDER, REFUND, envelope
from tests.unit.commerce.test_inbound import ACTIVITY, event
from tests.unit.commerce.world import PROGRAM, Commerce


def order(number: int, buyer: int = 0, **changes: Any) -> str:
    by = {"email": f"buyer{buyer}@example.com", "contact_email": None, "customer": None}
    return json.dumps(envelope("orders/paid", ORDER | {"id": number} | by | changes))


def refund(number: int, of: int, amount: str = "70.50") -> str:
    given = [REFUND["transactions"][0] | {"amount": amount}]
    return json.dumps(envelope("refunds/create", REFUND | {"id": number, "order_id": of, "transactions": given}))


def members(commerce: Commerce, count: int) -> list[str]:
    commerce.programs.for_shop("aurora-sample.myshopify.com")  # cached, as in a function that is warm
    commerce.programs.current(PROGRAM)
    return [commerce.enroll(f"buyer{number}@example.com") for number in range(count)]


def trips(commerce: Commerce, call: Callable[[], object]) -> Counter[str]:
    with recorded(commerce.table.client) as calls:
        call()
    return Counter(calls.names)


def test_a_hundred_events_of_ten_members_take_a_tenth_of_the_round_trips(commerce: Commerce) -> None:
    found = members(commerce, 10)
    bodies = [order(1000 + place, place % 10) for place in range(100)]
    in_one = trips(commerce, lambda: commerce.run(*bodies))
    assert in_one == {"BatchGetItem": 2 + 10, "TransactWriteItems": 10}  # two looks: 110 items
    more = [order(2000 + place, place % 10) for place in range(10)]
    one_by_one = 10 * trips(commerce, lambda: [commerce.run(body) for body in more]).total()
    assert (in_one.total(), one_by_one) == (22, 300)
    assert [commerce.points(member) for member in found] == [11 * 320] * 10
    commerce.audit()


def test_a_hundred_events_of_one_member_take_as_few_as_fit(commerce: Commerce) -> None:
    (member,) = members(commerce, 1)
    bodies = [order(1000 + place) for place in range(100)]
    assert trips(commerce, lambda: commerce.run(*bodies)).total() == 2 + 4 * 2
    assert commerce.points(member) == 100 * 320
    assert trips(commerce, lambda: commerce.run(*bodies)).total() == 2 + 4, "told again, nothing is written"
    assert commerce.points(member) == 100 * 320
    commerce.audit()


def test_refunds_of_many_purchases_take_as_few_as_well(commerce: Commerce) -> None:
    (member,) = members(commerce, 1)
    commerce.run(*(order(number) for number in range(1, 21)))
    refunds = [refund(100 + number, number) for number in range(1, 21)]
    assert trips(commerce, lambda: commerce.run(*refunds)) == {"BatchGetItem": 2, "TransactWriteItems": 1}
    assert commerce.points(member) == 20 * (320 - 64)


def test_a_purchase_and_its_refunds_take_two_transactions(commerce: Commerce) -> None:
    """Each refund is decided on what those before it took back."""
    (member,) = members(commerce, 1)
    bodies = [order(1), refund(11, 1), order(2), refund(12, 1, "1.00"), refund(13, 2)]
    taken = trips(commerce, lambda: commerce.run(*bodies))
    assert taken == {"BatchGetItem": 1 + 3, "TransactWriteItems": 3}
    assert commerce.points(member) == 640 - int(320 * 71.5 / 352.5) - 64
    commerce.audit()


def test_strangers_purchases_are_kept_with_one_look(commerce: Commerce) -> None:
    members(commerce, 0)
    bodies = [order(number, number) for number in range(1, 21)]
    assert trips(commerce, lambda: commerce.run(*bodies)) == {"BatchGetItem": 1, "TransactWriteItems": 20}
    assert trips(commerce, lambda: commerce.run(*bodies)) == {"BatchGetItem": 1}


def test_a_purchase_told_three_times_in_a_batch_counts_once(commerce: Commerce) -> None:
    (member,) = members(commerce, 1)
    results = commerce.run(order(1), order(2), order(1), order(1))
    assert [result.outcomes for result in results] == [
        [Outcome.ACCRUED], [Outcome.ACCRUED], [Outcome.REPLAYED], [Outcome.REPLAYED]
    ]  # fmt: skip
    assert commerce.points(member) == 640


def test_a_strangers_purchase_told_twice_is_kept_once(commerce: Commerce) -> None:
    results = commerce.run(order(1), order(1), refund(9, 1), refund(9, 1))
    assert [result.outcomes for result in results] == [
        [Outcome.KEPT], [Outcome.KEPT_BEFORE], [Outcome.REFUND_KEPT], [Outcome.REPLAYED]
    ]  # fmt: skip


def test_a_claim_of_thirty_purchases_takes_a_few_round_trips(commerce: Commerce) -> None:
    members(commerce, 0)
    commerce.run(*(order(number) for number in range(1, 31)))
    member = commerce.enroll("buyer0@example.com")
    taken = trips(commerce, lambda: commerce.signal(member))
    # The member, what is kept under the address, the records; the accruals have three operations each.
    assert taken["GetItem"] + taken["Query"] == 2
    assert taken["TransactWriteItems"] == 1
    assert taken.total() <= 2 + 1 + 2
    assert commerce.points(member) == 30 * 320
    assert commerce.keys("UNCLAIMED#") == []
    commerce.audit()


REFUSED = [
    (order(50, currency="GBP"), "currency_not_in_program"),
    (order(50, processed_at="2030-01-01T00:00:00Z"), "occurred_in_future"),
    (order(1, subtotal_price="1.00"), "entry_exists_with_different_request"),
    (refund(50, 1, "1.00").replace("USD", "EUR"), "currency_mismatch"),
    (order(50, subtotal_price=1.5), "malformed_payload"),
]


@pytest.mark.parametrize(("body", "reason"), REFUSED)
@pytest.mark.parametrize("place", [0, 3, 6])
def test_what_is_refused_leaves_its_siblings_as_they_are(
    commerce: Commerce, body: str, reason: str, place: int
) -> None:
    (member,) = members(commerce, 1)
    commerce.run(order(1))
    siblings = [order(2), order(3), refund(22, 2), refund(21, 1), order(4), order(2)]
    bodies = [*siblings[:place], body, *siblings[place:]]
    results = commerce.run(*bodies)
    assert [(kept, refusal.reason) for kept, refusal in commerce.put_aside] == [(body, reason)]
    assert failures(results) == {"batchItemFailures": []}
    assert commerce.points(member) == 4 * 320 - 2 * 64
    commerce.audit()


def test_the_first_of_two_contents_in_one_batch_counts(commerce: Commerce) -> None:
    (member,) = members(commerce, 1)
    results = commerce.run(order(1), order(1, subtotal_price="100.00"), order(2))
    assert [result.outcomes for result in results] == [[Outcome.ACCRUED], [], [Outcome.ACCRUED]]
    assert [refusal.reason for _, refusal in commerce.put_aside] == ["entry_exists_with_different_request"]
    assert commerce.points(member) == 640


def test_a_refund_whose_purchase_is_refused_in_the_same_batch_waits(commerce: Commerce) -> None:
    (member,) = members(commerce, 1)
    results = commerce.run(order(1), order(2, currency="GBP"), refund(9, 2), refund(8, 1))
    assert [result.outcomes for result in results] == [
        [Outcome.ACCRUED], [], [Outcome.REFUND_WAITING], [Outcome.REVERSED]
    ]  # fmt: skip
    assert commerce.points(member) == 320 - 64
    commerce.audit()


def test_an_event_that_breaks_the_ledger_breaks_nothing_else(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A posting that raises what nobody expects, wherever it stands in the run: the others go by themselves."""
    (member,) = members(commerce, 1)
    posting = commerce.accruals.posting

    def poisoned(program: Any, activity: Any, *args: Any, **more: Any) -> Posting:
        made = posting(program, activity, *args, **more)
        if activity.source_id == "2":

            def decide(_: object) -> None:
                raise AssertionError("ledger invariant broken: planted")

            return Posting(made.key, made.request_hash, decide, made.records)
        return made

    monkeypatch.setattr(commerce.accruals, "posting", poisoned)
    results = commerce.run(order(1), order(2), refund(9, 1), order(3))
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    # What the ledger had written of the run before it came to that posting is found again.
    assert results[0].outcomes in ([Outcome.ACCRUED], [Outcome.REPLAYED])
    assert [result.outcomes for result in results[1:]] == [[], [Outcome.REVERSED], [Outcome.ACCRUED]]
    assert commerce.put_aside == []
    assert commerce.points(member) == 640 - 64
    assert len(commerce.keys("PURCHASE")) == 2
    commerce.audit()


def test_an_entry_that_the_table_does_not_take_breaks_nothing_else(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB refuses a whole transaction for one item: an item that is too large, say."""
    (member,) = members(commerce, 1)
    write = commerce.table.write

    def picky(operations: Sequence[Any]) -> None:
        if any(isinstance(one, Put) and isinstance(one.item, EntryItem) and "#2" in one.item.sk for one in operations):
            twice = Check(EntryItem, "x", "x", EntryItem.pk.does_not_exist())
            operations = [*operations, twice, twice]  # what no transaction may do
        write(operations)

    monkeypatch.setattr(commerce.table, "write", picky)
    results = commerce.run(order(1), order(2), order(3))
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert commerce.points(member) == 640
    commerce.audit()


def test_a_table_that_is_away_is_asked_once_for_a_member(commerce: Commerce, monkeypatch: pytest.MonkeyPatch) -> None:
    members(commerce, 1)
    asked: list[object] = []

    def away(operations: object) -> None:
        from pynamodb.exceptions import PynamoDBConnectionError  # noqa: PLC0415

        asked.append(operations)
        raise PynamoDBConnectionError("away")

    monkeypatch.setattr(commerce.table, "write", away)
    results = commerce.run(*(order(number) for number in range(1, 11)))
    assert len(failures(results)["batchItemFailures"]) == 10
    assert len(asked) == 1


def test_a_member_who_is_busy_goes_back_to_the_queue_and_nobody_else(
    commerce: Commerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, free = members(commerce, 2)
    write = commerce.table.write

    def contended(operations: Sequence[Any]) -> None:
        if any(busy in one.key[0] for one in operations):
            raise TransactionRefused({}, ["TransactionConflict"], contended=True)
        write(operations)

    monkeypatch.setattr(commerce.table, "write", contended)
    results = commerce.run(order(1, 0), order(2, 1), order(3, 0))
    assert [type(result.error) for result in results] == [WalletBusy, type(None), WalletBusy]
    assert commerce.put_aside == []
    monkeypatch.setattr(commerce.table, "write", write)
    commerce.run(order(1, 0), order(3, 0))
    assert (commerce.points(busy), commerce.points(free)) == (640, 320)


def test_events_of_a_member_who_does_not_exist_are_all_put_aside(commerce: Commerce) -> None:
    nobody = [json.dumps(event(ACTIVITY | {"program": PROGRAM, "source_id": f"R-{number}"})) for number in range(3)]
    assert failures(commerce.run(*nobody)) == {"batchItemFailures": []}
    assert [refusal.reason for _, refusal in commerce.put_aside] == ["member_not_found"] * 3
    commerce.table.write([new_book_put(PROGRAM, ACTIVITY["member_id"], "bronze", commerce.clock())])
    assert [result.outcomes for result in commerce.run(*nobody)] == [[Outcome.ACCRUED]] * 3


def test_a_batch_that_a_partner_was_faster_with_writes_the_records_only(commerce: Commerce) -> None:
    (member,) = members(commerce, 1)
    bodies = [order(number) for number in range(1, 4)]
    commerce.run(*bodies)
    for number in range(1, 4):  # as if the entries had come through the API
        key = {"pk": {"S": f"O#shopify#{number}"}, "sk": {"S": "PURCHASE"}}
        commerce.table.client.delete_item(TableName=commerce.table.name, Key=key)
    assert [result.outcomes for result in commerce.run(*bodies, bodies[0])] == [[Outcome.REPLAYED]] * 4
    assert commerce.keys("PURCHASE") == ["PURCHASE"] * 3
    results = commerce.run(*(refund(10 + number, number) for number in range(1, 4)))
    assert [result.outcomes for result in results] == [[Outcome.REVERSED]] * 3
    assert commerce.points(member) == 3 * (320 - 64)
