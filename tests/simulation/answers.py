"""What clients are told, and how commands are said in the library's words."""

from dataclasses import dataclass
from decimal import Decimal
from traceback import format_exception
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from loyalty.accruals.model import BoughtLine, ReversalReason
from loyalty.accruals.model import Refund as Reversal
from loyalty.accruals.service import Activity
from loyalty.core.errors import LoyaltyError
from loyalty.core.money import Money
from loyalty.core.table import TransactionRefused
from tests.simulation.oracle.commands import DECIMALS, Accrue, Sum, TakeBack

PASSING = frozenset({"wallet_busy", "record_changed", "temporarily_unavailable"})
"""Refusals that say nothing of the command: it is to be sent again."""
TROUBLE = (PynamoDBException, BotoCoreError, ClientError, TransactionRefused)
"""What the platform answers with a server error, after which the same request may be sent again."""
POSTED, REFUSED, NOTHING, KEPT = "posted", "refused", "nothing", "kept"
UNKNOWN, CRASHED, BROKEN = "unknown", "crashed", "broken"
DEFINITE = frozenset({POSTED, REFUSED, NOTHING, KEPT})


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command, as far as its client knows.

    ``what`` is one of the words above; ``code`` names a refusal or a trouble; ``fresh`` says that this very call did
    it; ``shown`` is what the client was shown: entries, or a record.
    """

    what: str
    code: str = ""
    fresh: bool = False
    shown: Any = None


def trouble(error: Exception) -> Answer:
    """What an exception tells the client."""
    if isinstance(error, LoyaltyError):
        return Answer(UNKNOWN if error.code in PASSING else REFUSED, error.code)
    if isinstance(error, TROUBLE):
        return Answer(UNKNOWN, type(error).__name__)
    # The judge says what it means: nothing else may come out.
    return Answer(BROKEN, f"{type(error).__name__}: {error}", shown="".join(format_exception(error)))


def activity_of(command: Accrue) -> Activity:
    """The command in the library's words."""
    currency = command.amount.currency if command.amount else "EUR"
    lines = tuple(BoughtLine(money(Sum(one.units, currency)), one.quantity, one.line_id) for one in command.lines)
    return Activity(
        activity=command.activity,
        source=command.source,
        source_id=command.source_id,
        occurred_at=command.occurred_at,
        channel=command.channel,
        amount=money(command.amount),
        refund_basis=money(command.basis),
        details=[[one.line_id, one.quantity, one.units] for one in command.lines],
        lines=lines,
    )


def refund_of(command: TakeBack) -> Reversal:
    """The command in the library's words."""
    return Reversal(
        source=command.source,
        source_id=command.source_id,
        accrual_source_id=command.accrual_id,
        occurred_at=command.occurred_at,
        amount=money(command.amount),
        lines=dict(command.lines),
        everything=command.everything,
        reason=ReversalReason(command.reason),
    )


def money(amount: Sum | None) -> Any:
    """A sum in the library's words."""
    if amount is None:
        return None
    return Money.of(Decimal(amount.units).scaleb(-DECIMALS[amount.currency]), amount.currency)
