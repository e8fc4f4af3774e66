"""A redemption: one member's exchange of points for a reward, from hold to its one end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from loyalty.programs.model import RewardType


class RedemptionStatus(StrEnum):
    """``held`` ends once: in ``captured`` or in ``released``."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"


class Party(StrEnum):
    """Who ends a redemption: the partner through the API, or the platform's own fulfilment."""

    PARTNER = "partner"
    FULFILLMENT = "fulfillment"

    @classmethod
    def ending(cls, reward_type: RewardType) -> "Party":
        """The one party that may capture or release a redemption of this type of reward."""
        return cls.FULFILLMENT if reward_type is RewardType.GIFT_CARD else cls.PARTNER


@dataclass(frozen=True, slots=True)
class Redemption:
    """``points`` is the whole price; ``lots`` says which lots they were taken from. Times are UTC."""

    program: str
    member_id: str
    redemption_id: str
    status: RedemptionStatus
    reward_id: str
    reward_type: RewardType
    quantity: int
    points: int
    lots: Mapping[str, int]
    program_version: int
    held_at: datetime
    ended_at: datetime | None = None
    order_requested_at: datetime | None = None
    """When fulfilment first wrote down that it is about to order from the supplier."""
    order_requests: int = 0
    """How often it did: who decided on one count does not write over another."""
    supplier_order_id: str | None = None
