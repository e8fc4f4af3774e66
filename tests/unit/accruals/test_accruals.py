"""Points for what members do: what an accrual tells, when it is refused, and that a repeat is a repeat."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.accruals.errors import CurrencyMismatch, LineRepeated, OccurredBeforeEnrollment, OccurredInFuture
from loyalty.accruals.model import CLOCK_SKEW, Activity, BoughtLine
from loyalty.core.errors import EntryExistsWithDifferentRequest, LoyaltyError, MemberNotFound, PointsLimitExceeded
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.model import Line, ReversalPolicy
from loyalty.programs.errors import ActivityNotRewarded, AmountRequired, CurrencyNotInProgram
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World


def test_an_accrual_tells_what_decided_it(table: Table) -> None:
    world = World(table, of=program(version=7)).enroll()
    entry = world.accrue("R-1", "105.00", currency="USD", channel="store").entry
    assert entry.entry_id == "accrual:pos:R-1"
    assert (entry.seq, entry.points, entry.balances.available) == (1, 10, 10)
    assert entry.movement.change().lots == {"2027-03-31": 10}
    facts = entry.facts
    assert (facts.program_version, facts.rules, facts.activity, facts.channel) == (
        7, {"points": "shop"}, "purchase", "store",
    )  # fmt: skip
    assert (facts.amount, facts.policy) == (Money.of("105", "USD"), ReversalPolicy.ALLOW_NEGATIVE)
    assert world.entries() == [entry]


def test_an_accrual_without_an_amount_earns_fixed_points(world: World) -> None:
    assert world.accrue("R-1", None, activity="review").entry.points == 25


def test_an_accrual_of_nothing_is_an_entry_too(world: World) -> None:
    entry = world.accrue("R-1", "9.99", currency="USD").entry
    assert (entry.seq, entry.points, dict(entry.movement.change().postings)) == (1, 0, {})
    assert world.accrue("R-1", "9.99", currency="USD").replayed
    assert world.refund("F-1", "R-1", "9.99", currency="USD").entry.points == 0
    world.proven()
    assert (world.book().seq, world.book().qualifying) == (2, {})


@pytest.mark.parametrize("ahead", [timedelta(0), CLOCK_SKEW])
def test_a_source_s_clock_may_be_a_little_ahead(world: World, ahead: timedelta) -> None:
    assert world.accrue("R-1", occurred_at=NOON + ahead).entry.facts.occurred_at == NOON + ahead


def test_points_are_credited_and_qualify_on_the_day_they_are_posted(table: Table) -> None:
    world = World(table, of=program(time_zone="Asia/Jakarta")).enroll()
    world.clock.set("2025-12-31T17:30:00Z")  # the new year in Jakarta
    world.accrue("R-1", occurred_at=NOON - timedelta(days=300))
    assert world.book().qualifying == {"2026": 100}
    assert world.wallet().lots == {"2027-01-31": 100}


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        (ActivityNotRewarded, {"activity": "dance"}),
        (AmountRequired, {"amount": None}),
        (CurrencyNotInProgram, {"currency": "GBP"}),
        (PointsLimitExceeded, {"amount": "1000000001"}),
        (OccurredInFuture, {"occurred_at": NOON + CLOCK_SKEW + timedelta(seconds=1)}),
        (MemberNotFound, {"member": "mbr_nobody"}),
    ],
)
def test_a_refused_accrual_writes_nothing(world: World, refused: type[LoyaltyError], changes: dict[str, Any]) -> None:
    before = world.dump()
    with pytest.raises(refused):
        world.accrue("R-1", **changes)
    assert world.dump() == before


@pytest.mark.parametrize("days", [0, 30])
def test_what_happened_long_before_the_member_came_earns_nothing(table: Table, days: int) -> None:
    world = World(table, of=program(limits={"backdating_days": days})).enroll()
    world.clock.advance(days=100)
    before = world.dump()
    with pytest.raises(OccurredBeforeEnrollment) as refusal:
        world.accrue("R-1", occurred_at=NOON - timedelta(days=days, seconds=1))
    assert refusal.value.pointer == "/occurred_at"
    assert world.dump() == before
    assert world.accrue("R-1", occurred_at=NOON - timedelta(days=days)).entry.points == 100


def test_a_repeat_is_replayed_though_it_would_be_too_old_today(world: World) -> None:
    long_ago = NOON - timedelta(days=300)
    world.accrue("R-1", occurred_at=long_ago)
    strict = World(world.table, of=program(version=2, limits={"backdating_days": 0}))
    assert strict.accrue("R-1", occurred_at=long_ago).replayed
    with pytest.raises(OccurredBeforeEnrollment):
        strict.accrue("R-2", occurred_at=long_ago)


def test_lines_are_kept_with_what_was_paid_for_each(world: World) -> None:
    lines = (BoughtLine(_eur("50"), 2, "a"), BoughtLine(_eur("20"), 1, "b"), BoughtLine(_eur("0"), 1, "free"))
    facts = world.accrue("R-1", "70", lines=lines).entry.facts
    assert facts.lines == {"a": Line(2, _eur("50")), "b": Line(1, _eur("20")), "free": Line(1, _eur("0"))}
    (entry,) = world.entries()
    assert entry.facts == facts


@pytest.mark.parametrize(
    ("refused", "lines", "pointer"),
    [
        (LineRepeated, [("10", "EUR", "a"), ("10", "EUR", "b"), ("10", "EUR", "a")], "/lines/2/line_id"),
        (CurrencyMismatch, [("10", "EUR", "a"), ("10", "USD", "b")], "/lines/1/amount/currency"),
    ],
)
def test_lines_that_cannot_be_are_refused_and_nothing_is_written(
    world: World, refused: type[LoyaltyError], lines: list[tuple[str, str, str]], pointer: str
) -> None:
    bought = tuple(BoughtLine(Money.of(amount, currency), 1, line_id) for amount, currency, line_id in lines)
    before = world.dump()
    with pytest.raises(refused) as refusal:
        world.accrue("R-1", "30", lines=bought)
    assert refusal.value.pointer == pointer
    assert world.dump() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "100.01"},
        {"currency": "USD"},
        {"activity": "review"},
        {"channel": "web"},
        {"occurred_at": NOON - timedelta(seconds=1)},
        {"refund_basis": Money.of("120", "EUR")},
        {"details": {"lines": [1]}},
        # What today's rules would refuse is a conflict all the same: the identity is taken.
        {"activity": "dance"},
        {"currency": "GBP"},
    ],
)
def test_an_identity_with_another_content_is_a_conflict(world: World, changes: dict[str, Any]) -> None:
    world.accrue("R-1")
    before = world.dump()
    with pytest.raises(EntryExistsWithDifferentRequest) as refusal:
        world.accrue("R-1", **changes)
    assert "accrual:pos:R-1" in refusal.value.detail
    assert world.dump() == before


def test_a_repeat_is_answered_by_the_first_result_whatever_the_rules_became(table: Table) -> None:
    first = World(table).enroll().accrue("R-1", "105.00", currency="USD")
    rates = [{"points": 9, "per": "1", "currency": "EUR"}]
    later = World(table, of=program(version=2, earn_rules=[{"id": "new", "activity": "purchase", "rates": rates}]))
    before = later.dump()
    again = later.accrue("R-1", "105.00", currency="USD")
    assert again.replayed
    assert again.entry == first.entry
    assert later.dump() == before


def test_the_same_source_id_of_another_source_member_or_kind_is_another_entry(world: World) -> None:
    world.enroll("mbr_2")
    world.accrue("R-1")
    world.accruals.accrue(world.program, MEMBER, Activity("review", "web", "R-1", NOON))
    world.accrue("R-1", member="mbr_2")
    world.refund("R-1", "R-1", "1.00")
    assert [entry.entry_id for entry in world.entries()] == ["accrual:pos:R-1", "accrual:web:R-1", "reversal:pos:R-1"]
    assert world.proven("mbr_2").available == 100


def _eur(amount: str) -> Money:
    return Money.of(amount, "EUR")
