"""The events that leave the platform. Their JSON schemas are generated into ``docs/events``.

An event is delivered at least once, in no order: ``id`` is the same for every delivery, ``seq`` gives the order of a
member's entries. Points are whole numbers, times RFC 3339 in UTC. No event carries personal data.
"""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

import loyalty_contract as contract
from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import POINTS


class Event(BaseModel):
    """What all details share."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    id: str = Field(description="The same for every delivery of this event.")
    program: str


class OfMember(Event):
    """What happened to one member."""

    member_id: str


class WalletChange(BaseModel):
    """What an entry did to a wallet beside the points, and its balances after it."""

    model_config = ConfigDict(frozen=True)

    points: int = Field(description="Change of the available balance; of a wallet in a currency, its minor units.")
    available: int
    pending: int
    held: int
    debt: int


class PointsEvent(OfMember):
    """An entry of the ledger: what happened to a member's points."""

    entry_id: str
    seq: int = Field(description="The entry's place in the member's ledger, gapless from 1.")
    points: int = Field(description="Change of the available balance.")
    available: int = Field(description="Available balance after the entry.")
    pending: int
    held: int
    debt: int = Field(default=0, description="What reversals took beyond the balance; later points pay it first.")
    others: dict[str, WalletChange] = Field(default_factory=dict, description="Wallets beside the points, by their id.")
    program_version: int
    rule: str | None = None
    activity: str | None = None
    channel: str | None = None
    reverses: str | None = None
    reason: str | None = Field(default=None, description="Of a reversal or an adjustment: why, as a code.")
    other_member: str | None = Field(default=None, description="The other side of a transfer or a merge.")
    redemption_id: str | None = None
    reward_id: str | None = None
    occurred_at: str
    posted_at: str


class PointsExpiring(OfMember):
    """Points are about to expire: time to remind the member."""

    entry_id: str
    seq: int
    wallet: str
    expires_on: str = Field(description="Last day on which they may be spent, in the program's zone.")
    points: int = Field(description="What would expire by now; spending may still make it fewer.")
    posted_at: str


class TierChanged(OfMember):
    """A member moved from one tier to another."""

    entry_id: str
    seq: int
    ladder: str = Field(default=STATUS, description="The ladder of tiers; `status` is the main one.")
    tier_from: str | None
    tier_to: str
    cause: str = Field(
        default="earned",
        description="`earned`, `merged`, `reviewed` when its time was over, `granted`, `grant_ended`, or `reversed`.",
    )
    reason: str | None = Field(default=None, description="Of a grant: why, as a code.")
    valid_until: str | None = Field(
        default=None, description="Last day of an earned tier in the program's zone, days of grace not counted."
    )
    posted_at: str


class TierExpiring(OfMember):
    """A tier is about to be lost: time to tell the member what is missing."""

    entry_id: str
    seq: int
    ladder: str
    tier: str
    expires_on: str = Field(description="Last day of the tier in the program's zone, days of grace counted.")
    tier_to: str = Field(description="The tier that follows unless more is earned.")
    posted_at: str


class MemberEvent(OfMember):
    """A member enrolled, or changed their profile."""

    version: int
    referred_by: str | None = None
    contact_changed: bool = Field(default=False, description="The e-mail address or the phone is another one.")
    updated_at: str | None = None


class MemberErased(OfMember):
    """A member was erased: whoever keeps something of them under this id deletes it."""

    erased_at: str


class ConsentChanged(OfMember):
    """A member said yes or no to a purpose. What is in force is read from the API."""

    purpose: str
    given: bool
    wording: str = Field(description="The version of the text that they agreed to, or withdraw from.")
    at: str


class RedemptionEvent(OfMember):
    """A redemption was opened, was ended by somebody, or was cancelled. Of a time-out, the points event tells."""

    redemption_id: str
    reward_id: str
    reward_type: str
    quantity: int
    points: int = Field(description="The whole price.")
    wallet: str = Field(default=POINTS, description="The wallet that it is paid from.")
    held_at: str | None = Field(default=None, description="When the hold began.")
    expires_at: str | None = Field(default=None, description="When the hold times out, unless it has ended by then.")
    captured_points: int | None = Field(default=None, description="Of a capture, and of what it cancels.")


class CardResent(OfMember):
    """A gift card or code is there, and the member shall be told once more. It is read from the API, and never in an event."""

    redemption_id: str
    requested_at: str


class CardRevealed(OfMember):
    """A gift card or code was shown to a client; nothing of it is told."""

    redemption_id: str
    access: int = Field(description="The how many-eth line of the card's register it is, from 1.")
    client_id: str
    revealed_at: str


class RiskEvent(OfMember):
    """A member was flagged for signs of abuse, or released by a person."""

    signals: list[str] = Field(description="Names of the signs; of a release, those that it settles.")
    on_hold: bool = Field(description="Whether redemptions, transfers and withdrawals are refused from now on.")
    updated_at: str


class ClientSuspected(Event):
    """A client did something more often in a window than the program takes for right. Nothing is done about it by itself."""

    client_id: str
    signal: str = Field(
        description="`many_reveals`, `members_not_found`, `codes_unknown` or `already_enrolled`.",
    )
    counted: int = Field(description="When it was noticed; it may be more by now.")
    bound: int
    since: str = Field(description="Start of the window.")
    minutes: int = Field(description="Length of the window.")
    suspected_at: str


class FulfillmentEvent(OfMember):
    """A gift card's fulfilment stands somewhere else than before, or somebody was reminded of it."""

    redemption_id: str
    reward_id: str
    status: str = Field(
        description="`screening`, `awaiting_approval`, `ordering`, `awaiting_funds`, `pending`, `delivering`, `attention`; "
        "at its end `fulfilled`, `refused`, `rejected`, `expired`, `cancelled` or `resolved`."
    )
    status_before: str | None = None
    reason: str | None = Field(default=None, description="Why it stands there, as a code.")
    value: str = Field(description="What the card is worth, such as `10.00 USD`.")
    reminder: bool = Field(default=False, description="The same status for long: who is to approve it is reminded.")
    updated_at: str


class ReferralShared(OfMember):
    """A member was given a link to share, for a campaign and a channel, for the first time."""

    campaign: str | None = None
    channel: str
    shared_at: str


class ReferralClicked(OfMember):
    """Somebody followed a member's link. Nothing is known of who did."""

    click_id: str = Field(description="With which they may enroll: it says by which link they came.")
    code: str
    campaign: str | None = None
    channel: str | None = None
    clicked_at: str


class ReferralEvent(OfMember):
    """How far a referral is, as both sides may know it: nothing here says what screening found, or that a person looked.

    The member is who was brought. One that was rejected is `pending` until its time is over, as if nothing had qualified.
    """

    referrer: str = Field(description="Who brought them.")
    code: str | None = Field(default=None, description="The code that was named; none once its owner was erased.")
    campaign: str | None = None
    channel: str | None = None
    status: str = Field(description="`pending`, `rewarded`, `reversed` or `ended`, as the API tells it.")
    deadline: str | None = Field(
        default=None, description="Until when it may qualify; none where the program asks nothing."
    )
    pays_at: str | None = Field(default=None, description="Of one that qualified: from when on it is rewarded.")
    reminder: int | None = Field(default=None, description="Of a reminder: the how many-eth, from 1.")
    points: int | None = Field(default=None, description="Of one that was rewarded: what the referrer earned.")
    member_points: int | None = Field(default=None, description="Likewise, who was brought.")
    updated_at: str


class ProgramEvent(Event):
    """A version of a program was published, or one that was scheduled was cancelled before it came into force."""

    version: int
    effective_at: str = Field(description="When it comes into force; in the past where it has.")
    rolled_back_to: int | None = Field(default=None, description="The version whose document it took again.")
    digest: str | None = Field(default=None, description="SHA-256 of the document, in hex.")


EVENTS: Final[dict[str, type[Event]]] = {
    contract.POINTS_ACCRUED: PointsEvent,
    contract.POINTS_REVERSED: PointsEvent,
    contract.POINTS_EXPIRED: PointsEvent,
    contract.POINTS_HELD: PointsEvent,
    contract.POINTS_CAPTURED: PointsEvent,
    contract.POINTS_RELEASED: PointsEvent,
    contract.POINTS_TIMED_OUT: PointsEvent,
    contract.POINTS_CANCELLED: PointsEvent,
    contract.POINTS_RENEWED: PointsEvent,
    contract.POINTS_MATURED: PointsEvent,
    contract.POINTS_EXPIRING: PointsExpiring,
    contract.POINTS_ADJUSTED: PointsEvent,
    contract.POINTS_FORFEITED: PointsEvent,
    contract.POINTS_SENT: PointsEvent,
    contract.POINTS_RECEIVED: PointsEvent,
    contract.MEMBER_MERGED: PointsEvent,
    contract.MEMBER_ABSORBED: PointsEvent,
    contract.TIER_CHANGED: TierChanged,
    contract.TIER_EXPIRING: TierExpiring,
    contract.MEMBER_ENROLLED: MemberEvent,
    contract.MEMBER_UPDATED: MemberEvent,
    contract.MEMBER_ERASED: MemberErased,
    contract.CONSENT_CHANGED: ConsentChanged,
    contract.REDEMPTION_HELD: RedemptionEvent,
    contract.REDEMPTION_CAPTURED: RedemptionEvent,
    contract.REDEMPTION_RELEASED: RedemptionEvent,
    contract.REDEMPTION_CANCELLED: RedemptionEvent,
    contract.CARD_RESENT: CardResent,
    contract.CARD_REVEALED: CardRevealed,
    contract.MEMBER_FLAGGED: RiskEvent,
    contract.MEMBER_RELEASED: RiskEvent,
    contract.CLIENT_SUSPECTED: ClientSuspected,
    contract.FULFILLMENT_CHANGED: FulfillmentEvent,
    contract.REFERRAL_SHARED: ReferralShared,
    contract.REFERRAL_CLICKED: ReferralClicked,
    contract.REFERRAL_ENROLLED: ReferralEvent,
    contract.REFERRAL_REMINDER: ReferralEvent,
    contract.REFERRAL_QUALIFIED: ReferralEvent,
    contract.REFERRAL_RETURNED: ReferralEvent,
    contract.REFERRAL_REVIEWED: ReferralEvent,
    contract.REFERRAL_REWARDED: ReferralEvent,
    contract.REFERRAL_REVERSED: ReferralEvent,
    contract.REFERRAL_ENDED: ReferralEvent,
    contract.PROGRAM_PUBLISHED: ProgramEvent,
    contract.PROGRAM_UNSCHEDULED: ProgramEvent,
}
"""Every detail-type and the shape of its detail."""
