"""Examples of cases of suspected abuse."""

from typing import Any, Final

from infra.examples.shared import MEMBER

_SAID: Final = {"actor": "staff-17", "reason": "called_back"}
_BY: Final = {
    "actor": "person:staff-17",
    "through": "client:3f7k9m2p5r8t",
    "reason": "called_back",
    "at": "2026-11-22T10:20:00.000Z",
}
_CASE: Final = {
    "member_id": MEMBER,
    "state": "open",
    "on_hold": True,
    "severity": "high",
    "signals": [
        {
            "signal": "redemptions_after_change",
            "counted": 3,
            "bound": 3,
            "since": "2026-11-21T10:04:30.120Z",
            "until": "2026-11-22T10:04:30.120Z",
            "references": [
                "rdm_4d6f8h0k2n4q6s8v0x2z4b6d8f",
                "rdm_5e7g9j1m3p5r7t9w1y3a5c7e9g",
                "rdm_6f8h0k2n4q6s8v0x2z4b6d8f0h",
            ],
        }
    ],
    "opened_at": "2026-11-22T10:04:31.250Z",
    "updated_at": "2026-11-22T10:04:31.250Z",
    "held": None,
    "release_proposed": None,
    "decided": None,
}
_PROPOSED: Final = _CASE | {"release_proposed": _BY, "updated_at": _BY["at"]}
_AGREED: Final = _BY | {"actor": "person:staff-4", "through": "client:9v1x3z5b7d2f", "at": "2026-11-22T11:00:00.000Z"}
_RELEASED: Final = _CASE | {
    "state": "released",
    "on_hold": False,
    "severity": "low",
    "decided": _AGREED,
    "updated_at": _AGREED["at"],
}
REQUESTS: Final[dict[str, Any]] = {
    "post_risk_hold": {"actor": "staff-17", "reason": "complaint"},
    "post_risk_release": _SAID,
    "post_risk_confirm": {"actor": "staff-17", "reason": "stolen_account"},
}
RESPONSES: Final[dict[str, Any]] = {
    "get_risk_cases": {"items": [_CASE], "next_cursor": None},
    "get_risk": _CASE,
    "post_risk_hold": _CASE | {"held": _BY | {"reason": "complaint"}},
    "post_risk_release 200": _RELEASED,
    "post_risk_release 202": _PROPOSED,
    "post_risk_confirm": _CASE | {"state": "confirmed", "decided": _BY | {"reason": "stolen_account"}},
}
