"""The events that leave the platform. Their JSON schemas are generated into ``docs/events``.

An event is delivered at least once, in no order: ``id`` is the same for every delivery, ``seq`` gives the order of a
member's entries. Points are whole numbers, times RFC 3339 in UTC. No event carries personal data.
"""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

import loyalty_contract as contract


class Event(BaseModel):
    """What all details share."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    id: str = Field(description="The same for every delivery of this event.")
    program: str
    member_id: str


class PointsEvent(Event):
    """An entry of the ledger: accrued, reversed, expired, held, captured or released points."""

    entry_id: str
    seq: int = Field(description="The entry's place in the member's ledger, gapless from 1.")
    points: int = Field(description="Change of the available balance.")
    available: int = Field(description="Available balance after the entry.")
    pending: int
    held: int
    program_version: int
    rule: str | None = None
    activity: str | None = None
    channel: str | None = None
    reverses: str | None = None
    redemption_id: str | None = None
    reward_id: str | None = None
    occurred_at: str
    posted_at: str


class TierChanged(Event):
    """A member moved from one tier to another."""

    entry_id: str
    seq: int
    tier_from: str | None
    tier_to: str
    posted_at: str


class MemberEvent(Event):
    """A member enrolled, or changed their profile."""

    version: int
    referred_by: str | None = None


class RedemptionEvent(Event):
    """A redemption was opened, or ended."""

    redemption_id: str
    reward_id: str
    reward_type: str
    quantity: int
    points: int


EVENTS: Final[dict[str, type[Event]]] = {
    contract.POINTS_ACCRUED: PointsEvent,
    contract.POINTS_REVERSED: PointsEvent,
    contract.POINTS_EXPIRED: PointsEvent,
    contract.POINTS_HELD: PointsEvent,
    contract.POINTS_CAPTURED: PointsEvent,
    contract.POINTS_RELEASED: PointsEvent,
    contract.TIER_CHANGED: TierChanged,
    contract.MEMBER_ENROLLED: MemberEvent,
    contract.MEMBER_UPDATED: MemberEvent,
    contract.REDEMPTION_HELD: RedemptionEvent,
    contract.REDEMPTION_CAPTURED: RedemptionEvent,
    contract.REDEMPTION_RELEASED: RedemptionEvent,
}
"""Every detail-type and the shape of its detail."""
