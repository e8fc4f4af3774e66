"""The segments of whoever earns, read with the book where a rule asks for them."""

from loyalty.accruals.reading import Seen
from loyalty.core.clock import local_date
from loyalty.ledger.model import Book
from loyalty.programs.deeds import Deed
from loyalty.programs.earning import asks_for_segments
from loyalty.programs.model import ProgramDocument
from loyalty.segments.items import SEGMENTS_SK, segments_of


def segment_sks(document: ProgramDocument, deed: Deed) -> list[str]:
    """The sort key of the member's segments, where the activity needs them."""
    return [SEGMENTS_SK] if asks_for_segments(document, deed) else []


def segments_for(document: ProgramDocument, deed: Deed, seen: Seen, book: Book) -> tuple[str, ...]:
    """The segments that count for an activity: in force on its day in the program, and declared by it.

    Nothing is written to hold them as they were read: who is assigned to a segment at the very moment of an accrual
    earns as before it or as after it.
    """
    if not asks_for_segments(document, deed):
        return ()
    declared = {segment.id for segment in document.segments}
    found = segments_of(book.member_id, seen.get(book.member_id, SEGMENTS_SK))
    return tuple(one for one in found.in_force(local_date(deed.occurred_at, document.zone)) if one in declared)
