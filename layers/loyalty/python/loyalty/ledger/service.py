"""Posting: the one way in which the ledger is written.

::

    read the book (and what else decides)              1 round trip
    write down what fell due until now                 pure
    decide                                             pure
        refused          → read again, of one moment; decide again            1 round trip
    write book + entries (+ records), or nothing       1 round trip
        an entry exists  → its first result, or a named error where the request differs
        the book moved   → wait a little, start again
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from loyalty.core.clock import Clock
from loyalty.core.errors import (
    LoyaltyError,
    MemberMerged,
    Undecided,
)
from loyalty.core.table import MOST_READS, RawItem, Table, TransactionRefused
from loyalty.ledger.draft import Decision, Draft, Full, Posted, Posting, Refused, Result, Situation
from loyalty.ledger.items import book_of, due_at, entry_of
from loyalty.ledger.keys import BOOK_SK, entry_sk, partition
from loyalty.ledger.model import Scope
from loyalty.ledger.pairs import Beside, Pair, Pairs, Part, Side, in_turn, jointly
from loyalty.ledger.settlement import next_due
from loyalty.ledger.work import Key, Work, busy, record_changed, replay, require_open, required

ATTEMPTS: Final = 12
"""Times that a posting is tried while other writers get in first."""
_RECORD_ATTEMPTS: Final = 2

T = TypeVar("T")


class Ledger:
    """Posts entries to members' books, exactly once for each identity."""

    def __init__(
        self, table: Table, clock: Clock, *, attempts: int = ATTEMPTS, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """``attempts`` is how often a posting is tried while other writers get in first."""
        self._work = Work(table, clock, sleep)
        self._pairs = Pairs(self._work, attempts=attempts)
        self._attempts = attempts

    def post(self, scope: Scope, member_id: str, posting: Posting) -> Posted | None:
        """Posts one thing; None where it decides that there is nothing to post.

        Raises:
            MemberNotFound: the member has no book in this program.
            MemberMerged: the member was merged into another, and this was not posted before that.
            MemberErased, MemberRestricted: see :func:`loyalty.ledger.work.require_open`; likewise.
            EntryExistsWithDifferentRequest: the identity was posted with another request.
            WalletBusy: other writers got in first every time.
            RecordChanged: one of the decision's own operations does not hold, even after deciding anew.
            LoyaltyError: whatever the decision refuses with, unless the entry had been posted before.
        """
        (result,) = self.post_all(scope, member_id, [posting])
        if isinstance(result, LoyaltyError):
            raise result
        return result

    def post_all(self, scope: Scope, member_id: str, postings: Sequence[Posting]) -> list[Result]:
        """Posts many things to one member, in order, in as few transactions as they fit into.

        Each has its own result, see :meth:`post`; a refusal of one leaves the others as they are.

        Raises:
            MemberNotFound: the member has no book in this program.
        """
        results: dict[int, Result] = {}
        moved: Counter[int] = Counter()
        attempt = 0
        while left := [place for place in range(len(postings)) if place not in results]:
            if attempt == self._attempts:
                results |= dict.fromkeys(left, busy())
                break
            refused = self._round(scope, member_id, {place: postings[place] for place in left}, results)
            if refused is None:
                attempt = 0
                continue
            for place, raw in refused.existing.items():
                results[place] = replay(entry_of(raw), postings[place].request_hash)
            moved.update([] if refused.moved else refused.records)
            results |= {place: record_changed() for place in refused.records if moved[place] >= _RECORD_ATTEMPTS}
            self._work.pause(attempt)
            attempt += 1
        return [results[place] for place in range(len(postings))]

    def post_pair(
        self,
        scope: Scope,
        sides: tuple[Side, Side],
        request_hash: str,
        decide: Callable[[Situation, Situation], tuple[Decision, Decision]],
    ) -> tuple[Posted, Posted]:
        """Posts to two members in one transaction: both entries, or none.

        Raises:
            MemberNotFound, MemberMerged: one of them has no book, or was merged into another.
            EntryExistsWithDifferentRequest, WalletBusy, RecordChanged, LoyaltyError: see :meth:`post`.
        """
        parts = [(side.member_id, Posting(side.key, request_hash, lambda _: None, side.records)) for side in sides]
        return self._pairs.post(Pair(scope, parts, jointly(decide)))

    def post_both(self, scope: Scope, parts: tuple[Part, Part], beside: Beside | None = None) -> tuple[Posted, Posted]:
        """Posts two things to two members in one transaction: both entries, or none. Each is decided by itself.

        Where both are sent to one member, the second is decided on the book that the first leaves. Either finds in
        ``Situation.written`` what the one before it does to records, and what it does to the same is written in its place.
        ``beside`` says what is written with them, of the entries and the books after them.

        Raises:
            MemberNotFound, MemberMerged, MemberErased, MemberRestricted: see :meth:`post`; likewise.
            RecordChanged: an operation of a decision does not hold, even after deciding anew; one of ``beside`` does not hold.
            EntryExistsWithDifferentRequest, WalletBusy, LoyaltyError: see :meth:`post`.
            AssertionError: one of them has nothing to post, or both together are too many operations.
        """
        return self._pairs.post(Pair(scope, parts, in_turn, beside, follows=True))

    def settle(self, scope: Scope, member_id: str) -> int:
        """Writes down what fell due, and puts the book where it belongs in the due index; the entries written.

        Raises:
            MemberNotFound: the member has no book in this program.
            WalletBusy: other writers got in first every time; they wrote down what was due.
        """
        written = attempt = 0
        while attempt < self._attempts:
            key = (partition(scope.program, member_id), BOOK_SK)
            raw = required(self._work.read([key]), scope, member_id)
            draft = Draft(scope, book_of(raw), self._work.now())
            if draft.settled == 0 and due_at(raw) == next_due(draft.book, scope):
                return written
            if self._work.commit(draft.writes()) is None:
                written += draft.settled
                if draft.complete:
                    return written
            else:
                self._work.pause(attempt)
                attempt += 1
        raise busy()

    def _round(
        self, scope: Scope, member_id: str, postings: Mapping[int, Posting], results: dict[int, Result]
    ) -> Refused | None:
        """One transaction of as many postings as it takes; what is settled by it goes to ``results``."""
        own = partition(scope.program, member_id)
        batch, keys = _readable(scope, member_id, postings)
        found = self._work.read(keys)
        draft = Draft(scope, book_of(required(found, scope, member_id)), self._work.now())
        if not draft.complete:
            return self._work.commit(draft.writes())
        decided: dict[int, Result] = {}
        for place, posting in batch.items():
            home = partition(scope.program, posting.records_of or member_id)
            if (earlier := found.get((own, entry_sk(posting.key)))) is not None and len(postings) > 1:
                decided[place] = replay(entry_of(earlier), posting.request_hash)
            elif posting.key in draft.posted:
                decided[place] = replay(draft.posted[posting.key], posting.request_hash)
            elif not draft.touched.isdisjoint([*((home, sk) for sk in posting.records), *posting.shared]):
                break  # it is decided on what this transaction is about to change: it goes with the next one
            else:
                try:
                    decided[place] = _decided(draft, place, posting, found)
                except Full:
                    break
                except Exception:  # noqa: BLE001 - it is raised, or told, if it is still so for certain
                    if decided:
                        break  # it is the first of the next round
                    return self._for_certain(draft, place, posting, results)
        # Where the first of them depends on what fell due just now, that is written by itself.
        refused = self._work.commit(draft.writes()) if draft.posted or not decided else None
        if refused is None:
            results |= decided
        return refused

    def _for_certain(self, before: Draft, place: int, posting: Posting, results: dict[int, Result]) -> Refused | None:
        """Decides once more on a posting that was refused: this time on what is of one moment.

        One read of several items may show a part of what another transaction writes, and a request that is repeated at
        once would be refused for its own effect. So a refusal counts if nothing is being written, and if nothing was
        posted under this identity before: not to whoever was merged into this member either.
        """
        scope, family = before.scope, (before.book.member_id, *before.book.absorbed)
        identities = [(partition(scope.program, one), entry_sk(posting.key)) for one in family]
        found = self._read_for_certain(scope, family[0], posting, identities)
        if found is None:
            return Refused(moved=True)
        draft = Draft(scope, book_of(required(found, scope, family[0])), self._work.now())
        if draft.book.absorbed != before.book.absorbed:
            return Refused(moved=True)
        if not self._work.still(scope, posting.seen):
            results[place] = Undecided("What this depends on changed meanwhile.", again=posting.afresh)
            return None
        earlier = next((found[identity] for identity in identities if identity in found), None)
        result: Result = replay(entry_of(earlier), posting.request_hash) if earlier else None
        if earlier is None and draft.complete:
            try:
                result = _decided(draft, place, posting, found)
            except Full:
                draft.complete = False
            except LoyaltyError as refusal:
                result = refusal
        refused = self._work.commit(draft.writes()) if draft.posted or not draft.complete else None
        if refused is None and draft.complete:
            results[place] = result
        return refused

    def _read_for_certain(
        self, scope: Scope, member_id: str, posting: Posting, identities: Sequence[Key]
    ) -> dict[Key, RawItem] | None:
        """What decides on a posting, and the entries that may be there already; None while something is being written."""
        home = partition(scope.program, posting.records_of or member_id)
        records = [*((home, sk) for sk in posting.records), *posting.shared]
        keys = [(partition(scope.program, member_id), BOOK_SK), *records, *identities]
        try:
            return self._work.together(list(dict.fromkeys(keys)))
        except TransactionRefused:
            return None


def following(member_id: str, act: Callable[[str], T]) -> T:
    """What ``act`` does for the member, or for whom the member was merged into.

    Raises:
        LoyaltyError: whatever ``act`` raises for the last of them.
    """
    while True:
        try:
            return act(member_id)
        except MemberMerged as merged:
            member_id = merged.into


def _readable(scope: Scope, member_id: str, postings: Mapping[int, Posting]) -> tuple[dict[int, Posting], list[Key]]:
    """As many postings as one read takes, and the keys of what they need. Of one alone, the write finds its entry."""
    own = partition(scope.program, member_id)
    keys: dict[Key, None] = {(own, BOOK_SK): None}
    batch: dict[int, Posting] = {}
    for place, posting in postings.items():
        home = partition(scope.program, posting.records_of or member_id)
        wanted = {**keys, **{(home, sk): None for sk in posting.records}, **dict.fromkeys(posting.shared)}
        if len(postings) > 1:
            wanted[own, entry_sk(posting.key)] = None
        if len(wanted) > MOST_READS:
            break
        keys, batch[place] = wanted, posting
    return batch, list(keys)


def _decided(draft: Draft, place: int, posting: Posting, found: Mapping[Key, RawItem]) -> Result:
    """Adds the posting to the draft; what it is to be decided on besides, where it asks for more."""
    home = partition(draft.scope.program, posting.records_of or draft.book.member_id)
    records = {sk: found[home, sk] for sk in posting.records if (home, sk) in found}
    shared = {key: found[key] for key in posting.shared if key in found}
    try:
        require_open(draft, posting.key.kind)
        decision = posting.decide(Situation(draft.book, records, draft.now, shared))
        return None if decision is None else Posted(draft.add(place, posting, decision), replayed=False)
    except Undecided as more:
        return more
