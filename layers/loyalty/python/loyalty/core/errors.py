"""Every rejection of the platform, by name.

::

    LoyaltyError
    ├── Invalid                      the request cannot be right, whatever the state of the world
    │   ├── UnknownCurrency, TooManyDecimals, OccurredInFuture, InvalidCursor, IdempotencyKeyRequired
    │   ├── LineRepeated, SegmentRepeated, OneOfRequired, MomentInFuture
    │   └── BodyTooLarge, MalformedJson, UnsupportedMediaType, InvalidHeader
    ├── Unacceptable                 well-formed, but the program's rules refuse it
    │   ├── CurrencyNotInProgram, ActivityNotRewarded, AmountRequired, ReferralCodeUnknown, PointsLimitExceeded
    │   ├── IdempotencyKeyReused, CurrencyMismatch, AmountExceedsAccrual, QuantityLimitExceeded
    │   ├── CaptureExceedsHold, HoldMinutesLimitExceeded, HoldMinutesNotAllowed
    │   ├── AdjustmentIsZero, AdjustmentReasonUnknown, SecondPersonRequired
    │   ├── TransfersNotOffered, TransferToSelf, TransferBelowMinimum, TransferAboveMaximum, WalletNotTransferable
    │   ├── TierUnknown, TierGrantDateRefused, SegmentUnknown
    │   ├── HouseholdsNotOffered, MergeWithSelf, MergeLimitExceeded
    │   ├── OccurredBeforeEnrollment, LineNotInAccrual, LineQuantityExceeded, HistoryTooLong
    │   ├── DocumentInvalid, VersionNotSchedulable, ShopsLimitExceeded
    │   └── ExternalIdsLimitExceeded
    ├── Missing                      does not exist, or not for this caller
    │   ├── ProgramNotFound, MemberNotFound, RewardNotFound, RedemptionNotFound, EntryNotFound, RouteNotFound
    │   ├── DraftNotFound, VersionNotFound, NothingScheduled
    │   └── AdjustmentNotFound, HouseholdNotFound, WalletNotFound, LadderNotFound
    ├── Conflict                     the state of the world refuses it
    │   ├── EntryExistsWithDifferentRequest, WalletBusy, RecordChanged, InsufficientPoints
    │   ├── ReversalRefused, AccrualFullyReversed, TooManyAwaitedReversals
    │   ├── AlreadyEnrolled, MemberChanged, TimeZoneFixed, WalletFixed
    │   ├── ShopTaken, VersionScheduled, ScheduleDue, VersionInForce
    │   ├── TooManyHolds, RedemptionTimedOut, RedemptionNotCaptured, RedemptionAlreadyCancelled, RedemptionNotCancellable
    │   ├── AdjustmentAlreadyPosted, AdjustmentAlreadyRejected, DailyTransferLimitExceeded, DailyHouseholdLimitExceeded
    │   ├── MemberInHousehold, MemberNotInHousehold, HouseholdFull, HouseholdClosed, HouseholdHasPoints
    │   ├── MemberMerged, MemberHasOpenHolds, TierRequired, TierNotGranted
    │   └── RedemptionAlreadyCaptured, RedemptionAlreadyReleased, FulfillmentInProgress
    ├── Unauthenticated              the caller has not said who it is
    ├── Unavailable                  what we stand on (table, keys) is throttled or away: the same request may be sent again
    ├── Undecided                    a posting that has to be decided again; what decides it again catches it, no caller sees it
    ├── RecalculationRefused         what an operator's run over many members meets; no caller sees it
    │   └── RecalculationDiffers, RecalculationStopped
    ├── PreconditionRequired         a change of what others change too, without ``If-Match`` or ``If-None-Match``
    ├── Stale                        what the change is meant for is no longer so, such as the version in ``If-Match``
    │   └── ProgramChanged
    └── Rejected                     an event that can never be processed; goes to the dead-letter queue

A feature's own refusals are in its ``errors.py``, under the same kinds.

``code`` is stable and part of the API; ``loyalty.core.problems`` alone maps it to HTTP.
Messages name what to do next and never carry personal data.
"""

from collections.abc import Sequence
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


class MomentInFuture(Invalid):
    code = "moment_in_future"


class LineRepeated(Invalid):
    code = "line_repeated"


class SegmentRepeated(Invalid):
    code = "segment_repeated"


class OneOfRequired(Invalid):
    code = "one_of_required"


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


class OccurredBeforeEnrollment(Unacceptable):
    code = "occurred_before_enrollment"


class LineNotInAccrual(Unacceptable):
    code = "line_not_in_accrual"


class LineQuantityExceeded(Unacceptable):
    code = "line_quantity_exceeded"


class ReferralCodeUnknown(Unacceptable):
    code = "referral_code_unknown"


class PointsLimitExceeded(Unacceptable):
    code = "points_limit_exceeded"


class QuantityLimitExceeded(Unacceptable):
    code = "quantity_limit_exceeded"


class CaptureExceedsHold(Unacceptable):
    code = "capture_exceeds_hold"


class HoldMinutesLimitExceeded(Unacceptable):
    code = "hold_minutes_limit_exceeded"


class HoldMinutesNotAllowed(Unacceptable):
    code = "hold_minutes_not_allowed"


class ExternalIdsLimitExceeded(Unacceptable):
    code = "external_ids_limit_exceeded"


class IdempotencyKeyReused(Unacceptable):
    code = "idempotency_key_reused"


class HistoryTooLong(Unacceptable):
    code = "history_too_long"


class AdjustmentIsZero(Unacceptable):
    code = "adjustment_is_zero"


class AdjustmentReasonUnknown(Unacceptable):
    code = "adjustment_reason_unknown"


class SecondPersonRequired(Unacceptable):
    code = "second_person_required"


class TierUnknown(Unacceptable):
    code = "tier_unknown"


class TierGrantDateRefused(Unacceptable):
    code = "tier_grant_date_refused"


class SegmentUnknown(Unacceptable):
    code = "segment_unknown"


class TransfersNotOffered(Unacceptable):
    code = "transfers_not_offered"


class TransferToSelf(Unacceptable):
    code = "transfer_to_self"


class TransferBelowMinimum(Unacceptable):
    code = "transfer_below_minimum"


class TransferAboveMaximum(Unacceptable):
    code = "transfer_above_maximum"


class WalletNotTransferable(Unacceptable):
    code = "wallet_not_transferable"


class HouseholdsNotOffered(Unacceptable):
    code = "households_not_offered"


class MergeWithSelf(Unacceptable):
    code = "merge_with_self"


class MergeLimitExceeded(Unacceptable):
    code = "merge_limit_exceeded"


class DocumentInvalid(Unacceptable):
    """``mistakes``: each that was found in a program document, as a JSON pointer into it and what to do."""

    code = "document_invalid"

    def __init__(self, detail: str, *, pointer: str | None = None, mistakes: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail, pointer=pointer)
        self.mistakes = mistakes


class VersionNotSchedulable(Unacceptable):
    code = "version_not_schedulable"


class ShopsLimitExceeded(Unacceptable):
    code = "shops_limit_exceeded"


class Missing(LoyaltyError):
    code = "not_found"


class ProgramNotFound(Missing):
    code = "program_not_found"


class MemberNotFound(Missing):
    code = "member_not_found"


class WalletNotFound(Missing):
    code = "wallet_not_found"


class RewardNotFound(Missing):
    code = "reward_not_found"


class RedemptionNotFound(Missing):
    code = "redemption_not_found"


class EntryNotFound(Missing):
    code = "entry_not_found"


class RouteNotFound(Missing):
    code = "route_not_found"


class LadderNotFound(Missing):
    code = "ladder_not_found"


class AdjustmentNotFound(Missing):
    code = "adjustment_not_found"


class HouseholdNotFound(Missing):
    code = "household_not_found"


class DraftNotFound(Missing):
    code = "draft_not_found"


class VersionNotFound(Missing):
    code = "version_not_found"


class NothingScheduled(Missing):
    code = "nothing_scheduled"


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


class ReversalRefused(Conflict):
    code = "reversal_refused"


class AccrualFullyReversed(Conflict):
    code = "accrual_fully_reversed"


class TooManyAwaitedReversals(Conflict):
    code = "too_many_awaited_reversals"


class MemberMerged(Conflict):
    """``into`` is the member that ``member_id`` was merged into."""

    code = "member_merged"

    def __init__(self, detail: str, *, member_id: str, into: str) -> None:
        super().__init__(detail)
        self.member_id = member_id
        self.into = into


class AlreadyEnrolled(Conflict):
    code = "already_enrolled"


class MemberChanged(Conflict):
    code = "member_changed"


class ShopTaken(Conflict):
    code = "shop_taken"


class VersionScheduled(Conflict):
    code = "version_scheduled"


class ScheduleDue(Conflict):
    code = "schedule_due"


class VersionInForce(Conflict):
    code = "version_in_force"


class TimeZoneFixed(Conflict):
    code = "time_zone_fixed"


class WalletFixed(Conflict):
    code = "wallet_fixed"


class RedemptionAlreadyCaptured(Conflict):
    code = "redemption_already_captured"


class RedemptionAlreadyReleased(Conflict):
    code = "redemption_already_released"


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


class FulfillmentInProgress(Conflict):
    code = "fulfillment_in_progress"


class AdjustmentAlreadyPosted(Conflict):
    code = "adjustment_already_posted"


class AdjustmentAlreadyRejected(Conflict):
    code = "adjustment_already_rejected"


class DailyTransferLimitExceeded(Conflict):
    code = "daily_transfer_limit_exceeded"


class DailyHouseholdLimitExceeded(Conflict):
    code = "daily_household_limit_exceeded"


class MemberInHousehold(Conflict):
    code = "member_in_household"


class MemberNotInHousehold(Conflict):
    code = "member_not_in_household"


class TierRequired(Conflict):
    code = "tier_required"


class TierNotGranted(Conflict):
    code = "tier_not_granted"


class HouseholdFull(Conflict):
    code = "household_full"


class HouseholdClosed(Conflict):
    code = "household_closed"


class HouseholdHasPoints(Conflict):
    code = "household_has_points"


class MemberHasOpenHolds(Conflict):
    code = "member_has_open_holds"


class Unauthenticated(LoyaltyError):
    code = "unauthenticated"


class Unavailable(LoyaltyError):
    code = "temporarily_unavailable"


class Undecided(LoyaltyError):
    """``again`` is the posting to decide instead, which reads more."""

    code = "undecided"

    def __init__(self, detail: str, *, pointer: str | None = None, again: object = None) -> None:
        super().__init__(detail, pointer=pointer)
        self.again = again


class RecalculationRefused(LoyaltyError):
    code = "recalculation_refused"


class RecalculationDiffers(RecalculationRefused):
    """Under the run's name others are recalculated."""

    code = "recalculation_differs"


class RecalculationStopped(RecalculationRefused):
    """Too many members of a page could not be recalculated."""

    code = "recalculation_stopped"


class PreconditionRequired(LoyaltyError):
    code = "precondition_required"


class Stale(LoyaltyError):
    code = "precondition_failed"


class ProgramChanged(Stale):
    code = "program_changed"


class Rejected(LoyaltyError):
    """An event that no retry can make acceptable. ``reason`` is stable and travels with it to the dead-letter queue."""

    code = "event_rejected"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
