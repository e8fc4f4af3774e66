"""From stream records to events on the bus. The stream is the outbox: nothing else publishes."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import loyalty_contract as contract
from loyalty.core.backoff import jitter
from loyalty.core.clock import to_text
from loyalty.core.table import RawItem
from loyalty.ledger.items import entry_of
from loyalty.ledger.keys import parse_partition
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import POINTS, Balances, Entry, EntryKind
from loyalty.ledger.settlement import GRANT_END, REVIEW
from loyalty.publishing.events import (
    CardResent,
    CardRevealed,
    ConsentChanged,
    Event,
    FulfillmentEvent,
    MemberErased,
    MemberEvent,
    PointsEvent,
    PointsExpiring,
    ProgramEvent,
    RedemptionEvent,
    TierChanged,
    TierExpiring,
    WalletChange,
)
from loyalty.publishing.risk import risk_event, suspicion_event

PUT_EVENTS_LIMIT: Final = 10
"""Entries that one PutEvents call takes."""
ATTEMPTS: Final = 4
_BACKOFF_SECONDS: Final = 0.1
_BACKOFF_CAP_SECONDS: Final = 1.0

_POINTS_TYPES: Final = {
    EntryKind.ACCRUAL: contract.POINTS_ACCRUED,
    EntryKind.REVERSAL: contract.POINTS_REVERSED,
    EntryKind.EXPIRY: contract.POINTS_EXPIRED,
    EntryKind.HOLD: contract.POINTS_HELD,
    EntryKind.CAPTURE: contract.POINTS_CAPTURED,
    EntryKind.RELEASE: contract.POINTS_RELEASED,
    EntryKind.TIMEOUT: contract.POINTS_TIMED_OUT,
    EntryKind.CANCELLATION: contract.POINTS_CANCELLED,
    EntryKind.RENEWAL: contract.POINTS_RENEWED,
    EntryKind.MATURITY: contract.POINTS_MATURED,
    EntryKind.ADJUSTMENT: contract.POINTS_ADJUSTED,
    EntryKind.TRANSFER_OUT: contract.POINTS_SENT,
    EntryKind.TRANSFER_IN: contract.POINTS_RECEIVED,
    EntryKind.MERGE_OUT: contract.MEMBER_MERGED,
    EntryKind.MERGE_IN: contract.MEMBER_ABSORBED,
    EntryKind.FORFEITURE: contract.POINTS_FORFEITED,
}
_TIER_CAUSES: Final = {
    "merge": "merged",
    REVIEW: "reviewed",
    GRANT_END: "grant_ended",
    "tier_grant": "granted",
    "tier_grant_end": "grant_ended",
}
_CONTACT: Final = frozenset({"email", "phone"})
"""Kinds of lookups, as ``core.pii`` names them; that module would bring cryptography along, which nothing here needs."""
_REDEMPTION_TYPES: Final = {
    "held": contract.REDEMPTION_HELD,
    "captured": contract.REDEMPTION_CAPTURED,
    "released": contract.REDEMPTION_RELEASED,
    "cancelled": contract.REDEMPTION_CANCELLED,
}


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
    told = next((tell for key, tell in _TELLERS if sk == key or (key.endswith("#") and sk.startswith(key))), None)
    found = None if told is None else told(new, old)
    return [] if found is None else [Outgoing(change["SequenceNumber"], *found)]


def _entry_event(entry: Entry) -> tuple[str, Event] | None:
    identity = f"{entry.program}/{entry.member_id}/{entry.entry_id}"
    if entry.key.kind is EntryKind.TIER:
        # A tier that is kept on, or earned beneath a higher one that was granted, is nothing to tell of.
        kept = entry.tier_to is not None and entry.tier_to == entry.facts.tier_from
        return None if kept else (contract.TIER_CHANGED, _tier(entry, identity))
    if entry.key.kind is EntryKind.TIER_WARNING:
        return contract.TIER_EXPIRING, _tier_expiring(entry, identity)
    if entry.key.kind is EntryKind.WARNING:
        return contract.POINTS_EXPIRING, _expiring(entry, identity)
    facts = entry.facts
    return _POINTS_TYPES[entry.key.kind], PointsEvent(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        points=entry.points,
        available=entry.balances.available,
        pending=entry.balances.pending,
        held=entry.balances.held,
        debt=entry.balances.debt,
        others={
            name: WalletChange(points=change.points, **_balances(entry.after[name]))
            for name, change in entry.movement.changes.items()
            if name != POINTS
        },
        program_version=facts.program_version,
        rule=facts.rules.get(POINTS),
        activity=facts.activity,
        channel=facts.channel,
        reverses=facts.reverses,
        reason=facts.reason,
        other_member=facts.other_member,
        redemption_id=facts.redemption_id,
        reward_id=facts.reward_id,
        occurred_at=to_text(facts.occurred_at),
        posted_at=to_text(entry.posted_at),
    )


def _tier(entry: Entry, identity: str) -> TierChanged:
    facts = entry.facts
    standing = next(iter(entry.movement.standings.values()), None)
    return TierChanged(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        ladder=facts.ladder or STATUS,
        tier_from=facts.tier_from,
        tier_to=entry.tier_to or "",
        cause=_cause(entry),
        reason=facts.reason,
        valid_until=standing.valid_until.isoformat() if standing and standing.valid_until else None,
        posted_at=to_text(entry.posted_at),
    )


def _cause(entry: Entry) -> str:
    source = entry.key.source.partition(".")[0]
    if source in _TIER_CAUSES:
        return _TIER_CAUSES[source]
    return "reversed" if entry.key.source_id.startswith(f"{EntryKind.REVERSAL}:") else "earned"


def _tier_expiring(entry: Entry, identity: str) -> TierExpiring:
    return TierExpiring(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        ladder=entry.key.source,
        tier=entry.facts.tier_from or "",
        expires_on=entry.key.source_id.partition("/")[0],
        tier_to=entry.facts.falls_to or "",
        posted_at=to_text(entry.posted_at),
    )


def _expiring(entry: Entry, identity: str) -> PointsExpiring:
    (wallet,) = entry.movement.changes
    return PointsExpiring(
        id=identity,
        program=entry.program,
        member_id=entry.member_id,
        entry_id=entry.entry_id,
        seq=entry.seq,
        wallet=wallet,
        expires_on=entry.facts.lot or "",
        points=entry.facts.lot_points or 0,
        posted_at=to_text(entry.posted_at),
    )


def _balances(balances: Balances) -> dict[str, int]:
    return {
        "available": balances.available,
        "pending": balances.pending,
        "held": balances.held,
        "debt": balances.debt,
    }


def _member_event(new: RawItem, old: RawItem | None) -> tuple[str, Event]:
    program, member_id = parse_partition(new["pk"]["S"])
    version = int(new["version"]["N"])
    if (erased_at := new.get("erased_at")) is not None:
        identity = f"{program}/{member_id}/member:erased"
        return contract.MEMBER_ERASED, MemberErased(
            id=identity, program=program, member_id=member_id, erased_at=erased_at["S"]
        )
    return contract.MEMBER_ENROLLED if old is None else contract.MEMBER_UPDATED, MemberEvent(
        id=f"{program}/{member_id}/member:{version}",
        program=program,
        member_id=member_id,
        version=version,
        referred_by=new.get("referred_by", {}).get("S"),
        contact_changed=old is not None and _contact(new) != _contact(old),
        updated_at=new.get("updated_at", {}).get("S"),
    )


def _contact(item: RawItem) -> dict[str, Any]:
    """The keyed hashes of how the member is reached, by kind."""
    return {kind: digest for kind, digest in item.get("lookups", {"M": {}})["M"].items() if kind in _CONTACT}


def _consent_event(new: RawItem) -> tuple[str, Event]:
    program, member_id = parse_partition(new["pk"]["S"])
    return contract.CONSENT_CHANGED, ConsentChanged(
        id=f"{program}/{member_id}/{new['consent_id']['S']}",
        program=program,
        member_id=member_id,
        purpose=new["purpose"]["S"],
        given=new["given"]["BOOL"],
        wording=new["wording"]["S"],
        at=new["at"]["S"],
    )


def _redemption_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    status = new["status"]["S"]
    if old is not None and old["status"]["S"] == status:
        return None
    program, member_id = parse_partition(new["pk"]["S"])
    redemption_id = new["sk"]["S"].removeprefix(contract.REDEMPTION_PREFIX)
    return _REDEMPTION_TYPES[status], RedemptionEvent(
        id=f"{program}/{member_id}/{redemption_id}:{status}",
        program=program,
        member_id=member_id,
        redemption_id=redemption_id,
        reward_id=new["reward_id"]["S"],
        reward_type=new["reward_type"]["S"],
        quantity=int(new["quantity"]["N"]),
        points=int(new["points"]["N"]),
        held_at=new.get("held_at", {}).get("S"),
        expires_at=new.get("expires_at", {}).get("S"),
        captured_points=_whole(new.get("captured_points")),
    )


def _card_event(new: RawItem) -> tuple[str, Event] | None:
    """Of a card's register: who was shown it, and notices that are sent anew."""
    _, program, redemption_id = new["pk"]["S"].split("#")
    line = new["sk"]["S"].removeprefix(contract.ACCESS_PREFIX)
    identity = f"{program}/{redemption_id}/access:{line}"
    if new["kind"]["S"] != "resent":
        return contract.CARD_REVEALED, CardRevealed(
            id=identity,
            program=program,
            member_id=new["member_id"]["S"],
            redemption_id=redemption_id,
            access=int(line),
            client_id=new["client_id"]["S"],
            revealed_at=new["at"]["S"],
        )
    return contract.CARD_RESENT, CardResent(
        id=identity,
        program=program,
        member_id=new["member_id"]["S"],
        redemption_id=redemption_id,
        requested_at=new["at"]["S"],
    )


def _fulfillment_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    """Neither the note nor the token nor who decided leaves the platform."""
    before = None if old is None else old["status"]["S"]
    status = new["status"]["S"]
    reminded = old is not None and new.get("reminded_at") != old.get("reminded_at")
    if status == before and not reminded:
        return None
    _, program, redemption_id = new["pk"]["S"].split("#")
    member_id, revision = new["member_id"]["S"], new["revision"]["N"]
    return contract.FULFILLMENT_CHANGED, FulfillmentEvent(
        id=f"{program}/{member_id}/{redemption_id}/run:{revision}",
        program=program,
        member_id=member_id,
        redemption_id=redemption_id,
        reward_id=new["reward_id"]["S"],
        status=status,
        status_before=before,
        reason=new.get("reason", {}).get("S"),
        value=new["value"]["S"],
        reminder=reminded and status == before,
        updated_at=new["updated_at"]["S"],
    )


def _program_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    """Of a version's item only its cancellation is ever written again."""
    cancelled = "cancelled_at" in new
    if old is not None and ("cancelled_at" in old or not cancelled):
        return None
    program, version = new["pk"]["S"].removeprefix("P#"), int(new["version"]["N"])
    kind = contract.PROGRAM_UNSCHEDULED if cancelled else contract.PROGRAM_PUBLISHED
    return kind, ProgramEvent(
        id=f"{program}/version:{version}{':cancelled' if cancelled else ''}",
        program=program,
        version=version,
        effective_at=new.get("effective_at", new["published_at"])["S"],
        rolled_back_to=_whole(new.get("rolled_back_to")),
        digest=new.get("digest", {}).get("S"),
    )


def _whole(number: Mapping[str, str] | None) -> int | None:
    return None if number is None else int(number["N"])


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


Teller = Callable[[RawItem, RawItem | None], tuple[str, Event] | None]
"""What an item tells that is now the first and was the second; None where nobody is told of the change."""


def _of_new(tell: Callable[[RawItem], tuple[str, Event] | None]) -> Teller:
    """Tells of items that are written once."""
    return lambda new, old: tell(new) if old is None else None


_TELLERS: Final[tuple[tuple[str, Teller], ...]] = (
    (contract.ENTRY_PREFIX, _of_new(lambda new: _entry_event(entry_of(new)))),
    (contract.MEMBER_SK, _member_event),
    (contract.CONSENT_PREFIX, _of_new(_consent_event)),
    (contract.REDEMPTION_PREFIX, _redemption_event),
    (contract.ACCESS_PREFIX, _of_new(_card_event)),
    (contract.PROGRAM_VERSION_PREFIX, _program_event),
    (contract.RUN_SK, _fulfillment_event),
    (contract.RISK_SK, risk_event),
    (contract.SUSPECTED_SK, suspicion_event),
)
"""By sort key; one that ends with ``#`` is a prefix."""
