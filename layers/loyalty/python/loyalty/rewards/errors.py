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


class QuantityLimitExceeded(Unacceptable):
    code = "quantity_limit_exceeded"


class CaptureExceedsHold(Unacceptable):
    code = "capture_exceeds_hold"


class HoldMinutesLimitExceeded(Unacceptable):
    code = "hold_minutes_limit_exceeded"


class HoldMinutesNotAllowed(Unacceptable):
    code = "hold_minutes_not_allowed"


class TooManyHolds(Conflict):
    code = "too_many_holds"


class RedemptionTimedOut(Conflict):
    code = "redemption_timed_out"


class RedemptionNotCaptured(Conflict):
    code = "redemption_not_captured"


class RedemptionAlreadyCancelled(Conflict):
    code = "redemption_already_cancelled"


class RedemptionNotCancellable(Conflict):
    code = "redemption_not_cancellable"


class RedemptionAlreadyCaptured(Conflict):
    code = "redemption_already_captured"


class RedemptionAlreadyReleased(Conflict):
    code = "redemption_already_released"


class FulfillmentInProgress(Conflict):
    code = "fulfillment_in_progress"


class TierRequired(Conflict):
    code = "tier_required"


class OneCodeAtATime(Unacceptable):
    """A redemption has one code."""

    code = "one_code_at_a_time"
