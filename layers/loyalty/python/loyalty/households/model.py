"""A household: who is in it, and who comes and goes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Household:
    """Members who pool points. ``version`` grows with each who comes or goes; times are UTC.

    ``head`` is the member whom the business writes to. Whoever goes takes no points along; when the last one has gone,
    the household is closed for good.
    """

    program: str
    household_id: str
    head: str
    created_at: datetime
    members: Mapping[str, datetime] = field(default_factory=dict)
    """Since when each is in it."""
    version: int = 1
    closed_at: datetime | None = None

    def joined_by(self, member_id: str, now: datetime) -> "Household":
        """With one more member."""
        return replace(self, members={**self.members, member_id: now}, version=self.version + 1)

    def left_by(self, member_id: str, now: datetime) -> "Household":
        """Without a member; where it was the head, whoever is in it longest follows."""
        members = {other: since for other, since in self.members.items() if other != member_id}
        by_age = sorted(members, key=lambda other: (members[other], other))
        return replace(
            self,
            members=members,
            head=by_age[0] if by_age and self.head == member_id else self.head,
            closed_at=None if members else now,
            version=self.version + 1,
        )
