"""Many redemptions, each with faults, crashes and people drawn at random, against the sandbox supplier over HTTP.

``LOYALTY_RANDOM_RUNS`` is how many (1,000 for the full proof), ``LOYALTY_RANDOM_SEED`` which. At the end, when everybody
who was waited for has decided, the supplier's own list, the vault, the ledger, the runs and our orders say the same, to
the cent and the point.
"""

import os
import random
from contextlib import nullcontext, suppress
from decimal import Decimal
from typing import Any, Final

import pytest

from infra.local.supplier.server import SandboxSupplier
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.fulfillment import budget
from loyalty.fulfillment.errors import NotAwaitingApproval, NotReissuable, NotRetryable, RunEnded
from loyalty.fulfillment.orders import OrderStore
from loyalty.fulfillment.policy import FulfillmentPolicy
from loyalty.fulfillment.runs import Run, RunStatus
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.vault.store import CARD_SK, CardItem, card_pk
from tests.ledgerkit.programs import program
from tests.unit.fulfillment.rig import COFFEE, Killed, Rig, gift_card
from tests.unit.fulfillment.test_cut_points import fused

RUNS: Final = int(os.environ.get("LOYALTY_RANDOM_RUNS", "12"))
SEED: Final = int(os.environ.get("LOYALTY_RANDOM_SEED", "20261122"))
EACH: Final = 5
"""Cards that a member's points pay for."""
FAULTS: Final[list[dict[str, Any]]] = [
    {"fault": "refuse"},
    {"fault": "out_of_stock"},
    {"fault": "refuse", "status": 402},
    {"fault": "error_500"},
    {"fault": "error_500", "after": True},
    {"fault": "rate_limit", "delay": 1},
    {"fault": "html"},
    {"fault": "nonsense", "after": True},
    {"fault": "lost_reply"},
    {"fault": "late_after_success", "delay": 0.12},
    {"fault": "hang", "delay": 0.12},
    {"fault": "duplicate"},
    {"fault": "wrong_amount"},
    {"fault": "pending", "settle_after": 2},
    {"fault": "late_success", "settle_after": 1},
    {"fault": "html", "endpoint": "list"},
    {"fault": "error_500", "endpoint": "list"},
    {"fault": "error_500", "endpoint": "link"},
    {"fault": "lost_reply", "endpoint": "link"},
    {"fault": "error_500", "endpoint": "cancel"},
    {"fault": "lost_reply", "endpoint": "cancel"},
    {"fault": "refuse", "endpoint": "cancel"},
    {"fault": "nonsense", "endpoint": "balance"},
]
RULES: Final = {
    "approve_above": [{"value": "25.00", "currency": "USD"}],
    "monthly_budget": [{"value": "1000000.00", "currency": "USD"}],
}


def plan(chance: random.Random) -> list[dict[str, Any]]:
    """None to three faults, each of them once or twice."""
    chosen = chance.sample(FAULTS, chance.choice((0, 1, 1, 2, 3)))
    return [{**fault, "times": chance.choice((1, 1, 2))} for fault in chosen]


class Life:
    """One redemption after the other, as it comes."""

    def __init__(self, rig: Rig, chance: random.Random) -> None:
        self.rig = rig
        self.chance = chance

    def live(self, redemption: Redemption) -> None:
        """From its hold until it is over, or nobody knows what else to do."""
        self.rig.held = redemption
        self.rig.executions.started.append(redemption.redemption_id)
        self.rig.faults(*plan(self.chance))
        self._execute()
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            self._meddle()
            self._execute()
        self.rig.faults()
        for decide in ("approve", "retry", "cancel", "cancel"):
            if self._run().ended and self._run().ends_as is None and not self._run().replaces:
                return
            self._decide(decide)
            self._execute()

    def _run(self) -> Run:
        return self.rig.run

    def _execute(self) -> None:
        """An execution that may die, in which case another one is started for it."""
        place = self.chance.randrange(80) if self.chance.random() < 0.4 else None
        with fused(self.rig) if place is not None else nullcontext():
            self.rig.fuse.arm(*([] if place is None else [place]))
            with suppress(Killed):
                self.rig.execute(fatal=self.chance.random() < 0.5)
            self.rig.fuse.arm()
        if self.rig.runs.find("acme", self.rig.held.redemption_id) is None:
            self.rig.execute()

    def _meddle(self) -> None:
        what = self.chance.choice(("approve", "reject", "retry", "cancel", "reissue"))
        self._decide(what)

    def _decide(self, what: str) -> None:
        self.rig.executions.alive.clear()
        with suppress(NotAwaitingApproval, NotRetryable, NotReissuable, RunEnded):
            getattr(self.rig.decisions, what)("acme", self.rig.held.redemption_id, actor="person:anna", note="so")


@pytest.mark.parametrize("seed", [SEED])
def test_the_books_of_all_sides_agree(table: Table, sandbox: SandboxSupplier, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a history, no secret
    careful = FulfillmentPolicy(permits_per_second=1_000, breaker_failures=6, breaker_seconds=5, requests=3, queries=4)
    rig = Rig(
        table, sandbox, of=program(rewards=[gift_card(), COFFEE], fulfillment=RULES), read_seconds=0.1, policy=careful
    )
    life = Life(rig, chance)
    members: list[str] = []
    held = [rig.held]
    life.live(rig.held)
    while len(held) < RUNS:
        member = f"mbr_r{len(members)}"
        members.append(member)
        rig.world.enroll(member)
        rig.world.accrue(f"R-{member}", str(200 * EACH), member=member)
        for number in range(EACH):
            quantity = 1 if number else chance.choice((1, 1, 2, 3))
            with suppress(Exception):
                held.append(rig.hold(f"k-{number}", quantity=quantity, member=member))
                life.live(held[-1])
    agree(rig, held)


def agree(rig: Rig, held: list[Redemption]) -> None:
    """The supplier's list, our orders, the vault, the runs and the ledger, against each other."""
    runs = [rig.runs.get("acme", each.redemption_id) for each in held]
    now = [rig.world.redemptions.get("acme", each.member_id, each.redemption_id) for each in held]
    orders = [order for run in runs for order in OrderStore(rig.table).of_run("acme", run.redemption_id)]
    issued = {order.external_id: order for order in orders if order.issued}
    theirs = {order.external_id: order for order in rig.orders if order.status == "EXECUTED"}
    open_runs = [run for run in runs if not run.ended]
    assert all(run.reason for run in open_runs), open_runs
    waiting = {run.external_id for run in open_runs}
    assert set(theirs) - waiting == set(issued) - waiting
    assert all(order.supplier_order_id == theirs[key].id for key, order in issued.items() if key not in waiting)
    settled = {key: order for key, order in issued.items() if key not in waiting}
    fulfilled = [run for run in runs if run.status is RunStatus.FULFILLED]
    assert {run.external_id for run in fulfilled} == set(settled)
    captured = [each for each in now if each.status is RedemptionStatus.CAPTURED]
    stuck = {run.redemption_id for run in open_runs}
    assert {run.redemption_id for run in fulfilled} == {each.redemption_id for each in captured} - stuck
    worth = sum((Decimal(str(theirs[key].request["reward"]["value"]["denomination"])) for key in settled), Decimal(0))
    assert worth == sum((run.value.amount for run in fulfilled), Decimal(0))
    for run in fulfilled:
        card = rig.table.get(CardItem, card_pk("acme", run.redemption_id), CARD_SK)
        assert card is not None
        assert card.number == run.orders
        assert "/rewards/payout/" in (
            rig.cards.reveal("acme", run.member_id, run.redemption_id, client_id="app").card.link or ""
        )
    counted = sum((order.value.amount for order in orders if order.budget), Decimal(0))
    assert budget.spent(rig.table, "acme", "2026-03", "USD") == Money.of(counted, "USD")
    assert rig.world.audit() == []
    for member in {each.member_id for each in held}:
        own = [each for each in now if each.member_id == member]
        spent = sum(each.points for each in own if each.status is RedemptionStatus.CAPTURED)
        still = sum(each.points for each in own if each.status is RedemptionStatus.HELD)
        wallet = rig.world.book(member).wallet()
        assert (wallet.available, wallet.held) == (1000 - spent - still, still)
