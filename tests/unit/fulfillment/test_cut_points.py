"""The process dies before or after any call that leaves it, and goes on: by the state machine, or by starting anew.

Whatever the place: one order at the supplier and one capture, or none and one release; never a card without its price
nor a price without its card.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest

from infra.local.supplier.server import SandboxSupplier
from tests.unit.fulfillment.machine import Execution
from tests.unit.fulfillment.rig import Killed, Rig
from tests.unit.fulfillment.tables import new_table, tapped

SETTLES: Final[list[dict[str, Any]]] = [{"fault": "pending", "settle_after": 1}]
REFUSES: Final[list[dict[str, Any]]] = [{"fault": "refuse"}]


@contextmanager
def fused(rig: Rig) -> Iterator[None]:
    """Lets each DynamoDB call pass the fuse, before it is sent and after its answer came."""
    with tapped(rig.table, rig.fuse.point):
        yield


def take(rig: Rig, steps: Sequence[str]) -> None:
    for step in steps:
        rig.take(step)


def points(rig: Rig) -> list[str]:
    """The places to die at, as an undisturbed execution passes them."""
    with fused(rig):
        rig.fuse.arm()
        rig.machine().run(rig.request())
    return list(rig.fuse.passed)


def killed_at(rig: Rig, place: int) -> Execution:
    with fused(rig):
        rig.fuse.arm(place)
        run = rig.machine().run(rig.request())
        assert rig.fuse.blown
    return run


def fresh(sandbox: SandboxSupplier, faults: list[dict[str, Any]]) -> Rig:
    sandbox.api.book.clear()
    rig = Rig(new_table(), sandbox)
    rig.faults(*faults)
    return rig


@pytest.mark.parametrize("faults", [[], SETTLES], ids=["at once", "settled later"])
def test_a_worker_killed_anywhere_makes_one_order_and_one_capture(
    sandbox: SandboxSupplier, faults: list[dict[str, Any]]
) -> None:
    names = points(fresh(sandbox, faults))
    assert len(names) >= 20
    for place, name in enumerate(names):
        rig = fresh(sandbox, faults)
        run = killed_at(rig, place)
        assert run.succeeded, (name, run)
        rig.fulfilled()


def test_a_worker_killed_anywhere_in_a_refusal_gives_back_once(sandbox: SandboxSupplier) -> None:
    names = points(fresh(sandbox, REFUSES))
    for place, name in enumerate(names):
        rig = fresh(sandbox, REFUSES)
        run = killed_at(rig, place)
        assert run.error == "OrderRefused", (name, run)
        rig.given_back()


def test_an_execution_killed_anywhere_and_started_anew_makes_one_order_and_one_capture(
    sandbox: SandboxSupplier,
) -> None:
    """Without the state machine's memory: the steps from the first on, as an operator redrives them."""
    steps = ("screen", "order", "capture")
    rig = fresh(sandbox, [])
    with fused(rig):
        take(rig, steps)
    names = list(rig.fuse.passed)
    for place, name in enumerate(names):
        rig = fresh(sandbox, [])
        with fused(rig):
            rig.fuse.arm(place)
            with pytest.raises(Killed, match=name):
                take(rig, steps)
            take(rig, steps)
        rig.fulfilled()


def test_killed_twice_in_a_row(sandbox: SandboxSupplier) -> None:
    """The second death strikes wherever the first one's aftermath has led."""
    names = points(fresh(sandbox, []))
    first = names.index("after POST orders")
    for second in range(first + 1, first + 15):
        rig = fresh(sandbox, [])
        with fused(rig):
            rig.fuse.arm(first, second)
            run = rig.machine().run(rig.request())
        assert run.succeeded, (second, rig.fuse.passed)
        rig.fulfilled()
