"""What somebody moved on one day: ``M#{program}#{member}`` / ``LIMIT#{what}#{day}``, deleted by its time to live."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from loyalty.core.table import IntegerAttribute, IntegerMapAttribute, Item, Put, RawItem
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Book
from loyalty_contract import TTL_ATTRIBUTE

_KEPT: Final = timedelta(days=3)
"""After the start of its day in UTC; the day is over everywhere by then."""


class LimitItem(Item):
    """``moved`` has the points of one day of the program, by wallet."""

    moved = IntegerMapAttribute()
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class Daily:
    """``what`` somebody does on one day of the program, counted in points by wallet."""

    what: str
    day: date

    @property
    def sk(self) -> str:
        """The sort key of the record."""
        return f"LIMIT#{self.what}#{self.day.isoformat()}"

    def moved(self, records: Mapping[str, RawItem], wallet: str) -> int:
        """Points of the wallet that were moved so far."""
        return self._read(records).get(wallet, 0)

    def put(self, book: Book, records: Mapping[str, RawItem], wallet: str, points: int) -> Put:
        """Adds the points to the record of the book's member, if it still is as it was read."""
        before = self._read(records)
        item = LimitItem(
            partition(book.program, book.member_id),
            self.sk,
            moved={**before, wallet: before.get(wallet, 0) + points},
            expires_at=int((datetime.combine(self.day, time(), UTC) + _KEPT).timestamp()),
        )
        return Put(item, LimitItem.moved == before if before else LimitItem.pk.does_not_exist())

    def _read(self, records: Mapping[str, RawItem]) -> dict[str, int]:
        raw = records.get(self.sk)
        return {} if raw is None else LimitItem.from_raw_data(raw).moved
