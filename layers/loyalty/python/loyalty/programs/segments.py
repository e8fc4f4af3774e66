"""Segments of members that conditions may ask for."""

from typing import Final

from loyalty.programs.fields import DocumentPart, Name, Slug

MAX_SEGMENTS: Final = 100
"""Segments that a program may declare."""


class Segment(DocumentPart):
    """A group that members are put into by name, such as staff: ``'staff' in member.segments``. No member sees it."""

    id: Slug
    name: Name
