"""How often a member did something, where a rule asks whether it is the first time.

The count is kept with what qualifies for tiers, under ``count.{activity}/ever``: an accrual adds one, and a reversal of
all of it takes that one back. It begins with the first version of a program that asks.
"""

from loyalty.ledger.ladders import STATUS
from loyalty.ledger.model import COUNT_PREFIX, Book
from loyalty.programs.deeds import Earner
from loyalty.programs.earning import counts_first
from loyalty.programs.model import ProgramDocument


def earner(book: Book, activity: str, segments: tuple[str, ...] = ()) -> Earner:
    """The member, as conditions ask for them."""
    tiers = {STATUS: book.tier} | {ladder: one.tier for ladder, one in book.standings.items() if ladder != STATUS}
    return Earner(book.tier, tiers, first=book.qualifying.get(count_key(activity), 0) == 0, segments=segments)


def counted(document: ProgramDocument, activity: str) -> dict[str, int]:
    """What an accrual adds to the count; nothing where no rule asks for it."""
    return {count_key(activity): 1} if counts_first(document, activity) else {}


def count_key(activity: str) -> str:
    """The name of the count."""
    return f"{COUNT_PREFIX}{activity}/ever"
