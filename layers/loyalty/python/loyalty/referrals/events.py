"""From events on the bus to the members whose referrals they may be about."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

import loyalty_contract as contract
from loyalty.core.errors import Rejected
from loyalty.programs.deeds import REFERRAL, REFERRED
from loyalty.publishing.events import OfMember, PointsEvent

INVALID: Final = "invalid_event"


class What(StrEnum):
    """What happened to a member."""

    PURCHASE = "purchase"
    """They did something that earned points."""
    REVERSAL = "reversal"
    """Something was given back of it, by them or by whom they were merged into."""
    PROFILE = "profile"
    """They enrolled, or what is known of them changed."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Happening:
    """That something happened to a member. What it was, the table says."""

    program: str
    member_id: str
    what: What


_WHAT: Final[Mapping[str, What]] = {
    contract.POINTS_ACCRUED: What.PURCHASE,
    contract.POINTS_REVERSED: What.REVERSAL,
    contract.MEMBER_ENROLLED: What.PROFILE,
    contract.MEMBER_UPDATED: What.PROFILE,
    contract.MEMBER_MERGED: What.OTHER,
    contract.MEMBER_ERASED: What.OTHER,
    contract.REFERRAL_ENROLLED: What.OTHER,
    contract.REFERRAL_REVIEWED: What.OTHER,
}
WAKING: Final = tuple(_WHAT)
"""The events that there is a queue for."""


def happening(body: str) -> Happening | None:
    """What an event of the bus, as EventBridge wrote it into the queue, tells; None of what referrals themselves earned.

    Raises:
        Rejected: it is no event of ours. No retry helps.
    """
    try:
        event = json.loads(body)
        return _read(_WHAT[event["detail-type"]], event["detail"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise Rejected(INVALID, f"not an event that referrals are woken by: {type(error).__name__}") from None


def _read(what: What, detail: Mapping[str, Any]) -> Happening | None:
    if what in {What.PROFILE, What.OTHER}:
        told = OfMember.model_validate(detail)
        return Happening(told.program, told.member_id, what)
    points = PointsEvent.model_validate(detail)
    if points.activity in {REFERRAL, REFERRED}:
        return None
    return Happening(points.program, points.member_id, what)
