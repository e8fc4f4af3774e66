"""Members whom a new version of the program raises, and runs that do it."""

from collections.abc import Iterable
from typing import Any, Final

from loyalty.core.table import RawItem, Table
from loyalty.ledger.keys import member_shard
from loyalty.ledger.model import EntryKind
from loyalty.tiers.everybody import Recalculation
from loyalty.tiers.runs import TierRun
from loyalty.walking.runs import SHARDS, Checkpoint, Walked
from loyalty.walking.store import RunStore
from tests.ledgerkit.ladders import TIERS
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

CHEAPER: Final = program(version=2, tiers=[TIERS[0], {**TIERS[1], "threshold": 100}, TIERS[2]])
"""100 points are silver, which took 500 before."""


class Climbers:
    """One table; each member has 100 points, and stands on bronze. ``workers``: one where an engine cannot do two things."""

    def __init__(self, table: Table, *, workers: int = 1) -> None:
        self.world = World(table, of=program(tiers=TIERS))
        self.table = table
        self._workers = workers

    def join(self, *members: str) -> "Climbers":
        self.world.enroll(*members) if members else None
        for member in members:
            self.world.accrue("R-1", "100", member=member)
        return self

    def service(self, **more: Any) -> Recalculation:
        return Recalculation(self.table, self.world.clock, **{"workers": self._workers, **more})

    def recalculate(self, name: str = "x", *, page: int = 100, **more: Any) -> Walked:
        return self.service(page=page).many(CHEAPER, TierRun("acme", name), **more)

    def checkpoints(self, name: str = "x") -> list[Checkpoint]:
        return RunStore(self.table, self.world.clock).checkpoints(TierRun("acme", name))

    def raised(self, member: str) -> list[str]:
        """The causes by which a member was raised."""
        return [entry.key.source_id for entry in self.world.entries(member) if entry.key.kind is EntryKind.TIER]

    def tiers(self, members: Iterable[str]) -> list[str]:
        return [self.world.book(member).tier for member in members]

    def ledger(self) -> dict[tuple[str, str], RawItem]:
        """Everything but how far runs are."""
        return {key: raw for key, raw in self.world.dump().items() if not key[1].startswith("RECALCULATION#")}


def of_shard(shard: int, number: int) -> list[str]:
    """So many ids in a shard of the index of members, in its order."""
    ids = (f"mbr_{n:04}" for n in range(100_000))
    return sorted(one for one, _ in zip(filter(lambda one: _is_in(one, shard), ids), range(number), strict=False))


def _is_in(member: str, shard: int) -> bool:
    return member_shard("acme", member).endswith(f"#{shard:02}")


__all__ = ["CHEAPER", "SHARDS", "Climbers", "of_shard"]
