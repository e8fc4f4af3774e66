"""Examples of referrals in review."""

from typing import Any, Final

from infra.examples.shared import MEMBER, OTHER

_REFERRER: Final = OTHER
_SAID: Final = {"actor": "staff-17", "reason": "same_household"}
_BY: Final = {
    "approved": True,
    "actor": "person:staff-17",
    "through": "client:3f7k9m2p5r8t",
    "reason": "same_household",
    "at": "2026-11-22T10:20:00.000Z",
}
_REFERRAL: Final = {
    "member_id": MEMBER,
    "referrer": _REFERRER,
    "code": "K7WQ4M2X",
    "campaign": "spring",
    "channel": "link",
    "status": "qualified",
    "verdict": "review",
    "in_review": True,
    "claimed_at": "2026-11-01T09:00:00.000Z",
    "deadline": "2026-12-01T09:00:00.000Z",
    "qualified": {
        "entry_id": "accrual:pos:R-1001",
        "amount": {"value": "24.90", "currency": "EUR"},
        "occurred_at": "2026-11-02T16:12:00.000Z",
        "pays_at": "2026-11-16T16:12:04.000Z",
    },
    "screening": {
        "verdict": "review",
        "score": 64,
        "program_version": 3,
        "at": "2026-11-16T16:15:00.000Z",
        "signs": [
            {
                "signal": "same_device",
                "says": "came from the referrer's device",
                "counted": 1,
                "bound": 1,
                "weight": 60,
                "members": [_REFERRER],
            },
            {
                "signal": "same_network",
                "says": "came from behind the referrer's network",
                "counted": 1,
                "bound": 1,
                "weight": 4,
                "members": [_REFERRER],
            },
        ],
        "features": {"same_device": 1, "same_network": 1, "referrer_velocity": 2},
    },
    "decisions": [],
    "proposed": None,
    "appeal": None,
    "rewarded": None,
    "ended_at": None,
    "ended_because": None,
    "reproduced": None,
}
_APPROVED: Final = _REFERRAL | {"verdict": "accept", "in_review": False, "decisions": [_BY]}
_REJECTION: Final = _BY | {"approved": False, "reason": "same_person"}
_REJECTED: Final = _REFERRAL | {
    "status": "rejected",
    "verdict": "reject",
    "in_review": False,
    "decisions": [_REJECTION],
    "ended_at": _BY["at"],
    "ended_because": "decision",
}
_REWARDED: Final = _APPROVED | {
    "status": "rewarded",
    "rewarded": {
        "referrer": _REFERRER,
        "member_id": MEMBER,
        "points": 500,
        "member_points": 250,
        "at": "2026-11-22T10:20:02.000Z",
    },
}
_REVOCATION: Final = _BY | {
    "approved": False,
    "actor": "person:staff-4",
    "reason": "bought_account",
    "at": "2026-11-25T08:00:00.000Z",
}
REQUESTS: Final[dict[str, Any]] = {
    "post_referral_approval": _SAID,
    "post_referral_rejection": {"actor": "staff-17", "reason": "same_person"},
    "post_referral_revocation": {"actor": "staff-4", "reason": "bought_account"},
    "post_referral_appeal": {"reason": "member_complained"},
}
RESPONSES: Final[dict[str, Any]] = {
    "get_referral_reviews": {"items": [_REFERRAL], "next_cursor": None},
    "get_referral_review": _REFERRAL | {"reproduced": True},
    "post_referral_approval 200": _APPROVED,
    "post_referral_approval 202": _REFERRAL | {"proposed": _BY},
    "post_referral_rejection": _REJECTED,
    "post_referral_revocation 200": _REWARDED | {"verdict": "reject", "decisions": [_BY, _REVOCATION]},
    "post_referral_revocation 202": _REWARDED | {"proposed": _REVOCATION},
    "post_referral_appeal 202": {"member_id": MEMBER},
    "get_referral_feedback": {
        "referrals": 1_240,
        "screened": 1_228,
        "precision": {"part": 7, "of": 8, "percent": "87.5"},
        "recall": {"part": 7, "of": 9, "percent": "77.8"},
        "verdicts": [
            {"verdict": "accept", "fraud": 2, "honest": 0, "waiting": 0, "undecided": 1_206},
            {"verdict": "review", "fraud": 5, "honest": 1, "waiting": 3, "undecided": 0},
            {"verdict": "reject", "fraud": 2, "honest": 0, "waiting": 1, "undecided": 8},
        ],
        "signs": [
            {
                "signal": "same_device",
                "fraud": 6,
                "honest": 1,
                "right": {"part": 6, "of": 7, "percent": "85.7"},
            }
        ],
        "appeals": {"made": 3, "granted": 0, "refused": 2},
        "revoked": 2,
    },
}
