"""Every rejection of the platform, by name.

::

    LoyaltyError
    ├── Invalid                      the request cannot be right, whatever the state of the world
    │   ├── UnknownCurrency, TooManyDecimals, OccurredInFuture, InvalidCursor, IdempotencyKeyRequired
    │   └── BodyTooLarge, MalformedJson, UnsupportedMediaType, InvalidHeader
    ├── Unacceptable                 well-formed, but the program's rules refuse it
    │   ├── CurrencyNotInProgram, ActivityNotRewarded, AmountRequired, ReferralCodeUnknown, PointsLimitExceeded
    │   ├── IdempotencyKeyReused, CurrencyMismatch, AmountExceedsAccrual, QuantityLimitExceeded
    │   └── ExternalIdsLimitExceeded
    ├── Missing                      does not exist, or not for this caller
    │   ├── ProgramNotFound, MemberNotFound, RewardNotFound, RedemptionNotFound, EntryNotFound, RouteNotFound
    │   └── GiftCardNotFound
    ├── Conflict                     the state of the world refuses it
    │   ├── EntryExistsWithDifferentRequest, WalletBusy, RecordChanged, InsufficientPoints
    │   ├── AlreadyEnrolled, MemberChanged, ProgramChanged
    │   └── RedemptionAlreadyCaptured, RedemptionAlreadyReleased, FulfillmentInProgress, GiftCardNotDelivered
    ├── Unauthenticated              the caller has not said who it is
    ├── Unavailable                  what we stand on (table, keys) is throttled or away: the same request may be sent again
    ├── Stale                        ``If-Match`` names a version that is no longer the current one
    └── Rejected                     an event that can never be processed; goes to the dead-letter queue

``code`` is stable and part of the API; ``loyalty.core.problems`` alone maps it to HTTP.
Messages name what to do next and never carry personal data.
"""

from typing import ClassVar


class LoyaltyError(Exception):
    """A named refusal. ``detail`` says, for people, what is wrong and what to do."""

    code: ClassVar[str] = "loyalty_error"

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        """JSON pointer (RFC 6901) to the offending field of the request body, where there is one."""


class Invalid(LoyaltyError):
    code = "invalid"


class MalformedJson(Invalid):
    code = "malformed_json"


class BodyTooLarge(Invalid):
    code = "body_too_large"


class UnsupportedMediaType(Invalid):
    code = "unsupported_media_type"


class InvalidHeader(Invalid):
    code = "invalid_header"


class UnknownCurrency(Invalid):
    code = "unknown_currency"


class TooManyDecimals(Invalid):
    code = "too_many_decimals"


class OccurredInFuture(Invalid):
    code = "occurred_in_future"


class InvalidCursor(Invalid):
    code = "invalid_cursor"


class IdempotencyKeyRequired(Invalid):
    code = "idempotency_key_required"


class Unacceptable(LoyaltyError):
    code = "unacceptable"


class CurrencyNotInProgram(Unacceptable):
    code = "currency_not_in_program"


class ActivityNotRewarded(Unacceptable):
    code = "activity_not_rewarded"


class AmountRequired(Unacceptable):
    code = "amount_required"


class CurrencyMismatch(Unacceptable):
    code = "currency_mismatch"


class AmountExceedsAccrual(Unacceptable):
    code = "amount_exceeds_accrual"


class ReferralCodeUnknown(Unacceptable):
    code = "referral_code_unknown"


class PointsLimitExceeded(Unacceptable):
    code = "points_limit_exceeded"


class QuantityLimitExceeded(Unacceptable):
    code = "quantity_limit_exceeded"


class ExternalIdsLimitExceeded(Unacceptable):
    code = "external_ids_limit_exceeded"


class IdempotencyKeyReused(Unacceptable):
    code = "idempotency_key_reused"


class Missing(LoyaltyError):
    code = "not_found"


class ProgramNotFound(Missing):
    code = "program_not_found"


class MemberNotFound(Missing):
    code = "member_not_found"


class RewardNotFound(Missing):
    code = "reward_not_found"


class RedemptionNotFound(Missing):
    code = "redemption_not_found"


class EntryNotFound(Missing):
    code = "entry_not_found"


class RouteNotFound(Missing):
    code = "route_not_found"


class GiftCardNotFound(Missing):
    code = "gift_card_not_found"


class Conflict(LoyaltyError):
    code = "conflict"


class EntryExistsWithDifferentRequest(Conflict):
    code = "entry_exists_with_different_request"


class WalletBusy(Conflict):
    code = "wallet_busy"


class RecordChanged(Conflict):
    code = "record_changed"


class InsufficientPoints(Conflict):
    code = "insufficient_points"


class AlreadyEnrolled(Conflict):
    code = "already_enrolled"


class MemberChanged(Conflict):
    code = "member_changed"


class ProgramChanged(Conflict):
    code = "program_changed"


class RedemptionAlreadyCaptured(Conflict):
    code = "redemption_already_captured"


class RedemptionAlreadyReleased(Conflict):
    code = "redemption_already_released"


class FulfillmentInProgress(Conflict):
    code = "fulfillment_in_progress"


class GiftCardNotDelivered(Conflict):
    code = "gift_card_not_delivered"


class Unauthenticated(LoyaltyError):
    code = "unauthenticated"


class Unavailable(LoyaltyError):
    code = "temporarily_unavailable"


class Stale(LoyaltyError):
    code = "precondition_failed"


class Rejected(LoyaltyError):
    """An event that no retry can make acceptable. ``reason`` is stable and travels with it to the dead-letter queue."""

    code = "event_rejected"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
