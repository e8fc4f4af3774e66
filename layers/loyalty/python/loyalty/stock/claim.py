"""What a hold takes of finite stock: from which shards, and when it is refused. Pure.

A claim looks at one shard, by the redemption that it is for, so that claims of one reward meet at none. Only where that
has too little left are all looked at: another that has enough is taken from, else several together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from loyalty.core.errors import Undecided
from loyalty.core.table import RawItem
from loyalty.ledger.stock import SHARDS, Key, first_shard, shard_of, stock_key, units_left
from loyalty.stock.errors import OutOfStock


@dataclass(frozen=True, slots=True)
class Claim:
    """``units`` of a reward, for the redemption ``identity``."""

    program: str
    reward_id: str
    units: int
    identity: str
    everywhere: bool = False
    """All shards are looked at."""

    @property
    def shards(self) -> list[str]:
        """Those that are looked at, in the order in which they are taken from."""
        first = first_shard(self.identity)
        steps = range(SHARDS if self.everywhere else 1)
        return [shard_of(self.reward_id, (first + step) % SHARDS) for step in steps]

    @property
    def keys(self) -> list[Key]:
        """What has to be read for :meth:`taken`."""
        return [stock_key(self.program, shard) for shard in self.shards]

    def of_all(self) -> "Claim":
        """The same claim, looking at all shards."""
        return replace(self, everywhere=True)

    def taken(self, found: Mapping[Key, RawItem]) -> dict[str, int]:
        """How many units it takes of each shard.

        Raises:
            Undecided: the one shard has too little; all have to be read.
            OutOfStock: all together have too little.
        """
        left = {shard: units_left(found.get(stock_key(self.program, shard))) for shard in self.shards}
        enough = next((shard for shard in self.shards if left[shard] >= self.units), None)
        if enough is not None:
            return {enough: self.units}
        if not self.everywhere:
            raise Undecided("One shard has too little left: all decide.")
        if sum(left.values()) < self.units:
            raise OutOfStock(self._refusal(sum(left.values())))
        return self._spread(left)

    def _spread(self, left: Mapping[str, int]) -> dict[str, int]:
        """From as few shards as it takes: the fullest first."""
        parts: dict[str, int] = {}
        wanted = self.units
        for shard in sorted(self.shards, key=lambda shard: -left[shard]):
            part = min(wanted, left[shard])
            wanted -= part
            if part:
                parts[shard] = part
        return parts

    def _refusal(self, left: int) -> str:
        if left <= 0:
            return f"'{self.reward_id}' is out of stock; choose another reward, or try again later."
        return f"{left} of '{self.reward_id}' are left; ask for that many at most."
