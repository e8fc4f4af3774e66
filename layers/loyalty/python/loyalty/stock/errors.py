"""What stock refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Unacceptable


class OutOfStock(Conflict):
    """Fewer are left than are wanted."""

    code = "out_of_stock"


class StockTooLow(Conflict):
    """More would be withdrawn than is left."""

    code = "stock_too_low"


class RewardNotLimited(Unacceptable):
    """The catalogue says that there is no end of it."""

    code = "reward_not_limited"


class RestockIsZero(Unacceptable):
    code = "restock_is_zero"
