"""Posting to two members in one transaction, both entries or none.

::

    post_pair    one decision on both books       transfers, merges: what one loses the other gains
    post_both    two postings, one after the other    each by itself, as it would be posted alone: both, or neither

Who were two may be one by now: then both postings go to one book, the second decided on what the first leaves.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from loyalty.core.errors import LoyaltyError, Undecided
from loyalty.core.table import MOST_OPERATIONS, Operation, RawItem, TransactionRefused
from loyalty.ledger.draft import Decision, Draft, Full, Posted, Posting, Refused, Situation, Write, writes_of
from loyalty.ledger.items import book_of, entry_of
from loyalty.ledger.keys import BOOK_SK, entry_sk, partition
from loyalty.ledger.laid import Laid
from loyalty.ledger.model import Book, Entry, EntryKey, Scope
from loyalty.ledger.work import Key, Work, busy, record_changed, replay, require_open, required

_MOST_SETTLED: Final = 20
"""Entries of what fell due, and shards of stock, that one side brings along; if more, they are written first."""
_RECORD_ATTEMPTS: Final = 2
_READS: Final = 60
"""Times that the two postings together may ask for more records."""
_BESIDE: Final = 2
"""The place of what is written beside the two postings, which have the places 0 and 1."""

Now = Callable[[int], Situation]
"""What one of the two is decided on, as those before it in the transaction leave it."""
Decisions = Callable[[Sequence[Posting], Now], Iterable[Decision]]
"""The decisions on both, in their order."""
Part = tuple[str, Posting]
"""To whose book, and what."""


@dataclass(frozen=True, slots=True)
class Side:
    """One member's part in a posting to two: the entry's identity, and the records that are read with the book."""

    member_id: str
    key: EntryKey
    records: Sequence[str] = ()


class More(Exception):
    """One of the two is to be decided on more than was read."""

    def __init__(self, place: int, again: Posting) -> None:
        super().__init__("more has to be read")
        self.place = place
        self.again = again


def posting_again(undecided: Undecided) -> Posting:
    """What is to be posted instead of what was not decided."""
    if isinstance(undecided.again, Posting):
        return undecided.again
    raise AssertionError("a posting that was not decided says what to post instead")


def jointly(decide: Callable[[Situation, Situation], tuple[Decision, Decision]]) -> Decisions:
    """One decision on both."""
    return lambda _, now: decide(now(0), now(1))


def in_turn(postings: Sequence[Posting], now: Now) -> Iterable[Decision]:
    """Each by itself, the second on what the first leaves."""
    for place, posting in enumerate(postings):
        try:
            decision = posting.decide(now(place))
        except Undecided as more:
            raise More(place, posting_again(more)) from None
        if decision is None:
            raise AssertionError("each of two postings that belong together posts something")
        yield decision


Beside = Callable[[Sequence[Entry], Sequence[Book]], Sequence[Operation]]
"""What is written beside the two entries, of them and of the books after them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is to be posted to whom, and how it is decided."""

    scope: Scope
    parts: Sequence[Part]
    decisions: Decisions
    beside: Beside | None = None
    follows: bool = False
    """A posting goes to whoever its member was merged into, and was posted before where one they absorbed has its entry.

    Not so what names two books, as a merge does: whom one of them absorbed had merges of their own.
    """

    def put(self, place: int, posting: Posting) -> "Pair":
        """The same with another posting in a place."""
        parts = [(who, posting if place == here else one) for here, (who, one) in enumerate(self.parts)]
        return replace(self, parts=parts)


class Pairs:
    """Posts pairs; :class:`loyalty.ledger.service.Ledger` says what of them is whose."""

    def __init__(self, work: Work, *, attempts: int) -> None:
        self._work = work
        self._attempts = attempts

    def post(self, pair: Pair) -> tuple[Posted, Posted]:
        """Both, in one transaction; see :meth:`Ledger.post_pair` and :meth:`Ledger.post_both`."""
        attempt = changed = asked = 0
        doubtful = False
        while attempt < self._attempts and asked < _READS:
            outcome = self._round(pair, together=doubtful)
            if isinstance(outcome, tuple):
                return outcome
            if isinstance(outcome, More):
                pair = pair.put(outcome.place, outcome.again)
                asked += 1
                doubtful = False
            elif isinstance(outcome, Exception):
                doubtful = True  # as in `Ledger._for_certain`
            elif outcome is not None:
                changed += bool(outcome.records and not outcome.moved)
                if changed >= _RECORD_ATTEMPTS or _BESIDE in outcome.records:  # the latter was not read here
                    raise record_changed()
                self._work.pause(attempt)
                attempt += 1
        raise busy()

    def _round(self, pair: Pair, *, together: bool) -> tuple[Posted, Posted] | Refused | Exception | None:
        """One transaction of both sides. An exception: it is refused; raised where it is so for certain.

        None: there was so much due that nothing but that was written.
        """
        found = self._read(pair, together=together)
        if found is None:
            return Refused(moved=True)
        books = [book_of(required(found, pair.scope, member_id)) for member_id, _ in pair.parts]
        if together and (earlier := self._earlier(pair, books)):
            return earlier
        try:
            entries, writes = self._decide(pair, found)
        except Exception as error:
            outcome = error if isinstance(error, More) or not together else self._not_as_seen(pair)
            if outcome is None:
                raise
            return outcome
        refused = self._work.commit(writes)
        if refused is not None:
            return (self._earlier(pair, books) if refused.existing else None) or refused
        return (Posted(entries[0], replayed=False), Posted(entries[1], replayed=False)) if entries else None

    def _read(self, pair: Pair, *, together: bool) -> dict[Key, RawItem] | None:
        """Books and records of both sides; ``together``: of one moment, None while somebody writes them or the entries."""
        scope = pair.scope
        keys = [key for part in pair.parts for key in (_book(scope, part), *_records(scope, part))]
        if not together:
            return self._work.read(list(dict.fromkeys(keys)))
        own = [(partition(scope.program, member_id), entry_sk(posting.key)) for member_id, posting in pair.parts]
        try:
            return self._work.together(list(dict.fromkeys([*keys, *own])))
        except TransactionRefused:
            return None

    def _drafts(self, pair: Pair, found: Mapping[Key, RawItem]) -> dict[str, Draft]:
        """By member the book, settled until one moment for both."""
        books = {member_id: book_of(required(found, pair.scope, member_id)) for member_id, _ in pair.parts}
        # Of one moment: points alive in one book must not come to another in which their lot has expired already.
        now = max([self._work.now(), *(book.settled_to for book in books.values() if book.settled_to)])
        return {member_id: Draft(pair.scope, book, now) for member_id, book in books.items()}

    def _decide(self, pair: Pair, found: Mapping[Key, RawItem]) -> tuple[list[Entry], list[Write]]:
        """The entries and all writes; no entries where there is so much due that it has to be written first."""
        scope, parts, drafts = pair.scope, pair.parts, self._drafts(pair, found)
        for member_id, draft in drafts.items():
            own = [part for part in parts if part[0] == member_id]
            many = draft.settled + len(draft.stock.shards) > _MOST_SETTLED or not draft.complete
            # What is decided on what fell due just now is decided once that is written.
            if many or not draft.touched.isdisjoint(key for part in own for key in _records(scope, part)):
                return [], draft.writes()
        for member_id, posting in parts:
            require_open(drafts[member_id], posting.key.kind)
        entries: list[Entry] = []
        laid, told = Laid(), dict[int, set[Key]]()

        def now(place: int) -> Situation:
            member_id, posting = parts[place]
            items = laid.items
            told[place] = set(items)
            home = partition(scope.program, posting.records_of or member_id)
            records = {sk: found[home, sk] for sk in posting.records if (home, sk) in found}
            shared = {key: found[key] for key in posting.shared if key in found}
            draft = drafts[member_id]
            return Situation(draft.book, records, draft.now, shared, items)

        try:
            for place, decision in enumerate(pair.decisions([posting for _, posting in parts], now)):
                operations, same = laid.over(decision.operations, told[place])
                for draft in drafts.values():
                    draft.leave_out(same)
                member_id, posting = parts[place]
                entries.append(drafts[member_id].add(place, posting, replace(decision, operations=operations)))
            writes = writes_of(drafts.values())
            if pair.beside is not None:
                after = [drafts[member_id].book for member_id, _ in parts]
                writes += [Write(operation, _BESIDE) for operation in pair.beside(entries, after)]
            _require_fit(writes)
        except Full:
            return [], self._what_is_due(pair, found)
        return entries, writes

    def _what_is_due(self, pair: Pair, found: Mapping[Key, RawItem]) -> list[Write]:
        """What fell due on the side with most of it alone, where the two postings do not fit beside that."""
        draft = max(self._drafts(pair, found).values(), key=lambda one: one.settled)
        if draft.settled:
            return draft.writes()
        raise AssertionError(f"two postings of more than {MOST_OPERATIONS} operations")

    def _earlier(self, pair: Pair, books: Sequence[Book]) -> tuple[Posted, Posted] | None:
        """What was posted before. The other side of an entry is with whom it names: they may be merged since.

        None also while one side is visible and the other is not yet: single reads show a commit item by item.
        """
        scope, parts = pair.scope, pair.parts
        owners = [[book.member_id, *(book.absorbed if pair.follows else ())] for book in books]
        found = [self._entry(scope, one.key, whose) for (_, one), whose in zip(parts, owners, strict=True)]
        for place, entry in enumerate(found):
            if entry is not None and found[1 - place] is None and entry.facts.other_member:
                found[1 - place] = self._entry(scope, parts[1 - place][1].key, [entry.facts.other_member])
        told = [entry and replay(entry, posting.request_hash) for entry, (_, posting) in zip(found, parts, strict=True)]
        for one in told:
            if isinstance(one, LoyaltyError):
                raise one
        first, second = told
        return (first, second) if isinstance(first, Posted) and isinstance(second, Posted) else None

    def _entry(self, scope: Scope, key: EntryKey, members: Sequence[str]) -> Entry | None:
        found = self._work.read([(partition(scope.program, one), entry_sk(key)) for one in members])
        return next((entry_of(raw) for raw in found.values()), None)

    def _not_as_seen(self, pair: Pair) -> More | None:
        """Which of the two has to be decided anew: what it read before is not so any more."""
        for place, (_, posting) in enumerate(pair.parts):
            if not self._work.still(pair.scope, posting.seen):
                if posting.afresh is None:
                    raise AssertionError("what was read before can be read anew")
                return More(place, posting.afresh)
        return None


def _book(scope: Scope, part: Part) -> Key:
    return partition(scope.program, part[0]), BOOK_SK


def _records(scope: Scope, part: Part) -> list[Key]:
    """Keys of what a posting is decided on beside its book."""
    member_id, posting = part
    home = partition(scope.program, posting.records_of or member_id)
    return [*((home, sk) for sk in posting.records), *posting.shared]


def _require_fit(writes: Sequence[Write]) -> None:
    keys = {write.operation.key for write in writes}
    if len(keys) < len(writes):
        raise AssertionError("two operations on one item")
    if len(writes) > MOST_OPERATIONS:
        raise Full
