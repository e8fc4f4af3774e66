"""A member's redemptions in the order in which they were held: ``M#{program}#{member}`` / ``HISTORY#{held_at}#{id}``.

The item is written once, with the hold, and says where the redemption is and of which type; what became of it, the
redemption says. So a page costs what is on it, whatever the history, and no index carries it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.clock import Clock, to_text
from loyalty.core.cursor import Cursors
from loyalty.core.errors import MemberNotFound
from loyalty.core.newest import newest_of
from loyalty.core.table import Item, Put, Table
from loyalty.ledger.keys import parse_partition, partition
from loyalty.ledger.store import LedgerStore
from loyalty.programs.rewards import RewardType
from loyalty.rewards.model import Redemption, RedemptionStatus
from loyalty.rewards.store import RedemptionItem, redemption_of, redemption_sk

HISTORY_PREFIX: Final = "HISTORY#"
_ROUNDS: Final = 5
"""Pages that one call looks through for something that a filter lets pass."""


class HistoryItem(Item):
    """Nothing of it ever changes."""

    reward_type = UnicodeAttribute()


def history_put(held: Redemption) -> Put:
    """The item of a new redemption."""
    sk = f"{HISTORY_PREFIX}{to_text(held.held_at)}#{held.redemption_id}"
    item = HistoryItem(partition(held.program, held.member_id), sk, reward_type=held.reward_type.value)
    return Put(item, HistoryItem.pk.does_not_exist())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which redemptions are asked for; None: all."""

    status: RedemptionStatus | None = None
    reward_type: RewardType | None = None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Redemptions, newest first, and the cursor of the next page (None after the last).

    Where a filter is narrow, there may be fewer than were asked for, or none, and still a next page.
    """

    redemptions: list[Redemption]
    next_cursor: str | None


class History:
    """Reads of it, of a member and of those whom they absorbed."""

    def __init__(self, table: Table, clock: Clock, cursors: Cursors) -> None:
        self._table = table
        self._books = LedgerStore(table)
        self._clock = clock
        self._cursors = cursors

    def page(
        self,
        program: str,
        member_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        only: Filter | None = None,
    ) -> HistoryPage:
        """At most ``limit`` redemptions as they are now: the newest, or those that follow the page before ``cursor``.

        Raises:
            MemberNotFound: the program has no such member.
            InvalidCursor: ``cursor`` is of no page of this member.
        """
        resource = f"redemptions/{program}/{member_id}"
        before = str(self._cursors.read(resource, cursor)["before"]) if cursor else None
        book = self._books.current(program, member_id)
        if book is None:
            raise MemberNotFound.of(program, member_id)
        partitions = [partition(program, one) for one in (book.member_id, *book.absorbed)]
        asked, found = only or Filter(), list[Redemption]()
        for _ in range(_ROUNDS):
            raws, before = newest_of(self._table, partitions, prefix=HISTORY_PREFIX, limit=limit, before=before)
            looked = [HistoryItem.from_raw_data(raw) for raw in raws]
            found += self._redemptions([one for one in looked if _of_type(one, asked)], self._clock(), asked.status)
            if found or before is None:
                break
        return HistoryPage(found, None if before is None else self._cursors.write(resource, {"before": before}))

    def _redemptions(
        self, items: Sequence[HistoryItem], now: datetime, status: RedemptionStatus | None
    ) -> Iterator[Redemption]:
        keys = [(item.pk, redemption_sk(item.sk.rpartition("#")[2])) for item in items]
        found = self._table.get_many(keys)
        for key in keys:
            if key not in found:
                raise AssertionError(f"'{key[1]}' of {parse_partition(key[0])[1]} is in the history and nowhere else")
            redemption = redemption_of(RedemptionItem.from_raw_data(found[key]), now)
            if status in (None, redemption.status):
                yield redemption


def _of_type(item: HistoryItem, asked: Filter) -> bool:
    return asked.reward_type in (None, RewardType(item.reward_type))
