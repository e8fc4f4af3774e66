"""Examples of referral codes and links."""

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

REQUESTS: Final[dict[str, Any]] = {
    "put_referral_code": {"code": "ADASHOP"},
    "post_referral_link": {"channel": "whatsapp", "campaign": "summer"},
}
RESPONSES: Final[dict[str, Any]] = {
    "get_referral_code": _CODES,
    "put_referral_code": _CODES,
    "post_referral_link": _LINK,
    "get_referral_qr": '<svg xmlns="http://www.w3.org/2000/svg" width="328" height="328"></svg>',
    "get_referral_links": {"member_id": MEMBER, "code": "ADASHOP", "reason": "valid", "links": [_LINK]},
}
