"""Examples of the catalogue, redemptions, stock and bulk fulfilment."""

from typing import Any, Final

from infra.examples.shared import REDEMPTION

_HELD: Final = {
    "redemption_id": REDEMPTION,
    "status": "held",
    "reward_id": "coffee",
    "reward_type": "perk",
    "quantity": 1,
    "points": 50,
    "wallet": "points",
    "cash": None,
    "value": None,
    "country": "ID",
    "held_at": "2026-11-22T10:00:00.000Z",
    "expires_at": "2026-11-22T12:00:00.000Z",
    "ended_at": None,
    "captured_points": None,
    "cancelled_at": None,
    "reference": None,
    "tracking_url": None,
}
_REWARD: Final = {
    "reward_id": "coffee",
    "name": "A coffee on the house",
    "description": "Any coffee of the menu, also to take away.",
    "terms": "Show the redemption at the counter.",
    "type": "perk",
    "points": 50,
    "wallet": "points",
    "cash": None,
    "denominations": [],
    "value": None,
    "picture_url": "https://pictures.example.com/4d6f8h0k.png?X-Amz-Signature=1f9c",
    "countries": ["ID", "IT"],
    "tiers": [],
    "available_from": "2026-11-01T00:00:00",
    "available_until": None,
    "per_member": [{"per": "day", "count": 1}],
    "limited": False,
    "return_days": 14,
    "ended_by": "partner",
    "available": True,
    "reasons": [],
}
_REWARD_OF_MEMBER: Final = _REWARD | {
    "available": False,
    "affordable": False,
    "reasons": [{"code": "insufficient_points", "detail": "This needs 50 points; 30 can be spent."}],
}
_RESTOCKED: Final = {
    "restock_id": "rst_4d6f8h0k2n4q6s8v0x2z4b6d8f",
    "add": 50,
    "reference": "DN-2026-0815",
    "actor": "staff-7",
    "client_id": "2k4m6n8p0q2s4u6w8y0a2c4e6g",
    "at": "2026-11-22T08:00:00.000Z",
}
_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_CREATED: Final = {
    "campaign": "spring-thanks",
    "status": "created",
    "reward_id": "gift-card-10",
    "paid_by": "program",
    "started_by": "person:staff-17",
    "created_at": "2026-11-22T10:00:00.000Z",
    "problem": None,
    "lines": None,
    "units": None,
    "points": None,
    "value": None,
    "decided_by": None,
    "decided_at": None,
    "note": None,
}
_CHECKED: Final = _CREATED | {
    "status": "running",
    "lines": 5000,
    "units": 5000,
    "points": 0,
    "value": {"value": "50000.00", "currency": "USD"},
    "decided_by": "person:staff-4",
    "decided_at": "2026-11-22T10:01:00.000Z",
    "note": "Within the budget of the spring.",
}
_ENDED: Final = {"ended_at": "2026-11-22T10:05:00.000Z"}
_CAPTURED: Final = _HELD | _ENDED | {"status": "captured", "captured_points": 40, "reference": "ORD-4711"}
REQUESTS: Final[dict[str, Any]] = {
    "post_redemption": {
        "reward_id": "coffee",
        "quantity": 1,
        "hold_minutes": 120,
        "country": "ID",
        "quoted_points": 50,
    },
    "post_restock": {"add": 50, "reference": "DN-2026-0815", "actor": "staff-7"},
    "post_quote": {"reward_id": "coffee", "quantity": 1, "country": "ID"},
    "capture": {"points": 40, "reference": "ORD-4711"},
    "post_campaign": {
        "campaign": "spring-thanks",
        "reward_id": "gift-card-10",
        "paid_by": "program",
        "sha256": _SHA256,
        "actor": "staff-17",
    },
    "approve_campaign": {"actor": "staff-4", "note": "Within the budget of the spring."},
    "reject_campaign": {"actor": "staff-4", "note": "Not in this quarter."},
}

RESPONSES: Final[dict[str, Any]] = {
    "post_redemption": _HELD,
    "get_redemption": _HELD,
    "capture": _CAPTURED,
    "release": _HELD | _ENDED | {"status": "released"},
    "cancel": _CAPTURED | {"status": "cancelled", "cancelled_at": "2026-11-23T08:30:00.000Z"},
    "reveal": {"link": "https://gift-cards.example.com/r/5c1f0a"},
    "resend": {"redemption_id": "rdm_2q8wz5m1y7k3n9c4b6x0d2f8ha"},
    "get_redemptions": {"items": [_HELD], "next_cursor": None},
    "post_quote": {
        "reward_id": "coffee",
        "quantity": 1,
        "points": 50,
        "wallet": "points",
        "cash": None,
        "value": None,
        "available_points": 120,
        "remaining_points": 70,
        "redeemable": True,
        "reasons": [],
        "quoted_at": "2026-11-22T09:59:00.000Z",
    },
    "post_restock": _RESTOCKED,
    "get_stock": {"reward_id": "tote-bag", "left": 38, "restocked": 50, "taken": 12, "restocks": [_RESTOCKED]},
    "get_rewards": {"language": "en", "items": [_REWARD]},
    "get_reward": _REWARD,
    "get_member_rewards": {"language": "en", "items": [_REWARD_OF_MEMBER]},
    "post_campaign": _CREATED
    | {
        "upload_url": f"https://loyalty-reports.s3.eu-south-1.amazonaws.com/bulk/aurora/spring-thanks/{_SHA256}.csv?X-Amz-Signature=0f1e"
    },
    "get_campaigns": {"items": [_CHECKED], "next_cursor": None},
    "get_campaign": _CHECKED
    | {
        "held": 1200,
        "refused": 3,
        "batches": 50,
        "batches_done": 13,
        "ready_at": "2026-11-22T10:04:00.000Z",
        "failures_url": None,
    },
    "start_campaign": _CREATED,
    "approve_campaign": _CHECKED,
    "reject_campaign": _CHECKED | {"status": "rejected"},
}
