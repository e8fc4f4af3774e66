"""Bob, whom Ada brought and who has bought: the real lifecycle, payer and ledger, and people who decide on it."""

from dataclasses import replace
from typing import Any

from loyalty.abuse.model import Person
from loyalty.attribution.model import Referral, Screened
from loyalty.attribution.store import ReferralStore
from loyalty.core.table import Table
from loyalty.programs.model import Program
from loyalty.programs.referrals import Screening
from loyalty.programs.store import ProgramStore
from loyalty.referrals.lifecycle import Lifecycle, Woken
from loyalty.referrals.reviewing import ReviewService
from loyalty.referrals.scoring import screened
from tests.ledgerkit.brought import REFERRALS, Brought, rewarding
from tests.ledgerkit.clock import SettableClock
from tests.ledgerkit.moves import ADA, BOB
from tests.ledgerkit.waking import EndlessCodes

ANN, BEN, CARA = (
    Person("person:ann", "client:desk"),
    Person("person:ben", "client:office"),
    Person("person:cara", "client:app"),
)
REVIEW, REJECT = {"same_device": 1}, {"same_device": 1, "same_network": 1, "same_payment": 1, "ring": 3}
"""Features with a score of 60, of which a person decides, and of 100 (139), which is rejected."""


class Featured:
    """Scores the features that a test names."""

    def __init__(self, table: Table, clock: SettableClock) -> None:
        self._store = ReferralStore(table)
        self._clock = clock
        self.features: dict[str, int] = REVIEW

    def count(self, _program: Program, referral: Referral) -> Referral:
        return self._store.replace(referral, replace(referral, counted=True))

    def screen(self, program: Program, _referral: Referral) -> Screened:
        rules = program.document.referrals
        screening = Screening() if rules is None else rules.screening
        return screened(self.features, screening, version=program.version, at=self._clock())


class Reviewed:
    """Members may be brought, buy, and be decided on; rewards are given at once."""

    def __init__(self, table: Table, *, clock: SettableClock | None = None, **changes: Any) -> None:
        referrals = REFERRALS | {"qualifying": {"return_days": 0}}
        self.brought = Brought(table, of=rewarding(referrals=referrals, **changes), clock=clock)
        self.brought.moves.enroll()
        self.world = self.brought.world
        self.clock = self.world.clock
        self.programs = ProgramStore(table, self.clock, seconds=lambda: self.clock().timestamp())
        self.programs.publish(self.world.program.document, expected_version=0, actor="test")
        self.screener = Featured(table, self.clock)
        self.lifecycle = Lifecycle(
            table,
            self.programs,
            self.brought.payer,
            self.screener,
            self.clock,
            codes=EndlessCodes(),
            sleep=lambda _: None,
        )
        self.reviews = ReviewService(table, self.clock, sleep=lambda _: None)

    @property
    def program(self) -> Program:
        return self.programs.current("acme")

    def come(self, friend: str = BOB, referrer: str = ADA, *, features: dict[str, int] | None = None) -> Referral:
        """Somebody is brought, buys, and is screened: with a score of 60 unless a test says otherwise."""
        self.screener.features = REVIEW if features is None else features
        self.brought.claim(friend, referrer)
        self.clock.advance(hours=1)
        self.world.accrue(f"B-{friend}", "30", member=friend, occurred_at=self.clock())
        return self.wake(friend).after

    def wake(self, friend: str = BOB) -> Woken:
        self.clock.advance(seconds=1)
        woken = self.lifecycle.woken("acme", friend)
        assert woken is not None
        return woken

    def stored(self, friend: str = BOB) -> Referral:
        return self.brought.stored(friend)

    def queue(self) -> list[str]:
        return [one.member_id for one in self.reviews.page("acme", limit=100).items]

    def balances(self) -> tuple[int, int]:
        """What the ledger gave for it, to Ada and to Bob: accruals less reversals."""
        given = self.brought.given(ADA, BOB)
        ada, bob = (sum(points for member, _, points in given if member == one) for one in (ADA, BOB))
        return ada, bob

    def lines(self) -> list[tuple[str, str | None]]:
        """What the audit trail has about referrals: action and actor, in order."""
        rows = [raw for (pk, _), raw in self.world.dump().items() if pk.startswith("A#acme#")]
        lines = sorted((raw["at"]["S"], raw["action"]["S"], raw["actor"]["S"]) for raw in rows)
        return [(action, actor) for _, action, actor in lines if action.startswith("referral.")]
