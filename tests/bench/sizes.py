"""DynamoDB's rules for the size of an item and the units that a request costs, written down a second time.

From the service's developer guide; it shares nothing with the engines that say what they consumed.

In a transaction every item of the table is written twice, to prepare and to commit, and so costs twice. Its copies in
indexes do not: by the guide, changes go on to global indexes once the transaction is complete, and what an index costs
depends on the change to what it stores alone. Users who measured the service found just that, for both kinds of index
(the tests of capacity in transactions of github.com/nubo-db/dynoxide give the figures), and ministack counts so.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

Attribute = Mapping[str, Any]
Item = Mapping[str, Attribute]

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
TRANSACTIONAL = 2
"""A transaction prepares and commits: two units where a plain read or write takes one."""
EVENTUAL = 0.5
"""What a read that may be a little behind costs, where a consistent one costs one."""


def item_bytes(item: Item) -> int:
    """Names in UTF-8, and values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(attribute: Attribute) -> int:
    ((kind, value),) = attribute.items()
    return _BYTES[kind](value)


def _number_bytes(text: str) -> int:
    """One byte for each two significant digits, one more, and one for a sign."""
    number = Decimal(text).normalize()
    digits = len(number.as_tuple().digits)
    return math.ceil(digits / 2) + 1 + (1 if number < 0 else 0)


_BYTES: Final[Mapping[str, Callable[[Any], int]]] = {
    "S": lambda value: len(value.encode()),
    "N": _number_bytes,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "M": lambda parts: 3 + sum(1 + len(name.encode()) + value_bytes(part) for name, part in parts.items()),
    "L": lambda parts: 3 + sum(1 + value_bytes(part) for part in parts),
    "SS": lambda parts: sum(len(part.encode()) for part in parts),
    "NS": lambda parts: sum(map(_number_bytes, parts)),
    "BS": lambda parts: sum(map(len, parts)),
}


@dataclass(frozen=True)
class Index:
    """A secondary index: an item is in it while it has all of ``keys``. ``projected``: what of it; None: all.

    ``overhead``: bytes that an item has there beside its own.
    """

    keys: tuple[str, ...]
    projected: frozenset[str] | None = None
    overhead: int = 0

    def units(self, before: Item | None, after: Item | None) -> int:
        """Units to bring the index from one state of an item to another: by what it stores, not by what was written.

        Nothing where that stays the same; a changed key is a deletion and an insertion.
        """
        old, new = self._view(before), self._view(after)
        if old == new:
            return 0
        moved = old is None or new is None or any(old[key] != new[key] for key in self.keys)
        parts = [_units(view, self.overhead) for view in (old, new) if view is not None]
        return sum(parts) if moved else max(parts)

    def _view(self, item: Item | None) -> Item | None:
        if item is None or any(key not in item for key in self.keys):
            return None
        if self.projected is None:
            return item
        return {name: value for name, value in item.items() if name in self.projected}


@dataclass(frozen=True)
class WriteUnits:
    """What the write of one item consumes: of the table, and of its local and global indexes."""

    table: int
    local: int = 0
    global_: int = 0

    @property
    def total(self) -> int:
        return self.table + self.local + self.global_


def write_units(
    before: Item | None,
    after: Item | None,
    *,
    local: Sequence[Index] = (),
    global_: Sequence[Index] = (),
    transactional: bool,
) -> WriteUnits:
    """Units to write ``after`` over ``before`` (None: no item): the larger of the two counts, and one at least."""
    factor = TRANSACTIONAL if transactional else 1
    return WriteUnits(
        table=factor * max((1, *map(_units, filter(None, (before, after))))),
        local=sum(index.units(before, after) for index in local),
        global_=sum(index.units(before, after) for index in global_),
    )


def read_units(item: Item | None) -> int:
    """Units of a strongly consistent read of one item; nothing found costs one."""
    return max(1, math.ceil(item_bytes(item or {}) / READ_UNIT_BYTES))


def query_units(items: Sequence[Item], *, consistent: bool) -> float:
    """Units of a page: all of its items together, rounded up once; an empty page costs as one of the smallest."""
    together = math.ceil(sum(map(item_bytes, items)) / READ_UNIT_BYTES)
    return max(1, together) * (1 if consistent else EVENTUAL)


def _units(item: Item, overhead: int = 0) -> int:
    return math.ceil((item_bytes(item) + overhead) / WRITE_UNIT_BYTES)
