"""Two executions of one redemption at once: one gives the points back while the other asks for the order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import PynamoDBException, UpdateError

from loyalty.fulfillment.model import Progress, RedemptionMoved
from loyalty.fulfillment.store import FulfillmentStore
from tests.ledgerkit.world import NOON
from tests.unit.fulfillment.rig import Rig
from tests.unit.fulfillment.test_steps import order_request


@contextmanager
def once(rig: Rig, event: str, meanwhile: Callable[[], object]) -> Iterator[None]:
    """Lets the other execution go first, once, where this one is about to make a call, or has just had its answer."""
    waiting = [meanwhile]

    def hook(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    rig.table.client.meta.events.register(event, hook)
    try:
        yield
    finally:
        rig.table.client.meta.events.unregister(event, hook)
    assert not waiting


PLACES = {
    "before the read that decides": "before-call.dynamodb.BatchGetItem",
    "between that read and the write": "before-call.dynamodb.TransactWriteItems",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("earlier", [0, 1], ids=["the first request", "a further request"])
def test_points_stay_held_where_an_order_is_requested_while_they_are_released(
    rig: Rig, place: str, earlier: int
) -> None:
    store = FulfillmentStore(rig.table)
    for _ in range(earlier):
        store.note_request(rig.held, rig.world.clock())
    with once(rig, PLACES[place], lambda: store.note_request(rig.held, NOON)), pytest.raises(RedemptionMoved):
        rig.step("release")
    assert (rig.redemption.order_requested_at, rig.redemption.order_requests) == (NOON, earlier + 1)
    rig.still_held()


@pytest.mark.parametrize("place", PLACES)
def test_points_stay_held_where_a_card_is_stored_while_they_are_released(rig: Rig, place: str) -> None:
    store = FulfillmentStore(rig.table)

    def deliver() -> None:
        store.deliver(rig.held, "T-1", rig.card_put())

    with once(rig, PLACES[place], deliver), pytest.raises(RedemptionMoved):
        rig.step("release")
    assert rig.redemption.supplier_order_id == "T-1"
    rig.still_held()


@pytest.mark.parametrize("place", PLACES)
def test_an_order_made_while_its_points_are_released_is_delivered_by_the_machine(rig: Rig, place: str) -> None:
    def order() -> None:
        FulfillmentStore(rig.table).note_request(rig.held, NOON)
        rig.client.order(order_request(rig))

    rig.faults({"fault": "refuse", "times": 1})
    with once(rig, PLACES[place], order):
        run = rig.machine().run(rig.request())
    assert run.trail == ["Order", "Release", "Settle", "Query", "Decide", "Capture", "Fulfilled"]
    rig.fulfilled()


def test_a_lost_connection_is_an_error_of_the_table_and_nothing_else(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise UpdateError("lost", ReadTimeoutError(endpoint_url="http://dynamodb"))

    monkeypatch.setattr(rig.table.connection, "update_item", lost)
    with pytest.raises(PynamoDBException):
        rig.step("order")
    rig.still_held()
    monkeypatch.undo()
    assert rig.step("order") is Progress.ORDERED
