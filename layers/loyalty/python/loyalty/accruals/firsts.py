"""How often a member did something, where a rule asks whether it is the first time.

The count is kept with what qualifies for tiers, under ``count.{activity}/ever``: an accrual adds one, and a reversal of
all of it takes that one back. It begins with the first version of a program that asks.
"""

from collections.abc import Mapping

from loyalty.ledger.model import COUNT_PREFIX, Book
from loyalty.programs.deeds import Standing
from loyalty.programs.earning import counts_first
from loyalty.programs.model import ProgramDocument


def standing(book: Book, activity: str) -> Standing:
    """The member, as conditions ask for them."""
    return Standing(book.tier, first=book.qualifying.get(_key(activity), 0) == 0)


def counted(document: ProgramDocument, activity: str) -> dict[str, int]:
    """What an accrual adds to the count; nothing where no rule asks for it."""
    return {_key(activity): 1} if counts_first(document, activity) else {}


def taken_back(qualifying: Mapping[str, int], *, whole: bool) -> dict[str, int]:
    """What a reversal takes from the count, of an accrual that added to it; nothing unless it takes back the last of it."""
    return {key: -times for key, times in qualifying.items() if whole and is_count(key)}


def is_count(key: str) -> bool:
    """Whether something that is kept with what qualifies for tiers is such a count."""
    return key.startswith(COUNT_PREFIX)


def _key(activity: str) -> str:
    return f"{COUNT_PREFIX}{activity}/ever"
