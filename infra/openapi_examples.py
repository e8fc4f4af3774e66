"""Examples in the OpenAPI document, by operation; a test validates each against its schema.

Where answers of different statuses look different, by operation and status.
"""

from typing import Any, Final

_MEMBER: Final = "mbr_01k9t3v5q8w2x4y6z8a0b2c4d6"
_OTHER: Final = "mbr_01k9t3w7e1r5t9y3u7j1m5n9q3"
_REDEMPTION: Final = "rdm_3f7k9m2p5r8t1v4x6z0b3d5g7j"
_HOUSEHOLD_ID: Final = "hsh_2c4e6g8j0m3p5r7t9v1x3z5b7d"
_TRANSFER_ID: Final = "trf_6h8k0n2q4s6v8x0z2b4d6f8h0k"
_WALLET: Final = {"available": 105, "pending": 0, "held": 0}
_PERSON: Final = {
    "email": "ada@example.com",
    "phone": "+393331234567",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "locale": "it-IT",
    "external_ids": {"shopify": "207119551"},
}
_SHOWN: Final = _PERSON | {
    "member_id": _MEMBER,
    "referral_code": "K7WQ4M2X",
    "tier": "bronze",
    "referred_by": None,
    "created_at": "2026-11-22T09:00:00.000Z",
    "version": 1,
}
_SEGMENTS: Final = {
    "member_id": _MEMBER,
    "segments": [{"id": "founder", "until": None}, {"id": "staff", "until": "2026-12-31"}],
    "version": 1,
}
_HELD: Final = {
    "redemption_id": _REDEMPTION,
    "status": "held",
    "reward_id": "coffee",
    "reward_type": "perk",
    "quantity": 1,
    "points": 50,
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

_ADJUSTED: Final = {
    "adjustment_id": "adj_4d6f8h0k2n4q6s8v0x2z4b6d8f",
    "status": "posted",
    "points": 500,
    "wallet": "points",
    "reason": "goodwill",
    "actor": "staff-17",
    "decided_by": None,
    "created_at": "2026-11-22T10:00:00.000Z",
    "decided_at": None,
    "posted_to": _MEMBER,
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
_PROPOSED: Final = _ADJUSTED | {"status": "proposed", "points": 50_000, "posted_to": None}
_DECIDED: Final = _PROPOSED | {"decided_by": "staff-4", "decided_at": "2026-11-22T10:20:00.000Z"}
_POOL: Final = {"wallet": "points", "available": 0, "pending": 0, "held": 0, "debt": 0, "lots": [], "maturing": []}
_JOINED: Final = {"member_id": _MEMBER, "joined_at": "2026-11-22T10:00:00.000Z"}
_FOUNDED: Final = {
    "household_id": _HOUSEHOLD_ID,
    "head": _MEMBER,
    "members": [_JOINED],
    "created_at": "2026-11-22T10:00:00.000Z",
    "closed_at": None,
    "pool": _POOL,
}
_JUDGED: Final = {
    "rule": "purchase",
    "name": None,
    "wallet": "points",
    "counted": False,
    "points": 0,
    "lost_to": None,
}
_BOTH: Final = _FOUNDED | {"members": [_JOINED, {"member_id": _OTHER, "joined_at": "2026-11-22T10:05:00.000Z"}]}
_POOLED: Final = {
    "transfer_id": _TRANSFER_ID,
    "household_id": _HOUSEHOLD_ID,
    "member_id": _MEMBER,
    "points": 40,
    "posted_at": "2026-11-22T10:10:00.000Z",
    "member": {"available": 65, "pending": 0, "held": 0, "debt": 0},
    "pool": {"available": 40, "pending": 0, "held": 0, "debt": 0},
}

_RUN: Final = {
    "redemption_id": _REDEMPTION,
    "member_id": _MEMBER,
    "reward_id": "card-500",
    "points": 50_000,
    "value": {"value": "500.00", "currency": "USD"},
    "status": "awaiting_approval",
    "reason": "over_threshold",
    "supplier": None,
    "product": None,
    "external_id": None,
    "supplier_order_id": None,
    "cost": None,
    "orders": 0,
    "campaign": None,
    "requested_by": "client:3f7k9m2p5r8t",
    "approve_until": "2026-11-25T10:00:01.000Z",
    "decided_by": None,
    "decided_at": None,
    "note": None,
    "opened_at": "2026-11-22T10:00:01.000Z",
    "updated_at": "2026-11-22T10:00:01.000Z",
    "ended_at": None,
}
_RUN_DECIDED: Final = _RUN | {
    "decided_by": "client:9v1x3z5b7d2f",
    "decided_at": "2026-11-22T11:00:00.000Z",
    "updated_at": "2026-11-22T11:00:00.000Z",
    "approve_until": None,
    "note": "Checked by phone.",
}
_ORDERING: Final = _RUN_DECIDED | {"status": "ordering", "reason": None}
_RUN_ENDED: Final = _RUN_DECIDED | {"ended_at": "2026-11-22T11:00:00.000Z"}
_STEP: Final = {
    "number": 1,
    "at": "2026-11-22T10:00:01.000Z",
    "name": "screen",
    "outcome": "done",
    "supplier": None,
    "external_id": None,
    "request_id": None,
    "cost": None,
    "error": None,
    "by": None,
    "note": None,
}
_DAY_LINE: Final = {
    "supplier": "tremendous",
    "currency": "USD",
    "issued": 41,
    "value": {"value": "1025.00", "currency": "USD"},
    "cost": [{"value": "1004.50", "currency": "USD"}],
    "not_issued": 2,
    "waiting": 0,
    "waiting_value": {"value": "0.00", "currency": "USD"},
    "counts": {"fulfilled": 41, "refused": 2},
}
_WHY: Final = {"note": "Checked by phone."}

_WAITING: Final = {
    "status": "waiting",
    "code": None,
    "entry_id": "reversal:pos:F-1",
    "source": "pos",
    "source_id": "F-1",
    "accrual_source_id": "R-1",
    "occurred_at": "2026-11-24T15:00:00.000Z",
    "received_at": "2026-11-24T15:00:01.250Z",
    "reason": "return",
    "channel": None,
    "amount": None,
    "lines": [{"line_id": "2", "quantity": 1}],
    "everything": False,
}

_DOCUMENT: Final = {
    "id": "aurora",
    "name": "Aurora Rewards",
    "time_zone": "Europe/Rome",
    "locales": ["en", "it"],
    "earn_rules": [
        {"id": "purchase", "activity": "purchase", "rates": [{"points": 1, "per": "1.00", "currency": "EUR"}]}
    ],
    "tiers": [{"id": "bronze", "name": "Bronze", "threshold": 0, "translations": {"it": "Bronzo"}}],
    "expiry": {"policy": "rolling", "months": 12},
}
_UNTRANSLATED: Final = {
    "pointer": "/translations",
    "detail": "'Aurora Rewards' has no translation into it; members who read that see 'Aurora Rewards'",
}
_FINDINGS: Final = {"errors": [], "warnings": [_UNTRANSLATED]}
_DRAFT: Final = {
    "program": "aurora",
    "based_on": 4,
    "saved_at": "2026-11-22T10:00:00.000Z",
    "saved_by": "3n4b5urk1ft4fl3mg5e62d9ado",
    "findings": _FINDINGS,
    "document": _DOCUMENT,
}
_PUBLISHED: Final = {
    "version": 5,
    "status": "in_force",
    "published_at": "2026-11-22T10:05:00.000Z",
    "published_by": "3n4b5urk1ft4fl3mg5e62d9ado",
    "effective_at": "2026-11-22T10:05:00.000Z",
    "comment": "Aurora speaks Italian",
    "changes": "locales en → en, it",
    "rolled_back_to": None,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "cancelled_at": None,
    "cancelled_by": None,
}
_OFFERED_TIER: Final = {
    "tier": "bronze", "name": "Bronzo", "threshold": 0, "multiplier": "1", "perks": [],
}  # fmt: skip
_SCHEDULED: Final = _PUBLISHED | {
    "version": 6,
    "status": "scheduled",
    "effective_at": "2026-12-01T00:00:00.000Z",
    "comment": "Double points in December",
    "changes": "earn rule 'purchase', rate for 'EUR': points 1 → 2",
}

_ACCRUAL: Final = {
    "activity": "purchase",
    "source": "pos",
    "source_id": "R-1",
    "occurred_at": "2026-11-22T09:30:00Z",
    "channel": "in_store",
    "amount": {"value": "105.00", "currency": "USD"},
    "lines": [
        {"line_id": "1", "sku": "LAMP-1", "amount": {"value": "80.00", "currency": "USD"}},
        {"line_id": "2", "sku": "BULB-7", "quantity": 5, "amount": {"value": "25.00", "currency": "USD"}},
    ],
}
REQUESTS: Final[dict[str, Any]] = {
    "approve_run": _WHY,
    "reject_run": _WHY,
    "retry_run": _WHY,
    "cancel_run": _WHY,
    "resolve_run": _WHY | {"give_back": True},
    "reissue_run": _WHY,
    "post_member": _PERSON | {"referral_code": "H2NPXT95"},
    "patch_member": {"family_name": "King", "phone": None},
    "put_segments": {"segments": [{"id": "staff", "until": "2026-12-31"}, {"id": "founder"}]},
    "post_accrual": _ACCRUAL,
    "post_preview": _ACCRUAL,
    "post_reversal": {
        "source": "pos",
        "source_id": "F-1",
        "accrual_source_id": "R-1",
        "occurred_at": "2026-11-24T15:00:00Z",
        "reason": "return",
        "lines": [{"line_id": "2", "quantity": 1}],
    },
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
    "post_adjustment": {"points": 500, "reason": "goodwill", "actor": "staff-17"},
    "post_tier_grant": {"tier": "gold", "until": "2027-03-31", "reason": "goodwill", "actor": "staff-17"},
    "post_tier_grant_end": {"reason": "correction", "actor": "staff-17"},
    "approve": {"actor": "staff-4"},
    "reject": {"actor": "staff-4"},
    "post_campaign": {
        "campaign": "spring-thanks",
        "reward_id": "gift-card-10",
        "paid_by": "program",
        "sha256": _SHA256,
        "actor": "staff-17",
    },
    "approve_campaign": {"actor": "staff-4", "note": "Within the budget of the spring."},
    "reject_campaign": {"actor": "staff-4", "note": "Not in this quarter."},
    "post_transfer": {"to_member_id": _OTHER, "points": 40},
    "post_merge": {"from_member_id": _OTHER, "actor": "staff-17"},
    "post_household": {"head": _MEMBER},
    "post_household_member": {"member_id": _OTHER},
    "post_contribution": {"member_id": _MEMBER, "points": 40},
    "post_withdrawal": {"member_id": _OTHER, "points": 15},
    "post_validation": {"referral_code": "K7WQ4M2X", "email": "grace@example.com"},
    "put_draft": _DOCUMENT,
    "post_version": {"comment": "Double points in December", "effective_at": "2026-12-01T00:00:00Z"},
    "post_rollback": {"comment": "Back to what we had"},
}

RESPONSES: Final[dict[str, Any]] = {
    "get_runs": {"items": [_RUN], "next_cursor": None},
    "get_run": {"run": _RUN, "timeline": [_STEP]},
    "approve_run": _ORDERING,
    "reject_run": _RUN_ENDED | {"status": "rejected"},
    "retry_run": _ORDERING,
    "cancel_run": _RUN_ENDED | {"status": "cancelled"},
    "resolve_run": _RUN_ENDED | {"status": "resolved"},
    "reissue_run": _ORDERING | {"reason": "reissue"},
    "get_export": "program,redemption_id,…\r\naurora,rdm_3f7k9m2p5r8t1v4x6z0b3d5g7j,…\r\n",
    "get_totals": {"days": [{"day": "2026-11-21", "closed": True, "lines": [_DAY_LINE]}]},
    "get_health": {"status": "ok"},
    "receive": {"received": True},
    "post_member": _SHOWN,
    "get_member": _SHOWN,
    "patch_member": _SHOWN | {"family_name": "King", "phone": None, "version": 2},
    "get_segments": _SEGMENTS,
    "put_segments": _SEGMENTS,
    "get_wallet": _WALLET
    | {
        "wallet": "points",
        "debt": 0,
        "lots": [{"expires_on": "2027-11-30", "points": 105, "warnings_on": ["2027-10-31", "2027-11-23"]}],
        "maturing": [],
        "tier": "bronze",
        "seq": 1,
        "holds": [],
        "others": [],
        "merged_into": None,
    },
    "explain_wallet": _WALLET
    | {
        "debt": 0,
        "wallet": "points",
        "lots": [{"expires_on": "2027-11-30", "points": 105, "warnings_on": ["2027-10-31", "2027-11-23"]}],
        "maturing": [],
        "at": "2026-11-22T12:00:00.000Z",
        "seq": 1,
        "text": "22 November 2026, 13:00: 105 points can be spent.",
        "steps": [
            {
                "entry_id": "accrual:pos:R-1",
                "seq": 1,
                "kind": "accrual",
                "posted_at": "2026-11-22T09:30:02.125Z",
                "occurred_at": "2026-11-22T09:30:00.000Z",
                "points": 105,
                "available": 105,
                "rule": "purchase",
                "program_version": 1,
                "lots": {"2027-11-30": 105},
                "text": "105 points for 'purchase' of 105.00 USD (pos R-1), by rule 'purchase' of program version 1, "
                "to be spent through 30 November 2027.",
            }
        ],
        "next_cursor": None,
    },
    "get_entries": {
        "items": [
            {
                "entry_id": "accrual:pos:R-1",
                "seq": 1,
                "kind": "accrual",
                "points": 105,
                "postings": {"member:available": 105, "program:issued": -105},
                "balances": _WALLET,
                "others": [],
                "activity": "purchase",
                "channel": "in_store",
                "amount": "105.00 USD",
                "rule": "purchase",
                "program_version": 1,
                "occurred_at": "2026-11-22T09:30:00.000Z",
                "posted_at": "2026-11-22T09:30:02.125Z",
            }
        ],
        "next_cursor": None,
    },
    "post_accrual": {
        "entry_id": "accrual:pos:R-1",
        "points": 105,
        "wallet": _WALLET,
        "others": [],
        "rules": [{"rule": "purchase", "wallet": "points", "points": 105}],
    },
    "post_preview": {
        "points": 105,
        "others": [],
        "rules": [
            _JUDGED | {"counted": True, "points": 105, "reason": None, "text": "'purchase' gives 105."},
            _JUDGED
            | {
                "rule": "double-shoes",
                "name": "Double points for shoes",
                "reason": "no_line_matched",
                "text": "'Double points for shoes' gives nothing: there is no line that counts for it.",
            },
        ],
    },
    "post_reversal 201": {
        "status": "posted",
        "entry_id": "reversal:pos:F-1",
        "reverses": "accrual:pos:R-1",
        "amount": {"value": "5.00", "currency": "USD"},
        "points": 5,
        "wallet": _WALLET | {"available": 100},
        "others": [],
    },
    "post_reversal 202": _WAITING,
    "get_reversals": {"items": [_WAITING], "next_after": None},
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
    "get_tier": {"member_id": _MEMBER, "ladders": [_LADDER]},
    "post_tier_grant": _GRANTED,
    "post_tier_grant_end": _GRANTED
    | {"entry_id": "tier:tier_grant_end:tgr_1b3d5f7h9k1m3p5r7t9w1y3a5c", "tier": "silver", "grant": None},
    "post_adjustment 201": _ADJUSTED,
    "post_adjustment 202": _PROPOSED,
    "get_adjustments": {"items": [_PROPOSED], "next_after": None},
    "get_adjustment": _PROPOSED,
    "approve": _DECIDED | {"status": "posted", "posted_to": _MEMBER},
    "reject": _DECIDED | {"status": "rejected"},
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
    "post_transfer": {
        "transfer_id": _TRANSFER_ID,
        "from_member_id": _MEMBER,
        "to_member_id": _OTHER,
        "points": 40,
        "wallet": "points",
        "posted_at": "2026-11-22T10:10:00.000Z",
        "balances": {"available": 65, "pending": 0, "held": 0, "debt": 0},
    },
    "post_merge": {
        "member_id": _MEMBER,
        "merged_from": _OTHER,
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
    "post_contribution": _POOLED,
    "post_withdrawal": _POOLED
    | {
        "member_id": _OTHER,
        "points": 15,
        "member": {"available": 15, "pending": 0, "held": 0, "debt": 0},
        "pool": {"available": 25, "pending": 0, "held": 0, "debt": 0},
    },
    "post_validation": {"valid": True, "reason": "valid"},
    "get_program": {
        "program": "aurora",
        "version": 5,
        "name": "Aurora Rewards",
        "language": "it",
        "dir": "ltr",
        "languages": ["en", "it"],
        "time_zone": "Europe/Rome",
        "brand": {
            "display_name": "Aurora",
            "colours": {"primary": "#0b5fff", "secondary": None},
            "logo_url": "https://cdn.example.com/logo.svg",
        },
        "wallets": [{"wallet": "points", "name": None, "currency": None}],
        "earn_rules": [
            {
                "rule": "purchase",
                "name": None,
                "activity": "purchase",
                "wallet": "points",
                "campaign": None,
                "conditional": False,
                "rates": [{"points": 1, "per": "1.00", "currency": "EUR"}],
                "fixed_points": None,
                "points_per_line": None,
                "points_per_item": None,
                "multiplier": None,
                "return_days": 0,
            }
        ],
        "campaigns": [],
        "tiers": [_OFFERED_TIER],
        "ladders": [
            {
                "ladder": "status",
                "name": "Aurora Rewards",
                "metric": "points",
                "currency": None,
                "period": "calendar_year",
                "months": None,
                "tiers": [_OFFERED_TIER],
            }
        ],
        "rewards": [
            {
                "reward_id": "coffee",
                "name": "Un caffè offerto",
                "type": "perk",
                "points": 50,
                "cash": None,
                "denominations": [],
                "tiers": [],
            }
        ],
    },
    "get_draft": _DRAFT,
    "put_draft": _DRAFT,
    "validate_draft": _FINDINGS,
    "get_draft_diff": {
        "version": 4,
        "summary": "locales en → en, it",
        "changes": [
            {
                "path": "locales",
                "kind": "changed",
                "before": ["en"],
                "after": ["en", "it"],
                "text": "locales en → en, it",
            }
        ],
    },
    "get_versions": {"in_force": 5, "scheduled": 6, "items": [_SCHEDULED, _PUBLISHED], "next_before": 5},
    "post_version": _SCHEDULED,
    "get_version": _PUBLISHED | {"document": _DOCUMENT},
    "post_rollback": _PUBLISHED | {"rolled_back_to": 3, "comment": "Back to what we had"},
    "delete_scheduled": _SCHEDULED
    | {
        "status": "cancelled",
        "cancelled_at": "2026-11-22T11:00:00.000Z",
        "cancelled_by": "3n4b5urk1ft4fl3mg5e62d9ado",
    },
}

PROBLEM: Final = {
    "type": "urn:problem-type:loyalty:invalid",
    "title": "Invalid",
    "status": 422,
    "detail": "Correct /amount/value and send it again.",
    "code": "invalid",
    "instance": "urn:request:0d9d2a3e-5b0c-4a54-9d0e-6f1f7f3a2b1c",
    "errors": [{"pointer": "/amount/value", "code": "string_type", "detail": "Send a string."}],
}
