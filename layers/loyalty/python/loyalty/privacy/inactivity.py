"""Members of whom nothing was heard for long: who they are, for a person who proposes to erase them.

A sign of a member is what they did, or said: an enrollment, a purchase or what they gave back of one, a redemption, a transfer, a change of
their profile, a yes or no, channels. What falls due by itself and what staff does is none. In doubt somebody is kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final

from loyalty.core.clock import Clock, from_text, local_date
from loyalty.core.table import RawItem, Table
from loyalty.ledger.items import book_of
from loyalty.ledger.keys import BOOK_SK, partition
from loyalty.ledger.model import Book, EntryKind
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore
from loyalty.members.erasure import OPEN
from loyalty.members.erasure_items import ERASURE_SK, erasure_of
from loyalty.members.items import MemberItem
from loyalty.privacy.consent_items import CONSENTS_SK, PREFERENCES_SK, consents_of, preferences_of
from loyalty.programs.expiry import months_later
from loyalty.programs.model import Program
from loyalty_contract import MEMBER_SHARDS, MEMBER_SK

_SIGNS: Final = frozenset(
    {
        EntryKind.ACCRUAL,
        EntryKind.REVERSAL,
        EntryKind.HOLD,
        EntryKind.CAPTURE,
        EntryKind.CANCELLATION,
        EntryKind.TRANSFER_OUT,
        EntryKind.TRANSFER_IN,
        EntryKind.MERGE_IN,
    }
)
"""Entries that come of what a member did. A merge is one: what the absorbed one did is in that one's history."""
_PAGE: Final = 25
_READ: Final = (BOOK_SK, MEMBER_SK, CONSENTS_SK, PREFERENCES_SK, ERASURE_SK)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A member of whom nothing was heard. ``last_sign_at`` is in UTC; ``points`` would be lost."""

    member_id: str
    last_sign_at: datetime
    points: int
    kept_for: str | None
    """Why they are not to be proposed: ``on_hold``, ``restricted``, ``erasure_open``; None: nothing speaks against it."""


class Inactivity:
    """Walks all members of a program. Reads alone: two round trips for each member who is quiet, one for others."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._books = LedgerStore(table)
        self._clock = clock

    def since(self, program: Program, months: int) -> datetime:
        """The beginning (UTC) of the day, in the program's calendar, that was ``months`` ago."""
        zone = program.document.zone
        day = months_later(local_date(self._clock(), zone), -months)
        return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)

    def members(self, program: Program, since: datetime) -> Iterator[Quiet]:
        """Those of whom nothing was heard since (UTC), shard by shard. Of who comes meanwhile nothing is sure."""
        for shard in range(MEMBER_SHARDS):
            after: str | None = None
            while True:
                page = self._books.members(program.document.id, shard, limit=100, after=after)
                for one in page.members:
                    quiet = self._quiet(program, one.member_id, since)
                    if quiet is not None:
                        yield quiet
                if page.next_after is None:
                    break
                after = page.next_after

    def _quiet(self, program: Program, member_id: str, since: datetime) -> Quiet | None:
        name, pk = program.document.id, partition(program.document.id, member_id)
        found = {sk: raw for (_, sk), raw in self._table.get_many([(pk, sk) for sk in _READ]).items()}
        book = book_of(found[BOOK_SK]) if BOOK_SK in found else None
        if book is None or book.merged_into is not None or book.erased_at is not None:
            return None
        last = max(_said(member_id, book, found), default=None)
        if last is None or last >= since:
            return None
        last = max([last, *self._did(name, member_id, last)])
        if last >= since:
            return None
        erasure = erasure_of(name, member_id, found.get(ERASURE_SK))
        reasons = {
            "erasure_open": erasure is not None and erasure.status in OPEN,
            "restricted": book.restricted_at is not None,
            "on_hold": book.on_hold,
        }
        points = as_of(book, program.scope, self._clock()).wallet().balances
        kept_for = next((reason for reason, holds in reasons.items() if holds), None)
        return Quiet(member_id, last, points.available + points.pending, kept_for)

    def _did(self, program: str, member_id: str, until: datetime) -> Iterator[datetime]:
        """When they last did something, if after ``until``: entries are read back no further."""
        before: int | None = None
        while True:
            page = self._books.entries(program, member_id, limit=_PAGE, before=before)
            for entry in page.entries:
                if entry.posted_at <= until:
                    return
                if entry.key.kind in _SIGNS:
                    yield entry.posted_at
                    return
            if page.next_before is None:
                return
            before = page.next_before


def _said(member_id: str, book: Book, found: dict[str, RawItem]) -> Iterable[datetime]:
    """When they enrolled, and what they said since."""
    if book.opened_at is not None:
        yield book.opened_at
    if MEMBER_SK in found:
        yield from_text(MemberItem.from_raw_data(found[MEMBER_SK]).updated_at)
    for answer in consents_of(member_id, found.get(CONSENTS_SK)).decided.values():
        yield answer.at
    preferences = preferences_of(member_id, found.get(PREFERENCES_SK))
    if preferences.said_at is not None:
        yield preferences.said_at
