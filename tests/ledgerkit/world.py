"""One table and the services over it, as a function's composition root makes them, with a clock that tests set."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from loyalty.accruals.awaited import AwaitedReversals
from loyalty.accruals.model import Activity, Refund
from loyalty.accruals.service import AccrualService
from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table
from loyalty.ledger.draft import Posted
from loyalty.ledger.items import new_book_put
from loyalty.ledger.model import POINTS, Account, Book, Entry, Scope, Wallet
from loyalty.ledger.service import Ledger
from loyalty.ledger.settlement import as_of
from loyalty.ledger.store import LedgerStore
from loyalty.ledger.verify import Finding, audit_table
from loyalty.programs.model import Program
from loyalty.rewards.model import Party, Redemption
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore
from loyalty.tiers.service import TierService
from loyalty_contract import AUDIT_LINE_PREFIX, AUDIT_PREFIX
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.programs import program

NOON = at("2026-03-15T12:00:00Z")
MEMBER = "mbr_1"


class World:
    """Services over ``table``; shorthands fill in what a test does not care about."""

    def __init__(self, table: Table, *, of: Program | None = None, clock: SettableClock | None = None) -> None:
        self.table = table
        self.program = of or program()
        self.clock = clock or SettableClock(NOON)
        self.occurred_at = self.clock()
        self.ledger = Ledger(table, self.clock)
        self.store = LedgerStore(table)
        self.accruals = AccrualService(self.ledger, self.clock)
        self.reversals = AwaitedReversals(table, self.accruals, self.clock)
        self.redemptions = RedemptionService(self.ledger, RedemptionStore(table), self.clock)
        self.tiers = TierService(self.ledger)

    def enroll(self, *members: str) -> "World":
        first = self.program.document.tiers[0].id
        for member in members or (MEMBER,):
            self.table.write([new_book_put(self.program.document.id, member, first, self.clock())])
        return self

    def accrue(
        self,
        source_id: str,
        amount: str | None = "100",
        *,
        currency: str = "EUR",
        member: str = MEMBER,
        activity: str = "purchase",
        occurred_at: datetime | None = None,
        **more: Any,
    ) -> Posted:
        """An accrual of one point per EUR; its request is the same whenever it is sent."""
        money = None if amount is None else Money.of(amount, currency)
        return self.accruals.accrue(
            self.program,
            member,
            Activity(activity, "pos", source_id, occurred_at or self.occurred_at, amount=money, **more),
        )

    def refund(
        self,
        source_id: str,
        of: str,
        amount: str | None = None,
        *,
        currency: str = "EUR",
        member: str = MEMBER,
        **more: Any,
    ) -> Posted:
        """A reversal of a part of an accrual: by money, or by ``lines`` or ``everything``."""
        money = None if amount is None else Money.of(amount, currency)
        refund = Refund("pos", source_id, of, self.occurred_at, money, **more)
        return self.accruals.reverse(self.program, member, refund)

    def hold(
        self, key: str, reward: str = "coffee", quantity: int = 1, *, member: str = MEMBER, **more: Any
    ) -> tuple[Redemption, bool]:
        return self.redemptions.hold(
            self.program, member, reward_id=reward, quantity=quantity, client_id="app", idempotency_key=key, **more
        )

    def capture(
        self, redemption_id: str, *, member: str = MEMBER, by: Party = Party.PARTNER, **more: Any
    ) -> Redemption:
        return self.redemptions.capture(self.program, member, redemption_id, by=by, **more)

    def release(self, redemption_id: str, *, member: str = MEMBER, by: Party = Party.PARTNER) -> Redemption:
        return self.redemptions.release(self.program, member, redemption_id, by=by)

    def cancel(self, redemption_id: str, *, member: str = MEMBER, by: Party = Party.PARTNER) -> Redemption:
        return self.redemptions.cancel(self.program, member, redemption_id, by=by)

    def recalculate(self, accrual: str, *, member: str = MEMBER, posted_at: datetime | None = None) -> Posted | None:
        """The tier in the wake of an accrual, which was posted just now where nothing else is said."""
        cause = f"accrual:pos:{accrual}"
        return self.tiers.recalculate(self.program, member, cause=cause, posted_at=posted_at or self.clock())

    def settle(self, member: str = MEMBER) -> int:
        """Writes down what fell due, as the sweeper does; the entries written."""
        return self.ledger.settle(self.program.scope, member)

    def book(self, member: str = MEMBER) -> Book:
        """The book as it was last written."""
        book = self.store.book(self.program.document.id, member)
        assert book is not None
        return book

    def now(self, member: str = MEMBER) -> Book:
        """The book as it is now, whatever has been written down."""
        return as_of(self.book(member), self.program.scope, self.clock())

    def wallet(self, member: str = MEMBER, wallet: str = POINTS) -> Wallet:
        """One wallet as it was last written."""
        return self.book(member).wallet(wallet)

    def entries(self, member: str = MEMBER) -> list[Entry]:
        """The whole statement, oldest first."""
        page = self.store.entries(self.program.document.id, member, limit=1000)
        return list(reversed(page.entries))

    def audit(self) -> list[Finding]:
        """What the audit finds in the table, days and warnings proved by this world's program."""
        return self.audit_by({self.program.version: self.program.scope})

    def audit_by(self, scopes: Mapping[int, Scope]) -> list[Finding]:
        """The same, proved by these versions of the program."""
        return audit_table(self.table, scopes_of=lambda _: scopes, clock=self.clock).findings

    def dump(self) -> dict[tuple[str, str], RawItem]:
        """Every item of the table by its keys: compared before and after, it shows that nothing was written.

        Lines of the audit trail have keys that nobody knows before: they are numbered, by what is in them.
        """
        lines: list[RawItem] = []
        found: dict[tuple[str, str], RawItem] = {}
        for raw in self.table.scan():
            if raw["pk"]["S"].startswith(AUDIT_PREFIX):
                lines.append({name: value for name, value in raw.items() if name != "sk"})
            else:
                found[raw["pk"]["S"], raw["sk"]["S"]] = raw
        for number, line in enumerate(sorted(lines, key=str)):
            sk = f"{AUDIT_LINE_PREFIX}{number}"
            found[line["pk"]["S"], sk] = line | {"sk": {"S": sk}}
        return found

    def proven(self, member: str = MEMBER) -> Wallet:
        """The points, after the audit and this module's own sums found nothing wrong in any wallet."""
        assert self.audit() == []
        book, entries = self.book(member), self.entries(member)
        assert [entry.seq for entry in entries] == list(range(1, book.seq + 1))
        for wallet_id in {POINTS, *book.wallets, *(name for entry in entries for name in entry.movement.changes)}:
            wallet = book.wallet(wallet_id)
            for account, balance in _accounts(wallet).items():
                assert total(entries, account, wallet_id) == balance
        return book.wallet()


def _accounts(wallet: Wallet) -> Mapping[Account, int]:
    return {
        Account.AVAILABLE: wallet.available,
        Account.PENDING: wallet.pending,
        Account.HELD: wallet.held,
        Account.DEBT: -wallet.debt,
    }


def total(entries: Iterable[Entry], account: Account, wallet: str = POINTS) -> int:
    return sum(entry.movement.change(wallet).postings.get(account, 0) for entry in entries)
