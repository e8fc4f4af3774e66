"""What the items of one member say. An item that cannot be read is a problem of its own, and is then left out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

from loyalty.core.clock import from_text
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem
from loyalty.ledger.items import book_of, entry_of
from loyalty.ledger.keys import BOOK_SK, parse_partition
from loyalty.ledger.model import POINTS, Balances, Book, Change, Entry, EntryKind
from loyalty.ledger.verify.index import NOT_INDEXED, Indexed
from loyalty.ledger.verify.kept import Record, record_of
from loyalty.ledger.verify.report import Problem
from loyalty_contract import DUE_AT, DUE_INDEX_KEY, ENTRY_PREFIX, MEMBER_SK

_BOOK_HAS: Final = {"last_seq": "N", "tier": "S", "wallets": "M", "qualifying": "M"}
_ENTRY_HAS: Final = {
    "seq": "N",
    "changes": "M",
    "after": "M",
    "program_version": "N",
    "occurred_at": "S",
    "posted_at": "S",
    "request_hash": "S",
}
_UNREADABLE: Final = (LookupError, ValueError, TypeError, AttributeError, LoyaltyError)


R = TypeVar("R")


@dataclass(slots=True)
class Partition:
    """One member, or a household: the book, the entries in their order, the records beside them by sort key."""

    program: str
    member_id: str
    book: Book | None = None
    indexed: Indexed = NOT_INDEXED
    first_tier: str | None = None
    """The tier of the day of enrollment, where the member has a profile."""
    entries: list[Entry] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)
    has_book: bool = False
    problems: list[Problem] = field(default_factory=list)

    def of(self, kind: type[R]) -> Iterator[tuple[str, R]]:
        """The records of one kind, with their sort keys."""
        for sk, record in self.records.items():
            if isinstance(record, kind):
                yield sk, record


def read(pk: str, items: Iterable[RawItem]) -> Partition:
    """Everything that the items of a partition say."""
    partition = Partition(*parse_partition(pk))
    for raw in items:
        sk = str(raw["sk"]["S"])
        try:
            _read(partition, sk, raw)
        except _UNREADABLE as error:
            detail = f"{type(error).__name__}: {error}"
            partition.problems.append(Problem(f"{_what(sk)}_unreadable", sk, detail))
    partition.entries.sort(key=lambda entry: entry.seq)
    return partition


def _what(sk: str) -> str:
    if sk == BOOK_SK:
        return "wallet"
    return "entry" if sk.startswith(ENTRY_PREFIX) else "record"


def _read(partition: Partition, sk: str, raw: RawItem) -> None:
    if sk == BOOK_SK:
        partition.has_book = True
        at = raw.get(DUE_AT)
        partition.indexed = Indexed(raw.get(DUE_INDEX_KEY, {}).get("S"), from_text(at["S"]) if at else None)
        partition.book = _book(raw)
    elif sk == MEMBER_SK:
        partition.first_tier = raw.get("entry_tier", {}).get("S")
    elif sk.startswith(ENTRY_PREFIX):
        partition.entries.append(_entry(raw))
    else:
        record = record_of(sk, raw)
        if record is not None:
            partition.records[sk] = record


def _book(raw: RawItem) -> Book:
    _require(raw, _BOOK_HAS)
    book = book_of(raw)
    for wallet in book.wallets.values():
        _require_whole(wallet)
        _require_lots(wallet.lots, wallet.maturing)
    for hold in book.holds.values():
        _require_lots(hold.lots)
    return book


def _entry(raw: RawItem) -> Entry:
    # The item models read a missing attribute as None, which is no number.
    _require(raw, _ENTRY_HAS)
    entry = entry_of(raw)
    for change in entry.movement.changes.values():
        _require_change(change)
    for balances in entry.after.values():
        _require_whole(balances)
    if POINTS not in entry.after:
        raise ValueError(f"it has no balances of '{POINTS}'")
    _require_identity(entry)
    return entry


def _require_identity(entry: Entry) -> None:
    """What falls due names what it is in its identity."""
    kind, name = entry.key.kind, entry.key.source_id
    if kind is EntryKind.EXPIRY:
        _require_lots({name: 0})
    elif kind is EntryKind.MATURITY:
        _require_lots({}, {name: 0})
    elif kind in {EntryKind.WARNING, EntryKind.TIER_WARNING}:
        lot, days = name.split("/")
        _require_lots({lot: int(days)})


def _require(raw: RawItem, has: Mapping[str, str]) -> None:
    for name, kind in has.items():
        if kind not in raw[name]:
            raise ValueError(f"{name} is of another type")


def _require_whole(balances: Balances) -> None:
    for name in ("available", "pending", "held", "debt"):
        if type(getattr(balances, name)) is not int:
            raise ValueError(f"{name} is no number")


def _require_change(change: Change) -> None:
    if any(type(points) is not int for points in change.postings.values()):
        raise ValueError("a posting is no number")
    _require_lots(change.lots, change.maturing)


def _require_lots(lots: Mapping[str, int], maturing: Mapping[str, int] | None = None) -> None:
    for key, points in (*lots.items(), *(maturing or {}).items()):
        if type(points) is not int:
            raise ValueError(f"{key} has no number of points")
    days = [*lots, *(day for key in maturing or {} for day in _two(key))]
    for day in days:
        date.fromisoformat(day)


def _two(key: str) -> tuple[str, str]:
    day, lot = key.split("/")
    return day, lot
