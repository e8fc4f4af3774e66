"""Posting to two members in one transaction, both entries or none: one attempt at it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from loyalty.core.errors import LoyaltyError
from loyalty.core.table import RawItem, TransactionRefused
from loyalty.ledger.draft import Decision, Draft, Full, Posted, Posting, Refused, Situation, Write, writes_of
from loyalty.ledger.items import book_of
from loyalty.ledger.keys import BOOK_SK, entry_sk, partition
from loyalty.ledger.model import Entry, EntryKey, Scope
from loyalty.ledger.store import LedgerStore
from loyalty.ledger.work import Key, Work, replay, require_open, required

_MOST_SETTLED: Final = 20
"""Entries of what fell due, and shards of stock, that one side brings along; if more, they are written first."""


@dataclass(frozen=True, slots=True)
class Side:
    """One member's part in a posting to two: the entry's identity, and the records that are read with the book."""

    member_id: str
    key: EntryKey
    records: Sequence[str] = ()


class Pairs:
    """Attempts at pairs; :class:`loyalty.ledger.service.Ledger` makes them, and makes them again."""

    def __init__(self, store: LedgerStore, work: Work) -> None:
        self._store = store
        self._work = work

    def round(
        self,
        scope: Scope,
        sides: tuple[Side, Side],
        request_hash: str,
        decide: Callable[[Situation, Situation], tuple[Decision, Decision]],
        *,
        together: bool,
    ) -> tuple[Posted, Posted] | Refused | Exception | None:
        """One transaction of both sides. An exception: it is refused; raised where it is so for certain.

        None: there was so much due that nothing but that was written.
        """
        try:
            found = self._read(scope, sides, together=together)
        except TransactionRefused:
            return Refused(moved=True)
        if together and (earlier := self._earlier(scope, sides, request_hash)):
            return earlier
        try:
            entries, writes = self._decide(sides, request_hash, decide, self._drafts(scope, sides, found))
        except Exception as error:
            if together:
                raise
            return error
        refused = self._work.commit(writes)
        if refused is None:
            return (Posted(entries[0], replayed=False), Posted(entries[1], replayed=False)) if entries else None
        return (self._earlier(scope, sides, request_hash) if refused.existing else None) or refused

    def _read(self, scope: Scope, sides: Sequence[Side], *, together: bool) -> dict[Key, RawItem]:
        """Books and records of both sides; ``together``: of one moment, while nobody writes them or the entries."""
        keys = [(partition(scope.program, side.member_id), sk) for side in sides for sk in (BOOK_SK, *side.records)]
        if not together:
            return self._work.read(keys)
        return self._work.together(
            [*keys, *((partition(scope.program, side.member_id), entry_sk(side.key)) for side in sides)]
        )

    def _drafts(
        self, scope: Scope, sides: Sequence[Side], found: Mapping[Key, RawItem]
    ) -> list[tuple[Draft, dict[str, RawItem]]]:
        """For each side its book, settled until one moment for both, and its records."""
        books = [book_of(required(found, scope, side.member_id)) for side in sides]
        # Of one moment: points alive in one book must not come to another in which their lot has expired already.
        now = max([self._work.now(), *(book.settled_to for book in books if book.settled_to)])
        drafts = []
        for side, book in zip(sides, books, strict=True):
            pk = partition(scope.program, side.member_id)
            drafts.append((Draft(scope, book, now), {sk: found[pk, sk] for sk in side.records if (pk, sk) in found}))
        return drafts

    def _decide(
        self,
        sides: Sequence[Side],
        request_hash: str,
        decide: Callable[[Situation, Situation], tuple[Decision, Decision]],
        drafts: Sequence[tuple[Draft, dict[str, RawItem]]],
    ) -> tuple[list[Entry], list[Write]]:
        """The entries and all writes; no entries where there is so much due that it has to be written first."""
        for draft, _ in drafts:
            if draft.settled + len(draft.stock.shards) > _MOST_SETTLED or not draft.complete:
                return [], draft.writes()
        for (draft, _), side in zip(drafts, sides, strict=True):
            require_open(draft, side.key.kind)
        entries: list[Entry] = []
        situations = [Situation(draft.book, records, draft.now) for draft, records in drafts]
        for place, decision in enumerate(decide(situations[0], situations[1])):
            posting = Posting(sides[place].key, request_hash, lambda _: None)
            try:
                entries.append(drafts[place][0].add(place, posting, decision))
            except Full:
                return [], drafts[place][0].writes()
        return entries, writes_of(draft for draft, _ in drafts)

    def _earlier(self, scope: Scope, sides: Sequence[Side], request_hash: str) -> tuple[Posted, Posted] | None:
        """What was posted before. The other side of an entry is with whom it names: they may be merged since.

        None also while one side is visible and the other is not yet: single reads show a commit item by item.
        """
        for place, side in enumerate(sides):
            entry = self._store.entry(scope.program, side.member_id, side.key)
            if entry is None:
                continue
            before, other = replay(entry, request_hash), sides[1 - place]
            if isinstance(before, LoyaltyError):
                raise before
            found = self._store.entry(scope.program, entry.facts.other_member or other.member_id, other.key)
            if found is None:
                return None
            beside = Posted(found, replayed=True)
            return (before, beside) if place == 0 else (beside, before)
        return None
