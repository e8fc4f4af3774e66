"""Members whom others brought, over the real ledger: with a payer that moves no points, and screening that says what a test says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from loyalty.attribution.claiming import new_referral
from loyalty.attribution.model import Referral, ReferralStatus, Rewarded, Screened, Verdict
from loyalty.attribution.store import ReferralStore, claim_puts, referral_put
from loyalty.core.errors import MemberErased, RecordChanged
from loyalty.core.table import Operation, Table, TransactionRefused
from loyalty.merging.service import MergeService
from loyalty.programs.model import Program
from loyalty.programs.store import ProgramStore
from loyalty.referrals.due import DueReferrals
from loyalty.referrals.lifecycle import Lifecycle, Screens, Woken
from loyalty.referrals.screening import Screener
from loyalty.sweeping.walk import Sweep
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import World

ADA, FRIEND = "mbr_ada", "mbr_friend"
REFERRALS: dict[str, Any] = {
    "landing_url": "https://shop.example/join",
    "qualifying": {
        "minimum": [{"value": "20.00", "currency": "EUR"}],
        "within_days": 30,
        "return_days": 14,
    },
    "reminder_days": [7, 1],
}
RULES = [
    *BASE["earn_rules"],
    {"id": "brings", "activity": "referral", "fixed_points": 500},
    {"id": "brought", "activity": "referred", "fixed_points": 250},
]


def with_referrals(version: int = 1, **changes: Any) -> Program:
    """A program in which a purchase of 20.00 EUR within 30 days counts, and 14 days later is rewarded."""
    qualifying = REFERRALS["qualifying"] | changes.pop("qualifying", {})
    return program(version, earn_rules=RULES, referrals=REFERRALS | changes | {"qualifying": qualifying})


class PlainPayer:
    """Says that both were rewarded, in one transaction with what it was told to require. It moves no points."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.paid = self.taken_back = 0
        self.reason = ""
        """Why it was taken back last."""
        self.before_writing: Callable[[], None] = lambda: None
        """What others do between the decision and the payment."""

    def pay(self, _program: Program, referral: Referral, *, guards: Sequence[Operation] = ()) -> Referral:
        world, now = self._world, self._world.clock()
        self.before_writing()
        after = replace(referral, status=ReferralStatus.UNREWARDED, ended_at=now, due_at=None, updated_at=now)
        try:
            both = [world.store.current("acme", one) for one in (referral.referrer, referral.member_id)]
        except MemberErased:
            return self._write(referral, replace(after, ended_because="member_erased"))
        referrer, friend = (book.member_id for book in both if book is not None)
        if referrer == friend:
            return self._write(referral, replace(after, ended_because="same_member"))
        rewarded = Rewarded(referrer, friend, self.paid + 1, 500, 250, now)
        after = replace(after, status=ReferralStatus.REWARDED, rewarded=rewarded, ended_at=None)
        stored = self._write(referral, after, *guards)
        self.paid += 1
        return stored

    def reverse(self, _program: Program, referral: Referral, reason: str) -> Referral:
        assert referral.rewarded is not None
        self.reason = reason
        now = self._world.clock()
        stored = self._write(referral, replace(referral, status=ReferralStatus.REVERSED, ended_at=now, updated_at=now))
        self.taken_back += 1
        return stored

    def _write(self, before: Referral, after: Referral, *guards: Operation) -> Referral:
        try:
            self._world.table.write([referral_put(before, after), *guards])
        except TransactionRefused as refusal:
            raise RecordChanged("somebody was first") from refusal
        stored = ReferralStore(self._world.table).get(before.program, before.member_id)
        assert stored is not None
        return stored


class ToldScreener:
    """Says of everybody what a test says; ``asked`` is how often it was asked."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.verdict = Verdict.ACCEPT
        self.asked = self.counted = 0

    def count(self, _program: Program, referral: Referral) -> Referral:
        self.counted += 1
        return ReferralStore(self._world.table).replace(referral, replace(referral, counted=True))

    def screen(self, program: Program, _referral: Referral) -> Screened:
        self.asked += 1
        score = {Verdict.ACCEPT: 0, Verdict.REVIEW: 50, Verdict.REJECT: 90}[self.verdict]
        return Screened(self.verdict, score, (), {}, program.version, self._world.clock())


class EndlessCodes:
    """Codes may bring whom they like; ``told`` is how often one did."""

    def __init__(self) -> None:
        self.told = 0

    def counted(self, _program: Program, _referral: Referral, /) -> None:
        self.told += 1


class Brought:
    """Ada, a friend whom she brought a moment ago, and the lifecycle over them."""

    def __init__(
        self,
        table: Table,
        *,
        of: Program | None = None,
        clock: SettableClock | None = None,
        likenesses: Mapping[str, str] | None = None,
    ) -> None:
        """``likenesses`` are the friend's, who is screened in earnest with them."""
        self.world = World(table, of=of or with_referrals(), clock=clock)
        self.table = table
        self.clock = self.world.clock
        self.programs = ProgramStore(table, self.clock, seconds=lambda: self.clock().timestamp())
        self.programs.publish(self.world.program.document, expected_version=0, actor="test")
        self.world.enroll(ADA, FRIEND)
        self.store = ReferralStore(table)
        self.payer, self.screener = PlainPayer(self.world), ToldScreener(self.world)
        self.codes = EndlessCodes()
        screener: Screens = self.screener if likenesses is None else Screener(table, self.clock, sleep=lambda _: None)
        self.lifecycle = Lifecycle(
            table, self.programs, self.payer, screener, self.clock, codes=self.codes, sleep=lambda _: None
        )
        self.claimed_at = self.clock()
        self.table.write(list(claim_puts(replace(self.claim(), likenesses=likenesses or {})).values()))

    def claim(self) -> Referral:
        program = self.programs.current("acme")
        return new_referral(program, referrer=ADA, code="K7WQ4M2X", member_id=FRIEND, now=self.clock())

    @property
    def referral(self) -> Referral:
        found = self.store.get("acme", FRIEND)
        assert found is not None
        return found

    def buys(self, receipt: str, amount: str = "25.00", *, at: datetime | None = None, member: str = FRIEND) -> None:
        self.world.accrue(receipt, amount, member=member, occurred_at=at or self.clock())

    def returns(self, receipt: str, amount: str | None = None, *, name: str = "", member: str = FRIEND) -> None:
        """Gives back so much of a purchase, or all of it."""
        more: dict[str, Any] = {} if amount else {"everything": True}
        self.world.refund(f"back-{receipt}{name}", receipt, amount, member=member, **more)

    def merge(self, gone: str, into: str) -> None:
        """Everything of ``gone`` moves to ``into``."""
        world = self.world
        MergeService(world.ledger, world.reversals).merge(world.program, into, absorbed=gone, actor="staff-1")

    def wake(self) -> Woken:
        woken = self.lifecycle.woken("acme", FRIEND)
        assert woken is not None
        return woken

    def run(self) -> tuple[Sweep, list[Woken]]:
        """What the clock does every five minutes."""
        told: list[Woken] = []
        due = DueReferrals(self.table, self.lifecycle, self.clock, told=told.append, workers=1)
        return due.run(deadline=self.clock() + timedelta(hours=1)), told

    def decide(self, after: Referral) -> None:
        """Writes what a person decided."""
        self.store.replace(self.referral, after)

    def later(self, **by: float) -> None:
        self.clock.advance(**by)
