"""What is put into stock, and how it is dealt out to shards. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.ledger.stock import SHARDS, first_shard, shard_of
from loyalty.stock.errors import StockTooLow

MAX_RESTOCK: Final = 10_000_000
"""Units that one restock adds or withdraws."""


@dataclass(frozen=True, slots=True)
class Restock:
    """Units that were added at once; below zero: withdrawn. Written once and never changed. ``at`` is UTC."""

    program: str
    reward_id: str
    restock_id: str
    add: int
    reference: str
    """The operator's own: a delivery note, a ticket."""
    actor: str
    """Who asked for it: a staff id, never a name or an address."""
    client_id: str
    """The app that they asked through."""
    request_hash: str
    at: datetime
    parts: Mapping[str, int]
    """By shard."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much there is of a reward, over all its shards."""

    left: int
    restocked: int
    """All that was added, less what was withdrawn."""
    claimed: int
    """All that holds ever took."""
    returned: int
    """All that releases, time-outs and cancellations gave back."""

    @property
    def taken(self) -> int:
        """What is held at the moment or was given to members."""
        return self.claimed - self.returned


@dataclass(frozen=True, slots=True)
class Stock:
    """The level, and restocks, newest first, as many as one page has."""

    level: Level
    restocks: Sequence[Restock]


def parts_added(reward_id: str, restock_id: str, units: int) -> dict[str, int]:
    """``units`` in equal parts. What is left over begins at another shard each time, so that no shard gets most."""
    each, over = divmod(units, SHARDS)
    first = first_shard(restock_id)
    parts = {shard_of(reward_id, (first + step) % SHARDS): each + (step < over) for step in range(SHARDS)}
    return {shard: part for shard, part in parts.items() if part}


def parts_withdrawn(reward_id: str, units: int, left: Mapping[str, int]) -> dict[str, int]:
    """``units`` (above zero) as parts below zero: always from the fullest, so that what stays is even.

    Raises:
        StockTooLow: fewer are left.
    """
    total = sum(left.values())
    if units > total:
        raise StockTooLow(
            f"{total} of '{reward_id}' are left, the others are held or given: withdraw that many at most.",
            pointer="/add",
        )
    floor = _floor(sorted(left.values(), reverse=True), units)
    parts = {shard: min(0, floor - units_there) for shard, units_there in left.items()}
    over = -sum(parts.values()) - units
    for shard in sorted(parts, key=lambda shard: parts[shard])[:over]:
        parts[shard] += 1
    return {shard: part for shard, part in parts.items() if part}


def _floor(fullest_first: Sequence[int], units: int) -> int:
    """The highest level to which all that stand above it give ``units`` or more, by less than one each."""
    above = 0
    for place, level in enumerate(fullest_first, start=1):
        above += level
        following = fullest_first[place] if place < len(fullest_first) else 0
        if above - place * following >= units:
            return (above - units) // place
    return 0
