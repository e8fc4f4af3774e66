"""A request and its answer, without the transport between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """What the transport received."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the transport has to send: after ``delay`` seconds, or not at all where ``status`` is None."""

    status: int | None
    document: Any = None
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    html: str | None = None
    """Sent instead of the document."""


def failure(
    status: int, message: str, payload: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """An error as the API writes it."""
    return Answer(status, {"errors": {"message": message, "payload": dict(payload or {})}}, headers=headers or {})
