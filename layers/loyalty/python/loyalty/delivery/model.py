"""The port behind which whatever the platform gives by itself is given, once for each redemption. Pure.

A handler does not give anything when it is asked: it says what would give it, as operations, and these are written in the
very transaction that captures the points. So whatever dies when, the points are spent if and only if it was given; nothing
has ever to be undone, and an event that comes twice finds the redemption captured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from loyalty.core.table import Operation
from loyalty.programs.rewards import Reward
from loyalty.rewards.model import Redemption


class Handler(Protocol):
    """Gives one kind of reward."""

    def deliver(self, redemption: Redemption, reward: Reward) -> Sequence[Operation]:
        """What gives it, for the transaction of the capture. It may be asked again where somebody got in first.

        Raises:
            NothingToGive: there is nothing, for good; the points are to go back.
        """


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery came to. ``reason`` says why there was nothing to give; ``from_pool`` whose pool a code came from."""

    outcome: "Outcome"
    reason: str | None = None
    from_pool: str | None = None


class Outcome(StrEnum):
    """What became of a redemption that the platform was to end."""

    DELIVERED = "delivered"
    ALREADY_DELIVERED = "already_delivered"
    RELEASED = "released"
    """There was nothing to give: the points went back."""
    ALREADY_RELEASED = "already_released"
    NOT_OURS = "not_ours"
    """The partner ends it."""
