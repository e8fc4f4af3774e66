"""One table and the services over it, as a function's composition root makes them, with a clock that tests set."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from loyalty.accruals.service import AccrualService, Activity, Refund
from loyalty.core.money import Money
from loyalty.core.table import RawItem, Table
from loyalty.ledger.model import Account, Entry, Wallet
from loyalty.ledger.service import Ledger, Posted
from loyalty.ledger.store import LedgerStore, new_wallet_put
from loyalty.ledger.verify import Finding, audit_table
from loyalty.programs.model import Program
from loyalty.rewards.model import Party, Redemption
from loyalty.rewards.service import RedemptionService
from loyalty.rewards.store import RedemptionStore
from loyalty.tiers.service import TierService
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
        self.redemptions = RedemptionService(self.ledger, RedemptionStore(table))
        self.tiers = TierService(self.ledger)

    def enroll(self, *members: str) -> "World":
        first = self.program.document.tiers[0].id
        for member in members or (MEMBER,):
            self.table.write([new_wallet_put(self.program.document.id, member, first, self.clock())])
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

    def refund(self, source_id: str, of: str, amount: str, *, currency: str = "EUR", member: str = MEMBER) -> Posted:
        refund = Refund("pos", source_id, of, self.occurred_at, Money.of(amount, currency))
        return self.accruals.reverse(self.program, member, refund)

    def hold(
        self, key: str, reward: str = "coffee", quantity: int = 1, *, member: str = MEMBER
    ) -> tuple[Redemption, bool]:
        return self.redemptions.hold(
            self.program, member, reward_id=reward, quantity=quantity, client_id="app", idempotency_key=key
        )

    def capture(self, redemption_id: str, *, member: str = MEMBER, by: Party = Party.PARTNER) -> Redemption:
        return self.redemptions.capture(self.program, member, redemption_id, by=by)

    def release(self, redemption_id: str, *, member: str = MEMBER, by: Party = Party.PARTNER) -> Redemption:
        return self.redemptions.release(self.program, member, redemption_id, by=by)

    def recalculate(self, accrual: str, *, member: str = MEMBER, posted_at: datetime | None = None) -> Posted | None:
        """The tier in the wake of an accrual, which was posted just now where nothing else is said."""
        cause = f"accrual:pos:{accrual}"
        return self.tiers.recalculate(self.program, member, cause=cause, posted_at=posted_at or self.clock())

    def wallet(self, member: str = MEMBER) -> Wallet:
        wallet = self.store.wallet(self.program.document.id, member)
        assert wallet is not None
        return wallet

    def entries(self, member: str = MEMBER) -> list[Entry]:
        """The whole statement, oldest first."""
        page = self.store.entries(self.program.document.id, member, limit=1000)
        return list(reversed(page.entries))

    def audit(self) -> list[Finding]:
        return audit_table(self.table).findings

    def dump(self) -> dict[tuple[str, str], RawItem]:
        """Every item of the table by its keys: compared before and after, it shows that nothing was written."""
        return {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in self.table.scan()}

    def proven(self, member: str = MEMBER) -> Wallet:
        """The wallet, after the audit and this module's own sums found nothing wrong."""
        assert self.audit() == []
        wallet, entries = self.wallet(member), self.entries(member)
        assert [entry.seq for entry in entries] == list(range(1, wallet.seq + 1))
        assert wallet.available == total(entries, Account.AVAILABLE)
        assert wallet.held == total(entries, Account.HELD)
        return wallet


def total(entries: Iterable[Entry], account: Account) -> int:
    return sum(entry.movement.postings.get(account, 0) for entry in entries)
