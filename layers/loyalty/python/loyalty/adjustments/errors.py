"""What adjustments refuse, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class AdjustmentIsZero(Unacceptable):
    code = "adjustment_is_zero"


class AdjustmentAlreadyPosted(Conflict):
    code = "adjustment_already_posted"


class AdjustmentAlreadyRejected(Conflict):
    code = "adjustment_already_rejected"
