"""A redemption: one member's exchange of points for a reward, from hold to its one end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from loyalty.core.money import Money
from loyalty.ledger.model import POINTS
from loyalty.programs.rewards import Party, RewardType

__all__ = ["Party", "Payer", "Redemption", "RedemptionStatus"]


class Payer(StrEnum):
    """Who pays for what is given: the member with points, or the program, which takes none of them."""

    MEMBER = "member"
    PROGRAM = "program"


class RedemptionStatus(StrEnum):
    """``held`` ends once: in ``captured``, in ``released`` or by its time-out. What was captured may be cancelled."""

    HELD = "held"
    CAPTURED = "captured"
    RELEASED = "released"
    TIMED_OUT = "timed_out"
    """Nobody ended it in time. Never stored: a stored ``held`` becomes this by the clock alone."""
    CANCELLED = "cancelled"
    """It was captured, and then undone: the captured points came back."""


@dataclass(frozen=True, slots=True)
class Redemption:
    """``points`` is the whole price; ``lots`` says which lots they were taken from. Times are UTC."""

    program: str
    member_id: str
    """The member in whose name the points were held, even where another has absorbed them since."""
    redemption_id: str
    status: RedemptionStatus
    reward_id: str
    reward_type: RewardType
    quantity: int
    points: int
    lots: Mapping[str, int]
    program_version: int
    held_at: datetime
    expires_at: datetime | None = None
    """When a hold that nobody has ended gives its points back by itself; None: it does not."""
    ended_at: datetime | None = None
    """When the hold ended, in whichever way."""
    captured_points: int | None = None
    """How many of ``points`` were captured; the others went back at the same moment."""
    cancelled_at: datetime | None = None
    order_requested_at: datetime | None = None
    """When fulfilment first wrote down that it is about to order from the supplier."""
    order_requests: int = 0
    """How often it did: who decided on one count does not write over another."""
    supplier_order_id: str | None = None
    party: Party = Party.PARTNER
    """Who captures or releases it."""
    stock: Mapping[str, int] = field(default_factory=dict)
    """Units that its hold took of finite stock, by the shards that they were taken from."""
    value: Money | None = None
    """What all of it together is worth, where the program says so or the member chose an amount."""
    cash: Money | None = None
    """What the partner collects for all of it, beside the points."""
    country: str | None = None
    """Where it is redeemed, where that was said."""
    return_days: int | None = None
    """Until how many days after the capture it can be cancelled; None: for ever."""
    counted: Mapping[str, int] = field(default_factory=dict)
    """What it counts under the limits that it came under, see :mod:`loyalty.rewards.limits`."""
    reference: str | None = None
    """The partner's own name for what was given: an order, a booking, a parcel."""
    tracking_url: str | None = None
    requested_by: str | None = None
    """Who held the points: ``client:…`` or ``person:…``."""
    requested_through: str | None = None
    """The client that named the person."""
    campaign: str | None = None
    """The list that it came with, where it was one of many."""
    paid_by: Payer = Payer.MEMBER
    """Paid by the program, it has no points."""
    wallet: str = POINTS
    """The wallet that ``points`` were taken from, whatever later versions say of the reward: there they come back."""

    @property
    def spent(self) -> dict[str, int]:
        """The lots of the captured points: of those that were held, the first to expire."""
        spent: dict[str, int] = {}
        left = self.captured_points or 0
        for lot in sorted(self.lots):
            part = min(left, self.lots[lot])
            left -= part
            if part:
                spent[lot] = part
        return spent
