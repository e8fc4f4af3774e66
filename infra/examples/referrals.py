"""Examples of referral codes and links, and of what they brought."""

from typing import Any, Final

from infra.examples.shared import MEMBER

_CODES: Final = {
    "member_id": MEMBER,
    "code": "ADASHOP",
    "codes": [
        {
            "code": "ADASHOP",
            "chosen": True,
            "reason": "valid",
            "created_at": "2026-11-22T10:00:00.000Z",
            "expires_at": "2027-11-22T10:00:00.000Z",
        },
        {
            "code": "K7WQ4M2X2",
            "chosen": False,
            "reason": "valid",
            "created_at": "2026-11-22T09:00:00.000Z",
            "expires_at": "2027-11-22T09:00:00.000Z",
        },
    ],
    "version": 2,
    "merged_from": None,
}
_LINK: Final = {
    "url": "https://go.example.com/r/aurora/ADASHOP?c=summer&ch=whatsapp",
    "deep_link": "shop://join?ref=ADASHOP&campaign=summer&channel=whatsapp",
    "campaign": "summer",
    "channel": "whatsapp",
    "shared_at": "2026-11-22T10:00:00.000Z",
}
_COUNTS: Final = {
    "shared": 40,
    "clicked": 310,
    "enrolled": 25,
    "linked": 22,
    "qualified": 14,
    "rewarded": 9,
    "statuses": {
        "enrolled": 7,
        "qualified": 4,
        "rewarded": 8,
        "reversed": 1,
        "expired": 4,
        "rejected": 1,
        "unrewarded": 0,
    },
    "customers": 8,
    "shares": {
        "clicked_of_shared": "775.0",
        "linked_of_clicked": "7.1",
        "qualified_of_enrolled": "56.0",
        "rewarded_of_qualified": "64.3",
        "reversed_of_rewarded": "11.1",
    },
    "points": {"referrers": 4500, "brought": 1800, "taken_back": 700},
    "cost": {"value": "28.00", "currency": "EUR"},
    "cost_per_customer": {"value": "3.50", "currency": "EUR"},
    "revenue": [{"value": "712.40", "currency": "EUR"}],
}
_REPORT: Final = {
    "program": "aurora",
    "first_day": "2026-11-01",
    "last_day": "2026-11-22",
    "time_zone": "Europe/Rome",
    "at": "2026-11-22T10:00:00.000Z",
    "links_since": "2025-10-20",
    "total": _COUNTS,
    "campaigns": [{"campaign": "summer", "counts": _COUNTS}],
    "channels": [{"channel": "whatsapp", "counts": _COUNTS}],
    "growth": {"members": 160, "links_per_member": "0.250", "brought_per_link": "0.625", "k_factor": "0.156"},
    "top_referrers": [{"member_id": MEMBER, "customers": 3, "points": 1500}],
    "top_referrers_missed": 0,
    "point_cost": {"amount": "0.005", "currency": "EUR"},
}

REQUESTS: Final[dict[str, Any]] = {
    "put_referral_code": {"code": "ADASHOP"},
    "post_referral_link": {"channel": "whatsapp", "campaign": "summer"},
}
RESPONSES: Final[dict[str, Any]] = {
    "get_referral_report": _REPORT,
    "get_referral_code": _CODES,
    "put_referral_code": _CODES,
    "post_referral_link": _LINK,
    "get_referral_qr": '<svg xmlns="http://www.w3.org/2000/svg" width="328" height="328"></svg>',
    "get_referral_links": {"member_id": MEMBER, "code": "ADASHOP", "reason": "valid", "links": [_LINK]},
}
