"""Whether finite stock is conserved: what was restocked, less what holds took, with what came back, is what is left.

Computed anew from the entries and from the records of restocks, shard by shard.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from loyalty.core.table import RawItem, Table
from loyalty.ledger.stock import RESTOCK_PREFIX, STOCK_PREFIX, STOCK_SK, parse_stock_key, stock_key
from loyalty.ledger.verify.read import Partition, read
from loyalty.ledger.verify.report import Finding, lasting

_SIDES: Final = ("restocked", "claimed", "returned")


@dataclass(slots=True)
class Stocks:
    """What entries and restocks moved, and what the shards say, by side and partition of the shard."""

    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, one: Partition) -> None:
        """Counts the entries of a member."""
        for entry in one.entries:
            for shard, units in entry.facts.stock.items():
                pk, _ = stock_key(one.program, shard)
                self.moved["claimed" if units > 0 else "returned", pk] += abs(units)

    def add_items(self, pk: str, items: Iterable[RawItem]) -> None:
        """Counts a shard, or the restocks of a reward."""
        for raw in items:
            sk = raw["sk"]["S"]
            if sk == STOCK_SK:
                for side in ("left", *_SIDES):
                    self.said[side, pk] += int(raw.get(side, {"N": "0"})["N"])
            elif sk.startswith(RESTOCK_PREFIX):
                for shard, units in raw["parts"]["M"].items():
                    self.moved["restocked", stock_key(pk.split("#")[1], shard)[0]] += int(units["N"])

    def findings(self, table: Table) -> list[Finding]:
        """Shards that are off, in the pass that they were read in and in each of some more: a scan is no snapshot."""
        return lasting(self.off(), lambda: _all(table).off())

    def off(self) -> list[Finding]:
        """Shards that are not what was moved, in what was read."""
        return [
            Finding(parse_stock_key(pk)[0], "-", code, pk, detail)
            for pk in sorted({pk for _, pk in (*self.moved, *self.said)})
            for code, detail in self._problems(pk)
        ]

    def _problems(self, pk: str) -> Iterator[tuple[str, str]]:
        for side in _SIDES:
            moved, said = self.moved[side, pk], self.said[side, pk]
            if moved != said:
                yield f"stock_{side}_wrong", f"{moved} units were {side}, it says {said}"
        left = self.moved["restocked", pk] - self.moved["claimed", pk] + self.moved["returned", pk]
        if left != self.said["left", pk]:
            yield "stock_left_wrong", f"{left} units must be left, it says {self.said['left', pk]}"
        if self.said["left", pk] < 0:
            yield "stock_oversold", f"{-self.said['left', pk]} more units were taken than there were"


def _all(table: Table) -> Stocks:
    stocks = Stocks()
    for pk, items in groupby(table.scan(), key=lambda raw: str(raw["pk"]["S"])):
        if pk.startswith(STOCK_PREFIX):
            stocks.add_items(pk, items)
        elif pk.startswith("M#"):
            stocks.add(read(pk, items))
    return stocks
