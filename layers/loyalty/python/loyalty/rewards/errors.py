"""What the catalogue and redemptions refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class AmountNotAllowed(Unacceptable):
    code = "amount_not_allowed"


class DenominationRefused(Unacceptable):
    code = "denomination_refused"


class CountryRequired(Unacceptable):
    code = "country_required"


class RewardNotInCountry(Conflict):
    code = "reward_not_in_country"


class RewardNotYetAvailable(Conflict):
    code = "reward_not_yet_available"


class RewardNoLongerAvailable(Conflict):
    code = "reward_no_longer_available"


class PriceChanged(Conflict):
    code = "price_changed"


class MemberTooNew(Conflict):
    code = "member_too_new"


class RewardLimitReached(Conflict):
    code = "reward_limit_reached"


class DailyRedemptionLimitExceeded(Conflict):
    code = "daily_redemption_limit_exceeded"


class ReturnPeriodOver(Conflict):
    code = "return_period_over"
