"""How patient fulfilment is, and how careful with suppliers and their money: what a stage decides for itself."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from loyalty.core.money import Money, money_of

Seconds = Annotated[int, Field(ge=1, le=86_400)]
LONGEST_WAIT_SECONDS: Final = 3_600


class FulfillmentPolicy(BaseModel):
    """``floors``: what must be left of a supplier's balance after an order, in major units by currency; none: nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settle_seconds: Seconds = 60
    """How long an order without an answer may still arrive before the supplier is asked."""
    retry_seconds: Seconds = 2
    """The first wait before the same order is sent again; each wait is twice the one before."""
    funds_seconds: Seconds = 300
    """The first wait for money."""
    requests: Annotated[int, Field(ge=1, le=20)] = 6
    """How often one order is sent without an answer before the supplier is asked what became of it."""
    queries: Annotated[int, Field(ge=1, le=50)] = 8
    """How often the supplier is asked without an answer before a person has to."""
    settle_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """How long a supplier may leave an order open, or stay away, before a person has to look."""
    permits_per_second: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Orders that one supplier is sent in a second, of all programs together."""
    breaker_failures: Annotated[int, Field(ge=1, le=100)] = 5
    """Failures in a row after which a supplier is left alone."""
    breaker_seconds: Seconds = 60
    """For how long; then one order at a time tries."""
    balance_seconds: Seconds = 60
    """How old what is known of a supplier's balance may be."""
    floors: Mapping[str, Decimal] = Field(default_factory=dict)

    def floor(self, currency: str) -> Money:
        """What must be left after an order in ``currency``."""
        amount = self.floors.get(currency)
        return money_of(0, currency) if amount is None else Money.of(amount, currency)


def backoff(first: int, tries: int) -> int:
    """Seconds to wait after ``tries`` tries, of which the first one is 0: twice as long each time, an hour at most."""
    return int(min(first * 2 ** min(tries, 20), LONGEST_WAIT_SECONDS))
