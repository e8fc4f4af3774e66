"""Examples of programs, their drafts and versions."""

from typing import Any, Final

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
REQUESTS: Final[dict[str, Any]] = {
    "put_draft": _DOCUMENT,
    "post_version": {"comment": "Double points in December", "effective_at": "2026-12-01T00:00:00Z"},
    "post_rollback": {"comment": "Back to what we had"},
}

RESPONSES: Final[dict[str, Any]] = {
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
                "wallet": "points",
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
