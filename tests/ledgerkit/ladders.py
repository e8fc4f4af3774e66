"""Programs with ladders of tiers, and members who climb them: steps on a calendar, by the program's own clocks."""

from collections.abc import Mapping
from typing import Any

from loyalty.ledger.ladders import STATUS
from loyalty.programs.model import Program
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.story import Story

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


class Climb(Story):
    """One member of a program, step by step."""

    def on(self, local: str, act: str = "look", ladder: str = STATUS) -> str:
        """What somebody does at a local time, and the standing then: ``silver 2026-12-31``.

        ``earn 600``, ``refund 2 100`` (of the second), ``refund 1`` (all of it); each is followed by the recalculation that
        its event brings.
        """
        self.at(local)
        match act.split():
            case ["earn", amount]:
                self.did("purchase", amount)
            case ["refund", number, *amount]:
                self.gave_back(f"R-{number}", *amount)
            case ["settle"]:
                self.world.settle()
        return self.standing(ladder)
