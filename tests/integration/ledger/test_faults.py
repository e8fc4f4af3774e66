"""Faults between us and the table: what passes by itself is retried, what does not leaves nothing half done."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pynamodb.exceptions import PynamoDBException

from loyalty.core import problems
from loyalty.core.errors import WalletBusy
from loyalty.core.table import Table
from loyalty.ledger.service import ATTEMPTS, Ledger
from tests.engines.faults import FaultProxy, cancelled, lost_reply, lost_request, throttled
from tests.engines.fixtures import REGION, dynamodb_client
from tests.ledgerkit.tables import warm_up
from tests.ledgerkit.world import World

pytestmark = pytest.mark.integration

WRITE = "TransactWriteItems"


def accrual(world: World) -> object:
    return world.accrue("R-2", "70").entry.points


def hold(world: World) -> object:
    return world.hold("key", "ten")[0].points


Send = Callable[[World], object]
READ = "GetItem"
ITEMS_OF: dict[Send, list[str]] = {accrual: ["book", "entry"], hold: ["book", "entry", "redemption", "history"]}
"""Of the transaction, as they go over the wire."""

PASSING: dict[str, Callable[[Send], dict[str, Any]]] = {
    "the read is throttled": lambda _: throttled(READ),
    "the write is throttled": lambda _: throttled(WRITE),
    "the request is lost": lambda _: lost_request(WRITE),
    "the reply is lost and the write applied": lambda _: lost_reply(WRITE),
    "another transaction holds the book": lambda send: _held(send, "book"),
    "another transaction holds the entry": lambda send: _held(send, "entry", times=3),
}
LASTING: dict[str, dict[str, Any]] = {
    "reads are throttled": throttled(READ, times=50),
    "writes are throttled": throttled(WRITE, times=50),
    "requests are lost": lost_request(WRITE, times=50),
    "items of transactions are throttled": cancelled(["None", "ThrottlingError"], times=50),
}


def _held(send: Send, item: str, times: int = 1) -> dict[str, Any]:
    return cancelled(["TransactionConflict" if one == item else "None" for one in ITEMS_OF[send]], times=times)


@pytest.fixture
def faulty(table: Table, fault_proxy: FaultProxy, warmed: set[str]) -> Iterator[World]:
    """The same table through the proxy, without rules as yet."""
    if fault_proxy.endpoint not in warmed:
        warm_up(dynamodb_client(fault_proxy.endpoint), table.name)
        warmed.add(fault_proxy.endpoint)
    behind = Table(table.name, endpoint=fault_proxy.endpoint, region=REGION)
    yield World(behind).enroll()
    fault_proxy.inject()


@pytest.mark.parametrize("send", [accrual, hold])
@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_not_seen(
    faulty: World, table: Table, fault_proxy: FaultProxy, fault: str, send: Send
) -> None:
    faulty.accrue("R-1", "70")
    rule = PASSING[fault](send)
    struck = len(fault_proxy.fired())
    fault_proxy.inject(rule)
    assert send(faulty) in {70, 10}
    assert len(fault_proxy.fired()) - struck == rule["times"]
    direct = World(table)
    assert direct.book().seq == 2
    assert send(direct) in {70, 10}
    direct.proven()
    assert direct.book().seq == 2


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_ends_the_request_and_writes_nothing(
    faulty: World, table: Table, fault_proxy: FaultProxy, fault: str
) -> None:
    direct = World(table)
    before = direct.dump()
    fault_proxy.inject(LASTING[fault])
    with pytest.raises(PynamoDBException) as failure:
        accrual(faulty)
    assert problems.of(failure.value).status == 503
    fault_proxy.inject()
    assert direct.dump() == before
    accrual(faulty)
    assert direct.proven().available == 70


def test_a_reply_lost_for_good_is_found_by_the_next_delivery(
    faulty: World, table: Table, fault_proxy: FaultProxy
) -> None:
    fault_proxy.inject(lost_reply(WRITE, times=50))
    with pytest.raises(PynamoDBException) as failure:
        accrual(faulty)
    assert problems.of(failure.value).status == 503
    fault_proxy.inject()
    assert World(table).wallet().available == 70
    assert faulty.accrue("R-2", "70").replayed
    World(table).proven()
    assert World(table).book().seq == 1


def test_a_wallet_that_others_never_leave_alone_is_busy_by_name(
    faulty: World, table: Table, fault_proxy: FaultProxy
) -> None:
    waits: list[float] = []
    ledger = Ledger(faulty.table, faulty.clock, sleep=waits.append)
    faulty.accruals._ledger = ledger
    struck = len(fault_proxy.fired())
    fault_proxy.inject(_held(accrual, "book", times=50))
    with pytest.raises(WalletBusy):
        accrual(faulty)
    assert len(fault_proxy.fired()) - struck == ATTEMPTS
    assert 0 <= min(waits) <= max(waits) <= 0.3
    fault_proxy.inject()
    World(table).proven()
    assert World(table).book().seq == 0
