"""Something else happens between what a run reads and what it writes: races, made to happen."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from loyalty.core.table import RawItem, Table

_CALL = "provide-client-params.dynamodb"
_WRITE = f"{_CALL}.TransactWriteItems"


@contextmanager
def interrupted(client: Any, act: Callable[[], object]) -> Iterator[None]:
    """Runs ``act``, which may use the same client, right before the first transaction within the block is sent."""
    with before_write(client, act) as waiting:
        yield
    assert not waiting, "nothing was written, so nothing came between"


@contextmanager
def before_write(client: Any, act: Callable[[], object]) -> Iterator[list[Callable[[], object]]]:
    """The same, if there is any transaction; yields ``act`` while it waits for one."""
    waiting = [act]

    def interrupt(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    client.meta.events.register(_WRITE, interrupt)
    try:
        yield waiting
    finally:
        client.meta.events.unregister(_WRITE, interrupt)


@contextmanager
def before_call(client: Any, number: int, act: Callable[[], object]) -> Iterator[None]:
    """Runs ``act``, which may use the same client, right before call ``number`` of the block, counted from 1, if it comes to that."""
    sent, acting = 0, False

    def interrupt(**_: Any) -> None:
        nonlocal sent, acting
        sent += not acting
        if sent == number and not acting:
            acting = True
            try:
                act()
            finally:
                acting = False
                sent += 1

    client.meta.events.register(_CALL, interrupt)
    try:
        yield
    finally:
        client.meta.events.unregister(_CALL, interrupt)


@contextmanager
def torn(
    table: Table, older: Mapping[tuple[str, str], RawItem], sks: Collection[str], *, reads: int = 1
) -> Iterator[None]:
    """The first reads that meet one of these items find them as they were before; those that were not there are missing.

    As of a commit that is under way: single reads, and reads of several items, show it item by item.
    """
    left = reads

    def as_before(items: list[RawItem]) -> list[RawItem]:
        nonlocal left
        if not left or not any(raw["sk"]["S"] in sks for raw in items):
            return items
        left -= 1
        found = [older.get((raw["pk"]["S"], raw["sk"]["S"])) if raw["sk"]["S"] in sks else raw for raw in items]
        return [raw for raw in found if raw is not None]

    def tear_many(parsed: dict[str, Any], **_: Any) -> None:
        if "Responses" in parsed:
            items = parsed["Responses"].get(table.name, [])
            items[:] = as_before(items)

    def tear_one(parsed: dict[str, Any], **_: Any) -> None:
        if "Item" in parsed:
            found = as_before([parsed.pop("Item")])
            parsed |= {"Item": found[0]} if found else {}

    events = table.client.meta.events
    events.register("after-call.dynamodb.BatchGetItem", tear_many)
    events.register("after-call.dynamodb.GetItem", tear_one)
    try:
        yield
    finally:
        events.unregister("after-call.dynamodb.BatchGetItem", tear_many)
        events.unregister("after-call.dynamodb.GetItem", tear_one)
