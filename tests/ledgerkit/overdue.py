"""Members for whom something falls due, straight over the ledger, and a sweeper that notices."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from loyalty.core.table import RawItem, Table
from loyalty.ledger import movements
from loyalty.ledger.draft import Decision, Posting, Situation
from loyalty.ledger.items import new_book_put
from loyalty.ledger.keys import due_shard, partition
from loyalty.ledger.model import POINTS, Account, Book, Entry, EntryKey, EntryKind, Facts, Hold, Movement
from loyalty.ledger.service import Ledger
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.sweeping.service import SHARDS, Sweep, Sweeper
from loyalty_contract import DUE_AT, DUE_INDEX_KEY
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import program

START = at("2026-03-15T12:00:00Z")
PROGRAM = program()
NO_TIME_LIMIT = timedelta(days=10_000)


class Overdue:
    """One table, one program that is published in it, and whoever is enrolled.

    Sweeps take one member at a time, since moto cannot answer two; on real engines ``workers`` says how many.
    """

    def __init__(
        self, table: Table, *, of: Program = PROGRAM, clock: SettableClock | None = None, workers: int = 1
    ) -> None:
        self.table = table
        self.workers = workers
        self.program = of
        self.clock = clock or SettableClock(START)
        self.ledger = Ledger(table, self.clock)
        self.store = LedgerStore(table)
        ProgramStore(table, self.clock).publish(of.document, expected_version=0, actor="test")

    def enroll(self, *members: str) -> "Overdue":
        for member in members:
            self.table.write([new_book_put(self.program.document.id, member, "bronze", self.clock())])
        return self

    def earn(self, name: str, points: int, lot: str, *, member: str, pending_until: str | None = None) -> None:
        matures_on = date.fromisoformat(pending_until) if pending_until else None

        def decide(situation: Situation) -> Decision:
            change = movements.accrue(situation.wallet, points, lot=lot, matures_on=matures_on)
            return Decision(Movement({POINTS: change}), Facts(self.clock(), 1, activity="purchase"))

        self._post(member, EntryKey(EntryKind.ACCRUAL, "pos", name), decide)

    def hold(self, name: str, points: int, until: datetime, *, member: str) -> None:
        def decide(situation: Situation) -> Decision:
            change = movements.spend(situation.wallet, points, Account.HELD)
            hold = Hold(POINTS, {lot: -taken for lot, taken in change.lots.items()}, until)
            movement = Movement({POINTS: change}, holds={name: hold})
            return Decision(movement, Facts(self.clock(), 1, redemption_id=name, hold_expires_at=until))

        self._post(member, EntryKey(EntryKind.HOLD, "redemption", name), decide)

    def _post(self, member: str, key: EntryKey, decide: Any) -> None:
        self.ledger.post(self.program.scope, member, Posting(key, key.entry_id, decide))

    def poison(self, member: str, program_id: str | None = None, due_at: str = "2026-01-01T00:00:00.000Z") -> None:
        """A book that nothing can read, longest due of its shard."""
        key = {"pk": {"S": partition(program_id or self.program.document.id, member)}, "sk": {"S": "WALLET"}}
        due = {DUE_INDEX_KEY: {"S": due_shard(member)}, DUE_AT: {"S": due_at}}
        self.table.client.put_item(TableName=self.table.name, Item={**key, **due, "wallets": {"S": "?"}})

    def sweeper(self, **more: Any) -> Sweeper:
        return Sweeper(self.table, self.clock, **{"workers": self.workers, **more})

    def sweep(self, shards: Iterable[int] = SHARDS, *, most: int | None = None, **more: Any) -> Sweep:
        return self.sweeper(**more).run(shards, deadline=self.clock() + NO_TIME_LIMIT, most=most)

    def book(self, member: str) -> Book:
        """As it was last written."""
        book = self.store.book(self.program.document.id, member)
        assert book is not None
        return book

    def as_of(self, member: str, moment: datetime) -> Book:
        """As it is at ``moment``, unless something is posted until then."""
        return as_of(self.book(member), self.program.scope, moment)

    def entries(self, member: str) -> list[Entry]:
        """The whole statement, oldest first."""
        return list(reversed(self.store.entries(self.program.document.id, member, limit=1000).entries))

    def kinds(self, member: str) -> list[EntryKind]:
        return [entry.key.kind for entry in self.entries(member)]

    def due(self) -> list[str]:
        """Whoever is due now, as the index says."""
        pages = [self.store.due(shard, self.clock(), limit=1000).books for shard in SHARDS]
        return [book.pk.rpartition("#")[2] for page in pages for book in page]

    def dump(self) -> dict[tuple[str, str], RawItem]:
        return {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in self.table.scan()}


def spread(number: int) -> list[str]:
    """So many members in each shard of the due index."""
    found: dict[str, list[str]] = {}
    candidates = (f"mbr_{n}" for n in range(100_000))
    for member in candidates:
        shard = found.setdefault(due_shard(member), [])
        if len(shard) < number:
            shard.append(member)
        if len(found) == len(SHARDS) and all(len(members) == number for members in found.values()):
            break
    return [member for members in found.values() for member in members]


def together(number: int) -> list[str]:
    """So many members in one shard."""
    return [member for member in (f"mbr_{n}" for n in range(100_000)) if due_shard(member) == due_shard("mbr_0")][
        :number
    ]
