"""Something else happens between what a run reads and what it writes: races, made to happen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_WRITE = "provide-client-params.dynamodb.TransactWriteItems"


@contextmanager
def interrupted(client: Any, act: Callable[[], object]) -> Iterator[None]:
    """Runs ``act``, which may use the same client, right before the first transaction within the block is sent."""
    waiting = [act]

    def interrupt(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    client.meta.events.register(_WRITE, interrupt)
    try:
        yield
    finally:
        client.meta.events.unregister(_WRITE, interrupt)
    assert not waiting, "nothing was written, so nothing came between"
