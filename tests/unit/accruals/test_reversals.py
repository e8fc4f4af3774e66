"""Points taken back by money: by hand-computed numbers, and every refusal by its name."""

from datetime import timedelta
from decimal import Decimal

import pytest

from loyalty.accruals.errors import (
    AccrualFullyReversed,
    AmountExceedsAccrual,
    CurrencyMismatch,
    OccurredBeforeEnrollment,
    OccurredInFuture,
)
from loyalty.accruals.model import CLOCK_SKEW, Refund, ReversalReason
from loyalty.core.errors import EntryExistsWithDifferentRequest, EntryNotFound, LoyaltyError, MemberNotFound
from loyalty.core.money import Money
from loyalty.core.table import Table
from loyalty.ledger.draft import Posted
from loyalty.ledger.model import Account, EntryKind
from tests.ledgerkit.programs import program
from tests.ledgerkit.world import MEMBER, NOON, World


def test_it_names_the_accrual_and_uses_its_rule_and_version(table: Table) -> None:
    World(table, of=program(version=3)).enroll().accrue("R-1", "100")
    rates = [{"points": 9, "per": "1", "currency": "EUR"}]
    later = World(table, of=program(version=4, earn_rules=[{"id": "new", "activity": "purchase", "rates": rates}]))
    entry = later.refund("F-1", "R-1", "50", reason=ReversalReason.CHARGEBACK).entry
    assert entry.key.kind is EntryKind.REVERSAL
    assert (entry.facts.reverses, entry.facts.program_version) == ("accrual:pos:R-1", 3)
    assert (entry.facts.rules, entry.facts.reason) == ({"points": "shop"}, "chargeback")
    assert entry.facts.amount == Money.of("50", "EUR")
    assert entry.points == -50
    assert entry.movement.change().postings == {Account.AVAILABLE: -50, Account.ISSUED: 50}
    assert later.entries()[-1] == entry


@pytest.mark.parametrize(
    ("parts", "taken"),
    [
        # 90 points for 30 KWD: three a dinar, never more than the share, and what rounding left with the last.
        (["10", "10", "10"], [30, 30, 30]),
        (["9.999", "9.999", "9.999", "0.003"], [29, 30, 30, 1]),
        (["0.1", "0.1", "0.1", "0.1", "29.6"], [0, 0, 0, 1, 89]),
        (["29.999", "0.001"], [89, 1]),
    ],
)
def test_parts_take_their_share_and_the_last_settles_what_rounding_left(
    world: World, parts: list[str], taken: list[int]
) -> None:
    world.accrue("R-1", "30.00", currency="KWD")
    for number, (part, points) in enumerate(zip(parts, taken, strict=True)):
        assert world.refund(f"F-{number}", "R-1", part, currency="KWD").entry.points == -points
    assert sum(Decimal(part) for part in parts) == 30
    assert world.proven().available == 0
    assert world.book().qualifying == {"2026": 0}


def test_the_order_of_parts_does_not_matter(table: Table) -> None:
    for order in (["9.99", "20.01", "3.33"], ["3.33", "9.99", "20.01"], ["20.01", "3.33", "9.99"]):
        world = World(table).enroll(member := f"mbr_{order[0]}")
        world.accrue("R-1", "100", member=member)
        for part in order:
            world.refund(f"F-{part}", "R-1", part, member=member)
        assert world.proven(member).available == 100 - 33


def test_everything_takes_what_parts_left(world: World) -> None:
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "33.33")
    entry = world.refund("F-2", "R-1", everything=True).entry
    assert (entry.points, entry.facts.amount) == (-67, None)
    assert world.proven().available == 0


def test_everything_of_what_was_earned_without_an_amount(world: World) -> None:
    world.accrue("R-1", None, activity="review")
    assert world.refund("F-1", "R-1", everything=True).entry.points == -25
    assert world.proven().available == 0


def test_refunds_are_parts_of_what_was_paid_in_all(world: World) -> None:
    world.accrue("R-1", "100", refund_basis=Money.of("125", "EUR"))
    assert world.refund("F-1", "R-1", "62.50").entry.points == -50
    assert world.refund("F-2", "R-1", "62.50").entry.points == -50
    assert world.proven().available == 0


def test_a_free_purchase_may_be_given_back(world: World) -> None:
    world.accrue("R-1", "0")
    assert world.refund("F-1", "R-1", "0").entry.points == 0
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-2", "R-1", "0")
    world.proven()


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        (EntryNotFound, {"of": "R-0"}),
        (CurrencyMismatch, {"currency": "USD"}),
        (AmountExceedsAccrual, {"amount": "100.01"}),
        (CurrencyMismatch, {"of": "no-amount"}),
        (AccrualFullyReversed, {"of": "gone"}),
        (MemberNotFound, {"member": "mbr_nobody"}),
    ],
)
def test_a_refused_refund_writes_nothing(world: World, refused: type[LoyaltyError], changes: dict[str, str]) -> None:
    world.accrue("R-1", "100")
    world.accrue("no-amount", None, activity="review")
    world.accrue("gone", "10")
    world.refund("F-0", "gone", everything=True)
    before = world.dump()
    with pytest.raises(refused):
        world.refund("F-1", **({"of": "R-1", "amount": "1"} | changes))
    assert world.dump() == before


def test_refunds_together_over_the_whole_are_refused(world: World) -> None:
    world.accrue("R-1", "100")
    world.refund("F-1", "R-1", "60")
    before = world.dump()
    with pytest.raises(AmountExceedsAccrual):
        world.refund("F-2", "R-1", "40.01")
    assert world.dump() == before
    world.refund("F-2", "R-1", "40.00")
    before = world.dump()
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-3", "R-1", "0.01")
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-3", "R-1", everything=True)
    assert world.dump() == before
    assert world.refund("F-1", "R-1", "60").replayed
    assert world.proven().available == 0


def test_where_the_caller_says_so_a_refund_over_the_whole_takes_what_is_left(world: World) -> None:
    def reverse(source_id: str, amount: str | None) -> Posted:
        money = Money.of(amount, "EUR") if amount else None
        refund = Refund("pos", source_id, "R-1", NOON, money, everything=amount is None)
        return world.accruals.reverse(world.program, MEMBER, refund, clamp=True)

    world.accrue("R-1", "100", refund_basis=Money.of("120", "EUR"))
    assert reverse("F-1", "90").entry.points == -75
    over = reverse("F-2", "50")
    assert (over.entry.points, over.entry.facts.amount) == (-25, Money.of("30", "EUR"))
    assert reverse("F-2", "50") == Posted(over.entry, replayed=True)
    nothing = reverse("F-3", "0.01")
    assert (nothing.entry.points, nothing.entry.facts.amount) == (0, Money.of("0", "EUR"))
    assert reverse("F-4", None).entry.points == 0
    with pytest.raises(EntryExistsWithDifferentRequest):
        reverse("F-2", "30")
    with pytest.raises(AccrualFullyReversed):
        world.refund("F-5", "R-1", "0.01")
    assert world.proven().available == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "59"},
        {"of": "R-2"},
        {"amount": "100"},
        {"of": "R-0"},
        {"amount": None, "everything": True},
        {"amount": None, "lines": {"a": 1}},
        {"reason": ReversalReason.RETURN},
    ],
)
def test_one_refund_s_id_with_another_content_is_a_conflict(world: World, changes: dict[str, object]) -> None:
    world.accrue("R-1", "100")
    world.accrue("R-2", "100")
    world.refund("F-1", "R-1", "60")
    before = world.dump()
    with pytest.raises(EntryExistsWithDifferentRequest):
        world.refund("F-1", **({"of": "R-1", "amount": "60"} | changes))  # type: ignore[arg-type]
    assert world.dump() == before


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"amount": Money.of("1", "EUR"), "everything": True},
        {"amount": Money.of("1", "EUR"), "lines": {"a": 1}},
        {"lines": {"a": 1}, "everything": True},
    ],
)
def test_a_refund_has_one_form(form: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Refund("pos", "F-1", "R-1", NOON, **form)  # type: ignore[arg-type]


def test_a_future_refund_is_refused(world: World) -> None:
    world.accrue("R-1")
    future = NOON + CLOCK_SKEW + timedelta(seconds=1)
    before = world.dump()
    with pytest.raises(OccurredInFuture):
        world.accruals.reverse(world.program, MEMBER, Refund("pos", "F", "R-1", future, Money.of("1", "EUR")))
    assert world.dump() == before


def test_one_from_before_the_member_existed_is_refused_unless_a_platform_tells_of_it(table: Table) -> None:
    world = World(table, of=program(limits={"backdating_days": 30})).enroll()
    world.accrue("R-1", "100")
    early = Refund("pos", "F", "R-1", NOON - timedelta(days=30, milliseconds=1), Money.of("1", "EUR"))
    before = world.dump()
    with pytest.raises(OccurredBeforeEnrollment):
        world.accruals.reverse(world.program, MEMBER, early)
    assert world.dump() == before
    assert world.accruals.reverse(world.program, MEMBER, early, clamp=True).entry.points == -1


def test_the_year_of_the_accrual_qualifies_less(world: World) -> None:
    world.accrue("R-1", "100")
    world.clock.set("2027-01-10")
    world.accrue("R-2", "30")
    world.refund("F-1", "R-1", "40")
    world.proven()
    assert world.book().qualifying == {"2026": 60, "2027": 30}
