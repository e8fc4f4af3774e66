"""Events to the bus. Nothing else publishes."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import loyalty_contract as contract
from loyalty.core.backoff import jitter
from loyalty.publishing.outbox import Outgoing

PUT_EVENTS_LIMIT: Final = 10
"""Entries that one PutEvents call takes."""
ATTEMPTS: Final = 4
_BACKOFF_SECONDS: Final = 0.1
_BACKOFF_CAP_SECONDS: Final = 1.0


class Publisher:
    """Puts events on the bus, looks at ``FailedEntryCount``, and tries again what failed."""

    def __init__(self, client: Any, bus: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._bus = bus
        self._sleep = sleep

    def publish(self, events: Sequence[Outgoing]) -> list[Outgoing]:
        """Publishes in calls of at most ten; returns those that the bus would not take after :data:`ATTEMPTS` tries."""
        failed: list[Outgoing] = []
        for start in range(0, len(events), PUT_EVENTS_LIMIT):
            left = list(events[start : start + PUT_EVENTS_LIMIT])
            for attempt in range(ATTEMPTS):
                left = self._put(left)
                if not left:
                    break
                self._sleep(jitter(attempt, base=_BACKOFF_SECONDS, cap=_BACKOFF_CAP_SECONDS))
            failed += left
        return failed

    def _put(self, events: Sequence[Outgoing]) -> list[Outgoing]:
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._bus,
                    "Source": contract.EVENT_SOURCE,
                    "DetailType": event.detail_type,
                    "Detail": event.detail.model_dump_json(exclude_none=True),
                }
                for event in events
            ]
        )
        if not answer["FailedEntryCount"]:
            return []
        return [event for event, result in zip(events, answer["Entries"], strict=True) if result.get("ErrorCode")]
