"""What referrals refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Invalid, Missing, Unacceptable


class ReferralCodeUnknown(Unacceptable):
    code = "referral_code_unknown"


class CodeMalformed(Unacceptable):
    code = "referral_code_malformed"


class ReferralCodeExpired(Unacceptable):
    code = "referral_code_expired"


class ReferralCodeExhausted(Unacceptable):
    code = "referral_code_exhausted"


class ReferralCodeOwn(Unacceptable):
    code = "referral_code_own"


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


class ReferralsNotOffered(Unacceptable):
    code = "referrals_not_offered"


class ChannelUnknown(Unacceptable):
    code = "referral_channel_unknown"


class CampaignUnknown(Unacceptable):
    code = "referral_campaign_unknown"


class CampaignOver(Unacceptable):
    code = "referral_campaign_over"


class ReferralNotInReview(Conflict):
    code = "referral_not_in_review"


class ReferralNotRewarded(Conflict):
    code = "referral_not_rewarded"


class ReportTooLarge(Invalid):
    """What was asked for is more than one answer can be counted from."""

    code = "report_too_large"
