"""What tiers refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing, Unacceptable


class TierUnknown(Unacceptable):
    code = "tier_unknown"


class TierGrantDateRefused(Unacceptable):
    code = "tier_grant_date_refused"


class LadderNotFound(Missing):
    code = "ladder_not_found"


class TierNotGranted(Conflict):
    code = "tier_not_granted"
