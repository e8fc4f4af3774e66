"""Where an action comes from: set once at the edge of a request or command, read by whatever writes the action down.

A context variable and no argument: it is told of every action and decides none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from.

    Args:
        by: who is known by a token, a session or credentials of AWS: ``client:…``, ``person:…``, ``operator:…``; None: a
            job of the platform itself.
        address: IP address, as the gateway saw it; None where there is none.
        request_id: the gateway's id of the request.
    """

    by: str | None = None
    address: str | None = None
    request_id: str | None = None


NOWHERE: Final = Origin()
"""Of what the platform does by itself."""

_CURRENT: ContextVar[Callable[[], Origin]] = ContextVar("origin", default=lambda: NOWHERE)


def current() -> Origin:
    """Where the action under way comes from."""
    return _CURRENT.get()()


@contextmanager
def coming_from(origin: Origin | Callable[[], Origin]) -> Iterator[None]:
    """What is done inside comes from ``origin``; a function is asked when something is written down, and not before."""
    token = _CURRENT.set(origin if callable(origin) else lambda: origin)
    try:
        yield
    finally:
        _CURRENT.reset(token)
