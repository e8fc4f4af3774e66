"""DynamoDB's rules for the size of an item and the units that a request costs, written down a second time.

From the service's developer guide; it shares nothing with the engines that say what they consumed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

Attribute = Mapping[str, Any]
Item = Mapping[str, Attribute]

WRITE_UNIT_BYTES = 1024
READ_UNIT_BYTES = 4096
TRANSACTIONAL = 2
"""A transaction prepares and commits: two units where a plain write takes one."""


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
class WriteUnits:
    """What the write of one item consumes, of the table and of its indexes."""

    table: int
    index: int


def write_units(
    before: Item | None, after: Item, *, index_key: str, keys_index: tuple[str, str], transactional: bool
) -> WriteUnits:
    """Units to write ``after`` over ``before``: the larger of the two counts.

    Args:
        before: the stored item, if there is one.
        after: the item as written.
        index_key: of the local index, which has new items whole in it.
        keys_index: of the global index, which has keys alone: one unit to put one there, and one to take it away.
        transactional: everything twice.
    """
    factor = TRANSACTIONAL if transactional else 1
    largest = max(item_bytes(after), item_bytes(before) if before else 0)
    indexed = index_key in after and before is None
    old, new = ([item.get(name) for name in keys_index] if item else [None] for item in (before, after))
    keys = 0 if old == new else (None not in old) + (None not in new)
    return WriteUnits(
        table=factor * math.ceil(largest / WRITE_UNIT_BYTES),
        index=factor * (keys + (math.ceil(item_bytes(after) / WRITE_UNIT_BYTES) if indexed else 0)),
    )


def read_units(item: Item | None) -> int:
    """Units of a strongly consistent read of one item; nothing found costs one."""
    return max(1, math.ceil(item_bytes(item or {}) / READ_UNIT_BYTES))
