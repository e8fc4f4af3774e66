"""Many who want to end one hold at once: it ends once, and everybody is told the same end."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from pynamodb.exceptions import PynamoDBException

from loyalty.core import problems
from loyalty.ledger.model import EntryKind
from loyalty.rewards.errors import RedemptionAlreadyCancelled, RedemptionAlreadyCaptured, TooManyHolds
from loyalty.rewards.model import Redemption
from tests.integration.ledger.test_concurrency import together
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.world import World

pytestmark = pytest.mark.integration

THREADS = 64
ENDS = {EntryKind.CAPTURE: "captured", EntryKind.RELEASE: "released", EntryKind.TIMEOUT: "timed_out"}
Call = Callable[[], object]


def held(world: World, number: int) -> str:
    return world.hold(f"key-{number}", "ten")[0].status


def captured(world: World, redemption_id: str, points: int | None = None) -> str:
    return f"captured {world.capture(redemption_id, points=points).captured_points}"


def released(world: World, redemption_id: str) -> str:
    return world.release(redemption_id).status


def cancelled(world: World, redemption_id: str) -> str:
    return world.cancel(redemption_id).status


def settled(world: World) -> str:
    world.settle()
    return "settled"


def ends_of(world: World, redemption: Redemption) -> list[str]:
    entries = [entry for entry in world.entries() if entry.facts.redemption_id == redemption.redemption_id]
    return [ENDS[entry.key.kind] for entry in entries if entry.key.kind in ENDS]


def all_at_once(calls: list[Call]) -> Counter[str]:
    return together(THREADS, [patient(call) for call in calls])


def patient(call: Call) -> Call:
    """So many threads may be too much for the engine: who is told to send the same request again does so."""

    def again() -> object:
        for _ in range(20):
            try:
                return call()
            except PynamoDBException as error:
                if problems.of(error).status != 503:
                    raise
        return "unavailable"

    return again


def mixed(*parts: list[Call]) -> list[Call]:
    """One of each part in turn, so that every thread has some of each."""
    longest = max(map(len, parts))
    return [part[place] for place in range(longest) for part in parts if place < len(part)]


def test_of_sixty_four_who_end_a_hold_in_every_way_one_wins(world: World) -> None:
    world.accrue("R-1", "1000")
    for number in range(3):
        redemption, _ = world.hold(f"key-{number}")
        calls = mixed(
            [partial(captured, world, redemption.redemption_id)] * 16,
            [partial(captured, world, redemption.redemption_id, 20)] * 16,
            [partial(released, world, redemption.redemption_id)] * 32,
        )
        outcomes = all_at_once(calls)
        assert outcomes in (
            {"captured 50": 16, "redemption_already_captured": 48},
            {"captured 20": 16, "redemption_already_captured": 48},
            {"released": 32, "redemption_already_released": 32},
        )
        assert len(ends_of(world, redemption)) == 1
    assert world.proven().held == 0


def test_of_sixty_four_different_parts_one_is_captured(world: World) -> None:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key", "coffee", 2)
    outcomes = all_at_once([partial(captured, world, redemption.redemption_id, n + 1) for n in range(THREADS)])
    assert outcomes.pop(RedemptionAlreadyCaptured.code) == 63
    ((winner, count),) = outcomes.items()
    assert count == 1
    points = int(winner.removeprefix("captured "))
    assert world.proven().available == 100 - points


def test_one_capture_said_in_two_ways_is_one_capture(world: World) -> None:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key")
    ways: list[int | None] = [None, 50]
    calls: list[Call] = [partial(captured, world, redemption.redemption_id, points) for points in ways * 32]
    assert all_at_once(calls) == {"captured 50": 64}
    assert ends_of(world, redemption) == ["captured"]
    assert world.proven().available == 50


def test_a_hold_ends_by_somebody_or_by_its_time_out_but_never_by_both(world: World) -> None:
    """Half of the machines have clocks that stand a millisecond before the time-out, half at it."""
    world.accrue("R-1", "1000")
    seen: Counter[str] = Counter()
    for number in range(6):
        redemption, _ = world.hold(f"key-{number}", hold_minutes=30)
        assert redemption.expires_at is not None
        early = World(world.table, clock=SettableClock(redemption.expires_at - timedelta(milliseconds=1)))
        due = World(world.table, clock=SettableClock(redemption.expires_at))
        calls = mixed(
            [partial(captured, early, redemption.redemption_id, 20)] * 16,
            [partial(released, early, redemption.redemption_id)] * 16,
            [partial(settled, due)] * 16,
            [partial(captured, due, redemption.redemption_id)] * 16,
        )
        outcomes = all_at_once(calls)
        (end,) = ends_of(due, redemption)
        seen[end] += 1
        assert due.redemptions.get("acme", redemption.member_id, redemption.redemption_id).status == end
        assert outcomes.pop("settled") == 16
        wins = {"captured": ("captured 20", 16), "released": ("released", 16), "timed_out": ("", 0)}
        winner, count = wins[end]
        assert outcomes.pop(winner, 0) == count
        # Before a capture is written, those whose clocks say so are told of a time-out that does not come.
        assert set(outcomes) <= {f"redemption_already_{end}", "redemption_timed_out"}
        assert sum(outcomes.values()) == 48 - count
        world.clock.now = redemption.expires_at
    assert seen.total() == 6
    assert world.proven().held == 0


def test_sixty_four_cancellations_restore_the_points_once(world: World) -> None:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key")
    world.capture(redemption.redemption_id, points=30)
    outcomes = all_at_once([partial(cancelled, world, redemption.redemption_id)] * THREADS)
    assert outcomes == {"cancelled": 64}
    kinds = [entry.key.kind for entry in world.entries()]
    assert kinds.count(EntryKind.CANCELLATION) == 1
    assert world.proven().available == 100


def test_a_capture_repeated_while_it_is_cancelled_is_undone_once(world: World) -> None:
    world.accrue("R-1", "100")
    redemption, _ = world.hold("key")
    world.capture(redemption.redemption_id)
    calls = mixed(
        [partial(cancelled, world, redemption.redemption_id)] * 32,
        [partial(captured, world, redemption.redemption_id)] * 32,
    )
    outcomes = all_at_once(calls)
    assert outcomes.pop("cancelled") == 32
    assert set(outcomes) <= {"captured 50", RedemptionAlreadyCancelled.code}
    assert sum(outcomes.values()) == 32
    assert [entry.key.kind for entry in world.entries()] == ["accrual", "hold", "capture", "cancellation"]
    assert world.proven().available == 100


def test_sixty_four_holds_at_once_open_no_more_than_may_be(world: World) -> None:
    world.accrue("R-1", "1000")
    outcomes = all_at_once([partial(held, world, n) for n in range(THREADS)])
    assert outcomes == {"held": 20, TooManyHolds.code: 44}
    wallet = world.proven()
    assert (wallet.available, wallet.held, len(world.book().holds)) == (800, 200, 20)
