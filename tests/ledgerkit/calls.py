"""What a botocore client sends, seen through its own events: counting calls and items, and cutting a run off at a call."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import Any, Final

_ITEMS: Final[Mapping[str, Callable[[Mapping[str, Any]], int]]] = {
    "GetItem": lambda answer: int("Item" in answer),
    "Query": lambda answer: int(answer["ScannedCount"]),
    "Scan": lambda answer: int(answer["ScannedCount"]),
    "BatchGetItem": lambda answer: sum(map(len, answer["Responses"].values())),
    "TransactGetItems": lambda answer: sum("Item" in part for part in answer["Responses"]),
}
"""Items that a read evaluated, whatever it gave back of them."""


class Killed(BaseException):
    """The process ended here. Not an Exception: nothing in the code under test may survive it."""


class Cut(StrEnum):
    BEFORE = "before the call"
    AFTER = "after the call, its reply unread"


class Calls:
    """Names of the operations sent over ``client``, one for each attempt on the wire, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._lock = Lock()

    def _sent(self, event_name: str, **_: Any) -> None:
        with self._lock:
            self.names.append(event_name.rpartition(".")[2])


@contextmanager
def recorded(client: Any) -> Iterator[Calls]:
    """The calls made within the block."""
    calls = Calls()
    client.meta.events.register("before-send.dynamodb", calls._sent)
    try:
        yield calls
    finally:
        client.meta.events.unregister("before-send.dynamodb", calls._sent)


@contextmanager
def killed_at(client: Any, number: int, cut: Cut) -> Iterator[Calls]:
    """Ends what runs in the block at its call ``number``, counted from 1; swallows the :class:`Killed` that does it."""
    calls = Calls()
    event = "before-send.dynamodb" if cut is Cut.BEFORE else "response-received.dynamodb"

    def kill(**_: Any) -> None:
        if len(calls.names) == number:
            raise Killed

    client.meta.events.register_first("before-send.dynamodb", calls._sent)
    client.meta.events.register_last(event, kill)
    try:
        yield calls
    except Killed:
        pass
    finally:
        client.meta.events.unregister("before-send.dynamodb", calls._sent)
        client.meta.events.unregister(event, kill)


@contextmanager
def dead_from(client: Any, number: int, cut: Cut) -> Iterator[None]:
    """The process ends at its call ``number``, counted from 1: none of its threads gets anything done after that."""
    calls = 0

    def sent(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > number or (calls == number and cut is Cut.BEFORE):
            raise Killed

    def answered(**_: Any) -> None:
        if calls >= number:
            raise Killed

    client.meta.events.register("before-send.dynamodb", sent)
    client.meta.events.register_last("response-received.dynamodb", answered)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send.dynamodb", sent)
        client.meta.events.unregister("response-received.dynamodb", answered)


@contextmanager
def items_read(client: Any) -> Iterator[list[int]]:
    """How many items each read in the block evaluated."""
    read: list[int] = []
    lock = Lock()

    def note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if "Error" not in parsed:
            with lock:
                read.append(_ITEMS[model.name](parsed))

    for name in _ITEMS:
        client.meta.events.register(f"after-call.dynamodb.{name}", note)
    try:
        yield read
    finally:
        for name in _ITEMS:
            client.meta.events.unregister(f"after-call.dynamodb.{name}", note)
