"""How segments of members look from outside, and how they are assigned."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field

from loyalty.core.fields import RequestBody, ResponseBody
from loyalty.programs.fields import Slug
from loyalty.segments.model import MAX_ASSIGNED, Assignment, MemberSegments


def _iso(value: Any) -> Any:
    # Else a number would be a date too, and a text with a time that is midnight.
    if not isinstance(value, str) or len(value) != len("2026-12-31"):
        raise ValueError("Send a date such as 2026-12-31")
    return value


LastDay = Annotated[
    date,
    BeforeValidator(_iso),
    Field(description="Last day, in the program's zone; without one it does not end.", examples=["2026-12-31"]),
]


class AssignedBody(RequestBody):
    """A segment to be in."""

    id: Annotated[Slug, Field(description="Of the program's `segments`.", examples=["staff"])]
    until: LastDay | None = None


class SegmentsBody(RequestBody):
    """All segments that the member is to be in; none: an empty list."""

    segments: Annotated[tuple[AssignedBody, ...], Field(max_length=MAX_ASSIGNED)]

    def assignments(self) -> list[Assignment]:
        """What is asked for, as it was sent."""
        return [Assignment(one.id, one.until) for one in self.segments]


class AssignedView(ResponseBody):
    """A segment that the member is in, or was in."""

    id: str
    until: Annotated[date | None, Field(description="Last day, in the program's zone; null: it does not end.")]


class SegmentsView(ResponseBody):
    """All segments of a member."""

    member_id: str
    segments: Annotated[tuple[AssignedView, ...], Field(description="By id, also those whose last day has passed.")]
    version: Annotated[int, Field(description="Grows with each change, 0 before the first; the ETag.")]
    merged_from: Annotated[
        str | None, Field(description="The id that was asked for, where that member was merged into this one.")
    ] = None

    @classmethod
    def of(cls, found: MemberSegments) -> Self:
        """The view of a member's segments."""
        return cls(
            member_id=found.member_id,
            segments=tuple(AssignedView(id=one.segment, until=one.until) for one in found.assignments),
            version=found.version,
            merged_from=found.merged_from,
        )
