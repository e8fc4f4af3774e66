"""Two writers of one redemption at once: one gives the points back while another asks for the order, or decides."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import PynamoDBException, TransactWriteError

from loyalty.core.table import Update
from loyalty.fulfillment.cases import CaseStore
from loyalty.fulfillment.journal import Did
from loyalty.fulfillment.model import Progress, RedemptionMoved
from tests.ledgerkit.world import NOON
from tests.unit.fulfillment.rig import Rig
from tests.unit.fulfillment.tables import tapped
from tests.unit.fulfillment.test_steps import order_request


@contextmanager
def once(rig: Rig, event: str, meanwhile: Callable[[], object]) -> Iterator[None]:
    """Lets the other writer go first, once, where this one is about to make a call, or has just had its answer."""
    waiting = [meanwhile]

    def told(name: str) -> None:
        if waiting and name == event:
            waiting.pop()()

    with tapped(rig.table, told):
        yield
    assert not waiting


PLACES = {
    "before the read that decides": "before BatchGetItem",
    "between that read and the write": "before TransactWriteItems",
}


def requested(rig: Rig) -> Update:
    """What another execution writes before it asks, without its run: the redemption's own guard is looked at."""
    return CaseStore(rig.table, rig.world.clock).requested(rig.redemption)


def refused(rig: Rig) -> None:
    """The supplier has refused the first order."""
    rig.faults({"fault": "refuse", "times": 1})
    assert rig.step("order") is Progress.NOT_ORDERED


@pytest.mark.parametrize("place", PLACES)
def test_points_stay_held_where_an_order_is_requested_while_they_are_released(rig: Rig, place: str) -> None:
    refused(rig)
    operation = requested(rig)
    with once(rig, PLACES[place], lambda: rig.table.write([operation])), pytest.raises(RedemptionMoved):
        rig.step("release")
    assert (rig.redemption.order_requested_at, rig.redemption.order_requests) == (NOON, 2)
    rig.still_held()


@pytest.mark.parametrize("place", PLACES)
def test_points_stay_held_where_a_card_is_stored_while_they_are_released(rig: Rig, place: str) -> None:
    refused(rig)
    operation = CaseStore(rig.table, rig.world.clock).delivered(rig.redemption, "T-1")
    with once(rig, PLACES[place], lambda: rig.table.write([operation])), pytest.raises(RedemptionMoved):
        rig.step("release")
    assert rig.redemption.supplier_order_id == "T-1"
    rig.still_held()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("step", ["capture", "release"])
def test_points_stay_held_where_the_run_changes_while_they_are_about_to_move(rig: Rig, place: str, step: str) -> None:
    if step == "release":
        refused(rig)
    else:
        rig.step("order")

    def decide() -> None:
        rig.journal.write(rig.run, Did("looked"))

    with once(rig, PLACES[place], decide), pytest.raises(RedemptionMoved):
        rig.step(step)
    rig.still_held()


@pytest.mark.parametrize("place", PLACES)
def test_an_order_made_while_its_points_are_released_is_delivered_by_the_machine(rig: Rig, place: str) -> None:
    refused(rig)
    operation = requested(rig)

    def order() -> None:
        rig.table.write([operation])
        rig.client.order(order_request(rig))

    with once(rig, PLACES[place], order):
        run = rig.execute()
    assert run.way == ["Screen", "Release", "Settle", "Query", "Release", "Settle", "Query", "Capture", "Fulfilled"]
    rig.fulfilled()


def test_a_refused_order_is_not_followed_by_another_one(rig: Rig) -> None:
    """As where the answer of the step was lost and it is taken again."""
    refused(rig)
    assert [rig.step("order"), rig.step("screen"), rig.step("query")] == [Progress.NOT_ORDERED] * 3
    assert (rig.run.orders, rig.orders) == (1, [])


def test_a_lost_connection_is_an_error_of_the_table_and_nothing_else(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.take("screen")

    def lost(*_: object, **__: object) -> None:
        raise TransactWriteError("lost", ReadTimeoutError(endpoint_url="http://dynamodb"))

    monkeypatch.setattr(rig.table.connection, "transact_write_items", lost)
    with pytest.raises(PynamoDBException):
        rig.step("order")
    monkeypatch.undo()
    rig.still_held()
    assert rig.step("order") is Progress.ORDERED
