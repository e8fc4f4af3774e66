"""What can be asked of what was just made: the links of the OpenAPI document, for tools that follow them and people who read."""

import re
from collections.abc import Mapping
from typing import Any, Final

_OF_MEMBER: Final = (
    "get_member", "patch_member", "get_segments", "put_segments", "get_wallet", "explain_wallet", "get_entries", "get_tier",
    "post_accrual", "post_preview", "post_reversal", "get_member_rewards", "post_redemption", "get_redemptions", "post_quote",
    "post_adjustment", "get_adjustments", "post_transfer", "get_member_household", "post_merge",
    "get_referral_code", "put_referral_code", "post_referral_link", "get_referral_links", "get_referral_qr",
)  # fmt: skip
_OF_REDEMPTION: Final = ("get_redemption", "capture", "release", "cancel", "reveal", "resend", "get_run", "cancel_run")
_OF_HOUSEHOLD: Final = (
    "get_household", "post_household_member", "delete_household_member", "post_contribution", "post_withdrawal",
)  # fmt: skip

LINKS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "post_member": ("member_id", _OF_MEMBER),
    "post_accrual": ("entry_id", ("get_wallet", "get_entries", "post_reversal", "post_redemption")),
    "post_redemption": ("redemption_id", _OF_REDEMPTION),
    "capture": ("redemption_id", ("get_redemption", "cancel", "reveal")),
    "post_adjustment": ("adjustment_id", ("get_adjustment", "approve", "reject")),
    "post_household": ("household_id", _OF_HOUSEHOLD),
    "post_campaign": ("campaign", ("get_campaign", "start_campaign", "approve_campaign", "reject_campaign")),
    "post_version": ("version", ("get_version", "post_rollback")),
}
"""Operation → the id in its answer, and the operations that take it."""


def add_links(paths: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the links into the answers of 200 and 201 of a document's ``paths``.

    Raises:
        KeyError: an operation is named here and not in the document.
    """
    known = {one["operationId"]: (path, one) for path, operations in paths.items() for one in operations.values()}
    for operation, (made, targets) in LINKS.items():
        path, written = known[operation]
        linked = {target: _link(target, made, _parameters(path), _parameters(known[target][0])) for target in targets}
        for status in {"200", "201"} & set(written["responses"]):
            written["responses"][status]["links"] = linked


def _link(target: str, made: str, had: list[str], wanted: list[str]) -> dict[str, Any]:
    known = {name: f"$request.path.{name}" for name in had} | {made: f"$response.body#/{made}"}
    return {"operationId": target, "parameters": {name: known[name] for name in wanted if name in known}}


def _parameters(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)
