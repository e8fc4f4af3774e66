"""Many items at once, straight into a table on a real engine: what years would have left there."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Final

from loyalty.core.table import RawItem

BATCH: Final = 25
"""Items that one BatchWriteItem takes."""
LOADERS: Final = 4


def _ignore(_count: int) -> None:
    """Tell nobody."""


def load(client: Any, table: str, items: Iterable[RawItem], *, told: Callable[[int], None] = _ignore) -> None:
    """Writes ``items``, unconditionally and in no order; ``told`` hears of each batch how many it was."""

    def put(batch: list[RawItem]) -> int:
        left: dict[str, Any] = {table: [{"PutRequest": {"Item": item}} for item in batch]}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
        return len(batch)

    source = iter(items)
    batches = iter(lambda: list(islice(source, BATCH)), [])
    with ThreadPoolExecutor(LOADERS) as pool:
        for count in pool.map(put, batches):
            told(count)
