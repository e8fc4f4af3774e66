"""Examples of members' rights over their data."""

from typing import Any, Final

from infra.examples.shared import MEMBER

_CONSENT: Final = {
    "purpose": "marketing",
    "given": True,
    "wording": "2026-01",
    "language": "it-IT",
    "channel": "web",
}
_EXPORT: Final = {
    "export_id": "exp_4d6f8h0k2n4q6s8v0x2z4b6d8f",
    "member_id": MEMBER,
    "status": "running",
    "asked_at": "2026-11-22T10:00:00.000Z",
    "expires_at": "2026-11-29T10:00:00.000Z",
    "size": None,
    "url": None,
}
_ERASURE: Final = {
    "member_id": MEMBER,
    "status": "asked",
    "reason": "request",
    "asked_by": "staff-17",
    "asked_at": "2026-11-22T10:00:00.000Z",
    "decided_by": None,
    "decided_at": None,
    "begun_at": None,
    "erased_at": None,
    "problem": None,
}
_APPROVED: Final = _ERASURE | {
    "status": "approved",
    "decided_by": "staff-4",
    "decided_at": "2026-11-22T10:05:00.000Z",
}
_PREFERENCES: Final = {
    "member_id": MEMBER,
    "purposes": [{"purpose": "marketing", "channels": ["email"], "in_force": ["email"]}],
    "version": 1,
}
_RESTRICTION: Final = {"member_id": MEMBER, "restricted": True, "since": "2026-11-22T10:00:00.000Z"}

REQUESTS: Final[dict[str, Any]] = {
    "post_consent": _CONSENT,
    "put_preferences": {"purposes": [{"purpose": "marketing", "channels": ["email"]}]},
    "put_restriction": {"actor": "staff-17"},
    "post_erasure": {"reason": "request", "actor": "staff-17"},
    "approve_erasure": {"actor": "staff-4"},
    "reject_erasure": {"actor": "staff-4"},
    "withdraw_erasure": {"actor": "staff-4"},
}
RESPONSES: Final[dict[str, Any]] = {
    "get_consents": {
        "member_id": MEMBER,
        "purposes": [
            {
                "purpose": "marketing",
                "name": "News and offers",
                "legal_basis": "consent",
                "allowed": True,
                "given": True,
                "wording": "2026-01",
                "at": "2026-11-22T10:00:00.000Z",
            }
        ],
        "version": 1,
    },
    "post_consent": _CONSENT | {"consent_id": "cns_4d6f8h0k2n4q6s8v0x2z4b6d8f", "at": "2026-11-22T10:00:00.000Z"},
    "get_preferences": _PREFERENCES,
    "put_preferences": _PREFERENCES,
    "put_restriction": _RESTRICTION,
    "delete_restriction": _RESTRICTION | {"restricted": False, "since": None},
    "post_data_export": _EXPORT,
    "get_data_export": _EXPORT
    | {"status": "ready", "size": 18_233, "url": "https://s3.example.com/privacy/exports/a.zip"},
    "post_erasure": _ERASURE,
    "get_erasure": _APPROVED
    | {"status": "erased", "begun_at": "2026-11-22T10:05:02.000Z", "erased_at": "2026-11-22T10:05:04.000Z"},
    "approve_erasure": _APPROVED,
    "reject_erasure": _APPROVED | {"status": "rejected"},
    "withdraw_erasure": _APPROVED | {"status": "withdrawn"},
}
