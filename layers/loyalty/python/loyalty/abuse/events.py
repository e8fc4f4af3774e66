"""From events on the bus to what is watched."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError

import loyalty_contract as contract
from loyalty.abuse.watch import Kind, Note
from loyalty.abuse.watching import Doing
from loyalty.core.clock import from_text
from loyalty.core.errors import Rejected
from loyalty.core.ids import is_household
from loyalty.ledger.model import POINTS
from loyalty.publishing.events import CardRevealed, ClientSuspected, MemberEvent, PointsEvent, RedemptionEvent

INVALID: Final = "invalid_event"

Watched = Doing | ClientSuspected
"""What a member did, or the notice that a client is suspected."""


def watched(body: str) -> Watched | None:
    """What an event of the bus, as EventBridge wrote it into the queue, is about; None where nothing is watched of it.

    Raises:
        Rejected: it is no event of ours. No retry helps.
    """
    try:
        event = json.loads(body)
        return _read(event["detail-type"], event["detail"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise Rejected(INVALID, f"not an event that is watched: {type(error).__name__}") from None


def _read(kind: str, detail: Mapping[str, Any]) -> Watched | None:
    read: Mapping[str, Callable[[], Watched | None]] = {
        contract.CLIENT_SUSPECTED: lambda: ClientSuspected.model_validate(detail),
        contract.MEMBER_UPDATED: lambda: _change(MemberEvent.model_validate(detail)),
        contract.REDEMPTION_HELD: lambda: _hold(RedemptionEvent.model_validate(detail)),
        contract.CARD_REVEALED: lambda: _reveal(CardRevealed.model_validate(detail)),
        contract.POINTS_ACCRUED: lambda: _accrual(PointsEvent.model_validate(detail)),
        contract.POINTS_SENT: lambda: _transfer(Kind.SENT, PointsEvent.model_validate(detail)),
        contract.POINTS_RECEIVED: lambda: _transfer(Kind.RECEIVED, PointsEvent.model_validate(detail)),
    }
    return read[kind]()


def _reveal(event: CardRevealed) -> Doing:
    note = Note(Kind.REVEAL, f"{event.redemption_id}:{event.access}", from_text(event.revealed_at))
    return Doing(event.program, event.member_id, note, event.client_id)


def _accrual(event: PointsEvent) -> Doing:
    """By our clock: the source's may say what it likes."""
    note = Note(Kind.ACCRUAL, str(event.seq), from_text(event.posted_at), max(event.points, 0))
    return Doing(event.program, event.member_id, note)


def _transfer(kind: Kind, event: PointsEvent) -> Doing | None:
    # A household's pool takes and gives by its nature.
    if is_household(event.member_id) or is_household(event.other_member or ""):
        return None
    note = Note(kind, str(event.seq), from_text(event.posted_at), abs(event.points), event.other_member or "")
    return Doing(event.program, event.member_id, note)


def _change(event: MemberEvent) -> Doing | None:
    """Of a profile, only what one is reached and known by; an event from before it said when has nothing to count from."""
    if not event.contact_changed or event.updated_at is None:
        return None
    note = Note(Kind.CHANGE, str(event.version), from_text(event.updated_at))
    return Doing(event.program, event.member_id, note)


def _hold(event: RedemptionEvent) -> Doing | None:
    """What the program pays for takes no points, and is not the member's doing. Of a further wallet it counts, and has no size."""
    if event.points == 0 or event.held_at is None:
        return None
    points = event.points if event.wallet == POINTS else 0
    return Doing(event.program, event.member_id, Note(Kind.HOLD, event.redemption_id, from_text(event.held_at), points))
