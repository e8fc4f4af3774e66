"""What referrals refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Invalid, Missing, Unacceptable


class ReferralNotFound(Missing):
    code = "referral_not_found"


class ReferralExists(Conflict):
    """There is one for each member, ever: by another code they came already."""

    code = "referral_exists"


class ReferralClaimClosed(Conflict):
    code = "referral_claim_closed"


class CodeReserved(Unacceptable):
    code = "referral_code_reserved"


class CodeTaken(Conflict):
    code = "referral_code_taken"


class CodesLimitExceeded(Conflict):
    code = "referral_codes_limit_exceeded"


class ReferralNotInReview(Conflict):
    code = "referral_not_in_review"


class ReferralNotRewarded(Conflict):
    code = "referral_not_rewarded"


class ReportTooLarge(Invalid):
    """What was asked for is more than one answer can be counted from."""

    code = "report_too_large"
