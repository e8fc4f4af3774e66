"""A state machine that drives the services over a real table, against the plain model."""

from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from loyalty.core.clock import local_date
from loyalty.core.errors import (
    AmountExceedsAccrual,
    EntryExistsWithDifferentRequest,
    IdempotencyKeyReused,
    InsufficientPoints,
    RedemptionAlreadyCaptured,
    RedemptionAlreadyReleased,
)
from loyalty.core.table import Table
from loyalty.ledger.model import Account
from loyalty.ledger.store import partition
from loyalty.ledger.verify import audit_member
from loyalty.programs.earning import lot_for
from loyalty.rewards.model import RedemptionStatus
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.model import PlainWallet, TooFew
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import World, total

# Two months in Jakarta: lots expire within a few waits, and never at midnight UTC.
PROGRAM = program(expiry={"policy": "rolling", "months": 2}, time_zone="Asia/Jakarta")
MULTIPLIER_PERCENT = {"bronze": 100, "silver": 125, "gold": 150}
THRESHOLDS = {"gold": 2000, "silver": 500}
_members = count()


class Services(RuleBasedStateMachine):
    """Each step is sent at least once; many are sent again, or again with another content."""

    table: Table

    accruals = Bundle("accruals")
    refunds = Bundle("refunds")
    holds = Bundle("holds")
    ended = Bundle("ended")

    def __init__(self) -> None:
        super().__init__()
        self.member = f"mbr_{next(_members)}"
        self.world = World(self.table, of=PROGRAM, clock=SettableClock(at("2025-11-20T10:00:00Z"))).enroll(self.member)
        self.plain = PlainWallet()
        self.tier = "bronze"
        self.names = count()

    @property
    def today(self) -> str:
        return local_date(self.world.clock(), PROGRAM.document.zone).isoformat()

    @rule(target=accruals, cents=st.integers(0, 40_000))
    def accrue(self, cents: int) -> tuple[str, str]:
        name, amount = f"A{next(self.names)}", f"{cents // 100}.{cents % 100:02}"
        posted = self.world.accrue(name, amount, member=self.member)
        points = cents * MULTIPLIER_PERCENT[self.tier] // 10_000
        assert not posted.replayed
        assert posted.entry.points == points
        lot = lot_for(PROGRAM.document.expiry, local_date(self.world.clock(), PROGRAM.document.zone))
        self.plain.accrue(name, points, cents=cents, lot=lot, today=self.today)
        return name, amount

    @rule(accrual=accruals)
    def deliver_again(self, accrual: tuple[str, str]) -> None:
        name, amount = accrual
        posted = self.world.accrue(name, amount, member=self.member)
        assert posted.replayed
        assert posted.entry.points == self.plain.earned[name].points

    @rule(accrual=accruals)
    def deliver_with_another_amount(self, accrual: tuple[str, str]) -> None:
        with pytest.raises(EntryExistsWithDifferentRequest):
            self.world.accrue(accrual[0], "400.01", member=self.member)

    @rule(target=refunds, accrual=accruals, percent=st.integers(1, 100))
    def refund(self, accrual: tuple[str, str], percent: int) -> tuple[str, str, str] | None:
        of = accrual[0]
        earned = self.plain.earned[of]
        cents = earned.cents * percent // 100
        if earned.cents_back + cents > earned.cents:
            with pytest.raises(AmountExceedsAccrual):
                self.world.refund("too-much", of, f"{cents / 100:.2f}", member=self.member)
            cents = earned.cents - earned.cents_back
        name, amount = f"F{next(self.names)}", f"{cents // 100}.{cents % 100:02}"
        posted = self.world.refund(name, of, amount, member=self.member)
        assert -posted.entry.points == self.plain.refund(of, cents, today=self.today)
        return name, of, amount

    @rule(refund=refunds)
    def refund_again(self, refund: tuple[str, str, str]) -> None:
        assert self.world.refund(*refund, member=self.member).replayed

    @rule(target=holds, quantity=st.integers(1, 10), reward=st.sampled_from([("ten", 10), ("coffee", 50)]))
    def hold(self, quantity: int, reward: tuple[str, int]) -> tuple[str, str, int] | Any:
        name = f"H{next(self.names)}"
        try:
            self.plain.hold(name, reward[1] * quantity, today=self.today)
        except TooFew:
            with pytest.raises(InsufficientPoints):
                self.world.hold(name, reward[0], quantity, member=self.member)
            name = f"never-{name}"
            return name, reward[0], quantity
        redemption, replayed = self.world.hold(name, reward[0], quantity, member=self.member)
        assert not replayed
        assert dict(redemption.lots) == Counter(self.plain.held[name])
        return name, reward[0], quantity

    @rule(hold=holds)
    def hold_again(self, hold: tuple[str, str, int]) -> None:
        if hold[0] in self.plain.held:
            redemption, replayed = self.world.hold(*hold, member=self.member)
            assert replayed
            assert redemption.status is RedemptionStatus.HELD
            with pytest.raises(IdempotencyKeyReused):
                self.world.hold(hold[0], hold[1], hold[2] + 1, member=self.member)

    @rule(target=ended, hold=consumes(holds), how=st.sampled_from(RedemptionStatus))
    def end(self, hold: tuple[str, str, int], how: RedemptionStatus) -> tuple[str, RedemptionStatus] | Any:
        if hold[0] not in self.plain.held or how is RedemptionStatus.HELD:
            return "", RedemptionStatus.HELD
        redemption_id = self.world.hold(*hold, member=self.member)[0].redemption_id
        if how is RedemptionStatus.CAPTURED:
            assert self.world.capture(redemption_id, member=self.member).status is how
            self.plain.capture(hold[0], today=self.today)
        else:
            assert self.world.release(redemption_id, member=self.member).status is how
            self.plain.release(hold[0], today=self.today)
        return redemption_id, how

    @rule(end=ended)
    def end_again(self, end: tuple[str, RedemptionStatus]) -> None:
        redemption_id, how = end
        if how is RedemptionStatus.CAPTURED:
            assert self.world.capture(redemption_id, member=self.member).status is how
            with pytest.raises(RedemptionAlreadyCaptured):
                self.world.release(redemption_id, member=self.member)
        elif how is RedemptionStatus.RELEASED:
            assert self.world.release(redemption_id, member=self.member).status is how
            with pytest.raises(RedemptionAlreadyReleased):
                self.world.capture(redemption_id, member=self.member)

    @rule(accrual=accruals)
    def recalculate_tier(self, accrual: tuple[str, str]) -> None:
        qualifying = self.plain.qualifying[self.today[:4]]
        reached = next((tier for tier, threshold in THRESHOLDS.items() if qualifying >= threshold), "bronze")
        rises = MULTIPLIER_PERCENT[reached] > MULTIPLIER_PERCENT[self.tier]
        posted = self.world.recalculate(accrual[0], member=self.member)
        assert (posted is not None) == rises
        if rises:
            self.tier = reached
            self.plain._expire(self.today)

    @rule(hours=st.integers(1, 24 * 45))
    def wait(self, hours: int) -> None:
        self.world.clock.advance(hours=hours)

    @invariant()
    def agrees_with_the_plain_model(self) -> None:
        wallet = self.world.wallet(self.member)
        assert dict(wallet.lots) == Counter(self.plain.points)
        assert (wallet.debt, wallet.available) == (self.plain.debt, self.plain.available)
        assert wallet.held == sum(map(len, self.plain.held.values()))
        assert {y: n for y, n in wallet.qualifying.items() if n} == {
            y: n for y, n in self.plain.qualifying.items() if n
        }
        assert wallet.tier == self.tier
        today = local_date(self.world.clock(), PROGRAM.document.zone)
        assert wallet.spendable(today) == self.plain.spendable(self.today)

    def teardown(self) -> None:
        pk = partition("acme", self.member)
        assert audit_member(pk, list(self.table.query_all(pk))) == []
        entries = self.world.entries(self.member)
        assert sum(total(entries, account) for account in Account) == 0
        assert total(entries, Account.EXPIRED) == self.plain.expired
        assert total(entries, Account.REDEEMED) == self.plain.redeemed


def test_the_services_agree_with_the_plain_model_whatever_comes_in_whatever_order(table: Table) -> None:
    machine = type("BoundServices", (Services,), {"table": table})
    run_state_machine_as_test(
        machine, settings=settings(derandomize=True, max_examples=25, stateful_step_count=30, deadline=None)
    )
