"""Refunds that wait for a purchase that does not come: at last a person is told."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from loyalty.commerce.outcomes import PURCHASE_NOT_FOUND, REFUND_REFUSED
from loyalty.commerce.records import WAIT, KeptRefund, Record, in_order, refund_of
from loyalty.commerce.redelivery import refund_event
from loyalty.commerce.store import CommerceStore
from loyalty.core.clock import Clock
from loyalty.core.errors import Rejected
from loyalty.core.table import MOST_READS

Reject = Callable[[str, Rejected], None]

_MOST_RECORDS: Final = MOST_READS


class WaitingRefunds:
    """Puts refunds aside that have waited for :data:`loyalty.commerce.records.WAIT`.

    ``reject`` puts a body aside for people, with the reason; it must have done so on return. The body is an event that
    can be redriven: it tells of the same refund, and of nothing else that the one that came had said.
    """

    def __init__(self, store: CommerceStore, reject: Reject, clock: Clock) -> None:
        self._store = store
        self._reject = reject
        self._clock = clock

    def expire(self, shard: int, *, limit: int = _MOST_RECORDS) -> int:
        """Puts aside the refunds of one shard of the due index that have waited long enough; returns how many.

        At most ``limit`` records (100 at the most) are looked at. Ask again while it returns any. Cut off in between,
        or where the record moves at this very moment, a refund may be put aside twice, or although it was posted:
        redriving it changes nothing then. None is forgotten before it was put aside.

        What goes wrong with one record keeps no other from being done; the first of it is raised at the end.

        Raises:
            TransactionRefused: a record is being written at the moment; ask again later.
            Exception: whatever ``reject`` raises.
        """
        now, put_aside = self._clock(), 0
        failed: list[Exception] = []
        for record in self._store.overdue(shard, now, limit=min(limit, _MOST_RECORDS)):
            try:
                put_aside += self._give_up(record, now)
            except Exception as error:  # noqa: BLE001 - raised once the others are done
                failed.append(error)
        if failed:
            raise failed[0]
        return put_aside

    def _give_up(self, record: Record, now: datetime) -> int:
        due = record.due(now)
        for refund_id, refund in in_order(due):
            self._put_aside(record, refund_id, refund)
        self._store.give_up(record, list(due), now)
        return len(due)

    def _put_aside(self, record: Record, refund_id: str, refund: KeptRefund) -> None:
        purchase = f"'{record.source}:{record.source_id}'"
        if record.counted:
            refusal = Rejected(REFUND_REFUSED, f"{purchase} counts, and the ledger refuses this refund of it.")
        else:
            refusal = Rejected(PURCHASE_NOT_FOUND, f"{purchase} did not come within {WAIT.days} days of its refund.")
        self._reject(json.dumps(refund_event(refund_of(record, refund_id, refund))), refusal)
