"""What the service answers instead of a result, before botocore makes an exception of it."""

from collections.abc import Mapping, Sequence
from typing import Any

CONDITION_FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
NO_REASON: Mapping[str, Any] = {"Code": "None"}


class Refused(Exception):
    """An error answer: its code, its message, its HTTP status, and the members that stand beside them."""

    def __init__(self, code: str, message: str, *, status: int = 400, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}


def invalid(message: str) -> Refused:
    """The request itself is wrong."""
    return Refused("ValidationException", message)


def cancelled(reasons: Sequence[Mapping[str, Any]]) -> Refused:
    """A transaction that wrote nothing, with one reason for each of its items."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    members = {"Message": message, "CancellationReasons": list(reasons)}
    return Refused("TransactionCanceledException", message, members=members)


def conflict_reason() -> dict[str, Any]:
    """Another transaction holds the item."""
    return {"Code": CONFLICT, "Message": "Transaction is ongoing for the item"}
