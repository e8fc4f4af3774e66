"""A state machine that drives the services over a real table, against the plain model."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from loyalty.accruals.awaited import Kept
from loyalty.accruals.errors import AccrualFullyReversed, AmountExceedsAccrual, LineQuantityExceeded
from loyalty.accruals.model import BoughtLine, Refund
from loyalty.core.clock import local_date
from loyalty.core.errors import (
    EntryExistsWithDifferentRequest,
    EntryNotFound,
    IdempotencyKeyReused,
    InsufficientPoints,
    ReversalRefused,
)
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.keys import partition
from loyalty.ledger.model import Account, EntryKind
from loyalty.ledger.verify import audit_member
from loyalty.programs.earning import lot_for
from loyalty.programs.model import Program
from loyalty.rewards.errors import RedemptionAlreadyCaptured, RedemptionAlreadyReleased, RedemptionTimedOut
from loyalty.rewards.model import RedemptionStatus
from tests.ledgerkit.clock import SettableClock, at
from tests.ledgerkit.model import PlainWallet, TooFew
from tests.ledgerkit.programs import BASE, program
from tests.ledgerkit.world import World, total

# Two months in Jakarta: lots expire within a few waits, and never at midnight UTC.
ROLLING = {"policy": "rolling", "months": 2}
INACTIVITY = {"policy": "inactivity", "months": 2}


def a_program(reversal: str, expiry: dict[str, Any], days: int) -> Program:
    rules = [one | {"return_days": days} for one in BASE["earn_rules"] if one["activity"] == "purchase"]
    return program(reversal=reversal, expiry=expiry, earn_rules=rules, time_zone="Asia/Jakarta")


PROGRAMS = {
    "rolling, below zero": a_program("allow_negative", ROLLING, 0),
    "rolling, pending, debt": a_program("clamp_with_debt", ROLLING, 9),
    "inactivity, refused": a_program("refuse", INACTIVITY, 0),
    "inactivity, pending, below zero": a_program("allow_negative", INACTIVITY, 20),
}
MULTIPLIER_PERCENT = {"bronze": 100, "silver": 125, "gold": 150}
THRESHOLDS = {"gold": 2000, "silver": 500}
PIECES = 4
"""Every purchase is so many pieces of one line, and shipping that earns nothing."""
_members = count()


class Services(RuleBasedStateMachine):
    """Each step is sent at least once; many are sent again, or again with another content."""

    table: Table
    program: Program

    accruals = Bundle("accruals")
    refunds = Bundle("refunds")
    holds = Bundle("holds")
    ended = Bundle("ended")

    def __init__(self) -> None:
        super().__init__()
        self.member = f"mbr_{next(_members)}"
        clock = SettableClock(at("2025-11-20T10:00:00Z"))
        self.world = World(self.table, of=self.program, clock=clock).enroll(self.member)
        document = self.program.document
        self.plain = PlainWallet(
            self.local, document.reversal, document.expiry.grace_days, document.expiry.renewed_by_activity
        )
        self.tier = "bronze"
        self.names = count()
        self.waiting: dict[str, Refund] = {}

    @property
    def local(self) -> datetime:
        return self.world.clock().replace(tzinfo=None) + timedelta(hours=7)

    @property
    def year(self) -> str:
        return str(self.local.year)

    @rule(target=accruals, piece=st.integers(1, 10_000), shipping=st.integers(0, 900))
    def accrue(self, piece: int, shipping: int) -> tuple[str, int, int]:
        return self._accrue(f"A{next(self.names)}", piece, shipping)

    def _accrue(self, name: str, piece: int, shipping: int) -> tuple[str, int, int]:
        posted = self._send(name, piece, shipping)
        goods = piece * PIECES
        points = goods * MULTIPLIER_PERCENT[self.tier] // 10_000
        assert not posted.replayed
        assert posted.entry.points == points or self.program.document.earn_rules[0].return_days
        expiry, days = self.program.document.expiry, self.program.document.earn_rules[0].return_days
        today = local_date(self.world.clock(), self.program.document.zone)
        day = today + timedelta(days=days)
        self.plain.accrue(
            name, points, goods=goods, paid=goods + shipping, lot=lot_for(expiry, day),
            day=day.isoformat() if days else None, renew_to=lot_for(expiry, today),
        )  # fmt: skip
        return name, piece, shipping

    def _send(self, name: str, piece: int, shipping: int) -> Any:
        goods = piece * PIECES
        return self.world.accrue(
            name, _text(goods), member=self.member, refund_basis=_money(goods + shipping),
            lines=(BoughtLine(_money(goods), PIECES, "piece"),),
        )  # fmt: skip

    @rule(accrual=accruals)
    def deliver_again(self, accrual: tuple[str, int, int]) -> None:
        posted = self._send(*accrual)
        assert posted.replayed
        issued = -posted.entry.movement.change().postings.get(Account.ISSUED, 0)
        assert issued == self.plain.bought[accrual[0]].points

    @rule(accrual=accruals)
    def deliver_with_another_amount(self, accrual: tuple[str, int, int]) -> None:
        with pytest.raises(EntryExistsWithDifferentRequest):
            self._send(accrual[0], accrual[1] + 1, accrual[2])

    @rule(target=refunds, accrual=accruals, percent=st.integers(1, 100))
    def refund_money(self, accrual: tuple[str, int, int], percent: int) -> Refund:
        purchase = self.plain.bought[accrual[0]]
        cents = purchase.paid * percent // 100
        fits = purchase.given_back + cents * purchase.goods <= purchase.paid * purchase.goods
        refund = self._refund(accrual[0], amount=_money(cents))
        if purchase.over or not fits:
            return self._refused(refund, AccrualFullyReversed if purchase.over else AmountExceedsAccrual)
        return self._reverse(refund, money=cents)

    @rule(target=refunds, accrual=accruals, pieces=st.integers(1, PIECES))
    def refund_pieces(self, accrual: tuple[str, int, int], pieces: int) -> Refund:
        name, piece, _ = accrual
        purchase = self.plain.bought[name]
        fits = purchase.given_back + pieces * piece * purchase.paid <= purchase.paid * purchase.goods
        refund = self._refund(name, lines={"piece": pieces})
        if purchase.over:
            return self._refused(refund, AccrualFullyReversed)
        if purchase.goods_back + pieces * piece > purchase.goods:
            return self._refused(refund, LineQuantityExceeded)
        if not fits:
            return self._refused(refund, AmountExceedsAccrual)
        return self._reverse(refund, goods=pieces * piece)

    @rule(target=refunds, accrual=accruals)
    def refund_everything(self, accrual: tuple[str, int, int]) -> Refund:
        refund = self._refund(accrual[0], everything=True)
        if self.plain.bought[accrual[0]].over:
            return self._refused(refund, AccrualFullyReversed)
        return self._reverse(refund, everything=True)

    @rule(target=accruals, piece=st.integers(1, 10_000), pieces=st.lists(st.integers(1, PIECES), max_size=3))
    def reverse_first_then_accrue(self, piece: int, pieces: list[int]) -> tuple[str, int, int]:
        """What comes early is posted with the accrual as if it came right after it; what does not fit is refused."""
        name = f"A{next(self.names)}"
        early = [self._refund(name, lines={"piece": quantity}) for quantity in pieces]
        for refund in early:
            for replayed in (False, True):
                kept = self.world.reversals.reverse(self.program, self.member, refund)
                assert isinstance(kept, Kept)
                assert kept.replayed == replayed
            with pytest.raises(EntryNotFound):
                self.world.accruals.reverse(self.program, self.member, refund)
        accrual = self._accrue(name, piece, 0)
        purchase = self.plain.bought[name]
        for refund in sorted(early, key=lambda one: one.source_id):
            quantity = refund.lines["piece"]
            if purchase.goods_back + quantity * piece > purchase.goods:
                self.waiting[refund.source_id] = refund
                continue
            try:
                self.plain.refund(name, goods=quantity * piece)
            except TooFew:
                self.waiting[refund.source_id] = refund
        return accrual

    def _refund(self, of: str, **form: Any) -> Refund:
        return Refund("pos", f"F{next(self.names):06}", of, self.world.clock(), **form)

    def _reverse(self, refund: Refund, **given: Any) -> Refund:
        try:
            points = self.plain.refund(refund.accrual_source_id, **given)
        except TooFew:
            return self._refused(refund, ReversalRefused)
        posted = self.world.accruals.reverse(self.program, self.member, refund)
        assert not posted.replayed
        assert posted.entry.movement.change().postings.get(Account.ISSUED, 0) == points
        return refund

    def _refused(self, refund: Refund, name: type[Exception]) -> Refund:
        entries = len(self.world.entries(self.member))
        self.world.settle(self.member)
        before = self.world.book(self.member)
        with pytest.raises(name):
            self.world.accruals.reverse(self.program, self.member, refund)
        assert self.world.book(self.member) == before
        assert len(self.world.entries(self.member)) >= entries
        return Refund("pos", "never", refund.accrual_source_id, refund.occurred_at, everything=True)

    @rule(refund=refunds)
    def refund_again(self, refund: Refund) -> None:
        if refund.source_id != "never":
            assert self.world.accruals.reverse(self.program, self.member, refund).replayed
            with pytest.raises(EntryExistsWithDifferentRequest):
                self.world.accruals.reverse(
                    self.program, self.member,
                    Refund("pos", refund.source_id, refund.accrual_source_id, refund.occurred_at, _money(7)),
                )  # fmt: skip

    @rule(target=holds, quantity=st.integers(1, 10), reward=st.sampled_from([("ten", 10), ("coffee", 50)]))
    def hold(self, quantity: int, reward: tuple[str, int]) -> tuple[str, str, int] | Any:
        name = f"H{next(self.names)}"
        minutes = self.program.document.limits.hold_minutes
        lot = lot_for(self.program.document.expiry, local_date(self.world.clock(), self.program.document.zone))
        try:
            self.plain.hold(
                name, reward[1] * quantity, until=self.local + timedelta(minutes=minutes), renew_to=lot
            )  # fmt: skip
        except TooFew:
            with pytest.raises(InsufficientPoints):
                self.world.hold(name, reward[0], quantity, member=self.member)
            return f"never-{name}", reward[0], quantity
        redemption, replayed = self.world.hold(name, reward[0], quantity, member=self.member)
        assert not replayed
        assert dict(redemption.lots) == Counter(self.plain.held[name].points)
        return name, reward[0], quantity

    @rule(hold=holds)
    def hold_again(self, hold: tuple[str, str, int]) -> None:
        if hold[0] in self.plain.held:
            redemption, replayed = self.world.hold(*hold, member=self.member)
            assert replayed
            assert redemption.status is RedemptionStatus.HELD
            with pytest.raises(IdempotencyKeyReused):
                self.world.hold(hold[0], hold[1], hold[2] + 1, member=self.member)

    @rule(
        target=ended,
        hold=consumes(holds),
        how=st.sampled_from([RedemptionStatus.CAPTURED, RedemptionStatus.RELEASED]),
        part=st.integers(1, 100),
    )
    def end(self, hold: tuple[str, str, int], how: RedemptionStatus, part: int) -> tuple[str, RedemptionStatus] | Any:
        if hold[0] in self.plain.timed_out:
            redemption_id = self.world.hold(*hold, member=self.member)[0].redemption_id
            with pytest.raises(RedemptionTimedOut):
                self.world.capture(redemption_id, member=self.member)
            return "", RedemptionStatus.HELD
        if hold[0] not in self.plain.held:
            return "", RedemptionStatus.HELD
        redemption_id = self.world.hold(*hold, member=self.member)[0].redemption_id
        if how is RedemptionStatus.CAPTURED:
            points = max(1, len(self.plain.held[hold[0]].points) * part // 100)
            captured = self.world.capture(redemption_id, member=self.member, points=points)
            assert (captured.status, captured.captured_points) == (how, points)
            self.plain.capture(hold[0], points)
        else:
            assert self.world.release(redemption_id, member=self.member).status is how
            self.plain.release(hold[0])
        return redemption_id, how

    @rule(end=ended)
    def end_again(self, end: tuple[str, RedemptionStatus]) -> None:
        redemption_id, how = end
        if how is RedemptionStatus.CAPTURED:
            with pytest.raises(RedemptionAlreadyCaptured):
                self.world.release(redemption_id, member=self.member)
        elif how is RedemptionStatus.RELEASED:
            assert self.world.release(redemption_id, member=self.member).status is how
            with pytest.raises(RedemptionAlreadyReleased):
                self.world.capture(redemption_id, member=self.member)

    @rule(accrual=accruals)
    def recalculate_tier(self, accrual: tuple[str, int, int]) -> None:
        qualifying = self.plain.qualifying[self.year]
        reached = next((tier for tier, threshold in THRESHOLDS.items() if qualifying >= threshold), "bronze")
        rises = MULTIPLIER_PERCENT[reached] > MULTIPLIER_PERCENT[self.tier]
        posted = self.world.recalculate(accrual[0], member=self.member)
        assert (posted is not None) == rises
        if rises:
            self.tier = reached

    @rule(hours=st.integers(1, 24 * 45), swept=st.booleans())
    def wait(self, hours: int, swept: bool) -> None:
        self.world.clock.advance(hours=hours)
        self.plain.wait(self.local)
        if swept:
            self.world.settle(self.member)

    @invariant()
    def agrees_with_the_plain_model(self) -> None:
        book = self.world.now(self.member)
        wallet, plain = book.wallet(), self.plain
        assert dict(wallet.lots) == Counter(plain.points)
        assert dict(wallet.maturing) == Counter(f"{day}/{lot}" for day, lot in plain.pending)
        assert (wallet.debt, wallet.available, wallet.pending) == (plain.debt, plain.available, len(plain.pending))
        assert wallet.held == sum(len(hold.points) for hold in plain.held.values())
        assert {y: n for y, n in book.qualifying.items() if n} == {y: n for y, n in plain.qualifying.items() if n}
        assert book.tier == self.tier

    def teardown(self) -> None:
        self.world.settle(self.member)
        pk = partition("acme", self.member)
        scopes = {self.program.version: self.program.scope}
        assert audit_member(pk, list(self.table.query_all(pk)), lambda _: scopes) == []
        entries = self.world.entries(self.member)
        assert sum(total(entries, account) for account in Account) == 0
        assert total(entries, Account.EXPIRED) == sum(self.plain.expired.values()) - sum(self.plain.lapsed.values())
        assert total(entries, Account.REDEEMED) == self.plain.redeemed
        page = self.world.reversals.page("acme", self.member, limit=100)
        assert {one.refund.source_id for one in page.items} == set(self.waiting)
        timed_out = [entry for entry in entries if entry.key.kind is EntryKind.TIMEOUT]
        assert len(timed_out) == len(self.plain.timed_out)


def _text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _money(cents: int) -> Money:
    return Money.of(_text(cents), "EUR")


@pytest.mark.parametrize("rules", PROGRAMS)
def test_the_services_agree_with_the_plain_model_whatever_comes_in_whatever_order(table: Table, rules: str) -> None:
    machine = type("BoundServices", (Services,), {"table": table, "program": PROGRAMS[rules]})
    run_state_machine_as_test(
        machine, settings=settings(derandomize=True, max_examples=12, stateful_step_count=30, deadline=None)
    )
