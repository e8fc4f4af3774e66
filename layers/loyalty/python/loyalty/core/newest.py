"""The newest items of several partitions together, page by page: each page costs what is on it, whatever the history."""

import heapq
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from loyalty.core.table import Item, Page, RawItem, Table
from loyalty_contract import SORT_KEY

_AT_ONCE: Final = 8
"""Partitions that are read side by side; the client has connections for ten."""


def newest_of(
    table: Table, partitions: Sequence[str], *, prefix: str, limit: int, before: str | None
) -> tuple[list[RawItem], str | None]:
    """At most ``limit`` items whose sort keys begin with ``prefix``, the last one first, and behind which the next page begins.

    Args:
        table: the table.
        partitions: where they are; each is read for a whole page, since all of it may be of one of them.
        prefix: what comes behind it sorts by time.
        limit: items of a page.
        before: what the page before gave; None: from the newest on.

    Returns:
        The items, and what to give as ``before`` for the next page; None after the last.
    """
    end = f"{prefix}{before}" if before else f"{prefix}~"

    def page_of(pk: str) -> Page:
        # Both ends of a range are in it: the position itself was on the page before.
        within = Item.sk.between(prefix, end)
        return table.query(pk, where=within, newest_first=True, limit=limit + bool(before))

    if len(partitions) == 1:
        pages = [page_of(partitions[0])]
    else:
        with ThreadPoolExecutor(min(_AT_ONCE, len(partitions))) as pool:
            pages = list(pool.map(page_of, partitions))
    read = [[raw for raw in page.items if raw[SORT_KEY]["S"] < end] for page in pages]
    merged = list(heapq.merge(*read, key=lambda raw: raw[SORT_KEY]["S"], reverse=True))
    more = len(merged) > limit or any(page.last_key for page in pages)
    newest = merged[:limit]
    return newest, newest[-1][SORT_KEY]["S"].removeprefix(prefix) if more and newest else None
