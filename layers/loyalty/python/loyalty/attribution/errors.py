"""What codes and links refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Unacceptable


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


class ReferralsNotOffered(Unacceptable):
    code = "referrals_not_offered"


class ChannelUnknown(Unacceptable):
    code = "referral_channel_unknown"


class CampaignUnknown(Unacceptable):
    code = "referral_campaign_unknown"


class CampaignOver(Unacceptable):
    code = "referral_campaign_over"
