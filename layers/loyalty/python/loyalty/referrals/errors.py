"""What referrals refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Invalid, Unacceptable


class CodeMalformed(Unacceptable):
    code = "referral_code_malformed"


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


class ReportTooLarge(Invalid):
    """What was asked for is more than one answer can be counted from."""

    code = "report_too_large"
