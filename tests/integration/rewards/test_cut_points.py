"""A function that dies while it captures a part, cancels, or is late for a time-out, and is asked again."""

from collections.abc import Callable

import pytest

from loyalty.core.table import Table
from tests.ledgerkit.cuts import Send, cut_off_everywhere
from tests.ledgerkit.world import World

pytestmark = pytest.mark.integration


def accrued(world: World) -> None:
    world.accrue("R-1", "500")


def held(world: World) -> None:
    accrued(world)
    world.hold("key", "coffee", 3)


def another_timed_out(world: World) -> None:
    """Nobody has written it down: that is part of the run."""
    accrued(world)
    world.hold("another", hold_minutes=60)
    world.hold("key", "coffee", 3)
    world.clock.advance(hours=2)


def held_beyond_its_lot(world: World) -> None:
    accrued(world)
    world.clock.set("2027-03-30T12:00:00Z")
    world.hold("key", "coffee", 3)
    world.clock.set("2027-04-02T12:00:00Z")


def captured(world: World) -> None:
    held(world)
    world.capture(the_redemption(world), points=120)


def captured_long_ago(world: World) -> None:
    captured(world)
    world.clock.set("2027-05-10")


def the_redemption(world: World) -> str:
    """Of 150 points."""
    (found,) = (sk for (_, sk), raw in world.dump().items() if raw.get("points") == {"N": "150"})
    return found.removeprefix("REDEMPTION#")


def end(name: str, **more: int) -> Callable[[World], Send]:
    def run(world: World) -> Send:
        redemption_id = the_redemption(world)
        return lambda: getattr(world, name)(redemption_id, **more)

    return run


RUNS: dict[str, tuple[Callable[[World], None], Callable[[World], Send]]] = {
    "hold with its own time-out": (accrued, lambda world: lambda: world.hold("key", hold_minutes=60)),
    "hold after another timed out": (another_timed_out, lambda world: lambda: world.hold("third", "ten", 2)),
    "capture of a part": (held, end("capture", points=120)),
    "capture of all by their number": (held, end("capture", points=150)),
    "capture of a part after another timed out": (another_timed_out, end("capture", points=20)),
    "capture of a part whose rest has its grace": (held_beyond_its_lot, end("capture", points=1)),
    "release into its grace": (held_beyond_its_lot, end("release")),
    "cancellation": (captured, end("cancel")),
    "cancellation into its grace": (captured_long_ago, end("cancel")),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_run_cut_off_anywhere_and_sent_again_leaves_what_one_run_leaves(table: Table, run: str) -> None:
    cut_off_everywhere(table, *RUNS[run])
