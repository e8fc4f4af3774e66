"""Programs that the tests of accruals and reversals vary, and a merge."""

from typing import Any

from loyalty.ledger.model import POINTS
from loyalty.merging.service import MergeService
from loyalty.programs.model import Program
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World


def rule(*, points: int = 1, wallet: str = POINTS, days: int = 0, activity: str = "purchase") -> dict[str, Any]:
    """So many points per EUR, pending for so many days."""
    rates = [{"points": points, "per": "1", "currency": "EUR"}, {"points": points, "per": "1", "currency": "USD"}]
    return {"id": f"{activity}-{wallet}", "activity": activity, "wallet": wallet, "rates": rates, "return_days": days}


def pending(days: int, **more: Any) -> Program:
    """One point per EUR, spendable so many days later."""
    return program(earn_rules=[rule(days=days)], **more)


INACTIVITY = {"policy": "inactivity", "months": 6}
CASHBACK = {"id": "cashback", "name": "Cashback", "currency": "EUR", "expiry": {"policy": "never"}}


def merge(world: World, gone: str, into: str) -> None:
    """Everything of ``gone`` moves to ``into``."""
    MergeService(world.ledger).merge(world.program, into, absorbed=gone, actor="staff-1")
