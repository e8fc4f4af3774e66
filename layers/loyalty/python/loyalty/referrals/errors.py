"""What referrals refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing


class ReferralNotFound(Missing):
    code = "referral_not_found"


class ReferralNotInReview(Conflict):
    code = "referral_not_in_review"


class ReferralNotRewarded(Conflict):
    code = "referral_not_rewarded"
