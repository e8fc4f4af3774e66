"""Who brought the most customers. Pure, and in bounded memory."""

import heapq
from dataclasses import dataclass
from typing import Final

MOST_REFERRERS: Final = 10_000
"""Of whom it is remembered how many they brought; twice as many before some are forgotten."""
SHOWN_REFERRERS: Final = 10


@dataclass(frozen=True, slots=True)
class Leader:
    """Who brought many: customers won, and the points that they got for them."""

    member_id: str
    customers: int
    points: int


class Leaders:
    """Finds who brought the most customers, in bounded memory.

    Whoever brought the fewest is forgotten where there are too many. ``missed`` says by how much a number may be too low for that,
    or whom it left out: 0 wherever nobody was forgotten, which is up to 20,000 referrers.
    """

    def __init__(self, most: int = MOST_REFERRERS) -> None:
        self.missed = 0
        self._most = most
        self._found: dict[str, Leader] = {}

    def add(self, member_id: str, points: int) -> None:
        """Counts a customer that the member brought."""
        known = self._found.get(member_id, Leader(member_id, 0, 0))
        self._found[member_id] = Leader(member_id, known.customers + 1, known.points + points)
        if len(self._found) > 2 * self._most:
            ranked = self.top(len(self._found))
            self.missed += ranked[self._most].customers
            self._found = {one.member_id: one for one in ranked[: self._most]}

    def top(self, number: int = SHOWN_REFERRERS) -> list[Leader]:
        """The first ones: by customers, then by points, then by id."""
        return heapq.nsmallest(
            number, self._found.values(), key=lambda one: (-one.customers, -one.points, one.member_id)
        )
