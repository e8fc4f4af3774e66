"""Lists and reports on real engines: cut off at every call, done twice at once, resolved by many at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import product

import pytest

from loyalty.bulk.batches import Batches
from loyalty.bulk.steps import BatchRequest, CampaignRequest
from loyalty.core.table import Table
from loyalty.fulfillment.orders import OrderStore
from loyalty.reconciliation.errors import DifferenceAlreadyResolved
from loyalty.reconciliation.service import Reconciliation
from loyalty.reconciliation.store import ReportStore
from tests.ledgerkit.calls import Cut, Killed, dead_from, recorded
from tests.ledgerkit.clock import SettableClock
from tests.reconkit.campaigns import ACME, SPRING, Desk, one_each
from tests.reconkit.files import MemoryFiles
from tests.reconkit.orders import DAY, NOON, SUPPLIER, ListingSupplier, our, store, their

pytestmark = pytest.mark.integration

REQUEST = CampaignRequest(program=ACME, campaign=SPRING)


def begun(table: Table, members: int) -> tuple[Desk, BatchRequest]:
    desk = Desk(table, members)
    desk.create(one_each(range(members)))
    (given,) = desk.steps.begin(REQUEST)
    return desk, BatchRequest.model_validate(given["batch"])


def test_two_executions_of_one_batch_hold_each_line_once(table: Table) -> None:
    desk, batch = begun(table, 6)
    batches = Batches(desk.store, desk.files, desk.world.redemptions, workers=8)
    work = partial(batches.work, desk.world.program, SPRING, batch.batch())
    with ThreadPoolExecutor(4) as pool:
        done = [one.result() for one in [pool.submit(work) for _ in range(4)]]
    assert {one.lines for one in done} == {6}
    assert desk.run()["held"] == 6
    assert [desk.holds(number) for number in range(6)] == [1] * 6
    assert desk.world.audit() == []


def test_a_batch_that_dies_at_any_call_is_done_again_and_holds_nothing_twice(table: Table) -> None:
    desk, batch = begun(table, 2)
    with recorded(table.client) as calls:
        desk.steps.batch(REQUEST, batch)
    assert len(calls.names) > 6
    for place, cut in product(range(1, len(calls.names) + 1), Cut):
        name = f"cut-{place}-{cut.name.lower()}"
        desk.create(one_each(range(2)), campaign=name)
        request = CampaignRequest(program=ACME, campaign=name)
        (given,) = desk.steps.begin(request)
        again = BatchRequest.model_validate(given["batch"])
        before = [desk.holds(number) for number in range(2)]
        with pytest.raises(Killed), dead_from(table.client, place, cut):
            desk.steps.batch(request, again)
        assert desk.steps.batch(request, again)["held"] == 2
        assert [desk.holds(number) for number in range(2)] == [count + 1 for count in before]
    assert desk.world.audit() == []


def test_of_many_who_resolve_a_difference_at_once_one_does(table: Table) -> None:
    clock, supplier = SettableClock(NOON + timedelta(hours=16)), ListingSupplier(listed=[their(2)])
    reports = ReportStore(table, clock)
    store(table, [our(1), our(2)])
    made = Reconciliation(
        orders=OrderStore(table),
        suppliers={SUPPLIER: supplier}.__getitem__,
        reports=reports,
        files=MemoryFiles(),
        clock=clock,
    )
    report, still_open = made.make(SUPPLIER, DAY)
    assert (report.matched, still_open) == (1, 1)
    (one,) = reports.open(SUPPLIER, limit=10).items

    def resolve(number: int) -> str | None:
        try:
            return reports.resolve(SUPPLIER, DAY, one.id, actor=f"person:{number}", note="found").resolved_by
        except DifferenceAlreadyResolved:
            return None

    with ThreadPoolExecutor(16) as pool:
        won = [who for who in pool.map(resolve, range(16)) if who is not None]
    assert [found.resolved_by for found in reports.differences(SUPPLIER, DAY)] == won
    assert reports.open(SUPPLIER, limit=10).items == []
    assert made.make(SUPPLIER, DAY)[1] == 0
