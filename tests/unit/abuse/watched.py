"""Moves with a program that watches closely, and a watcher over the same table and clock."""

from datetime import timedelta
from typing import Any

from loyalty.abuse.cases import CaseService
from loyalty.abuse.clients import ClientCounts
from loyalty.abuse.model import Case, Person
from loyalty.abuse.store import RiskStore
from loyalty.abuse.watch import Kind, Note
from loyalty.abuse.watching import Doing, Seen, Watcher
from loyalty.core.table import Table
from loyalty.programs.abuse import Abuse
from loyalty.programs.store import ProgramStore
from tests.ledgerkit.moves import ADA, Moves, generous

CLOSE: dict[str, Any] = {
    "accrual_spike": {"hours": 2, "count": 3, "count_then": "hold", "times_usual": None},
    "redemptions_after_change": {"hours": 2, "redemptions": 2},
    "reveals_of_member": {"hours": 1, "count": 3},
    "reveals_by_client": {"minutes": 60, "count": 5},
    "misses_of_client": {"minutes": 60, "members": 5, "codes": 5, "enrollments": 5},
}
ANN, BEN = Person("person:ann", "client:desk"), Person("person:ben", "client:office")
LOTS = {"2027-03-31": 1_000}


class Watched:
    """Ada, Bob and Cleo; Ada has a thousand points."""

    def __init__(self, table: Table, *, abuse: dict[str, Any] | None = None) -> None:
        self.moves = Moves(table, of=generous(abuse=abuse or CLOSE)).enroll()
        self.world = self.moves.world
        self.moves.grant(ADA, LOTS)
        programs = ProgramStore(table, self.world.clock)
        programs.publish(self.world.program.document, expected_version=0, actor="test")
        self.programs = programs
        self.rules: Abuse = self.world.program.document.abuse
        self.watcher = Watcher(table, programs, self.world.clock)
        self.cases = CaseService(table, self.world.clock)
        self.store = RiskStore(table)
        self.clients = ClientCounts(table)

    def note(self, kind: Kind, reference: str, *, minutes: float = 0, points: int = 1, other: str = "") -> Note:
        """A doing so many minutes from now."""
        return Note(kind, reference, self.world.clock() + timedelta(minutes=minutes), points, other)

    def see(self, note: Note, *, member: str = ADA, client: str | None = None) -> Seen:
        return self.watcher.see(Doing("acme", member, note, client))

    def spike(self, member: str = ADA) -> Seen:
        """Three accruals at once."""
        seen = [self.see(self.note(Kind.ACCRUAL, str(number)), member=member) for number in range(3)]
        return seen[-1]

    def case(self, member: str = ADA) -> Case:
        return self.cases.get("acme", member)

    def lines(self) -> list[str]:
        """What the audit trail has about risks."""
        rows = [raw for (pk, _), raw in sorted(self.world.dump().items()) if pk.startswith("A#acme#")]
        return [action for raw in rows if (action := raw["action"]["S"]).startswith("risk.")]
