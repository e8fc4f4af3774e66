"""Examples of fulfilment runs, their totals and exports."""

from typing import Any, Final

from infra.examples.shared import MEMBER, REDEMPTION

_RUN: Final = {
    "redemption_id": REDEMPTION,
    "member_id": MEMBER,
    "reward_id": "card-500",
    "points": 50_000,
    "wallet": "points",
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
REQUESTS: Final[dict[str, Any]] = {
    "approve_run": _WHY,
    "reject_run": _WHY,
    "retry_run": _WHY,
    "cancel_run": _WHY,
    "resolve_run": _WHY | {"give_back": True},
    "reissue_run": _WHY,
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
    "receive": {"received": True},
}
