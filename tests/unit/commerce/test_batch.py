import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from loyalty.commerce.batch import BUDGET_SECONDS, BatchRunner, Message, failures
from loyalty.commerce.dead_letters import DeadLetters
from loyalty.commerce.model import Inbound
from loyalty.commerce.outcomes import Outcome
from loyalty.commerce.tasks import Task
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


class Stub:
    """A service that does to each purchase what a test says."""

    def __init__(self, became: dict[str, object]) -> None:
        self._became = became

    def plan(self, event: Inbound) -> Task:
        return Task(event)

    def look(self, tasks: Sequence[Task]) -> list[list[Task]]:
        return [[task] for task in tasks]

    def work(self, lane: Sequence[Task], late: Callable[[], bool]) -> None:  # noqa: ARG002
        for task in lane:
            task.done = self._became[task.asked.source_id]  # type: ignore[assignment, union-attr]


def messages(*numbers: int) -> list[Message]:
    return [Message(str(number), order(number, email=f"{number}@example.com")) for number in numbers]


def test_only_what_failed_is_delivered_again() -> None:
    became = {"1": WalletBusy("later"), "2": ConnectionError("planted@example.com"), "3": [Outcome.ACCRUED], "4": None}
    results = BatchRunner(Stub(became), lambda _body, _refusal: None).run(messages(1, 2, 3, 4))
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": number} for number in "124"]}
    assert results[2].outcomes == [Outcome.ACCRUED]


def test_a_look_that_fails_fails_every_event_and_a_lane_that_fails_its_own() -> None:
    class NoLook(Stub):
        def look(self, tasks: Sequence[Task]) -> list[list[Task]]:  # noqa: ARG002
            raise ConnectionError

    class NoWork(Stub):
        def work(self, lane: Sequence[Task], late: Callable[[], bool]) -> None:
            if lane[0].asked.source_id == "1":  # type: ignore[union-attr]
                raise ConnectionError
            super().work(lane, late)

    became: dict[str, object] = {"1": [Outcome.ACCRUED], "2": [Outcome.ACCRUED]}
    aside: list[str] = []
    runner = BatchRunner(NoLook(became), lambda body, _refusal: aside.append(body))
    results = runner.run([*messages(1, 2), Message("m", "nonsense")])
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
    assert aside == ["nonsense"]  # it needs no look
    results = BatchRunner(NoWork(became), lambda _body, _refusal: None).run(messages(1, 2))
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_what_cannot_be_put_aside_is_delivered_again() -> None:
    def reject(_body: str, _refusal: Rejected) -> None:
        raise ConnectionError

    results = BatchRunner(Stub({}), reject).run([Message("m", "nonsense")])
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert results[0].rejected is None


def test_nothing_is_begun_when_the_time_is_over(commerce: Commerce) -> None:
    """Each lane looks at the clock before each step; the function is stopped 25 seconds later."""
    for number in range(3):
        commerce.enroll(f"buyer{number}@example.com")
    bodies = [order(number + 1, email=f"buyer{number}@example.com", customer=None) for number in range(3)]
    ticks = iter([0.0, 1.0, BUDGET_SECONDS + 1, BUDGET_SECONDS + 2])
    runner = BatchRunner(commerce.service, lambda _body, _refusal: None, workers=1, seconds=lambda: next(ticks))
    results = runner.run([Message(str(place), body) for place, body in enumerate(bodies)])
    assert [result.outcomes for result in results] == [[Outcome.ACCRUED], [], []]
    assert failures(results) == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
    assert [result.outcomes for result in commerce.run(*bodies)] == [
        [Outcome.REPLAYED], [Outcome.ACCRUED], [Outcome.ACCRUED]
    ]  # fmt: skip


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
