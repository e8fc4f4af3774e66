"""One line of the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from loyalty.core.origin import Origin, current

PLATFORM: Final = "_platform"
"""The trail of what belongs to no program: clients, people. No program has such an id."""

Facts = Mapping[str, str | int | bool | None]
"""A few facts by name: ids, states, numbers, digests; nothing personal and nothing secret."""


@dataclass(frozen=True, slots=True)
class Line:
    """An action that was done.

    Args:
        scope: the program it was done in, or :data:`PLATFORM`.
        action: what, as ``adjustment.approved``: the thing and the past participle.
        target: on what, as a path of ids: ``members/mbr_…/adjustments/adj_…``.
        actor: the person on whose behalf, where a client or command names one.
        at: when, in UTC.
        origin: from where, and under whose credentials; unless it is said, where the action under way comes from.
        before: facts that the action changed, as they were.
        after: the same as they are now.
    """

    scope: str
    action: str
    target: str
    at: datetime
    actor: str | None = None
    origin: Origin = field(default_factory=current)
    before: Facts = field(default_factory=dict)
    after: Facts = field(default_factory=dict)
