"""The erasure of a member as a record, from the request to its end.

::

    asked ──► approved ──► begun ──► erased
      │ no      │ ▲ │       ▲ │
      ▼         │ └─┴───────┴─┘ stopped, as by a hold that was opened: the record says so; approve it again
    rejected    └► withdrawn, while it has not begun

Both ends but ``erased`` may be asked anew. ``begun`` is no status: ``begun_at`` says it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from loyalty.core.four_eyes import client_actor, person_actor, same_hands


class ErasureStatus(StrEnum):
    """How far it is. Of what is ``approved`` the state machine takes the steps, as often as it takes."""

    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


class ErasureReason(StrEnum):
    """Why, as a code: free text could name what is to be forgotten."""

    REQUEST = "request"
    """The person asked for it."""
    WITHDRAWN = "withdrawn"
    """They withdrew the consent on which it all rested."""
    RETENTION = "retention"
    """The time is over for which the program keeps members who do nothing."""
    UNLAWFUL = "unlawful"
    """Their data should not have been there: a child's, another person's."""
    RESTORED = "restored"
    """They had been erased before the table was restored from a backup."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """``asked_by`` and ``decided_by`` are staff ids, ``…_through`` the clients that vouched for them. Times are UTC."""

    program: str
    member_id: str
    status: ErasureStatus
    reason: ErasureReason
    asked_by: str
    asked_through: str | None
    asked_at: datetime
    version: int = 1
    decided_by: str | None = None
    decided_through: str | None = None
    decided_at: datetime | None = None
    erased_at: datetime | None = None
    begun_at: datetime | None = None
    """The point of no return: from then on what cannot come back is deleted."""
    problem: str | None = None
    """What kept the steps from going on, until somebody mends it."""

    def is_of(self, person: str, client: str | None) -> bool:
        """Whether who asked is one of these: they do not decide."""
        return same_hands(_hands(self.asked_by, self.asked_through), _hands(person, client))

    def was_decided_by(self, person: str) -> bool:
        """Whether this person decided on it."""
        return same_hands(_hands(self.decided_by, None), _hands(person, None))

    def decided(self, status: ErasureStatus, person: str | None, client: str | None, now: datetime) -> "Erasure":
        """It, once it was decided on."""
        return replace(
            self,
            status=status,
            decided_by=person,
            decided_through=client,
            decided_at=now,
            problem=None,
            version=self.version + 1,
        )


OPEN: Final = frozenset({ErasureStatus.ASKED, ErasureStatus.APPROVED})


def _hands(person: str | None, client: str | None) -> tuple[str | None, str | None]:
    return None if person is None else person_actor(person), None if client is None else client_actor(client)
