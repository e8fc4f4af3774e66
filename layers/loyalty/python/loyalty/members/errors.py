"""What members refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class ReferralCodeUnknown(Unacceptable):
    code = "referral_code_unknown"


class ExternalIdsLimitExceeded(Unacceptable):
    code = "external_ids_limit_exceeded"


class AlreadyEnrolled(Conflict):
    code = "already_enrolled"


class MemberChanged(Conflict):
    code = "member_changed"
