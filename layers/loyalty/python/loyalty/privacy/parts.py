"""What is in an export: its files, what each of them says, and for whom."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from loyalty.abuse.store import RiskItem
from loyalty.adjustments.store import AdjustmentItem
from loyalty.attribution.model import Referral
from loyalty.core.clock import to_text
from loyalty.ledger.keys import ADJUSTMENT_PREFIX
from loyalty.privacy.consent_items import ConsentItem
from loyalty.referrals.link_store import ShareItem
from loyalty.rewards.model import Redemption

FILES: Final[Mapping[str, str]] = {
    "profile": "What you told of yourself, and of each membership that was merged into this one.",
    "consents": "What you agreed to or withdrew, with the version of the text, when and where.",
    "preferences": "By which channels you want to be addressed, by purpose.",
    "segments": "Groups that the business put you into.",
    "statement": "Every movement of your points, in the order of its number `seq`.",
    "redemptions": "What you exchanged points for.",
    "cards": "Gift cards and codes that you were given, and when they were shown. Their codes are in the app alone.",
    "household": "The household whose points you share.",
    "referrals": "By whom you came and how far that is, what is kept of you as hashes to compare with others, and whom you brought. By ids.",
    "referral_codes": "The codes by which you bring others; the first of each membership is the one that you show.",
    "referral_links": "Links that you were given to share, by campaign and channel.",
    "adjustments": "Points that the business's staff gave or took by hand, or proposed to, and why.",
    "reviews": "Whether somebody had to look at your membership for signs of abuse, and whether it is on hold. Not by which signs.",
}
"""By name: a JSON list in ``<name>.json``, and what it says. ``wallet.json`` is one object."""

README: Final = """Your data, as a copy of {made_at} (UTC)
Membership {member_id}

wallet.json has your balances. Each other file is a JSON list; schema.json says what is in it.
Points are whole numbers; amounts of money are text with their currency. Times are RFC 3339 in UTC.
Where memberships were merged, member_id says which one a line is of.
"""


def schema() -> dict[str, Any]:
    """A JSON schema of each file: lists of objects, and what they are about."""
    lists = {
        f"{name}.json": {"description": text, "type": "array", "items": {"type": "object"}}
        for name, text in FILES.items()
    }
    wallet = {"wallet.json": {"description": "Your balances.", "type": "object"}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "files": {**wallet, **lists}}


def consent_part(item: ConsentItem) -> dict[str, Any]:
    """A line of the log of consents."""
    return {
        "purpose": item.purpose,
        "given": item.given,
        "wording": item.wording,
        "language": item.language,
        "channel": item.channel,
        "at": item.at,
    }


def adjustment_part(item: AdjustmentItem) -> dict[str, Any]:
    """An adjustment, without who asked for it and who decided."""
    told = {
        "adjustment_id": item.sk.removeprefix(ADJUSTMENT_PREFIX),
        "status": item.status,
        "points": item.points,
        "wallet": item.wallet,
        "reason": item.reason,
        "created_at": item.created_at,
        "decided_at": item.decided_at,
    }
    return {name: value for name, value in told.items() if value is not None}


def referral_part(own: Referral, now: datetime) -> dict[str, Any]:
    """By whom a member came, as they are told it at ``now`` (UTC), and of what hashes are kept: by kind, as none can be read."""
    told = {
        "referrer": own.referrer,
        "status": own.told(now).value,
        "claimed_at": to_text(own.claimed_at),
        "deadline": None if own.deadline is None else to_text(own.deadline),
        "campaign": own.source.campaign,
        "channel": own.source.channel,
        "hashes": sorted(own.likenesses),
    }
    return {name: value for name, value in told.items() if value is not None}


def review_part(item: RiskItem) -> dict[str, Any]:
    """A case of suspected abuse: who knew by which signs it was opened would know what to avoid."""
    return {
        "state": item.state,
        "on_hold": bool(item.on_hold),
        "opened_at": to_text(item.opened_at),
        "updated_at": to_text(item.updated_at),
    }


def share_part(item: ShareItem) -> dict[str, Any]:
    """A link that the member was given to share."""
    return {"campaign": item.campaign, "channel": item.channel, "shared_at": to_text(item.at)}


def redemption_part(redemption: Redemption) -> dict[str, Any]:
    """A redemption, without who asked for it on the business's side."""
    told = {
        "redemption_id": redemption.redemption_id,
        "status": redemption.status.value,
        "reward_id": redemption.reward_id,
        "reward_type": redemption.reward_type.value,
        "quantity": redemption.quantity,
        "points": redemption.points,
        "wallet": redemption.wallet,
        "value": str(redemption.value) if redemption.value else None,
        "held_at": to_text(redemption.held_at),
        "ended_at": to_text(redemption.ended_at) if redemption.ended_at else None,
        "country": redemption.country,
        "reference": redemption.reference,
        "tracking_url": redemption.tracking_url,
    }
    return {name: value for name, value in told.items() if value is not None}
