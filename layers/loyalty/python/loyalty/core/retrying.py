"""A change that is tried again where another transaction got in first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from loyalty.core.backoff import jitter
from loyalty.core.errors import LoyaltyError, WalletBusy
from loyalty.core.operations import TransactionRefused

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a change is tried, how long is waited in between (seconds), and what is said, as which error, once it was in vain."""

    attempts: int
    base: float
    cap: float
    busy: str
    error: Callable[[str], LoyaltyError] = WalletBusy

    def of(self, change: Callable[[], T], sleep: Callable[[float], None]) -> T:
        """What ``change`` returns; it reads anew each time what it decides by.

        Raises:
            WalletBusy: other writers got in first every time; ``error``, where it is another.
        """
        for attempt in range(self.attempts):
            try:
                return change()
            except TransactionRefused:
                sleep(jitter(attempt, base=self.base, cap=self.cap))
        raise self.error(self.busy)
