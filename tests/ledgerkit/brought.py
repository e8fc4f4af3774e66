"""Referrals over a world: members who were brought, qualified, and what pays for them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from loyalty.accruals.records import ReversedItem, reversed_sk
from loyalty.attribution.claiming import new_referral
from loyalty.attribution.model import Qualified, Referral, ReferralStatus
from loyalty.attribution.store import ReferralStore, claim_puts, referral_put
from loyalty.core.money import Money
from loyalty.core.table import Check, Operation, Table
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Account, Entry, EntryKind
from loyalty.ledger.service import Ledger
from loyalty.privacy.closing import closing, require_no_holds
from loyalty.programs.model import Program
from loyalty.referrals.paying import Payer
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.moves import Moves
from tests.ledgerkit.programs import BASE, program

REFERRALS: dict[str, Any] = {"landing_url": "https://shop.example/join"}
EARNS: list[dict[str, Any]] = [
    {"id": "brings", "activity": "referral", "fixed_points": 100, "tier_multiplied": False},
    {"id": "comes", "activity": "referred", "fixed_points": 40, "tier_multiplied": False},
]


def rewarding(version: int = 1, *, earns: Sequence[dict[str, Any]] = EARNS, **changes: Any) -> Program:
    """A program that gives 100 for bringing somebody, and 40 to who is brought."""
    rules = [*BASE["earn_rules"], *earns]
    return program(version, **{"earn_rules": rules, "referrals": REFERRALS, **changes})


class Brought:
    """Services over a table, and shorthands. Members have a profile, so that they may be merged."""

    def __init__(self, table: Table, *, of: Program | None = None, clock: SettableClock | None = None) -> None:
        self.moves = Moves(table, of=of or rewarding(), clock=clock)
        self.world = self.moves.world
        self.store = ReferralStore(table)
        self.payer = Payer(Ledger(table, self.world.clock, sleep=lambda _: None), self.store, self.world.clock)

    @property
    def program(self) -> Program:
        return self.world.program

    def claim(self, friend: str, referrer: str) -> Referral:
        """``friend``, who is a member, was brought by ``referrer``."""
        now = self.world.clock()
        claimed = new_referral(self.program, referrer=referrer, code="K7WQ4M2X", member_id=friend, now=now)
        self.world.table.write(list(claim_puts(claimed).values()))
        return self.stored(friend)

    def buy(self, friend: str, amount: str = "30") -> None:
        """The purchase that counts: ``accrual:pos:B-{friend}``."""
        self.world.accrue(f"B-{friend}", amount, member=friend)

    def qualify(self, friend: str) -> Referral:
        before, now = self.stored(friend), self.world.clock()
        what = Qualified(f"accrual:pos:B-{friend}", Money.of("30", "EUR"), now, now, now + timedelta(days=14))
        after = replace(before, status=ReferralStatus.QUALIFIED, qualified=what, updated_at=now)
        self.world.table.write([referral_put(before, after)])
        return self.stored(friend)

    def bring(self, friend: str, referrer: str) -> Referral:
        """All of that."""
        self.claim(friend, referrer)
        self.buy(friend)
        return self.qualify(friend)

    def guard(self, friend: str) -> list[Operation]:
        """Nothing of the purchase was given back."""
        program = self.program.document.id
        sk = reversed_sk("pos", f"B-{friend}")
        return [Check(ReversedItem, partition(program, friend), sk, ReversedItem.pk.does_not_exist())]

    def pay(self, friend: str, *, guards: Sequence[Operation] = ()) -> Referral:
        return self.payer.pay(self.program, self.stored(friend), guards=guards)

    def reverse(self, friend: str) -> Referral:
        return self.payer.reverse(self.program, self.stored(friend))

    def stored(self, friend: str) -> Referral:
        found = self.store.get(self.program.document.id, friend)
        assert found is not None
        return found

    def restrict(self, member: str, *, lifted: bool = False) -> None:
        """As a restriction writes it to the book."""
        key = {"pk": {"S": partition(self.program.document.id, member)}, "sk": {"S": "WALLET"}}
        change: dict[str, Any] = {"UpdateExpression": "REMOVE restricted_at"}
        if not lifted:
            at = {":at": {"S": "2026-03-15T12:00:00.000Z"}}
            change = {"UpdateExpression": "SET restricted_at = :at", "ExpressionAttributeValues": at}
        self.world.table.client.update_item(TableName=self.world.table.name, Key=key, **change)

    def erase(self, member: str) -> None:
        """The book is closed, as an erasure closes it."""
        posting = closing(
            self.program, member, actor="a", approved_by="b", records=(),
            require_free=require_no_holds, beside=lambda _situation: [],
        )  # fmt: skip
        assert self.world.ledger.post(self.program.scope, member, posting)

    def rewards(self, *members: str) -> list[Entry]:
        """Entries of referrals, accruals and reversals, in these books."""
        kinds = {EntryKind.ACCRUAL, EntryKind.REVERSAL}
        return [
            entry
            for member in members
            for entry in self.world.entries(member)
            if entry.key.source == "referral" and entry.key.kind in kinds
        ]

    def given(self, *members: str) -> list[tuple[str, str, int]]:
        """Of those entries: whose, which, and how many points were issued."""
        return [
            (entry.member_id, entry.entry_id, -entry.movement.change().postings.get(Account.ISSUED, 0))
            for entry in self.rewards(*members)
        ]
