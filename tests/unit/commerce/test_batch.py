import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.commerce.batch import REFUND_RECEIVES, BatchRunner, Message, failures, lanes
from loyalty.commerce.dead_letters import DeadLetters
from loyalty.commerce.model import Inbound
from loyalty.commerce.outcomes import Outcome
from loyalty.core.errors import Rejected, WalletBusy
from tests.unit.commerce.shopify_samples import ORDER, REFUND, envelope
from tests.unit.commerce.world import Commerce

PAID = json.dumps(envelope("orders/paid", ORDER))
REFUNDED = json.dumps(envelope("refunds/create", REFUND))


def order(number: int, **changes: Any) -> str:
    return json.dumps(envelope("orders/paid", ORDER | {"id": number} | changes))


def test_a_purchase_and_its_refund_in_one_batch_come_in_order(commerce: Commerce) -> None:
    member = commerce.enroll(ORDER["email"])
    results = commerce.run(PAID, PAID, REFUNDED)
    assert [result.outcomes for result in results] == [[Outcome.ACCRUED], [Outcome.REPLAYED], [Outcome.REVERSED]]
    assert failures(results) == {"batchItemFailures": []}
    assert commerce.points(member) == 320 - 27  # floor(320 * 30 / 352.50)


def test_members_side_by_side_each_get_their_own(commerce: Commerce) -> None:
    members = [commerce.enroll(f"buyer{number}@example.com") for number in range(5)]
    bodies = [
        order(number + 10 * turn, email=f"buyer{number}@example.com", customer=None)
        for turn in range(1, 3)
        for number in range(5)
    ]
    results = commerce.run(*bodies)
    assert [result.error for result in results] == [None] * 10
    assert [commerce.points(member) for member in members] == [640] * 5
    commerce.audit()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "unknown_event"),
        ("[" * 100_000, "unknown_event"),
        ("[]", "unknown_event"),
        ('{"source": "x"}', "unknown_event"),
        (json.dumps(envelope("orders/unheard_of", ORDER)), "unknown_topic"),
        (order(1, subtotal_price=1.5), "malformed_payload"),
        (order(1, currency="GBP"), "currency_not_in_program"),
        (order(1, processed_at="2030-01-01T00:00:00Z"), "occurred_in_future"),
    ],
)
def test_what_can_never_be_applied_is_put_aside_with_its_reason(commerce: Commerce, body: str, reason: str) -> None:
    commerce.enroll(ORDER["email"])
    results = commerce.run(body, PAID)
    assert [(kept, refusal.reason) for kept, refusal in commerce.put_aside] == [(body, reason)]
    assert failures(results) == {"batchItemFailures": []}
    assert results[1].outcomes == [Outcome.ACCRUED]


def test_a_refund_waits_for_its_purchase_and_then_is_put_aside(commerce: Commerce) -> None:
    waiting = commerce.run(REFUNDED, receives=REFUND_RECEIVES - 1)
    assert failures(waiting) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert commerce.put_aside == []
    given_up = commerce.run(REFUNDED, receives=REFUND_RECEIVES)
    assert failures(given_up) == {"batchItemFailures": []}
    assert [refusal.reason for _, refusal in commerce.put_aside] == ["purchase_not_found"]


def test_only_what_failed_is_delivered_again() -> None:
    def apply(event: Inbound) -> list[Outcome]:
        match getattr(event, "source_id", ""):
            case "1":
                raise WalletBusy("later")
            case "2":
                raise ConnectionError("planted@example.com")
        return [Outcome.ACCRUED]

    runner = BatchRunner(apply, lambda _body, _refusal: None)
    results = runner.run([Message(str(number), order(number, email=f"{number}@example.com")) for number in (1, 2, 3)])
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}


def test_what_cannot_be_put_aside_is_delivered_again() -> None:
    def reject(_body: str, _refusal: Rejected) -> None:
        raise ConnectionError

    results = BatchRunner(lambda _event: [], reject).run([Message("m", "nonsense")])
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert results[0].rejected is None


def test_a_dead_letter_carries_the_event_and_its_reason() -> None:
    class Sqs:
        sent: dict[str, Any]

        def send_message(self, **message: Any) -> None:
            self.sent = message

    sqs = Sqs()
    DeadLetters(sqs, "https://queue").send("body", Rejected("malformed_payload", "x" * 999))
    assert sqs.sent["MessageBody"] == "body"
    labels = {name: value["StringValue"] for name, value in sqs.sent["MessageAttributes"].items()}
    assert labels == {"reason": "malformed_payload", "detail": "x" * 256}


@given(st.lists(st.sets(st.integers(0, 8), max_size=3), max_size=12))
def test_lanes_share_nothing_and_keep_order(own: list[set[int]]) -> None:
    found = lanes({place: set(keys) for place, keys in enumerate(own)})
    assert sorted(place for lane in found for place in lane) == list(range(len(own)))
    assert all(lane == sorted(lane) for lane in found)
    of_lanes = [set().union(*(own[place] for place in lane)) for lane in found]
    assert sum(map(len, of_lanes)) == len(set().union(*of_lanes))
