"""Nothing is ordered without the money for it: the supplier's balance, and what the program may spend in a month."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment import budget
from loyalty.fulfillment.gate import Balance, Busy, Gate, Low, answered, failed, permitted
from loyalty.fulfillment.model import Progress
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.run import RunStatus
from loyalty.suppliers.model import SupplierTimeout
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import NOON
from tests.unit.fulfillment.rig import COFFEE, Rig, gift_card

TEN = Money.of("10.00", "USD")
POLICY = FulfillmentPolicy(
    permits_per_second=2, breaker_failures=3, breaker_seconds=30, floors={"USD": Decimal("100.00")}
)
CAREFUL = FulfillmentPolicy(floors={"USD": Decimal("100.00")}, funds_seconds=60, breaker_failures=100)


def later(seconds: float) -> Any:
    return NOON + timedelta(seconds=seconds)


def left(amount: str) -> Gate:
    return Gate(balances={"USD": Balance(Money.of(amount, "USD"), NOON)})


def test_so_many_orders_are_counted_in_a_second_and_the_next_ones() -> None:
    gate: Any = Gate()
    seconds = []
    for moment in (0, 0.1, 0.9, 1, 1.5, 1.6, 1.7, 1.8):
        gate = permitted(gate, TEN, later(moment), POLICY)
        seconds.append(gate.second - int(NOON.timestamp()))
    assert seconds == [0, 0, 1, 1, 2, 2, 3, 3]
    assert permitted(gate, TEN, later(1.9), POLICY) == Busy(2, "rate_limited")
    # A clock that is behind does not open a second that was counted.
    assert permitted(gate, TEN, later(0), POLICY) == Busy(2, "rate_limited")
    # Who has no money takes nobody's place.
    assert permitted(replace(gate, balances=left("1.00").balances), TEN, later(1.9), POLICY) == Low(
        Money.of("1.00", "USD")
    )


def test_a_supplier_that_fails_is_left_alone_and_tried_by_one() -> None:
    gate = Gate()
    for _ in range(2):
        gate = failed(gate, NOON, POLICY)
    assert isinstance(permitted(gate, TEN, NOON, POLICY), Gate)
    gate = failed(gate, NOON, POLICY)
    assert permitted(gate, TEN, later(29), POLICY) == Busy(2, "breaker_open")
    trial = permitted(gate, TEN, later(30), POLICY)
    assert isinstance(trial, Gate)
    assert permitted(trial, TEN, later(31), POLICY) == Busy(60, "breaker_open")
    # It died without a word: the next one tries.
    assert isinstance(permitted(trial, TEN, later(90), POLICY), Gate)
    assert failed(trial, later(31), POLICY).open_until == later(61)
    assert answered(trial) == Gate(second=trial.second, sent=trial.sent)


@pytest.mark.parametrize(
    ("balance", "outcome"),
    [("110.00", "0.00"), ("109.99", Low(Money.of("109.99", "USD"))), ("1000.00", "890.00")],
)
def test_a_card_and_the_floor_must_be_covered(balance: str, outcome: Any) -> None:
    after = permitted(left(balance), TEN, NOON, POLICY)
    if isinstance(outcome, Low):
        assert after == outcome
    else:
        assert isinstance(after, Gate)
        assert after.balances["USD"].left == Money.of(str(Decimal(balance) - 10), "USD")
    # What is sent again was taken off before.
    assert isinstance(permitted(left(balance), None, NOON, POLICY), Gate)


def test_the_gate_is_one_for_all_and_counts_what_was_let_through(table: Table, sandbox: SandboxSupplier) -> None:
    rig = Rig(table, sandbox, policy=POLICY)
    asked: list[str] = []

    def balance(currency: str) -> Money:
        asked.append(currency)
        return Money.of("130.00", "USD")

    verdicts: list[Any] = []
    for _ in range(4):
        verdicts.append(rig.gates.permit("tremendous", TEN, balance))
        rig.world.clock.advance(seconds=1)
    assert verdicts == [None, None, None, Low(Money.of("100.00", "USD"))]
    assert asked == ["USD"]
    rig.world.clock.advance(seconds=60)
    assert rig.gates.permit("tremendous", TEN, balance) is None
    assert len(asked) == 2


def test_an_order_waits_for_the_suppliers_balance_and_goes_on_by_itself(
    table: Table, sandbox: SandboxSupplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(table, sandbox, policy=CAREFUL)
    balances = iter(["109.99", "0.00", "500.00"])
    monkeypatch.setattr(rig.client, "balance", lambda currency: Money.of(next(balances), currency))
    assert rig.take("screen").status is Progress.CLEAR
    answer = rig.take("order")
    assert (answer.status, answer.wait) == (Progress.AGAIN, 60)
    assert (rig.run.status, rig.run.reason, rig.run.orders) == (RunStatus.AWAITING_FUNDS, "supplier_balance_low", 0)
    assert rig.orders == []
    rig.world.clock.advance(seconds=60)
    assert rig.execute().way == ["Screen", "Order", "Pause", "Order", "Capture", "Fulfilled"]
    rig.fulfilled()
    assert (rig.timeline[-1].at - NOON).total_seconds() == 60 + 120


def of(amount: str) -> Any:
    return program(
        rewards=[gift_card(), COFFEE], fulfillment={"monthly_budget": [{"value": amount, "currency": "USD"}]}
    )


def spent(rig: Rig, month: str = "2026-03") -> Money:
    return budget.spent(rig.table, "acme", month, "USD")


def test_a_months_budget_is_counted_once_for_each_order_and_given_back_by_a_dead_one(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox, of=of("20.00"))
    rig.faults({"fault": "error_500", "times": 2}, {"fault": "refuse", "times": 1})
    assert rig.execute().error == "OrderRefused"  # sent three times, refused, asked for
    assert spent(rig) == Money.of("0.00", "USD")
    more = [rig.hold(f"k-b{number}") for number in range(2)]
    for redemption in more:
        rig.take("screen", redemption)
        assert rig.step("order", redemption) is Progress.ORDERED
        rig.step("order", redemption)
    assert spent(rig) == Money.of("20.00", "USD")


def test_an_order_beyond_the_budget_waits_unless_a_person_let_it_go_beyond(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox, of=of("10.00"))
    rival, third = rig.hold("k-2"), rig.hold("k-3")
    assert [rig.take("screen", each).status for each in (None, rival)] == [Progress.CLEAR] * 2
    assert [rig.step("order"), rig.step("order", rival)] == [Progress.ORDERED, Progress.AGAIN]
    run = rig.runs.get("acme", rival.redemption_id)
    assert (run.status, run.reason) == (RunStatus.AWAITING_FUNDS, "program_budget_spent")
    assert rig.take("screen", third).status is Progress.APPROVAL
    rig.decisions.approve("acme", third.redemption_id, actor="person:anna")
    assert rig.step("order", third) is Progress.ORDERED
    assert spent(rig) == Money.of("20.00", "USD")
    # The next month has a budget of its own.
    rig.world.clock.set("2026-04-01T00:00:00Z")
    assert rig.step("order", rival) is Progress.ORDERED
    assert (spent(rig), spent(rig, "2026-04")) == (Money.of("20.00", "USD"), TEN)


def test_a_supplier_without_money_for_an_order_is_waited_for(table: Table, sandbox: SandboxSupplier) -> None:
    """Its balance could not be known beforehand; it refuses for want of money alone."""
    rig = Rig(table, sandbox)
    rig.faults({"fault": "refuse", "status": 402, "times": 1})
    assert rig.step("order") is Progress.AGAIN
    assert (rig.run.status, rig.run.reason) == (RunStatus.AWAITING_FUNDS, "supplier_balance_low")
    assert rig.execute().succeeded
    rig.fulfilled()
    assert [order.external_id for order in rig.ours] == [rig.held.redemption_id]


def test_a_supplier_without_money_is_asked_ever_less_often_and_then_by_a_person(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox)
    rig.faults({"fault": "refuse", "status": 402})
    rig.take("screen")
    waits: list[int | None] = []
    while (answer := rig.take("order")).status is Progress.AGAIN and len(waits) < 1_000:
        waits.append(answer.wait)
        rig.world.clock.advance(seconds=answer.wait or 0)
    assert waits[:6] == [300, 600, 1200, 2400, 3600, 3600]
    assert (rig.run.status, rig.run.reason) == (RunStatus.ATTENTION, "supplier_balance_low")
    assert rig.timeline[-1].at - NOON == timedelta(days=30, minutes=15)
    assert len(waits) == 4 + 719  # 75 minutes, then every hour until 30 days have passed
    rig.still_held()


def test_what_was_counted_while_money_was_missing_does_not_make_a_fault_look_old(
    table: Table, sandbox: SandboxSupplier
) -> None:
    rig = Rig(table, sandbox)
    rig.faults({"fault": "refuse", "status": 402, "times": 8}, {"fault": "error_500", "times": 1})
    assert rig.execute().way == ["Screen", *["Order", "Pause"] * 9, "Order", "Capture", "Fulfilled"]
    rig.fulfilled()


def test_a_hiccup_after_a_day_of_waiting_for_money_is_no_day_of_silence(
    table: Table, sandbox: SandboxSupplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(table, sandbox, policy=CAREFUL)
    silent = False

    def balance(currency: str) -> Money:
        if silent:
            raise SupplierTimeout("no answer")
        return Money.of("1.00", currency)

    monkeypatch.setattr(rig.client, "balance", balance)
    rig.take("screen")
    while rig.world.clock() < NOON + timedelta(hours=25):
        rig.world.clock.advance(seconds=rig.take("order").wait or 0)
    silent, since = True, rig.world.clock()
    assert rig.take("order").status is Progress.AGAIN
    assert (rig.run.status, rig.run.reason, rig.run.waiting_since) == (RunStatus.ORDERING, "supplier_timeout", since)
    # A day of silence is one, and money that is missing anew has its own days.
    while (answer := rig.take("order")).status is Progress.AGAIN and rig.world.clock() < since + timedelta(hours=12):
        rig.world.clock.advance(seconds=answer.wait or 0)
    silent = False
    rig.world.clock.advance(seconds=60)
    assert rig.take("order").wait == 60
    assert (rig.run.status, rig.run.waiting_since) == (RunStatus.AWAITING_FUNDS, rig.world.clock())
    silent = True
    while (answer := rig.take("order")).status is Progress.AGAIN:
        rig.world.clock.advance(seconds=answer.wait or 0)
    assert (answer.status, rig.run.reason) == (Progress.ATTENTION, "supplier_timeout")
