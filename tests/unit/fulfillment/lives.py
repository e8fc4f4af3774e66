"""Redemptions as they come: faults of the supplier, crashes and people, all drawn at random from one seed."""

import random
from collections import Counter
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Any, Final

from loyalty.fulfillment.errors import (
    FulfillmentRunNotFound,
    NotAwaitingApproval,
    NotReissuable,
    NotResolvable,
    NotRetryable,
    RunChanged,
    RunEnded,
)
from loyalty.fulfillment.executions import execution_name
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.rewards.errors import FulfillmentInProgress
from loyalty.rewards.model import Payer, Redemption
from tests.ledgerkit.programs import program
from tests.unit.fulfillment.faults import LAG_SECONDS, LATE_SECONDS
from tests.unit.fulfillment.rig import BOOKSHOP, COFFEE, LIBRERIA, Killed, Rig, gift_card
from tests.unit.fulfillment.tables import tapped

EACH: Final = 5
"""Redemptions of one member."""
POINTS: Final = 3000
FAULTS: Final[list[dict[str, Any]]] = [
    {"fault": "refuse"},
    {"fault": "out_of_stock"},
    {"fault": "refuse", "status": 402},
    {"fault": "error_500"},
    {"fault": "error_500", "after": True},
    {"fault": "rate_limit", "delay": 1},
    {"fault": "html"},
    {"fault": "html", "after": True},
    {"fault": "nonsense", "after": True},
    {"fault": "lost_reply"},
    {"fault": "late_after_success", "delay": 0.12},
    {"fault": "hang", "delay": 0.12},
    {"fault": "duplicate"},
    {"fault": "wrong_amount"},
    {"fault": "pending", "settle_after": 2},
    {"fault": "late_success", "settle_seconds": LATE_SECONDS},
    {"fault": "listed_late", "settle_seconds": LATE_SECONDS},
    {"fault": "refuse", "after": True},
    {"fault": "html", "endpoint": "list"},
    {"fault": "error_500", "endpoint": "list"},
    {"fault": "error_500", "endpoint": "list", "times": 60},
    {"fault": "error_500", "endpoint": "link"},
    {"fault": "lost_reply", "endpoint": "link"},
    {"fault": "error_500", "endpoint": "cancel"},
    {"fault": "lost_reply", "endpoint": "cancel"},
    {"fault": "refuse", "endpoint": "cancel"},
    {"fault": "nonsense", "endpoint": "balance"},
]
PEOPLE: Final = ("approve", "approve", "reject", "retry", "cancel", "reissue", "resolve", "give_back")
LIKELY: Final = {
    RunStatus.AWAITING_APPROVAL: ("approve", "approve", "reject"),
    # While a request is under way, giving up is what can go wrong.
    RunStatus.ORDERING: ("cancel", "cancel", *PEOPLE),
    RunStatus.PENDING: ("cancel", "cancel", *PEOPLE),
}
STEPS: Final = ("screen", "ask", "remind", "order", "query", "capture", "release")
"""Those that may be throttled for longer than they are repeated: what comes of it, the machine has to know."""
REFUSALS: Final = (
    NotAwaitingApproval, NotRetryable, NotReissuable, NotResolvable, RunEnded, RunChanged, FulfillmentRunNotFound,
    FulfillmentInProgress,
)  # fmt: skip
"""What a person is told who decides at a moment in which there is nothing to decide."""


def card(name: str, product: str, worth: str, currency: str, points: int) -> dict[str, Any]:
    """A reward of the catalogue."""
    return {**gift_card(product, worth, currency), "id": name, "points": points}


CARDS: Final = ("card", "five", "odd", "libro")
CATALOGUE: Final = program(
    rewards=[
        gift_card(),
        card("five", BOOKSHOP, "5.00", "USD", 100),
        card("odd", BOOKSHOP, "24.99", "USD", 333),
        card("libro", LIBRERIA, "12.34", "EUR", 250),
        COFFEE,
    ],
    fulfillment={
        "approve_above": [{"value": "25.00", "currency": "USD"}, {"value": "24.00", "currency": "EUR"}],
        "monthly_budget": [{"value": "1500.00", "currency": "USD"}],
        "approval_hours": 24,
        "reminder_hours": 8,
    },
)


class Throttled(Exception):
    """The function could not be called."""


class Life:
    """One redemption after the other; a person may decide about it at any time, also in the midst of a step."""

    def __init__(self, rig: Rig, chance: random.Random) -> None:
        self.rig = rig
        self.chance = chance
        self.held = [rig.held]
        self.decided: Counter[str] = Counter()
        self.kills = 0
        self._due: set[int] = set()
        self._calls = 0
        self._nested = False
        rig.when_waiting = self._while_it_waits

    def run(self, count: int) -> None:
        """So many redemptions, of as many members as it takes."""
        self._live(self.held[0], leave=False)
        while len(self.held) < count:
            member = f"mbr_r{len(self.held)}"
            self.rig.world.enroll(member)
            now = self.rig.world.clock()
            self.rig.world.accrue(f"R-{member}", str(POINTS), member=member, occurred_at=now)
            for number in range(min(EACH, count - len(self.held))):
                self.held.append(self._hold(member, number))
                self._live(self.held[-1], leave=self.chance.random() < 0.15)

    def _hold(self, member: str, number: int) -> Redemption:
        quantity = self.chance.choice((1, 1, 1, 2, 3)) if number else 1
        line: dict[str, Any] = {}
        if self.chance.random() < 0.25:
            line = {"campaign": "spring", "paid_by": Payer.PROGRAM, "requested_by": "person:carla"}
        # Five of the dearest, three at a time, would be more than there is: the last ones are cheap.
        reward = self.chance.choice(CARDS) if number < 2 else self.chance.choice(("card", "five"))
        return self.rig.hold(f"k-{number}", reward, quantity, member=member, **line)

    def _live(self, redemption: Redemption, *, leave: bool) -> None:
        """From its hold until it rests; but for those that are left, a person then decides until it is over."""
        self.rig.held = redemption
        self.rig.executions.started.append(redemption.redemption_id)
        faults = self.chance.sample(FAULTS, self.chance.choice((0, 1, 1, 2, 3)))
        self.rig.faults(*({"times": self.chance.choice((1, 1, 2)), **fault} for fault in faults))
        self._execute()
        self._lose_sight()
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            self._decide(self.chance.choice(PEOPLE))
            self._execute()
        if leave:
            self._rest()
            return
        self.rig.faults()
        self.rig.world.clock.advance(seconds=LAG_SECONDS)
        for what in ("retry", "cancel", "cancel"):
            self._rest()
            if self._now.ended:
                return
            self._decide(what)
        self._rest()

    def _lose_sight(self) -> None:
        """At times the supplier does not show for a while what it has issued."""
        run = self.rig.runs.find("acme", self.rig.held.redemption_id)
        if run is not None and run.status is RunStatus.FULFILLED and self.chance.random() < 0.2:
            (order,) = [one for one in self.rig.orders if one.external_id == run.external_id]
            order.seen_from = self.rig.world.clock() + timedelta(seconds=LAG_SECONDS)

    @property
    def _now(self) -> Run:
        return self.rig.run

    def _rest(self) -> None:
        """An execution that nothing disturbs."""
        self._nested = True
        self.rig.executions.answers.clear()
        self.rig.execute()
        self._nested = False

    def _execute(self) -> None:
        """An execution that may die, while people decide at any of its calls."""
        rig, dies = self.rig, self.chance.random() < 0.4
        name = execution_name(run) if (run := rig.runs.find("acme", rig.held.redemption_id)) else rig.held.redemption_id
        rig.executions.alive.add(name)
        rig.executions.answers.clear()
        self._calls, self._due = 0, set(self.chance.sample(range(120), self.chance.choice((0, 0, 1, 2))))
        rig.fuse.arm(*([self.chance.randrange(80)] if dies else []))
        with tapped(rig.table, self._told) if dies or self._due else nullcontext():
            try:
                rig.execute(self._throttled(), at=self.chance.choice(STEPS), fatal=self.chance.random() < 0.5)
            except Killed:
                self.kills += 1
        rig.fuse.arm()
        rig.executions.alive.clear()

    def _throttled(self) -> list[BaseException]:
        """Mostly not at all; else once, or so often that a step, however patient, is given up."""
        return [Throttled()] * self.chance.choice((*[0] * 12, 1, 7, 11))

    def _told(self, call: str) -> None:
        if self._nested:
            return
        self._calls += 1
        if self._calls in self._due:
            self._meddle()
        self.rig.fuse.point(call)

    def _while_it_waits(self) -> None:
        if not self._nested and self.chance.random() < 0.4:
            self._meddle()

    def _meddle(self) -> None:
        """Somebody decides while the execution is in the midst of something."""
        self._nested = True
        run = self.rig.runs.find("acme", self.rig.held.redemption_id)
        likely = LIKELY.get(run.status, PEOPLE) if run is not None else PEOPLE
        self._decide(self.chance.choice(likely))
        self._nested = False

    def _decide(self, what: str) -> None:
        more = {"give_back": True} if what == "give_back" else {}
        decide = getattr(self.rig.decisions, "resolve" if more else what)
        with suppress(*REFUSALS):
            decide("acme", self.rig.held.redemption_id, actor="person:anna", note="so", **more)
            self.decided[what] += 1


def stuck(run: Run) -> bool:
    """Whether a person has to look, and it says why."""
    return run.status is RunStatus.ATTENTION and bool(run.reason)
