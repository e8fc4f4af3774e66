"""What other items than entries tell: members, redemptions, cards, runs, programs. By the stream's raw images."""

from collections.abc import Mapping
from typing import Any, Final

import loyalty_contract as contract
from loyalty.core.table import RawItem
from loyalty.ledger.keys import parse_partition
from loyalty.ledger.model import POINTS
from loyalty.publishing.events import (
    CardResent,
    CardRevealed,
    ConsentChanged,
    Event,
    FulfillmentEvent,
    MemberErased,
    MemberEvent,
    ProgramEvent,
    RedemptionEvent,
)

_CONTACT: Final = frozenset({"email", "phone"})
"""Kinds of lookups, as ``core.pii`` names them; that module would bring cryptography along, which nothing here needs."""
_REDEMPTION_TYPES: Final = {
    "held": contract.REDEMPTION_HELD,
    "captured": contract.REDEMPTION_CAPTURED,
    "released": contract.REDEMPTION_RELEASED,
    "cancelled": contract.REDEMPTION_CANCELLED,
}


def member_event(new: RawItem, old: RawItem | None) -> tuple[str, Event]:
    """A member who enrolled, was changed or was erased."""
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


def consent_event(new: RawItem) -> tuple[str, Event]:
    """A yes or no to a purpose."""
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


def redemption_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
    """A redemption whose status is another one now."""
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
        wallet=new.get("wallet", {}).get("S", POINTS),
        held_at=new.get("held_at", {}).get("S"),
        expires_at=new.get("expires_at", {}).get("S"),
        captured_points=_whole(new.get("captured_points")),
    )


def card_event(new: RawItem) -> tuple[str, Event] | None:
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


def fulfillment_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
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


def program_event(new: RawItem, old: RawItem | None) -> tuple[str, Event] | None:
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
