"""The routes of the API: which function answers, and which scope its caller needs."""

from dataclasses import dataclass
from typing import Final

_PROGRAM: Final = "/v1/programs/{program}"
_MEMBER: Final = _PROGRAM + "/members/{member_id}"
_REDEMPTION: Final = _MEMBER + "/redemptions/{redemption_id}"
_ADJUSTMENT: Final = _MEMBER + "/adjustments/{adjustment_id}"
_CAMPAIGN: Final = _PROGRAM + "/bulk-fulfillments/{campaign}"
_HOUSEHOLD: Final = _PROGRAM + "/households/{household_id}"
_RUN: Final = _PROGRAM + "/fulfillment-runs/{redemption_id}"


@dataclass(frozen=True)
class Route:
    """One method on one path.

    Args:
        method: of HTTP.
        path: with parameters in braces.
        function: name of the function that answers.
        scope: of ``loyalty_contract.SCOPES``; None: anybody may call.
        open_because: why that is right, for a security reviewer.
    """

    method: str
    path: str
    function: str
    scope: str | None
    open_because: str = ""


_OF_HEALTH: Final = "Monitors ask for health without credentials; the answer tells nothing about data."
_OF_CONSOLE: Final = "People sign in to the console by its own session, which the function asks for on every page."
_OF_SUPPLIERS: Final = (
    "A supplier proves itself by its signature over the body, which the function verifies before it reads it; the answer "
    "tells nothing about data."
)

_OF_LINKS: Final = (
    "Members share links with people who have no token. What a link answers is where the program's own page is; it takes nothing "
    "from the request but a code, and keeps nothing of whoever sent it."
)

LINK_FUNCTION: Final = "referral_link"

ROUTES: Final = (
    Route("GET", "/health", "wallet", None, _OF_HEALTH),
    Route("GET", "/r/{program}/{code}", LINK_FUNCTION, None, _OF_LINKS),
    Route("HEAD", "/r/{program}/{code}", LINK_FUNCTION, None, _OF_LINKS),
    Route("POST", "/v1/suppliers/{supplier}/callbacks", "supplier_callback", None, _OF_SUPPLIERS),
    Route("POST", f"{_PROGRAM}/members", "enrollment", "members.write"),
    Route("GET", _MEMBER, "enrollment", "members.read"),
    Route("PATCH", _MEMBER, "enrollment", "members.write"),
    Route("GET", f"{_MEMBER}/segments", "enrollment", "members.read"),
    Route("PUT", f"{_MEMBER}/segments", "enrollment", "members.write"),
    Route("GET", f"{_MEMBER}/wallet", "wallet", "wallet.read"),
    Route("GET", f"{_MEMBER}/wallet/explain", "wallet", "wallet.read"),
    Route("GET", f"{_MEMBER}/entries", "wallet", "wallet.read"),
    Route("GET", f"{_MEMBER}/tier", "wallet", "wallet.read"),
    Route("POST", f"{_MEMBER}/tier-grants/{{ladder}}", "adjustment", "tiers.grant"),
    Route("POST", f"{_MEMBER}/tier-grants/{{ladder}}/end", "adjustment", "tiers.grant"),
    Route("POST", f"{_MEMBER}/accruals", "accrual", "accruals.write"),
    Route("POST", f"{_MEMBER}/accruals/preview", "accrual", "wallet.read"),
    Route("POST", f"{_MEMBER}/reversals", "accrual", "accruals.write"),
    Route("GET", f"{_MEMBER}/reversals", "accrual", "wallet.read"),
    Route("GET", f"{_MEMBER}/rewards", "redemption", "wallet.read"),
    Route("POST", f"{_MEMBER}/redemptions", "redemption", "redemptions.write"),
    Route("GET", f"{_MEMBER}/redemptions", "redemption", "redemptions.read"),
    Route("POST", f"{_MEMBER}/redemptions/quote", "redemption", "redemptions.read"),
    Route("GET", _REDEMPTION, "redemption", "redemptions.read"),
    Route("POST", f"{_REDEMPTION}/reveal", "reveal", "rewards.reveal"),
    Route("POST", f"{_REDEMPTION}/resend", "reveal", "redemptions.write"),
    Route("POST", f"{_REDEMPTION}/capture", "redemption", "redemptions.write"),
    Route("POST", f"{_REDEMPTION}/release", "redemption", "redemptions.write"),
    Route("POST", f"{_REDEMPTION}/cancel", "redemption", "redemptions.write"),
    Route("POST", f"{_MEMBER}/adjustments", "adjustment", "adjustments.write"),
    Route("GET", f"{_MEMBER}/adjustments", "adjustment", "adjustments.read"),
    Route("GET", _ADJUSTMENT, "adjustment", "adjustments.read"),
    Route("POST", f"{_ADJUSTMENT}/approve", "adjustment", "adjustments.approve"),
    Route("POST", f"{_ADJUSTMENT}/reject", "adjustment", "adjustments.approve"),
    Route("POST", f"{_MEMBER}/transfers", "transfer", "transfers.write"),
    Route("GET", f"{_MEMBER}/household", "transfer", "households.read"),
    Route("POST", f"{_MEMBER}/merge", "merge", "members.merge"),
    Route("GET", f"{_MEMBER}/consents", "privacy", "privacy.read"),
    Route("POST", f"{_MEMBER}/consents", "privacy", "privacy.write"),
    Route("GET", f"{_MEMBER}/preferences", "privacy", "privacy.read"),
    Route("PUT", f"{_MEMBER}/preferences", "privacy", "privacy.write"),
    Route("PUT", f"{_MEMBER}/restriction", "privacy", "privacy.write"),
    Route("DELETE", f"{_MEMBER}/restriction", "privacy", "privacy.write"),
    Route("POST", f"{_MEMBER}/exports", "privacy", "privacy.write"),
    Route("GET", f"{_MEMBER}/exports/{{export_id}}", "privacy", "privacy.write"),
    Route("POST", f"{_MEMBER}/erasure", "privacy", "privacy.erase"),
    Route("GET", f"{_MEMBER}/erasure", "privacy", "privacy.read"),
    Route("POST", f"{_MEMBER}/erasure/approve", "privacy", "privacy.erase"),
    Route("POST", f"{_MEMBER}/erasure/reject", "privacy", "privacy.erase"),
    Route("POST", f"{_MEMBER}/erasure/withdraw", "privacy", "privacy.erase"),
    Route("POST", f"{_PROGRAM}/households", "transfer", "households.write"),
    Route("GET", _HOUSEHOLD, "transfer", "households.read"),
    Route("POST", f"{_HOUSEHOLD}/members", "transfer", "households.write"),
    Route("DELETE", f"{_HOUSEHOLD}/members/{{member_id}}", "transfer", "households.write"),
    Route("POST", f"{_HOUSEHOLD}/contributions", "transfer", "households.write"),
    Route("POST", f"{_HOUSEHOLD}/withdrawals", "transfer", "households.write"),
    Route("GET", f"{_PROGRAM}/rewards", "redemption", "rewards.read"),
    Route("GET", f"{_PROGRAM}/rewards/{{reward_id}}/stock", "stock", "rewards.stock"),
    Route("POST", f"{_PROGRAM}/rewards/{{reward_id}}/stock", "stock", "rewards.stock"),
    Route("GET", f"{_PROGRAM}/rewards/{{reward_id}}", "redemption", "rewards.read"),
    Route("POST", f"{_PROGRAM}/bulk-fulfillments", "bulk", "bulk.write"),
    Route("GET", f"{_PROGRAM}/bulk-fulfillments", "bulk", "finance.read"),
    Route("GET", _CAMPAIGN, "bulk", "finance.read"),
    Route("POST", f"{_CAMPAIGN}/start", "bulk", "bulk.write"),
    Route("POST", f"{_CAMPAIGN}/approve", "bulk", "finance.approve"),
    Route("POST", f"{_CAMPAIGN}/reject", "bulk", "finance.approve"),
    Route("POST", f"{_PROGRAM}/referrals/validate", "referral_validation", "referrals.read"),
    Route("POST", f"{_MEMBER}/referral", "referral_validation", "referrals.write"),
    Route("GET", f"{_MEMBER}/referral", "referral_validation", "referrals.read"),
    Route("GET", f"{_MEMBER}/referrals", "referral_validation", "referrals.read"),
    Route("GET", f"{_MEMBER}/referral-code", "referral_validation", "referrals.read"),
    Route("PUT", f"{_MEMBER}/referral-code", "referral_validation", "referrals.write"),
    Route("POST", f"{_MEMBER}/referral-links", "referral_validation", "referrals.write"),
    Route("GET", f"{_MEMBER}/referral-links", "referral_validation", "referrals.read"),
    Route("GET", f"{_MEMBER}/referral-links/qr", "referral_validation", "referrals.read"),
    Route("GET", f"{_PROGRAM}/referral-reviews", "referral_review", "referrals.review"),
    Route("GET", f"{_PROGRAM}/referral-reviews/feedback", "referral_review", "referrals.review"),
    Route("GET", f"{_MEMBER}/referral/review", "referral_review", "referrals.review"),
    Route("POST", f"{_MEMBER}/referral/review/approve", "referral_review", "referrals.review"),
    Route("POST", f"{_MEMBER}/referral/review/reject", "referral_review", "referrals.review"),
    Route("POST", f"{_MEMBER}/referral/review/revoke", "referral_review", "referrals.review"),
    Route("POST", f"{_MEMBER}/referral/appeal", "referral_review", "referrals.write"),
    Route("GET", f"{_PROGRAM}/reports/referrals", "referral_report", "reports.read"),
    Route("GET", f"{_PROGRAM}/risk-cases", "abuse", "risk.read"),
    Route("GET", f"{_MEMBER}/risk", "abuse", "risk.read"),
    Route("POST", f"{_MEMBER}/risk/hold", "abuse", "risk.release"),
    Route("POST", f"{_MEMBER}/risk/release", "abuse", "risk.release"),
    Route("POST", f"{_MEMBER}/risk/confirm", "abuse", "risk.release"),
    Route("GET", f"{_PROGRAM}/fulfillment-runs", "finance", "finance.read"),
    Route("GET", _RUN, "finance", "finance.read"),
    Route("POST", f"{_RUN}/approve", "finance", "finance.approve"),
    Route("POST", f"{_RUN}/reject", "finance", "finance.approve"),
    Route("POST", f"{_RUN}/retry", "finance", "finance.approve"),
    Route("POST", f"{_RUN}/cancel", "finance", "finance.approve"),
    Route("POST", f"{_RUN}/resolve", "finance", "finance.approve"),
    Route("POST", f"{_RUN}/reissue", "finance", "finance.approve"),
    Route("GET", f"{_PROGRAM}/fulfillment-totals", "finance", "finance.read"),
    Route("GET", f"{_PROGRAM}/fulfillment-exports", "finance", "finance.read"),
    Route("GET", _PROGRAM, "program", "programs.read"),
    Route("GET", f"{_PROGRAM}/draft", "program", "programs.write"),
    Route("PUT", f"{_PROGRAM}/draft", "program", "programs.write"),
    Route("DELETE", f"{_PROGRAM}/draft", "program", "programs.write"),
    Route("POST", f"{_PROGRAM}/draft/validate", "program", "programs.write"),
    Route("GET", f"{_PROGRAM}/draft/diff", "program", "programs.write"),
    Route("GET", f"{_PROGRAM}/versions", "program", "programs.write"),
    Route("POST", f"{_PROGRAM}/versions", "program", "programs.publish"),
    Route("GET", f"{_PROGRAM}/versions/{{version}}", "program", "programs.write"),
    Route("POST", f"{_PROGRAM}/versions/{{version}}/rollback", "program", "programs.publish"),
    Route("DELETE", f"{_PROGRAM}/versions/scheduled", "program", "programs.publish"),
)

CONSOLE_ROOT: Final = "/console"
CONSOLE: Final = (
    Route("GET", CONSOLE_ROOT, "console", None, _OF_CONSOLE),
    Route("GET", CONSOLE_ROOT + "/{page+}", "console", None, _OF_CONSOLE),
    Route("POST", CONSOLE_ROOT + "/{page+}", "console", None, _OF_CONSOLE),
)
"""Pages for people. The gateway lets everybody in: the function asks who it is, by its own session."""
