"""Finite stock in the table: ``K#{program}#{reward}#{nn}`` / ``STOCK``, 16 shards for each reward.

A hold takes units, and its release, time-out or cancellation gives them back to the same shards. Both are written in
the transaction of the entry that says so, by a change of the numbers and not by a new item: who gives back need not
read the shard, and is never refused.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from loyalty.core.table import IntegerAttribute, Item, RawItem, Update

STOCK_PREFIX: Final = "K#"
"""Of a partition: one shard of a reward's stock, or what was put into stock."""
STOCK_SK: Final = "STOCK"
RESTOCK_PREFIX: Final = "RESTOCK#"
"""What was put into stock or withdrawn at once, in a partition beside the shards."""
SHARDS: Final = 16

Key = tuple[str, str]


class StockItem(Item):
    """``left`` is ``restocked`` less ``claimed`` and ``returned`` more; the others only ever grow, but for withdrawals."""

    left = IntegerAttribute()
    restocked = IntegerAttribute(null=True)
    claimed = IntegerAttribute(null=True)
    returned = IntegerAttribute(null=True)


def shard_of(reward_id: str, number: int) -> str:
    """What a shard is called in holds and entries."""
    return f"{reward_id}/{number:02}"


def stock_key(program: str, shard: str) -> Key:
    """The key of a shard."""
    reward_id, number = shard.split("/")
    return f"{STOCK_PREFIX}{program}#{reward_id}#{number}", STOCK_SK


def parse_stock_key(pk: str) -> tuple[str, str]:
    """The program of :func:`stock_key`, and what the shard is called."""
    _, program, reward_id, number = pk.split("#")
    return program, f"{reward_id}/{number}"


def first_shard(identity: str) -> int:
    """The shard that is looked at first, by what a claim is known by."""
    return zlib.crc32(identity.encode()) % SHARDS


def units_left(raw: RawItem | None) -> int:
    """What a stored shard has; a shard that does not exist has nothing."""
    return 0 if raw is None else int(raw["left"]["N"])


@dataclass(slots=True)
class StockMoves:
    """What one transaction takes from shards and gives back to them: each shard is written once, whoever it is for."""

    program: str
    claimed: dict[str, int] = field(default_factory=dict)
    returned: dict[str, int] = field(default_factory=dict)

    @property
    def shards(self) -> list[str]:
        """All that are written."""
        return sorted({*self.claimed, *self.returned})

    def add(self, stock: Mapping[str, int]) -> None:
        """Adds what an entry takes; below zero what it gives back."""
        for shard, units in stock.items():
            side = self.claimed if units > 0 else self.returned
            side[shard] = side.get(shard, 0) + abs(units)

    def copy(self) -> "StockMoves":
        """As it is now."""
        return StockMoves(self.program, dict(self.claimed), dict(self.returned))

    def operations(self) -> Iterator[Update]:
        """The writes. One that takes more than it gives back holds only where that much is left."""
        for shard in self.shards:
            claimed, returned = self.claimed.get(shard, 0), self.returned.get(shard, 0)
            actions = [StockItem.left.add(returned - claimed)]
            actions += [StockItem.claimed.add(claimed)] if claimed else []
            actions += [StockItem.returned.add(returned)] if returned else []
            enough = StockItem.left >= claimed - returned if claimed > returned else None
            yield Update(StockItem, *stock_key(self.program, shard), actions, enough, shared=True)
