"""Points go back for no card alone: not while a request is under way, nor on the word of a list that lags behind."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from infra.local.supplier.orders import OrderBook
from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment import budget
from loyalty.fulfillment.model import Progress, RedemptionMoved
from loyalty.fulfillment.run import RunStatus
from loyalty.rewards.model import Party, RedemptionStatus
from loyalty.suppliers.model import Outcome
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON
from tests.unit.fulfillment.faults import LATE_SECONDS, FaultySupplier
from tests.unit.fulfillment.lives import Throttled
from tests.unit.fulfillment.rig import COFFEE, Book, Killed, Rig, gift_card
from tests.unit.fulfillment.tables import tapped

TEN = Money.of("10.00", "USD")
BUDGETED = program(
    rewards=[gift_card(), COFFEE], fulfillment={"monthly_budget": [{"value": "10.00", "currency": "USD"}]}
)
HIDDEN = {"fault": "listed_late", "settle_seconds": 300}


@pytest.fixture
def rig(table: Table) -> Iterator[Rig]:
    """The supplier dates and hides its orders by our clock."""
    clock = SettableClock(NOON)
    with SandboxSupplier(book=OrderBook(clock=clock)) as supplier:
        yield Rig(table, supplier, of=BUDGETED, clock=clock)


def cancel(rig: Rig) -> None:
    rig.decisions.cancel("acme", rig.held.redemption_id, actor="person:anna", note="not wanted")


def cancelled(rig: Rig) -> None:
    """What the supplier has is taken back there, and the points are back."""
    assert [order.status for order in rig.orders] == ["CANCELED"]
    assert rig.run.status is RunStatus.CANCELLED
    assert rig.ends()[-1] in {"release", "cancellation"}
    assert rig.world.proven().available == 1000
    assert spent(rig) == Money.of("0.00", "USD")


def spent(rig: Rig) -> Money:
    return budget.spent(rig.table, "acme", "2026-03", "USD")


def at_call(rig: Rig, event: str, act: Callable[[], object]) -> None:
    """Lets somebody else act once, where a call to the supplier is about to be made, or was just answered."""
    waiting, point = [act], rig.fuse.point

    def told(name: str) -> None:
        if waiting and name == event:
            waiting.pop()()
        point(name)

    rig.fuse.point = told  # type: ignore[method-assign]


def test_who_gives_up_while_an_order_may_still_arrive_waits_for_it(rig: Rig) -> None:
    """Answered 504, given up in the pause before it is sent again; it appears a second before the wait is over."""
    rig.faults({"fault": "late_success", "settle_seconds": rig.policy.settle_seconds - 1, "times": 1})
    rig.executions.alive.add(rig.held.redemption_id)
    rig.when_waiting = lambda: cancel(rig)
    assert rig.execute().way == [
        "Screen", "Order", "Pause", "Order", "Release", "Settle", "Query", "Release", "Closed",
    ]  # fmt: skip
    cancelled(rig)
    assert rig.timeline[-1].at == NOON + timedelta(seconds=60)


def test_the_wait_begins_anew_with_each_request(rig: Rig) -> None:
    rig.faults({"fault": "error_500", "times": 2})
    for _ in range(2):
        assert rig.step("order") is Progress.AGAIN
        rig.world.clock.advance(seconds=40)
    assert (rig.ours[0].asked_at, rig.ours[0].last_asked_at) == (NOON, NOON + timedelta(seconds=40))
    cancel(rig)
    answer = rig.take("release")
    assert (answer.status, answer.wait) == (Progress.UNKNOWN, 20)
    assert rig.ours[0].outcome is Outcome.AMBIGUOUS
    rig.still_held()
    rig.world.clock.advance(seconds=19.5)
    assert rig.take("release").wait == 1
    rig.world.clock.advance(seconds=0.5)
    assert rig.take("release").status is Progress.CLOSED
    rig.written_down(RunStatus.CANCELLED)


def test_who_gives_up_while_the_request_is_on_its_way_waits_for_it(table: Table, sandbox: SandboxSupplier) -> None:
    """The step that sent it cannot write what it heard: the run has changed. The next one has heard nothing."""
    rig, supplier = Rig(table, sandbox), FaultySupplier()
    rig.rebuild(Book(supplier))
    supplier.clock, supplier.plan = rig.world.clock, {"order": ["late"]}
    rig.executions.alive.add(rig.held.redemption_id)
    asked: list[str] = []

    def meanwhile(call: str) -> None:
        if call == "order" and call not in asked:
            cancel(rig)
        asked.append(call)

    supplier.during = meanwhile
    assert rig.execute().way == ["Screen", "Order", "Release", "Settle", "Query", "Release", "Closed"]
    assert asked == ["balance", "order", "find", "find", "cancel"]
    assert (supplier.standing, rig.ends(), rig.run.status) == ([], ["release"], RunStatus.CANCELLED)
    assert rig.policy.settle_seconds > LATE_SECONDS


@pytest.mark.parametrize("captured", [True, False])
def test_an_issued_card_that_the_supplier_does_not_show_is_no_missing_one(rig: Rig, captured: bool) -> None:
    rig.faults(HIDDEN)
    rig.step("order")
    if captured:
        rig.step("capture")
    cancel(rig)
    assert rig.execute().error == "Unresolved"
    assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "order_vanished")
    assert rig.redemption.status is (RedemptionStatus.CAPTURED if captured else RedemptionStatus.HELD)
    assert ([order.status for order in rig.orders], spent(rig)) == (["EXECUTED"], TEN)
    rig.world.clock.advance(seconds=300)
    cancel(rig)
    assert rig.execute().succeeded
    cancelled(rig)


def test_a_pending_order_that_the_supplier_does_not_show_is_no_missing_one(rig: Rig) -> None:
    rig.faults({"fault": "pending", "settle_after": 9})
    assert rig.step("order") is Progress.PENDING
    rig.orders[0].seen_from = NOON + timedelta(seconds=300)
    cancel(rig)
    assert rig.execute().error == "Unresolved"
    assert (rig.run.reason, rig.ends()) == ("order_vanished", [])


def test_an_order_that_was_acknowledged_without_its_card_is_no_missing_one(rig: Rig) -> None:
    """Its reply was lost, it was found, and its card was not given; then the list lags behind."""
    rig.faults({"fault": "lost_reply", "times": 1}, {"fault": "error_500", "endpoint": "link"})
    assert [rig.step("order"), rig.step("query")] == [Progress.UNKNOWN] * 2
    assert rig.ours[0].outcome is Outcome.PENDING
    rig.orders[0].seen_from = NOON + timedelta(seconds=300)
    assert rig.step("query") is Progress.ATTENTION
    assert rig.run.reason == "order_vanished"
    rig.still_held()
    rig.world.clock.advance(seconds=300)
    rig.faults()
    rig.decisions.retry("acme", rig.held.redemption_id, actor="person:anna")
    assert rig.execute().succeeded
    rig.fulfilled()


def test_a_person_can_give_captured_points_back_for_a_card_that_is_nowhere(rig: Rig) -> None:
    rig.faults(HIDDEN)
    rig.execute()
    cancel(rig)
    rig.execute()
    rig.decisions.resolve(
        "acme", rig.held.redemption_id, actor="person:anna", note="they lost it, ticket 7", give_back=True
    )
    assert (rig.run.status, rig.redemption.status) == (RunStatus.RESOLVED, RedemptionStatus.CANCELLED)
    assert (rig.ends(), rig.world.proven().available) == (["capture", "cancellation"], 1000)


def test_an_order_that_was_refused_and_stands_is_delivered_and_counted(rig: Rig) -> None:
    rig.faults({"fault": "refuse", "after": True, "times": 1})
    assert rig.step("order") is Progress.NOT_ORDERED
    assert (spent(rig), rig.ours[0].budget) == (Money.of("0.00", "USD"), None)
    rival = rig.hold("k-2")
    assert rig.step("order", rival) is Progress.ORDERED
    assert spent(rig) == TEN
    assert rig.step("release") is Progress.UNKNOWN
    assert (spent(rig), rig.ours[0].budget) == (Money.of("20.00", "USD"), "2026-03")
    assert rig.execute().succeeded
    assert (rig.run.status, rig.ours[0].issued) == (RunStatus.FULFILLED, True)
    assert spent(rig) == Money.of("20.00", "USD")  # beyond the budget: it is spent
    cancel(rig)
    assert rig.execute().succeeded
    assert (spent(rig), rig.ours[0].budget) == (TEN, None)


def test_of_two_releases_one_takes_the_card_out_of_the_budget(rig: Rig) -> None:
    """The first dies between the card's being taken back and the points; the second had read before either."""
    rig.execute()
    cancel(rig)
    written: list[str] = []

    def dies(call: str) -> None:
        written.append(call)
        if written.count("before TransactWriteItems") == 3:
            raise Killed(call)

    def first() -> None:
        with tapped(rig.table, dies), pytest.raises(Killed):
            rig.take("release")

    at_call(rig, "before GET orders", first)
    with pytest.raises(RedemptionMoved):
        rig.take("release")
    assert spent(rig) == Money.of("0.00", "USD")
    assert rig.execute().succeeded
    cancelled(rig)


def test_a_fault_of_ours_before_anybody_was_asked_needs_a_person_and_no_release(rig: Rig) -> None:
    run = rig.execute([Throttled()] * 7)
    assert (run.error, run.way) == ("Unresolved", ["Screen", "Order", "Settle", "Query", "Unresolved"])
    assert (rig.run.status, rig.run.reason, rig.run.orders) == (RunStatus.ATTENTION, "nobody_asked", 0)
    rig.still_held()
    rig.decisions.retry("acme", rig.held.redemption_id, actor="person:anna")
    assert rig.execute().succeeded
    rig.fulfilled()


def test_points_that_went_back_otherwise_need_nobody(rig: Rig) -> None:
    rig.take("screen")
    rig.world.redemptions.release(rig.world.program, MEMBER, rig.held.redemption_id, by=Party.FULFILLMENT)
    assert [rig.step("query"), rig.step("release")] == [Progress.NOT_ORDERED, Progress.RELEASED]
    assert rig.run.status is RunStatus.REFUSED
