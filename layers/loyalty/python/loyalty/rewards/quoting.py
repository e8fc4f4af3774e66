"""What a redemption would cost, and what speaks against it."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.core.errors import LoyaltyError
from loyalty.rewards.holding import Wish
from loyalty.rewards.pricing import Price


@dataclass(frozen=True, slots=True)
class Quote:
    """``available``: points of the price's wallet that the member can spend at ``quoted_at`` (UTC), before it."""

    wish: Wish
    price: Price
    available: int
    objections: tuple[LoyaltyError, ...]
    quoted_at: datetime

    @property
    def remaining(self) -> int | None:
        """The points that would be left; None where there are not enough."""
        left = self.available - self.price.points
        return None if left < 0 else left
