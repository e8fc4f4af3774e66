"""Random histories under limits: none is passed, and nothing that was given back stays counted.

The model knows each redemption by the day on which it was held, its quantity and what became of it, and adds up.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.core.errors import LoyaltyError
from loyalty.core.table import Table
from loyalty.ledger.keys import partition
from loyalty.ledger.verify import audit_member
from loyalty.rewards.errors import DailyRedemptionLimitExceeded, RewardLimitReached
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

ZONE = ZoneInfo("Asia/Jakarta")
PER_DAY, PER_WEEK, PER_MONTH, EVER, POINTS_PER_DAY = 2, 4, 7, 9, 35
PRICES = {"mug": 10, "cup": 5}
PROGRAM = program(
    time_zone="Asia/Jakarta",
    rewards=[
        {
            "id": "mug", "name": "Mug", "type": "product", "points": 10,
            "per_member": [
                {"per": "day", "count": PER_DAY}, {"per": "week", "count": PER_WEEK},
                {"per": "month", "count": PER_MONTH}, {"per": "ever", "count": EVER},
            ],
        },
        {"id": "cup", "name": "Cup", "type": "perk", "points": 5},
    ],
    limits={"points_per_day": POINTS_PER_DAY, "backdating_days": 36_500},
)  # fmt: skip
_members = count()


@dataclass
class Plain:
    reward: str
    quantity: int
    day: date
    until: datetime
    status: str = "held"

    def counts(self, now: datetime) -> bool:
        return self.status == "captured" or (self.status == "held" and now < self.until)


def allowed(history: list[Plain], reward: str, quantity: int, now: datetime) -> bool:
    """Whether so many more of a reward pass no limit on the day of ``now``."""
    today = now.astimezone(ZONE).date()
    counting = [one for one in history if one.counts(now)]
    points = sum(PRICES[one.reward] * one.quantity for one in counting if one.day == today)
    if points + PRICES[reward] * quantity > POINTS_PER_DAY:
        return False
    if reward != "mug":
        return True
    mugs = [one for one in counting if one.reward == "mug"]
    windows = {
        PER_DAY: [one for one in mugs if one.day == today],
        PER_WEEK: [one for one in mugs if one.day.isocalendar()[:2] == today.isocalendar()[:2]],
        PER_MONTH: [one for one in mugs if (one.day.year, one.day.month) == (today.year, today.month)],
        EVER: mugs,
    }
    return all(sum(one.quantity for one in window) + quantity <= most for most, window in windows.items())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.sampled_from(["mug", "mug", "cup"]), st.integers(1, 3), st.sampled_from([30, 60, 2880])),
        st.tuples(st.sampled_from(["capture", "release", "cancel"]), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.sampled_from([29, 30, 31, 600, 1440, 10_000])),
        st.just(("settle",)),
    ),
    min_size=5,
    max_size=40,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_no_limit_is_passed_and_none_is_lost(table: Table, steps: list[tuple[object, ...]]) -> None:
    member = f"mbr_{next(_members)}"
    world = World(table, of=PROGRAM, clock=SettableClock(at("2026-03-28T16:00:00Z"))).enroll(member)
    world.accrue("R", "100000", member=member)
    history: dict[str, Plain] = {}
    for number, (what, *more) in enumerate(steps):
        now = world.clock()
        if what == "wait":
            world.clock.advance(minutes=int(str(more[0])))
        elif what == "settle":
            world.settle(member)
        elif what == "hold":
            reward, quantity, minutes = str(more[0]), int(str(more[1])), int(str(more[2]))
            try:
                held, _ = world.hold(f"k-{number}", reward, quantity, member=member, hold_minutes=minutes)
            except (RewardLimitReached, DailyRedemptionLimitExceeded):
                assert not allowed(list(history.values()), reward, quantity, now)
            else:
                assert allowed(list(history.values()), reward, quantity, now)
                until = now + timedelta(minutes=minutes)
                history[held.redemption_id] = Plain(reward, quantity, now.astimezone(ZONE).date(), until)
        elif history:
            redemption_id = list(history)[int(str(more[0])) % len(history)]
            try:
                ended = getattr(world, str(what))(redemption_id, member=member)
            except LoyaltyError:
                continue
            history[redemption_id].status = ended.status
    pk = partition("acme", member)
    assert audit_member(pk, table.query_all(pk), lambda _: {1: PROGRAM.scope}) == []
