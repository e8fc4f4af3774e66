"""The history of a program, read from the table once: members as they were before a period, and what happened in it."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from types import TracebackType
from typing import Final, Self

from loyalty.accruals.records import reversed_of
from loyalty.accruals.share import Original, Reversed, part_of
from loyalty.core.clock import to_text
from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem, Table
from loyalty.ledger import movements
from loyalty.ledger.items import book_of, entry_of
from loyalty.ledger.keys import BOOK_SK, REVERSED_PREFIX, parse_entry_sk, partition
from loyalty.ledger.model import Book, Entry, EntryKind, Movement
from loyalty.simulating.model import Identity, Kept, Opening, Period, refund_of
from loyalty.tiers.grants import END_OF_GRANT, GRANT
from loyalty.tiers.runs import RUN_PREFIX
from loyalty_contract import ENTRY_PREFIX

_READ: Final = frozenset(
    {EntryKind.ACCRUAL, EntryKind.REVERSAL, EntryKind.TIER, EntryKind.MERGE_IN, EntryKind.MERGE_OUT, EntryKind.HOLD}
)
"""Entries that decide what rules give, or where members stand."""
_HOUSEHOLD: Final = "hsh_"
UNREADABLE: Final = (LookupError, ValueError, TypeError, AttributeError, LoyaltyError)


class Journal:
    """Entries of all members in one order, in a file of SQLite's own that is gone when it is closed."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")
        self._db.execute("CREATE TABLE entry (posted_at TEXT, member TEXT, seq INTEGER, raw TEXT)")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, entry: Entry, raw: RawItem) -> None:
        """Puts an entry in its place."""
        row = (to_text(entry.posted_at), entry.member_id, entry.seq, json.dumps(raw, separators=(",", ":")))
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)

    def __len__(self) -> int:
        (rows,) = self._db.execute("SELECT count(*) FROM entry").fetchone()
        return int(rows)

    def __iter__(self) -> Iterator[Entry]:
        rows = self._db.execute("SELECT raw FROM entry ORDER BY posted_at, member, seq")
        for (raw,) in rows:
            yield entry_of(json.loads(raw))


@dataclass(slots=True)
class History:
    """What was read. ``reversed``: ids of accruals of which something was taken back, by whomever they are."""

    journal: Journal
    opening: Opening = field(default_factory=Opening)
    reversed: set[str] = field(default_factory=set)
    members: int = 0
    unreadable: int = 0
    """Items that say what nobody can read; ``loyalty verify`` names them."""
    back: list[tuple[datetime, Entry]] = field(default_factory=list)
    """Reversals before the period."""


def read_history(
    table: Table, program: str, period: Period, journal: Journal, *, progress: Callable[[int], None] = lambda _: None
) -> History:
    """Reads the whole table; ``progress`` is told the members read so far.

    In memory are kept: where each member stands, accruals before the period that a cap or a budget counted, and the ids of
    accruals that were taken back.
    """
    found, mine = History(journal), partition(program, "")
    for pk, group in groupby(table.scan(), key=lambda raw: str(raw["pk"]["S"])):
        if pk.startswith(mine) and not pk.startswith(mine + _HOUSEHOLD):
            _member(found, period, list(group))
            progress(found.members)
    _take_back(found)
    return found


def _member(found: History, period: Period, items: list[RawItem]) -> None:
    by_sk = {str(raw["sk"]["S"]): raw for raw in items}
    entries = sorted(_entries(found, by_sk), key=lambda one: one[0].seq)
    try:
        book = book_of(by_sk[BOOK_SK])
    except UNREADABLE:
        found.unreadable += BOOK_SK in by_sk
        return
    if book.opened_at is not None and book.opened_at >= period.end:
        return
    found.members += 1
    opening = _first(book, [entry for entry, _ in entries])
    whole = {sk.removeprefix(REVERSED_PREFIX) for sk, raw in by_sk.items() if _is_whole(sk, raw)}
    for entry, raw in entries:
        if entry.key.kind is EntryKind.REVERSAL:
            found.reversed.add(entry.facts.reverses or "")
        if period.is_before(entry.posted_at):
            opening = _after(opening, entry)
            _count(found, entry, is_whole=f"{entry.key.source}#{entry.key.source_id}" in whole)
        elif period.has(entry.posted_at) and _happened(entry):
            found.journal.add(entry, raw)
    found.opening.books[book.member_id] = opening


def _entries(found: History, by_sk: dict[str, RawItem]) -> Iterator[tuple[Entry, RawItem]]:
    for sk, raw in by_sk.items():
        if not sk.startswith(ENTRY_PREFIX):
            continue
        try:
            if parse_entry_sk(sk).kind in _READ:
                yield _entry(raw), raw
        except UNREADABLE:
            found.unreadable += 1


def _entry(raw: RawItem) -> Entry:
    entry = entry_of(raw)
    if type(entry.seq) is not int:  # the item model reads a missing attribute as None
        raise ValueError("it has no place among the member's entries")
    return entry


def _first(book: Book, entries: list[Entry]) -> Book:
    """The member on the day of their enrollment: on the tier that the first change of it was from."""
    tiers = (one.facts.tier_from for one in entries if one.key.kind is EntryKind.TIER and one.movement.tier)
    return Book(book.program, book.member_id, next(tiers, None) or book.tier, opened_at=book.opened_at)


def _after(book: Book, entry: Entry) -> Book:
    """The book after an entry from before the period; without points."""
    told = entry.movement
    movement = Movement({}, told.qualifying, told.tier, told.standings, {}, told.merged_into, told.absorbed)
    return movements.apply(book, movement, settled_to=max(entry.posted_at, book.settled_to or entry.posted_at))


def _count(found: History, entry: Entry, *, is_whole: bool) -> None:
    """Remembers what an entry from before the period leaves to be counted."""
    if entry.key.kind is EntryKind.REVERSAL:
        found.back.append((entry.posted_at, entry))
    if entry.key.kind is not EntryKind.ACCRUAL:
        return
    if entry.facts.used:
        kept = Kept(Original.of(replace(entry, facts=replace(entry.facts, told=None))), Reversed(), before=True)
        found.opening.kept[entry.member_id, entry.entry_id] = kept
    if entry.facts.activity and not is_whole:
        did = entry.member_id, entry.facts.activity
        found.opening.times[did] = found.opening.times.get(did, 0) + 1


def _take_back(found: History) -> None:
    """What reversals before the period took back of what caps and budgets had counted."""
    for _, entry in sorted(found.back, key=lambda one: (one[0], one[1].member_id, one[1].seq)):
        book = found.opening.books[entry.member_id]
        identities: list[Identity] = [(one, entry.facts.reverses or "") for one in (book.member_id, *book.absorbed)]
        home = next((one for one in identities if one in found.opening.kept), None)
        if home is not None:
            kept = found.opening.kept[home]
            part = part_of(kept.original, kept.taken, refund_of(entry), clamp=True)
            found.opening.kept[home] = replace(kept, taken=part.after)
    found.back.clear()


def _happened(entry: Entry) -> bool:
    """Whether it is something that members or staff did, and not what followed from it."""
    match entry.key.kind:
        case EntryKind.MERGE_OUT:
            return False  # it is one with its other side
        case EntryKind.TIER:
            return entry.key.source in {GRANT, END_OF_GRANT} or is_run(entry)
        case _:
            return True


def is_run(entry: Entry) -> bool:
    """Whether a tier was recalculated because an operator asked for it, not in the wake of an entry."""
    return entry.key.kind is EntryKind.TIER and entry.key.source_id.startswith(RUN_PREFIX)


def _is_whole(sk: str, raw: RawItem) -> bool:
    return sk.startswith(REVERSED_PREFIX) and reversed_of(raw).whole
