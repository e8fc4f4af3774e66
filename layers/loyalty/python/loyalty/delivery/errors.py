"""What delivery refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Conflict, Missing


class SettlementNotFound(Missing):
    code = "settlement_not_found"


class SettlementNotClosed(Conflict):
    """It still takes lines: nobody can have paid it."""

    code = "settlement_not_closed"


class SettlementPaidOtherwise(Conflict):
    """It was marked as paid with another reference."""

    code = "settlement_paid_otherwise"


class NothingToGive(Exception):
    """There is nothing to deliver, for good: the points go back. ``reason`` is stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
