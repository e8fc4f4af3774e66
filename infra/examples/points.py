"""Examples of balances, accruals, adjustments and transfers."""

from typing import Any, Final

from infra.examples.shared import HOUSEHOLD_ID, MEMBER, OTHER

_TRANSFER_ID: Final = "trf_6h8k0n2q4s6v8x0z2b4d6f8h0k"
_WALLET: Final = {"available": 105, "pending": 0, "held": 0}
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
    "posted_to": MEMBER,
}
_PROPOSED: Final = _ADJUSTED | {"status": "proposed", "points": 50_000, "posted_to": None}
_DECIDED: Final = _PROPOSED | {"decided_by": "staff-4", "decided_at": "2026-11-22T10:20:00.000Z"}
_JUDGED: Final = {
    "rule": "purchase",
    "name": None,
    "wallet": "points",
    "counted": False,
    "points": 0,
    "lost_to": None,
}
_POOLED: Final = {
    "transfer_id": _TRANSFER_ID,
    "household_id": HOUSEHOLD_ID,
    "member_id": MEMBER,
    "points": 40,
    "posted_at": "2026-11-22T10:10:00.000Z",
    "member": {"available": 65, "pending": 0, "held": 0, "debt": 0},
    "pool": {"available": 40, "pending": 0, "held": 0, "debt": 0},
}
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
    "post_adjustment": {"points": 500, "reason": "goodwill", "actor": "staff-17"},
    "approve": {"actor": "staff-4"},
    "reject": {"actor": "staff-4"},
    "post_transfer": {"to_member_id": OTHER, "points": 40},
    "post_contribution": {"member_id": MEMBER, "points": 40},
    "post_withdrawal": {"member_id": OTHER, "points": 15},
}

RESPONSES: Final[dict[str, Any]] = {
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
    "post_adjustment 201": _ADJUSTED,
    "post_adjustment 202": _PROPOSED,
    "get_adjustments": {"items": [_PROPOSED], "next_after": None},
    "get_adjustment": _PROPOSED,
    "approve": _DECIDED | {"status": "posted", "posted_to": MEMBER},
    "reject": _DECIDED | {"status": "rejected"},
    "post_transfer": {
        "transfer_id": _TRANSFER_ID,
        "from_member_id": MEMBER,
        "to_member_id": OTHER,
        "points": 40,
        "wallet": "points",
        "posted_at": "2026-11-22T10:10:00.000Z",
        "balances": {"available": 65, "pending": 0, "held": 0, "debt": 0},
    },
    "post_contribution": _POOLED,
    "post_withdrawal": _POOLED
    | {
        "member_id": OTHER,
        "points": 15,
        "member": {"available": 15, "pending": 0, "held": 0, "debt": 0},
        "pool": {"available": 25, "pending": 0, "held": 0, "debt": 0},
    },
}
