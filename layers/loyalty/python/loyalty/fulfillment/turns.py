"""When an order's turn comes at a supplier that more is to be ordered from than it takes: so that it waits once.

::

    G#{supplier} / TURNS    from: the first moment that is nobody's turn yet, in microseconds of the epoch

Taking a turn is one write without a reading before it, so that thousands may do it at once. A turn says when to come, no
more: the gate counts who is let through. Turns are a tenth slower than the gate, so that who comes late and what is sent
again finds room there. A turn that nobody uses is lost.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from loyalty.core.clock import Clock
from loyalty.core.table import Table
from loyalty.fulfillment.gate import supplier_pk
from loyalty.fulfillment.policy import FulfillmentPolicy

TURNS_SK: Final = "TURNS"
_FROM: Final = "turns_from"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SPACED_MICROSECONDS: Final = 1_100_000


class Turns:
    """Turns at suppliers."""

    def __init__(self, table: Table, policy: FulfillmentPolicy, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._each = -(-_SPACED_MICROSECONDS // policy.permits_per_second)

    def take(self, supplier: str) -> datetime:
        """The first moment that is nobody's turn yet (UTC), now at the earliest; it is the caller's from here on."""
        now = (self._clock() - _EPOCH) // _MICROSECOND
        turn = self._table.advance(supplier_pk(supplier), TURNS_SK, _FROM, least=now, by=self._each)
        return _EPOCH + turn * _MICROSECOND
