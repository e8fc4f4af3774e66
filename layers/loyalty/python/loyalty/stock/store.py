"""Stock in the table: shards as :mod:`loyalty.ledger.stock` has them, and ``K#{program}#{reward}`` / ``RESTOCK#{id}``."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.audit.model import Line
from loyalty.audit.store import line_put
from loyalty.core.clock import from_text, to_text
from loyalty.core.errors import Unavailable
from loyalty.core.retrying import Retries
from loyalty.core.table import (
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Operation,
    Put,
    RawItem,
    Table,
    TransactionRefused,
    Update,
)
from loyalty.ledger.stock import RESTOCK_PREFIX, SHARDS, STOCK_PREFIX, StockItem, shard_of, stock_key, units_left
from loyalty.stock.model import Level, Restock

_RETRIES: Final = Retries(
    attempts=12,
    base=0.02,
    cap=0.5,
    busy="Many claims change this stock at the moment; send the same request again.",
    error=Unavailable,
)


class RestockItem(Item):
    """One delivery or withdrawal; see :class:`Restock`."""

    add = IntegerAttribute()
    reference = UnicodeAttribute()
    actor = UnicodeAttribute()
    client_id = UnicodeAttribute()
    request_hash = UnicodeAttribute()
    at = UnicodeAttribute()
    parts = IntegerMapAttribute()


class StockStore:
    """Reads levels, and writes restocks: the record and all its shards together, or nothing."""

    def __init__(self, table: Table, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._sleep = sleep

    def level(self, program: str, reward_id: str) -> Level:
        """What all shards have together; each is read for certain, all of them not of one moment."""
        shards = self._table.get_many(list(_shard_keys(program, reward_id).values())).values()
        return Level(*(sum(_number(raw, name) for raw in shards) for name in _NUMBERS))

    def restocks(self, program: str, reward_id: str, *, limit: int) -> list[Restock]:
        """The last ``limit`` restocks, newest first. Reads all of them: there is one for each delivery, not for each unit."""
        found = [_restock_of(raw) for raw in self._table.query_all(_pk(program, reward_id))]
        return sorted(found, key=lambda one: (one.at, one.restock_id), reverse=True)[:limit]

    def write(
        self, program: str, reward_id: str, restock_id: str, decide: Callable[[Mapping[str, int]], Restock]
    ) -> Restock | None:
        """Writes the restock that ``decide`` makes of what each shard has; the earlier one of its id, if there is one.

        Raises:
            Unavailable: claims changed the shards every time that it was tried.
            LoyaltyError: whatever ``decide`` refuses with.
        """
        key = _pk(program, reward_id), RESTOCK_PREFIX + restock_id
        return _RETRIES.of(lambda: self._written(key, _shard_keys(program, reward_id), decide), self._sleep)

    def _written(
        self,
        key: tuple[str, str],
        shards: Mapping[str, tuple[str, str]],
        decide: Callable[[Mapping[str, int]], Restock],
    ) -> Restock | None:
        found = self._table.get_many([key, *shards.values()])
        if key in found:
            return _restock_of(found[key])
        restock = decide({shard: units_left(found.get(of_shard)) for shard, of_shard in shards.items()})
        try:
            self._table.write([_restock_put(restock), *_shard_writes(restock), _line(restock)])
        except TransactionRefused as refusal:
            if (earlier := refusal.failed.get(0)) is not None:
                return _restock_of(earlier)
            raise
        return None


_NUMBERS: Final = ("left", "restocked", "claimed", "returned")


def _pk(program: str, reward_id: str) -> str:
    return f"{STOCK_PREFIX}{program}#{reward_id}"


def _shard_keys(program: str, reward_id: str) -> dict[str, tuple[str, str]]:
    return {shard: stock_key(program, shard) for shard in (shard_of(reward_id, n) for n in range(SHARDS))}


def _number(raw: RawItem, name: str) -> int:
    return int(raw[name]["N"]) if name in raw else 0


def _restock_put(restock: Restock) -> Put:
    item = RestockItem(
        _pk(restock.program, restock.reward_id),
        RESTOCK_PREFIX + restock.restock_id,
        add=restock.add,
        reference=restock.reference,
        actor=restock.actor,
        client_id=restock.client_id,
        request_hash=restock.request_hash,
        at=to_text(restock.at),
        parts=dict(restock.parts),
    )
    return Put(item, RestockItem.pk.does_not_exist())


def _line(restock: Restock) -> Put:
    line = Line(
        restock.program,
        "stock.added" if restock.add > 0 else "stock.withdrawn",
        f"rewards/{restock.reward_id}/restocks/{restock.restock_id}",
        restock.at,
        actor=restock.actor,
        after={"units": restock.add},
    )
    return line_put(line)


def _shard_writes(restock: Restock) -> list[Operation]:
    writes: list[Operation] = []
    for shard, units in restock.parts.items():
        actions = [StockItem.left.add(units), StockItem.restocked.add(units)]
        enough = StockItem.left >= -units if units < 0 else None
        writes.append(Update(StockItem, *stock_key(restock.program, shard), actions, enough))
    return writes


def _restock_of(raw: RawItem) -> Restock:
    item = RestockItem.from_raw_data(raw)
    _, program, reward_id = item.pk.split("#")
    return Restock(
        program=program,
        reward_id=reward_id,
        restock_id=item.sk.removeprefix(RESTOCK_PREFIX),
        add=item.add,
        reference=item.reference,
        actor=item.actor,
        client_id=item.client_id,
        request_hash=item.request_hash,
        at=from_text(item.at),
        parts=item.parts,
    )
