"""What a supplier tells by itself: remembered first, then the run that waits for it is woken, and asks.

::

    G#{supplier}   DELIVERY#{id}    one event, once; with the news of the run in one transaction; removed by the table
                   PENDING#{name}   whose order it is about

Nothing is concluded from what it says: the run's next step asks the supplier. A second delivery writes nothing, and wakes
once more, in case the first one's process died between the two.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import Clock, to_text
from loyalty.core.table import IntegerAttribute, Item, Put, Table
from loyalty.fulfillment.awaited import awaited
from loyalty.fulfillment.errors import RunChanged
from loyalty.fulfillment.executions import ExecutionPort
from loyalty.fulfillment.gate import supplier_pk
from loyalty.fulfillment.journal import Did, Journal
from loyalty.fulfillment.model import Answer, Progress, RedemptionMoved
from loyalty.fulfillment.run import Run, RunStatus
from loyalty.fulfillment.runs import RunStore
from loyalty.suppliers.webhooks import Callback
from loyalty_contract import TTL_ATTRIBUTE

DELIVERY_PREFIX: Final = "DELIVERY#"
KEPT_DAYS: Final = 30
_ATTEMPTS: Final = 4


class Received(StrEnum):
    """What became of a callback."""

    TOLD = "told"
    """The run has news, and was woken."""
    REPEATED = "repeated"
    """It came before."""
    IGNORED = "ignored"
    """Nobody waits for it."""


class DeliveryItem(Item):
    """One event of a supplier."""

    event = UnicodeAttribute()
    received_at = UnicodeAttribute()
    until = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


class Callbacks:
    """Takes verified callbacks."""

    def __init__(self, table: Table, executions: ExecutionPort, clock: Clock) -> None:
        self._table = table
        self._runs = RunStore(table)
        self._journal = Journal(table, clock)
        self._executions = executions
        self._clock = clock

    def receive(self, callback: Callback) -> Received:
        """Tells the run that waits for the order that something has become of it, once for each event.

        Raises:
            RunChanged: the run was changing every time; the supplier delivers it again.
        """
        for _ in range(_ATTEMPTS):
            if self._table.read(*_delivery_key(callback)) is not None:
                run = self._waiting(callback)
                if run is not None and run.news_at is not None:
                    self._wake(run)
                return Received.REPEATED
            run = self._waiting(callback)
            if run is None:
                return Received.IGNORED
            try:
                self._wake(self._note(run, callback))
            except RedemptionMoved:
                continue  # another delivery of it, or another step of the run, was first
            return Received.TOLD
        raise RunChanged("The run is changing at this moment; deliver it again.")

    def _waiting(self, callback: Callback) -> Run | None:
        """The run that waits for what it is about; None where there is none, or it waits no more."""
        for name in (callback.order_id, callback.reward_id):
            whose = None if name is None else awaited(self._table, callback.supplier, name)
            if whose is not None:
                run = self._runs.find(whose.program, whose.redemption_id)
                same = run is not None and run.external_id == whose.external_id
                return run if run is not None and same and run.status is RunStatus.PENDING else None
        return None

    def _note(self, run: Run, callback: Callback) -> Run:
        now = self._clock()
        delivery = DeliveryItem(
            *_delivery_key(callback),
            event=callback.event,
            received_at=to_text(now),
            until=int((now + timedelta(days=KEPT_DAYS)).timestamp()),
        )
        did = Did("callback", supplier=callback.supplier, external_id=run.external_id, note=callback.event)
        return self._journal.write(run, did, Put(delivery, DeliveryItem.pk.does_not_exist()), news_at=now)

    def _wake(self, run: Run) -> None:
        if run.task_token is not None:
            self._executions.wake(run.task_token, Answer(Progress.UNKNOWN))


def _delivery_key(callback: Callback) -> tuple[str, str]:
    return supplier_pk(callback.supplier), f"{DELIVERY_PREFIX}{callback.delivery_id}"
