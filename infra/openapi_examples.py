"""Examples in the OpenAPI document, by operation; a test validates each against its schema."""

from typing import Any, Final

_MEMBER: Final = "mbr_01k9t3v5q8w2x4y6z8a0b2c4d6"
_REDEMPTION: Final = "rdm_3f7k9m2p5r8t1v4x6z0b3d5g7j"
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
_HELD: Final = {
    "redemption_id": _REDEMPTION,
    "status": "held",
    "reward_id": "coffee",
    "reward_type": "perk",
    "quantity": 1,
    "points": 50,
    "held_at": "2026-11-22T10:00:00.000Z",
    "ended_at": None,
}
_ENDED: Final = {"ended_at": "2026-11-22T10:05:00.000Z"}

REQUESTS: Final[dict[str, Any]] = {
    "post_member": _PERSON | {"referral_code": "H2NPXT95"},
    "patch_member": {"family_name": "King", "phone": None},
    "post_accrual": {
        "activity": "purchase",
        "source": "pos",
        "source_id": "R-1",
        "occurred_at": "2026-11-22T09:30:00Z",
        "channel": "in_store",
        "amount": {"value": "105.00", "currency": "USD"},
    },
    "post_redemption": {"reward_id": "coffee", "quantity": 1},
    "post_validation": {"referral_code": "K7WQ4M2X", "email": "grace@example.com"},
}

RESPONSES: Final[dict[str, Any]] = {
    "get_health": {"status": "ok"},
    "post_member": _SHOWN,
    "get_member": _SHOWN,
    "patch_member": _SHOWN | {"family_name": "King", "phone": None, "version": 2},
    "get_wallet": _WALLET
    | {"tier": "bronze", "debt": 0, "seq": 1, "lots": [{"expires_on": "2027-11-30", "points": 105}]},
    "get_entries": {
        "items": [
            {
                "entry_id": "accrual:pos:R-1",
                "seq": 1,
                "kind": "accrual",
                "points": 105,
                "postings": {"member:available": 105, "program:issued": -105},
                "balances": _WALLET,
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
    "post_accrual": {"entry_id": "accrual:pos:R-1", "points": 105, "wallet": _WALLET},
    "post_redemption": _HELD,
    "get_redemption": _HELD,
    "capture": _HELD | _ENDED | {"status": "captured"},
    "release": _HELD | _ENDED | {"status": "released"},
    "get_gift_card": {"link": "https://gift-cards.example.com/r/5c1f0a"},
    "get_rewards": {"items": [{"reward_id": "coffee", "name": "A coffee on the house", "type": "perk", "points": 50}]},
    "post_validation": {"valid": True, "reason": "valid"},
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
