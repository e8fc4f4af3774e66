"""Any event of the bus that is not our own publication, as one of five things, or refused by name. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from loyalty.commerce import activity_events, shopify
from loyalty.commerce.fields import Payload, malformed, read
from loyalty.commerce.model import UNKNOWN_EVENT, UNSUPPORTED_PLATFORM, Ignored, Inbound, MemberSignal
from loyalty.core.errors import Rejected
from loyalty_contract import EVENT_SOURCE, MEMBER_ENROLLED, MEMBER_UPDATED

_SHOWABLE: Final = re.compile(r"[A-Za-z0-9 ._/-]{1,64}")
_SQUARE_OBJECTS: Final = {"payment", "refund", "order", "customer"}
_STRIPE_ID: Final = re.compile(r"(evt|ch|py|pi|cs|cus|re|in|sub)_[A-Za-z0-9_]{6,}")


class _Member(Payload):
    program: str = Field(strict=True, min_length=1, max_length=64)
    member_id: str = Field(strict=True, min_length=1, max_length=64)


def parse(event: Mapping[str, Any]) -> Inbound:
    """What ``event``, an EventBridge event as SQS delivers it, tells us.

    Raises:
        Rejected: no retry can help: ``unknown_event``, ``unknown_topic``, ``malformed_payload`` or
            ``unsupported_platform``. Neither reason nor detail carries personal data.
    """
    source, detail_type, detail = event.get("source"), event.get("detail-type"), event.get("detail")
    if not isinstance(source, str) or not isinstance(detail_type, str) or not isinstance(detail, Mapping):
        raise Rejected(UNKNOWN_EVENT, "Not an EventBridge event: it lacks source, detail-type or detail.")
    if source == EVENT_SOURCE:
        return _own(detail_type, detail)
    if detail_type == activity_events.DETAIL_TYPE:
        return activity_events.parse(detail)
    if shopify.is_envelope(detail):
        return shopify.parse(detail)
    if "/shopify.com/" in source:
        raise malformed("A Shopify event without payload, or without a topic in its metadata.")
    platform = _unsupported(source, detail)
    if platform is not None:
        raise Rejected(UNSUPPORTED_PLATFORM, f"Events of {platform} are not supported.")
    shown = detail_type if _SHOWABLE.fullmatch(detail_type) else "this one"
    raise Rejected(UNKNOWN_EVENT, f"No detail-type that is handled here: {shown}")


def _own(detail_type: str, detail: Mapping[str, Any]) -> MemberSignal | Ignored:
    if detail_type not in {MEMBER_ENROLLED, MEMBER_UPDATED}:
        return Ignored(detail_type if _SHOWABLE.fullmatch(detail_type) else "loyalty", "our own event, not for us")
    member = read(_Member, detail, detail_type)
    return MemberSignal(member.program, member.member_id, enrolled=detail_type == MEMBER_ENROLLED)


def _unsupported(source: str, detail: Mapping[str, Any]) -> str | None:
    """The platform whose events these look like; its name is more help than "unknown"."""
    names = set(re.split(r"[./]", source.lower()))
    if "stripe" in names or _is_stripe(detail):
        return "Stripe"
    if names & {"square", "squareup"} or _is_square(detail):
        return "Square"
    return None


def _is_stripe(detail: Mapping[str, Any]) -> bool:
    identity = detail.get("id")
    return isinstance(detail.get("object"), str) and isinstance(identity, str) and bool(_STRIPE_ID.match(identity))


def _is_square(detail: Mapping[str, Any]) -> bool:
    if {"merchant_id", "event_id", "type"} <= detail.keys():
        return True
    body = next((detail[kind] for kind in sorted(_SQUARE_OBJECTS & detail.keys())), None)
    return isinstance(body, Mapping) and any(key.endswith("_money") for key in body if isinstance(key, str))
