"""What accruals and reversals refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Invalid, Unacceptable


class OccurredInFuture(Invalid):
    code = "occurred_in_future"


class LineRepeated(Invalid):
    code = "line_repeated"


class OneOfRequired(Invalid):
    code = "one_of_required"


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


class AccrualFullyReversed(Conflict):
    code = "accrual_fully_reversed"


class TooManyAwaitedReversals(Conflict):
    code = "too_many_awaited_reversals"
