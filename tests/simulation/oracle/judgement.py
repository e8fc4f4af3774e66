"""What any command does, or with which name it is refused."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.oracle import accruals, moving, redeeming, tiers
from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Command,
    Decide,
    EndGrant,
    EndHold,
    Give,
    Grant,
    HoldPoints,
    Merge,
    Recalculate,
    Refused,
    TakeBack,
)
from tests.simulation.oracle.world import PlainWorld, Replayed, Steps, When

POSTED, REPLAYED, NOTHING, KEPT = "posted", "replayed", "nothing", "kept"
"""What becomes of a command that is not refused."""


def steps(world: PlainWorld, command: Command, when: When) -> Steps:
    """The entries that the command makes, one after the other.

    Raises:
        Refused, Replayed: before the first of them.
    """
    if isinstance(command, TakeBack):
        return accruals.take_back(world, command, when, clamp=command.by_event)
    return _STEPS[type(command)](world, command, when)


_STEPS: Mapping[type, Callable[[PlainWorld, Any, When], Steps]] = {
    Accrue: accruals.accrue,
    HoldPoints: redeeming.hold,
    EndHold: redeeming.end,
    Adjust: moving.adjust,
    Decide: moving.decide,
    Give: moving.give,
    Merge: moving.merge,
    Recalculate: tiers.recalculate,
    Grant: tiers.grant,
    EndGrant: tiers.end_grant,
}


def answer(world: PlainWorld, command: Command, when: When) -> str:
    """What would become of the command: one of the words above, or the name of the refusal. Changes the world."""
    try:
        made = list(steps(world, command, when))
    except Replayed:
        return REPLAYED
    except Refused as refusal:
        if isinstance(command, TakeBack) and refusal.code == "entry_not_found":
            return _kept(world, command, when)
        return refusal.code
    return POSTED if made else NOTHING


def _kept(world: PlainWorld, command: TakeBack, when: When) -> str:
    if command.by_event:
        return accruals.keep_event(world, command, when) or KEPT
    try:
        accruals.keep(world, command, when)
    except Replayed:
        return REPLAYED
    except Refused as refusal:
        return KEPT if refusal.code == "waits" else refusal.code
    return KEPT
