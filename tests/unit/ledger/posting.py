"""Postings without a program: decisions that a test writes out, over books in a table."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pynamodb.attributes import UnicodeAttribute

from loyalty.core.errors import LoyaltyError
from loyalty.core.table import Item, Operation, Put, RawItem, Table
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posted, Posting, Result, Situation
from loyalty.ledger.items import new_book_put
from loyalty.ledger.keys import partition
from loyalty.ledger.model import POINTS, Account, Book, Entry, EntryKey, EntryKind, Facts, Movement, Scope, Terms
from loyalty.ledger.pairs import Side
from loyalty.ledger.service import Ledger
from loyalty.ledger.store import LedgerStore
from loyalty.ledger.verify import audit_table
from tests.ledgerkit.clock import SettableClock, at

SCOPE = Scope("acme", 1, ZoneInfo("UTC"), {POINTS: Terms(30, ())})
START = at("2026-01-10T12:00:00Z")
ADA, BOB, CLEO = "mbr_a", "mbr_b", "mbr_c"
LOT = "2026-12-31"


class NoteItem(Item):
    """A record of nobody's: something that a decision reads and writes."""

    text = UnicodeAttribute()


def note(sk: str, text: str, member: str = ADA, *, before: str | None = None) -> Put:
    """Writes a note, if what stood there is what is said."""
    condition = NoteItem.pk.does_not_exist() if before is None else NoteItem.text == before
    return Put(NoteItem(partition("acme", member), sk, text=text), condition)


def key(name: str, kind: EntryKind = EntryKind.ACCRUAL, source: str = "pos") -> EntryKey:
    return EntryKey(kind, source, name)


def earning(
    name: str,
    points: int = 5,
    *,
    lot: str = LOT,
    request: str = "-",
    operations: Sequence[Operation] = (),
    then: Callable[[Entry], Sequence[Posting]] | None = None,
    records: Sequence[str] = (),
    seen: list[Situation] | None = None,
) -> Posting:
    """An accrual of these points."""

    def decide(situation: Situation) -> Decision:
        if seen is not None:
            seen.append(situation)
        change = movements.accrue(situation.wallet, points, lot=lot)
        return Decision(Movement({POINTS: change}), Facts(situation.now, 1), operations, then)

    return Posting(key(name), request, decide, records)


def spending(name: str, points: int, *, request: str = "-") -> Posting:
    """An adjustment that takes these points, if there are as many."""

    def decide(situation: Situation) -> Decision:
        change = movements.spend(situation.wallet, points, Account.ADJUSTED)
        return Decision(Movement({POINTS: change}), Facts(situation.now, 1))

    return Posting(key(name, EntryKind.ADJUSTMENT, "adjustment"), request, decide)


def refusing(name: str, error: LoyaltyError) -> Posting:
    def decide(_: Situation) -> Decision:
        raise error

    return Posting(key(name), "-", decide)


def nothing(name: str) -> Posting:
    return Posting(key(name), "-", lambda _: None)


class Books:
    """A ledger over ``table``, and what is in it."""

    def __init__(self, table: Table, scope: Scope = SCOPE) -> None:
        self.table, self.scope = table, scope
        self.clock = SettableClock(START)
        self.slept: list[float] = []
        self.ledger = Ledger(table, self.clock, sleep=self.slept.append)
        self.store = LedgerStore(table)

    def open(self, *members: str) -> "Books":
        for member in members or (ADA, BOB):
            self.table.write([new_book_put("acme", member, "bronze", self.clock())])
        return self

    def post(self, posting: Posting, member: str = ADA) -> Posted | None:
        return self.ledger.post(self.scope, member, posting)

    def post_all(self, *postings: Posting, member: str = ADA) -> list[Result]:
        return self.ledger.post_all(self.scope, member, postings)

    def earn(self, name: str, points: int, lot: str = LOT, member: str = ADA) -> Posted:
        posted = self.post(earning(name, points, lot=lot), member)
        assert posted is not None
        return posted

    def give(
        self, points: int, *, name: str = "trf_1", giver: str = ADA, to: str = BOB, request: str = "-", **more: Any
    ) -> tuple[Posted, Posted]:
        """Points from one book to another. ``more``: operations of either side, by ``given`` and ``received``."""

        def decide(one: Situation, other: Situation) -> tuple[Decision, Decision]:
            out = movements.spend(one.wallet, points, Account.TRANSFERRED)
            lots = {lot: -part for lot, part in out.lots.items()}
            into = movements.credit(other.wallet, Account.TRANSFERRED, lots)
            return (
                Decision(Movement({POINTS: out}), Facts(one.now, 1, other_member=to), more.get("given", ())),
                Decision(Movement({POINTS: into}), Facts(other.now, 1, other_member=giver), more.get("received", ())),
            )

        sides = (
            Side(giver, key(name, EntryKind.TRANSFER_OUT, "transfer")),
            Side(to, key(name, EntryKind.TRANSFER_IN, "transfer")),
        )
        return self.ledger.post_pair(self.scope, sides, request, decide)

    def merge(self, absorbed: str = BOB, into: str = ADA) -> tuple[Posted, Posted]:
        def decide(survivor: Situation, gone: Situation) -> tuple[Decision, Decision]:
            gains = movements.merge(survivor.wallet, gone.wallet)
            losses = movements.empty(gone.wallet)
            taken = (absorbed, *gone.book.absorbed)
            return (
                Decision(Movement({POINTS: gains}, absorbed=taken), Facts(survivor.now, 1, other_member=absorbed)),
                Decision(Movement({POINTS: losses}, merged_into=into), Facts(gone.now, 1, other_member=into)),
            )

        sides = (
            Side(into, key(absorbed, EntryKind.MERGE_IN, "merge")),
            Side(absorbed, key(into, EntryKind.MERGE_OUT, "merge")),
        )
        return self.ledger.post_pair(self.scope, sides, f"{absorbed} into {into}", decide)

    def book(self, member: str = ADA) -> Book:
        book = self.store.book("acme", member)
        assert book is not None
        return book

    def entries(self, member: str = ADA) -> list[Entry]:
        return self.store.entries("acme", member, limit=1000).entries[::-1]

    def ids(self, member: str = ADA) -> list[str]:
        return [entry.entry_id for entry in self.entries(member)]

    def raw(self, sk: str = "WALLET", member: str = ADA) -> RawItem:
        found = self.table.read(partition("acme", member), sk)
        assert found is not None
        return found

    def dump(self) -> Mapping[tuple[str, str], RawItem]:
        return {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in self.table.scan()}

    def proved(self, *allowed: str) -> None:
        """Nothing is found, but for what these tests do without: adjustments without a record, points that count."""
        findings = audit_table(self.table, scopes_of=lambda _: {1: self.scope}, sleep=lambda _: None).findings
        assert {finding.code for finding in findings} <= {"adjustment_without_record", "qualifying_wrong", *allowed}

    def at(self, moment: str) -> datetime:
        self.clock.set(moment)
        return self.clock()
