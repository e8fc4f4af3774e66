"""A person who signs in to the console. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from loyalty.core.four_eyes import person_actor

PERSON_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,40}$"
PersonId = Annotated[
    str,
    StringConstraints(pattern=PERSON_PATTERN),
    Field(description="The business's own id of a person; no name or address.", examples=["staff-17"]),
]
"""Stays in timelines for ever, and is the name that the person's account has in the user pool."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who may see what. ``approves`` is a part of ``programs``; who was disabled may see nothing."""

    id: str
    programs: frozenset[str]
    approves: frozenset[str]
    added_at: datetime
    disabled_at: datetime | None = None
    signed_out_at: datetime | None = None
    """Sessions that began by then are over."""
    suppliers: bool = False
    """Whether they see what reports say of all programs together, and the differences that are of none of ours."""

    @property
    def actor(self) -> str:
        """The person as decisions name them."""
        return person_actor(self.id)

    def may_read(self, program: str) -> bool:
        """Whether the program's runs are theirs to see."""
        return self.disabled_at is None and program in self.programs

    def may_see_difference(self, program: str | None) -> bool:
        """Whether a difference of reconciliation is theirs to see: of a program, or of none."""
        return (self.disabled_at is None and self.suppliers) if program is None else self.may_read(program)

    def may_decide(self, program: str) -> bool:
        """Whether they may decide about the program's runs; about each but those that they asked for themselves."""
        return self.may_read(program) and program in self.approves
