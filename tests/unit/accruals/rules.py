"""Programs that the tests of accruals and reversals vary, and a merge as far as points go."""

from typing import Any

from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Situation
from loyalty.ledger.model import POINTS, EntryKey, EntryKind, Facts, Movement
from loyalty.ledger.service import Side
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

    def decide(out: Situation, taking: Situation) -> tuple[Decision, Decision]:
        leave = Movement({POINTS: movements.empty(out.wallet)}, merged_into=into)
        absorbed = (gone, *out.book.absorbed)
        take = Movement({POINTS: movements.merge(taking.wallet, out.wallet)}, absorbed=absorbed)
        return (
            Decision(leave, Facts(out.now, 1, actor="staff-1", other_member=into)),
            Decision(take, Facts(out.now, 1, actor="staff-1", other_member=gone)),
        )

    sides = (
        Side(gone, EntryKey(EntryKind.MERGE_OUT, "merge", into)),
        Side(into, EntryKey(EntryKind.MERGE_IN, "merge", gone)),
    )
    world.ledger.post_pair(world.program.scope, sides, f"{gone}>{into}", decide)
