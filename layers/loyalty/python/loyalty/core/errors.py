"""The kinds of rejection, and those that more than one feature has.

::

    LoyaltyError
    ├── Invalid                      the request cannot be right, whatever the state of the world
    │   ├── UnknownCurrency, TooManyDecimals, MomentInFuture, PeriodRefused, InvalidCursor, IdempotencyKeyRequired
    │   └── BodyTooLarge, MalformedJson, JsonTooDeep, UnsupportedMediaType, InvalidHeader
    ├── Unacceptable                 well-formed, but the program's rules refuse it
    │   ├── PointsLimitExceeded, IdempotencyKeyReused, HistoryTooLong
    │   └── AdjustmentReasonUnknown, SecondPersonRequired, DocumentInvalid
    ├── Missing                      does not exist, or not for this caller
    │   ├── ProgramNotFound, MemberNotFound, RewardNotFound, RedemptionNotFound, EntryNotFound, RouteNotFound
    │   └── AdjustmentNotFound, HouseholdNotFound, WalletNotFound, VersionNotFound
    ├── Conflict                     the state of the world refuses it
    │   ├── EntryExistsWithDifferentRequest, WalletBusy, RecordChanged
    │   └── InsufficientPoints, ReversalRefused, MemberMerged, MemberRestricted
    ├── Gone                         it was there, and will never be again: MemberErased
    ├── Unauthenticated              the caller has not said who it is
    ├── Unavailable                  what we stand on (table, keys) is throttled or away: the same request may be sent again
    ├── Undecided                    a posting that has to be decided again; what decides it again catches it, no caller sees it
    ├── RunRefused                   what an operator's run over many members meets; no caller sees it
    ├── PreconditionRequired         a change of what others change too, without ``If-Match`` or ``If-None-Match``
    ├── Stale                        what the change is meant for is no longer so, such as the version in ``If-Match``
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


class JsonTooDeep(MalformedJson):
    code = "json_too_deep"


class UnsupportedMediaType(Invalid):
    code = "unsupported_media_type"


class InvalidHeader(Invalid):
    code = "invalid_header"


class UnknownCurrency(Invalid):
    code = "unknown_currency"


class TooManyDecimals(Invalid):
    code = "too_many_decimals"


class MomentInFuture(Invalid):
    code = "moment_in_future"


class PeriodRefused(Invalid):
    """A period of days that ends before it begins, is too long, or lies in the future."""

    code = "period_refused"


class InvalidCursor(Invalid):
    code = "invalid_cursor"


class IdempotencyKeyRequired(Invalid):
    code = "idempotency_key_required"


class Unacceptable(LoyaltyError):
    code = "unacceptable"


class PointsLimitExceeded(Unacceptable):
    code = "points_limit_exceeded"


class IdempotencyKeyReused(Unacceptable):
    code = "idempotency_key_reused"


class HistoryTooLong(Unacceptable):
    code = "history_too_long"


class AdjustmentReasonUnknown(Unacceptable):
    code = "adjustment_reason_unknown"


class SecondPersonRequired(Unacceptable):
    code = "second_person_required"


class DocumentInvalid(Unacceptable):
    """``mistakes``: each that was found in a program document, as a JSON pointer into it and what to do."""

    code = "document_invalid"

    def __init__(self, detail: str, *, pointer: str | None = None, mistakes: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail, pointer=pointer)
        self.mistakes = mistakes


class Missing(LoyaltyError):
    code = "not_found"


class ProgramNotFound(Missing):
    code = "program_not_found"


class MemberNotFound(Missing):
    code = "member_not_found"

    @classmethod
    def of(cls, program: str, member_id: str) -> "MemberNotFound":
        """The program has no member of that id."""
        return cls(f"There is no member '{member_id}' in program '{program}'.")


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


class AdjustmentNotFound(Missing):
    code = "adjustment_not_found"


class HouseholdNotFound(Missing):
    code = "household_not_found"


class VersionNotFound(Missing):
    code = "version_not_found"


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


class MemberMerged(Conflict):
    """``into`` is the member that ``member_id`` was merged into."""

    code = "member_merged"

    def __init__(self, detail: str, *, member_id: str, into: str) -> None:
        super().__init__(detail)
        self.member_id = member_id
        self.into = into


class MemberRestricted(Conflict):
    code = "member_restricted"

    @classmethod
    def of(cls, member_id: str) -> "MemberRestricted":
        """Processing of the member's data is restricted."""
        return cls(
            f"The data of '{member_id}' is restricted: points are neither redeemed nor moved until the restriction is lifted."
        )


class Gone(LoyaltyError):
    code = "gone"


class MemberErased(Gone):
    code = "member_erased"

    @classmethod
    def of(cls, member_id: str) -> "MemberErased":
        """The member's data was erased."""
        return cls(f"'{member_id}' was erased, for good. The person may enroll anew, as a new member.")


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


class RunRefused(LoyaltyError):
    code = "run_refused"


class PreconditionRequired(LoyaltyError):
    code = "precondition_required"


class Stale(LoyaltyError):
    code = "precondition_failed"


class Rejected(LoyaltyError):
    """An event that no retry can make acceptable. ``reason`` is stable and travels with it to the dead-letter queue."""

    code = "event_rejected"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
