"""Programs with ladders of tiers, and members who climb them: steps on a calendar, by the program's own clocks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.core.table import Table
from loyalty.ledger.ladders import STATUS
from loyalty.programs.model import Program
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import World

TIERS = [
    {"id": "bronze", "name": "Bronze", "threshold": 0},
    {"id": "silver", "name": "Silver", "threshold": 500},
    {"id": "gold", "name": "Gold", "threshold": 2000},
]
"""Without multipliers: one point for each EUR, whatever the tier."""


def laddered(
    qualification: Mapping[str, Any] | None = None, downgrade: Mapping[str, Any] | None = None, **changes: Any
) -> Program:
    """A program whose main ladder counts and ends tiers so; tiers fall to what is earned where nothing is said."""
    return program(
        **{
            "tiers": TIERS,
            "qualification": qualification or {},
            "downgrade": {"by": "achievement", **(downgrade or {})},
            "expiry": {"policy": "never"},
            "limits": BASE["limits"],
            **changes,
        }
    )


class Climb:
    """One member of a program, step by step."""

    def __init__(self, table: Table, of: Program, enrolled: str) -> None:
        self.zone: ZoneInfo = of.document.zone
        self.world = World(table, of=of, clock=SettableClock(self._moment(enrolled))).enroll()
        self._numbers = count(1)

    def on(self, local: str, act: str = "look", ladder: str = STATUS) -> str:
        """What somebody does at a local time, and the standing then: ``silver 2026-12-31``.

        ``earn 600``, ``refund 1 100`` (of the first earning), ``refund 1`` (all of it); each is followed by the
        recalculation that its event brings.
        """
        self.world.clock.now = self.world.occurred_at = self._moment(local)
        match act.split():
            case ["earn", amount]:
                self._earn(amount)
            case ["refund", number, *amount]:
                self._refund(number, *amount)
            case ["settle"]:
                self.world.settle()
        return self.standing(ladder)

    def standing(self, ladder: str = STATUS) -> str:
        """The tier, and through which day it is kept."""
        standing = self.world.now().standing(ladder, self.world.program.scope.ladders[ladder])
        return f"{standing.tier} {standing.valid_until}" if standing.valid_until else standing.tier

    def _earn(self, amount: str) -> None:
        posted = self.world.accrue(f"R-{next(self._numbers)}", amount)
        self._recalculate(posted.entry.entry_id)

    def _refund(self, number: str, amount: str | None = None) -> None:
        name = f"F-{next(self._numbers)}"
        posted = self.world.refund(name, f"R-{number}", amount, everything=amount is None)
        self._recalculate(posted.entry.entry_id)

    def _recalculate(self, cause: str) -> None:
        now = self.world.clock()
        self.world.tiers.recalculate(self.world.program, "mbr_1", cause=cause, posted_at=now)

    def _moment(self, local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=self.zone).astimezone(UTC)
