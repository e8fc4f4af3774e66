"""The items of one table in order, its local indexes, which move with it, and its global ones, which follow."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import md5

from tests.simulation.dynamodb.schema import Index, Key, Position, Schema
from tests.simulation.dynamodb.values import Item, Orderable, ordered

Entry = tuple[Position, Item]
Show = Callable[[int], int]
"""Given how many changes of one item an index still lacks, how many of them a read may see."""


class Rows:
    """Items by partition, each partition in order."""

    def __init__(self) -> None:
        self._order: dict[Orderable, list[Position]] = {}
        self._items: dict[tuple[Orderable, Position], Item] = {}

    def put(self, partition: Orderable, position: Position, item: Item) -> None:
        if (partition, position) not in self._items:
            insort(self._order.setdefault(partition, []), position)
        self._items[partition, position] = item

    def remove(self, partition: Orderable, position: Position) -> None:
        del self._items[partition, position]
        order = self._order[partition]
        del order[bisect_left(order, position)]
        if not order:
            del self._order[partition]

    def get(self, partition: Orderable, position: Position) -> Item | None:
        return self._items.get((partition, position))

    def entries(self, partition: Orderable) -> Iterator[Entry]:
        for position in self._order.get(partition, ()):
            yield position, self._items[partition, position]

    def partitions(self, since: Orderable | None = None) -> list[Orderable]:
        """In the order of :func:`_hashed`, from where ``since`` is or was."""
        least = b"" if since is None else _hashed(since)
        return sorted((name for name in self._order if _hashed(name) >= least), key=_hashed)


@dataclass(frozen=True, slots=True)
class Change:
    """One write of one item; None where there was or is none."""

    number: int
    table: str
    key: Key
    old: Item | None
    new: Item | None
    author: str = ""
    """Whose request it was, where the engine knows."""


class IndexRows:
    """One secondary index. A global one may lack the last changes of an item, at most those of the last ``lag`` writes."""

    def __init__(self, schema: Schema, index: Index, lag: int, show: Show) -> None:
        self.index = index
        self._schema = schema
        self._lag = 0 if index.local else lag
        self._show = show
        self._rows = Rows()
        self._missing: dict[Key, list[Change]] = {}

    def change(self, change: Change) -> None:
        if self._lag:
            self._missing.setdefault(change.key, []).append(change)
            self.settle(change.number - self._lag)
        else:
            self._apply(change)

    def settle(self, number: int) -> None:
        """From now on, every read sees the changes up to this number."""
        for key in list(self._missing):
            changes = self._missing[key]
            while changes and changes[0].number <= number:
                self._apply(changes.pop(0))
            if not changes:
                del self._missing[key]

    def entries(self, partition: Orderable) -> Iterator[Entry]:
        """What one read of the partition finds, in order."""
        if not self._missing:
            return self._rows.entries(partition)
        seen = self._seen()
        found = [entry for entry in self._rows.entries(partition) if _key_of(self._schema, entry[1]) not in seen]
        places = ((self._schema.place(item, self.index), item) for item in seen.values() if item is not None)
        found += [(place[1], self._projected(item)) for place, item in places if place and place[0] == partition]
        return iter(sorted(found, key=lambda entry: entry[0]))

    def partitions(self, since: Orderable | None = None) -> list[Orderable]:
        if self._missing:
            raise NotImplementedError("a scan of an index that lags")
        return self._rows.partitions(since)

    def _seen(self) -> dict[Key, Item | None]:
        """The items that the index lacks changes of, as this read sees them: each may be older or newer than another."""
        seen: dict[Key, Item | None] = {}
        for key, changes in self._missing.items():
            count = self._show(len(changes))
            seen[key] = changes[count - 1].new if count else changes[0].old
        return seen

    def _apply(self, change: Change) -> None:
        if change.old is not None and (place := self._schema.place(change.old, self.index)):
            self._rows.remove(*place)
        if change.new is not None and (place := self._schema.place(change.new, self.index)):
            self._rows.put(*place, self._projected(change.new))

    def _projected(self, item: Item) -> Item:
        names = self.index.projected
        return item if names is None else {name: value for name, value in item.items() if name in names}


class StoredTable:
    """One table."""

    def __init__(self, schema: Schema, *, lag: int, show: Show) -> None:
        self.schema = schema
        self.rows = Rows()
        self.indexes = {name: IndexRows(schema, index, lag, show) for name, index in schema.indexes.items()}

    def get(self, key: Key) -> Item | None:
        return self.rows.get(key[0], key[1:])

    def apply(self, change: Change) -> None:
        """Makes a change; every later read of the table and of its local indexes sees it."""
        (partition, *position) = change.key
        if change.new is not None:
            self.rows.put(partition, tuple(position), change.new)
        elif change.old is not None:
            self.rows.remove(partition, tuple(position))
        for index in self.indexes.values():
            index.change(change)


def _hashed(partition: Orderable) -> bytes:
    """Gives an order that has nothing to do with the names, as in DynamoDB, but is always the same."""
    return md5(repr(partition).encode(), usedforsecurity=False).digest()


def _key_of(schema: Schema, item: Item) -> Key:
    return ordered(item[schema.pk]), ordered(item[schema.sk])
