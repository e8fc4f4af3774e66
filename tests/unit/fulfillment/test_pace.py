"""Many cards of one supplier: each waits once, for its turn, and no second has more orders than may be."""

import heapq
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment.cases import Card, Case, Source
from loyalty.fulfillment.gate import SOON_SECONDS, Gates, supplier_pk
from loyalty.fulfillment.journal import Did, Journal
from loyalty.fulfillment.model import Progress
from loyalty.fulfillment.outcomes import Outcomes
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.fulfillment.runs import RunStore
from loyalty.fulfillment.turns import TURNS_SK, Turns
from loyalty.fulfillment.waiting import Waiting
from tests.ledgerkit.world import NOON
from tests.unit.fulfillment.rig import PROGRAM, Rig
from tests.unit.fulfillment.tables import tapped

CARDS: Final = 10_000
PERMITS: Final = 5
POLICY: Final = FulfillmentPolicy(permits_per_second=PERMITS)
TEN: Final = Money.of("10.00", "USD")
CARD: Final = Card(TEN, [Source("tremendous", "product")])
ALONE: Final = ["Screen", "Order", "Capture", "Fulfilled"]


class Clock:
    """Goes on while something sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> datetime:
        return NOON + timedelta(seconds=self.at)

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Programs:
    """One without a budget."""

    def current(self, _program: str) -> Any:
        return PROGRAM


class Rich:
    """A supplier that has money."""

    name = "tremendous"

    def balance(self, currency: str) -> Money:
        return Money.of("100000000.00", currency)


PROGRAMS: Final[Any] = Programs()
RICH: Final[Any] = Rich()
NOTHING: Final[Any] = None
"""What is not looked at while an order waits."""


class Crowd:
    """Runs that come within a minute, each to be ordered; each comes back when it is told to, or a little later."""

    def __init__(self, table: Table, cards: int, seed: int) -> None:
        self.clock, self.chance = Clock(), random.Random(seed)  # noqa: S311 - a history, no secret
        self.store = RunStore(table)
        journal = Journal(table, self.clock, sleep=self.clock.sleep)
        gates = Gates(table, POLICY, self.clock, sleep=self.clock.sleep)
        parts: dict[str, Any] = {"gates": gates, "journal": journal, "policy": POLICY, "clock": self.clock}
        self.waiting = Waiting(
            table=table,
            programs=PROGRAMS,
            turns=Turns(table, POLICY, self.clock),
            outcomes=Outcomes(table=table, vault=NOTHING, **parts),
            **parts,
        )
        for number in range(cards):
            journal.open(a_run(number), Did("screen"))
        self.calls: Counter[int] = Counter()
        self.sent: list[datetime] = []

    def live(self, cards: int) -> None:
        """Until every order was sent."""
        due = [(self.chance.uniform(0, 60), number) for number in range(cards)]
        heapq.heapify(due)
        while due:
            now, number = heapq.heappop(due)
            self.clock.at = now
            self.calls[number] += 1
            case = Case(NOTHING, self.store.get("acme", f"rdm_{number}"), None)
            answer = self.waiting.needed(case, CARD, RICH, first=True)
            if answer is None:
                self.sent.append(self.clock())
                continue
            assert answer.status is Progress.AGAIN
            assert answer.wait is not None
            heapq.heappush(due, (now + answer.wait + self.chance.uniform(0.05, 1.5), number))


def a_run(number: int) -> Run:
    return Run(
        program="acme",
        redemption_id=f"rdm_{number}",
        member_id=f"mbr_{number}",
        reward_id="card",
        points=200,
        value=TEN,
        requested_by="client:app",
        opened_at=NOON,
        status=RunStatus.ORDERING,
    )


def test_thousands_come_twice_each_and_never_too_many_in_a_second(table: Table) -> None:
    crowd = Crowd(table, CARDS, seed=5)
    crowd.live(CARDS)
    assert len(crowd.sent) == CARDS
    assert max(crowd.calls.values()) == 2
    seconds = Counter(int(moment.timestamp()) for moment in crowd.sent)
    assert max(seconds.values()) <= PERMITS
    # A tenth slower than the supplier allows, and no slower than that.
    assert (max(crowd.sent) - NOON).total_seconds() == pytest.approx(CARDS / PERMITS * 1.1, abs=2 * SOON_SECONDS)


def test_a_turn_is_one_runs_and_the_next_one_is_later(table: Table) -> None:
    turns = Turns(table, POLICY, lambda: NOON)
    assert [turns.take("tremendous") - NOON for _ in range(3)] == [timedelta(milliseconds=220) * n for n in range(3)]
    # Turns that nobody took are lost; each supplier has its own.
    later = Turns(table, POLICY, lambda: NOON + timedelta(hours=1))
    assert [later.take(name) - NOON for name in ("tremendous", "another")] == [timedelta(hours=1)] * 2


@pytest.mark.parametrize("place", range(3))
def test_who_is_overtaken_while_they_take_a_turn_has_the_next_one(table: Table, place: int) -> None:
    turns, calls = Turns(table, POLICY, lambda: NOON), iter(range(100))
    others: list[datetime] = []

    def told(_call: str) -> None:
        if next(calls) == place:
            others.append(turns.take("tremendous"))

    with tapped(table, told):
        own = turns.take("tremendous")
    assert sorted([own, *others]) == [NOON, NOON + timedelta(milliseconds=220)]


def test_a_run_waits_once_for_a_turn_that_is_hours_away(rig: Rig) -> None:
    rig.wait_behind(hours=9)
    execution = rig.execute()
    assert execution.way == ["Screen", "Order", "Pause", "Order", "Capture", "Fulfilled"]
    assert execution.events < 100
    rig.fulfilled()
    assert rig.told() == ["screen done", "order waiting", "order asked", "order issued", "capture done"]
    waited = rig.timeline[2].at - rig.timeline[1].at
    assert timedelta(hours=9) <= waited <= timedelta(hours=9, seconds=2)
    assert rig.run.turn_at is None


def test_a_worker_that_dies_after_it_waited_keeps_its_turn(rig: Rig) -> None:
    rig.wait_behind(hours=1)
    rig.take("screen")
    first = rig.take("order")
    turn = rig.run.turn_at
    rig.world.clock.advance(seconds=600)
    again = rig.take("order")
    assert (first.wait or 0) - (again.wait or 0) == 600
    assert (rig.run.turn_at, rig.run.reason, rig.run.status) == (turn, "rate_limited", RunStatus.ORDERING)


def test_what_is_cancelled_while_it_waits_for_its_turn_does_not_wait_for_it(rig: Rig) -> None:
    rig.wait_behind(hours=9)
    rig.take("screen")
    rig.take("order")
    rig.executions.alive.add(rig.held.redemption_id)
    rig.decisions.cancel("acme", rig.held.redemption_id, actor="person:anna", note="a mistake")
    assert rig.executions.started[-1] == f"{rig.held.redemption_id}-2"
    assert rig.execute().way == ["Screen", "Release", "Closed"]
    assert (rig.run.status, rig.orders) == (RunStatus.CANCELLED, [])
    # The first one wakes, and finds nothing left to do.
    assert rig.take("order").status is Progress.CLOSED
    assert rig.ends() == ["release"]


def test_without_money_nobody_takes_a_turn(
    table: Table, sandbox: SandboxSupplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(table, sandbox, policy=POLICY)
    monkeypatch.setattr(rig.client, "balance", lambda currency: Money.of("1.00", currency))
    rig.take("screen")
    assert rig.step("order") is Progress.AGAIN
    assert rig.run.reason == "supplier_balance_low"
    assert table.read(supplier_pk("tremendous"), TURNS_SK) is None
