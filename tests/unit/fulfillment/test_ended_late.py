"""Orders that end days after they were asked for: the daily report of their end compares them once more."""

from datetime import date

import pytest

from loyalty.fulfillment.model import Progress
from loyalty.fulfillment.orders import ENDED_PREFIX, OrderStore
from loyalty.fulfillment.run import RunStatus
from loyalty.reconciliation.model import Difference, DifferenceKind, Report
from loyalty.reconciliation.service import Reconciliation
from loyalty.reconciliation.store import ReportStore
from loyalty.suppliers.model import Outcome
from tests.reconkit.files import MemoryFiles
from tests.unit.fulfillment.rig import Rig

FINANCE = "client:finance"


def reconciled(rig: Rig, day: date) -> tuple[Report, list[Difference]]:
    """The report of a day, through the supplier's API, and its open differences."""
    reports = ReportStore(rig.table, rig.world.clock)
    made = Reconciliation(
        orders=OrderStore(rig.table),
        suppliers=rig.suppliers.get,
        reports=reports,
        files=MemoryFiles(),
        clock=rig.world.clock,
    )
    report, _ = made.make("tremendous", day)
    return report, [one for one in reports.differences("tremendous", day) if one.open]


def cancelled(rig: Rig) -> date:
    """Cancels the run; the day on which its order ended."""
    rig.decisions.cancel("acme", rig.held.redemption_id, actor=FINANCE, note="not wanted")
    rig.executions.alive.clear()
    assert rig.execute().way == ["Screen", "Release", "Closed"]
    assert (rig.run.status, rig.world.proven().available) == (RunStatus.CANCELLED, 1000)
    return rig.world.clock().date()


def missing_here(rig: Rig, day: date) -> bool:
    """Whether the report of that day alone says that the supplier has an order for points that went back."""
    report, found = reconciled(rig, day)
    assert (report.ours_count, report.theirs_count, report.theirs) == (0, 0, {}), "its own day's report counts it"
    return [(one.kind, one.redemption_id) for one in found] == [(DifferenceKind.MISSING_HERE, rig.held.redemption_id)]


def test_a_void_that_the_supplier_did_not_do_is_found_weeks_later(rig: Rig) -> None:
    rig.execute()
    rig.fulfilled()
    rig.world.clock.advance(days=20)
    ended_on = cancelled(rig)
    assert reconciled(rig, ended_on)[1] == []
    rig.orders[0].status = "EXECUTED"
    assert missing_here(rig, ended_on)


def test_an_order_that_the_supplier_denied_when_the_points_went_back_is_found(rig: Rig) -> None:
    rig.faults({"fault": "late_success", "settle_after": 99})
    rig.step("order")
    rig.take("attention", error="Lambda.Unknown")
    rig.world.clock.advance(days=6)
    ended_on = cancelled(rig)
    (order,) = rig.ours
    assert (order.outcome, reconciled(rig, ended_on)[1]) == (Outcome.REFUSED, [])
    rig.orders[0].asks_until_seen = 0
    assert missing_here(rig, ended_on)


def test_an_order_that_died_at_the_supplier_on_a_later_day_is_found_should_it_stand(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 99})
    assert rig.step("order") is Progress.PENDING
    rig.world.clock.advance(days=3)
    rig.sandbox.book.settle(rig.orders[0].id, "FAILED")
    assert rig.step("query") is Progress.NOT_ORDERED
    ended_on = rig.world.clock().date()
    assert reconciled(rig, ended_on)[1] == []
    rig.orders[0].status = "EXECUTED"
    assert missing_here(rig, ended_on)


@pytest.mark.parametrize(("days", "written"), [(0, 0), (1, 1)])
def test_nothing_is_written_for_an_order_that_ends_on_its_own_day(rig: Rig, days: int, written: int) -> None:
    rig.execute()
    rig.world.clock.advance(days=days)
    ended_on = cancelled(rig)
    assert sum(raw["sk"]["S"].startswith(ENDED_PREFIX) for raw in rig.table.scan()) == written
    assert list(OrderStore(rig.table).ended_on("tremendous", ended_on)) == rig.ours * written
