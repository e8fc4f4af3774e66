"""Examples of members, their tiers and households."""

from typing import Any, Final

from infra.examples.shared import HOUSEHOLD_ID, MEMBER, OTHER

_PERSON: Final = {
    "email": "ada@example.com",
    "phone": "+393331234567",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "locale": "it-IT",
    "external_ids": {"shopify": "207119551"},
}
_SHOWN: Final = _PERSON | {
    "member_id": MEMBER,
    "referral_code": "K7WQ4M2X",
    "tier": "bronze",
    "referred_by": None,
    "created_at": "2026-11-22T09:00:00.000Z",
    "version": 1,
}
_SEGMENTS: Final = {
    "member_id": MEMBER,
    "segments": [{"id": "founder", "until": None}, {"id": "staff", "until": "2026-12-31"}],
    "version": 1,
}
_GRANTED: Final = {
    "entry_id": "tier:tier_grant:tgr_4d6f8h0k2n4q6s8v0x2z4b6d8f",
    "ladder": "status",
    "tier": "gold",
    "earned": "silver",
    "grant": {"tier": "gold", "until": "2027-03-31"},
    "reason": "goodwill",
    "actor": "staff-17",
    "posted_at": "2026-11-22T10:00:00.000Z",
}
_LADDER: Final = {
    "ladder": "status",
    "name": "Aurora",
    "tier": "gold",
    "tier_name": "Gold",
    "perks": [{"perk_id": "lounge", "name": "The lounge"}],
    "earned": "silver",
    "valid_until": "2026-12-31",
    "kept_until": "2027-01-31",
    "grant": {"tier": "gold", "until": "2027-03-31"},
    "metric": "points",
    "currency": None,
    "tally": 420,
    "period_from": "2026-01-01",
    "period_until": "2026-12-31",
    "next": None,
    "keep": {"tier": "silver", "threshold": 500, "missing": 80, "by": "2026-12-31"},
}
_POOL: Final = {"wallet": "points", "available": 0, "pending": 0, "held": 0, "debt": 0, "lots": [], "maturing": []}
_JOINED: Final = {"member_id": MEMBER, "joined_at": "2026-11-22T10:00:00.000Z"}
_FOUNDED: Final = {
    "household_id": HOUSEHOLD_ID,
    "head": MEMBER,
    "members": [_JOINED],
    "created_at": "2026-11-22T10:00:00.000Z",
    "closed_at": None,
    "pool": _POOL,
}
_BOTH: Final = _FOUNDED | {"members": [_JOINED, {"member_id": OTHER, "joined_at": "2026-11-22T10:05:00.000Z"}]}
_CAME: Final = {
    "member_id": MEMBER,
    "referred_by": OTHER,
    "status": "pending",
    "claimed_at": "2026-11-22T09:00:00.000Z",
    "deadline": "2026-12-22T09:00:00.000Z",
    "points": 0,
}
_BROUGHT: Final = {
    "member_id": OTHER,
    "status": "rewarded",
    "claimed_at": "2026-11-22T09:00:00.000Z",
    "deadline": "2026-12-22T09:00:00.000Z",
    "points": 500,
}
REQUESTS: Final[dict[str, Any]] = {
    "post_member": _PERSON | {"referral_code": "H2NPXT95"},
    "patch_member": {"family_name": "King", "phone": None},
    "put_segments": {"segments": [{"id": "staff", "until": "2026-12-31"}, {"id": "founder"}]},
    "post_tier_grant": {"tier": "gold", "until": "2027-03-31", "reason": "goodwill", "actor": "staff-17"},
    "post_tier_grant_end": {"reason": "correction", "actor": "staff-17"},
    "post_merge": {"from_member_id": OTHER, "actor": "staff-17"},
    "post_household": {"head": MEMBER},
    "post_household_member": {"member_id": OTHER},
    "post_referral": {"referral_code": "K7WQ4M2X", "referral_channel": "link"},
    "post_validation": {"referral_code": "K7WQ4M2X", "email": "grace@example.com"},
}

RESPONSES: Final[dict[str, Any]] = {
    "post_member": _SHOWN,
    "get_member": _SHOWN,
    "patch_member": _SHOWN | {"family_name": "King", "phone": None, "version": 2},
    "get_segments": _SEGMENTS,
    "put_segments": _SEGMENTS,
    "get_tier": {"member_id": MEMBER, "ladders": [_LADDER]},
    "post_tier_grant": _GRANTED,
    "post_tier_grant_end": _GRANTED
    | {"entry_id": "tier:tier_grant_end:tgr_1b3d5f7h9k1m3p5r7t9w1y3a5c", "tier": "silver", "grant": None},
    "post_merge": {
        "member_id": MEMBER,
        "merged_from": OTHER,
        "points": 40,
        "balances": {"available": 145, "pending": 0, "held": 0, "debt": 0},
        "actor": "staff-17",
        "merged_at": "2026-11-22T10:30:00.000Z",
    },
    "post_household": _FOUNDED,
    "get_household": _BOTH,
    "get_member_household": _BOTH,
    "post_household_member": _BOTH,
    "delete_household_member": _FOUNDED,
    "post_referral": _CAME,
    "get_referral": _CAME,
    "get_referrals": {
        "items": [_BROUGHT],
        "next_cursor": None,
        "summary": {"pending": 0, "rewarded": 1, "reversed": 0, "ended": 0, "points": 500},
    },
    "post_validation": {"valid": True, "reason": "valid"},
}
