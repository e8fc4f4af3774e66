"""However events are ordered, doubled and cut into batches, what they leave is what each once, in order, would leave."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.commerce.batch import BatchRunner, Message
from loyalty.commerce.claims import CLAIMS
from loyalty.core.errors import Rejected
from tests.ledgerkit.tables import create_table
from tests.simulation.client import table_over
from tests.simulation.engine import MemoryDynamoDb
from tests.unit.commerce.shopify_samples import ORDER, REFUND, envelope
from tests.unit.commerce.test_inbound import event
from tests.unit.commerce.world import PROGRAM, Commerce

EARNED, PAID = 320, Fraction("352.50")
BUYERS = ("early@example.com", "also@example.com", "late@example.com")
LATE = 2
NEVER = 99


@dataclass(frozen=True)
class Story:
    """Orders by buyer; refunds by order, in cents (``NEVER`` does not come); in which order all of it is told, from 1."""

    orders: dict[int, int]
    refunds: dict[int, list[int]]
    told: list[tuple[int, int]]
    """Order, and which of its refunds; 0 is the order itself."""
    cuts: set[int]
    """Places before which a new batch begins."""
    enrolls: int
    """The place before which the late buyer comes; their event is the next."""

    def amount(self, order: int, number: int) -> str:
        cents = self.refunds[order][number - 1]
        return f"{cents // 100}.{cents % 100:02}"


@st.composite
def stories(draw: st.DrawFn) -> Story:
    orders = {order: draw(st.integers(0, 2)) for order in range(1, draw(st.integers(1, 5)) + 1)}
    cents = st.sampled_from([100, 7_050, 17_625, 35_250])
    refunds = {order: draw(st.lists(cents, max_size=3)) for order in [*orders, NEVER]}
    once = [(order, 0) for order in orders]
    once += [(order, number) for order in refunds for number in range(1, len(refunds[order]) + 1)]
    told = draw(st.permutations([*once, *draw(st.lists(st.sampled_from(once), max_size=6))]))
    places = st.integers(0, len(told))
    return Story(orders, refunds, told, draw(st.sets(places, max_size=4)), draw(places))


def body(story: Story, order: int, number: int) -> str:
    if number:
        given_back = [REFUND["transactions"][0] | {"amount": story.amount(order, number)}]
        changes: dict[str, Any] = {"id": 100 * order + number, "order_id": order, "transactions": given_back}
        return json.dumps(envelope("refunds/create", REFUND | changes))
    by = {"email": BUYERS[story.orders[order]], "contact_email": None, "customer": None}
    return json.dumps(envelope("orders/paid", ORDER | {"id": order} | by))


def batches(commerce: Commerce, story: Story, members: dict[int, str]) -> Iterator[list[str]]:
    """Enrolls the late buyer in between, while batches are made."""
    batch: list[str] = []
    for place in range(len(story.told) + 1):
        if place == story.enrolls:
            yield batch
            members[LATE] = commerce.enroll(BUYERS[LATE])
            came = {"program": PROGRAM, "member_id": members[LATE]}
            batch = [json.dumps(event(came, kind="member.enrolled", source="loyalty"))]
        elif place in story.cuts:
            yield batch
            batch = []
        batch += [body(story, *story.told[place])] if place < len(story.told) else []
    yield batch


def deliver(commerce: Commerce, batch: Sequence[str]) -> None:
    """As the queue does: what failed comes again."""
    left = list(batch)
    for _ in range(5):
        if left:
            runner = BatchRunner(commerce.service, _never, workers=1)
            results = runner.run([Message(str(place), text) for place, text in enumerate(left)])
            left = [text for text, result in zip(left, results, strict=True) if result.error]
    assert left == []


def _never(_body: str, refusal: Rejected) -> None:
    pytest.fail(f"nothing of this can be refused: {refusal.reason}")


def left_over(story: Story, order: int) -> int:
    given_back = min(Fraction(1), sum(Fraction(cents, 100) for cents in story.refunds[order]) / PAID)
    return EARNED - floor(EARNED * given_back)


def check(commerce: Commerce, story: Story, members: dict[int, str]) -> None:
    for buyer, member in members.items():
        mine = [order for order, by in story.orders.items() if by == buyer]
        assert commerce.points(member) == sum(left_over(story, order) for order in mine)
        expected = {f"accrual:shopify:{order}" for order in mine}
        expected |= {
            f"reversal:shopify:{100 * order + n + 1}" for order in mine for n in range(len(story.refunds[order]))
        }
        entries = commerce.entries(member)
        assert set(entries) == expected
        assert len(entries) == len(expected)
    items = list(commerce.table.scan())
    records = {raw["pk"]["S"]: raw for raw in items if raw["sk"]["S"] == "PURCHASE"}
    waiting = {pk: sorted(raw["refunds"]["M"]) for pk, raw in records.items() if "refunds" in raw}
    never = [str(100 * NEVER + number + 1) for number in range(len(story.refunds[NEVER]))]
    assert waiting == ({f"O#shopify#{NEVER}": never} if never else {})
    assert len(records) == len(story.orders) + len(waiting)
    assert not [raw for raw in items if raw["sk"]["S"].startswith("UNCLAIMED#")]


@settings(max_examples=200, deadline=None)
@given(story=stories())
def test_the_books_do_not_depend_on_how_events_are_delivered(story: Story) -> None:
    table = table_over(MemoryDynamoDb(), "loyalty")
    create_table(table.client, table.name)
    commerce = Commerce(table)
    members = {buyer: commerce.enroll(BUYERS[buyer]) for buyer in range(LATE)}
    for batch in batches(commerce, story, members):
        deliver(commerce, batch)
    check(commerce, story, members)
    deliver(commerce, [body(story, *one) for one in story.told])
    check(commerce, story, members)
    commerce.audit()
    assert len(story.told) < CLAIMS
