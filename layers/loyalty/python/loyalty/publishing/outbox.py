"""The stream is the outbox: which events the changes of the table are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import loyalty_contract as contract
from loyalty.core.table import RawItem
from loyalty.ledger.items import entry_of
from loyalty.publishing.events import Event
from loyalty.publishing.links import click_event, share_event
from loyalty.publishing.points import entry_event
from loyalty.publishing.records import (
    card_event,
    consent_event,
    fulfillment_event,
    member_event,
    program_event,
    redemption_event,
)
from loyalty.publishing.referrals import referral_event, review_event
from loyalty.publishing.risk import risk_event, suspicion_event

Teller = Callable[[RawItem, RawItem | None], tuple[str, Event] | None]
"""What an item tells that is now the first and was the second; None where nobody is told of the change."""


def _of_new(tell: Callable[[RawItem], tuple[str, Event] | None]) -> Teller:
    """Tells of items that are written once."""
    return lambda new, old: tell(new) if old is None else None


_TELLERS: Final[tuple[tuple[str, Teller], ...]] = (
    (contract.ENTRY_PREFIX, _of_new(lambda new: entry_event(entry_of(new)))),
    (contract.MEMBER_SK, member_event),
    (contract.CONSENT_PREFIX, _of_new(consent_event)),
    (contract.REDEMPTION_PREFIX, redemption_event),
    (contract.ACCESS_PREFIX, _of_new(card_event)),
    (contract.PROGRAM_VERSION_PREFIX, program_event),
    (contract.RUN_SK, fulfillment_event),
    (contract.RISK_SK, risk_event),
    (contract.SUSPECTED_SK, suspicion_event),
    (contract.SHARE_PREFIX, _of_new(share_event)),
    (contract.CLICK_SK, _of_new(click_event)),
    (contract.REFERRAL_SK, referral_event),
    (contract.REFERRAL_SK, review_event),
)
"""By sort key; one that ends with ``#`` is a prefix. A change may be told of twice, to different people."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event and the stream record that it came from."""

    sequence_number: str
    detail_type: str
    detail: Event


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stream record that no event can be made of: the item's keys, what happened to it, and the error's type.

    Not its images, and not the error's message: they may say what must not leave the table.
    """

    sequence_number: str
    change: str
    keys: RawItem
    error: str

    @property
    def body(self) -> str:
        """The record as it waits for a person; enough to read the item and publish what it says."""
        return json.dumps({"change": self.change, "keys": self.keys, "sequence_number": self.sequence_number})


def read(records: Sequence[Mapping[str, Any]]) -> tuple[list[Outgoing], list[Unreadable]]:
    """The events of a batch, and the records that it goes on without. Never raises for a record."""
    events: list[Outgoing] = []
    unreadable: list[Unreadable] = []
    for record in records:
        try:
            events += events_of(record)
        except Exception as error:  # noqa: BLE001 - pure: it would raise at every delivery, and the shard would wait
            change = record["dynamodb"]
            why = type(error).__name__
            unreadable.append(Unreadable(change["SequenceNumber"], record["eventName"], change["Keys"], why))
    return events, unreadable


def events_of(record: Mapping[str, Any]) -> list[Outgoing]:
    """The events that one stream record (NEW_AND_OLD_IMAGES) stands for; none where nobody is told of the change."""
    change = record["dynamodb"]
    new: RawItem | None = change.get("NewImage")
    if new is None:
        return []
    old: RawItem | None = change.get("OldImage")
    sk = new["sk"]["S"]
    told = [tell(new, old) for key, tell in _TELLERS if sk == key or (key.endswith("#") and sk.startswith(key))]
    return [Outgoing(change["SequenceNumber"], *found) for found in told if found is not None]
