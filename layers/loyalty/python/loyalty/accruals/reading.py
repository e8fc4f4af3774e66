"""Postings that find out while they are decided what else they have to read.

A decision is pure: it asks :class:`Seen` for records, and where one was not read yet, the ledger refuses the posting
with :class:`~loyalty.core.errors.Undecided`, which carries the posting that reads it too. Nearly every posting has all
it needs at once; what needs more costs one more read each time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from loyalty.core.errors import Undecided
from loyalty.core.table import RawItem
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Book, EntryKey


class _NotRead(Exception):
    """These records of a member decide too."""

    def __init__(self, member_id: str | None, sks: Sequence[str], shared: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__("records that were not read yet")
        self.member_id = member_id
        self.sks = tuple(sks)
        self.shared = tuple(shared)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read so far, by member and sort key: a record, or None where there is none.

    ``sent_to`` is the member that the request named, who may have been merged into the one whose book is posted to.
    ``shared`` has, by their keys, records that are no member's own.
    """

    sent_to: str
    records: Mapping[tuple[str, str], RawItem | None] = field(default_factory=dict)
    shared: Mapping[tuple[str, str], RawItem | None] = field(default_factory=dict)

    def homes(self, book: Book) -> tuple[str, ...]:
        """Whoever the member of the book is or was: something may have been sent to each of them."""
        return tuple(dict.fromkeys((self.sent_to, book.member_id, *book.absorbed)))

    def require(self, member_id: str, *sks: str) -> None:
        """Says that these records of a member decide: where they were not read, the posting reads them and starts again."""
        missing = [sk for sk in sks if (member_id, sk) not in self.records]
        if missing:
            raise _NotRead(member_id, missing)

    def require_shared(self, keys: Sequence[tuple[str, str]]) -> None:
        """Says that these records decide, which are no member's own."""
        missing = [key for key in keys if key not in self.shared]
        if missing:
            raise _NotRead(None, (), missing)

    def read_again(self, member_id: str) -> NoReturn:
        """Says that the records of a member contradict each other: the posting reads them again."""
        raise _NotRead(member_id, ())

    def get(self, member_id: str, sk: str) -> RawItem | None:
        """A record, which is read if it was not."""
        self.require(member_id, sk)
        return self.records[member_id, sk]


Decide = Callable[[Seen, Situation], Decision | None]
"""A decision on what was read, and on the book."""


@dataclass(frozen=True, slots=True)
class MemberPosting(Posting):
    """A posting that knows how it is made where the member it was sent to was merged into the one it is posted to."""

    when_sent_to: Callable[[str], Posting] | None = None


def reading(
    key: EntryKey,
    request_hash: str,
    decide: Decide,
    sks: Sequence[str] = (),
    shared: Sequence[tuple[str, str]] = (),
) -> MemberPosting:
    """A posting whose decision reads ``sks`` of the member that it is sent to, and asks for what else it needs."""
    return _reading(key, request_hash, decide, sks, shared)


def _reading(
    key: EntryKey,
    request_hash: str,
    decide: Decide,
    sks: Sequence[str],
    shared: Sequence[tuple[str, str]],
    *,
    sent_to: str | None = None,
    records_of: str | None = None,
    before: Mapping[tuple[str, str], RawItem | None] | None = None,
    afresh: Posting | None = None,
) -> MemberPosting:
    earlier = {key: raw for key, raw in (before or {}).items() if key[0] != records_of or key[1] not in sks}

    def decided(situation: Situation) -> Decision | None:
        member_id = records_of or situation.book.member_id
        now_read = {(member_id, sk): situation.records.get(sk) for sk in sks}
        now_shared = {key: situation.shared.get(key) for key in shared}
        seen = Seen(sent_to or situation.book.member_id, {**earlier, **now_read}, now_shared)
        try:
            return decide(_as_left(seen, situation), situation)
        except _NotRead as more:
            # What was read of the same member is read once more with it, so that all of it is fresh.
            home = more.member_id or member_id
            wanted = (*sks, *more.sks) if home == member_id else more.sks
            again = _reading(
                key, request_hash, decide, wanted, (*shared, *more.shared),
                sent_to=seen.sent_to, records_of=home, before=seen.records, afresh=afresh or posting,
            )  # fmt: skip
            raise Undecided("This is decided on more than was read.", again=again) from None

    def sent(member_id: str) -> Posting:
        first = sent_to or member_id
        return _reading(key, request_hash, decide, sks, shared, sent_to=first, records_of=first)

    posting = MemberPosting(
        key=key,
        request_hash=request_hash,
        decide=decided,
        records=tuple(sks),
        records_of=records_of,
        shared=tuple(shared),
        seen=earlier,
        afresh=afresh,
        when_sent_to=sent,
    )
    return posting


def _as_left(seen: Seen, situation: Situation) -> Seen:
    """What was read, as the posting before this one in the same transaction leaves it."""
    written, program = situation.written, situation.book.program
    if not written:
        return seen
    records = {
        (member_id, sk): written.get((partition(program, member_id), sk), raw)
        for (member_id, sk), raw in seen.records.items()
    }
    return Seen(seen.sent_to, records, {key: written.get(key, raw) for key, raw in seen.shared.items()})
