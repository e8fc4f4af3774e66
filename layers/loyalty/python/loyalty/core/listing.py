"""Lists that the due index keeps in their order: which records there are is eventually consistent, each is read as it is now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from loyalty.core.table import MOST_READS, RawItem, Table
from loyalty_contract import DUE_AT, PARTITION_KEY, SORT_KEY

T = TypeVar("T")
Key = tuple[str, str]
"""Partition and sort key."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """Some records of a list in its order, and where the next page begins; None: it was the last."""

    items: Sequence[T]
    next: str | None


def itself(key: Key) -> Key:
    """A list of the records themselves."""
    return key


def listed(
    table: Table,
    shard: str,
    of: Callable[[RawItem], T],
    *,
    limit: int,
    after: str | None = None,
    record: Callable[[Key], Key] = itself,
) -> Listed[T]:
    """One page of a shard of the due index.

    Args:
        table: has the records and the index.
        shard: the list.
        of: makes a record of its item.
        limit: records of a page, at most 100; those that went since are left out.
        after: ``next`` of the page before.
        record: the key of the record that an item of the list stands for.
    """
    page = table.sorted_page(shard, after=after or "", limit=limit)
    keys = [record((raw[PARTITION_KEY]["S"], raw[SORT_KEY]["S"])) for raw in page.items]
    found = table.get_many(keys)
    last = page.items[-1][DUE_AT]["S"] if page.last_key and page.items else None
    return Listed([of(found[key]) for key in keys if key in found], last)


def all_listed(
    table: Table, shard: str, of: Callable[[RawItem], T], *, record: Callable[[Key], Key] = itself
) -> Iterator[T]:
    """Every record of a shard of the due index, page after page; see :func:`listed`."""
    after: str | None = None
    while True:
        page = listed(table, shard, of, limit=MOST_READS, after=after, record=record)
        yield from page.items
        if page.next is None:
            return
        after = page.next
