"""A member's book on its way through a transaction: what is to be written, and what a refusal of it means."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from loyalty.core.errors import LoyaltyError
from loyalty.core.table import MOST_OPERATIONS, Check, Operation, Put, RawItem, TransactionRefused, Update
from loyalty.ledger import movements
from loyalty.ledger.items import EntryItem, book_put, entry_put
from loyalty.ledger.keys import entry_sk, partition
from loyalty.ledger.model import ERASURE, POINTS, Book, Entry, EntryKey, EntryKind, Facts, Movement, Scope, Wallet
from loyalty.ledger.settlement import Settled, settle
from loyalty.ledger.stock import StockMoves, stock_key

_MOST_SETTLED: Final = 40
"""Entries of what fell due, and shards of stock, that go with a posting; if there are more, they are written first."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision is made on: the book with everything due written down, and the moment (UTC)."""

    book: Book
    records: Mapping[str, RawItem]
    """By sort key; a record that does not exist is not in it."""
    now: datetime
    shared: Mapping[tuple[str, str], RawItem] = field(default_factory=dict)
    """By keys: records that are no member's own."""
    written: Mapping[tuple[str, str], RawItem | None] = field(default_factory=dict)
    """By keys: what the posting before it in the same transaction, to another member, leaves of records; None: nothing."""

    @property
    def wallet(self) -> Wallet:
        """The wallet :data:`POINTS`."""
        return self.book.wallet()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to post, the records of their own that open or move with it, and what follows in the same transaction.

    ``then`` makes more postings of the entry. They are decided on the book after it, read no records, and must be
    new: where one of them was posted before, the whole is a :class:`RecordChanged`.
    """

    movement: Movement
    facts: Facts
    operations: Sequence[Operation] = ()
    then: "Callable[[Entry], Sequence[Posting]] | None" = None
    awaiting: int = 0
    """By how many more reversals wait after it than before."""
    opened_at: datetime | None = None
    """Since when the member is one (UTC), if longer than the book knew."""
    on_hold: bool = False
    """The member is on hold after it, though they were not before: taken over from whom they absorb."""


@dataclass(frozen=True, slots=True)
class Posting:
    """Something to post: its identity, a hash of the request, and the pure function that decides what it does.

    ``records`` are sort keys that are read together with the book, in the partition of ``records_of`` (the member's
    own where it is None).
    """

    key: EntryKey
    request_hash: str
    decide: Callable[[Situation], Decision | None]
    records: Sequence[str] = ()
    records_of: str | None = None
    shared: Sequence[tuple[str, str]] = ()
    """Keys of records that are no member's own, and are read with them."""
    seen: Mapping[tuple[str, str], RawItem | None] = field(default_factory=dict)
    """By member and sort key: what it is decided on besides, read before. A refusal counts only if it is still so."""
    afresh: "Posting | None" = None
    """The posting that reads all of that anew, where there is any."""


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry, and whether this call wrote it (False) or an earlier one did (``replayed``)."""

    entry: Entry
    replayed: bool


Result = Posted | LoyaltyError | None
"""What became of a posting; None where it decided that there is nothing to post."""


@dataclass(frozen=True, slots=True)
class Write:
    """An operation, and the place of the posting that it is for; None: of the book itself."""

    operation: Operation
    place: int | None = None
    identity: bool = False
    """It fails where the posting was posted before, and the item found is its entry."""


class Full(Exception):
    """The posting does not fit into the transaction with what is in it; it goes into one of its own."""


class Draft:
    """Settles what fell due, then takes postings one after the other."""

    def __init__(self, scope: Scope, book: Book, now: datetime) -> None:
        """``book`` as it was read at ``now``; no entry is dated before an earlier one, whatever the clocks say."""
        self.scope = scope
        self.book = book
        self.now = max(now, book.settled_to or now)
        self.complete = True
        """Everything due is settled; if not, what is settled has to be written by itself."""
        self.posted: dict[EntryKey, Entry] = {}
        """What was added by :meth:`add`, so without what fell due."""
        self._read = book
        self._writes: list[Write] = []
        self.stock = StockMoves(book.program)
        """What its entries take of finite stock, and give back."""
        self._settle()

    @property
    def settled(self) -> int:
        """Entries of what fell due."""
        return self.book.seq - self._read.seq - len(self.posted)

    @property
    def touched(self) -> set[tuple[str, str]]:
        """Keys of the items that it writes or checks, but for the book."""
        shards = {stock_key(self.book.program, shard) for shard in self.stock.shards}
        return {write.operation.key for write in self._writes} | shards

    def add(self, place: int, posting: Posting, decision: Decision) -> Entry:
        """Appends the posting, with what follows it.

        Raises:
            Full: with it there would be too many operations, or two on one item; the draft is as it was.
            LoyaltyError: what follows is refused; the draft is as it was.
        """
        before = (self.book, dict(self.posted), list(self._writes), self.stock.copy())
        try:
            entry = self._append(place, posting, decision)
            for following in decision.then(entry) if decision.then else ():
                more = following.decide(Situation(self.book, {}, self.now))
                if more is not None:
                    self._append(place, following, more, identity=False)
            self._forfeit_rest(place, entry)
            self._require_fit(alone=not before[1] and not self.settled)
        except Exception:
            self.book, self.posted, self._writes, self.stock = before
            raise
        return entry

    def leave_out(self, keys: Collection[tuple[str, str]]) -> None:
        """Leaves these items to somebody else in the same transaction."""
        self._writes = [write for write in self._writes if write.operation.key not in keys]

    def writes(self) -> list[Write]:
        """The book, its entries and their records, and the stock that they move."""
        return writes_of([self])

    def own_writes(self) -> list[Write]:
        """The book, its entries and their records: what nobody else writes."""
        put = book_put(
            self.book,
            self.scope,
            read_at_seq=self._read.seq,
            read_awaiting=self._read.awaiting,
            read_on_hold=self._read.on_hold,
        )
        return [Write(put), *self._writes]

    def _require_fit(self, *, alone: bool) -> None:
        # Alone with what fell due: that is written by itself first.
        operations = len(self._writes) + len(self.stock.shards)
        if not (alone and not self.settled) and not len(self.touched) == operations < MOST_OPERATIONS:
            raise Full

    def _settle(self) -> None:
        due: list[Settled] = []
        for one in settle(self.book, self.scope, self.now):
            if len(due) + len(self.stock.shards) >= _MOST_SETTLED and one.at != due[-1].at:
                # Dated as if it were that moment: what is settled next must not come before.
                self.complete, self.now = False, due[-1].book.settled_to or self.now
                break
            due.append(one)
            self.stock.add(one.facts.stock)
        for one in due:
            self.book = one.book
            entry = self._entry(one.key, one.movement, one.facts, request_hash="-")
            self._writes.append(Write(entry_put(entry)))
        # These entries are dated now, so whoever comes next, by a slower clock, is not to be dated before.
        self.book = replace(self.book, settled_to=self.now)

    def _append(self, place: int, posting: Posting, decision: Decision, *, identity: bool = True) -> Entry:
        book = movements.apply(self.book, decision.movement, settled_to=self.now)
        if book.awaiting + decision.awaiting < 0:
            raise AssertionError(f"fewer than no reversals would wait for '{book.member_id}'")
        opened = [moment for moment in (book.opened_at, decision.opened_at) if moment is not None]
        self.book = replace(
            book,
            awaiting=book.awaiting + decision.awaiting,
            opened_at=min(opened, default=None),
            on_hold=book.on_hold or decision.on_hold,
        )
        entry = self._entry(posting.key, decision.movement, decision.facts, posting.request_hash)
        self.posted[posting.key] = entry
        self._writes.append(Write(entry_put(entry), place, identity=identity))
        # Whoever was merged into this member may have posted the same before.
        for member_id in self.book.absorbed:
            gone = (partition(self.book.program, member_id), entry_sk(posting.key))
            check = Check(EntryItem, *gone, EntryItem.pk.does_not_exist())
            self._writes.append(Write(check, place, identity=identity))
        self._writes += [Write(operation, place) for operation in decision.operations]
        self.stock.add(decision.facts.stock)
        return entry

    def _forfeit_rest(self, place: int, cause: Entry) -> None:
        """What an entry leaves to a member who was erased, or makes them owe, ends at once: it would be nobody's."""
        movement = movements.forfeit(self.book)
        if self.book.erased_at is not None and movement.changes:
            key = EntryKey(EntryKind.FORFEITURE, ERASURE, cause.entry_id)
            facts = Facts(self.now, self.scope.version, reason=ERASURE)
            self._append(place, Posting(key, "-", lambda _: None), Decision(movement, facts), identity=False)

    def _entry(self, key: EntryKey, movement: Movement, facts: Facts, request_hash: str) -> Entry:
        """The entry that left the book as it is now."""
        return Entry(
            program=self.book.program,
            member_id=self.book.member_id,
            key=key,
            seq=self.book.seq,
            movement=movement,
            after={name: self.book.wallet(name).balances for name in (POINTS, *movement.changes)},
            facts=facts,
            posted_at=self.now,
            request_hash=request_hash,
        )


def writes_of(drafts: Iterable[Draft]) -> list[Write]:
    """What drafts write together: a shard of stock that several of them move is written once."""
    writes: list[Write] = []
    moves: StockMoves | None = None
    for draft in drafts:
        writes += draft.own_writes()
        moves = moves or StockMoves(draft.book.program)
        for stock in (draft.stock.claimed, {shard: -units for shard, units in draft.stock.returned.items()}):
            moves.add(stock)
    return writes + [Write(operation) for operation in (moves.operations() if moves else ())]


@dataclass(slots=True)
class Refused:
    """What the table's refusal of a draft's writes means."""

    moved: bool = False
    """The book, or what members share, is not as it was read any more, or another transaction is at work on an item."""
    existing: dict[int, RawItem] = field(default_factory=dict)
    """By place: what was posted before."""
    records: set[int] = field(default_factory=set)
    """Places of postings whose records are not as they must be."""

    @classmethod
    def of(cls, writes: Sequence[Write], refusal: TransactionRefused) -> "Refused":
        """Reads the refusal of ``writes``."""
        refused = cls(moved=refusal.contended)
        for index, raw in refusal.failed.items():
            write = writes[index]
            if write.place is None or (isinstance(write.operation, Put | Update) and write.operation.shared):
                refused.moved = True
            elif write.identity and raw is not None:
                refused.existing[write.place] = raw
            else:
                refused.records.add(write.place)
        return refused
