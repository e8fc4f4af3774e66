"""Adjustments, transfers, households and merges over a world; members have a profile and lookups that lead to them."""

from collections.abc import Iterable
from typing import Any

from loyalty.adjustments.model import Adjustment, AdjustmentStatus, Asked
from loyalty.adjustments.service import AdjustmentService
from loyalty.adjustments.store import AdjustmentStore, new_put
from loyalty.core.keys import WrappedKey
from loyalty.core.pii import Ciphertext
from loyalty.core.table import Table
from loyalty.households.model import Household
from loyalty.households.pooling import Pooled, PoolingService
from loyalty.households.service import Found, HouseholdService
from loyalty.households.store import HouseholdStore
from loyalty.ledger.draft import Decision, Posted, Posting, Situation
from loyalty.ledger.model import POINTS, Account, EntryKey, EntryKind, Facts, Movement, Wallet
from loyalty.ledger.movements import credit
from loyalty.members.items import StoredMember
from loyalty.members.keys import MemberKey
from loyalty.members.store import MemberStore
from loyalty.merging.service import MergeService
from loyalty.programs.model import Program
from loyalty.segments.model import Assignment, MemberSegments
from loyalty.segments.service import SegmentService
from loyalty.segments.store import SegmentStore
from loyalty.transfers.model import Transfer
from loyalty.transfers.service import TransferService
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World

ADA, BOB, CLEO, DAN = ("mbr_" + letter * 26 for letter in "abcd")


def generous(version: int = 1, **changes: Any) -> Program:
    """A program that offers everything, with limits that a test can reach."""
    offers: dict[str, Any] = {
        "transfers": {"minimum_points": 5, "maximum_points": 300, "daily_points": 500, "wallets": ["points", "stars"]},
        "households": {"members": 3, "daily_points": 200},
        "wallets": [
            {"id": "stars", "name": "Stars", "expiry": {"policy": "never"}},
            {"id": "cash", "name": "Cash", "currency": "EUR", "expiry": {"policy": "never"}},
        ],
        "limits": {"adjustment_points": 1_000, "backdating_days": 36_500},
    }
    return program(version, **{**offers, **changes})


class Moves:
    """Services over the table of a world, and shorthands for them."""

    def __init__(self, table: Table, *, of: Program | None = None, clock: SettableClock | None = None) -> None:
        self.world = World(table, of=of or generous(), clock=clock)
        self.members = MemberStore(table)
        self.store = AdjustmentStore(table)
        ledger, now = self.world.ledger, self.world.clock
        self.adjustments = AdjustmentService(ledger, self.store, now)
        self.transfers = TransferService(ledger, now)
        self.households = HouseholdService(HouseholdStore(table), now)
        self.pools = PoolingService(ledger, HouseholdStore(table), now)
        self.merging = MergeService(ledger, self.world.reversals)
        self.segments = SegmentService(SegmentStore(table), now)

    @property
    def program(self) -> Program:
        return self.world.program

    def enroll(self, *members: str) -> "Moves":
        """Members as enrollment makes them, but that nobody can open their profile."""
        for member_id in members or (ADA, BOB, CLEO):
            letter = member_id[-1].upper()
            in_the_way = self.members.create(
                StoredMember(
                    program=self.program.document.id,
                    member_id=member_id,
                    version=1,
                    referral_code=letter * 8,
                    entry_tier=self.program.document.tiers[0].id,
                    referred_by=None,
                    created_at=self.world.clock(),
                    updated_at=self.world.clock(),
                    request_hash="-",
                    lookups={"email": f"email-{letter}", "external:shop": f"shop-{letter}"},
                    sealed=Ciphertext(b"nonce", b"text"),
                ),
                MemberKey(WrappedKey(b"key", "arn:aws:kms:::key/test"), self.world.clock()),
            )
            assert not in_the_way, "letters that look alike make one code"
        return self

    def grant(self, member_id: str, lots: dict[str, int], *, key: str = "grant", wallet: str = POINTS) -> Posted:
        """Points with the last days that a test wants, as adjustments of those days would have given them."""

        def decide(situation: Situation) -> Decision:
            change = credit(situation.book.wallet(wallet), Account.ADJUSTED, lots)
            granted = Adjustment(
                program=situation.book.program,
                member_id=member_id,
                adjustment_id=f"{key}-{member_id}",
                status=AdjustmentStatus.POSTED,
                points=sum(lots.values()),
                reason="migration",
                actor="staff-0",
                wallet=wallet,
                client_id="app",
                request_hash="-",
                created_at=situation.now,
                posted_to=member_id,
            )
            facts = Facts(situation.now, self.program.version, reason="migration", actor="staff-0")
            return Decision(Movement({wallet: change}), facts, [new_put(granted)])

        posting = Posting(EntryKey(EntryKind.ADJUSTMENT, "adjustment", f"{key}-{member_id}"), "-", decide)
        posted = self.world.ledger.post(self.program.scope, member_id, posting)
        assert posted is not None
        return posted

    def adjust(
        self,
        points: int,
        *,
        key: str = "k",
        member: str = ADA,
        reason: str | None = "goodwill",
        actor: str = "staff-1",
        wallet: str = POINTS,
    ) -> tuple[Adjustment, bool]:
        asked = Asked(points, reason, actor, wallet)
        return self.adjustments.ask(self.program, member, asked, client_id="app", idempotency_key=key)

    def approve(
        self, adjustment_id: str, *, actor: str = "staff-2", client_id: str = "office", member: str = ADA
    ) -> Adjustment:
        return self.adjustments.approve(self.program, member, adjustment_id, actor=actor, client_id=client_id)

    def reject(
        self, adjustment_id: str, *, actor: str = "staff-2", client_id: str = "office", member: str = ADA
    ) -> Adjustment:
        program = self.program.document.id
        return self.adjustments.reject(program, member, adjustment_id, actor=actor, client_id=client_id)

    def assign(self, *segments: Assignment, member: str = ADA) -> MemberSegments:
        return self.segments.assign(self.program, member, segments)

    def give(
        self, points: int, *, key: str = "k", giver: str = ADA, to: str = BOB, wallet: str = POINTS
    ) -> tuple[Transfer, bool]:
        return self.transfers.give(
            self.program, giver, to_member_id=to, points=points, wallet=wallet, client_id="app", idempotency_key=key
        )

    def found(self, head: str = ADA, *members: str, key: str = "h") -> Household:
        """A household of these members."""
        found, _ = self.households.create(self.program, head, client_id="app", idempotency_key=key)
        for member_id in members:
            self.join(found.household.household_id, member_id)
        return found.household

    def join(self, household_id: str, member: str) -> Found:
        return self.households.join(self.program, household_id, member)

    def leave(self, household_id: str, member: str) -> Found:
        return self.households.leave(self.program, household_id, member)

    def contribute(self, household_id: str, points: int, *, member: str = ADA, key: str = "k") -> tuple[Transfer, bool]:
        return self.pools.contribute(self.program, Pooled(household_id, member, points, "app", key))

    def withdraw(self, household_id: str, points: int, *, member: str = ADA, key: str = "k") -> tuple[Transfer, bool]:
        return self.pools.withdraw(self.program, Pooled(household_id, member, points, "app", key))

    def merge(self, absorbed: str = BOB, *, into: str = ADA, actor: str = "staff-1") -> tuple[Posted, Posted]:
        return self.merging.merge(self.program, into, absorbed=absorbed, actor=actor)

    def wallet(self, member_id: str = ADA, wallet: str = POINTS) -> Wallet:
        """One wallet as it is now."""
        return self.world.now(member_id).wallet(wallet)

    def lots(self, members: Iterable[str], wallet: str = POINTS) -> dict[str, int]:
        """What all of them have together, by last day."""
        together: dict[str, int] = {}
        for member_id in members:
            for lot, points in self.wallet(member_id, wallet).lots.items():
                together[lot] = together.get(lot, 0) + points
        return together

    def owners(self) -> dict[str, str]:
        """Whom each lookup leads to."""
        return {pk: raw["member_id"]["S"] for (pk, sk), raw in self.world.dump().items() if sk == "LOOKUP"}
