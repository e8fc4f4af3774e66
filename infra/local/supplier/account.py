"""The account that orders are paid from: kept in US cents, as the real API's is, whatever currency a card is in."""

import threading
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from infra.local.supplier.catalogue import DOLLARS_PER

START_CENTS: Final = 100_000_000


class OutOfFunds(RuntimeError):
    """There is less in the account than the order costs."""


def cents_of(amount: Decimal, currency: str) -> int:
    """What a card of this value costs, in US cents."""
    dollars = amount * DOLLARS_PER[currency]
    return int((dollars * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class Account:
    """A balance that orders take from. Safe to use from several threads."""

    def __init__(self) -> None:
        self._cents = START_CENTS
        self._lock = threading.Lock()

    @property
    def available_cents(self) -> int:
        """What is left."""
        with self._lock:
            return self._cents

    def put(self, cents: int) -> None:
        """Let it hold so much."""
        with self._lock:
            self._cents = cents

    def take(self, cents: int) -> None:
        """Pay so much.

        Raises:
            OutOfFunds: there is less; nothing is paid.
        """
        with self._lock:
            if cents > self._cents:
                raise OutOfFunds(f"{cents} cents are asked for, {self._cents} are there")
            self._cents -= cents

    def give(self, cents: int) -> None:
        """Give back so much."""
        with self._lock:
            self._cents += cents
